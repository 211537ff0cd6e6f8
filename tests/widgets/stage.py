"""A stage to put widgets on: an app with the project's themes and stylesheet, and ways to read what it paints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.segment import Segment
from textual import on
from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

import themes
from widgets.ascii_filter import AsciiFilter
from widgets.crumbs import Crumbs
from widgets.live_table import LiveTable
from widgets.prompt import Prompt
from widgets.tile import Tile

M = TypeVar("M", bound=Message)

SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("farm-dark", "farm-light", "farm-safe", "farm-16", "farm-wall")


class Stage(App[None]):
    """Shows the given widgets and remembers the messages that reach it."""

    CSS_PATH = str(themes.APP_CSS)
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, make: Callable[[], Iterable[Widget]], theme: str = "farm-dark") -> None:
        super().__init__()
        self._make = make
        self.heard: list[Message] = []
        for found in themes.load_themes()[0]:
            self.register_theme(found)
        self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """As the console does."""
        return themes.variable_defaults()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """As the console does."""
        return [*super().get_line_filters(), AsciiFilter()]

    def compose(self) -> ComposeResult:
        """The widgets."""
        yield from self._make()

    @on(LiveTable.RowHighlighted)
    @on(LiveTable.RowSelected)
    @on(LiveTable.SortChanged)
    @on(LiveTable.Marked)
    @on(LiveTable.ViewChanged)
    @on(Prompt.Changed)
    @on(Prompt.Submitted)
    @on(Prompt.Cancelled)
    @on(Crumbs.Clicked)
    @on(Tile.Clicked)
    def hear(self, message: Message) -> None:
        """Remember it."""
        self.heard.append(message)

    def heard_of(self, kind: type[M]) -> list[M]:
        """The messages of a kind, oldest first."""
        return [message for message in self.heard if isinstance(message, kind)]


def lines(widget: Widget) -> list[str]:
    """What a widget paints, line by line, without the blanks at the ends."""
    return [strip.text.rstrip() for strip in widget.render_lines(Region(0, 0, *widget.outer_size))]


def text(widget: Widget) -> str:
    """What a widget paints."""
    return "\n".join(lines(widget))


def segments(widget: Widget) -> list[Segment]:
    """All segments that a widget paints, after the app's filters."""
    strips = widget.render_lines(Region(0, 0, *widget.outer_size))
    return [segment for strip in strips for segment in strip]


def screen_lines(app: App[None]) -> list[str]:
    """What the whole screen shows, dialogs included."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    return [strip.text.rstrip() for strip in strips]
