"""Names and values in aligned lines: what is known of one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

from widgets import ink
from widgets.painting import LineWidget
from widgets.table_columns import GAP, Cell
from widgets.table_paint import cell_segments, fit, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NAME = 24


class KeyValue(LineWidget):
    """Pairs, in one or several columns, read downwards. Its height is that of its pairs."""

    DEFAULT_CSS = "KeyValue { height: auto; }"

    def __init__(self, *, columns: int = 1, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._columns = max(1, columns)
        self._pairs: tuple[tuple[str, Cell], ...] = ()

    def show(self, pairs: Sequence[tuple[str, Cell]]) -> None:
        """Show these; a pair with an empty name continues the one above."""
        resized = len(pairs) != len(self._pairs)
        self._pairs = tuple(pairs)
        if resized:
            self.refresh(layout=True)
        self.repaint()

    @property
    def _height(self) -> int:
        return -(-len(self._pairs) // self._columns)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """A line for each pair, or fewer in several columns."""
        return self._height

    def draw_line(self, y: int, width: int) -> Strip:
        """The pairs of one line."""
        base = self.base_style()
        cell_width = (width - GAP * (self._columns - 1)) // self._columns
        segments: list[Segment] = []
        for column in range(self._columns):
            index = column * self._height + y
            if y >= self._height or index >= len(self._pairs):
                continue
            if column:
                segments.append(Segment(" " * GAP, base))
            own = self._pairs[column * self._height : (column + 1) * self._height]
            name_width = min(LONGEST_NAME, max((width_of(name) for name, _ in own), default=0), max(4, cell_width // 2))
            name, value = self._pairs[index]
            segments.append(Segment(fit(name, name_width), base + self.ink(ink.MUTED)))
            segments.append(Segment("  ", base))
            room = max(0, cell_width - name_width - 2)
            segments.extend(cell_segments(value, room, "left", base, self.ink))
        return Strip(segments).adjust_cell_length(width, base)
