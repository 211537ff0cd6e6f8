"""PromQL's binary operators over columns: arithmetic, comparison, set operations, and how two vectors match."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

from farmtui.demo.promql.series import Column, Labels
from farmtui.demo.promql.syntax import Binary, Matching, QueryError

Rows = Sequence[tuple[Labels, Column]]
_Key = tuple[tuple[str, str], ...]


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _modulo(a: float, b: float) -> float:
    return math.fmod(a, b) if b and math.isfinite(a) else math.nan


def _power(a: float, b: float) -> float:
    try:
        result = a**b
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return result if isinstance(result, float) else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def scalar_operation(name: str) -> Callable[[float, float], float]:
    """An operator between two scalars; comparisons give 0 or 1."""
    if name in ARITHMETIC:
        return ARITHMETIC[name]
    compare = COMPARE[name]
    return lambda a, b: float(compare(a, b))


def with_scalar(node: Binary, rows: Rows, scalars: Sequence[float], *, swapped: bool) -> Rows:
    """A vector and a scalar; `swapped` when the scalar stands on the left."""
    calculate = _calculation(node, keep_second=swapped)
    keeps_name = node.operator in COMPARE and not node.returns_bool
    results: list[tuple[Labels, Column]] = []
    for labels, column in rows:
        if swapped:
            values = [None if v is None else calculate(s, v) for v, s in zip(column, scalars, strict=True)]
        else:
            values = [None if v is None else calculate(v, s) for v, s in zip(column, scalars, strict=True)]
        results.append((labels if keeps_name else _without(labels, ("__name__",)), values))
    return results


def with_vector(node: Binary, left: Rows, right: Rows) -> Rows:
    """Two vectors. Raises QueryError (execution) where the match is not unique, as Prometheus does."""
    matching = node.matching
    many, one = (right, left) if matching.group == "right" else (left, right)
    side = "left" if matching.group == "right" else "right"
    partners = _unique(one, matching, side)
    if not matching.group:
        many = list(_unique(many, matching, "left").values())
    calculate = _calculation(node, keep_second=False)
    results: list[tuple[Labels, Column]] = []
    for labels, column in many:
        partner = partners.get(_key(labels, matching))
        if partner is None:
            continue
        mine, theirs = (partner[1], column) if matching.group == "right" else (column, partner[1])
        values = [None if a is None or b is None else calculate(a, b) for a, b in zip(mine, theirs, strict=True)]
        results.append((_result_labels(node, labels, partner[0]), values))
    return results


def set_operation(node: Binary, left: Rows, right: Rows) -> Rows:
    """`and`, `or` and `unless`, decided at each step."""
    matching = node.matching
    steps = len((left or right)[0][1]) if left or right else 0
    if node.operator == "or":
        present = _presence(left, matching, steps)
        return [
            *left,
            *((labels, _masked(column, present.get(_key(labels, matching)), False)) for labels, column in right),
        ]
    present = _presence(right, matching, steps)
    wanted = node.operator == "and"
    return [(labels, _masked(column, present.get(_key(labels, matching)), wanted)) for labels, column in left]


def _presence(rows: Rows, matching: Matching, steps: int) -> dict[_Key, list[bool]]:
    present: dict[_Key, list[bool]] = {}
    for labels, column in rows:
        seen = present.setdefault(_key(labels, matching), [False] * steps)
        for step, value in enumerate(column):
            if value is not None:
                seen[step] = True
    return present


def _masked(column: Column, seen: list[bool] | None, wanted: bool) -> Column:
    if seen is None:
        return [None] * len(column) if wanted else column
    return [value if here is wanted else None for value, here in zip(column, seen, strict=True)]


def _calculation(node: Binary, *, keep_second: bool) -> Callable[[float, float], float | None]:
    if node.operator in ARITHMETIC:
        return ARITHMETIC[node.operator]
    compare = COMPARE[node.operator]
    if node.returns_bool:
        return lambda a, b: float(compare(a, b))
    if keep_second:
        return lambda a, b: b if compare(a, b) else None
    return lambda a, b: a if compare(a, b) else None


def _key(labels: Labels, matching: Matching) -> _Key:
    if matching.on:
        return tuple([(name, labels.get(name, "")) for name in sorted(matching.labels)])
    dropped = matching.labels
    return tuple(sorted([item for item in labels.items() if item[0] != "__name__" and item[0] not in dropped]))


def _unique(rows: Rows, matching: Matching, side: str) -> dict[_Key, tuple[Labels, Column]]:
    """Rows by their key. Two rows of one key are joined where they never have a value at the same step."""
    found: dict[_Key, tuple[Labels, Column]] = {}
    for labels, column in rows:
        key = _key(labels, matching)
        known = found.get(key)
        if known is None:
            found[key] = (labels, column)
            continue
        if any(a is not None and b is not None for a, b in zip(known[1], column, strict=True)):
            shown = ", ".join(f'{name}="{value}"' for name, value in key)
            raise QueryError(
                "execution",
                f"found duplicate series for the match group {{{shown}}} on the {side} hand-side of the operation;"
                "many-to-many matching not allowed: matching labels must be unique on one side",
            )
        merged = [b if a is None else a for a, b in zip(known[1], column, strict=True)]
        found[key] = (known[0], merged)
    return found


def _result_labels(node: Binary, labels: Labels, partner: Labels) -> Labels:
    matching = node.matching
    drops_name = node.operator in ARITHMETIC or node.returns_bool
    result = _without(labels, ("__name__",)) if drops_name else labels
    if not matching.group:
        if matching.on:
            return {name: value for name, value in result.items() if name in matching.labels}
        return _without(result, matching.labels)
    if not matching.include:
        return result
    extended = {name: value for name, value in result.items() if name not in matching.include}
    extended.update({name: partner[name] for name in matching.include if name in partner})
    return dict(sorted(extended.items()))


def _without(labels: Labels, names: Sequence[str]) -> Labels:
    if not any(name in labels for name in names):
        return labels
    return {name: value for name, value in labels.items() if name not in names}
