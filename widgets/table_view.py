"""Which rows a live table shows, in which order; worked out in short slices: 50,000 rows never stall a key."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

R = TypeVar("R")

CHUNK = 2048
"""Rows handled between two points where the event loop may take over: about 1 to 3 ms of work."""


FILTER_CHUNK = 256
"""As above for filtering, where a row's cells may all have to be rendered for their text."""


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `View[...]()`
class View(Generic[R]):
    """The rows as they are shown. `rows` and `keys` are parallel; `total` counts the rows before the filter."""

    rows: Sequence[R]
    keys: Sequence[Hashable]
    total: int


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `Order[...]()`
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

    Without it each keystroke at the `/` prompt would render all cells of all rows again. Texts are kept by the
    rows' ids, and the rows beside them, so that no id can pass to another object meanwhile; a tuple for each pair
    would keep the garbage collector busy for longer than a key may take.
    """

    def __init__(self, make: Callable[[R], str]) -> None:
        self._make = make
        self._known: dict[int, str] = {}
        self._before: dict[int, str] = {}
        self._rows: Sequence[R] = ()
        self._rows_before: Sequence[R] = ()

    def of(self, row: R) -> str:
        """The text of one of the rows that `renew` was given last."""
        text = self._known.get(id(row))
        if text is None:
            text = self._before.get(id(row))
            if text is None:
                text = self._make(row)
            self._known[id(row)] = text
        return text

    def renew(self, rows: Sequence[R]) -> None:
        """New rows have come: keep the texts of this generation for rows that came unchanged, drop older ones."""
        self._before, self._known = self._known, {}
        # Rows of the last generation are held only while a filter has texts of them: they may be most of a farm.
        self._rows_before, self._rows = (self._rows if self._before else ()), rows

    def forget(self) -> None:
        """Texts are made otherwise now."""
        self._before, self._known = {}, {}


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
        text_of = texts.of
        for start in range(0, len(rows), FILTER_CHUNK):
            kept.extend(row for row in rows[start : start + FILTER_CHUNK] if predicate(text_of(row), row))
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
