"""Rates and levels over the whole timeline: per epoch a mix of basis functions, with its integral known exactly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from farmtui.demo.promql.series import Growth, Ticks
from farmtui.demo.world.timeline import Epoch, Timeline
from farmtui.demo.world.waves import ONE, Basis

_REMEMBERED_COLUMNS = 24
_REMEMBERED_TIMES = 4_000


class Mix:
    """A weighted sum of basis functions."""

    __slots__ = ("terms",)

    def __init__(self, *terms: tuple[float, Basis]) -> None:
        self.terms = terms

    def __add__(self, other: Mix) -> Mix:
        return Mix(*self.terms, *other.terms)

    def __mul__(self, factor: float) -> Mix:
        return Mix(*((weight * factor, basis) for weight, basis in self.terms))

    def __sub__(self, other: Mix) -> Mix:
        return self + other * -1.0


NOTHING = Mix()


def steady(value: float) -> Mix:
    """A mix that is always the same."""
    return Mix((value, ONE))


class Signal:
    """A function of time, given as a mix for each epoch. It is itself a basis for others."""

    def __init__(self, timeline: Timeline, mix: Callable[[Epoch], Mix]) -> None:
        self._timeline = timeline
        self._mix = mix
        self._starts: list[float] = []
        self._pieces: list[tuple[float, tuple[tuple[float, Basis], ...]]] = []
        self._seen = 0
        self._columns: dict[tuple[bool, Ticks], list[float]] = {}
        self._integrals: dict[float, float] = {}

    def value(self, t: float) -> float:
        """The value at t."""
        _, terms = self._piece(t)
        return sum(weight * basis.value(t) for weight, basis in terms)

    def integral(self, t: float) -> float:
        """The integral up to t from a fixed time on, remembered: other signals stand on this one."""
        known = self._integrals.get(t)
        if known is None:
            if len(self._integrals) >= _REMEMBERED_TIMES:
                self._integrals.clear()
            known = self._integrals[t] = self._integral(t)
        return known

    def _integral(self, t: float) -> float:
        total, terms = self._piece(t)
        for weight, basis in terms:
            total += weight * basis.integral(t)
        return total

    def values(self, ticks: Ticks) -> list[float]:
        """The values at many times, remembered."""
        return self._column(False, ticks)

    def integrals(self, ticks: Ticks) -> list[float]:
        """The integrals at many times, remembered."""
        return self._column(True, ticks)

    def forget(self) -> None:
        """Drop remembered columns: a change has happened at a time that was already asked for."""
        self._columns.clear()
        self._integrals.clear()

    def _column(self, integral: bool, ticks: Ticks) -> list[float]:
        key = (integral, ticks)
        known = self._columns.get(key)
        if known is None:
            if len(self._columns) >= _REMEMBERED_COLUMNS:
                self._columns.clear()
            function = self._integral if integral else self.value
            known = self._columns[key] = [function(t) for t in ticks]
        return known

    def _piece(self, t: float) -> tuple[float, tuple[tuple[float, Basis], ...]]:
        if self._seen < len(self._timeline.epochs):
            self._extend()
        return self._pieces[max(0, bisect_right(self._starts, t) - 1)]

    def _extend(self) -> None:
        for epoch in self._timeline.epochs[self._seen :]:
            terms = self._mix(epoch).terms
            if self._pieces and self._pieces[-1][1] == terms:
                continue
            # The offset makes the integral continuous where one mix takes over from the other.
            reached = 0.0
            if self._pieces:
                before, known = self._pieces[-1]
                reached = before + sum(weight * basis.integral(epoch.start) for weight, basis in known)
            offset = reached - sum(weight * basis.integral(epoch.start) for weight, basis in terms)
            self._starts.append(epoch.start)
            self._pieces.append((offset, terms))
        self._seen = len(self._timeline.epochs)


class Presence:
    """When something exists: intervals [start, end), each with the time since which its counters count."""

    def __init__(self, timeline: Timeline, since: Callable[[Epoch], float | None]) -> None:
        """`since` gives for an epoch the start of the process that counts, or None where there is nothing."""
        self._timeline = timeline
        self._since = since
        self._starts: list[float] = []
        self._states: list[float | None] = []
        self._seen = 0

    def since(self, t: float) -> float | None:
        """Since when its counters count, at t; None where it does not exist."""
        self._extend()
        place = bisect_right(self._starts, t) - 1
        return self._states[place] if place >= 0 else None

    def whole(self, start: float, end: float) -> bool:
        """Whether it exists from start to end without any break or restart."""
        self._extend()
        place = bisect_right(self._starts, start) - 1
        if place < 0 or self._states[place] is None:
            return False
        return place + 1 == len(self._starts) or self._starts[place + 1] > end

    def ticks(self, start: float, end: float, interval: float) -> tuple[float, float, int] | None:
        """First, last and number of the scrapes in [start, end] that see it; None where none does."""
        self._extend()
        place = max(0, bisect_right(self._starts, start) - 1)
        first = last = None
        seen = 0
        while place < len(self._starts) and self._starts[place] <= end:
            if self._states[place] is not None:
                begin = _ceil(max(start, self._starts[place]), interval)
                stop = self._starts[place + 1] if place + 1 < len(self._starts) else float("inf")
                # The interval is open at its end: what vanishes at a scrape is not seen by it.
                finish = min(_floor(end, interval), _ceil(stop, interval) - interval)
                if begin <= finish:
                    first = begin if first is None else first
                    last = finish
                    seen += round((finish - begin) / interval) + 1
            place += 1
        return None if first is None or last is None else (first, last, seen)

    def _extend(self) -> None:
        for epoch in self._timeline.epochs[self._seen :]:
            state = self._since(epoch)
            if not self._states or self._states[-1] != state:
                self._starts.append(epoch.start)
                self._states.append(state)
        self._seen = len(self._timeline.epochs)


def _ceil(t: float, interval: float) -> float:
    return -((-t) // interval) * interval if t != float("inf") else t


def _floor(t: float, interval: float) -> float:
    return t // interval * interval


def growth(
    presence: Presence, integral: Callable[[float], float], start: float, end: float, interval: float
) -> Growth | None:
    """What a counter that integrates a signal did between its first and last scrape in a window.

    While a process is down its signal is 0, so that the difference of the integrals is the increase with all
    resets added back.
    """
    seen = presence.ticks(start, end, interval)
    if seen is None or seen[2] < 2:
        return None
    first, last, samples = seen
    since = presence.since(first)
    assert since is not None
    before = integral(first)
    return Growth(first, last, samples, integral(last) - before, before - integral(since))
