"""The one-line parts around every screen: status, navigation, hints. Each repaints only when its text differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.events import Click


class Line(Widget):
    """One line of styled text, cut at the right edge; the right part is kept and the left one gives way."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._left = Content()
        self._right = Content()

    def show(self, left: Content, right: Content | None = None) -> None:
        """Show `left`, and `right` aligned to the right edge."""
        right = right or Content()
        if left.is_same(self._left) and right.is_same(self._right):
            return
        self._left, self._right = left, right
        self.refresh()

    @property
    def text(self) -> str:
        """What it would show with room enough, as plain text."""
        return f"{self._left.plain} {self._right.plain}".strip()

    def render(self) -> Content:
        """Both parts, padded to the width."""
        width = self.size.width
        right = self._right
        if right.cell_length > width // 2 and right.cell_length + self._left.cell_length >= width:
            right = right.truncate(max(0, width // 2), ellipsis=True)
        room = width - right.cell_length - (1 if right.cell_length else 0)
        left = self._left.truncate(max(0, room), ellipsis=True)
        gap = max(0, width - left.cell_length - right.cell_length)
        return Content.assemble(left, " " * gap, right)


class ClickableLine(Line):
    """A line whose parts, made with `part`, post Chosen when they are clicked."""

    class Chosen(Message):
        """Somebody clicked the part with this name."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    @staticmethod
    def part(content: Content, name: str) -> Content:
        """Make a part clickable."""
        return content.stylize(Style.from_meta({"part": name}))

    def on_click(self, event: Click) -> None:
        """Post what lies under the pointer."""
        name = event.style.meta.get("part")
        if isinstance(name, str):
            self.post_message(self.Chosen(name))
