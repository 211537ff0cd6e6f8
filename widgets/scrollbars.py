"""Scrollbars of whole signs: to be seen without colours, in ASCII too, and silent while the thumb's cell stays."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBar, ScrollBarRender

from widgets.glyphs import glyphs

_DEFAULT = Color.default()


class SignScrollBarRender(ScrollBarRender):
    """Draws a thumb of line signs on a blank track."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = _DEFAULT,
        bar_color: Color = _DEFAULT,
    ) -> Segments:
        """The bar as Textual wants it: a cell for each line, with what a click on it does."""
        sign = glyphs().thumb_vertical if vertical else glyphs().thumb_horizontal
        width = thickness if vertical else 1
        track = Style(bgcolor=back_color)
        segments: list[Segment]
        if not (window_size and size and virtual_size > window_size):
            segments = [Segment(" " * width, track)] * int(size)
        else:
            length = max(1, round(size * window_size / virtual_size))
            share = max(0.0, min(1.0, position / (virtual_size - window_size)))
            start = round((size - length) * share)
            before = Style(bgcolor=back_color, meta={"@mouse.down": "scroll_up"})
            after = Style(bgcolor=back_color, meta={"@mouse.down": "scroll_down"})
            thumb = Style(color=bar_color, bgcolor=back_color, meta={"@mouse.down": "grab"})
            segments = [
                *[Segment(" " * width, before)] * start,
                *[Segment(sign * width, thumb)] * length,
                *[Segment(" " * width, after)] * (int(size) - start - length),
            ]
        if vertical:
            return Segments(segments, new_lines=True)
        return Segments([*segments, Segment.line()] * thickness)


def install_scrollbars() -> None:
    """Have all scrollbars of the process drawn so; the app calls it once before it starts."""
    ScrollBar.renderer = SignScrollBarRender
