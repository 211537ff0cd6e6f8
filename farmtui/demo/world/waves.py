"""Smooth functions of time whose integrals are exact, so that a counter over any past window costs no simulation.

All times are seconds since WAVE_ORIGIN: small numbers keep the integrals exact to about a millionth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Protocol

WAVE_ORIGIN = 1_767_571_200.0
"""Monday, 2026-01-05 00:00 UTC: the phase of the days and weeks."""

_DAY = 86_400.0
_WEEK = 7 * _DAY
_REMEMBERED = 20_000


class Basis(Protocol):
    """A function of time (Unix seconds) and its integral from some fixed time on."""

    def value(self, t: float) -> float:
        """The function at t."""

    def integral(self, t: float) -> float:
        """Its integral up to t; only differences have a meaning."""


class Constant:
    """The function that is 1."""

    def value(self, t: float) -> float:
        """See Basis."""
        return 1.0

    def integral(self, t: float) -> float:
        """See Basis."""
        return t - WAVE_ORIGIN


ONE = Constant()


class Wave:
    """A mean and a sum of sinusoids. Values are remembered: many series ask for the same times."""

    def __init__(self, mean: float, parts: Sequence[tuple[float, float, float]]) -> None:
        """`parts` are (amplitude, period in seconds, phase in radians)."""
        self.mean = mean
        self._parts = tuple((amplitude, 2 * math.pi / period, phase) for amplitude, period, phase in parts)
        self._values: dict[float, float] = {}
        self._integrals: dict[float, float] = {}

    def value(self, t: float) -> float:
        """See Basis."""
        known = self._values.get(t)
        if known is None:
            x = t - WAVE_ORIGIN
            known = self.mean + sum(a * math.cos(w * x + p) for a, w, p in self._parts)
            _remember(self._values, t, known)
        return known

    def integral(self, t: float) -> float:
        """See Basis."""
        known = self._integrals.get(t)
        if known is None:
            x = t - WAVE_ORIGIN
            known = self.mean * x + sum(a / w * math.sin(w * x + p) for a, w, p in self._parts)
            _remember(self._integrals, t, known)
        return known

    def fading(self, start: float, tau: float, t: float) -> float:
        """The integral from `start` to t of this function times exp(-(x - start) / tau), in closed form."""
        rate = 1.0 / tau
        x0, x1 = start - WAVE_ORIGIN, t - WAVE_ORIGIN
        decay = math.exp(-rate * (t - start))
        total = self.mean * tau * (1.0 - decay)
        for a, w, p in self._parts:
            scale = a / (rate * rate + w * w)
            end = decay * (w * math.sin(w * x1 + p) - rate * math.cos(w * x1 + p))
            begin = w * math.sin(w * x0 + p) - rate * math.cos(w * x0 + p)
            total += scale * (end - begin)
        return total


class Fading:
    """A wave that fades out from `start` on with the time constant `tau`; 0 before `start`."""

    def __init__(self, wave: Wave, start: float, tau: float) -> None:
        self._wave = wave
        self._start = start
        self._tau = tau
        self._integrals: dict[float, float] = {}

    def value(self, t: float) -> float:
        """See Basis."""
        if t < self._start:
            return 0.0
        return self._wave.value(t) * math.exp((self._start - t) / self._tau)

    def integral(self, t: float) -> float:
        """See Basis."""
        if t <= self._start:
            return 0.0
        known = self._integrals.get(t)
        if known is None:
            known = self._wave.fading(self._start, self._tau, t)
            _remember(self._integrals, t, known)
        return known


def _remember(memory: dict[float, float], t: float, value: float) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[t] = value


def demand_wave(seed: int, mean_per_s: float) -> Wave:
    """Requests per second of the whole farm: a European day with its evening, a calmer weekend, and restlessness.

    Stays between about 0.25 and 1.9 times the mean.
    """
    random = Random(f"{seed}:demand")
    parts = [
        (0.42 * mean_per_s, _DAY, _peak_at(15.2 * 3600, _DAY)),
        (0.15 * mean_per_s, _DAY / 2, _peak_at(7.6 * 3600, _DAY / 2)),
        (0.05 * mean_per_s, _DAY / 3, _peak_at(4.2 * 3600, _DAY / 3)),
        (0.07 * mean_per_s, _WEEK, _peak_at(1.7 * _DAY, _WEEK)),
        (0.02 * mean_per_s, _WEEK / 2, _peak_at(0.9 * _DAY, _WEEK / 2)),
    ]
    parts += _restless(random, 14, 0.012 * mean_per_s, 150.0, 4 * 3600.0)
    return Wave(mean_per_s, parts)


def noise_wave(seed: int, name: str, shortest_s: float = 90.0, longest_s: float = 5_400.0) -> Wave:
    """Noise around 0 whose standard deviation is about 0.25 and which never leaves -1..1."""
    return Wave(0.0, _restless(Random(f"{seed}:{name}"), 8, 0.125, shortest_s, longest_s))


def _peak_at(seconds: float, period: float) -> float:
    return -2 * math.pi * seconds / period


def _restless(
    random: Random, count: int, amplitude: float, shortest_s: float, longest_s: float
) -> list[tuple[float, float, float]]:
    """Sinusoids of periods that are spread evenly over a logarithmic scale."""
    stretch = math.log(longest_s / shortest_s)
    return [
        (
            amplitude,
            shortest_s * math.exp(stretch * (index + random.random()) / count),
            random.uniform(0.0, 2 * math.pi),
        )
        for index in range(count)
    ]
