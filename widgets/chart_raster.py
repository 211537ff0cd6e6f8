"""Lines as dots: each column of dots holds the least and the largest value that fall into it, so no peak is lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP_STEPS = 2.5
"""Points further apart than this many usual steps are not joined: nothing was measured between them."""

_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a braille cell, by row from the top and column."""
BRAILLE_RUNS = tuple(
    tuple(tuple(sum(_BRAILLE[row][side] for row in range(top, bottom + 1)) for bottom in range(4)) for top in range(4))
    for side in range(2)
)
"""Bits of a run of dots in a braille cell, by its column, its top row and its bottom row."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which values stand where. Times in Unix seconds; `columns` and `rows` count dots."""

    end: float
    span_s: float
    low: float
    high: float
    columns: int
    rows: int

    @property
    def bucket_s(self) -> float:
        """The time that one column of dots covers."""
        return self.span_s / self.columns

    def first_bucket(self) -> int:
        """The number of the leftmost column, counted in whole buckets from the epoch.

        So a point always falls into the same bucket, and the picture moves by whole columns as time goes on.
        """
        return int(self.end // self.bucket_s) - self.columns + 1

    def row(self, value: float) -> int:
        """The row of dots of a value, 0 at the top; what is beyond the axis stands at its edge."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        share = 0.0 if share < 0.0 else min(share, 1.0)
        return self.rows - 1 - int(share * (self.rows - 1) + 0.5)


Runs = dict[int, tuple[int, int]]
"""By column of dots: the topmost and the lowest row of the line there."""


def usual_step(times: Sequence[float]) -> float:
    """The usual distance of two points in seconds; 0 for fewer than two."""
    if len(times) < 2:
        return 0.0
    sample = times[-50:]
    return float(median(after - before for before, after in itertools.pairwise(sample)))


def runs_of(times: Sequence[float], values: Sequence[float | None], window: Window) -> Runs:
    """Where a line runs. None and NaN break it, and so does a time without points."""
    bucket_s, first, columns, rows = window.bucket_s, window.first_bucket(), window.columns, window.rows
    low, scale = window.low, (rows - 1) / ((window.high - window.low) or 1.0)
    top_row = rows - 1
    longest = max(GAP_STEPS * usual_step(times), GAP_STEPS * bucket_s)
    runs: Runs = {}
    was_column: int | None = None
    was_row = 0
    was_time = 0.0
    for time, value in zip(times, values, strict=False):
        if value is None or value != value:  # NaN alone differs from itself
            was_column = None
            continue
        column = int(time // bucket_s) - first
        if column < 0 or column >= columns:
            was_column = None
            continue
        height = (value - low) * scale
        row = top_row - int((0.0 if height < 0.0 else min(height, top_row)) + 0.5)
        if was_column is None or time - was_time > longest:
            before = runs.get(column)
            runs[column] = (row, row) if before is None else (min(before[0], row), max(before[1], row))
        else:
            _join(runs, was_column, was_row, column, row)
        was_column, was_row, was_time = column, row, time
    return runs


def _join(runs: Runs, from_column: int, from_row: int, to_column: int, to_row: int) -> None:
    """Draw from one point to the next; a steep step is a vertical run in the column where it ends."""
    width = to_column - from_column
    last = from_row
    for column in range(from_column + 1, to_column) if width > 1 else ():
        row = from_row + round((to_row - from_row) * (column - from_column) / width)
        runs[column] = (min(last, row), max(last, row))
        last = row
    top, bottom = (last, to_row) if last < to_row else (to_row, last)
    before = runs.get(to_column)
    if before is not None:
        top, bottom = min(top, before[0]), max(bottom, before[1])
    elif width > 0 and top != bottom:
        # The run need not touch the former column's row twice.
        top, bottom = (top, bottom - 1) if last > to_row else (top + 1, bottom)
    runs[to_column] = (top, bottom)
