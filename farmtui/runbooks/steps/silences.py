"""Silences: each names its attempt in its comment, and so is found again, and never made twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from farmtui.farm.alerts import AlertBook, Matcher
from farmtui.farm.matchers import parse_matchers
from farmtui.farm.reading import Reading
from farmtui.runbooks.planned import SilenceCall
from farmtui.runbooks.state import Outcome
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Tell, Told
from farmtui.sources.alertmanager import UnknownOutcomeError
from farmtui.sources.failures import failure_of

TRIES: Final = 5
PAUSE_S: Final = 3.0


class Source(Protocol):
    """The part of the Alertmanager source that is needed."""

    def poll(self) -> Awaitable[Reading[AlertBook]]:
        """See `AlertmanagerSource.poll`."""
        ...

    def create_silence(
        self, matchers: Sequence[Matcher], starts_at: datetime, ends_at: datetime, created_by: str, comment: str
    ) -> Awaitable[str]:
        """See `AlertmanagerSource.create_silence`."""
        ...


class Silences:
    """Steps of kind silence."""

    def __init__(
        self,
        source: Source | None,
        user: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`source` is None where no Alertmanager is configured."""
        self._source = source
        self._user = user
        self._sleep = sleep

    async def perform(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.perform`."""
        call = effect.call
        assert isinstance(call, SilenceCall)
        if self._source is None:
            return Done(Outcome.FAILED, why="there is no Alertmanager in the config")
        try:
            matchers = [matcher for text in call.matchers for matcher in parse_matchers(text)]
        except ValueError as error:
            return Done(Outcome.FAILED, why=str(error))
        now = datetime.now(UTC)
        end = now + timedelta(seconds=call.duration_s)
        try:
            ident = await self._source.create_silence(matchers, now, end, self._user, _comment(call, effect))
        except UnknownOutcomeError:
            return await self.recover(effect, tell)
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            failure = failure_of(error, source="alertmanager")
            return Done(Outcome.FAILED, why=f"the silence was not made: {failure.what}; {failure.remedy}")
        return Done(Outcome.OK, why=f"silence {ident}, until {end:%H:%M} UTC")

    async def recover(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.recover`."""
        if self._source is None:
            return Lost("there is no Alertmanager in the config any more")
        for _ in range(TRIES):
            reading = await self._source.poll()
            if reading.value is not None:
                mine = [silence for silence in reading.value.silences if effect.key in silence.comment]
                if mine:
                    return Done(Outcome.OK, why=f"silence {mine[0].id}")
                if all(replica.up for replica in reading.value.replicas):
                    return Done(Outcome.ABSENT, why="no Alertmanager holds such a silence")
            await self._sleep(PAUSE_S)
        return Lost("not every Alertmanager says whether it holds the silence")

    async def stop(self, effect: Effect, tell: Tell) -> Told:
        """See `Performer.stop`. It is made in a moment, or is not: there is nothing to stop."""
        return await self.recover(effect, tell)


def _comment(call: SilenceCall, effect: Effect) -> str:
    return f"{call.comment} [run {effect.key}]"
