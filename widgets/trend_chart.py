"""A trend chart: fixed axes, gaps where nothing was measured, thresholds, and the same hour of another day behind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import NOT_MEASURED, duration
from widgets import ink
from widgets.chart_axis import COUNT, Axis, next_ceiling, time_ticks
from widgets.chart_raster import BRAILLE_RUNS, GAP_STEPS, Runs, Window, runs_of, usual_step
from widgets.freshness_chip import freshness_text, told_age
from widgets.glyphs import Glyphs, glyphs
from widgets.painting import LineWidget
from widgets.table_paint import cell_segments, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style

    Ticks = Callable[[float, float, int], list[tuple[float, str]]]
    """Gets the first and the last place on the lower axis, and how many labels fit; gives places with their labels."""

SHORT_HISTORY = 0.85
"""Below this share of the window a history is called short."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `times` are Unix seconds, rising; a value of None or NaN is a gap, never a zero."""

    name: str
    times: Sequence[float]
    values: Sequence[float | None]
    style: str = ""
    """A style name; empty: the next colour of the series."""
    compared: bool = False
    """Another day's line, already shifted to these times: drawn dotted and dim, behind the others."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A horizontal limit; what is above it (below it, when `falling`) takes its severity's colour."""

    value: float
    severity: Severity
    falling: bool = False


_DASHES = ((1, 1), (6, 4), (4, 1), (10, 6))
_DASH_SIGNS = ("━━", "╍╍", "┅┅", "╸╸")


class _Dots(NamedTuple):
    """One cell's dots: the braille bits, the line that owns the cell, and its topmost and lowest row."""

    bits: int
    line: int
    top: int
    bottom: int


class TrendChart(LineWidget):
    """`show()` it lines; it repaints the text lines that differ, and moves only when a whole column has passed."""

    DEFAULT_CSS = "TrendChart { height: 10; min-height: 3; }"

    def __init__(
        self,
        title: str = "",
        axis: Axis = COUNT,
        thresholds: Sequence[Threshold] = (),
        *,
        zone: tzinfo = UTC,
        ticks: Ticks | None = None,
        id: str | None = None,  # noqa: A002  Textual's own name for it
        classes: str | None = None,
    ) -> None:
        """`zone` is that of the times below the chart; `ticks` is for a chart over something else than time."""
        super().__init__(id=id, classes=classes)
        self._title = title
        self._axis = axis
        self._thresholds = tuple(thresholds)
        self._zone = zone
        self._ticks = ticks
        self._lines: tuple[Line, ...] = ()
        self._end = 0.0
        self._span_s = 3600.0
        self._freshness = Freshness.NEVER
        self._age_s: float | None = None
        self._note = ""
        self._ceiling: float | None = None
        self._rows: list[list[Segment]] = []
        self._line_styles: list[str] = []
        self._rows_for: tuple[int, int, Glyphs] | None = None
        """What the rows were drawn for: width, height and signs."""

    def show(
        self,
        lines: Sequence[Line],
        *,
        end: float,
        span_s: float,
        freshness: Freshness = Freshness.LIVE,
        age_s: float | None = None,
        note: str = "",
    ) -> None:
        """Show lines in the `span_s` seconds before `end` (Unix seconds). `note` is said in the title's line."""
        shown = tuple(lines), end, span_s, freshness, told_age(freshness, age_s), note
        if shown == (self._lines, self._end, self._span_s, self._freshness, self._age_s, self._note):
            return
        self._lines, self._end, self._span_s, self._freshness, self._age_s, self._note = shown
        self._rows_for = None
        self.repaint()

    @property
    def ceiling(self) -> float:
        """The top of the axis now."""
        if self._axis.high is not None:
            return self._axis.high
        start = self._end - self._span_s
        peak = max(
            (
                value
                for line in self._lines
                for time, value in zip(line.times, line.values, strict=False)
                if value is not None and time >= start and math.isfinite(value)
            ),
            default=0.0,
        )
        self._ceiling = next_ceiling(peak, self._ceiling, self._axis)
        return self._ceiling

    def forget_styles(self) -> None:
        """Theme, size or glyphs have changed."""
        super().forget_styles()
        self._rows_for = None

    # ---------------------------------------------------------------- drawing

    def draw_line(self, y: int, width: int) -> Strip:
        """A line of the picture, which is drawn as a whole and kept until the next `show`."""
        height = self.size.height
        if self._rows_for != (width, height, glyphs()):
            self._rows = self._draw(width, height)
            self._rows_for = width, height, glyphs()
        segments = self._rows[y] if y < len(self._rows) else []
        return Strip(segments).adjust_cell_length(width, self.base_style())

    def _draw(self, width: int, height: int) -> list[list[Segment]]:
        base = self.base_style()
        self._line_styles = [self._line_style(number) for number in range(len(self._lines))]
        header = [cell_segments(self._heading(width), width, "left", base, self.ink)]
        with_times = height >= 5
        plot_height = height - 1 - (2 if with_times else 0)
        if plot_height < 1:
            return header
        if not self._has_values():
            return header + self._why_empty(width, height - 1)
        ceiling = self.ceiling
        labels = self._value_labels(plot_height, ceiling)
        left = max(len(text) for text in labels.values()) + 1
        columns = width - left - 1
        if columns < 4:
            return header
        across = 1 if glyphs().is_ascii else 2
        down = 1 if glyphs().is_ascii else 4
        window = Window(self._end, self._span_s, self._axis.low, ceiling, columns * across, plot_height * down)
        cells = self._cells(window, across, down)
        muted, axis_style = base + self.ink(ink.MUTED), base + self.ink(ink.FAINT)
        rows = []
        limits = {window.row(limit.value) // down: limit for limit in self._thresholds if self._inside(limit, ceiling)}
        for y in range(plot_height):
            label = labels.get(y, "")
            row = [Segment(label.rjust(left), muted), Segment(glyphs().axis, axis_style)]
            row += self._plot_row(y, columns, cells, limits.get(y), y in labels, window, down)
            rows.append(row)
        if with_times:
            rows += self._time_rows(window, left, columns, across, base)
        return header + rows

    def _heading(self, width: int) -> Content:
        parts: list[Content | tuple[str, str]] = [(self._title, ink.STRONG)] if self._title else []
        if self._freshness.readable:
            for number, line in sorted(enumerate(self._lines), key=lambda pair: pair[1].compared):
                sign = self._legend_sign(number)
                value = self._last_value(line)
                parts.append(("  " if parts else "", ""))
                parts.append((f"{sign} ", self._line_styles[number]))
                parts.append((f"{line.name} ", ink.MUTED))
                severity = self._severity_of(value)
                text = self._axis.format(value) if value is not None else NOT_MEASURED
                if line.compared:
                    parts.append((text, ink.MUTED))
                elif severity > Severity.OK:
                    parts.append((f"{glyphs().severity[severity]} {text}", ink.SEVERITY[severity]))
                else:
                    parts.append((text, ink.STRONG))
        notes = [part for part in (self._note, self._short_history()) if part]
        right = Content.assemble((f" {glyphs().dot} ".join(notes), ink.MUTED)) if notes else Content("")
        if self._freshness is not Freshness.LIVE:
            chip = freshness_text(self._freshness, self._age_s)
            right = Content.assemble(right, "  ", chip) if notes else chip
        heading = Content.assemble(*parts)
        spare = width - heading.cell_length - right.cell_length
        return Content.assemble(heading, " " * spare, right) if spare >= 2 else heading

    def _dashes(self, number: int, across: int) -> tuple[int, int]:
        """After how many columns of dots a line's pattern repeats, and how many of these are drawn."""
        if self._lines[number].compared:
            return 2 * across, 1
        # Without colours it is the dashes that tell lines apart; with ASCII signs each line has its own.
        if self.app.no_color and not glyphs().is_ascii:
            return _DASHES[self._rank(number) % len(_DASHES)]
        return 1, 1

    def _rank(self, number: int) -> int:
        """How many lines of the present come before this one."""
        return sum(not line.compared for line in self._lines[:number])

    def _legend_sign(self, number: int) -> str:
        if glyphs().is_ascii:
            return self._ascii_sign(number) * 2
        if self._lines[number].compared:
            return "··"
        return _DASH_SIGNS[self._rank(number) % len(_DASHES)] if self.app.no_color else "━━"

    def _ascii_sign(self, number: int) -> str:
        """A line's own letter, where there are no dots and perhaps no colours."""
        return "." if self._lines[number].compared else "*+ox%@"[self._rank(number) % 6]

    def _has_values(self) -> bool:
        return self._freshness.readable and any(
            value is not None and not math.isnan(value) for line in self._lines for value in line.values
        )

    def _why_empty(self, width: int, height: int) -> list[list[Segment]]:
        if self._note:
            text = self._note
        elif self._freshness.readable:
            text = "nothing measured in this time"
        else:
            text = freshness_text(self._freshness, self._age_s).plain
        style = self.base_style() + self.ink(ink.MUTED)
        rows = [[Segment(" " * width, style)] for _ in range(height)]
        rows[(height - 1) // 2] = [Segment(fit(text, width, "center"), style)]
        return rows

    def _value_labels(self, plot_height: int, ceiling: float) -> dict[int, str]:
        low, form = self._axis.low, self._axis.format
        labels = {0: form(ceiling)}
        if plot_height >= 2:
            labels[plot_height - 1] = form(low)
        if plot_height >= 5:
            labels[(plot_height - 1) // 2] = form(
                low + (ceiling - low) * self._share_of((plot_height - 1) // 2, plot_height)
            )
        return labels

    @staticmethod
    def _share_of(y: int, plot_height: int) -> float:
        """Where on the axis (0-1) the middle of a text line is; exactly a half for an odd number of lines."""
        return 1 - y / (plot_height - 1) if plot_height % 2 else 0.5

    def _inside(self, limit: Threshold, ceiling: float) -> bool:
        return self._axis.low < limit.value < ceiling

    def _cells(self, window: Window, across: int, down: int) -> dict[tuple[int, int], _Dots]:
        """All lines' dots by cell (x, y). Compared lines lie behind, the first line lies on top."""
        cells: dict[tuple[int, int], _Dots] = {}
        order = sorted(range(len(self._lines)), key=lambda number: (not self._lines[number].compared, -number))
        for number in order:
            line = self._lines[number]
            runs = runs_of(line.times, line.values, window)
            self._place(cells, runs, number, across, down)
        return cells

    def _place(self, cells: dict[tuple[int, int], _Dots], runs: Runs, number: int, across: int, down: int) -> None:
        period, drawn = self._dashes(number, across)
        for column, (top, bottom) in runs.items():
            if column % period >= drawn:
                continue
            x, side = divmod(column, across)
            for y in range(top // down, bottom // down + 1):
                first, last = max(top, y * down), min(bottom, y * down + down - 1)
                bits = BRAILLE_RUNS[side][first % 4][last % 4]
                before = cells.get((x, y))
                if before is None:
                    cells[(x, y)] = _Dots(bits, number, first, last)
                elif before.line == number:
                    cells[(x, y)] = _Dots(before.bits | bits, number, min(before.top, first), max(before.bottom, last))
                else:
                    cells[(x, y)] = _Dots(before.bits | bits, number, first, last)

    def _plot_row(
        self,
        y: int,
        columns: int,
        cells: dict[tuple[int, int], _Dots],
        limit: Threshold | None,
        gridded: bool,
        window: Window,
        down: int,
    ) -> list[Segment]:
        """One text line of the plot: dots over the threshold's line over the grid's."""
        base = self.base_style()
        signs = glyphs()
        if limit is not None:
            ground, ground_style = signs.threshold, base + self.ink(ink.SEVERITY[limit.severity])
        elif gridded:
            ground, ground_style = signs.grid, base + self.ink(ink.FAINT)
        else:
            ground, ground_style = " ", base
        limits = [(window.row(one.value), one) for one in self._thresholds]
        segments: list[Segment] = []
        text, style = "", base
        for x in range(columns):
            dots = cells.get((x, y))
            if dots is None:
                sign, sign_style = ground, ground_style
            else:
                sign = self._ascii_sign(dots.line) if signs.is_ascii else chr(0x2800 + dots.bits)
                sign_style = self._dots_style(dots, limits, base)
            if sign_style is style:
                text += sign
            else:
                if text:
                    segments.append(Segment(text, style))
                text, style = sign, sign_style
        segments.append(Segment(text, style))
        return segments

    def _dots_style(self, dots: _Dots, limits: Sequence[tuple[int, Threshold]], base: Style) -> Style:
        severity = Severity.OK
        if not self._lines[dots.line].compared and self._freshness is Freshness.LIVE:
            for row, limit in limits:
                if (dots.bottom >= row) if limit.falling else (dots.top <= row):
                    severity = max(severity, limit.severity)
        name = ink.SEVERITY[severity] if severity > Severity.OK else self._line_styles[dots.line]
        return self._on_base(name, base)

    def _on_base(self, name: str, base: Style) -> Style:
        """The same object for the same name, so that equal neighbours become one segment."""
        key = f"on base {name}"
        style = self._inks.get(key)
        if style is None:
            style = self._inks[key] = base + self.ink(name)
        return style

    def _line_style(self, number: int) -> str:
        line = self._lines[number]
        if self._freshness is Freshness.STALE:
            return ink.STALE
        if line.compared or self._freshness is Freshness.AGEING:
            return ink.MUTED
        return line.style or ink.series_style(self._rank(number))

    def _last_value(self, line: Line) -> float | None:
        """The newest value, unless it is a gap by now: an old figure must not pose as the present one."""
        if not line.times:
            return None
        oldest = self._end - max(GAP_STEPS * usual_step(line.times), GAP_STEPS * self._span_s / 200)
        for time, value in zip(reversed(line.times), reversed(line.values), strict=False):
            if time < oldest:
                return None
            if value is not None:
                return value
        return None

    def _severity_of(self, value: float | None) -> Severity:
        worst = Severity.OK
        for limit in self._thresholds:
            if value is not None and (value <= limit.value if limit.falling else value >= limit.value):
                worst = max(worst, limit.severity)
        return worst

    def _short_history(self) -> str:
        """A window that is mostly empty at its start looks like an outage: say that it is not one."""
        if not self._has_values():
            return ""
        begins = (
            min(
                time
                for line in self._lines
                for time, value in zip(line.times, line.values, strict=False)
                if value is not None and not line.compared
            )
            if any(not line.compared and any(v is not None for v in line.values) for line in self._lines)
            else self._end
        )
        known_s = self._end - begins
        return f"short history: {duration(known_s)}" if known_s < SHORT_HISTORY * self._span_s else ""

    def _time_rows(self, window: Window, left: int, columns: int, across: int, base: Style) -> list[list[Segment]]:
        signs = glyphs()
        first = window.first_bucket()
        line = [signs.axis_line] * columns
        labels = [" "] * (left + 1 + columns)
        start, most = self._end - self._span_s, max(1, columns // 14)
        ticks = self._ticks(start, self._end, most) if self._ticks else time_ticks(start, self._end, most, self._zone)
        for time, label in ticks:
            x = (int(time // window.bucket_s) - first) // across
            if not 0 <= x < columns:
                continue
            line[x] = signs.axis_tick
            at = max(0, min(left + 1 + x - len(label) // 2, len(labels) - len(label)))
            if all(character == " " for character in labels[max(0, at - 1) : at + len(label) + 1]):
                labels[at : at + len(label)] = label
        faint, muted = base + self.ink(ink.FAINT), base + self.ink(ink.MUTED)
        corner = Segment(" " * left + signs.axis_corner + "".join(line), faint)
        return [[corner], [Segment("".join(labels), muted)]]
