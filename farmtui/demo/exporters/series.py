"""Series over the world: counters that integrate signals, gauges that read them, and gauges that are computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from farmtui.demo.promql.series import Column, Growth, Labels, Series, Ticks, growth_of
from farmtui.demo.world.signals import Presence, Signal, growth

SCRAPE_S = 5.0
"""Seconds between two scrapes of every target; all targets are scraped at the same moments."""

Terms = tuple[tuple[float, Signal], ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name, its Prometheus type, its help text, and how its series are made.

    `key` changes when the series must be made anew.
    """

    name: str
    kind: str
    help: str
    build: Callable[[], Sequence[Series]]
    key: Callable[[], object] = lambda: None


def named(name: str, target: Labels, /, **extra: str) -> Labels:
    """A series' labels, sorted by name as Prometheus prints them."""
    return dict(sorted({"__name__": name, **target, **extra}.items()))


class _Base:
    __slots__ = ("_bare", "labels", "presence")

    def __init__(self, labels: Labels, presence: Presence) -> None:
        self.labels: Labels = labels
        self.presence = presence
        self._bare: Labels | None = None

    @property
    def bare(self) -> Labels:
        """See Series."""
        if self._bare is None:
            self._bare = {name: value for name, value in self.labels.items() if name != "__name__"}
        return self._bare


class Counter(_Base):
    """A counter: the integral of a sum of signals since its process started."""

    __slots__ = ("_terms", "_whole")

    def __init__(self, labels: Labels, presence: Presence, terms: Terms, *, whole: bool = True) -> None:
        """`whole`: it counts things, so that its samples are whole numbers."""
        super().__init__(labels, presence)
        self._terms = terms
        self._whole = whole

    def _integral(self, t: float) -> float:
        return sum(weight * signal.integral(t) for weight, signal in self._terms)

    def column(self, ticks: Ticks) -> Column:
        """See Series."""
        if not ticks or not self.presence.whole(ticks[0], ticks[-1]):
            return [self._at(tick) for tick in ticks]
        since = self.presence.since(ticks[0])
        assert since is not None
        zero = (since,)
        total = [0.0] * len(ticks)
        for weight, signal in self._terms:
            before = signal.integrals(zero)[0]
            total = [
                sum_ + weight * (value - before) for sum_, value in zip(total, signal.integrals(ticks), strict=True)
            ]
        return [float(math.floor(value)) for value in total] if self._whole else total

    def _at(self, t: float) -> float | None:
        since = self.presence.since(t)
        if since is None:
            return None
        value = max(0.0, self._integral(t) - self._integral(since))
        return float(math.floor(value)) if self._whole else value

    def growths(self, starts: Ticks, ends: Ticks) -> Sequence[Growth | None]:
        """See Series."""
        return [
            growth(self.presence, self._integral, start, end, SCRAPE_S) for start, end in zip(starts, ends, strict=True)
        ]

    def whole_increases(self, starts: Ticks, ends: Ticks) -> Sequence[float] | None:
        """See Series."""
        if not starts or not self.presence.whole(starts[0], ends[-1]):
            return None
        if len(self._terms) == 1:
            weight, signal = self._terms[0]
            pairs = zip(signal.integrals(starts), signal.integrals(ends), strict=True)
            return [weight * (after - before) for before, after in pairs]
        total = [0.0] * len(starts)
        for weight, signal in self._terms:
            windows = zip(total, signal.integrals(starts), signal.integrals(ends), strict=True)
            total = [sum_ + weight * (after - before) for sum_, before, after in windows]
        return total


class Gauge(_Base):
    """A gauge that is computed for each scrape. `compute` may give None: there is no such sample then."""

    __slots__ = ("_compute",)

    def __init__(self, labels: Labels, presence: Presence, compute: Callable[[float], float | None]) -> None:
        super().__init__(labels, presence)
        self._compute = compute

    def column(self, ticks: Ticks) -> Column:
        """See Series."""
        since, compute = self.presence.since, self._compute
        return [compute(tick) if since(tick) is not None else None for tick in ticks]

    def growths(self, starts: Ticks, ends: Ticks) -> Sequence[Growth | None]:
        """See Series."""
        return [self._growth(start, end) for start, end in zip(starts, ends, strict=True)]

    def _growth(self, start: float, end: float) -> Growth | None:
        ticks = tuple(start + k * SCRAPE_S for k in range(math.floor((end - start) / SCRAPE_S + 1e-9) + 1))
        pairs = zip(ticks, self.column(ticks), strict=True)
        return growth_of([(tick, value) for tick, value in pairs if value is not None])

    def whole_increases(self, starts: Ticks, ends: Ticks) -> Sequence[float] | None:
        """See Series."""
        return None
