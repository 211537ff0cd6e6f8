"""Style names for text, resolved against the theme when it is painted; nothing here is a colour.

Text with colours is Textual's `Content`, whose spans hold names such as `$ink-warning`. It follows a change of theme
by itself, and is never parsed as markup. `tests/themes` holds that each name is given by every theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Freshness, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = "$ink-text"
MUTED = "$ink-muted"
"""What is read second: labels, units, ages."""
FAINT = "$ink-faint"
"""What need not be read: grids, tracks, rules."""
ACCENT = "$ink-accent"
OK = "$ink-ok"
INFO = "$ink-info"
WARNING = "$ink-warning"
UNKNOWN = "$ink-unknown"
CRITICAL = "$ink-critical"
STALE = "$ink-stale"
STRONG = "bold"

SEVERITY: Mapping[Severity, str] = {
    Severity.OK: OK,
    Severity.INFO: INFO,
    Severity.WARNING: WARNING,
    Severity.UNKNOWN: UNKNOWN,
    Severity.CRITICAL: CRITICAL,
}

FRESHNESS: Mapping[Freshness, str] = {
    Freshness.LIVE: MUTED,
    Freshness.AGEING: MUTED,
    Freshness.STALE: STALE,
    Freshness.NEVER: UNKNOWN,
    Freshness.FORBIDDEN: UNKNOWN,
    Freshness.EMPTY: MUTED,
    Freshness.ABSENT: MUTED,
}

SERIES = tuple(f"$ink-series-{number}" for number in range(1, 7))
"""Lines of a chart, in order; the seventh is drawn like the first."""


def series_style(position: int) -> str:
    """The style of a chart's line by its position, from 0."""
    return SERIES[position % len(SERIES)]


def row_style(severity: Severity, freshness: Freshness = Freshness.LIVE) -> str:
    """The style of a whole row: colour is kept for what is wrong, and what is old is never bright."""
    if freshness is Freshness.STALE:
        return STALE
    if freshness is not Freshness.LIVE:
        return MUTED
    return SEVERITY[severity] if severity >= Severity.WARNING else ""
