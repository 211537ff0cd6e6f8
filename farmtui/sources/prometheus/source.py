"""The poll of all figures, targets and rules: the source that the console's picture of the farm stands on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from farmtui.config import PrometheusConfig, SloConfig
from farmtui.farm.alerts import Rule, Target
from farmtui.farm.farm import PrometheusView
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.sources.http import HttpClient
from farmtui.sources.prometheus import explain
from farmtui.sources.prometheus.batches import Asked, Batch, ask, batched, fitting, joined, spread
from farmtui.sources.prometheus.catalogue import Catalogue, Figure, catalogue
from farmtui.sources.prometheus.client import Api, PrometheusClient, Round
from farmtui.sources.prometheus.figures import SLOW_EVERY, Answer, Figures, learn
from farmtui.sources.prometheus.hosts import Evidence, Machine, evidence, machines
from farmtui.sources.prometheus.rules import RULES, TARGETS, Part
from farmtui.sources.prometheus.view import view
from farmtui.sources.threads import CallPool

PROBE: Final = "up"
"""The figure that is asked alone while it is not known whether the server answers at all."""

TIME: Final = "time"
"""The figure that is the server's own clock."""
APART_POLLS: Final = 60
"""For how many polls a figure is asked alone after a batch with it was refused, or came too late."""

CLOCK_STEP_S: Final = 5.0
"""Clocks that differ by less are taken for the same."""

_WARNINGS_LIMIT: Final = 12


@dataclass(frozen=True, slots=True)
class _Beside:
    """What comes from the API's other parts; it changes slowly."""

    targets: tuple[Target, ...] = ()
    probed: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known after a poll."""

    figures: Figures = field(default_factory=Figures)
    evidence: Evidence | None = None
    machines: tuple[Machine, ...] = ()
    clock_ahead_s: float | None = None


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class PrometheusSource:
    """The source `prometheus`. See `farmtui.sources.Source`."""

    name = "prometheus"
    kind = "prometheus"

    def __init__(
        self,
        config: PrometheusConfig,
        slo: SloConfig | None = None,
        *,
        probes: Iterable[str] = (),
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`probes`: jobs that measure networks beside those that are called so.

        Raises ConfigError where the config overrides a figure that there is not, SecretError for a bad reference.
        """
        self.endpoint = config.url
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        days = (slo or SloConfig()).window_days
        self._catalogue: Catalogue = catalogue().with_overrides(config.queries).over(days).probing(probes)
        self._client = PrometheusClient(config, source=self.name)
        self._http = HttpClient(config, connections=2)
        # Not the client's threads: all of those may hang in calls when there is something to compute.
        self._work = CallPool(1, "farmtui prometheus view")
        self._known = _Known()
        self._beside = _Beside()
        self._polls = 0
        self._trusted = False
        """Whether the last poll was answered: then everything is asked at once, with no probe before."""
        self._late: frozenset[str] = frozenset()
        """Figures that had no answer in time: they are asked at the slow pace until they have."""
        self._probe_s = 0.0
        """How long the probe took last."""
        self._apart: dict[str, int] = {}
        """Figures that did a batch no good, with the poll from which on they are in one again."""

    async def poll(self) -> Reading[PrometheusView]:
        """Ask for every figure that is due. A value beside a failure is what was had before the server gave up."""
        started, at, sent = time.monotonic(), self._clock(), self._sent
        try:
            value, failure, warnings = await self._cycle(at, started + self._config.deadline_s)
        except Exception as error:  # noqa: BLE001 - a source never raises: what went wrong is its answer
            value, failure, warnings = None, self._client.failure(error), ()
        self._trusted = failure is None
        return Reading(value, at, time.monotonic() - started, failure, warnings, self._sent - sent)

    @property
    def _sent(self) -> int:
        return self._client.sent + self._http.sent

    async def _cycle(
        self, at: datetime, ends_at: float
    ) -> tuple[PrometheusView | None, Failure | None, tuple[str, ...]]:
        due = self._due()
        rounds: list[Round[Answer]] = []
        if not self._trusted:
            probe = [figure for figure in due if figure.name == PROBE] or due[:1]
            rounds.append(await self._ask(probe, ends_at))
            asked = {figure.name for figure in probe}
            due = [figure for figure in due if figure.name not in asked]
        if not any(made.hopeless for made in rounds):
            aside = self._ask_beside(ends_at) if self._slot == 0 else _nothing()
            had = any(made.answers for made in rounds)
            made, _ = await asyncio.gather(self._ask(due, ends_at, answered=had), aside)
            rounds.append(made)
        failure = _whole_failure(rounds)
        answers = self._answers(rounds)
        if not any(not answer.failed for answer in answers.values()):
            return None, failure or self._client.failure(TimeoutError()), _warnings(rounds)
        self._polls += 1
        known, beside = self._known, self._beside
        # For ten thousand nodes this is long work: in a thread, so that no keystroke waits for it.
        self._known, value = await self._work.run(
            lambda: self._learned(known, answers, at, beside), self._config.deadline_s
        )
        return value, failure, _warnings(rounds)

    def _learned(
        self, known: _Known, answers: Mapping[str, Answer], at: datetime, beside: _Beside
    ) -> tuple[_Known, PrometheusView]:
        figures = learn(known.figures, answers, at, self._catalogue, self.interval_s)
        links = set(figures.instances("probe"))
        found = evidence(figures, beside.targets, beside.probed | links)
        # Which targets are one machine is the costly part, and seldom changes.
        same = known.machines if found == known.evidence else machines(found)
        value = view(figures, same, beside.targets, beside.rules, beside.problems)
        ahead_s = clock_ahead_s(answers.get(TIME), at, self._clock())
        if ahead_s is None:
            ahead_s = known.clock_ahead_s
        return _Known(figures, found, same, ahead_s), replace(value, clock_ahead_s=ahead_s)

    @property
    def _slot(self) -> int:
        return self._polls % SLOW_EVERY

    def _due(self) -> list[Figure]:
        """The figures of this poll: all fast ones, and a quarter of the slow ones (all of them at first)."""
        due = []
        slow = 0
        for figure in self._catalogue.asked:
            if not figure.slow and figure.name not in self._late:
                due.append(figure)
                continue
            if self._polls == 0 or slow % SLOW_EVERY == self._slot:
                due.append(figure)
            slow += 1
        return due

    @property
    def _alone(self) -> frozenset[str]:
        """Figures that are in no batch now: those that did one no good, those of the config, with whose faults no
        other has to do, and the probe, which tells what the server does with a plain query."""
        apart = {name for name, until in self._apart.items() if until > self._polls}
        own = {figure.name for figure in self._catalogue.asked if figure.overridden}
        return frozenset(apart | own | self._late | {PROBE})

    async def _ask(self, figures: list[Figure], ends_at: float, *, answered: bool = False) -> Round[Answer]:
        """Ask for figures, many by one query; what the server does not answer as a batch one by one.

        That is of no use where it answers nothing at all; `answered`: it has answered something in this poll.
        """
        most = fitting(self._probe_s, self._config.deadline_s)
        together = await self._round(batched(figures, self._alone, most), ends_at)
        again = [figure for figure in figures if figure.name in together.refused]
        if not again or not (answered or together.made.answers):
            return together.made
        alone = (await self._round([Batch((figure,)) for figure in again], ends_at)).made
        # Where each is well by itself, what they were together was too much.
        unwell = frozenset(alone.failures) or together.refused
        if alone.answers:
            self._apart |= dict.fromkeys(unwell, self._polls + APART_POLLS)
        return joined(together.made, alone)

    async def _round(self, batches: list[Batch], ends_at: float) -> Asked:
        made = await self._client.round(batches, self._ask_one, max(0.05, ends_at - time.monotonic()))
        return spread(made, batches)

    def _ask_one(self, api: Api, batch: Batch) -> Mapping[str, Answer]:
        began = time.monotonic()
        try:
            return ask(api, batch)
        finally:
            if batch.names == (PROBE,):
                self._probe_s = time.monotonic() - began

    def _answers(self, rounds: list[Round[Answer]]) -> dict[str, Answer]:
        """What was had, and for what was asked in vain why."""
        found: dict[str, Answer] = {}
        late: set[str] = set()
        alone = self._alone
        for made in rounds:
            found.update(made.answers)
            for name, failure in made.failures.items():
                found[name] = Answer(problem=f"{failure.what}; {failure.remedy}", failed=True)
                if failure.kind is FailureKind.TIMEOUT:
                    late.add(name)
            if made.stopped is None:
                for name in made.unanswered:
                    found[name] = Answer(problem=self._client.failure(TimeoutError()).what, failed=True)
                    late.add(name)
        well = {name for name, answer in found.items() if not answer.failed}
        # Of a batch that is late it may be any, or all of them together: it is asked one by one for a while.
        self._apart |= dict.fromkeys(late, self._polls + APART_POLLS)
        # The probe is never put off: without it no poll would know whether the server answers.
        self._late = frozenset((self._late | (late & alone)) - well - {PROBE})
        return found

    async def _ask_beside(self, ends_at: float) -> None:
        """Targets and rules; what cannot be had stays as it was, and a problem says so."""
        left = max(0.05, ends_at - time.monotonic())
        scraped, rules = await asyncio.gather(self._part(TARGETS, left), self._part(RULES, left))
        beside, problems = self._beside, {}
        if isinstance(scraped, tuple):
            targets = tuple([item.target for item in scraped])
            probed = frozenset(item.target.instance for item in scraped if item.probed)
            beside = replace(beside, targets=targets, probed=probed)
        elif scraped:
            problems[TARGETS.name] = scraped
        if isinstance(rules, tuple):
            beside = replace(beside, rules=rules)
        elif rules:
            problems[RULES.name] = rules
        self._beside = replace(beside, problems=problems)

    async def _part(self, part: Part, deadline_s: float) -> tuple[Any, ...] | str:
        """A part of the API that is no query; where it cannot be had why, and an empty text where it is not offered."""
        url = f"{self._config.url}{part.path}"
        try:
            answer = await self._http.json(
                url, params=part.params, list_key=part.list_key, each=part.read_each, deadline_s=deadline_s
            )
            return part.read(answer)
        except Exception as error:  # noqa: BLE001 - one part of the answer; the others stand
            # Mimir has no targets, a VictoriaMetrics alone no rules: that is no fault.
            if getattr(error, "status", 0) in explain.NOT_OFFERED:
                return ""
            failure = self._client.failure(error, part.name)
            return f"{failure.what}; {failure.remedy}"

    async def explain(self) -> tuple[explain.FigureReport, ...]:
        """Try every figure, the targets and the rules, and say of each how it went (`farmtui check`). Never raises."""
        return await explain.report(self._client, self._http, self._config, self._catalogue)

    async def close(self) -> None:
        """Let go of connections and threads; may be called more than once."""
        self._client.close()
        self._work.close()
        await self._http.close()


def clock_ahead_s(told: Answer | None, began: datetime, ended: datetime) -> float | None:
    """By how much our clock is certainly ahead of the server's (below 0: behind), in steps; None where it is not told.

    The server told its time at some moment between `began` and `ended` of ours.
    """
    server_s = told.values.get(()) if told is not None else None
    if server_s is None:
        return None
    least_s, most_s = began.timestamp() - server_s, ended.timestamp() - server_s
    certain_s = least_s if least_s > 0 else min(most_s, 0.0)
    # In steps: one that differs by a little each time would be a new picture each time.
    return 0.0 if abs(certain_s) < CLOCK_STEP_S else round(certain_s / CLOCK_STEP_S) * CLOCK_STEP_S


async def _nothing() -> None:
    return None


def _whole_failure(rounds: list[Round[Answer]]) -> Failure | None:
    """Why the poll as a whole has failed: the server was given up, or nothing at all was had."""
    stopped = next((made.stopped for made in rounds if made.stopped), None)
    if stopped is not None or any(made.answers for made in rounds):
        return stopped
    return next((failure for made in rounds for failure in made.failures.values()), None)


def _warnings(rounds: list[Round[Answer]]) -> tuple[str, ...]:
    told: Mapping[str, None] = dict.fromkeys(text for made in rounds for text in made.warnings)
    return tuple(told)[:_WARNINGS_LIMIT]
