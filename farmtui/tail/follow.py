"""Following a log: what there is of its window, then what comes, through lost connections, without a line twice."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError
from farmtui.sources.ssh import Done
from farmtui.sources.ssh.pool import Hear
from farmtui.tail.decode import Decoded, journal_entry, service_entry
from farmtui.tail.intake import Intake
from farmtui.tail.line import LogLine, marker
from farmtui.tail.ring import Ring
from farmtui.tail.standing import Standing, State
from farmtui.tail.target import (
    KERNEL,
    Docker,
    LogTarget,
    MachineLog,
    ServiceLog,
    Wanted,
    follow_argv,
    history_argv,
    service_argv,
    unit_state_argv,
)
from farmtui.tail.words import elsewhere, partly, refusal

HISTORY: Final = 4_000
"""Entries of a window that are fetched at most, the newest."""
HISTORY_BYTES: Final = 32_000_000
BEGIN_S: Final = 20.0
"""Logging in, and the first word."""
HISTORY_S: Final = 40.0
"""A journal of gigabytes is sought through for that long at most."""
RETRY_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Pauses before a machine that was lost is tried again; the last for all that follow."""
STEADY_S: Final = 10.0
"""A connection that has held for so long is a new beginning for the pauses."""
SETTLED_S: Final = 2.0
"""What there was of a service's lines has come by then."""
KNOWN: Final = 8_000
"""Lines by which those that come a second time are known."""
_CERTAIN: Final = frozenset({FailureKind.CONFIG, FailureKind.FORBIDDEN, FailureKind.HOST_KEY, FailureKind.BAD_ANSWER})
"""Failures that trying again does not mend."""


class Shell(Protocol):
    """The part of the SSH pool that runs commands."""

    def log_in(self, host: str, *, deadline_s: float) -> Awaitable[None]:
        """See `SshPool.log_in`."""
        ...

    def run(self, host: str, argv: Sequence[str], *, deadline_s: float, limit_bytes: int = ...) -> Awaitable[Done]:
        """See `SshPool.run`."""
        ...

    def stream(
        self, host: str, argv: Sequence[str], tell: Hear, *, begin_s: float, leash: bool = ...
    ) -> Awaitable[int | None]:
        """See `SshPool.stream`."""
        ...


class Tail:
    """One log as it is read now. `run` reads it until it is cancelled, has failed for certain, or has been read."""

    def __init__(
        self,
        shell: Shell,
        target: LogTarget,
        wanted: Wanted,
        *,
        managers: Sequence[tuple[str, Docker]] = (),
        ring: Ring | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`managers` are the hosts that a service is asked for at, the likeliest first."""
        self.target = target
        self.wanted = wanted
        self.ring = ring or Ring()
        self.standing = Standing(State.BEGINS)
        self.note = ""
        """What is to be known of what is shown: that it is a part only."""
        self.more = False
        """Whether the window held more than was fetched."""
        self.host = ""
        """Where it is read."""
        self._shell = shell
        self._managers = managers
        self._sleep = sleep
        self._cursor = ""
        self._seen: deque[int] = deque(maxlen=KNOWN)
        self._known: set[int] = set()
        self._lost = False

    @property
    def empty(self) -> bool:
        """Whether the window has been read, and held nothing."""
        return self.standing.state in (State.FOLLOWS, State.ENDED) and self.ring.total == 0

    async def run(self) -> None:
        """See the class. Raises nothing but what cancels it."""
        clock = asyncio.get_running_loop().time
        tries = 0
        while True:
            began = clock()
            try:
                await self._read_on()
            except SourceError as error:
                if error.kind in _CERTAIN:
                    self.standing = Standing(State.FAILED, error.what, error.remedy)
                    return
                trouble = error
            else:
                if not self.wanted.follow:
                    self.standing = Standing(State.ENDED)
                    return
                trouble = SourceError(
                    FailureKind.UNREACHABLE, f"{self.host}: what follows the log has ended", "it is begun anew"
                )
            if not self.wanted.follow:
                self.standing = Standing(State.FAILED, trouble.what, trouble.remedy)
                return
            if self.standing.state is State.FOLLOWS:
                self._lost = True
                if clock() - began > STEADY_S:
                    tries = 0
            pause = RETRY_S[min(tries, len(RETRY_S) - 1)]
            self.standing = Standing(State.LOST, trouble.what, trouble.remedy, pause)
            await self._sleep(pause)
            tries += 1

    # -- inside ---------------------------------------------------------------------------------

    async def _read_on(self) -> None:
        if isinstance(self.target, MachineLog):
            await self._read_machine(self.target)
        else:
            await self._read_service(self.target)

    async def _read_machine(self, target: MachineLog) -> None:
        self.host = target.host
        if not self._cursor:
            await self._history(target)
        if not self.wanted.follow:
            return
        intake = Intake(journal_entry, self._take, at_once=HISTORY)
        await self._shell.log_in(target.host, deadline_s=BEGIN_S)
        self._follows()
        argv = follow_argv(target, self.wanted, self._cursor)
        status = await self._stream(target.host, argv, intake)
        if status:
            raise refusal(target, status, intake.stderr)

    async def _history(self, target: MachineLog) -> None:
        if not self._lost:
            self.standing = Standing(State.READS)
        argv = history_argv(target, self.wanted, HISTORY + 1)
        done = await self._shell.run(target.host, argv, deadline_s=HISTORY_S, limit_bytes=HISTORY_BYTES)
        entries = await asyncio.to_thread(_entries, done.stdout)
        self.note = partly(done.stderr)
        if done.exit_status != 0 and not entries:
            raise refusal(target, done.exit_status, done.stderr)
        self.more = len(entries) > HISTORY
        for entry in entries[-HISTORY:]:
            self._take(entry.lines, entry.cursor)
        if not entries and target.unit not in ("", KERNEL):
            await self._know_unit(target)

    async def _know_unit(self, target: MachineLog) -> None:
        """Nothing was printed by a unit: is there such a one at all?"""
        done = await self._shell.run(target.host, unit_state_argv(target.unit), deadline_s=BEGIN_S)
        if done.stdout.strip() == b"not-found":
            raise SourceError(
                FailureKind.BAD_ANSWER,
                f"{target.host} has no unit {target.unit}",
                "u shows the units to choose from; on the machine: systemctl list-units",
            )

    async def _read_service(self, target: ServiceLog) -> None:
        if not self._managers:
            raise SourceError(
                FailureKind.CONFIG,
                "no manager of the Swarm is known to log in to",
                "name them in the config: swarm.hosts",
            )
        last: SourceError | None = None
        for host, docker in self._managers:
            self.host = host
            intake = Intake(service_entry, self._take_new, at_once=HISTORY)
            argv = service_argv(target, self.wanted, docker, self._cursor, HISTORY)
            settled: asyncio.TimerHandle | None = None
            try:
                await self._shell.log_in(host, deadline_s=BEGIN_S)
                if not self._lost:
                    self.standing = Standing(State.READS)
                # Docker does not say where what there was ends and what comes begins.
                settled = asyncio.get_running_loop().call_later(SETTLED_S, self._follows)
                status = await self._stream(host, argv, intake)
                if status == 0:
                    return
                error = refusal(target, status, intake.stderr)
            except SourceError as failed:
                error = failed
            finally:
                if settled is not None:
                    settled.cancel()
            last = error
            if not elsewhere(error) or self.standing.state is State.FOLLOWS:
                break
        assert last is not None
        raise last

    async def _stream(self, host: str, argv: Sequence[str], intake: Intake) -> int | None:
        try:
            return await self._shell.stream(host, argv, intake.hear, begin_s=BEGIN_S, leash=True)
        finally:
            intake.end()

    def _follows(self) -> None:
        """It is read as it comes from here on. After a loss that is said among the lines, too."""
        if not self.wanted.follow:
            return
        if self._lost:
            self._lost = False
            self.ring.add([marker("the connection was lost; from here on it goes on where it stopped")])
        self.standing = Standing(State.FOLLOWS)

    def _take(self, lines: Sequence[LogLine], cursor: str) -> None:
        self.ring.add(lines)
        self._cursor = cursor or self._cursor

    def _take_new(self, lines: Sequence[LogLine], cursor: str) -> None:
        """Docker is asked from a time on, not after a line: those that come again are known."""
        fresh: list[LogLine] = []
        for line in lines:
            mark = hash(line)
            if line.at is not None:
                if mark in self._known:
                    continue
                if len(self._seen) == KNOWN:
                    self._known.discard(self._seen[0])
                self._seen.append(mark)
                self._known.add(mark)
            fresh.append(line)
        self.ring.add(fresh)
        # Nodes' lines come in no order of time.
        self._cursor = max(self._cursor, cursor)


def _entries(out: bytes) -> list[Decoded]:
    """A journal's entries, the oldest first."""
    found = [entry for raw in out.split(b"\n") if (entry := journal_entry(raw)) is not None]
    found.reverse()
    return found
