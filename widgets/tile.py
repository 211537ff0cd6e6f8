"""A tile: one figure of the farm with its name, its state, its age and its recent course."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from farmtui.farm.state import Freshness, Severity
from widgets import ink
from widgets.big_digits import SMALL_HEIGHT, big_figure, split_unit
from widgets.freshness_chip import freshness_short, freshness_text, told_age
from widgets.glyphs import Glyphs, glyphs
from widgets.painting import LineWidget
from widgets.spark import spark
from widgets.table_paint import cell_segments, clean, fit, width_of

if TYPE_CHECKING:
    from rich.segment import Segment
    from textual import events


@dataclass(frozen=True, slots=True)
class TileState:
    """What a tile shows. `value` is already formatted (`93 %`, `1.2k/s`)."""

    value: str
    sub: str = ""
    """A second line: the target, the comparison, the cause."""
    severity: Severity = Severity.OK
    freshness: Freshness = Freshness.LIVE
    age_s: float | None = None
    trend: tuple[float | None, ...] = ()
    """Newest last."""
    low: float = 0.0
    high: float | None = None
    """The trend's scale; None: its own largest value."""


UNKNOWN_STATE = TileState("–", freshness=Freshness.NEVER)


class Tile(LineWidget):
    """Shows what its height allows: from one line (name, figure) to big digits with a trend."""

    DEFAULT_CSS = """
    Tile {
        height: 6;
        width: 1fr;
        min-width: 14;
        padding: 0 1;
        background: $surface;
        border-left: outer $panel;
        &.-warning { border-left: outer $warning; }
        &.-unknown { border-left: outer $secondary; }
        &.-critical { border-left: outer $error; }
    }
    """

    class Clicked(Message):
        """Someone wants to know more."""

        def __init__(self, tile: Tile) -> None:
            self.tile = tile
            super().__init__()

        @property
        def control(self) -> Tile:
            """The tile."""
            return self.tile

    def __init__(self, title: str, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._title = title
        self._state = UNKNOWN_STATE
        self._lines: list[Content] = []
        self._lines_for: tuple[int, int, Glyphs] | None = None
        """What the lines were made for: width, height and signs."""

    @property
    def state(self) -> TileState:
        """What it shows now."""
        return self._state

    def show(self, state: TileState) -> None:
        """Show this; what does not differ is not painted again."""
        state = replace(state, age_s=told_age(state.freshness, state.age_s))
        if state == self._state:
            return
        self._state = state
        self._lines_for = None
        # A figure that is no longer live does not sound the alarm by colour: its age is the message then.
        loud = state.severity if state.freshness is Freshness.LIVE else Severity.OK
        for severity in (Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL):
            self.set_class(loud is severity, f"-{severity.name.lower()}")
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Tell the screen."""
        event.stop()
        self.post_message(self.Clicked(self))

    def draw_line(self, y: int, width: int) -> Strip:
        """One line of the layout that fits."""
        wanted = width, self.size.height, glyphs()
        if wanted != self._lines_for:
            self._lines, self._lines_for = self._contents(width, self.size.height), wanted
        base = self.base_style()
        content = self._lines[y] if y < len(self._lines) else Content("")
        segments: list[Segment] = cell_segments(content, width, "left", base, self.ink)
        return Strip(segments, width)

    def _contents(self, width: int, height: int) -> list[Content]:
        state = self._state
        style = ink.row_style(state.severity, state.freshness) or ink.STRONG
        if state.freshness.readable:
            value = Content.styled(state.value, style)
        else:
            value = freshness_text(state.freshness, state.age_s)
        # Beside a figure that is not there a count ("0 of 3 in it") would be read as one.
        sub = Content.styled(_whole_phrases(state.sub, width) if state.freshness.readable else "", ink.MUTED)
        if height <= 1:
            return [Content.assemble((f"{self._title} ", ink.MUTED), value, "  ", sub)]
        head = self._head(width)
        if height == 2:
            return [head, Content.assemble(value, "  ", sub)]
        trend = self._trend(width)
        if height == 3:
            spare = width - value.cell_length - 2
            small = self._trend(min(spare, 16)) if spare >= 6 and state.trend else Content("")
            gap = " " * max(0, width - value.cell_length - small.cell_length)
            return [head, Content.assemble(value, gap, small), sub]
        if height == 4 or not self._fits_big(width):
            return [head, value, sub, *([Content("")] * max(0, height - 5 if height > 4 else 0)), trend]
        figure, unit = split_unit(state.value)
        big = big_figure(figure, unit, Severity.OK, state.freshness)
        if figure:
            big = [line.stylize(style) for line in big]
        lines = [head, *big, sub]
        spare_lines = height - len(lines) - 1
        return [*lines, *([Content("")] * max(0, spare_lines)), trend] if spare_lines >= 0 else lines

    def _fits_big(self, width: int) -> bool:
        figure, unit = split_unit(self._state.value)
        if not figure or not self._state.freshness.readable:
            return False
        lines = big_figure(figure, unit, Severity.OK)
        return len(lines) == SMALL_HEIGHT and max(line.cell_length for line in lines) <= width

    def _head(self, width: int) -> Content:
        """The name, which is never given up, and beside it as much of the state as fits."""
        state = self._state
        if state.freshness is not Freshness.LIVE:
            short = freshness_short(state.freshness, state.age_s)
            chips = [freshness_text(state.freshness, state.age_s), short, short[:1]]
        elif state.severity > Severity.OK:
            sign = glyphs().severity[state.severity]
            style = ink.SEVERITY[state.severity]
            chips = [Content.styled(f"{sign} {state.severity.word}", style), Content.styled(sign, style)]
        else:
            chips = [Content.styled(glyphs().severity[Severity.OK], ink.OK)]
        title = clean(self._title)
        chip = next((chip for chip in chips if width_of(title) + 1 + chip.cell_length <= width), chips[-1])
        room = max(0, width - chip.cell_length - 1)
        return Content.assemble((fit(title, room), ink.MUTED), " ", chip)

    def _trend(self, width: int) -> Content:
        state = self._state
        if not state.trend or not state.freshness.readable:
            return Content("")
        if state.freshness is not Freshness.LIVE:
            style = ink.STALE
        else:
            style = ink.SEVERITY[state.severity] if state.severity >= Severity.WARNING else ink.SERIES[0]
        return spark(state.trend, width, low=state.low, high=state.high, style=style)


def _whole_phrases(words: str, width: int) -> str:
    """What stands between commas is given up from the end, as a whole: half a phrase says nothing."""
    while width_of(words) > width and ", " in words:
        words = words.rpartition(", ")[0]
    return words
