"""The library's books for the database, run to their end on the simulated farm."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.demo.world.changes import DatabaseStop, HostOff
from farmtui.journal.store import RefusedError
from farmtui.runbooks.state import Outcome
from tests.demo.remedies import remedies

NODES = ("db-1", "db-2", "db-3")


async def test_a_cluster_that_was_lost_as_a_whole_begins_with_the_node_that_has_most(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        for name in ("db-1", "db-3", "db-2"):
            await farm.happen(DatabaseStop(name))
            await farm.pass_time(10.0)
        assert not farm.world().primary
        run = await farm.begun("galera-bootstrap", first="db-1")
        said = farm.said(run)
        positions = {
            line.split(" on ")[1].split("]")[0]: int(line.rpartition(":")[2])
            for line in said.splitlines()
            if "--wsrep_start_position=" in line
        }
        assert max(positions, key=lambda name: positions[name]) == "db-2"
        # Not the one that was named: whoever sees that stops, and nothing was begun.
        await farm.answer(run, "stop")
        assert farm.state(run).outcome is Outcome.FAILED
        assert not farm.world().primary
        said = await farm.run("galera-bootstrap", first="db-2")
        assert farm.world().primary
        assert {database.state for database in farm.world().databases.values()} == {4}
        assert farm.world().safe_to_bootstrap == frozenset()
        assert "approved by berta" in said


async def test_no_second_cluster_is_begun_while_one_is_primary(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        for book, inputs in (("galera-bootstrap", {"first": "db-1"}), ("galera-primary", {"node": "db-1"})):
            with pytest.raises(RefusedError, match="nodes that are Primary: 3"):
                await farm.begun(book, **inputs)


async def test_a_node_that_lost_the_majority_is_made_primary(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.happen(HostOff("pve-2"), HostOff("pve-3"))
        await farm.pass_time(60.0)
        assert not farm.world().primary
        await farm.run("galera-primary", node="db-1")
        assert farm.world().primary
        await farm.pass_time(60.0)
        assert "GaleraNotPrimary" not in await farm.alerts()


async def test_a_slow_node_lags_behind_until_it_has_caught_up(tmp_path: Path) -> None:
    async with remedies(tmp_path, "flow-control") as farm:
        assert "GaleraFlowControl" in await farm.alerts()
        await farm.run("galera-desync", node="db-3")
        await farm.pass_time(300.0)
        assert farm.world().databases["db-3"].state == 4
        assert "GaleraFlowControl" not in await farm.alerts()


async def test_a_lost_node_is_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path, "galera-node-lost") as farm:
        said = await farm.run("galera-restart", node="db-2")
        assert "it is synced: 4 (== 4)" in said
        await farm.pass_time(60.0)
        assert not {"GaleraNodeDown", "GaleraClusterSmall"} & await farm.alerts()


async def test_old_binary_logs_are_thrown_away(tmp_path: Path) -> None:
    async with remedies(tmp_path, "disk-filling") as farm:
        assert "NodeDiskFilling" in await farm.alerts()
        said = await farm.run("galera-binlogs", node="db-1", days="3")
        assert "/var/lib/mysql/binlog" in said
        await farm.pass_time(60.0)
        assert "NodeDiskFilling" not in await farm.alerts()
