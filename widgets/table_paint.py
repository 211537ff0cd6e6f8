"""Turns cells into strips: fits text to its column, and resolves style names against the theme, once each."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from widgets.glyphs import glyphs, to_ascii

if TYPE_CHECKING:
    from textual.content import Content

    from widgets.table_columns import Align, Cell

Resolve = Callable[[str], Style]


def clean(text: str) -> str:
    """The text without anything that is not one printable line: control characters become blanks.

    Cleaning is ingestion's duty; this keeps a cell that slipped through from tearing its row.
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return to_ascii(text) if glyphs().is_ascii else text


def width_of(text: str) -> int:
    """The text's width in cells."""
    return len(text) if text.isascii() else cell_len(text)


def crop(text: str, width: int) -> str:
    """The text in at most `width` cells, its end replaced by an ellipsis where it is longer."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    ellipsis = glyphs().ellipsis
    return set_cell_size(text, width - len(ellipsis)) + ellipsis


def fit(text: str, width: int, align: Align = "left") -> str:
    """The text in exactly `width` cells."""
    text = crop(clean(text), width)
    spare = width - width_of(text)
    if spare <= 0:
        return text
    match align:
        case "left":
            return text + " " * spare
        case "right":
            return " " * spare + text
        case "center":
            return " " * (spare // 2) + text + " " * (spare - spare // 2)


def cell_segments(cell: Cell, width: int, align: Align, base: Style, resolve: Resolve | None) -> list[Segment]:
    """A cell in exactly `width` cells. Without `resolve` its own colours are left out: old values are never bright."""
    if isinstance(cell, str):
        return [Segment(fit(cell, width, align), base)]
    if resolve is None:
        return [Segment(fit(cell.plain, width, align), base)]
    pieces = _pieces(cell, base, resolve)
    length = sum(width_of(text) for text, _ in pieces)
    segments: list[Segment] = []
    if length > width:
        room = width - len(glyphs().ellipsis)
        last = base
        for text, style in pieces:
            if room <= 0:
                break
            part = text if width_of(text) <= room else set_cell_size(text, room)
            segments.append(Segment(part, style))
            room -= width_of(part)
            last = style
        if width > 0:
            segments.append(Segment(glyphs().ellipsis, last))
        return segments
    spare = width - length
    before = spare if align == "right" else spare // 2 if align == "center" else 0
    if before:
        segments.append(Segment(" " * before, base))
    segments.extend(Segment(text, style) for text, style in pieces)
    if spare - before:
        segments.append(Segment(" " * (spare - before), base))
    return segments


def _pieces(cell: Text | Content, base: Style, resolve: Resolve) -> list[tuple[str, Style]]:
    """The cell's runs of one style each; of overlapping spans the later one wins, as both libraries have it."""
    plain = cell.plain
    spans = [(span.start, span.end, _style(span.style, resolve)) for span in cell.spans]
    if isinstance(cell, Text) and cell.style:
        spans.insert(0, (0, len(plain), _style(cell.style, resolve)))
    if not spans:
        return [(clean(plain), base)]
    if len(spans) == 1 and spans[0][0] <= 0 and spans[0][1] >= len(plain):
        return [(clean(plain), base + spans[0][2])]
    edges = sorted({0, len(plain), *(min(max(edge, 0), len(plain)) for span in spans for edge in span[:2])})
    pieces = []
    for start, end in itertools.pairwise(edges):
        style = base
        for span_start, span_end, span_style in spans:
            if span_start <= start and span_end >= end:
                style += span_style
        pieces.append((clean(plain[start:end]), style))
    return pieces


def _style(style: object, resolve: Resolve) -> Style:
    if isinstance(style, str):
        return resolve(style) if style else Style.null()
    if isinstance(style, Style):
        return style
    rich_style = getattr(style, "rich_style", None)  # Textual's own Style
    return rich_style if isinstance(rich_style, Style) else Style.null()
