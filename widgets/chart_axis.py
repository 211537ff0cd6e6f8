"""Axes that stand still: fixed for ratios, a round ceiling that does not jitter for everything else, round times."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from farmtui.farm.units import count, data_rate, data_size, duration, percent, rate

Format = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Axis:
    """A chart's vertical axis. `high` None: a round ceiling above the largest value, never below `least`."""

    low: float = 0.0
    high: float | None = None
    format: Format = count
    least: float = 1.0
    binary: bool = False
    """Whether round numbers are those of bytes (256 MiB) rather than of tens."""


RATIO = Axis(0.0, 1.0, percent)
"""0 to 100 %, whatever the values: a hit ratio that falls by a point must not look like a cliff."""
SMALL_RATIO = Axis(0.0, None, percent, least=0.01)
"""For shares that are near zero while all is well, such as 5xx."""
COUNT = Axis(format=count)
PER_SECOND = Axis(format=rate)
SECONDS = Axis(format=duration, least=0.1)
BYTES = Axis(format=data_size, least=1024.0, binary=True)
BYTES_PER_SECOND = Axis(format=data_rate, least=1000.0)


def axis_for(unit: str) -> Axis:
    """The axis of a unit of the query catalogue: ratio, per_s, s, bytes, bytes_per_s; anything else counts."""
    return {"ratio": RATIO, "per_s": PER_SECOND, "s": SECONDS, "bytes": BYTES, "bytes_per_s": BYTES_PER_SECOND}.get(
        unit, COUNT
    )


_ROUND = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
_ROUND_BINARY = tuple(2.0**power for power in range(11))

FALLS_BELOW = 0.4
"""The ceiling comes down only when the peak is below this share of it; it goes up at once."""


def round_ceiling(value: float, *, binary: bool = False) -> float:
    """The smallest round number that is not below `value`; its half is round too. 0 for what is not above 0."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    base = 1024.0 if binary else 10.0
    unit = base ** math.floor(math.log(value, base))
    for step in _ROUND_BINARY if binary else _ROUND:
        if step * unit >= value * (1 - 1e-9):
            return step * unit
    return unit * base


def next_ceiling(peak: float, current: float | None, axis: Axis) -> float:
    """The ceiling for a peak. Going up and coming down are apart, so a peak that wavers moves it once at most."""
    wanted = max(round_ceiling(peak * 1.05, binary=axis.binary), axis.least)
    if current is None or wanted > current:
        return wanted
    return wanted if peak < current * FALLS_BELOW else current


_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200),
    *(86400, 172800, 604800, 1209600, 2592000),
)


def time_ticks(start: float, end: float, most: int, zone: tzinfo = UTC) -> list[tuple[float, str]]:
    """At most `most` round times from `start` to `end` (Unix seconds), each with its label in the given zone."""
    span = end - start
    if span <= 0 or most < 1:
        return []
    step = next((step for step in _STEPS_S if span / step <= most), _STEPS_S[-1])
    moment = datetime.fromtimestamp(end, zone)
    offset = moment.utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    pattern = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
    first = math.ceil((start + shift) / step) * step - shift
    ticks: list[tuple[float, str]] = []
    at = first
    while at <= end and len(ticks) <= most:
        ticks.append((at, datetime.fromtimestamp(at, zone).strftime(pattern)))
        at += step
    return ticks
