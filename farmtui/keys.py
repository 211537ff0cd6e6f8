"""The console's own commands, all bindings by the place where they hold, and what in a config does not fit them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from textual.binding import Binding

from farmtui.commands import Command, bindings, keymap_problems
from screens.console import SCREENS
from screens.frame import COMMON
from widgets.live_table import LiveTable

if TYPE_CHECKING:
    from farmtui.config import Config

GLOBAL: tuple[Command, ...] = (
    *(entry.command for entry in SCREENS),
    Command("prompt", "colon", "prompt", "Command", "Type a command or a screen's name", shown=True, group="console"),
    Command("help", "question_mark", "help", "Help", "Every key that does something here", ("help",), shown=True),
    Command("last", "minus", "last", "Last", "Go to the place before this one, and back", group="history"),
    Command("history.back", "left_square_bracket", "step(-1)", "Back", "One step back", group="history"),
    Command("history.forward", "right_square_bracket", "step(1)", "Forward", "One step forward", group="history"),
    Command("faults", "ctrl+z", "faults", "Faults", "Show only what is not well", ("faults",), shown=True),
    Command("refresh", "ctrl+r", "poll", "Poll", "Ask every source now", ("refresh", "poll"), group="console"),
    Command("redraw", "ctrl+l", "redraw", "Redraw", "Paint the whole terminal anew", ("redraw",), group="console"),
    Command("quit", "ctrl+c", "quit", "Quit", "Leave the console", ("quit", "q", "q!", "exit"), group="console"),
    Command("logs.of", "", "screen.logs_of", "Logs", "The log of a machine", ("logs",), argument="machine"),
    Command("theme", "", "theme", "Theme", "Change the colours", ("theme", "skin"), argument="name", group="console"),
    Command("farm", "", "farm", "Farm", "Open another farm, or say which there are", ("farm",), argument="name",
            optional=True, group="console"),
    Command("mark.ask", "m", "ask('mark ')", "Mark", "Keep this place under a name", group="history"),
    Command("mark.ask.go", "apostrophe", "ask('go ')", "Go", "Go to a mark by its name", group="history"),
    Command("mark", "", "mark", "Mark", "Keep this place: its filter, order and view", ("mark",), argument="name"),
    Command("mark.go", "", "goto", "Go", "Go to a mark", ("go",), argument="name", group="history"),
    Command("mark.list", "", "marks", "Marks", "The kept places: Enter goes there, d forgets one", ("marks",),
            group="history"),
    Command("mark.forget", "", "unmark", "Unmark", "Forget a mark", ("unmark",), argument="name", group="history"),
    Command("reload", "", "reload", "Reload", "Read the config and the themes again", ("reload",), group="console"),
)  # fmt: skip
"""What can be done wherever somebody is; a screen's name at the prompt among it."""


def key_scopes() -> dict[str, list[Binding]]:
    """All bindings by the place where they hold, for `farmtui config keys` and for finding conflicts."""
    scopes: dict[str, list[Binding]] = {
        "everywhere": [*bindings(GLOBAL), *bindings(COMMON), *(b for b in LiveTable.BINDINGS if isinstance(b, Binding))]
    }
    for entry in SCREENS:
        scopes[entry.name] = bindings(entry.load().KEYS)
    return scopes


def misfits(config: Config) -> list[tuple[tuple[str, ...], str]]:
    """What the config says of keys and figures that there are not: keys with what is wrong. Imports the screens."""
    found: list[tuple[tuple[str, ...], str]] = []
    screens = [name for entry in SCREENS for name in (entry.name, *entry.names)]
    if config.ui.screen not in screens:
        close = next(iter(get_close_matches(config.ui.screen, screens, n=1)), "")
        hint = f"did you mean {close}?" if close else f"there are {', '.join(entry.name for entry in SCREENS)}"
        found.append((("ui", "screen"), f"is not a screen; {hint}"))
    if config.ui.keys:
        found += [(("ui", "keys", ident), what) for ident, what in keymap_problems(config.ui.keys, key_scopes())]
    if config.prometheus is not None and config.prometheus.queries:
        from farmtui.sources.prometheus.catalogue import catalogue

        unknown = catalogue().unknown(config.prometheus.queries)
        found += [(("prometheus", "queries", name), what) for name, what in unknown]
    return found
