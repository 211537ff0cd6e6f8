"""One coordinator per source: it polls, keeps the last good value, backs off, and lets no source's fault out."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.units import age
from farmtui.polling.backoff import REFUSED, jittered, plain_delay_s
from farmtui.polling.clock import Clock, SystemClock, wait_for_event
from farmtui.polling.mistakes import place_of, trace_of
from farmtui.polling.report import Report
from farmtui.secrets import redact
from farmtui.sources import Source

log = logging.getLogger("farmtui.polling")

START_SPREAD_S: Final = 0.05
"""First polls are spread over so much time: enough that they do not all connect at once, too little to notice."""
REFRESH_GAP_S: Final = 1.0
"""However often somebody asks for a refresh, a source is not asked more often than this."""
GUARD_S, GUARD_INTERVALS = 90.0, 4.0
"""A poll that has not ended by then never will: sources give up by themselves long before."""
GRACE_S: Final = 5.0
"""What a cancelled poll gets to end in, before it is left to itself."""
SAYS_SO_FROM_S: Final = 60.0
"""A back-off this long is said in the failure's words."""


class Coordinator:
    """Polls one source until cancelled. `changed` is called after each poll, from the loop."""

    def __init__(
        self,
        source: Source[Any],
        changed: Callable[[], None],
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` gives numbers of 0-1, for jitter."""
        self.source = source
        self._changed = changed
        self._clock = clock or SystemClock()
        self._chance = chance
        self._wake = asyncio.Event()
        self._stuck: asyncio.Task[Any] | None = None
        self._asked_at = float("-inf")
        self._armed_at = float("-inf")
        self._not_before = float("-inf")
        self.guard_s = max(GUARD_S, GUARD_INTERVALS * source.interval_s)
        self.report = Report(source.name, source.kind, source.endpoint, source.interval_s)

    async def run(self) -> None:
        """Poll for ever; the next poll is armed when the last has ended."""
        await self._clock.sleep(self._chance() * min(START_SPREAD_S, self.source.interval_s / 10))
        while True:
            await self.poll()
            await self._pause()

    def refresh(self) -> None:
        """Ask again soon: at once if it was not asked just now, and never before a time that the server asked for."""
        self._wake.set()

    async def _pause(self) -> None:
        """Until the next poll is due, or a refresh makes it due earlier."""
        due = self._armed_at
        while (left_s := due - self._clock.monotonic()) > 0:
            if await wait_for_event(self._wake, left_s, self._clock):
                self._wake.clear()
                due = min(due, max(self._asked_at + REFRESH_GAP_S, self._not_before))

    async def poll(self) -> None:
        """Ask once, and note what came of it. Never raises; a source that misbehaves is reported as a bug of ours."""
        self._wake.clear()
        self._asked_at = self._clock.monotonic()
        attempted_at = self._clock.now()
        reading = await self._reading()
        ended = self._clock.monotonic()
        before = self.report
        failing = reading.failure is not None
        in_a_row = before.failures_in_a_row + 1 if failing else 0
        partial = reading.value is not None
        delay_s = plain_delay_s(self.source.interval_s, reading.failure, in_a_row, partial=partial)
        failure = _with_patience(reading.failure, delay_s) if not partial else reading.failure
        delay_s = jittered(delay_s, failure, self._chance())
        self._armed_at = ended + delay_s
        asked_for = failure.retry_after_s if failure else None
        self._not_before = ended + asked_for if asked_for else float("-inf")
        if partial:
            before = replace(before, value=reading.value, taken_at=reading.taken_at, warnings=reading.warnings)
            attempted_at = reading.taken_at
        self.report = replace(
            before,
            attempted_at=attempted_at,
            next_at=self._clock.now() + timedelta(seconds=delay_s),
            duration_s=reading.duration_s,
            failure=failure,
            failures_in_a_row=in_a_row,
            requests=reading.requests,
            polls=before.polls + 1,
        )
        self._log(before.failure, failure)
        self._changed()

    def _log(self, before: Failure | None, after: Failure | None) -> None:
        """An outage is one line at its beginning and one at its end."""
        if after is not None and before is None:
            log.warning("%s; %s", redact(after.what), redact(after.remedy))
        elif after is None and before is not None:
            log.info("%s answers again", self.source.name)

    # -- the guard ------------------------------------------------------------------------------

    async def _reading(self) -> Reading[Any]:
        started = self._clock.monotonic()
        failure: Failure | None = None
        if self._stuck is not None and not self._stuck.done():
            failure = self._bug("a poll of it still has not ended, and cannot be cancelled")
        else:
            self._stuck = None
            found = await self._guarded()
            if isinstance(found, Failure):
                failure = found
            elif not isinstance(found, Reading) or found.taken_at.tzinfo is None:
                failure = self._bug(f"it gave {type(found).__name__} where a reading with a time is due")
            elif found.value is None and found.failure is None:
                failure = self._bug("it gave neither a value nor a failure")
            else:
                return found
        return Reading(None, self._clock.now(), self._clock.monotonic() - started, failure)

    async def _guarded(self) -> object:
        """The source's answer, or a Failure in its place; within the guard's time, whatever the source does."""
        task = asyncio.ensure_future(self._call())
        try:
            if not await self._ends_within(task, self.guard_s):
                task.cancel()
                if not await self._ends_within(task, GRACE_S):
                    self._abandon(task)
                return self._bug(f"its poll did not end within {age(self.guard_s)}")
        except asyncio.CancelledError:
            task.cancel()
            self._abandon(task)
            raise
        if task.cancelled():
            return self._bug("its poll cancelled itself")
        error = task.exception()
        return task.result() if error is None else self._bug(place_of(error), error)

    async def _call(self) -> object:
        return await self.source.poll()

    async def _ends_within(self, task: asyncio.Task[Any], seconds: float) -> bool:
        passing = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({task, passing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            passing.cancel()
        return task.done()

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        self._stuck = task
        task.add_done_callback(_forget)

    def _bug(self, what: str, error: BaseException | None = None) -> Failure:
        if error is not None and self.report.failure is None:
            log.error("%s: its poll raised, which no source may:\n%s", self.source.name, trace_of(error))
        return Failure(
            FailureKind.BAD_ANSWER,
            redact(f"{self.source.name}: a bug of farmtui, not of the source: {what}"),
            "report it, with the log; the other sources go on, and this one is tried again",
        )


def _forget(task: asyncio.Task[Any]) -> None:
    """Take an abandoned task's exception, so that nobody is told of it when the process ends."""
    if not task.cancelled():
        task.exception()


def _with_patience(failure: Failure | None, delay_s: float) -> Failure | None:
    """A failure after which nothing is asked for a while says so."""
    if failure is None or delay_s < SAYS_SO_FROM_S or (failure.kind not in REFUSED and not failure.retry_after_s):
        return failure
    return replace(failure, remedy=f"{failure.remedy}; it is asked again in about {age(delay_s)}")
