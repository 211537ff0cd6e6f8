"""A figure that is read from across the room: digits of blocks, or of `#` where blocks are not to be had."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.term.letters import PIXELS
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from textual.strip import Strip

_STROKES: dict[str, tuple[str, str, str]] = {
    "0": (" _ ", "| |", "|_|"),
    "1": ("   ", "  |", "  |"),
    "2": (" _ ", " _|", "|_ "),
    "3": (" _ ", " _|", " _|"),
    "4": ("   ", "|_|", "  |"),
    "5": (" _ ", "|_ ", " _|"),
    "6": (" _ ", "|_ ", "|_|"),
    "7": (" _ ", "  |", "  |"),
    "8": (" _ ", "|_|", "|_|"),
    "9": (" _ ", "|_|", " _|"),
    "-": ("   ", " _ ", "   "),
    "+": ("   ", "_|_", " | "),
    ".": (" ", " ", "."),
    ",": (" ", " ", ","),
    ":": (" ", ".", "."),
    "/": ("  /", " / ", "/  "),
    "%": ("o /", " / ", "/ o"),
    " ": (" ", " ", " "),
}

SMALL_HEIGHT = 3
LARGE_HEIGHT = 5


def split_unit(text: str) -> tuple[str, str]:
    """A formatted figure as its digits and its unit: `1.2k/s` is (`1.2`, `k/s`), `n/a` is all unit."""
    end = 0
    while end < len(text) and (text[end].isdigit() or text[end] in "-+.,:<>$"):
        end += 1
    return (text[:end], text[end:].strip()) if any(character.isdigit() for character in text[:end]) else ("", text)


def big_lines(text: str, *, large: bool = False) -> list[str]:
    """The text as lines of equal width: 3 lines, or 5 when `large`. A character without a shape stands small, below."""
    if glyphs().is_ascii and not large:
        return _joined([_STROKES.get(character) or _small(character, 3) for character in text])
    shapes = [PIXELS.get(character) for character in text]
    if large:
        wide = [
            _doubled(shape) if shape else _small(character, 5) for character, shape in zip(text, shapes, strict=True)
        ]
        return _joined(wide, gap=2)
    return _joined(
        [_halved(shape) if shape else _small(character, 3) for character, shape in zip(text, shapes, strict=True)]
    )


@cache
def _halved(shape: tuple[str, ...]) -> tuple[str, ...]:
    """Two rows of pixels to one of text."""
    rows = (*shape, " " * len(shape[0]))
    signs = {("#", "#"): "█", ("#", " "): "▀", (" ", "#"): "▄", (" ", " "): " "}
    return tuple(
        "".join(signs[pair] for pair in zip(rows[at], rows[at + 1], strict=True)) for at in range(0, len(rows), 2)
    )


def _doubled(shape: tuple[str, ...]) -> tuple[str, ...]:
    """Each pixel two cells wide, which makes it about square."""
    pixel = {"#": glyphs().block * 2, " ": "  "}
    return tuple("".join(pixel[character] for character in row) for row in shape)


def _small(character: str, height: int) -> tuple[str, ...]:
    return (*(" " for _ in range(height - 1)), character)


def _joined(shapes: list[tuple[str, ...]], gap: int = 1) -> list[str]:
    if not shapes:
        return [""]
    return [(" " * gap).join(rows) for rows in zip(*shapes, strict=True)]


class BigDigits(LineWidget):
    """A large figure with a small unit beside it, in the colour and with the sign of its severity."""

    DEFAULT_CSS = "BigDigits { height: 3; width: auto; min-width: 8; } BigDigits.-large { height: 5; }"

    def __init__(self, *, large: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._large = large
        self.set_class(large, "-large")
        self._figure = ""
        self._unit = ""
        self._severity = Severity.OK
        self._freshness = Freshness.NEVER

    def show(self, text: str, severity: Severity = Severity.OK, freshness: Freshness = Freshness.LIVE) -> None:
        """Show a formatted figure such as `93 %`."""
        figure, unit = split_unit(text)
        wider = len(figure) != len(self._figure) or len(unit) != len(self._unit)
        self._figure, self._unit, self._severity, self._freshness = figure, unit, severity, freshness
        if wider:
            self.refresh(layout=True)
        self.repaint()

    def get_content_width(self, container: object, viewport: object) -> int:
        """As wide as the figure and its unit."""
        return max((content.cell_length for content in self._contents()), default=0)

    def draw_line(self, y: int, width: int) -> Strip:
        """One row of pixels."""
        contents = self._contents()
        return self.content_strip(contents[y] if y < len(contents) else "", width)

    def _contents(self) -> list[Content]:
        return big_figure(self._figure, self._unit, self._severity, self._freshness, large=self._large)


def big_figure(
    figure: str, unit: str, severity: Severity, freshness: Freshness = Freshness.LIVE, *, large: bool = False
) -> list[Content]:
    """The lines of a large figure; the unit stands at the foot, and above it the severity's sign when it is not OK."""
    style = ink.row_style(severity, freshness) or ink.STRONG
    lines = big_lines(figure, large=large)
    if not figure:
        lines = [""] * (LARGE_HEIGHT if large else SMALL_HEIGHT)
    sign = f"{glyphs().severity[severity]} {severity.word}" if severity > Severity.INFO else ""
    foot = len(lines) - 1
    contents = []
    for number, line in enumerate(lines):
        beside = unit if number == foot else sign if number == 0 else ""
        # With half blocks the last row has only its upper half: the unit's foot is then level with the digits'.
        contents.append(Content.assemble((line, style), (f" {beside}" if beside else "", style)))
    return contents
