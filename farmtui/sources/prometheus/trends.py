"""The trends: a range query for each chart, on a grid that stands still, asked for what is new only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from farmtui.config import PrometheusConfig
from farmtui.farm.reading import Failure, Reading, Series, Trend
from farmtui.sources.prometheus.catalogue import TrendQuery, catalogue
from farmtui.sources.prometheus.client import Api, PrometheusClient, Round
from farmtui.sources.prometheus.decode import Key, Line, Lines
from farmtui.sources.prometheus.source import now

POINTS: Final = 360
"""About as many points as a wide chart has columns of dots."""

LINES_LIMIT: Final = 64
"""Lines of one chart."""

OVERLAP_STEPS: Final = 3
"""Steps that are asked for again: what was scraped late, or came late to Thanos, is in them by then."""

FULL_EVERY: Final = 30
"""Every so many polls all of the window is asked for again: back-filled history shows up by then."""

_STEPS_S: Final = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600)
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Window:
    """The grid of a chart: `start_s` to `end_s`, Unix seconds, both multiples of `step_s` and both included."""

    start_s: int
    end_s: int
    step_s: int

    @property
    def times(self) -> range:
        """All times of the grid."""
        return range(self.start_s, self.end_s + 1, self.step_s)


def window_at(at: datetime, length_s: float) -> Window:
    """The window of `length_s` that ends at the last step before `at`: it moves by whole steps, so no chart jitters."""
    step_s = next((step for step in _STEPS_S if step * POINTS >= length_s), _STEPS_S[-1])
    end_s = int(at.timestamp()) // step_s * step_s
    return Window(end_s - int(length_s) // step_s * step_s, end_s, step_s)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one trend: the numbers by line and time, and until when it has been asked."""

    lines: Mapping[Key, Mapping[int, float]]
    until_s: int
    step_s: int


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    trend: TrendQuery
    window: Window


class PrometheusTrends:
    """The source `prometheus trends`. See `farmtui.sources.Source`."""

    name = "prometheus trends"
    kind = "prometheus"

    def __init__(
        self, config: PrometheusConfig, *, probes: Iterable[str] = (), clock: Callable[[], datetime] = now
    ) -> None:
        """`probes`: see `PrometheusSource`.

        Raises ConfigError where the config overrides a figure that there is not, SecretError for a bad reference."""
        self.endpoint = config.url
        self.interval_s = config.trends_interval_s
        self._config = config.model_copy(update={"pool_size": min(_THREADS, config.pool_size)})
        self._clock = clock
        self._trends = catalogue().with_overrides(config.queries).probing(probes).trends
        self._client = PrometheusClient(self._config, source=self.name)
        self._kept: dict[str, Kept] = {}
        self._polls = 0

    async def poll(self) -> Reading[Mapping[str, Trend]]:
        """Ask for what is new in every trend. A trend that could not be had keeps its lines and says why."""
        started, at, sent = time.monotonic(), self._clock(), self._client.sent
        value: Mapping[str, Trend] | None
        try:
            value, failure, warnings = await self._cycle(window_at(at, self._config.trends_window_s))
        except Exception as error:  # noqa: BLE001 - a source never raises: what went wrong is its answer
            value, failure, warnings = None, self._client.failure(error), ()
        return Reading(value, at, time.monotonic() - started, failure, warnings, self._client.sent - sent)

    async def _cycle(self, window: Window) -> tuple[Mapping[str, Trend] | None, Failure | None, tuple[str, ...]]:
        if self._polls % FULL_EVERY == 0:
            self._kept = {}
        wanted = [
            _Request(trend.name, trend, missing_part(self._kept.get(trend.name), window))
            for trend in self._trends.values()
            if trend.promql
        ]
        made = await self._client.round(wanted, _ask_one, self._config.deadline_s)
        if wanted and not made.answers:
            failure = made.stopped or next(iter(made.failures.values()), None) or self._client.failure(TimeoutError())
            return None, failure, made.warnings
        self._polls += 1
        for name, (lines, _) in made.answers.items():
            self._kept[name] = merged(self._kept.get(name), lines, window)
        found = {name: self._trend(trend, window, made) for name, trend in self._trends.items() if trend.promql}
        return MappingProxyType(found), made.stopped, made.warnings

    def _trend(self, trend: TrendQuery, window: Window, made: Round[Lines]) -> Trend:
        kept = self._kept.get(trend.name)
        answer = made.answers.get(trend.name)
        failure = made.failures.get(trend.name) or made.stopped
        if answer is not None:
            told = answer[1]
        elif failure is not None:
            told = f"{failure.what}; {failure.remedy}"
        else:
            told = self._client.failure(TimeoutError()).what
        return Trend(trend.name, trend.title, trend.unit, window.step_s, series_of(trend, kept, window), told)

    async def close(self) -> None:
        """Let go of connections and threads; may be called more than once."""
        self._client.close()


def missing_part(kept: Kept | None, window: Window) -> Window:
    """The part of the window that must be asked for: its end, with some overlap, or all of it."""
    if kept is None or kept.step_s != window.step_s:
        return window
    start_s = kept.until_s - OVERLAP_STEPS * window.step_s
    # A clock that was set back, or a pause longer than the window, leaves nothing to build on.
    if not window.start_s < start_s <= window.end_s:
        return window
    return Window(start_s, window.end_s, window.step_s)


def merged(kept: Kept | None, lines: tuple[Line, ...], window: Window) -> Kept:
    """What is known after an answer: new numbers replace old ones, and what has left the window is dropped."""
    asked = missing_part(kept, window)
    known: dict[Key, dict[int, float]] = {}
    if kept is not None and asked != window:
        for key, points in kept.lines.items():
            # What was asked for again is what the answer says it is, gaps included.
            known[key] = {at: value for at, value in points.items() if window.start_s <= at < asked.start_s}
    for line in lines[:LINES_LIMIT]:
        points = known.setdefault(line.key, {})
        for at, value in line.points.items():
            # Some servers shift the grid by a fraction: the nearest step is meant.
            step = asked.start_s + round((at - asked.start_s) / window.step_s) * window.step_s
            if asked.start_s <= step <= window.end_s and not math.isnan(value):
                points[step] = value
    return Kept({key: points for key, points in known.items() if points}, window.end_s, window.step_s)


def series_of(trend: TrendQuery, kept: Kept | None, window: Window) -> tuple[Series, ...]:
    """The lines of a chart on the window's grid, by label; a step without a number is None."""
    if kept is None:
        return ()
    times = tuple(float(at) for at in window.times)
    return tuple(
        Series(
            labels=((trend.by, key[0]),) if trend.by and key else (),
            times=times,
            values=tuple(kept.lines[key].get(at) for at in window.times),
        )
        for key in sorted(kept.lines)[:LINES_LIMIT]
    )


def _ask_one(api: Api, request: _Request) -> Lines:
    window = request.window
    start, end = (datetime.fromtimestamp(at, UTC) for at in (window.start_s, window.end_s))
    labels = (request.trend.by,) if request.trend.by else ()
    return api.over_time(request.trend.promql, labels, start, end, window.step_s)
