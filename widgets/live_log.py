"""Lines that come in at the end: followed while one looks at the end, left where one reads otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.painting import LineWidget, blank
from widgets.table_columns import Cell
from widgets.table_paint import cell_segments, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class LiveLog(LineWidget, ScrollView, can_focus=True):
    """Only lines in sight are drawn. At its end it stays at its end; Home and End leave it and come back to it."""

    DEFAULT_CSS = """
    LiveLog { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; overflow: auto auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "lines(1)", "down", id="log.down", show=False, tooltip="a line down"),
        Binding("k,up", "lines(-1)", "up", id="log.up", show=False, tooltip="a line up"),
        Binding("l,right", "pan(1)", "right", id="log.right", show=False, tooltip="to the right"),
        Binding("h,left", "pan(-1)", "left", id="log.left", show=False, tooltip="to the left"),
        Binding("g,home", "ends(0)", "first", id="log.first", show=False, tooltip="to the first line"),
        Binding("G,end", "ends(1)", "last", id="log.last", show=False, tooltip="to the last line"),
        Binding("ctrl+f,pagedown,space", "page(1)", "page down", id="log.page_down", show=False, tooltip="a page on"),
        Binding("ctrl+b,pageup", "page(-1)", "page up", id="log.page_up", show=False, tooltip="a page back"),
    ]  # fmt: skip

    class Followed(Message):
        """Whether the end is followed has changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Cell] = ()
        self._dropped = 0
        self._following = True
        self._widest = 0

    @property
    def following(self) -> bool:
        """Whether it stays at its end when lines come."""
        return self._following

    @property
    def lines(self) -> Sequence[Cell]:
        """What it holds."""
        return self._lines

    def show(self, lines: Sequence[Cell], dropped: int = 0) -> None:
        """Show these lines; `dropped` is how many before them are not kept: who reads back stays at their place."""
        gone = max(0, dropped - self._dropped)
        same = min(len(self._lines) - gone, len(lines)) if gone or len(lines) >= len(self._lines) else 0
        fresh = lines[max(0, same) :]
        self._widest = max(self._widest if same else 0, max((_width(line) for line in fresh), default=0))
        self._lines, self._dropped = lines, dropped
        self.virtual_size = Size(self._widest, len(lines))
        if not self.is_attached:
            # Its first size brings it to its end.
            return
        if self._following:
            self._to_end()
            # How far its end is away is known once the scrollbars are there.
            self.call_after_refresh(self._to_end)
        elif gone:
            self.scroll_to(y=max(0, self.scroll_y - gone), animate=False, immediate=True)
        self.repaint()

    def draw_line(self, y: int, width: int) -> Strip:
        """One line, from the scroll offset on."""
        index = round(self.scroll_y) + y
        base = self.base_style()
        if index >= len(self._lines):
            return blank(width, base)
        line = self._lines[index]
        segments = cell_segments(line, max(width, _width(line)), "left", base, self.ink)
        left = round(self.scroll_x)
        return Strip(segments).crop_extend(left, left + width, base)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Repaint what differs."""
        if self.show_horizontal_scrollbar:
            self.horizontal_scrollbar.position = new_value
        self.repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint what differs."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        self.repaint()

    def on_resize(self) -> None:
        """A new size has another end."""
        super().on_resize()
        self._to_end()

    def action_lines(self, lines: int) -> None:
        """Some lines down, or up."""
        self._go(self.scroll_y + lines)

    def action_page(self, pages: int) -> None:
        """A page down, or up."""
        self._go(self.scroll_y + pages * max(1, self.size.height - 1))

    def action_pan(self, steps: int) -> None:
        """To the right, or left."""
        self.scroll_to(x=self.scroll_x + steps * 16, animate=False)

    def action_ends(self, last: int) -> None:
        """To the first line, or the last."""
        self._go(self.max_scroll_y if last else 0)

    def on_mouse_scroll_up(self) -> None:
        """Who turns the wheel back wants to read."""
        self._follow(False)

    def on_mouse_scroll_down(self) -> None:
        """At the end it is followed again."""
        self.call_after_refresh(lambda: self._follow(self.scroll_y >= self.max_scroll_y))

    def _to_end(self) -> None:
        if self._following:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def _go(self, y: float) -> None:
        self.scroll_to(y=y, animate=False, immediate=True)
        self._follow(y >= self.max_scroll_y)

    def _follow(self, following: bool) -> None:
        if following is not self._following:
            self._following = following
            self.post_message(self.Followed())


def _width(line: Cell) -> int:
    return width_of(line if isinstance(line, str) else line.plain)
