"""The library's books for Ceph, run to their end on the simulated farm: it is whole afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.demo.world.ceph_changes import OsdStop
from farmtui.journal.store import RefusedError
from farmtui.runbooks.state import Outcome
from tests.demo.remedies import Remedies, remedies


async def storage(farm: Remedies) -> tuple[str, set[str]]:
    """Ceph's health and its checks as the console sees them."""
    seen = await farm.farm()
    assert seen.ceph is not None
    assert seen.ceph.health is not None
    return seen.ceph.health.name, {check.name for check in seen.ceph.checks}


async def test_a_storage_node_is_worked_on_under_noout(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        run = await farm.begun("ceph-noout", node="stor-2")
        assert farm.world().ceph.flags == {"noout"}
        # The work: its OSDs are away for longer than Ceph would wait, and nobody marks them out.
        await farm.happen(*(OsdStop(number) for number in (4, 5, 6, 7)))
        await farm.pass_time(1_200.0)
        assert all(osd.is_in for osd in farm.world().ceph.osds)
        for number in (4, 5, 6, 7):
            await farm.told("stor-2", f"sudo -n systemctl start ceph-osd@{number}")
        await farm.answer(run)
        farm.ended(run)
        assert farm.world().ceph.flags == frozenset()
        assert await storage(farm) == ("OK", set())


async def test_an_osd_is_taken_out_until_its_data_is_elsewhere_and_brought_back(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        said = await farm.run("ceph-osd-out", osd="osd.3")
        assert "OSD(s) 3 are safe to destroy" in said
        assert not farm.world().ceph.osds[3].is_in
        await farm.run("ceph-osd-return", osd="osd.3")
        assert farm.world().ceph.osds[3].is_in
        assert await storage(farm) == ("OK", set())


async def test_an_osd_that_is_down_is_brought_back(tmp_path: Path) -> None:
    async with remedies(tmp_path, "osd-down") as farm:
        assert "CephOsdDown" in await farm.alerts()
        await farm.run("ceph-osd-return", osd="osd.5")
        await farm.pass_time(3_600.0)
        assert await storage(farm) == ("OK", set())
        assert not {"CephOsdDown", "CephDegraded", "CephHealthWarning"} & await farm.alerts()


async def test_an_osd_that_holds_up_operations_is_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path, "slow-ops") as farm:
        assert "CephSlowOps" in await farm.alerts()
        await farm.run("ceph-osd-restart", osd="osd.0")
        await farm.pass_time(120.0)
        assert await storage(farm) == ("OK", set())
        assert "CephSlowOps" not in await farm.alerts()


async def test_a_second_osd_is_not_restarted_while_copies_are_missing_elsewhere(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.happen(OsdStop(5))
        run = await farm.begun("ceph-osd-restart", osd="osd.0")
        question = farm.state(run).question
        assert question is not None
        assert question.about == "failed"
        assert "unsafe to stop osd(s)" in farm.said(run)
        assert farm.world().ceph.osds[0].up


async def test_an_inconsistent_group_is_repaired(tmp_path: Path) -> None:
    async with remedies(tmp_path, "pg-inconsistent") as farm:
        said = await farm.run("ceph-look", node="stor-1")
        assert "pg 3.0 is active+clean+inconsistent" in said
        assert "PG_DAMAGED" in (await storage(farm))[1]
        await farm.run("ceph-pg-repair", node="stor-1", pg="3.0")
        assert await storage(farm) == ("OK", set())
        await farm.run("ceph-scrub", node="stor-1", pg="3.0")


async def test_a_full_cluster_borrows_room_until_somebody_has_made_some(tmp_path: Path) -> None:
    async with remedies(tmp_path, "ceph-full") as farm:
        assert {"OSD_FULL", "POOL_FULL"} <= (await storage(farm))[1]
        with pytest.raises(RefusedError, match="how full the fullest OSD is, less the ratio for the while"):
            await farm.begun("ceph-full-relief", node="stor-1", ratio="0.955")
        run = await farm.begun("ceph-full-relief", node="stor-1", ratio="0.97")
        question = farm.state(run).question
        assert question is not None, farm.said(run)
        assert question.text.startswith("Make room now")
        assert (farm.world().ceph.full_ratio, farm.world().ceph.backfillfull_ratio) == (0.97, 0.96)
        assert "OSD_FULL" not in (await storage(farm))[1]
        await farm.told("stor-1", "sudo -n radosgw-admin bucket rm --bucket=old-exports --purge-objects")
        await farm.answer(run)
        farm.ended(run)
        assert (farm.world().ceph.full_ratio, farm.world().ceph.backfillfull_ratio) == (0.95, 0.9)
        assert await storage(farm) == ("OK", set())


async def test_borrowed_room_is_given_back_when_the_run_is_undone(tmp_path: Path) -> None:
    async with remedies(tmp_path, "ceph-full") as farm:
        run = await farm.begun("ceph-full-relief", node="stor-1", ratio="0.97")
        await farm.answer(run, "failed")
        await farm.answer(run, "undo")
        assert farm.state(run).outcome is Outcome.UNDONE, farm.said(run)
        assert (farm.world().ceph.full_ratio, farm.world().ceph.backfillfull_ratio) == (0.95, 0.9)


async def test_a_mon_and_an_mds_are_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        said = await farm.run("ceph-mon-restart", node="stor-3")
        assert "it is in the quorum: 1 (== 1)" in said
        await farm.run("ceph-mds-fail", node="stor-1")
        await farm.pass_time(60.0)
        assert farm.world().ceph.mds == "stor-1"
        assert await storage(farm) == ("OK", set())
