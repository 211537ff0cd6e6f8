"""The difference between what a terminal shows and what it should show, in as few bytes as its cursor allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from farmtui.term.cells import BLANK, MAX_CLUSTER, REACH, split_cells
from farmtui.term.pen import LINK, PLAIN, change_pen

__all__ = ["Painter"]

SYNC_START: Final = "\x1b[?2026h"
SYNC_END: Final = "\x1b[?2026l"

_LONGEST_GAP: Final = 4
"""Cells that may be cheaper to send again than to step over: a step right costs three to five bytes."""

Rows = list[list[str]]


class Painter:
    """Two screens of cells, the wanted and the shown, and the way from one to the other.

    `put` and `resize` change the wanted one at any time; `frame` gives the bytes that make the shown one equal to
    it and takes them as sent, so the caller must send them, in order, before asking again. `width` and `height` are
    in cells; rows and columns count from 0.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._cells: Rows = _filled(BLANK, width, height)
        self._pens: Rows = _filled(PLAIN, width, height)
        self._shown_cells: Rows = []
        self._shown_pens: Rows = []
        self._sources: list[dict[int, tuple[int, object]]] = [{} for _ in range(height)]
        """Per row and column: where the part put there ends, and what it was made from."""
        self._dirty: set[int] = set()
        self._known = False
        """Is it known what the terminal shows?"""
        self._pen = PLAIN
        self._row: int | None = None
        self._column: int | None = None

    def resize(self, width: int, height: int) -> None:
        """Give the wanted screen another size, keeping what fits; the terminal is then cleared and repainted."""
        if (width, height) == (self.width, self.height):
            return
        for y in range(self.height):
            self._mend(y, width)
        for rows, blank in ((self._cells, BLANK), (self._pens, PLAIN)):
            del rows[height:]
            rows.extend(_filled(blank, width, height - len(rows)))
            for row in rows:
                del row[width:]
                row.extend([blank] * (width - len(row)))
        self.width, self.height = width, height
        self._sources = [{} for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Take it that the terminal shows anything at all: the next frame clears it and sends every cell."""
        self._known = False

    def holds(self, y: int, x: int, source: object) -> bool:
        """Is what was put at column `x` of row `y` made from this very `source`, and whole?"""
        return 0 <= y < self.height and x in (row := self._sources[y]) and row[x][1] is source

    def put(
        self, y: int, x: int, width: int, segments: Sequence[tuple[str, str]], *, source: object | None = None
    ) -> None:
        """Want `segments`, pairs of text and pen, from column `x` of row `y`, in at most `width` cells.

        What reaches outside the screen is cut; half of a wide character left behind becomes a blank. `source` is an
        immutable value that the segments were made from: while `holds` says yes, they need not be made again.
        """
        width = min(width, self.width - x)
        if not 0 <= y < self.height or x < 0 or width <= 0:
            return
        cells: list[str] = []
        pens: list[str] = []
        for text, pen in segments:
            if text.isascii() and text.isprintable():
                cells.extend(text)
            else:
                leading, more = split_cells(text)
                if leading and cells:
                    _combine(cells, leading)
                cells.extend(more)
            pens.extend([pen] * (len(cells) - len(pens)))
        if len(cells) > width:
            _cut(cells, width)
            del pens[width:]
        end = x + len(cells)
        if self._cells[y][x:end] != cells or self._pens[y][x:end] != pens:
            self._mend(y, x)
            self._mend(y, end)
            self._cells[y][x:end] = cells
            self._pens[y][x:end] = pens
            self._dirty.add(y)
        self._overwrite(y, x, end)
        if source is not None:
            self._sources[y][x] = end, source

    def _mend(self, y: int, x: int) -> None:
        """Blank the wanted wide character that column `x` cuts in two, if it does."""
        row = self._cells[y]
        if 0 < x < self.width and row[x] == "":
            start, end = x - 1, x
            while row[start] == "":
                start -= 1
            while end < self.width and row[end] == "":
                end += 1
            row[start:end] = [BLANK] * (end - start)
            self._overwrite(y, start, end)

    def _overwrite(self, y: int, start: int, end: int) -> None:
        """Forget what the parts were made from that these columns touch."""
        sources = self._sources[y]
        for x in [x for x, (until, _) in sources.items() if x < end and start < until]:
            del sources[x]

    def row(self, y: int) -> list[tuple[str, str]]:
        """The wanted cells of row `y` with their pens: a wide character is followed by cells that are ""."""
        return list(zip(self._cells[y], self._pens[y], strict=True))

    def frame(self, cursor: tuple[int, int] = (0, 0), *, sync: bool = False) -> str:
        """What to send so that the terminal shows the wanted screen, its cursor at `cursor` (column, row).

        "" if it shows it already. With `sync` the terminal is asked to show the change at once.
        """
        out: list[str] = []
        if not self._known:
            if LINK in self._pen:
                out.append(change_pen(self._pen, PLAIN))
            # The pen goes first: a terminal that erases in the current background would fill the screen with it.
            out.append("\x1b[m\x1b[2J")
            self._shown_cells = _filled(BLANK, self.width, self.height)
            self._shown_pens = _filled(PLAIN, self.width, self.height)
            self._dirty = set(range(self.height))
            self._pen, self._row, self._column = PLAIN, None, None
            self._known = True
        for y in sorted(self._dirty):
            if self._cells[y] != self._shown_cells[y] or self._pens[y] != self._shown_pens[y]:
                self._paint_row(y, out)
                self._shown_cells[y][:] = self._cells[y]
                self._shown_pens[y][:] = self._pens[y]
        self._dirty.clear()
        column, row = (min(cursor[0], self.width - 1), min(cursor[1], self.height - 1))
        if (row, column) != (self._row, self._column):
            self._move(row, column, out)
        painted = "".join(out)
        return f"{SYNC_START}{painted}{SYNC_END}" if sync and painted else painted

    def _paint_row(self, y: int, out: list[str]) -> None:
        cells, pens = self._cells[y], self._pens[y]
        shown_cells, shown_pens = self._shown_cells[y], self._shown_pens[y]
        width = self.width
        doubtful_until = 0
        x = 0
        while x < width:
            if x >= doubtful_until and cells[x] == shown_cells[x] and pens[x] == shown_pens[x]:
                x += 1
                continue
            while cells[x] == "":
                x -= 1
            if self._row != y or self._column != x:
                self._move(y, x, out, shown=True)
            pen = pens[x]
            if pen != self._pen:
                out.append(change_pen(self._pen, pen))
                self._pen = pen
            if REACH[cells[x]]:
                end = _end(cells, x)
                doubtful_until = max(doubtful_until, x + REACH[cells[x]], end)
                self._paint_doubtful(y, x, end, out)
                x = end
                continue
            # A run of the same pen, as long as cells differ.
            while True:
                cell = cells[x]
                out.append(cell)
                x += 1
                while x < width and cells[x] == "":
                    x += 1
                if (
                    x >= width
                    or pens[x] != pen
                    or REACH[cells[x]]
                    or (x >= doubtful_until and cells[x] == shown_cells[x] and pens[x] == shown_pens[x])
                ):
                    break
            # Past the last column a terminal stays on it, or waits to wrap: which, nobody knows.
            self._column = x if x < width else None

    def _paint_doubtful(self, y: int, x: int, end: int, out: list[str]) -> None:
        """Send a cluster on whose width terminals disagree, with the cursor already on it.

        The cells it should fill are blanked first, for terminals that draw it narrower; afterwards the cursor is put
        by address, and the caller sends again what a terminal that draws it wider has overwritten.
        """
        if end - x > 1:
            out.append(BLANK * (end - x))
            out.append(_address(y, x))
        out.append(self._cells[y][x])
        self._row = self._column = None
        left = x - 1
        while left > 0 and self._cells[y][left] == "":
            left -= 1
        if end == self.width and end - x == 1 and x and not REACH[self._cells[y][left]]:
            # With no room to its right, a terminal that draws it wide may have moved it to the left.
            pen = self._pens[y][left]
            out.extend((_address(y, left), change_pen(self._pen, pen), self._cells[y][left]))
            self._pen, self._row, self._column = pen, y, x

    def _move(self, y: int, x: int, out: list[str], *, shown: bool = False) -> None:
        """Bring the cursor to row `y`, column `x` by the shortest way; with `shown`, also by sending cells again."""
        ways = [_address(y, x)]
        row, column = self._row, self._column
        if row == y:
            ways.append(f"\x1b[{x + 1}G" if x else "\r")
            if column is not None and x < column:
                ways.append("\b" * (column - x) if column - x < 4 else f"\x1b[{column - x}D")
            elif column is not None:
                ways.append(_right(x - column))
                if shown and x - column <= _LONGEST_GAP:
                    again = self._again(y, column, x)
                    if again is not None:
                        ways.append(again)
        elif row is not None and row < y and y - row < 4:
            down = "\r" + "\n" * (y - row)
            ways.append(down + _right(x) if x else down)
        if row is not None and column == x:
            ways.append(f"\x1b[{y + 1}d")
        out.append(min(ways, key=len))
        self._row, self._column = y, x

    def _again(self, y: int, start: int, end: int) -> str | None:
        """The cells of a gap, which the terminal shows already, if sending them again needs no other pen."""
        cells = self._cells[y][start:end]
        if any(pen != self._pen for pen in self._pens[y][start:end]):
            return None
        if not all(cell.isascii() and cell for cell in cells):
            return None
        return "".join(cells)


def _filled(cell: str, width: int, height: int) -> Rows:
    return [[cell] * width for _ in range(height)]


def _combine(cells: list[str], marks: str) -> None:
    """Let `marks` combine with the last cluster of `cells`."""
    last = len(cells) - 1
    while cells[last] == "":
        last -= 1
    cells[last] = (cells[last] + marks)[:MAX_CLUSTER]


def _cut(cells: list[str], width: int) -> None:
    """Keep `width` cells; what is left of a character that does not fit becomes blank."""
    split = cells[width] == ""
    del cells[width:]
    while split and cells:
        split = cells[width - 1] == ""
        width -= 1
        cells[width] = BLANK


def _end(cells: list[str], x: int) -> int:
    """The column after the cluster that starts at `x`."""
    end = x + 1
    while end < len(cells) and cells[end] == "":
        end += 1
    return end


def _address(y: int, x: int) -> str:
    if x:
        return f"\x1b[{y + 1};{x + 1}H" if y else f"\x1b[;{x + 1}H"
    return f"\x1b[{y + 1}H" if y else "\x1b[H"


def _right(columns: int) -> str:
    return f"\x1b[{columns}C" if columns > 1 else "\x1b[C"
