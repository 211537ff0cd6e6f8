"""Logs on real machines: a real journal by a real sshd, and the real Swarm's services."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from farmtui.config import SshConfig, SwarmConfig
from farmtui.config.whole import Config
from farmtui.sources.ssh.pool import SshPool
from farmtui.tail.desk import managers
from farmtui.tail.follow import Tail
from farmtui.tail.standing import State
from farmtui.tail.target import MachineLog, ServiceLog, Wanted
from tests.lab.daemons import wait_until
from tests.lab.services.ssh import SshHosts
from tests.lab.services.swarm import IMAGE, MANAGERS, Swarm
from tests.lab.test_systemd import Booted

BOX: Final = "logbox"
STRANGER: Final = "logbox-stranger"
ONCE: Final = Wanted(follow=False)


@pytest.fixture(scope="module")
def booted(ssh: SshHosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """A machine with systemd, that can be logged in to; and to log in as somebody who may not read its journal."""
    made = Booted(tmp_path_factory.mktemp("booted"))
    for name, prefix in ((BOX, []), (STRANGER, ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])):
        ssh.add(name, enter=Path(f"/proc/{made.first_process}/nothing"))
        words = " ".join(made.inside(*prefix, "/bin/sh", "-c"))
        (ssh.folder / f"enter-{name}").write_text(f'#!/bin/sh\nexec {words} "$SSH_ORIGINAL_COMMAND"\n')
    made.told(
        "systemd-run", "--unit=speaker", "sh", "-c", "echo one; echo '<3>two is bad'; printf 'three\\033[31m red\\n'"
    )
    wait_until("the journal has it", lambda: "red" in made.told("journalctl", "--all", "-u", "speaker"))
    yield made
    made.close()


@pytest.fixture
async def pool(ssh: SshHosts) -> AsyncIterator[SshPool]:
    """A pool with the lab's config."""
    opened = SshPool(SshConfig(**ssh.config()["ssh"]), environ={})
    yield opened
    await opened.close()


@asynccontextmanager
async def following(tail: Tail) -> AsyncIterator[Tail]:
    """A tail that is read while the block runs."""
    task = asyncio.ensure_future(tail.run())
    try:
        await until(lambda: tail.standing.state is not State.BEGINS)
        yield tail
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    """Until it is so; the test's own timeout is what ends a wait in vain."""
    while not holds():  # noqa: ASYNC110 - what is waited for comes from other processes
        await asyncio.sleep(0.05)


async def read(pool: SshPool, host: str, unit: str = "", wanted: Wanted = ONCE) -> Tail:
    tail = Tail(pool, MachineLog(host, unit), wanted)
    await tail.run()
    return tail


def texts(tail: Tail) -> list[str]:
    return [line.text for line in tail.ring.lines]


async def inside(booted: Booted, *argv: str) -> str:
    return await asyncio.to_thread(booted.told, *argv)


def followers(booted: Booted) -> str:
    return booted.told("pgrep", "-f", "journalctl.*--follow")


async def test_a_units_window_is_what_it_has_said_in_order_and_cleaned(pool: SshPool, booted: Booted) -> None:
    tail = await read(pool, BOX, "speaker")
    assert tail.standing.state is State.ENDED, tail.standing
    said = [line for line in tail.ring.lines if line.source.startswith("sh[")]
    assert [line.text for line in said] == ["one", "two is bad", "three red"]
    assert [line.word for line in said] == ["info", "err", "info"]
    assert all(line.unit == "speaker.service" for line in said)
    bad = await read(pool, BOX, "speaker", Wanted(level=3, follow=False))
    assert texts(bad) == ["two is bad"]


async def test_what_is_empty_is_not_what_is_unknown(pool: SshPool, booted: Booted) -> None:
    quiet = await read(pool, BOX, "systemd-halt")
    assert quiet.empty, quiet.standing
    unknown = await read(pool, BOX, "speeker")
    assert unknown.standing.state is State.FAILED
    assert unknown.standing.why == f"{BOX} has no unit speeker"


async def test_who_may_not_read_the_journal_is_told_the_group(pool: SshPool, booted: Booted) -> None:
    tail = await read(pool, STRANGER)
    assert tail.standing.state is State.FAILED, (tail.standing, texts(tail))
    assert "may not read the journal" in tail.standing.why
    assert "systemd-journal" in tail.standing.remedy


async def test_it_follows_and_what_it_has_begun_ends_with_it(pool: SshPool, booted: Booted) -> None:
    async with following(Tail(pool, MachineLog(BOX), Wanted())) as tail:
        await until(lambda: tail.standing.state is State.FOLLOWS)
        await inside(booted, "logger", "-t", "poet", "-p", "daemon.warning", "a new line")
        await until(lambda: "a new line" in texts(tail))
        line = next(line for line in tail.ring.lines if line.text == "a new line")
        assert (line.word, line.source.partition("[")[0]) == ("warning", "poet")
        assert followers(booted)
    # It prints nothing on which it would notice: it is ended because the connection's other end has let go.
    await until(lambda: not followers(booted))


async def test_a_lost_connection_is_made_anew_and_no_line_comes_twice_or_is_lost(
    pool: SshPool, ssh: SshHosts, booted: Booted
) -> None:
    paused: list[float] = []
    go_on = asyncio.Event()

    async def sleep(seconds: float) -> None:
        paused.append(seconds)
        await go_on.wait()

    async with following(Tail(pool, MachineLog(BOX), Wanted(), sleep=sleep)) as tail:
        await until(lambda: tail.standing.state is State.FOLLOWS)
        await inside(booted, "logger", "before the loss")
        await until(lambda: "before the loss" in texts(tail))
        serving = subprocess.run(  # noqa: ASYNC221 - it ends at once
            ["pgrep", "-P", str(ssh.hosts[BOX].daemon.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        for pid in serving:
            os.kill(int(pid), 9)
        await until(lambda: tail.standing.state is State.LOST)
        assert "lost" in tail.standing.why
        assert paused == [1.0]
        await inside(booted, "logger", "while it was away")
        go_on.set()
        await until(lambda: "while it was away" in texts(tail))
        assert texts(tail).count("before the loss") == 1
        assert any("connection was lost" in text for text in texts(tail))
        assert tail.standing.state is State.FOLLOWS


async def test_a_flood_neither_grows_nor_holds_up_the_loop(pool: SshPool, booted: Booted) -> None:
    """A real command that prints as fast as it can, read as a log is."""
    from farmtui.tail.decode import journal_entry
    from farmtui.tail.intake import Intake
    from farmtui.tail.line import LogLine
    from farmtui.tail.ring import Ring

    entry = '{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1764380000000000","MESSAGE":"flood","SYSLOG_IDENTIFIER":"x"}'
    ring = Ring(lines_max=2_000)
    turns = 0

    def take(lines: object, _cursor: str) -> None:
        assert isinstance(lines, list)
        assert all(isinstance(line, LogLine) for line in lines)
        ring.add(lines)

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    intake = Intake(journal_entry, take)
    other = asyncio.ensure_future(others())
    command = ["sh", "-c", f"yes '{entry}' | head -n 200000"]
    assert await pool.stream(BOX, command, intake.hear, begin_s=15.0, leash=True) == 0
    intake.end()
    other.cancel()
    assert len(ring.lines) <= 2_000
    left_out = sum(int(line.text.split()[0].replace(",", "")) for line in ring.lines if line.at is None)
    assert left_out > 0, "it was said that lines were left out"
    assert turns > 500, "others had their turn all the time"


# -- the Swarm ------------------------------------------------------------------------------------

_TALK: Final = 'i=0; while :; do i=$((i+1)); echo "line $i of $HOSTNAME"; sleep 1; done'


@pytest.fixture
def talker(swarm: Swarm) -> Iterator[str]:
    """A service that prints."""
    swarm.docker(
        MANAGERS[0], "service", "create", "--detach", "--no-resolve-image", "--endpoint-mode", "dnsrr", "--network",
        "cache-net", "--name", "talker", "--replicas", "2", IMAGE, "/bin/sh", "-c", _TALK,
    )  # fmt: skip
    wait_until("it talks", lambda: "line 2" in swarm.docker(MANAGERS[0], "service", "logs", "talker"), 60.0)
    yield "talker"
    if "talker" in {row["Name"] for row in swarm.rows(MANAGERS[0], "service", "ls")}:
        swarm.docker(MANAGERS[0], "service", "rm", "talker")


def swarm_tail(pool: SshPool, swarm: Swarm, name: str, wanted: Wanted, first: str = "") -> Tail:
    config = Config(swarm=SwarmConfig(**swarm.config()["swarm"]))
    return Tail(pool, ServiceLog(name, name), wanted, managers=managers(config, first))


async def test_a_service_is_followed_on_a_manager_task_by_task(pool: SshPool, swarm: Swarm, talker: str) -> None:
    async with following(swarm_tail(pool, swarm, talker, Wanted())) as tail:
        await until(lambda: tail.standing.state is State.FOLLOWS)
        before = tail.ring.total
        assert before
        await until(lambda: tail.ring.total > before + 4)
        sources = {line.source for line in tail.ring.lines}
        assert {source.partition("@")[0] for source in sources} == {"talker.1", "talker.2"}, sources
        assert all(line.at is not None and line.at.tzinfo is not None for line in tail.ring.lines)
        tail.ring.clear()
    once = swarm_tail(pool, swarm, talker, ONCE)
    await once.run()
    assert once.standing.state is State.ENDED, once.standing
    lines = [(line.source, line.text) for line in once.ring.lines]
    assert len(lines) == len(set(lines))


async def test_a_service_that_is_gone_is_said_to_be_so(pool: SshPool, swarm: Swarm) -> None:
    gone = swarm_tail(pool, swarm, "no-such-thing", ONCE)
    await gone.run()
    assert (gone.standing.state, gone.standing.why) == (State.FAILED, "service no-such-thing is gone")


async def test_the_next_manager_is_asked_where_one_cannot_be_reached(pool: SshPool, swarm: Swarm, talker: str) -> None:
    config = Config(swarm=SwarmConfig(hosts=["nobody-here", *MANAGERS], sockets=swarm.config()["swarm"]["sockets"]))
    tail = Tail(pool, ServiceLog(talker, talker), ONCE, managers=managers(config))
    await tail.run()
    assert tail.standing.state is State.ENDED, tail.standing
    assert tail.host == MANAGERS[0]
