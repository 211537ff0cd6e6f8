"""What the evaluator reads: series of samples on a scrape grid, by columns (one value for each step of a query)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from farmtui.demo.promql.syntax import Matcher

Labels = Mapping[str, str]
Ticks = tuple[float, ...]
Column = Sequence[float | None]
"""One value per step; None where there is no sample. NaN is a sample."""


class Series(Protocol):
    """One time series. Samples exist at ticks: multiples of the scrape interval."""

    @property
    def labels(self) -> Labels:
        """All labels, `__name__` included."""

    @property
    def bare(self) -> Labels:
        """The labels without `__name__`."""

    def column(self, ticks: Ticks) -> Column:
        """The sample at each tick; None where the series has none there."""

    def growths(self, starts: Ticks, ends: Ticks) -> Sequence[Growth | None]:
        """For each window what a counter did in it; None where it holds fewer than two samples."""

    def whole_increases(self, starts: Ticks, ends: Ticks) -> Sequence[float] | None:
        """The plain increases, where every window has a sample at both its ends; None: ask `growths`.

        A short cut that a series may always decline.
        """


@dataclass(frozen=True, slots=True)
class Growth:
    """A counter over a window: the increase between its first and last sample, resets added back.

    Times are Unix seconds; `first` is the first sample's value, which bounds the extrapolation to the left.
    """

    first_at: float
    last_at: float
    samples: int
    increase: float
    first: float


class Storage(Protocol):
    """A set of series on one scrape grid."""

    @property
    def interval_s(self) -> float:
        """Seconds between two scrapes."""

    def select(self, matchers: tuple[Matcher, ...]) -> Sequence[Series]:
        """All series that match, in a stable order."""


class RecordedSeries:
    """A series of samples that are given: what a test or a recording holds. Ticks are matched exactly."""

    def __init__(self, labels: Labels, samples: Mapping[float, float]) -> None:
        self.labels: Labels = dict(sorted(labels.items()))
        self.bare: Labels = {name: value for name, value in self.labels.items() if name != "__name__"}
        self._samples = dict(sorted(samples.items()))

    def column(self, ticks: Ticks) -> Column:
        """See Series."""
        return [self._samples.get(tick) for tick in ticks]

    def growths(self, starts: Ticks, ends: Ticks) -> Sequence[Growth | None]:
        """See Series."""
        return [self._growth(start, end) for start, end in zip(starts, ends, strict=True)]

    def whole_increases(self, starts: Ticks, ends: Ticks) -> Sequence[float] | None:
        """See Series."""
        return None

    def _growth(self, start: float, end: float) -> Growth | None:
        return growth_of([(at, value) for at, value in self._samples.items() if start <= at <= end])


def growth_of(samples: Sequence[tuple[float, float]]) -> Growth | None:
    """The growth that a list of (time, value) shows: each fall of the value is a reset to 0."""
    if len(samples) < 2:
        return None
    increase = samples[-1][1] - samples[0][1]
    for (_, before), (_, after) in pairwise(samples):
        if after < before:
            increase += before
    return Growth(samples[0][0], samples[-1][0], len(samples), increase, samples[0][1])


class RecordedStorage:
    """A storage of given series."""

    def __init__(self, series: Sequence[Series], interval_s: float) -> None:
        self._series = list(series)
        self.interval_s = interval_s

    def select(self, matchers: tuple[Matcher, ...]) -> Sequence[Series]:
        """See Storage."""
        tests = [matcher.compile() for matcher in matchers]
        return [s for s in self._series if all(test(s.labels.get(test.name, "")) for test in tests)]
