"""Draws a live table's header and rows, and keeps the strips of rows that have not changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol

from rich.segment import Segment
from textual.strip import Strip

from farmtui.farm.state import Freshness, Severity
from widgets import ink
from widgets.glyphs import glyphs
from widgets.table_columns import GAP, Placed, R
from widgets.table_paint import cell_segments, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from rich.style import Style

KEPT_STRIPS = 1000


class Inks(Protocol):
    """Where styles come from: the table itself."""

    def ink(self, name: str) -> Style:
        """The terminal style of a style name."""
        ...

    def base_style(self) -> Style:
        """The table's own colours."""
        ...


@dataclass(frozen=True)  # no slots: Python 3.11 cannot then call `Layout[...]()`
class Layout(Generic[R]):
    """The columns in their places, and the width of a whole line."""

    placed: tuple[Placed[R], ...]
    width: int


class RowPainter(Generic[R]):
    """`severity` and `freshness` read them from a row."""

    def __init__(
        self,
        inks: Inks,
        severity: Callable[[R], Severity] | None,
        freshness: Callable[[R], Freshness] | None,
    ) -> None:
        self._inks = inks
        self._severity = severity
        self._freshness = freshness
        self._kept: dict[tuple[int, bool], Strip] = {}

    @property
    def gutter(self) -> int:
        """The cells before the first column: cursor or mark, the severity's sign, hatching."""
        return 2 if self._severity is None else 3

    def forget(self) -> None:
        """Rows, marks, columns or styles have changed."""
        self._kept = {}

    def header(self, layout: Layout[R], sort: str | None, *, descending: bool, style: Style) -> Strip:
        """The columns' titles; the sorting one has a sign for the direction."""
        segments = [Segment(" " * self.gutter, style)]
        for number, placed in enumerate(layout.placed):
            column = placed.column
            if number:
                segments.append(Segment(" " * GAP, style))
            if column.key != sort:
                segments.append(Segment(fit(column.title, placed.width, column.align), style))
                continue
            sign = glyphs().descending if descending else glyphs().ascending
            # Beside the title's last letter, wherever the column's alignment puts it.
            title = fit(column.title, max(0, placed.width - len(sign)), column.align)
            text = title.rstrip() + sign if column.align == "left" else title + sign
            segments.append(Segment(fit(text, placed.width, column.align), style + self._inks.ink(ink.ACCENT)))
        return Strip(segments).adjust_cell_length(layout.width, style)

    def row(
        self,
        index: int,
        row: R,
        layout: Layout[R],
        *,
        marked: bool,
        cursor: Style | None,
        focused: bool,
        whole: Freshness,
    ) -> Strip:
        """The strip of the row at `index`.

        `cursor` is its style where it is on this row, `focused` whether keys go to this table, `whole` the freshness
        of all rows together.
        """
        kept = self._kept.get((index, cursor is not None))
        if kept is not None:
            return kept
        severity = self._severity(row) if self._severity else Severity.OK
        freshness = older(self._freshness(row) if self._freshness else Freshness.LIVE, whole)
        base = self._inks.base_style() + self._inks.ink(ink.row_style(severity, freshness))
        if cursor is not None:
            base += cursor
        segments = self._gutter(severity, freshness, base, marked=marked, on_cursor=cursor is not None, focused=focused)
        # In reverse video a cell's own colour would become a patch of background.
        own_colours = freshness is Freshness.LIVE and not base.reverse
        for number, placed in enumerate(layout.placed):
            if number:
                segments.append(Segment(" " * GAP, base))
            cell = placed.column.cell(row)
            resolve = self._inks.ink if own_colours else None
            segments.extend(cell_segments(cell, placed.width, placed.column.align, base, resolve))
        strip = Strip(segments).adjust_cell_length(layout.width, base)
        if len(self._kept) >= KEPT_STRIPS:
            self._kept = {}
        self._kept[(index, cursor is not None)] = strip
        return strip

    def _gutter(
        self, severity: Severity, freshness: Freshness, base: Style, *, marked: bool, on_cursor: bool, focused: bool
    ) -> list[Segment]:
        signs = glyphs()
        sign = signs.mark if marked else signs.cursor if on_cursor else " "
        sign_style = base + self._inks.ink(ink.ACCENT if marked or focused else ink.FAINT)
        segments = [Segment(sign, base if base.reverse else sign_style)]
        if self._severity is not None:
            known_now = freshness is Freshness.LIVE and not base.reverse
            style = base + self._inks.ink(ink.SEVERITY[severity]) if known_now else base
            segments.append(Segment(signs.severity[severity], style))
        segments.append(Segment(signs.hatch if freshness is Freshness.STALE else " ", base))
        return segments


def older(mine: Freshness, whole: Freshness) -> Freshness:
    """A row is no fresher than the answer that it came with."""
    if whole is Freshness.STALE or (whole is Freshness.AGEING and mine is Freshness.LIVE):
        return whole
    return mine


def why_empty(
    total: int, noun: str, filter_text: str, freshness: Freshness, reason: str, keys: Sequence[Hashable]
) -> str:
    """Why a table shows no row. Nothing yet, not allowed, nothing there and nothing that matches never look alike."""
    if keys:
        return ""
    name = noun.partition(":")[0]
    if total and filter_text:
        return f"none of {total:,} {name} match /{filter_text} (Esc clears the filter)"
    if total:
        return f"none of {total:,} {name} to show"
    if reason:
        return reason
    match freshness:
        case Freshness.NEVER:
            return f"no answer yet: {name} not known"
        case Freshness.ABSENT:
            return f"not configured: the config names no source for {name}"
        case Freshness.FORBIDDEN:
            return f"not allowed: the source refuses to tell {name}"
        case Freshness.STALE:
            return f"no {name} when last heard of, which is long ago"
        case _:
            return f"no {noun}"
