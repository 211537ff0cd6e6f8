"""The runner's wrapper as a simulated machine takes it: work that is begun once, outlives its connection, and is found.

The console's runner has `sh -c SCRIPT farmtui-step MODE KEY LIMIT OUT ERR SUDO LONG GRACE ARGV...` run. The script is
not looked at here: what it would do is done by `handle_wrapped`. MODE is `start`, `attach` or `stop`; KEY names the
attempt; LIMIT is how much is kept of each stream (bytes), OUT and ERR how much of them is known already; SUDO and LONG
are 0 or 1. At its end a line among the errors says how it stands:

    farmtui-end KEY code N | lost WHY | absent | refused WHY
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from farmtui.demo.ssh.call import Call, MachineGoneError, Place

MARK = "farmtui-step"
"""Where it stands among the words: `sh -c SCRIPT farmtui-step ...`."""
END = "farmtui-end"
TERMINATED = 143
_PLACE, _OPTIONS = 3, 8

Run = Callable[[Call, Sequence[str]], Awaitable[int]]
Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What the wrapper was told."""

    mode: str
    key: str
    limit: int
    from_out: int
    from_err: int
    sudo: bool
    argv: Sequence[str]

    @classmethod
    def of(cls, words: Sequence[str]) -> Self | None:
        """What a command line tells the wrapper; None where it is no such command line."""
        if len(words) <= _PLACE + _OPTIONS or words[0] != "sh" or words[1] != "-c" or words[_PLACE] != MARK:
            return None
        mode, key, *numbers = words[_PLACE + 1 : _PLACE + 1 + _OPTIONS]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            return None
        limit, from_out, from_err, sudo, _long, _grace = map(int, numbers)
        return cls(mode, key, limit, from_out, from_err, sudo == 1, words[_PLACE + 1 + _OPTIONS :])


@dataclass(slots=True)
class Attempt:
    """One command that was begun, or that never will be (`void`)."""

    boot: str
    void: bool = False
    code: int | None = None
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    task: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """Wake those who follow it."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def news(self) -> None:
        """Wait until there is something new."""
        await self._news.wait()


@dataclass(slots=True)
class Attempts:
    """All that the runner has begun on one machine."""

    place: Place
    run: Run
    known: dict[str, Attempt] = field(default_factory=dict)

    def close(self) -> None:
        """End what still runs."""
        for attempt in self.known.values():
            if attempt.task is not None:
                attempt.task.cancel()


async def handle_wrapped(attempts: Attempts, told: Wrapped, out: Write, err: Write) -> None:
    """Begin an attempt, follow it to its end, or end it, and print what there is of it; the wrapper itself ends with 0.

    What was begun under a key once is never begun again, on whatever connection it is asked for. Raises
    MachineGoneError where the machine goes down.
    """

    def end(how: str) -> None:
        err(f"\n{END} {told.key} {how}\n".encode())

    boot = await attempts.place.boot_id()
    attempt = attempts.known.get(told.key)
    if attempt is None:
        attempt = attempts.known[told.key] = Attempt(boot, void=told.mode != "start")
        if not attempt.void:
            attempt.task = asyncio.ensure_future(_work(attempts, attempt, told))
    if attempt.void:
        return end("absent")
    if told.mode == "stop" and attempt.code is None and attempt.task is not None:
        attempt.task.cancel()
    seen_out, seen_err = told.from_out, told.from_err
    while True:
        out(bytes(attempt.out[seen_out:]))
        err(bytes(attempt.err[seen_err:]))
        seen_out, seen_err = max(seen_out, len(attempt.out)), max(seen_err, len(attempt.err))
        if attempt.code is not None:
            return end(f"code {attempt.code}")
        if not attempts.place.lives:
            raise MachineGoneError(attempts.place.machine)
        if attempt.boot != boot or (attempt.task is not None and attempt.task.done()):
            return end("lost the machine was started anew meanwhile")
        await attempt.news()


async def _work(attempts: Attempts, attempt: Attempt, told: Wrapped) -> None:
    def keep(stream: bytearray) -> Callable[[str], None]:
        def write(text: str) -> None:
            stream.extend(text.encode()[: max(0, told.limit - len(stream))])
            attempt.tell()

        return write

    words = ["sudo", "-n", "--", *told.argv] if told.sudo else told.argv
    try:
        attempt.code = await attempts.run(Call(attempts.place, keep(attempt.out), keep(attempt.err)), words)
    except asyncio.CancelledError:
        attempt.code = TERMINATED
    except MachineGoneError:
        # Nobody is left who could write down how it ended.
        attempt.boot = "gone"
    finally:
        attempt.tell()
