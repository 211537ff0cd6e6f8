"""A tile to be read from five metres: everything on it grows with the terminal, and what is late is hatched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content, Span
from textual.strip import Strip

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age
from widgets import ink
from widgets.big_digits import split_unit
from widgets.big_text import PLAIN, big, columns, cut, drawable, fitting, height_of, wrapped
from widgets.glyphs import glyphs
from widgets.spark import tall_spark
from widgets.table_paint import cell_segments
from widgets.tile import Tile

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANKS = re.compile(r" {3,}")


@dataclass(frozen=True, slots=True)
class Profile:
    """How large things are on a display of so many cells; see `big_text` for scales."""

    width: int
    height: int

    def scale(self, base: float) -> int:
        """A scale by what it is on 80 by 24 cells."""
        return int(base * min(self.width / 80, self.height / 24) + 0.5)

    @property
    def banner_lines(self) -> int:
        """A fifth of the height: it is what is seen first."""
        return max(5, round(self.height * 0.2))

    @property
    def title(self) -> int:
        """The scale of what is wrong."""
        return self.scale(1.0)

    @property
    def label(self) -> int:
        """The scale of names."""
        return self.scale(0.45)

    @property
    def body(self) -> int:
        """The scale of what is read by who steps closer."""
        return self.scale(0.3)

    @property
    def value(self) -> int:
        """The scale of figures."""
        return self.scale(2.0)


class WallTile(Tile):
    """A `Tile` whose name, figure and course are as large as it has room for."""

    DEFAULT_CSS = """
    WallTile { height: 1fr; width: 1fr; padding: 0 0 0 1; background: $background; border-left: outer $panel; }
    """

    def __init__(self, title: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(title, id=id, classes=classes)
        self._profile = Profile(80, 24)
        self._largest = self._profile.value
        self._rows: list[Content] = []
        self._rows_for: tuple[object, ...] = ()

    def shape(self, title: str, profile: Profile, largest: int | None = None) -> None:
        """Give it another name, the size of things, and the largest scale of its figure."""
        shaped = (title, profile, profile.value if largest is None else largest)
        if shaped != (self._title, self._profile, self._largest):
            self._title, self._profile, self._largest = shaped
            self.repaint()

    def draw_line(self, y: int, width: int) -> Strip:
        """A line of the picture, which is drawn as a whole and kept while nothing of it changes."""
        wanted = (width, self.size.height, self._title, self._profile, self._largest, self._state, glyphs().is_ascii)
        if self._rows_for != wanted:
            self._rows, self._rows_for = self._contents(width, self.size.height), wanted
        content = self._rows[y] if y < len(self._rows) else Content("")
        if self._state.freshness is not Freshness.LIVE:
            content = hatched(content, width)
        return Strip(cell_segments(content, width, "left", self.base_style(), self.ink), width)

    def _contents(self, width: int, height: int) -> list[Content]:
        state, profile = self._state, self._profile
        style = ink.row_style(state.severity, state.freshness) or ink.STRONG
        head, word = self._heading(width)
        room = height - len(head)
        body = profile.body if drawable(profile.body) else PLAIN
        if word:
            body = fitting(word, profile.label, width)
        below = height_of(body) if (word or state.sub) and room > height_of(body) else 0
        value, unit = self._figure(width, room - below, style)
        said = word or (f"{unit}, {state.sub}" if unit else state.sub)
        texts = [said]
        if columns(said, body) > width and not word:
            lines = max(1, (room - len(value)) // (height_of(body) + (1 if body else 0)))
            texts = list(wrapped(said, body, width))
            if len(texts) > lines:
                body = PLAIN if lines < 2 else body
                texts = [unit] if unit and lines < 2 else list(wrapped(said, body, width))
                texts = [*texts[: lines - 1], cut(" ".join(texts[lines - 1 :]), body, width)]
        ink_of = self._word()[1] if word else ink.MUTED
        sub = stacked([big(text, body, ink_of) for text in texts], 1 if body else 0) if below else []
        spare = room - len(sub) - len(value)
        course: list[Content] = []
        if state.trend and spare > 0 and state.freshness.readable:
            lines = min(spare, max(1, height // 6))
            course = tall_spark(state.trend, width, lines, low=state.low, high=state.high, style=ink.FAINT)
        spare -= len(course)
        gaps = [[Content("")] * min(1, max(0, spare - before)) for before in (0, 1)]
        fill = [Content("")] * max(0, spare - 2)
        return [*head, *gaps[0], *value, *gaps[1], *sub, *fill, *course]

    def _figure(self, width: int, height: int, style: str) -> tuple[list[Content], str]:
        """The figure as large as can be; and its unit, where that would make it smaller and has to stand below."""
        state = self._state
        figure, unit = split_unit(state.value if state.freshness.readable else state.freshness.value)
        if not figure:
            figure, unit = unit, ""
        for scale in range(self._largest, PLAIN, -1):
            if height_of(scale) > height or not drawable(scale):
                continue
            small = scale // 2 if drawable(scale // 2) else PLAIN
            gap = max(1, scale // 2)
            if unit and columns(figure, scale) + gap + columns(unit, small) <= width:
                return beside_at_foot(big(figure, scale, style), big(unit, small, style), gap), ""
            if columns(figure, scale) <= width:
                return big(figure, scale, style), unit
        return big(cut(f"{figure} {unit}".strip(), PLAIN, width), PLAIN, style), ""

    def _heading(self, width: int) -> tuple[list[Content], str]:
        """The name; and at the right, where it is not well or not of now, that in a word, if there is room for it."""
        word, style, sign = self._word()
        profile = self._profile
        scale = fitting(self._title, profile.label, width)
        if scale and columns(f"{self._title}  {word}", scale) > width:
            return big(self._title, scale, ink.MUTED), word
        right = big(word if scale else f"{sign} {word}".strip(), scale, style)
        room = width - right[0].cell_length - 1
        return apart(big(cut(self._title, scale, room), scale, ink.MUTED), right, width), ""

    def _word(self) -> tuple[str, str, str]:
        """What is not as it should be, its style and its sign; an empty word where all is well."""
        state = self._state
        if state.freshness is not Freshness.LIVE:
            old = f" {age(state.age_s)}" if state.age_s is not None and state.freshness.readable else ""
            word = "late" if state.freshness is Freshness.AGEING else state.freshness.value
            return f"{word}{old}", ink.FRESHNESS[state.freshness], glyphs().freshness[state.freshness]
        sign = glyphs().severity[state.severity]
        return (state.severity.word if state.severity > Severity.INFO else ""), ink.SEVERITY[state.severity], sign


def stacked(blocks: Sequence[list[Content]], gap: int) -> list[Content]:
    """Texts below each other, with so many lines between them."""
    lines: list[Content] = []
    for block in blocks:
        if lines:
            lines += [Content("")] * gap
        lines += block
    return lines


def apart(left: list[Content], right: list[Content], width: int) -> list[Content]:
    """Two texts at either edge, level at their heads."""
    lines = []
    for number in range(max(len(left), len(right))):
        first = left[number] if number < len(left) else Content("")
        last = right[number] if number < len(right) else Content("")
        gap = " " * max(0, width - first.cell_length - last.cell_length)
        lines.append(Content.assemble(first, gap, last))
    return lines


def beside_at_foot(left: list[Content], right: list[Content], gap: int) -> list[Content]:
    """Two texts side by side, level at their feet."""
    if not right:
        return left
    lines = []
    for number, line in enumerate(left):
        at = number - (len(left) - len(right))
        lines.append(Content.assemble(line, " " * gap, right[at]) if at >= 0 else line)
    return lines


def hatched(content: Content, width: int) -> Content:
    """A line whose wide blanks are hatched: seen from afar, what is on it is not of now."""
    plain = content.plain + " " * max(0, width - content.cell_length)
    spans = list(content.spans)
    for blanks in _BLANKS.finditer(plain):
        start = blanks.start() + (1 if blanks.start() else 0)
        end = blanks.end() - (1 if blanks.end() < len(plain) else 0)
        plain = plain[:start] + glyphs().freshness[Freshness.STALE] * (end - start) + plain[end:]
        spans.append(Span(start, end, ink.FAINT))
    return Content(plain, spans)
