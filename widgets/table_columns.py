"""Columns of a live table: how they are declared, and which of them fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.text import Text
    from textual.content import Content

R = TypeVar("R")

Cell: TypeAlias = "str | Text | Content"
"""What a cell shows. A `str` is plain text: it is never parsed as markup."""

Align = Literal["left", "right", "center"]

GAP = 2
"""Blank cells between two columns."""

SQUEEZED_WIDTH = 8


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `Column[...]()`
class Column(Generic[R]):
    """One column. Widths are in cells.

    A column gets `width` cells when they are there, and no less than `min_width`. With `flex` it shares what is
    left over with the other flexible columns, in proportion. When not even the least widths fit, columns are
    hidden: the largest `priority` first, the rightmost among equals; priority 0 is never hidden. Only when there
    is nothing left to hide are flexible columns squeezed further: a cut name is worse than a missing column.
    """

    key: str
    title: str
    cell: Callable[[R], Cell]
    width: int = 10
    min_width: int | None = None
    """None: as `width`."""
    flex: int = 0
    align: Align = "left"
    priority: int = 1
    sort: Callable[[R], Any] | None = None
    """The sort key; None makes the column unsortable. A key of None or NaN sorts last in both directions."""
    descending: bool = False
    """Whether the first sort by it is descending: for figures whose largest value matters most."""
    help: str = ""
    """One sentence on what the figure is and where it comes from, for `?`."""

    @property
    def least(self) -> int:
        """The width below which another column is hidden rather than this one squeezed."""
        return self.width if self.min_width is None else self.min_width

    @property
    def squeezed(self) -> int:
        """The width that is left to it when nothing can be hidden any more."""
        return min(self.least, SQUEEZED_WIDTH) if self.flex else self.least


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `Placed[...]()`
class Placed(Generic[R]):
    """A column with its place: `x` is its first cell, after the table's gutter."""

    column: Column[R]
    x: int
    width: int


def place(columns: Sequence[Column[R]], available: int, *, hide: bool = True) -> tuple[Placed[R], ...]:
    """Lay columns out in `available` cells. Without `hide` all are kept, and may reach beyond."""
    shown = list(columns)
    while hide and len(shown) > 1 and _least(shown) > available:
        # max() takes the first of equals: from the right, that is the rightmost.
        victim = max(reversed(shown), key=lambda column: column.priority)
        if victim.priority <= 0:
            break
        shown.remove(victim)
    widths = _widths(shown, available)
    placed: list[Placed[R]] = []
    x = 0
    for column, width in zip(shown, widths, strict=True):
        placed.append(Placed(column, x, width))
        x += width + GAP
    return tuple(placed)


def _least(columns: Sequence[Column[R]]) -> int:
    return sum(column.least for column in columns) + GAP * (len(columns) - 1)


def _widths(columns: Sequence[Column[R]], available: int) -> list[int]:
    widths = [column.least for column in columns]
    spare = available - _least(columns)
    if spare < 0:
        return _squeezed(columns, widths, -spare)
    for position, column in enumerate(columns):
        grown = max(0, min(column.width - widths[position], spare))
        widths[position] += grown
        spare -= grown
    shares = sum(column.flex for column in columns)
    if spare <= 0 or not shares:
        return widths
    rest = spare
    for position, column in enumerate(columns):
        if column.flex:
            given = rest * column.flex // shares
            widths[position] += given
            rest -= given
            shares -= column.flex
    return widths


def _squeezed(columns: Sequence[Column[R]], widths: list[int], missing: int) -> list[int]:
    """Take the missing cells from flexible columns, one by one from whichever is widest."""
    while missing > 0:
        soft = [at for at, column in enumerate(columns) if widths[at] > column.squeezed]
        if not soft:
            break
        widest = max(soft, key=widths.__getitem__)
        widths[widest] -= 1
        missing -= 1
    return widths
