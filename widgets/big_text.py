"""Text at any size: plain below, and above it letters of pixels as large as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.term.letters import columns_of, enlarged, rows_of
from widgets.glyphs import glyphs, to_ascii
from widgets.table_paint import clean, fit, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = 0
"""The scale of ordinary text, one line high."""


def height_of(scale: int) -> int:
    """Lines of one line of text at a scale."""
    return rows_of(scale) if scale > PLAIN else 1


def columns(text: str, scale: int) -> int:
    """Cells that a text is wide at a scale."""
    return columns_of(_shaped(text), scale) if scale > PLAIN else width_of(clean(text))


def fitting(text: str, largest: int, width: int, height: int | None = None) -> int:
    """The largest scale up to `largest` at which a text fits; plain if none does."""
    for scale in range(largest, PLAIN, -1):
        if columns(text, scale) <= width and (height is None or rows_of(scale) <= height) and drawable(scale):
            return scale
    return PLAIN


def drawable(scale: int) -> bool:
    """Whether this terminal can draw it: without half cells a pixel is two columns wide or more."""
    return scale != 1 or not glyphs().is_ascii


def big(text: str, scale: int, style: str = "") -> list[Content]:
    """One line of text at a scale, as lines of equal width."""
    if scale <= PLAIN:
        return [Content.styled(clean(text), style)]
    block = glyphs().block if glyphs().is_ascii else ""
    return [Content.styled(line, style) for line in enlarged(_shaped(text), scale, block)]


def wrapped(text: str, scale: int, width: int) -> Iterator[str]:
    """A text in lines that are no wider than `width` cells at a scale, broken between words where it can be."""
    line = ""
    # A unit stays with its figure.
    for word in clean(text).replace(" %", "\u00a0%").split(" "):
        longer = f"{line} {word}" if line else word
        if columns(longer, scale) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while columns(line, scale) > width and len(line) > 1:
            end = next(at for at in range(len(line) - 1, 0, -1) if at == 1 or columns(line[:at], scale) <= width)
            yield line[:end]
            line = line[end:]
    if line:
        yield line


def cut(text: str, scale: int, width: int) -> str:
    """A text that ends in an ellipsis where it does not fit."""
    text = clean(text)
    if columns(text, scale) <= width:
        return text
    if scale <= PLAIN:
        return fit(text, width).rstrip()
    while text and columns(f"{text.rstrip()}..", scale) > width:
        text = text[:-1]
    return f"{text.rstrip()}.." if text else ""


def _shaped(text: str) -> str:
    return to_ascii(clean(text))
