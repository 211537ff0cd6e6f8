"""`y`: everything that is known of a thing, as JSON, to read or to copy."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from farmtui.farm.state import Severity
from farmtui.secrets import redact
from widgets.dialog import key_hints
from widgets.live_table import LiveTable
from widgets.table_columns import Column

if TYPE_CHECKING:
    from screens.console import Console


def as_data(value: object) -> object:
    """A domain value as what `json` can print: dataclasses by field, enums by their word, the rest as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_data(item) for item in value]
    if isinstance(value, Severity):
        return value.word
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def as_json(value: object) -> str:
    """The JSON text, indented, without any secret."""
    return redact(json.dumps(as_data(value), indent=2, ensure_ascii=False, default=str))


class RawScreen(ModalScreen[None]):
    """Raw data over the screen that it is about; scrolls, copies, closes."""

    DEFAULT_CSS = """
    RawScreen { align: center middle; background: transparent; }
    RawScreen #box { width: 90%; height: 90%; padding: 0 1; background: $panel; border: round $border; }
    RawScreen LiveTable { height: 1fr; background: $panel; }
    RawScreen #keys { height: 1; text-align: right; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,y,q", "dismiss", "close", id="raw.close", show=False),
        Binding("c", "copy", "copy", id="raw.copy", show=False, tooltip="copy all of it"),
    ]

    def __init__(self, title: str, value: object) -> None:
        super().__init__()
        self._title = title
        self._text = as_json(value)

    def compose(self) -> ComposeResult:
        """One row a line: what is not visible is not rendered, however much there is."""
        with Vertical(id="box") as box:
            box.border_title = Content(self._title)
            yield LiveTable[tuple[int, str]](
                (Column("line", "json", lambda line: line[1], width=40, flex=1, priority=0),),
                key=lambda line: line[0],
                noun="lines",
            )
            yield Static(key_hints(("c", "copy"), ("Esc", "close")), id="keys", markup=False)

    def on_mount(self) -> None:
        """The text does not change while it is open."""
        self.query_one(LiveTable).set_rows(tuple(enumerate(self._text.splitlines())))

    def action_copy(self) -> None:
        """All of it to the clipboard."""
        cast("Console", self.app).clip(self._text, self._title)
