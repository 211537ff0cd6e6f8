"""Bytes as they come become lines, so many a second at most: a flood is left out in part, and that is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from farmtui.farm.units import plural
from farmtui.tail.decode import Decoded
from farmtui.tail.line import LogLine, marker

TICK_S: Final = 0.1
TICK_LINES: Final = 400
"""Lines that are read in a tick: more are counted and left out."""
TICK_BYTES: Final = 1_000_000
"""Bytes that are taken in a tick: more wait at the machine."""
LONGEST: Final = 64_000
"""Bytes of a line that are waited for."""
STDERR_MAX: Final = 4_000


class Intake:
    """Takes what a command prints. One for each time that it is run."""

    def __init__(
        self,
        decode: Callable[[bytes], Decoded | None],
        take: Callable[[Sequence[LogLine], str], None],
        *,
        at_once: int = 0,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`take` gets lines, and the cursor of the last of them (empty: they are markers).

        `at_once` lines are no flood: what there is already comes as fast as it can.
        """
        self._at_once = at_once
        self._decode = decode
        self._take = take
        self._clock = clock or asyncio.get_running_loop().time
        self._sleep = sleep
        self._held = b""
        self._overlong = False
        self._began = self._clock()
        self._lines = self._bytes = self._left_out = 0
        self._said: asyncio.TimerHandle | None = None
        self.stderr = ""

    async def hear(self, stream: str, part: bytes) -> None:
        """Take the next bytes; returns when more may come."""
        if stream == "err":
            self.stderr = (self.stderr + part.decode("utf-8", "replace"))[:STDERR_MAX]
            return
        if self._bytes > TICK_BYTES:
            await self._sleep(max(0.0, self._began + TICK_S - self._clock()))
        now = self._clock()
        if now - self._began >= TICK_S:
            self._tell_left_out()
            self._began, self._lines, self._bytes = now, 0, 0
        self._bytes += len(part)
        self._split(part)
        # What has come already is read without waiting: others must get their turn between.
        await asyncio.sleep(0)

    def end(self) -> None:
        """Nothing more comes."""
        held, self._held = self._held, b""
        if held and not self._overlong:
            self._read([held])
        self._tell_left_out()

    def _split(self, part: bytes) -> None:
        *whole, rest = (self._held + part).split(b"\n")
        if self._overlong and whole:
            self._overlong = False
            whole = whole[1:]
        if self._overlong:
            rest = b""
        elif len(rest) > LONGEST:
            self._overlong = True
            self._take([marker(f"a line of more than {LONGEST // 1_000} kB left out")], "")
            rest = b""
        self._held = rest
        free = min(self._at_once, len(whole))
        self._at_once -= free
        room = free + max(0, TICK_LINES - self._lines)
        self._lines += len(whole) - free
        if whole[:room]:
            self._read(whole[:room])
        if len(whole) > room:
            self._left_out += len(whole) - room
            self._say_soon()

    def _read(self, raws: Sequence[bytes]) -> None:
        lines: list[LogLine] = []
        cursor = ""
        for raw in raws:
            found = self._decode(raw) if raw else None
            if found is not None:
                lines += found.lines
                cursor = found.cursor or cursor
        if lines:
            self._take(lines, cursor)

    def _say_soon(self) -> None:
        if self._said is None:
            self._said = asyncio.get_running_loop().call_later(TICK_S, self._tell_left_out)

    def _tell_left_out(self) -> None:
        if self._said is not None:
            self._said.cancel()
            self._said = None
        if self._left_out:
            count, self._left_out = self._left_out, 0
            rate = round(TICK_LINES / TICK_S)
            self._take([marker(f"{plural(count, 'line')} left out: they come faster than {rate:,} a second")], "")
