"""Cells that many tables share: a figure that is coloured when it is bad, and when a row was last measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity, freshness_of
from widgets import ink
from widgets.freshness_chip import freshness_text
from widgets.glyphs import glyphs

if TYPE_CHECKING:
    from datetime import datetime

    from farmtui.farm.farm import Farm
    from widgets.meter import Limits


def figure(text: str, severity: Severity) -> Content | str:
    """A figure, coloured and marked only when it is bad: colour is saved for what is wrong."""
    if severity not in (Severity.WARNING, Severity.CRITICAL):
        return text
    return Content.styled(f"{glyphs().severity[severity]} {text}", ink.SEVERITY[severity])


def limited(text: str, value: float | None, limits: Limits) -> Content | str:
    """A figure that is bad beyond its limits; what is not measured is not coloured."""
    return figure(text, limits.severity(value))


def row_freshness(farm: Farm | None, seen_at: datetime | None) -> Freshness:
    """The freshness of one row of Prometheus figures, from when its exporter last served it."""
    if farm is None:
        return Freshness.NEVER
    age_s = (farm.at - seen_at).total_seconds() if seen_at else None
    return freshness_of(age_s, reading_interval(farm))


def seen(farm: Farm | None, seen_at: datetime | None) -> Content | str:
    """When a row was last measured: nothing while it is live, its age when it is not."""
    fresh = row_freshness(farm, seen_at)
    if fresh is Freshness.LIVE or farm is None:
        return ""
    return freshness_text(fresh, (farm.at - seen_at).total_seconds() if seen_at else None)


def reading_interval(farm: Farm) -> float:
    """Seconds between two polls of Prometheus; 15 where none is configured."""
    source = farm.source("prometheus")
    return source.interval_s if source else 15.0
