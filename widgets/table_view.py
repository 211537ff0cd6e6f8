"""Which rows a live table shows, in which order; worked out in short slices: 50,000 rows never stall a key."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

R = TypeVar("R")

CHUNK = 2048
"""Rows handled between two points where the event loop may take over: about 1 to 3 ms of work."""


@dataclass(frozen=True, slots=True)
class View(Generic[R]):
    """The rows as they are shown. `rows` and `keys` are parallel; `total` counts the rows before the filter."""

    rows: Sequence[R]
    keys: Sequence[Hashable]
    total: int


@dataclass(frozen=True, slots=True)
class Order(Generic[R]):
    """What to sort by; `key` None keeps the order in which the rows were given."""

    key: Callable[[R], Any] | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one stands in a view: the cursor's row and the row at the top, both counted from 0.

    `touched` says whether a person has moved the cursor since it was last put at the top.
    """

    cursor: int = 0
    top: int = 0
    touched: bool = False


def position_of(keys: Sequence[Hashable], key: Hashable, hint: int) -> int | None:
    """Where a key is; `hint` is where it was, which is mostly where it still is."""
    if 0 <= hint < len(keys) and keys[hint] == key:
        return hint
    try:
        return keys.index(key)
    except ValueError:
        return None


def stick(before: Sequence[Hashable], after: Sequence[Hashable], stand: Stand, height: int) -> Stand:
    """Where one stands once the keys `before` have become `after`, in a window of `height` rows.

    A cursor in sight stays on its key and on its line of the window. One that was scrolled away stays on its key,
    and the window stays on the key at its top. At the very top the window stays there while the cursor remains in
    sight, since that is where what is new and bad comes in. A cursor whose key has gone takes the row that has
    come into its place; one that nobody has moved stays on the first row.
    """
    last = len(after) - 1
    if last < 0 or not stand.touched or not before:
        return Stand(touched=stand.touched)
    cursor = position_of(after, before[stand.cursor], stand.cursor)
    if cursor is None:
        cursor = min(stand.cursor, last)
    line = stand.cursor - stand.top
    if 0 <= line < height:
        top = 0 if stand.top == 0 and cursor < height else cursor - line
    else:
        anchor = position_of(after, before[min(stand.top, len(before) - 1)], stand.top)
        top = stand.top if anchor is None else anchor
    return Stand(cursor, max(0, min(top, len(after) - height)), stand.touched)


Predicate = Callable[[str, R], bool]
"""Gets the row's text and the row; says whether it is shown."""


class Texts(Generic[R]):
    """The text by which rows are filtered, made once per row object and kept while that object is shown.

    Without it each keystroke at the `/` prompt would render all cells of all rows again.
    """

    def __init__(self, make: Callable[[R], str]) -> None:
        self._make = make
        self._known: dict[int, tuple[R, str]] = {}
        self._before: dict[int, tuple[R, str]] = {}

    def of(self, row: R) -> str:
        """The row's text."""
        known = self._known.get(id(row)) or self._before.get(id(row))
        # An id alone may belong to another object by now, so the row itself is kept beside its text.
        if known is None or known[0] is not row:
            known = (row, self._make(row))
        self._known[id(row)] = known
        return known[1]

    def renew(self) -> None:
        """New rows have come: keep the texts of this generation for rows that came unchanged, drop older ones."""
        self._before, self._known = self._known, {}


def build(
    rows: Sequence[R],
    key: Callable[[R], Hashable],
    order: Order[R],
    predicate: Predicate[R] | None,
    texts: Texts[R],
) -> Iterator[View[R] | None]:
    """Filter and sort. Yields None wherever it may be interrupted, and the finished view last.

    Sorting is stable in both directions, so equal rows do not change places between two polls.
    """
    kept: list[R] = []
    if predicate is None:
        kept = list(rows)
    else:
        for start in range(0, len(rows), CHUNK):
            text_of = texts.of
            kept.extend(row for row in rows[start : start + CHUNK] if predicate(text_of(row), row))
            yield None
    if order.key is not None:
        for step in _sorted(kept, order.key, order.descending):
            if step is None:
                yield None
            else:
                kept = step
    keys: list[Hashable] = []
    for start in range(0, len(kept), 4 * CHUNK):
        keys.extend(map(key, kept[start : start + 4 * CHUNK]))
        yield None
    yield View(kept, keys, len(rows))


def _sorted(rows: list[R], key: Callable[[R], Any], descending: bool) -> Iterator[list[R] | None]:
    """Merge sort in slices: sorted runs, then pairs of runs, each step one call of the interpreter's own sort.

    That sort finds the two runs by itself and merges them in linear time, at C's speed.
    """
    values: list[Any] = []
    runs: list[list[int]] = []
    missing: list[int] = []
    for start in range(0, len(rows), CHUNK):
        run: list[int] = []
        for index, row in enumerate(rows[start : start + CHUNK], start):
            value = key(row)
            values.append(value)
            if value is None or (isinstance(value, float) and math.isnan(value)):
                missing.append(index)
            else:
                run.append(index)
        runs.append(_ordered(run, values, descending))
        yield None
    while len(runs) > 1:
        merged: list[list[int]] = []
        for position in range(0, len(runs), 2):
            pair = runs[position : position + 2]
            merged.append(pair[0] if len(pair) == 1 else _ordered(pair[0] + pair[1], values, descending))
            if len(pair[0]) >= CHUNK:
                yield None
        runs = merged
    yield [rows[index] for index in [*(runs[0] if runs else []), *missing]]


def _ordered(indices: list[int], values: list[Any], descending: bool) -> list[int]:
    try:
        return sorted(indices, key=values.__getitem__, reverse=descending)
    except TypeError:
        # Values of several types come from sources that disagree; a fixed order is better than none.
        return sorted(indices, key=lambda index: (type(values[index]).__name__, str(values[index])), reverse=descending)
