"""Raw data to read: JSON or text of any size, cleaned of control characters, drawn line by line."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget, blank
from widgets.table_paint import clean, width_of

MOST_LINES = 100_000
LONGEST_LINE = 2_000
DEEPEST = 40


def as_json(value: object) -> str:
    """Any domain value as indented JSON: dataclasses, enums, times and sets included; what is too deep is cut."""
    return json.dumps(_plain(value, 0), indent=2, ensure_ascii=False)


def _plain(value: object, depth: int) -> Any:
    if isinstance(value, Enum):
        return value.name  # before the numbers: a severity is one too
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if depth >= DEEPEST:
        return "..."
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), depth + 1) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item, depth + 1) for item in value), key=str)
    return str(value)


_JSON_LINE = re.compile(r'(\s*)("(?:[^"\\]|\\.)*")(\s*:\s*)(.*)')


class RawView(LineWidget, ScrollView, can_focus=True):
    """Scrolls over text; only the lines in sight are ever cut, cleaned and coloured."""

    DEFAULT_CSS = """
    RawView { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; overflow: auto auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "lines(1)", "down", id="raw.down", show=False, tooltip="a line down"),
        Binding("k,up", "lines(-1)", "up", id="raw.up", show=False, tooltip="a line up"),
        Binding("l,right", "pan(1)", "right", id="raw.right", show=False, tooltip="to the right"),
        Binding("h,left", "pan(-1)", "left", id="raw.left", show=False, tooltip="to the left"),
        Binding("g,home", "ends(0)", "first", id="raw.first", show=False, tooltip="to the first line"),
        Binding("G,end", "ends(1)", "last", id="raw.last", show=False, tooltip="to the last line"),
        Binding("ctrl+f,pagedown,space", "page(1)", "page down", id="raw.page_down", show=False, tooltip="a page on"),
        Binding("ctrl+b,pageup", "page(-1)", "page up", id="raw.page_up", show=False, tooltip="a page back"),
    ]

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._text_lines: list[str] = []
        self._is_json = False
        self.show(text)

    def show(self, text: str) -> None:
        """Show a text. Its own terminal codes do nothing; of a huge one the beginning is shown, and it says so."""
        lines = text.splitlines()
        if len(lines) > MOST_LINES:
            lines = [*lines[:MOST_LINES], f"{glyphs().ellipsis} {len(lines) - MOST_LINES:,} more lines are not shown"]
        self._text_lines = [
            line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}{glyphs().ellipsis} {len(line):,} characters"
            for line in (line.expandtabs(4) for line in lines)
        ]
        self._is_json = text.lstrip()[:1] in ("{", "[")
        width = max((width_of(line) for line in self._text_lines), default=0)
        self.virtual_size = Size(width, len(self._text_lines))
        self.repaint()

    def show_json(self, value: object) -> None:
        """Show any domain value as JSON."""
        self.show(as_json(value))

    @property
    def text(self) -> str:
        """What is shown, for copying."""
        return "\n".join(self._text_lines)

    def draw_line(self, y: int, width: int) -> Strip:
        """One line, from the scroll offset on."""
        index = round(self.scroll_y) + y
        base = self.base_style()
        if index >= len(self._text_lines):
            return blank(width, base)
        line = clean(self._text_lines[index])
        match = _JSON_LINE.fullmatch(line) if self._is_json else None
        if match is None:
            segments = [Segment(line, base)]
        else:
            indent, name, colon, value = match.groups()
            segments = [
                Segment(indent, base),
                Segment(name, base + self.ink(ink.ACCENT)),
                Segment(colon, base + self.ink(ink.MUTED)),
                Segment(value, base),
            ]
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

    def action_lines(self, lines: int) -> None:
        """Some lines down, or up."""
        self.scroll_to(y=self.scroll_y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        """A page down, or up."""
        self.scroll_to(y=self.scroll_y + pages * max(1, self.size.height - 1), animate=False)

    def action_pan(self, steps: int) -> None:
        """To the right, or left."""
        self.scroll_to(x=self.scroll_x + steps * 16, animate=False)

    def action_ends(self, last: int) -> None:
        """To the first line, or the last."""
        self.scroll_to(y=self.max_scroll_y if last else 0, animate=False)
