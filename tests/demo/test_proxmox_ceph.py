"""The simulated Proxmox VE on Ceph: what the console reads there is what the mgr's metrics tell of the same world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from farmtui.demo.faults import FAULTS
from farmtui.demo.world.ceph_changes import FlagSet, OsdOut, OsdStop, ScrubError, SlowOps
from farmtui.demo.world.ceph_state import CHECKS
from farmtui.demo.world.changes import Change, MachineOff, MachineOn
from farmtui.demo.world.inventory import STORAGE
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.ceph_picture import Told, one_ceph
from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from farmtui.insight.ceph_checks import explain
from farmtui.insight.findings import findings
from farmtui.polling import Feed
from farmtui.sources.ceph_detail_pve import CephPveSource
from farmtui.sources.prometheus import PrometheusSource
from tests.demo.stage import Clock, Stage, stage
from tests.screenshot import Standing


@asynccontextmanager
async def sources(farm: Stage, folder: Path) -> AsyncIterator[tuple[CephPveSource, PrometheusSource]]:
    """Ceph itself, and Prometheus, as the demo's config makes them."""
    config = farm.config(folder)
    assert config.ceph is not None
    assert config.prometheus is not None
    own = CephPveSource(config.ceph, config.proxmox[0], clock=farm.clock.moment)
    metrics = PrometheusSource(config.prometheus, clock=farm.clock.moment)
    try:
        yield own, metrics
    finally:
        await own.close()
        await metrics.close()


async def told(own: CephPveSource) -> CephDetail:
    """What Ceph says, of which nothing may be missing."""
    reading = await own.poll()
    assert (reading.failure, reading.warnings) == (None, ())
    assert reading.value is not None
    return reading.value


async def happen(farm: Stage, *changes: Change) -> None:
    """Let something happen to the world."""
    await farm.running.keeper.ask(lambda observed: observed.happen(*changes))


async def picture(farm: Stage, folder: Path) -> Farm:
    """The farm through all of the console's sources."""
    feed = Feed(farm.config(folder), clock=Standing(farm.clock))
    try:
        return await feed.one_cycle(60.0)
    finally:
        await feed.close()


OF_CEPH = [name for name, fault in FAULTS.items() if any(alert.startswith("Ceph") for alert in fault.alerts)]


@pytest.mark.parametrize("fault", ["", *OF_CEPH])
async def test_ceph_and_its_metrics_agree_whatever_happens(fault: str, tmp_path: Path) -> None:
    async with stage(*([fault] if fault else [])) as farm, sources(farm, tmp_path) as (own, metrics):
        detail, view = await told(own), (await metrics.poll()).value
        joined = one_ceph(view.ceph if view else None, Told(detail, farm.clock.moment()), trusted=True)
    assert joined is not None
    assert joined.differences == ()
    assert (joined.health is Severity.OK) is (fault == "")
    assert {check.name for check in detail.checks} == {check.name for check in joined.checks}


async def test_each_figure_is_the_metrics_own(tmp_path: Path) -> None:
    async with stage("osd-down") as farm, sources(farm, tmp_path) as (own, metrics):
        detail, view = await told(own), (await metrics.poll()).value
    assert view is not None
    ceph = view.ceph
    assert ceph is not None
    assert detail.pgs is not None
    places = {place.name: place for place in detail.tree if place.kind == "osd"}
    assert {osd.id: (osd.up, osd.is_in, osd.used_bytes or None) for osd in ceph.osds} == {
        name: (place.status == "up", place.is_in, place.used_bytes) for name, place in places.items()
    }
    assert detail.pgs.total == ceph.pgs_total
    assert dict(detail.pgs.states) == {name: n for name, n in ceph.pg_states if n}
    assert (detail.pgs.total_bytes, detail.pgs.used_bytes) == (ceph.total_bytes, ceph.used_bytes)
    assert detail.pgs.objects_degraded == ceph.objects_degraded
    assert detail.pgs.objects_misplaced == ceph.objects_misplaced
    assert detail.pgs.recovering_objects_per_s == pytest.approx(ceph.recovering_objects_per_s)
    assert {pool.name: pool.used_ratio for pool in detail.pools} == {p.name: p.used_ratio for p in ceph.pools}
    assert {f"mon.{name}" for name in detail.quorum.members} == {mon.name for mon in ceph.mons if mon.well}
    assert {mds.state for mds in detail.ranks} == {"active", "standby"}
    [event] = detail.events
    assert event.message.startswith("Rebalancing after osd.5 marked out")
    assert event.ratio is not None
    assert 0 < event.ratio < 1


async def test_every_check_speaks_ceph_s_words(tmp_path: Path) -> None:
    seen: dict[str, str] = {}
    changes: dict[str, tuple[Change, ...]] = {
        "osd": (OsdStop(1), FlagSet("noout")),
        "host": tuple(OsdStop(number) for number in range(4)),
        "out": (OsdOut(2),),
        "scrub": (ScrubError(2), SlowOps(7)),
    }
    for happened in changes.values():
        async with stage() as farm, sources(farm, tmp_path) as (own, _):
            await happen(farm, *happened)
            farm.clock.at += 30
            for check in (await told(own)).checks:
                assert explain(check.name).known
                seen[check.name] = check.summary
    assert seen["OSD_DOWN"] == "4 osds down"
    assert seen["OSD_HOST_DOWN"] == "1 host (4 osds) down"
    assert seen["OSDMAP_FLAGS"] == "noout flag(s) set"
    assert seen["PG_DAMAGED"] == "Possible data damage: 2 pg inconsistent"
    assert seen["SLOW_OPS"].startswith("7 slow ops, oldest one blocked for")
    assert seen["PG_DEGRADED"].startswith("Degraded data redundancy: ")
    assert set(seen) <= set(CHECKS)


async def test_two_of_three_mons_gone_is_silence_and_the_console_says_so(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(clock=clock) as farm:
        before = await picture(farm, tmp_path)
        assert before.ceph is not None
        assert before.ceph.health is Severity.OK
        names = [machine.name for machine in farm.running.farm.tiers[STORAGE][:3]]
        await happen(farm, *(MachineOff(name) for name in names[:2]))
        clock.at += 30
        lost = await picture(farm, tmp_path)
        assert lost.ceph_detail is not None
        assert lost.ceph_detail.silent
        assert lost.ceph is not None
        assert lost.ceph.health is None
        keys = {finding.key: finding for finding in findings(lost)}
        assert keys["ceph/silent"].severity is Severity.UNKNOWN
        assert not [key for key in keys if key.startswith("ceph/") and key != "ceph/silent"]
        await happen(farm, *(MachineOn(name) for name in names[:2]))
        clock.at += 600
        again = await picture(farm, tmp_path)
        assert again.ceph_detail is not None
        assert not again.ceph_detail.silent


async def test_one_mon_of_three_is_named(tmp_path: Path) -> None:
    async with stage() as farm, sources(farm, tmp_path) as (own, _):
        names = [machine.name for machine in farm.running.farm.tiers[STORAGE][:3]]
        await happen(farm, MachineOff(names[1]))
        farm.clock.at += 60
        detail = await told(own)
    assert detail.quorum.members == (names[0], names[2])
    [mon_down] = [check for check in detail.checks if check.name == "MON_DOWN"]
    assert mon_down.summary == f"1/3 mons down, quorum {names[0]},{names[2]}"
    assert mon_down.lines[0].startswith(f"mon.{names[1]} (rank 1) addr v2:")
