"""ceph and rados on the simulated storage nodes: what the console's own source reads, and what operators tell Ceph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from farmtui.config import CephConfig
from farmtui.demo.ssh.commands.ceph import COMMANDS
from farmtui.demo.world.ceph_changes import OsdStop
from farmtui.demo.world.changes import MachineOff
from farmtui.demo.world.condition import Osd
from farmtui.farm.state import Severity
from farmtui.sources.ceph_detail_ssh import CephSshSource
from tests.demo.machines import Machines, machines


async def _data(farm: Machines, line: str) -> Any:
    return json.loads(await farm.told("stor-1", f"ceph {line} -f json"))


def _osd(farm: Machines, number: int) -> Osd:
    return farm.now.ceph.osds[number]


async def test_the_console_s_own_source_reads_it(tmp_path: Path) -> None:
    async with machines(tmp_path, "osd-down", "pg-inconsistent") as farm:
        config = CephConfig(via="ssh", hosts=["stor-1", "stor-2", "stor-3"], sudo=True)
        reading = await CephSshSource(config, farm.pool, clock=farm.farm.clock.moment).poll()
        assert (reading.failure, reading.warnings) == (None, ())
        told = reading.value
        assert told is not None
        assert {check.name for check in told.checks} == {"OSD_SCRUB_ERRORS", "PG_DAMAGED", "PG_DEGRADED"}
        assert told.health is Severity.CRITICAL
        assert [place.name for place in told.tree if place.status == "down"] == ["osd.5"]
        assert (told.quorum.leader, told.mgr, told.filesystems) == ("stor-1", "stor-1", ("cephfs",))
        assert len(told.pools) == 8
        assert all(place.pgs for place in told.tree if place.status == "up")


async def test_without_quorum_nobody_answers(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.happen(MachineOff("stor-2"), MachineOff("stor-3"))
        status, words = await farm.refused("stor-1", "ceph --connect-timeout 0.1 -s")
        assert (status, words) == (1, "[errno 110] RADOS timed out (error connecting to the cluster)")
        assert await farm.refused("stor-1", "timeout 0.1 ceph -s") == (124, "")
        assert await farm.refused("stor-1", "timeout 0.1 ceph osd set noout") == (124, "")
        assert not farm.now.ceph.flags


@pytest.mark.parametrize("form", ["", " -f json", " --format=json-pretty"])
@pytest.mark.parametrize(
    "line",
    [
        "-s",
        "status",
        "health",
        "health detail",
        "osd tree",
        "osd df",
        "osd dump",
        "osd ls",
        "osd stat",
        "df",
        "quorum_status",
        "node ls",
        "fs status",
        "versions",
        "mgr stat",
        "pg stat",
        "pg ls",
        "pg ls inconsistent",
        "osd find 3",
        "osd ok-to-stop 5",
        "tell osd.3 version",
    ],
)
async def test_it_is_told_as_lines_and_as_data(line: str, form: str, tmp_path: Path) -> None:
    async with machines(tmp_path, "osd-down") as farm:
        told = await farm.told("stor-1", f"ceph {line}{form}")
        if form:
            assert json.loads(told) is not None
        elif not line.startswith("tell"):
            assert told.strip()


async def test_flags_are_set_and_unset(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert (await farm.refused("stor-1", "ceph osd set noout")) == (0, "noout is set")
        assert (await _data(farm, "osd dump"))["flags_set"] == ["noout"]
        assert "OSDMAP_FLAGS" in (await _data(farm, "health detail"))["checks"]
        assert (await farm.refused("stor-1", "ceph osd unset noout")) == (0, "noout is unset")
        assert not farm.now.ceph.flags


async def test_an_osd_is_taken_out_emptied_and_taken_in(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert (await farm.refused("stor-1", "ceph osd safe-to-destroy 5"))[0] == 16
        assert await farm.refused("stor-1", "ceph osd out osd.5") == (0, "marked out osd.5.")
        assert await farm.refused("stor-1", "ceph osd out 5") == (0, "osd.5 is already out.")
        assert (await farm.refused("stor-1", "ceph osd safe-to-destroy 5"))[0] == 16
        await farm.pass_time(3 * 3_600.0)
        assert (await _data(farm, "osd safe-to-destroy 5"))["safe_to_destroy"] == [5]
        assert await farm.refused("stor-1", "ceph osd in 5") == (0, "marked in osd.5.")
        assert _osd(farm, 5).is_in


async def test_whether_an_osd_may_stop_depends_on_who_is_down_elsewhere(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert (await _data(farm, "osd ok-to-stop 0"))["ok_to_stop"] is True
        assert (await farm.refused("stor-1", "ceph osd ok-to-stop 0 5"))[0] == 16
        await farm.happen(OsdStop(5))
        assert (await farm.refused("stor-1", "ceph osd ok-to-stop 0"))[0] == 16
        assert (await farm.do("stor-1", "ceph osd ok-to-stop 5")).exit_status == 0
        assert (await farm.do("stor-1", "ceph osd ok-to-stop 6")).exit_status == 0


async def test_a_group_that_is_damaged_is_found_and_repaired(tmp_path: Path) -> None:
    async with machines(tmp_path, "pg-inconsistent") as farm:
        found = [each["pgid"] for each in (await _data(farm, "pg ls inconsistent"))["pg_stats"]]
        assert found == ["3.0"]
        listed = await farm.told("stor-1", "rados list-inconsistent-obj 3.0 --format=json")
        assert json.loads(listed)["inconsistents"]
        assert json.loads(await farm.told("stor-1", "rados list-inconsistent-pg cephfs.data")) == ["3.0"]
        await farm.told("stor-1", "ceph pg repair 3.7")
        await farm.pass_time(60.0)
        assert farm.now.ceph.inconsistent == 1
        assert (await farm.refused("stor-1", "ceph pg repair 3.0"))[1].startswith("instructing pg 3.0 on osd.")
        await farm.pass_time(60.0)
        assert farm.now.ceph.inconsistent == 0


async def test_weights_and_ratios_are_changed(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.told("stor-1", "ceph osd reweight 3 0.8")
        assert _osd(farm, 3).weight == 0.8
        assert _osd(farm, 3).misplaced.value(farm.farm.clock.at) > 1e5
        await farm.told("stor-1", "ceph osd set-nearfull-ratio 0.5")
        await farm.told("stor-1", "ceph osd set-backfillfull-ratio 0.92")
        await farm.told("stor-1", "ceph osd set-full-ratio 0.97")
        told = await _data(farm, "osd dump")
        assert [told[f"{kind}_ratio"] for kind in ("nearfull", "backfillfull", "full")] == [0.5, 0.92, 0.97]
        assert "OSD_NEARFULL" in (await _data(farm, "health"))["checks"]


async def test_another_mgr_and_mds_take_over(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.told("stor-1", "ceph mgr fail")
        mds = farm.now.ceph.mds
        await farm.told(mds, f"sudo -n systemctl restart ceph-mds@{mds}")
        assert [farm.now.ceph.mgr, farm.now.ceph.mds] == ["", ""]
        await farm.pass_time(60.0)
        assert all([farm.now.ceph.mgr, farm.now.ceph.mds])


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("osd set nonsense", 22, "Error EINVAL: invalid command: nonsense not in "),
        ("osd out 99", 2, "Error ENOENT: osd.99 does not exist"),
        ("osd out x", 22, "Error EINVAL: invalid osd id x"),
        ("osd reweight 3 7", 22, "Error EINVAL: invalid command: 7 not in range [0.0..1.0]"),
        ("osd reweight 3 x", 22, "Error EINVAL: "),
        ("pg repair 3", 22, "Error EINVAL: invalid pgid '3'"),
        ("pg repair 3.fff", 2, "Error ENOENT: pg 3.fff does not exist"),
        ("pg repair 99.0", 2, "Error ENOENT: pg 99.0 does not exist"),
        ("tell osd.99 version", 2, "Error ENOENT: osd.99 does not exist"),
        ("tell nonsense version", 22, "Error EINVAL: "),
        ("orch ls", 2, "Error ENOENT: No orchestrator configured"),
        ("nonsense", 22, "no valid command found; 10 closest matches:"),
    ],
)
async def test_what_it_does_not_take(line: str, status: int, words: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        told = await farm.refused("stor-1", f"ceph {line}")
        assert told[0] == status
        assert told[1].startswith(words)


async def test_other_machines_have_no_ceph(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert set(COMMANDS) == {"ceph", "rados", "radosgw-admin"}
        assert (await farm.do("db-1", "ceph -s")).exit_status == 127
