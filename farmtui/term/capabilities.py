"""What may be sent to a terminal of a given TERM without it showing up as letters on the screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Capabilities", "detect"]

_OSC: Final = re.compile("\x1b\\](?P<number>\\d*)[^\x07\x1b]*(?:\x07|\x1b\\\\)")


@dataclass(frozen=True)
class Capabilities:
    """Which families of sequences a terminal knows, or at least swallows whole."""

    alternate_screen: bool = True
    mouse: bool = True
    focus: bool = True
    bracketed_paste: bool = True
    mode_reports: bool = True
    """DECRQM, by which synchronized output is found; its `$` ends the sequence for a parser of the 1980s."""
    keyboard_protocol: bool = True
    """kitty's keyboard protocol: private markers that others read as "restore cursor"."""
    operating_system_commands: bool = True
    """OSC: titles, links, the clipboard."""
    pointer_shapes: bool = True

    def enter(self, *, mouse: bool) -> str:
        """What takes the terminal over."""
        return (
            ("\x1b[?1049h" if self.alternate_screen else "")
            # Disambiguate, report all keys, with their text.
            + ("\x1b[>25u" if self.keyboard_protocol else "")
            + self.modes(mouse=mouse)
        )

    def modes(self, *, mouse: bool) -> str:
        """What sets the modes of a terminal taken over; harmless where they are set.

        No line wraps: every cell is sent to its place.
        """
        return (
            ("\x1b[?1000h\x1b[?1003h\x1b[?1006h" if self.mouse and mouse else "")
            + ("\x1b[?1004h" if self.focus else "")
            + ("\x1b[?2004h" if self.bracketed_paste else "")
            + "\x1b[?25l\x1b[?7l"
        )

    def leave(self, *, mouse: bool) -> str:
        """What gives the terminal back."""
        return (
            ("\x1b[?1006l\x1b[?1003l\x1b[?1000l" if self.mouse and mouse else "")
            + ("\x1b[?1004l" if self.focus else "")
            + ("\x1b[?2004l" if self.bracketed_paste else "")
            + ("\x1b[<u" if self.keyboard_protocol else "")
            # Without another screen to leave, the prompt would be written over ours.
            + ("\x1b[m\x1b[?1049l" if self.alternate_screen else "\x1b[m\x1b[2J\x1b[H")
            + "\x1b[?7h\x1b[?25h"
        )

    def permitted(self, data: str) -> str:
        """`data` without the operating system commands that this terminal would not swallow."""
        if "\x1b]" not in data or (self.operating_system_commands and self.pointer_shapes):
            return data

        def keep(found: re.Match[str]) -> str:
            refused = not self.operating_system_commands or found["number"] == "22"
            return "" if refused else found[0]

        return _OSC.sub(keep, data)


def detect(env: Mapping[str, str]) -> Capabilities:
    """The capabilities that `TERM` and the marks of multiplexers and terminals in `env` promise."""
    term = env.get("TERM", "")
    family = term.partition("-")[0].partition(".")[0]
    if family in {"", "dumb", "unknown", "cons25", "wsvt25"} or family.startswith(("vt", "ansi", "linux", "sun")):
        return Capabilities(
            alternate_screen=False,
            mouse=False,
            focus=False,
            # The kernel's console ignores a private mode it does not know.
            bracketed_paste=family == "linux",
            mode_reports=False,
            keyboard_protocol=False,
            operating_system_commands=False,
            pointer_shapes=False,
        )
    if env.get("TMUX") or family == "tmux":
        return Capabilities(keyboard_protocol=False, pointer_shapes=False)
    if family == "screen" or env.get("STY"):
        return Capabilities(mode_reports=False, keyboard_protocol=False, pointer_shapes=False)
    # Apple's terminal prints the last letter of a mode request.
    return Capabilities(mode_reports=env.get("TERM_PROGRAM") != "Apple_Terminal")
