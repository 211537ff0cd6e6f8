"""The simulated mgr in the faults that a real one showed in the lab: what goes on, what stands still, what is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from farmtui.demo.world.ceph_changes import OsdStop, SlowOps
from farmtui.demo.world.changes import Change, MachineOff, MachineOn
from farmtui.demo.world.inventory import STORAGE
from farmtui.farm.cluster import Ceph
from farmtui.farm.state import Severity
from farmtui.sources.prometheus import PrometheusSource
from tests.demo.stage import Clock, Stage, stage


class Watched:
    """A farm through the console's own Prometheus source."""

    def __init__(self, farm: Stage, source: PrometheusSource) -> None:
        self._farm, self._source = farm, source
        self.mons = [machine.name for machine in farm.running.farm.tiers[STORAGE][:3]]

    async def happen(self, *changes: Change) -> None:
        """Let something happen."""
        await self._farm.running.keeper.ask(lambda observed: observed.happen(*changes))

    async def after(self, seconds: float) -> Ceph:
        """The cluster so much later."""
        self._farm.clock.at += seconds
        reading = await self._source.poll()
        assert reading.value is not None
        assert reading.value.ceph is not None
        return reading.value.ceph

    async def value(self, promql: str) -> float:
        """The single number that a query gives."""
        answer = await self._farm.prometheus.get("/api/v1/query", ("query", promql))
        [series] = answer["data"]["result"]
        return float(series["value"][1])


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    """A farm in which all is well, and nothing happens by itself to Ceph."""
    clock = Clock()
    async with stage("do-api-limited", clock=clock) as farm:
        config = farm.config(folder).prometheus
        assert config is not None
        source = PrometheusSource(config, clock=clock.moment)
        try:
            yield Watched(farm, source)
        finally:
            await source.close()


async def test_without_quorum_the_mgr_says_what_was_so_before(tmp_path: Path) -> None:
    async with watched(tmp_path) as farm:
        before = await farm.after(0)
        assert (before.health, before.stalled) == (Severity.OK, False)
        await farm.happen(*(MachineOff(name) for name in farm.mons[1:]))
        soon = await farm.after(30)
        assert soon.health is Severity.OK, "so soon nobody can tell"
        assert await farm.value("sum(ceph_mon_quorum_status)") == 3
        lost = await farm.after(300)
        assert (lost.health, lost.stalled, lost.checks) == (None, True, ())
        assert sum(osd.up for osd in lost.osds) == len(lost.osds), "though eight of them are off"
        assert await farm.value("max(ceph_health_status)") == 0
        await farm.happen(*(MachineOn(name) for name in farm.mons[1:]))
        back = await farm.after(300)
        assert not back.stalled
        assert back.health is not None


async def test_one_mon_of_three_is_no_standstill(tmp_path: Path) -> None:
    async with watched(tmp_path) as farm:
        await farm.after(0)
        await farm.happen(MachineOff(farm.mons[2]))
        ceph = await farm.after(300)
        assert not ceph.stalled
        assert "MON_DOWN" in {check.name for check in ceph.checks}
        assert [mon.well for mon in ceph.mons] == [True, True, False]


async def test_no_mgr_takes_over_without_quorum(tmp_path: Path) -> None:
    async with watched(tmp_path) as farm:
        active = next(mgr.name for mgr in (await farm.after(0)).mgrs if mgr.state == "active").partition(".")[2]
        other = next(name for name in farm.mons if name != active)
        await farm.happen(MachineOff(active), MachineOff(other))
        seen_at = (await farm.after(30)).seen_at
        gone = await farm.after(300)
        assert gone.seen_at == seen_at
        await farm.happen(MachineOn(other))
        assert (await farm.after(60)).seen_at != seen_at


async def test_the_active_mds_hears_its_clients(tmp_path: Path) -> None:
    async with watched(tmp_path) as farm:
        ceph = await farm.after(0)
        assert all(mds.well for mds in ceph.mdss)
        heard = "max by (ceph_daemon) (rate(ceph_mds_server_handle_client_session[2m])) > 0"
        assert await farm.value(f"count({heard})") == 1


async def test_of_an_osd_that_is_down_and_out_the_mgr_tells_no_more_than_its_latency(tmp_path: Path) -> None:
    async with watched(tmp_path) as farm:
        await farm.after(0)
        await farm.happen(OsdStop(5))
        down = await farm.after(60)
        assert "OSD_DOWN" in {check.name for check in down.checks}
        assert await farm.value('count(ceph_osd_up{ceph_daemon="osd.5"} == 0)') == 1
        await farm.after(700)
        for _ in range(4):
            # Where OSDs run is asked at each fourth poll.
            out = await farm.after(5)
        assert await farm.value("count(ceph_osd_up)") == len(out.osds) - 1
        [gone] = [osd for osd in out.osds if not osd.up]
        assert (gone.id, gone.host, gone.is_in) == ("osd.5", farm.mons[1], False)


async def test_slow_operations_are_told_by_the_daemons_that_wait(tmp_path: Path) -> None:
    async with watched(tmp_path) as farm:
        await farm.happen(SlowOps(7))
        ceph = await farm.after(10)
        assert (ceph.slow_ops, ceph.slow_daemons) == (7.0, (("osd.0", 4), ("osd.1", 3)))
