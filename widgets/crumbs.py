"""Where one is, and the way back: `overview › cache › cache-02`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget
from widgets.table_paint import clean, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip


class Crumbs(LineWidget):
    """One line; a click on a crumb asks to go back there."""

    DEFAULT_CSS = "Crumbs { height: 1; }"

    class Clicked(Message):
        """Back to the crumb of this number, 0 being the first."""

        def __init__(self, crumbs: Crumbs, number: int) -> None:
            self.crumbs = crumbs
            self.number = number
            super().__init__()

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._names: tuple[str, ...] = ()

    def show(self, names: Sequence[str]) -> None:
        """The names from the outermost to where one is."""
        self._names = tuple(names)
        self.repaint()

    def draw_line(self, y: int, width: int) -> Strip:
        """The only line. Where it does not fit, the outer crumbs give way: the last says where one is."""
        if y:
            return self.content_strip("", width)
        parts: list[Content | tuple[str, str]] = []
        first = self._first(width)
        if first:
            parts.append((f"{glyphs().ellipsis} {glyphs().separator} ", ink.MUTED))
        for number, name in enumerate(self._names[first:], first):
            last = number == len(self._names) - 1
            if number > first:
                parts.append((f" {glyphs().separator} ", ink.MUTED))
            parts.append((clean(name), f"{ink.ACCENT} bold" if last else ink.MUTED))
        return self.content_strip(Content.assemble(" ", *parts), width)

    def _first(self, width: int) -> int:
        first = 0
        while first < len(self._names) - 1 and self._length(first) > width:
            first += 1
        return first

    def _length(self, first: int) -> int:
        names = self._names[first:]
        return 1 + sum(width_of(name) for name in names) + 3 * (len(names) - 1) + (4 if first else 0)

    def on_click(self, event: events.Click) -> None:
        """Which crumb was it?"""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        first = self._first(self.size.width)
        x = 1 + (4 if first else 0)
        for number, name in enumerate(self._names[first:], first):
            if x <= offset.x < x + width_of(name):
                self.post_message(self.Clicked(self, number))
                return
            x += width_of(name) + 3
