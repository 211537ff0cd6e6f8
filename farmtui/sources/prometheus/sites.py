"""The poll of the sites, one by one: a few queries for all of them, at a pace of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Final

from farmtui.config import PrometheusConfig, SloConfig
from farmtui.farm.reading import Failure, Reading
from farmtui.farm.sites import SiteBook
from farmtui.sources.prometheus.catalogue import Figure, catalogue
from farmtui.sources.prometheus.client import Api, PrometheusClient, Round
from farmtui.sources.prometheus.figures import Answer
from farmtui.sources.prometheus.site_rows import site_book
from farmtui.sources.prometheus.source import now
from farmtui.sources.threads import CallPool

BUDGET_EVERY: Final = 10
"""Error budgets read weeks of samples, and change slowly: they are asked at each so manieth poll."""
BUDGET_DEADLINE_S: Final = 30.0
BUDGET_PATIENCE_S: Final = 3.0
"""So long a poll waits for the budgets; what comes later is in the next one."""

_BASE: Final = ("site.requests_per_s", "site.cache_requests_per_s")
"""Without these there are no rows."""
_THREADS: Final = 3
"""Few: answers of megabytes are decoded in them."""


class PrometheusSites:
    """The source `prometheus sites`. See `farmtui.sources.Source`."""

    name = "prometheus sites"
    kind = "prometheus"

    def __init__(
        self, config: PrometheusConfig, slo: SloConfig | None = None, *, clock: Callable[[], datetime] = now
    ) -> None:
        """Raises ConfigError where the config overrides a figure that there is not, SecretError for a bad reference."""
        self.endpoint = config.url
        self.interval_s = config.sites_interval_s
        self._slo = slo or SloConfig()
        deadline_s = max(config.deadline_s, BUDGET_DEADLINE_S)
        self._config = config.model_copy(
            update={"pool_size": min(_THREADS, config.pool_size), "deadline_s": deadline_s}
        )
        self._clock = clock
        known = catalogue().with_overrides(config.queries).over(self._slo.window_days)
        self._each = known.at_pace("sites")
        self._budgets = known.at_pace("budget")
        self._client = PrometheusClient(self._config, source=self.name)
        self._work = CallPool(1, "farmtui prometheus sites")
        self._spent: Mapping[str, Answer] = MappingProxyType({})
        self._asking: asyncio.Task[None] | None = None
        self._polls = 0

    async def poll(self) -> Reading[SiteBook]:
        """Ask for every figure. One that could not be had is said in the book; without requests there is no book."""
        started, at, sent = time.monotonic(), self._clock(), self._client.sent
        value: SiteBook | None
        try:
            value, failure, warnings = await self._cycle()
        except Exception as error:  # noqa: BLE001 - a source never raises: what went wrong is its answer
            value, failure, warnings = None, self._client.failure(error), ()
        return Reading(value, at, time.monotonic() - started, failure, warnings, self._client.sent - sent)

    async def _cycle(self) -> tuple[SiteBook | None, Failure | None, tuple[str, ...]]:
        made = await self._client.round(self._each, _ask_one, self._config.deadline_s)
        answers = self._answers(made)
        base = [answer for name in _BASE if (answer := answers.get(name)) is not None]
        if self._each and not any(not answer.failed for answer in base):
            failure = made.stopped or next(iter(made.failures.values()), None) or self._client.failure(TimeoutError())
            return None, failure, made.warnings
        if self._polls % BUDGET_EVERY == 0 and self._asking is None and made.stopped is None:
            self._asking = asyncio.ensure_future(self._ask_budgets())
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=BUDGET_PATIENCE_S)
        self._polls += 1
        everything = {**answers, **self._spent}
        target, window_s = self._slo.target, self._slo.window_days * 86_400.0
        # For 50,000 sites this is long work: in a thread, so that no keystroke waits for it.
        book = await self._work.run(
            lambda: site_book(everything, target=target, window_s=window_s), self._config.deadline_s
        )
        return book, made.stopped, made.warnings

    async def _ask_budgets(self) -> None:
        """Ask for what reads weeks; what could not be had is known as of before, for as long as it is asked again."""
        try:
            made = await self._client.round(self._budgets, _ask_one, self._config.deadline_s)
            answers = self._answers(made)
            before = self._spent
            self._spent = MappingProxyType(
                {
                    name: Answer(before[name].values, answer.problem) if answer.failed and name in before else answer
                    for name, answer in answers.items()
                }
            )
        finally:
            self._asking = None

    def _answers(self, made: Round[Answer]) -> dict[str, Answer]:
        """What was had, and for what was asked in vain why."""
        found: dict[str, Answer] = dict(made.answers)
        for name, failure in made.failures.items():
            found[name] = Answer(problem=f"{failure.what}; {failure.remedy}", failed=True)
        for name in made.unanswered:
            found[name] = Answer(problem=(made.stopped or self._client.failure(TimeoutError())).what, failed=True)
        return found

    async def close(self) -> None:
        """Let go of connections and threads; may be called more than once."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        self._client.close()
        self._work.close()


def _ask_one(api: Api, figure: Figure) -> Answer:
    found = api.instant(figure.promql, figure.labels)
    return Answer(found.values, found.problem)
