"""PromQL's aggregations over columns: sum, min, max, avg, count, group, stddev, quantile, topk, bottomk."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import itemgetter

from farmtui.demo.promql.functions import quantile
from farmtui.demo.promql.series import Column, Labels
from farmtui.demo.promql.syntax import Aggregation

Rows = Sequence[tuple[Labels, Column]]


def aggregate(node: Aggregation, rows: Rows, parameter: Sequence[float]) -> Rows:
    """The aggregated rows. `parameter` is topk's k or quantile's phi per step; empty for the others."""
    groups = _groups(node, rows)
    if node.operator in ("topk", "bottomk"):
        return _extremes(node, list(groups.values()), parameter)
    if node.operator == "quantile":
        return [(labels, _quantiles([c for _, c in members], parameter)) for labels, members in _named(node, groups)]
    combine = _COMBINE[node.operator]
    return [(labels, _combined([c for _, c in members], combine)) for labels, members in _named(node, groups)]


def count_values(node: Aggregation, label: str, rows: Rows) -> Rows:
    """count_values("label", v)."""
    counts: dict[tuple[tuple[str, str], ...], list[float | None]] = {}
    for labels, members in _named(node, _groups(node, rows)):
        for _, column in members:
            for step, value in enumerate(column):
                if value is None:
                    continue
                key = tuple(sorted({**labels, label: f"{value:g}"}.items()))
                counted = counts.setdefault(key, [None] * len(column))
                counted[step] = (counted[step] or 0.0) + 1.0
    return [(dict(key), column) for key, column in counts.items()]


_Key = tuple[object, ...]
_Groups = dict[_Key, list[tuple[Labels, Column]]]


def _groups(node: Aggregation, rows: Rows) -> _Groups:
    groups: _Groups = {}
    if node.without:
        dropped = {*node.labels, "__name__"}
        for row in rows:
            key: _Key = tuple((name, value) for name, value in row[0].items() if name not in dropped)
            groups.setdefault(key, []).append(row)
        return groups
    names = node.labels
    for row in rows:
        labels = row[0]
        groups.setdefault(tuple([labels.get(name, "") for name in names]), []).append(row)
    return groups


def _named(node: Aggregation, groups: _Groups) -> list[tuple[Labels, list[tuple[Labels, Column]]]]:
    if node.without:
        return [(dict(key), members) for key, members in groups.items()]  # type: ignore[arg-type]
    return [
        ({name: str(value) for name, value in zip(node.labels, key, strict=True) if value}, members)
        for key, members in groups.items()
    ]


def _combined(columns: list[Column], combine: Callable[[Sequence[float]], float]) -> Column:
    if len(columns) == 1 and combine in (sum, _largest, _smallest, _mean):
        return columns[0]
    combined: list[float | None] = []
    for step in zip(*columns, strict=True):
        values = [value for value in step if value is not None] if None in step else step
        combined.append(combine(values) if values else None)
    return combined


def _quantiles(columns: list[Column], phis: Sequence[float]) -> Column:
    steps = [[value for value in step if value is not None] for step in zip(*columns, strict=True)]
    return [quantile(phi, values) if values else None for phi, values in zip(phis, steps, strict=True)]


def _extremes(node: Aggregation, groups: list[list[tuple[Labels, Column]]], parameter: Sequence[float]) -> Rows:
    """The k largest (or smallest) of each group at each step; a single step's rows come in their order."""
    sign = -1.0 if node.operator == "topk" else 1.0
    chosen: list[tuple[Labels, Column]] = []
    for members in groups:
        kept: dict[int, list[float | None]] = {}
        for step, k in enumerate(parameter):
            count = int(k) if math.isfinite(k) else 0
            if count < 1:
                continue
            ranked = [
                # NaN ranks after every number, for topk and bottomk alike.
                (math.isnan(value), 0.0 if math.isnan(value) else sign * value, index)
                for index, (_, column) in enumerate(members)
                if (value := column[step]) is not None
            ]
            ranked.sort(key=itemgetter(0, 1))
            for _, _, index in ranked[:count]:
                kept.setdefault(index, [None] * len(parameter))[step] = members[index][1][step]
        chosen.extend((members[index][0], column) for index, column in kept.items())
    return chosen


def _largest(values: Sequence[float]) -> float:
    largest = values[0]
    for value in values:
        if value > largest or math.isnan(largest):
            largest = value
    return largest


def _smallest(values: Sequence[float]) -> float:
    smallest = values[0]
    for value in values:
        if value < smallest or math.isnan(smallest):
            smallest = value
    return smallest


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _deviation(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


_COMBINE: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "min": _smallest,
    "max": _largest,
    "avg": _mean,
    "count": lambda values: float(len(values)),
    "group": lambda _values: 1.0,
    "stddev": _deviation,
}
