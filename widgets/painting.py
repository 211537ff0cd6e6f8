"""What line-API widgets share: style names resolved against the theme, and repainting only lines that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.widget import Widget

from widgets.table_paint import cell_segments

if TYPE_CHECKING:
    from textual.content import Content


class LineWidget(Widget):
    """A widget made of lines. Subclasses say what line `y` holds; `repaint()` refreshes the lines that differ.

    Textual sends a whole widget again when one character of it has changed; comparing here is what keeps a
    quiet screen silent. `_painted` is what Textual holds of each line; Textual asks for a line only when it holds
    it no longer.
    """

    _painted: dict[int, Strip]
    _outdated: set[int]
    _inks: dict[str, Style]

    def draw_line(self, y: int, width: int) -> Strip:
        """The strip for line `y` of the content, 0 at the top, `width` cells wide."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Textual asks for a line: drawn once, then kept until something changes."""
        painted, outdated = self._kept()
        if y not in painted or y in outdated:
            outdated.discard(y)
            painted[y] = self._drawn(y)
        return painted[y]

    def repaint(self) -> int:
        """Draw the lines again and refresh those that differ from what was painted; returns how many."""
        painted, outdated = self._kept()
        outdated.clear()
        changed = 0
        for y in list(painted):
            strip = self._drawn(y)
            if strip != painted[y]:
                painted[y] = strip
                changed += 1
                self.refresh(Region(0, y + self.gutter.top, self.outer_size.width, 1))
        return changed

    def forget_styles(self) -> None:
        """Styles or size have changed: drop whatever was worked out from them. Subclasses drop theirs too."""
        self._inks = {}

    def notify_style_update(self) -> None:
        """Textual's hook, called whenever it has applied its stylesheet, most often without any difference.

        So nothing is refreshed here: the lines are compared once all styles are in place.
        """
        super().notify_style_update()
        self.forget_styles()
        painted, outdated = self._kept()
        if painted:
            outdated.update(painted)
            self.call_later(self.repaint)

    def on_resize(self) -> None:
        """A new size: all lines are drawn again."""
        self.forget_styles()
        self._painted = {}
        self.refresh()

    @property
    def canvas(self) -> Size:
        """The cells that lines are drawn in: the content without scrollbars."""
        return self.scrollable_content_region.size

    def ink(self, name: str) -> Style:
        """The terminal style of a style name such as `$ink-warning bold`; unknown names are plain text."""
        inks = self.__dict__.setdefault("_inks", {})
        style = inks.get(name)
        if style is None:
            style = inks[name] = resolve_ink(self, name)
        assert isinstance(style, Style)
        return style

    def base_style(self) -> Style:
        """The widget's own colours."""
        return self.visual_style.rich_style

    def content_strip(self, content: str | Content, width: int) -> Strip:
        """A line of text on the widget's own background, cropped or filled to `width`."""
        segments = cell_segments(content, width, "left", self.base_style(), self.ink)
        return Strip(segments, width)

    def _drawn(self, y: int) -> Strip:
        width = self.canvas.width
        return self.draw_line(y, width) if width > 0 else Strip([], 0)

    def _kept(self) -> tuple[dict[int, Strip], set[int]]:
        # Made on demand: styles are applied before a subclass's __init__ has run to its end.
        state = self.__dict__
        return state.setdefault("_painted", {}), state.setdefault("_outdated", set())


def resolve_ink(widget: Widget, name: str) -> Style:
    """A style name as a terminal style, over the widget's background."""
    try:
        style = widget.app.stylesheet.parse_style(name)
    except Exception:  # noqa: BLE001  the parser raises several kinds; a missing colour must not take a screen down
        return Style.null()
    background = widget.background_colors[1]
    if style.foreground is not None and style.background is None and style.foreground.a < 1:
        style = VisualStyle(foreground=background + style.foreground) + VisualStyle(
            bold=style.bold, dim=style.dim, italic=style.italic, underline=style.underline, reverse=style.reverse
        )
    return style.rich_style


def blank(width: int, style: Style) -> Strip:
    """An empty line in the given style."""
    return Strip([Segment(" " * width, style)], width) if width > 0 else Strip([], 0)
