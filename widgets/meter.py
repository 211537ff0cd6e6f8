"""A bar for a ratio, with its thresholds drawn on it and its value beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Severity
from farmtui.farm.units import percent
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from textual.strip import Strip


@dataclass(frozen=True, slots=True)
class Limits:
    """From which ratio (0-1) on a meter warns and is critical; None: never. `falling` means that low is bad."""

    warning: float | None = None
    critical: float | None = None
    falling: bool = False

    def severity(self, ratio: float | None) -> Severity:
        """How bad a value is; a value that is not there is UNKNOWN."""
        if ratio is None or math.isnan(ratio):
            return Severity.UNKNOWN
        for limit, severity in ((self.critical, Severity.CRITICAL), (self.warning, Severity.WARNING)):
            if limit is not None and (ratio <= limit if self.falling else ratio >= limit):
                return severity
        return Severity.OK


NO_LIMITS = Limits()


def meter(
    ratio: float | None, width: int = 16, limits: Limits = NO_LIMITS, *, text: str | None = None, stale: bool = False
) -> Content:
    """A bar of `width` cells in all, its value included: `██████┊─── 62 %`.

    `text` replaces the percentage (`412 GiB`). The value is coloured only when a limit is passed, and then has the
    severity's sign too. A value that is not there leaves an empty bar and its word.
    """
    severity = limits.severity(ratio)
    missing = ratio is None or math.isnan(ratio)
    value = percent(ratio) if text is None else text
    if not missing and severity > Severity.OK:
        value = f"{glyphs().severity[severity]} {value}"
    # Room for the sign is kept free below the limits too, so that all bars of a column have one scale.
    room = len("100 %") if text is None else len(text)
    if limits.warning is not None or limits.critical is not None:
        room += 2
    room = max(room, len(value))
    bar_width = max(0, width - room - 1)
    style = ink.STALE if stale else ink.SEVERITY[severity] if severity > Severity.OK and not missing else ""
    bar = _bar(0.0 if ratio is None or missing else ratio, bar_width, limits, style or ink.SERIES[0])
    return Content.assemble(bar, (" " + value.rjust(room), style or (ink.MUTED if missing else "")))


def _bar(ratio: float, width: int, limits: Limits, style: str) -> Content:
    if not width:
        return Content("")
    signs = glyphs()
    halves = round(max(0.0, min(1.0, ratio)) * width * 2)
    if ratio > 0:
        halves = max(1, halves)  # a little is not nothing
    filled = signs.bar_full * (halves // 2) + signs.bar_half * (halves % 2)
    track = list(signs.bar_track * (width - len(filled)))
    for limit in (limits.warning, limits.critical):
        position = int(limit * width) - len(filled) if limit is not None else -1
        if 0 <= position < len(track):
            track[position] = signs.bar_limit
    return Content.assemble((filled, style), ("".join(track), ink.FAINT))


class Meter(LineWidget):
    """A labelled meter in one line."""

    DEFAULT_CSS = "Meter { height: 1; }"

    def __init__(
        self,
        label: str = "",
        limits: Limits = NO_LIMITS,
        *,
        label_width: int = 12,
        id: str | None = None,  # noqa: A002  Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._label = label
        self._label_width = label_width if label else 0
        self._limits = limits
        self._shown: tuple[float | None, str | None, bool] = (None, None, False)

    def show(self, ratio: float | None, *, text: str | None = None, stale: bool = False) -> None:
        """Show a ratio (0-1); see `meter`."""
        self._shown = (ratio, text, stale)
        self.repaint()

    def draw_line(self, y: int, width: int) -> Strip:
        """The only line."""
        if y:
            return self.content_strip("", width)
        ratio, text, stale = self._shown
        label = f"{self._label:<{self._label_width}}"[: self._label_width]
        bar = meter(ratio, max(8, width - len(label)), self._limits, text=text, stale=stale)
        return self.content_strip(Content.assemble((label, ink.MUTED), bar), width)
