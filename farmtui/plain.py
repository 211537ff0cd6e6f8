"""Plain text for terminals, pipes and mail: colours only where they are wanted, signs that the encoding can carry."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from farmtui.farm.state import Severity
from farmtui.farm.text import visible

WIDTH = 80
"""Columns that a page is laid out for, whatever the terminal has: what a mail or a narrow pane shows."""

_COLOURS = {
    Severity.OK: "32",
    Severity.INFO: "36",
    Severity.WARNING: "33",
    Severity.UNKNOWN: "35",
    Severity.CRITICAL: "1;31",
}
_ASCII = {"–": "-", "—": "-", "…": "...", "→": "->", "·": "-", "•": "*", "∞": "inf", "↵": " ", "\ufffd": "?", "µ": "u"}
_NOT_ASCII = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Page:
    """How text is written on one stream."""

    colour: bool = False
    encoding: str = "utf-8"

    def paint(self, text: str, severity: Severity) -> str:
        """The text in a severity's colour, where colours are wanted; the word always stands beside it."""
        return f"\x1b[{_COLOURS[severity]}m{text}\x1b[0m" if self.colour else text

    def faint(self, text: str) -> str:
        """Less important text."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def carried(self, text: str) -> str:
        """The text with every sign that the stream's encoding lacks replaced by one that it has."""
        return _NOT_ASCII.sub(lambda sign: self._sign(sign[0]), text)

    def _sign(self, sign: str) -> str:
        try:
            sign.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return _ASCII.get(sign, "?")
        return sign


def page_for(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Page:
    """The page for a stream: colours on a terminal that has them, unless NO_COLOR is set (to anything)."""
    colour = stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
    return Page(colour, stream.encoding or "ascii")


def wrapped(text: str, indent: int, *, width: int = WIDTH) -> list[str]:
    """The text in lines of at most `width` columns, each indented. Long words (addresses) stay whole."""
    pad = " " * indent
    return textwrap.wrap(
        visible(text),
        width,
        initial_indent=pad,
        subsequent_indent=pad,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [pad.rstrip()]


def hanging(head: str, indent: int, words: str) -> str:
    """The head, and the words after it in the column `indent`, over as many lines as they take."""
    first, *rest = wrapped(words, indent)
    return "\n".join([f"{head}{first[indent:]}".rstrip(), *rest])


WORD = 9
"""Columns of the word that begins a row."""


def row(page: Page, severity: Severity, word: str, words: str) -> str:
    """A row of a report: two spaces, a word in the severity's colour, and the words after it in their own column."""
    return hanging(f"  {page.paint(f'{word:<{WORD}}', severity)}", 2 + WORD, words)


def put(stream: TextIO, page: Page, text: str) -> None:
    """Write the text, a newline after it, and send it."""
    stream.write(f"{page.carried(text)}\n")
    stream.flush()
