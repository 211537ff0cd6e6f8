"""The time, as polling needs it: a protocol, so that tests can pass a day in no time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What polling asks of a clock."""

    def now(self) -> datetime:
        """The present, timezone-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds from some fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass; nothing below 0."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds, from the system's monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        await asyncio.sleep(max(0.0, seconds))


async def wait_for_event(event: asyncio.Event, seconds: float, clock: Clock) -> bool:
    """Wait until the event is set or so much time has passed; whether it is set."""
    if event.is_set() or seconds <= 0:
        await asyncio.sleep(0)
        return event.is_set()
    ringing = asyncio.ensure_future(event.wait())
    passing = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({ringing, passing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ringing.cancel()
        passing.cancel()
    return event.is_set()
