"""The last steps to a terminal: no colours where somebody wants none, ASCII where it shows nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter, Monochrome, NoColor

from widgets.glyphs import glyphs, to_ascii

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.color import Color


class AsciiFilter(LineFilter):
    """Add to what the app's `get_line_filters` returns; it does nothing while Unicode is in force."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Fold the segments' text; widths stay as they are."""
        if not glyphs().is_ascii:
            return segments
        return [
            segment if segment.control or segment.text.isascii() else Segment(to_ascii(segment.text), segment.style)
            for segment in segments
        ]


def terminal_filters(own: Sequence[LineFilter]) -> list[LineFilter]:
    """What an app's `get_line_filters` is to give, from Textual's own.

    Textual's Monochrome makes grey of every colour, and black of the terminal's own two: black letters on black.
    NO_COLOR that is set to nothing is not set (no-color.org).
    """
    kept = [each for each in own if not isinstance(each, (Monochrome, NoColor))]
    return [*kept, *((NoColor(),) if os.environ.get("NO_COLOR") else ()), AsciiFilter()]
