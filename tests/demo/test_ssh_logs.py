"""The simulated machines' logs, read as the console reads real ones: what befell the farm is told in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from farmtui.demo.world.ceph_changes import OsdStop
from farmtui.demo.world.changes import DatabaseStop, MachineOff, MachineOn, TasksFailing
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, EDGE, STORAGE
from farmtui.demo.world.service_changes import UnitStart, UnitStop
from farmtui.tail.follow import Tail
from farmtui.tail.standing import State
from farmtui.tail.target import Docker, LogTarget, MachineLog, ServiceLog, Wanted
from tests.demo.machines import Machines, machines
from tests.demo.stage import NOON

ONCE = Wanted(follow=False)


async def read(farm: Machines, target: LogTarget, wanted: Wanted = ONCE) -> Tail:
    managers = [(machine.name, Docker()) for machine in farm.farm.running.farm.tiers[EDGE]]
    tail = Tail(farm.pool, target, wanted, managers=managers)
    await tail.run()
    return tail


def said(tail: Tail) -> str:
    return "\n".join(line.plain for line in tail.ring.lines)


def name(farm: Machines, tier: str, place: int = 0) -> str:
    return farm.farm.running.farm.tiers[tier][place].name


@asynccontextmanager
async def following(farm: Machines, target: LogTarget) -> AsyncIterator[Tail]:
    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0.05)

    tail = Tail(farm.pool, target, Wanted(), managers=[(name(farm, EDGE), Docker())], sleep=sleep)
    task = asyncio.ensure_future(tail.run())
    try:
        await until(lambda: tail.standing.state is State.FOLLOWS)
        yield tail
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - the test's own timeout is what ends a wait in vain
        await asyncio.sleep(0.02)


async def test_a_journal_is_the_same_whenever_it_is_read_and_keeps_to_its_window(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        host = name(farm, CACHE)
        first, again = await read(farm, MachineLog(host)), await read(farm, MachineLog(host))
        assert said(first) == said(again)
        moments = [line.at.timestamp() for line in first.ring.lines if line.at is not None]
        assert moments == sorted(moments)
        assert NOON - 3_600 <= moments[0] < moments[-1] < NOON
        short = await read(farm, MachineLog(host), Wanted(since_s=300, follow=False))
        assert said(first).endswith(said(short))
        assert 0 < short.ring.total < first.ring.total


async def test_each_fault_is_told_where_it_happens(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        host, fellow = name(farm, DATABASE), name(farm, DATABASE, 1)
        await farm.happen(DatabaseStop(host), OsdStop(0), TasksFailing(3))
        await farm.pass_time(120)
        assert "err [ERROR] mysqld got signal 9" in said(await read(farm, MachineLog(host, "mariadb")))
        assert "New cluster view: members(2)" in said(await read(farm, MachineLog(fellow, "mariadb")))
        osd = await read(farm, MachineLog(name(farm, STORAGE), "ceph-osd@1"), Wanted(level=3, follow=False))
        assert "heartbeat_check: no reply" in said(osd)
        assert " osd.0 " in said(osd)
        assert "non-zero exit" in said(await read(farm, MachineLog(name(farm, APP), "docker")))


async def test_units_are_known_and_unknown(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        host = name(farm, CACHE)
        assert (await read(farm, MachineLog(host, "kernel"))).empty
        unknown = await read(farm, MachineLog(host, "nothing"))
        assert (unknown.standing.state, unknown.standing.why) == (State.FAILED, f"{host} has no unit nothing")


async def test_what_happens_is_followed_and_ends_with_who_follows(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        host = name(farm, CACHE)
        async with following(farm, MachineLog(host, "redis-server")) as tail:
            await farm.happen(UnitStop(host, "redis-server"))
            await farm.pass_time(1)
            await farm.happen(UnitStart(host, "redis-server"))
            await farm.pass_time(1)
            await until(lambda: "Started redis-server.service" in said(tail))
            assert said(tail).count("Stopped redis-server.service") == 1


async def test_a_machine_that_goes_is_found_again_and_no_line_comes_twice(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        host = name(farm, CACHE)
        async with following(farm, MachineLog(host)) as tail:
            await farm.happen(MachineOff(host))
            await until(lambda: tail.standing.state is State.LOST)
            assert tail.standing.why
            assert tail.standing.remedy
            await farm.pass_time(60)
            await farm.happen(MachineOn(host))
            await farm.pass_time(5)
            await until(lambda: tail.standing.state is State.FOLLOWS)
            await until(lambda: "Startup finished" in said(tail))
            lines = [line for line in tail.ring.lines if line.at is not None]
            assert len(lines) == len(set(lines))
            assert "the connection was lost" in said(tail)


async def test_a_service_and_one_of_its_tasks(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        service = await read(farm, ServiceLog("edge_traefik", "edge_traefik"))
        assert {line.source for line in service.ring.lines} == {
            f"edge_traefik@{machine.name}" for machine in farm.farm.running.farm.tiers[EDGE]
        }
        ids = (await farm.told(name(farm, EDGE), "docker service ps -q --no-trunc edge_traefik")).split()
        task = await read(farm, ServiceLog(ids[0], "edge_traefik.1", "task"))
        assert len({line.source for line in task.ring.lines}) == 1
        gone = await read(farm, ServiceLog("nothing", "nothing"))
        assert (gone.standing.state, gone.standing.why) == (State.FAILED, "service nothing is gone")


async def test_the_next_manager_is_asked_where_the_first_is_none(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        hosts = [name(farm, APP), name(farm, EDGE)]
        target = ServiceLog("edge_traefik", "edge_traefik")
        tail = Tail(farm.pool, target, ONCE, managers=[(host, Docker()) for host in hosts])
        await tail.run()
        assert (tail.standing.state, tail.host) == (State.ENDED, hosts[1])
        nobody = Tail(farm.pool, target, ONCE)
        await nobody.run()
        assert "swarm.hosts" in nobody.standing.remedy


async def test_a_followed_service_says_each_line_once(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm, following(farm, ServiceLog("edge_traefik", "edge_traefik")) as tail:
        before = tail.ring.total
        await farm.pass_time(30)
        await until(lambda: tail.ring.total > before)
        assert len(set(tail.ring.lines)) == len(tail.ring.lines)


@pytest.mark.parametrize(
    "line", ["journalctl --output=json --since=yesterday", "docker service logs --since=x edge_traefik"]
)
async def test_what_cannot_be_read_is_refused(tmp_path: Path, line: str) -> None:
    async with machines(tmp_path) as farm:
        status, words = await farm.refused(name(farm, EDGE), line)
        assert status == 1
        assert "parse" in words
