"""A terminal emulator for tests: pyte, with the parts mended that its widths and its parser get wrong.

What is mended, and why: pyte stops drawing at a zero width joiner or a variation selector and loses the rest of the
text, knows widths of single characters only, and leaves half of a wide character standing when the other half is
overwritten, which no terminal does. Its parser prints the last letter of sequences with the private marker `<`.
Dim is not in its cells, so it is not compared. `pyte.Screen` itself is used where no such text is shown.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Protocol

import pyte
from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip
from wcwidth import iter_graphemes, wcswidth, wcwidth

Widths = Callable[[str], Iterable[tuple[str, int]]]
"""A terminal's opinion: text to clusters and the cells each takes; 0 combines with what is before."""


def as_textual(text: str) -> list[tuple[str, int]]:
    """A terminal that agrees with Textual, and draws two regional indicators as a flag."""
    clusters: list[tuple[str, int]] = []
    for start, end, width in split_graphemes(text)[0]:
        cluster = text[start:end]
        if clusters and _regional(cluster) and len(clusters[-1][0]) == 1 and _regional(clusters[-1][0]):
            before, width_before = clusters.pop()
            clusters.append((before + cluster, width_before + width))
        else:
            clusters.append((cluster, width))
    return clusters


def as_graphemes(text: str) -> list[tuple[str, int]]:
    """A terminal that measures grapheme clusters by today's Unicode."""
    return [(cluster, max(wcswidth(cluster), 0)) for cluster in iter_graphemes(text)]


def as_code_points(text: str) -> list[tuple[str, int]]:
    """A terminal that measures one code point after the other: no joining, no widening by a selector."""
    return [(character, max(wcwidth(character), 0)) for character in text]


def as_before_emoji(text: str) -> list[tuple[str, int]]:
    """An old terminal: what is beyond the basic plane is one cell, and it draws joiners and selectors as boxes."""
    return [
        (character, 1 if character > "\uffff" or character in "\u200d\ufe0f" else max(wcwidth(character), 0))
        for character in text
    ]


def _regional(cluster: str) -> bool:
    return "\U0001f1e6" <= cluster[0] <= "\U0001f1ff"


@dataclass(frozen=True)
class Cell:
    """What one cell shows; `text` is "" where the character to the left reaches into it."""

    text: str
    foreground: str = "default"
    background: str = "default"
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    reverse: bool = False
    blink: bool = False


class CellScreen(Protocol):
    """What a terminal shows."""

    columns: int
    lines: int
    buffer: Any


class Emulator(pyte.Screen):
    """A screen that draws clusters as wide as `widths` says. It never wraps: the console switches wrapping off."""

    def __init__(self, columns: int, lines: int, widths: Widths = as_textual) -> None:
        self.widths = widths
        super().__init__(columns, lines)

    def draw(self, data: str) -> None:
        """Draw text at the cursor."""
        line = self.buffer[self.cursor.y]
        for cluster, width in self.widths(data):
            if not width:
                at = min(self.cursor.x, self.columns) - 1
                while at > 0 and line[at].data == "":
                    at -= 1
                if at >= 0:
                    line[at] = line[at]._replace(data=line[at].data + cluster)
                continue
            start = min(self.cursor.x, max(self.columns - width, 0))
            self._split(line, start)
            self._split(line, start + width)
            line[start] = self.cursor.attrs._replace(data=cluster)
            for stub in range(start + 1, min(start + width, self.columns)):
                line[stub] = self.cursor.attrs._replace(data="")
            self.cursor.x = min(start + width, self.columns)
        self.dirty.add(self.cursor.y)

    def _split(self, line: Any, column: int) -> None:
        """Erase the wide character that `column` cuts in two."""
        if not 0 < column < self.columns or line[column].data != "":
            return
        start, end = column - 1, column
        while line[start].data == "":
            start -= 1
        while end < self.columns and line[end].data == "":
            end += 1
        for x in range(start, end):
            line[x] = line[x]._replace(data=" ")


_PRIVATE: Final = re.compile(r"\x1b\[[<>=][0-9;]*[a-z]")
_CUT_SEQUENCE: Final = re.compile(r"\x1b(?:\[[<>=?0-9;]*)?\Z")


class Feed:
    """Bytes to a screen, cut anywhere."""

    def __init__(self, screen: pyte.Screen) -> None:
        self._stream = pyte.Stream(screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("strict").decode
        self._rest = ""

    def __call__(self, data: bytes | str) -> None:
        """Show `data`. Raises UnicodeDecodeError if it is not UTF-8."""
        text = self._rest + (self._decode(data) if isinstance(data, bytes) else data)
        cut = _CUT_SEQUENCE.search(text)
        self._rest = cut[0] if cut else ""
        text = text[: len(text) - len(self._rest)]
        self._stream.feed(_PRIVATE.sub("", text))


def cells(screen: CellScreen) -> list[list[Cell]]:
    """All that a screen shows, row by row."""
    return [[_cell(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _cell(char: Any) -> Cell:
    return Cell(
        char.data,
        char.fg,
        char.bg,
        char.bold,
        char.italics,
        char.underscore,
        char.strikethrough,
        char.reverse,
        char.blink,
    )


@cache
def styled(style: Style | None, colours: ColorSystem) -> Cell:
    """The looks that Textual's own writer gives a cell of `style`, as a terminal understands them."""
    screen = pyte.Screen(2, 1)
    codes = "" if style is None else Strip.render_ansi(style, colours)
    pyte.Stream(screen).feed(f"\x1b[{codes}mx" if codes else "x")
    return _cell(screen.buffer[0][0])


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def difference(shown: list[list[Cell]], expected: list[list[Cell]]) -> str:
    """The first cells in which two screens differ, in words; "" if they are equal.

    Texts are compared in Unicode's composed form, since pyte composes what it combines.
    """
    if [len(row) for row in shown] != [len(row) for row in expected]:
        return f"sizes differ: {len(shown)} rows, expected {len(expected)}"
    found = [
        f"row {y} column {x}: {ours} instead of {theirs}"
        for y, (ours_row, their_row) in enumerate(zip(shown, expected, strict=True))
        for x, (ours, theirs) in enumerate(zip(ours_row, their_row, strict=True))
        if ours != theirs and replace(ours, text=_composed(ours.text)) != replace(theirs, text=_composed(theirs.text))
    ]
    return "\n".join([*found[:8], f"{len(found)} cells differ"] if found else [])
