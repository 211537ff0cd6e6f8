"""Commands, on machines over SSH and on the bastion: the same script runs them, and tells how they ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from farmtui.farm.reading import FailureKind
from farmtui.runbooks.planned import LocalCall, SshCall
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Said, Tell, Told
from farmtui.runbooks.steps.script import END, LIMIT_BYTES, Mode, shell_argv, wrapped
from farmtui.sources.errors import SourceError
from farmtui.sources.ssh.pool import Hear, hear_both

BEGIN_S: Final = 30.0
"""Logging in, and the script's first word."""
RETRY_S: Final = (0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to reach a machine again; the last for all that follow."""
GIVE_UP_S: Final = 60.0
"""How long a machine that cannot be reached is asked what became of a command."""
LOGIN_S: Final = 15.0
"""How long a machine is tried on which nothing was begun."""
_MARK: Final = f"\n{END} ".encode()
"""How the script's last word begins: what may be it is held back until it is known."""


LONGEST_LINE: Final = 16_384
"""Bytes of a line that are waited for."""
_CERTAIN: Final = frozenset({FailureKind.CONFIG, FailureKind.FORBIDDEN, FailureKind.HOST_KEY})
"""Failures to log in that trying again does not mend."""


class Shell(Protocol):
    """The part of the SSH pool that runs commands."""

    def log_in(self, host: str, *, deadline_s: float) -> Awaitable[None]:
        """See `SshPool.log_in`."""
        ...

    def stream(self, host: str, argv: Sequence[str], tell: Hear, *, begin_s: float) -> Awaitable[int | None]:
        """See `SshPool.stream`."""
        ...


class Follower:
    """Writes down what comes of a command, line by line, and knows the script's last word from it.

    Whole lines only: a secret that comes in two pieces would be known in neither.
    """

    def __init__(self, effect: Effect, tell: Tell) -> None:
        self._tell = tell
        self._mark = re.compile(rf"\n{END} {re.escape(effect.key)} ([^\n]*)\n$".encode())
        self._ends = {"out": effect.read[0], "err": effect.read[1]}
        self._held = {"out": b"", "err": b""}
        self._lock = asyncio.Lock()

    @property
    def read(self) -> tuple[int, int]:
        """Bytes of both streams that are written down."""
        return self._ends["out"], self._ends["err"]

    async def hear(self, stream: str, part: bytes) -> None:
        """Take the next bytes."""
        async with self._lock:
            held = self._held[stream] + part
            # What may be the script's last word waits too: it begins with the end of whatever line there was.
            safe = _safe(held) if stream == "err" else len(held)
            cut = safe if safe < len(held) else held.rfind(b"\n") + 1
            if not cut and len(held) > LONGEST_LINE:
                cut = len(held) - LONGEST_LINE // 2
            self._held[stream] = held[cut:]
            await self._write(stream, held[:cut])

    async def last_word(self) -> str:
        """How the script says that it stands; empty when it did not come to say it."""
        out, err = self._held["out"], self._held["err"]
        self._held = {"out": b"", "err": b""}
        found = self._mark.search(err)
        if found is None:
            # What is held is asked for again, from the place that is written down.
            return ""
        await self._write("out", out)
        await self._write("err", err[: found.start()])
        return found[1].decode("utf-8", "replace")

    async def _write(self, stream: str, part: bytes) -> None:
        if part:
            self._ends[stream] += len(part)
            await self._tell(Said(stream, part.decode("utf-8", "replace"), self._ends[stream]))


def _safe(data: bytes) -> int:
    """How many bytes cannot be of the script's last word."""
    found = data.rfind(_MARK)
    if found >= 0:
        return found
    return next((len(data) - n for n in range(len(_MARK) - 1, 0, -1) if data.endswith(_MARK[:n])), len(data))


class Commands:
    """Steps of kind ssh and local."""

    def __init__(
        self,
        shell: Shell,
        *,
        machine: str = "",
        patience_s: float = GIVE_UP_S,
        login_s: float = LOGIN_S,
        limit_bytes: int = LIMIT_BYTES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shell = shell
        self._machine = machine or socket.gethostname()
        self._patience_s = patience_s
        self._login_s = login_s
        self._limit = limit_bytes
        self._sleep = sleep

    async def perform(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.perform`."""
        return await self._follow("start", effect, tell)

    async def recover(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.recover`."""
        return self._elsewhere(effect) or await self._follow("attach", effect, tell)

    async def stop(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.stop`."""
        return self._elsewhere(effect) or await self._follow("stop", effect, tell)

    def _elsewhere(self, effect: Effect) -> Lost | None:
        if isinstance(effect.call, LocalCall) and effect.machine != self._machine:
            return Lost(f"it ran on {effect.machine}, and this is {self._machine}")
        return None

    async def _follow(self, mode: Mode, effect: Effect, tell: Tell) -> Told:
        """Until the script has said how it stands; a lost connection is opened again, to follow on."""
        follower = Follower(effect, tell)
        clock = asyncio.get_running_loop().time
        tries, began, reached = 0, clock(), mode != "start"
        while True:
            before = follower.read
            trouble = "the machine ended the connection"
            try:
                if isinstance(effect.call, SshCall):
                    await self._shell.log_in(effect.part, deadline_s=BEGIN_S)
                reached = True
                await self._call(mode, effect, follower)
            except SourceError as error:
                trouble = f"{error.what}; {error.remedy}"
                if not reached and (error.kind in _CERTAIN or clock() - began > self._login_s):
                    return Done(Outcome.FAILED, why=f"it was not begun: {trouble}")
            word = await follower.last_word()
            if word:
                return _told(word, mode)
            if follower.read != before:
                tries, began = 0, clock()
            if clock() - began > self._patience_s:
                return Lost(f"{trouble}; what became of it is not known")
            await self._sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    async def _call(self, mode: Mode, effect: Effect, follower: Follower) -> None:
        call = effect.call
        assert isinstance(call, SshCall | LocalCall)
        if isinstance(call, LocalCall):
            argv = wrapped(mode, effect.key, call.argv, read=follower.read, limit=self._limit)
            await _local(argv, follower.hear)
            return
        words = call.argv or shell_argv(call.shell)
        argv = wrapped(mode, effect.key, words, read=follower.read, sudo=call.sudo, long=call.long, limit=self._limit)
        await self._shell.stream(effect.part, argv, follower.hear, begin_s=BEGIN_S)


def _told(word: str, mode: Mode) -> Told:
    """The script's last word as what became of the command."""
    kind, _, rest = word.partition(" ")
    match kind:
        case "code" if rest.isdigit():
            code = int(rest)
            if mode == "stop":
                return Done(Outcome.CANCELLED, code, f"stopped: it ended with {code}")
            return Done(Outcome.OK if code == 0 else Outcome.FAILED, code, f"it ended with {code}")
        case "absent":
            return Done(Outcome.ABSENT, why="it was not begun, and will not be")
        case "refused":
            return Done(Outcome.FAILED, why=f"it was not begun: {rest}")
    return Lost(rest or word)


async def _local(argv: Sequence[str], hear: Hear) -> None:
    """Run the script here. It may be left alone at any time: the command is not its child's business."""
    try:
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        words = f"{argv[0]} cannot be started: {error.strerror}"
        raise SourceError(FailureKind.CONFIG, words, "look at the bastion") from None
    assert child.stdout is not None
    assert child.stderr is not None
    try:
        await hear_both(child.stdout, child.stderr, hear)
        await child.wait()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
