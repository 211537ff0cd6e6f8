"""`y`: everything that is known of a thing, as JSON, to read or to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from farmtui.secrets import redact
from widgets.dialog import key_hints
from widgets.raw_view import RawView, as_json

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from screens.console import Console


class RawScreen(ModalScreen[None]):
    """Raw data over the screen that it is about; scrolls, copies, closes."""

    CSS = """
    RawScreen { align: center middle; background: transparent; }
    RawScreen #box { width: 90%; height: 90%; padding: 0 1; background: $panel; border: round $border; }
    RawScreen RawView { height: 1fr; background: $panel; }
    RawScreen #keys { height: 1; text-align: right; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,y,q", "dismiss", "close", id="raw.close", show=False),
        Binding("c", "copy", "copy", id="raw.copy", show=False, tooltip="copy all of it"),
    ]

    def __init__(self, title: str, value: object) -> None:
        super().__init__()
        self._title = title
        self._text = redact(as_json(value))

    def compose(self) -> ComposeResult:
        """The text, and the keys."""
        with Vertical(id="box") as box:
            box.border_title = Content(self._title)
            yield RawView(self._text)
            yield Static(key_hints(("c", "copy"), ("Esc", "close")), id="keys", markup=False)

    def action_copy(self) -> None:
        """All of it to the clipboard."""
        cast("Console", self.app).clip(self._text, self._title)
