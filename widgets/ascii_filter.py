"""The last step to a terminal that shows ASCII only: all output, Textual's own borders included, is folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

from widgets.glyphs import glyphs, to_ascii

if TYPE_CHECKING:
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
