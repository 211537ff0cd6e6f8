"""PromQL's functions: what they take, and the arithmetic of those that look back over a range."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from farmtui.demo.promql.series import Growth

_V, _R, _S, _T = "instant vector", "range vector", "scalar", "string"

SIGNATURES: dict[str, tuple[tuple[str, ...], int]] = {
    **dict.fromkeys(("rate", "increase", "irate", "delta", "idelta", "deriv", "resets", "changes"), ((_R,), 1)),
    **dict.fromkeys(
        ("avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time"),
        ((_R,), 1),
    ),
    "predict_linear": ((_R, _S), 2),
    "histogram_quantile": ((_S, _V), 2),
    **dict.fromkeys(("abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn"), ((_V,), 1)),
    **dict.fromkeys(("sort", "sort_desc", "absent", "scalar", "timestamp"), ((_V,), 1)),
    "round": ((_V, _S), 1),
    "clamp_min": ((_V, _S), 2),
    "clamp_max": ((_V, _S), 2),
    "clamp": ((_V, _S, _S), 3),
    "vector": ((_S,), 1),
    "time": ((), 0),
    "pi": ((), 0),
    "label_replace": ((_V, _T, _T, _T, _T), 5),
}
"""Name: (types of the arguments, how many are required)."""

Samples = Sequence[tuple[float, float]]


def extrapolated(growth: Growth, start: float, end: float, *, counter: bool = True) -> float:
    """Prometheus's extrapolated increase over a window of [start, end] seconds.

    The samples' own increase is stretched towards the window's edges, by at most half an average sample interval
    where the series begins or ends inside the window, and a counter never below 0 (promql/functions.go).
    """
    sampled = growth.last_at - growth.first_at
    average = sampled / (growth.samples - 1)
    to_start, to_end = growth.first_at - start, end - growth.last_at
    threshold = average * 1.1
    if to_start >= threshold:
        to_start = average / 2
    if counter and growth.increase > 0 and growth.first >= 0:
        to_start = min(to_start, sampled * (growth.first / growth.increase))
    if to_end >= threshold:
        to_end = average / 2
    return growth.increase * (sampled + to_start + to_end) / sampled


def regression(samples: Samples, origin: float) -> tuple[float, float]:
    """Least squares through (time, value): slope per second, and the line's value at `origin`."""
    count = len(samples)
    base = samples[0][1]
    sum_x = sum_y = sum_xy = sum_xx = 0.0
    for at, value in samples:
        x, y = at - origin, value - base
        sum_x += x
        sum_y += y
        sum_xy += x * y
        sum_xx += x * x
    spread = sum_xx - sum_x * sum_x / count
    slope = (sum_xy - sum_x * sum_y / count) / spread
    return slope, sum_y / count - slope * sum_x / count + base


def _changes(samples: Samples) -> float:
    pairs = pairwise(samples)
    return float(sum(1 for (_, a), (_, b) in pairs if a != b and not (math.isnan(a) and math.isnan(b))))


OVER_TIME: dict[str, Callable[[Samples], float]] = {
    "avg_over_time": lambda samples: sum(value for _, value in samples) / len(samples),
    "min_over_time": lambda samples: min(value for _, value in samples),
    "max_over_time": lambda samples: max(value for _, value in samples),
    "sum_over_time": lambda samples: sum(value for _, value in samples),
    "count_over_time": lambda samples: float(len(samples)),
    "last_over_time": lambda samples: samples[-1][1],
    "changes": _changes,
    "resets": lambda samples: float(sum(1 for (_, a), (_, b) in pairwise(samples) if b < a)),
}
"""Functions of one or more samples."""


def _instant(samples: Samples, *, per_second: bool, counter: bool) -> float:
    (before_at, before), (at, value) = samples[-2:]
    change = value if counter and value < before else value - before
    return change / (at - before_at) if per_second else change


OVER_TWO: dict[str, Callable[[Samples], float]] = {
    "irate": lambda samples: _instant(samples, per_second=True, counter=True),
    "idelta": lambda samples: _instant(samples, per_second=False, counter=False),
    "deriv": lambda samples: regression(samples, samples[0][0])[0],
}
"""Functions that need at least two samples."""


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def safe(value: float) -> float:
        if value > 0:
            return function(value)
        return -math.inf if value == 0 else math.nan

    return safe


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else value


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


POINTWISE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "exp": _exp,
    "ln": _logarithm(math.log),
    "log2": _logarithm(math.log2),
    "log10": _logarithm(math.log10),
    "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan,
    "sgn": lambda value: value if value == 0 or math.isnan(value) else math.copysign(1.0, value),
}
"""Functions of one value."""


def bucket_quantile(phi: float, buckets: Sequence[tuple[float, float]]) -> float:
    """The phi-quantile of cumulative histogram buckets (upper bound, count), as promql/quantile.go computes it.

    NaN without a +Inf bucket or without observations; the second largest bound where the rank falls into +Inf.
    """
    ordered = sorted(buckets)
    if math.isnan(phi) or not ordered or ordered[-1][0] != math.inf or len(ordered) < 2:
        return math.nan
    if phi < 0:
        return -math.inf
    if phi > 1:
        return math.inf
    counts: list[float] = []
    for _, count in ordered:
        # Scrapes are not atomic: a cumulative count that falls is lifted to the one before.
        counts.append(max(count, counts[-1]) if counts else count)
    total = counts[-1]
    if total == 0 or math.isnan(total):
        return math.nan
    rank = phi * total
    place = next((i for i, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if place == len(counts) - 1:
        return ordered[-2][0]
    if place == 0 and ordered[0][0] <= 0:
        return ordered[0][0]
    lower = ordered[place - 1][0] if place else 0.0
    below = counts[place - 1] if place else 0.0
    inside = counts[place] - below
    return lower + (ordered[place][0] - lower) * ((rank - below) / inside) if inside else lower


def quantile(phi: float, values: Sequence[float]) -> float:
    """The phi-quantile of plain values, interpolated (the `quantile` aggregation)."""
    if not values or math.isnan(phi):
        return math.nan
    if phi < 0:
        return -math.inf
    if phi > 1:
        return math.inf
    ordered = sorted(values)
    rank = phi * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    weight = rank - low
    return ordered[low] * (1 - weight) + ordered[high] * weight
