"""`?`: every key that does something here, and every `:` name; all of it derives from the bindings themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from farmtui.commands import UNBOUND, Command
from widgets import ink
from widgets.dialog import key_hints
from widgets.live_table import LiveTable
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult


@dataclass(frozen=True, slots=True)
class HelpRow:
    """One line of the help."""

    keys: str
    names: str
    text: str
    ident: str


def help_rows(screen: Screen[Any], commands: tuple[Command, ...]) -> Iterator[HelpRow]:
    """The keys that are active on a screen, then the `:` names that have no key."""
    named = {command.id: command for command in commands}
    keys: dict[str, list[str]] = {}
    bindings: dict[str, Binding] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if key.startswith(UNBOUND) or binding.system or not (binding.tooltip or binding.description):
            continue
        ident = binding.id or binding.action
        keys.setdefault(ident, []).append(screen.app.get_key_display(binding))
        bindings.setdefault(ident, binding)
    # What is particular to this screen comes first, moving about in a table last.
    order = {command.id: place for place, command in enumerate(commands)}
    for ident in sorted(bindings, key=lambda ident: order.get(ident, len(order))):
        command = named.get(ident)
        names = " ".join(f":{name}" for name in command.names[:2]) if command else ""
        binding = bindings[ident]
        words = _TEXTUALS.get(binding.action) or binding.tooltip or binding.description
        yield HelpRow(" ".join(keys[ident]), names, words, ident)
    for command in commands:
        if command.id not in bindings and command.names:
            argument = f" {command.argument.upper()}" if command.argument else ""
            yield HelpRow("", f":{command.names[0]}{argument}", command.help, command.id)


_TEXTUALS = {
    "page_left": "columns a page further left",
    "page_right": "columns a page further right",
    "app.focus_next": "to the next table or field",
    "app.focus_previous": "to the table or field before",
    "screen.copy_text": "copy what the mouse has selected; where nothing is, leave",
}
"""Words for what Textual binds by itself."""


class HelpScreen(ModalScreen[None]):
    """The help over the screen that it is about."""

    CSS = """
    HelpScreen { align: center middle; background: transparent; }
    HelpScreen #box { width: 100; max-width: 96%; height: 90%; padding: 0 1; }
    HelpScreen #box { background: $panel; border: round $border; }
    HelpScreen LiveTable { height: 1fr; background: $panel; }
    HelpScreen #keys { height: 1; text-align: right; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close", id="help.close", show=False)
    ]

    def __init__(self, about: Screen[Any], commands: tuple[Command, ...]) -> None:
        super().__init__()
        # Read now: once this screen is on top, the other one's bindings are not active any more.
        self._rows = tuple(help_rows(about, commands))

    def compose(self) -> ComposeResult:
        """A table of keys."""
        with Vertical(id="box") as box:
            box.border_title = Content("Keys and commands here")
            yield LiveTable[HelpRow](
                (
                    Column(
                        "keys",
                        "key",
                        lambda r: Content.styled(r.keys, f"{ink.STRONG} {ink.ACCENT}"),
                        width=18,
                        priority=0,
                    ),
                    Column("names", "command", lambda r: r.names, width=20, priority=1),
                    Column("text", "what it does", lambda r: r.text, width=30, flex=1, priority=0),
                    Column("id", "id for ui.keys", lambda r: Content.styled(r.ident, ink.MUTED), width=20, priority=2),
                ),
                key=lambda row: row.ident,
                noun="keys",
            )
            yield Static(key_hints(("Esc", "close")), id="keys", markup=False)

    def on_mount(self) -> None:
        """The rows do not change while it is open."""
        self.query_one(LiveTable).set_rows(self._rows)
