"""The one-line parts around every screen: status, navigation, hints. Each repaints only when its text differs."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget


class Line(Widget):
    """One line of styled text, cut at the right edge; `right` is kept and the left text gives way."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._left = Text()
        self._right = Text()

    def show(self, left: Text, right: Text | None = None) -> None:
        """Show `left`, and `right` aligned to the right edge."""
        right = right or Text()
        if (left, left.spans, right, right.spans) == (self._left, self._left.spans, self._right, self._right.spans):
            return
        self._left, self._right = left, right
        self.refresh()

    @property
    def text(self) -> str:
        """What it shows, as plain text."""
        return f"{self._left.plain} {self._right.plain}".strip()

    def render_line(self, y: int) -> Strip:
        """The line as a strip of exactly its width."""
        width = self.size.width
        base = self.rich_style
        if y > 0:
            return Strip.blank(width, base)
        right = self._right.copy()
        left = self._left.copy()
        room = width - right.cell_len - (1 if right.cell_len else 0)
        if room < left.cell_len and right.cell_len > width // 2:
            right.truncate(max(0, width // 2), overflow="ellipsis")
            room = width - right.cell_len - 1
        left.truncate(max(0, room), overflow="ellipsis")
        gap = width - left.cell_len - right.cell_len
        console = self.app.console
        segments = [
            *self._segments(left, console, base),
            Segment(" " * max(0, gap), base),
            *self._segments(right, console, base),
        ]
        return Strip(segments).adjust_cell_length(width, base)

    @staticmethod
    def _segments(text: Text, console: object, base: Style) -> list[Segment]:
        text.end = ""
        text.no_wrap = True
        rendered = text.render(console)  # type: ignore[arg-type]
        return [Segment(s.text, base + s.style if s.style else base, s.control) for s in rendered]


class ClickableLine(Line):
    """A line whose parts can be clicked: each span's meta `place` is posted."""

    class Chosen(Message):
        """Somebody clicked the part with this name."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def on_click(self, event: Click) -> None:
        """Post what lies under the pointer."""
        name = event.style.meta.get("place")
        if isinstance(name, str):
            self.post_message(self.Chosen(name))
