"""PromQL's evaluator: every expression gives a column (one value per step) for each of its series, at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from farmtui.demo.promql import aggregate, binary
from farmtui.demo.promql.functions import (
    OVER_TIME,
    OVER_TWO,
    POINTWISE,
    bucket_quantile,
    extrapolated,
    regression,
)
from farmtui.demo.promql.series import Column, Labels, Series, Storage, Ticks
from farmtui.demo.promql.syntax import (
    Aggregation,
    Binary,
    Call,
    Negation,
    Node,
    Number,
    QueryError,
    Selector,
    Text,
)
from farmtui.farm.expressions import ExpressionError, grouped

_GROUP = re.compile(r"\$(?:(\w+)|\{(\w+)\})")

_THINNED_TO = 240
"""Samples at most that a look-back function reads of one window. Longer windows are thinned evenly: the world's
gauges are smooth, and `deriv(x[6h])` at a scrape every 5 s would read 4,320."""

_MEMORIES = 8


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number per step."""

    column: Sequence[float]


@dataclass(frozen=True, slots=True)
class Vector:
    """Series with a value (or None) per step."""

    rows: Sequence[tuple[Labels, Column]]


Value = Scalar | Vector


class Evaluator:
    """Evaluates expressions over a storage. Not thread-safe: it remembers what it has computed."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        # Parts that several queries of one poll share (the rate per router) are computed once per scrape.
        self._memories: dict[Ticks, dict[Node, Value]] = {}

    def forget(self) -> None:
        """Drop what was computed: the storage's past has changed."""
        self._memories.clear()

    def instant(self, node: Node, at: float) -> Value:
        """The value at one time, Unix seconds. Raises QueryError."""
        return self.range(node, (at,))

    def range(self, node: Node, times: Sequence[float]) -> Value:
        """The value at each of the times. Raises QueryError.

        Times are taken back to the last scrape, so that two clients that ask within one scrape interval get the
        same answer.
        """
        interval = self._storage.interval_s
        ticks = tuple(math.floor(at / interval + 1e-9) * interval for at in times)
        memory = self._memories.get(ticks)
        if memory is None:
            while len(self._memories) >= _MEMORIES:
                self._memories.pop(next(iter(self._memories)))
            memory = self._memories[ticks] = {}
        return _Pass(self._storage, ticks, memory).value(node)


class _Pass:
    """One evaluation over given ticks."""

    def __init__(self, storage: Storage, ticks: Ticks, memory: dict[Node, Value]) -> None:
        self._storage = storage
        self._ticks = ticks
        self._memory = memory

    def value(self, node: Node) -> Value:
        match node:
            case Number(value=number):
                return Scalar([number] * len(self._ticks))
            case Selector():
                return self._instant_selector(node)
            case Negation(operand=operand):
                return self._pointwise(operand, lambda value: -value)
            case Call():
                return self._call(node)
            case Binary():
                return self._binary(node)
            case Aggregation():
                return self._aggregation(node)
            case Text():
                raise _not_for_query("string")

    def _vector(self, node: Node) -> Vector:
        value = self.value(node)
        assert isinstance(value, Vector)  # the parser has checked the types
        return value

    def _scalar(self, node: Node) -> Sequence[float]:
        value = self.value(node)
        assert isinstance(value, Scalar)
        return value.column

    # -- selectors

    def _shifted(self, offset_s: float) -> Ticks:
        if not offset_s:
            return self._ticks
        interval = self._storage.interval_s
        return tuple(math.floor((tick - offset_s) / interval + 1e-9) * interval for tick in self._ticks)

    def _instant_selector(self, node: Selector) -> Vector:
        if node.range_s is not None:
            raise _not_for_query("range vector")
        ticks = self._shifted(node.offset_s)
        return Vector(_present((series.labels, series.column(ticks)) for series in self._select(node)))

    def _select(self, node: Selector) -> Sequence[Series]:
        return self._storage.select(node.matchers)

    # -- functions

    def _call(self, node: Call) -> Value:
        name, arguments = node.function, node.arguments
        if name in ("rate", "increase", "delta"):
            return self._remembered(node, lambda: self._growth(name, _range_of(arguments[0])))
        if name in OVER_TIME or name in OVER_TWO or name == "predict_linear":
            return self._remembered(node, lambda: self._over_time(node))
        if name in POINTWISE:
            return self._pointwise(arguments[0], POINTWISE[name])
        return _CALLS[name](self, arguments)

    def _growth(self, name: str, node: Selector) -> Vector:
        assert node.range_s is not None
        length = node.range_s
        interval = self._storage.interval_s
        ends = self._shifted(node.offset_s)
        edges = [end - length for end in ends]
        starts = tuple(math.ceil(edge / interval - 1e-9) * interval for edge in edges)
        divisor = length if name == "rate" else 1.0
        rows: list[tuple[Labels, Column]] = []
        aligned = all(start == edge for start, edge in zip(starts, edges, strict=True))
        for series in self._select(node):
            increases = series.whole_increases(starts, ends) if aligned else None
            if increases is not None:
                # Samples stand at both edges: there is nothing to extrapolate.
                rows.append((series.bare, [value / divisor for value in increases]))
                continue
            column = [
                None if growth is None else extrapolated(growth, edge, end, counter=name != "delta") / divisor
                for growth, edge, end in zip(series.growths(starts, ends), edges, ends, strict=True)
            ]
            rows.append((series.bare, column))
        return Vector(_present(rows))

    def _over_time(self, node: Call) -> Vector:
        selector = _range_of(node.arguments[0])
        function, least = self._over_time_function(node)
        ends = self._shifted(selector.offset_s)
        windows = [self._window(end, selector.range_s or 0.0) for end in ends]
        keeps_name = node.function == "last_over_time"
        rows: list[tuple[Labels, Column]] = []
        for series in self._select(selector):
            column: list[float | None] = []
            for window, end in zip(windows, ends, strict=True):
                pairs = zip(window, series.column(window), strict=True)
                samples = [(at, value) for at, value in pairs if value is not None]
                column.append(function(samples, end) if len(samples) >= least else None)
            rows.append((series.labels if keeps_name else series.bare, column))
        return Vector(_present(rows))

    def _over_time_function(self, node: Call) -> tuple[Callable[[Sequence[tuple[float, float]], float], float], int]:
        name = node.function
        if name == "predict_linear":
            ahead = self._scalar(node.arguments[1])[0]

            def predict(samples: Sequence[tuple[float, float]], end: float) -> float:
                slope, value = regression(samples, end)
                return value + slope * ahead

            return predict, 2
        plain = OVER_TIME.get(name) or OVER_TWO[name]
        return (lambda samples, _end: plain(samples)), 1 if name in OVER_TIME else 2

    def _window(self, end: float, length: float) -> Ticks:
        interval = self._storage.interval_s
        count = math.floor(length / interval + 1e-9)
        stride = max(1, -(-count // _THINNED_TO))
        return tuple(end - k * interval for k in range(count - count % stride, -1, -stride))

    def _pointwise(self, operand: Node, function: Callable[[float], float]) -> Value:
        value = self.value(operand)
        if isinstance(value, Scalar):
            return Scalar([function(v) for v in value.column])
        return Vector(
            [(_nameless(labels), [None if v is None else function(v) for v in column]) for labels, column in value.rows]
        )

    def histogram_quantile(self, arguments: Sequence[Node]) -> Value:
        """histogram_quantile(phi, buckets)."""
        phis = self._scalar(arguments[0])
        groups: dict[tuple[tuple[str, str], ...], list[tuple[float, Column]]] = {}
        names: dict[tuple[tuple[str, str], ...], Labels] = {}
        for labels, column in self._vector(arguments[1]).rows:
            try:
                bound = float(labels["le"].replace("+Inf", "inf"))
            except (KeyError, ValueError):
                continue
            rest = {name: value for name, value in labels.items() if name not in ("le", "__name__")}
            key = tuple(sorted(rest.items()))
            groups.setdefault(key, []).append((bound, column))
            names[key] = rest
        rows: list[tuple[Labels, Column]] = []
        for key, buckets in groups.items():
            column_out: list[float | None] = []
            for step, phi in enumerate(phis):
                here = [(bound, value) for bound, column in buckets if (value := column[step]) is not None]
                column_out.append(bucket_quantile(phi, here) if here else None)
            rows.append((names[key], column_out))
        return Vector(_present(rows))

    def absent(self, arguments: Sequence[Node]) -> Value:
        """absent(v): 1 where v has no series, with the labels that its selector asks to be equal."""
        rows = self._vector(arguments[0]).rows
        missing = [all(column[step] is None for _, column in rows) for step in range(len(self._ticks))]
        labels: dict[str, str] = {}
        if isinstance(arguments[0], Selector):
            labels = {m.name: m.value for m in arguments[0].matchers if m.operator == "=" and m.name != "__name__"}
        return Vector(_present([(labels, [1.0 if gone else None for gone in missing])]))

    def scalar(self, arguments: Sequence[Node]) -> Value:
        """scalar(v): the value of the only series, or NaN."""
        rows = self._vector(arguments[0]).rows
        column: list[float] = []
        for step in range(len(self._ticks)):
            here = [value for _, values in rows if (value := values[step]) is not None]
            column.append(here[0] if len(here) == 1 else math.nan)
        return Scalar(column)

    def vector(self, arguments: Sequence[Node]) -> Value:
        """vector(s)."""
        return Vector([({}, list(self._scalar(arguments[0])))])

    def time(self, _arguments: Sequence[Node]) -> Value:
        """time()."""
        return Scalar(list(self._ticks))

    def timestamp(self, arguments: Sequence[Node]) -> Value:
        """timestamp(v)."""
        rows = self._vector(arguments[0]).rows
        return Vector(
            [
                (_nameless(labels), [None if v is None else tick for v, tick in zip(column, self._ticks, strict=True)])
                for labels, column in rows
            ]
        )

    def ordered(self, arguments: Sequence[Node], *, descending: bool) -> Value:
        """sort(v) and sort_desc(v): by the last step; NaN comes last."""

        def rank(row: tuple[Labels, Column]) -> tuple[bool, float]:
            value = row[1][-1]
            if value is None or math.isnan(value):
                return True, 0.0
            return False, -value if descending else value

        return Vector(sorted(self._vector(arguments[0]).rows, key=rank))

    def clamp(self, arguments: Sequence[Node], *, low: int | None, high: int | None) -> Value:
        """clamp, clamp_min and clamp_max; `low` and `high` are the places of the bounds among the arguments."""
        lows = self._scalar(arguments[low]) if low else [-math.inf] * len(self._ticks)
        highs = self._scalar(arguments[high]) if high else [math.inf] * len(self._ticks)
        rows = self._vector(arguments[0]).rows
        return Vector(
            [
                (
                    _nameless(labels),
                    [None if v is None else max(a, min(b, v)) for v, a, b in zip(column, lows, highs, strict=True)],
                )
                for labels, column in rows
            ]
        )

    def round(self, arguments: Sequence[Node]) -> Value:
        """round(v, to_nearest): halves go up."""
        nearest = self._scalar(arguments[1])[0] if len(arguments) > 1 else 1.0

        def rounded(value: float) -> float:
            return math.floor(value / nearest + 0.5) * nearest if math.isfinite(value) else value

        return self._pointwise(arguments[0], rounded)

    def label_replace(self, arguments: Sequence[Node]) -> Value:
        """label_replace(v, target, replacement, source, regex)."""
        target, replacement, source, pattern = (a.value for a in arguments[1:] if isinstance(a, Text))
        try:
            sought = grouped(pattern, dot_all=True)
        except ExpressionError:
            raise QueryError("execution", f"invalid regular expression in label_replace(): {pattern}") from None
        rows: list[tuple[Labels, Column]] = []
        for labels, column in self._vector(arguments[0]).rows:
            groups = sought.groups_in(labels.get(source, ""))
            changed = dict(labels)
            if groups is not None:
                changed[target] = _filled(replacement, groups)
                if not changed[target]:
                    del changed[target]
            rows.append((changed, column))
        return Vector(rows)

    # -- aggregations and operators

    def _aggregation(self, node: Aggregation) -> Vector:
        def compute() -> Vector:
            rows = self._vector(node.operand).rows
            if isinstance(node.parameter, Text):
                return Vector(_present(aggregate.count_values(node, node.parameter.value, rows)))
            parameter = self._scalar(node.parameter) if node.parameter is not None else []
            return Vector(_present(aggregate.aggregate(node, rows, parameter)))

        return self._remembered(node, compute)

    def _binary(self, node: Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            operation = binary.scalar_operation(node.operator)
            return Scalar([operation(a, b) for a, b in zip(left.column, right.column, strict=True)])
        if isinstance(left, Vector) and isinstance(right, Scalar):
            return Vector(_present(binary.with_scalar(node, left.rows, right.column, swapped=False)))
        if isinstance(left, Scalar) and isinstance(right, Vector):
            return Vector(_present(binary.with_scalar(node, right.rows, left.column, swapped=True)))
        assert isinstance(left, Vector)
        assert isinstance(right, Vector)
        if node.operator in ("and", "or", "unless"):
            return Vector(_present(binary.set_operation(node, left.rows, right.rows)))
        return Vector(_present(binary.with_vector(node, left.rows, right.rows)))

    def _remembered(self, node: Node, compute: Callable[[], Vector]) -> Vector:
        known = self._memory.get(node)
        if known is None:
            known = self._memory[node] = compute()
        assert isinstance(known, Vector)
        return known


def _filled(template: str, groups: Mapping[str, str]) -> str:
    return _GROUP.sub(lambda name: groups.get(name[1] or name[2], ""), template)


_CALLS: dict[str, Callable[[_Pass, Sequence[Node]], Value]] = {
    "histogram_quantile": _Pass.histogram_quantile,
    "absent": _Pass.absent,
    "scalar": _Pass.scalar,
    "vector": _Pass.vector,
    "time": _Pass.time,
    "pi": lambda evaluation, _arguments: Scalar([math.pi] * len(evaluation._ticks)),
    "timestamp": _Pass.timestamp,
    "sort": lambda evaluation, arguments: evaluation.ordered(arguments, descending=False),
    "sort_desc": lambda evaluation, arguments: evaluation.ordered(arguments, descending=True),
    "clamp": lambda evaluation, arguments: evaluation.clamp(arguments, low=1, high=2),
    "clamp_min": lambda evaluation, arguments: evaluation.clamp(arguments, low=1, high=None),
    "clamp_max": lambda evaluation, arguments: evaluation.clamp(arguments, low=None, high=1),
    "round": _Pass.round,
    "label_replace": _Pass.label_replace,
}


def _not_for_query(kind: str) -> QueryError:
    return QueryError("bad_data", f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector')


def _range_of(node: Node) -> Selector:
    assert isinstance(node, Selector)  # the parser has checked the type
    return node


def _nameless(labels: Labels) -> Labels:
    if "__name__" not in labels:
        return labels
    return {name: value for name, value in labels.items() if name != "__name__"}


def _present(rows: Iterator[tuple[Labels, Column]] | Sequence[tuple[Labels, Column]]) -> list[tuple[Labels, Column]]:
    """Rows that have a sample at any step."""
    return [(labels, column) for labels, column in rows if any(value is not None for value in column)]
