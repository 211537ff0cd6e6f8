"""From the farm's trends to the lines of a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Freshness
from widgets.trend_chart import Line, TrendChart

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm
    from farmtui.farm.reading import Trend

TRENDS = "prometheus trends"
"""Name of the source that polls them."""


def trend_values(farm: Farm, name: str) -> tuple[float | None, ...]:
    """The values of a single-line trend, oldest first, for a spark; empty where there is none."""
    trend = farm.trends.get(name)
    return trend.series[0].values if trend and trend.series else ()


def show_trend(chart: TrendChart, farm: Farm, named: tuple[tuple[str, str, bool], ...]) -> None:
    """Show trends in a chart: (trend's name, line's name, whether it is a comparison with another day).

    A chart never shows an empty axis without saying why: not polled yet, refused, or failed in words.
    """
    source = next((source for source in farm.sources if source.name == TRENDS), None)
    freshness = source.freshness if source else Freshness.ABSENT
    age_s = (farm.at - source.last_success_at).total_seconds() if source and source.last_success_at else None
    trends = [farm.trends[name] for name, _, _ in named if name in farm.trends]
    lines = [
        line
        for name, title, compared in named
        if (trend := farm.trends.get(name)) is not None
        for line in trend_lines(trend, title, compared=compared)
    ]
    note = next((trend.failure for trend in trends if trend.failure), "")
    ends = [line.times[-1] for line in lines if line.times]
    starts = [line.times[0] for line in lines if line.times]
    end = max(ends, default=farm.at.timestamp())
    span_s = end - min(starts, default=end - 3600.0) or 3600.0
    chart.show(lines, end=end, span_s=span_s, freshness=freshness, age_s=age_s, note=note)


def trend_lines(trend: Trend, title: str, *, compared: bool = False) -> list[Line]:
    """One line for each series; the series' own label names it where there are several."""
    if len(trend.series) <= 1:
        return [Line(title, series.times, series.values, compared=compared) for series in trend.series]
    return [
        Line(" ".join(value for _, value in series.labels) or title, series.times, series.values, compared=compared)
        for series in trend.series
    ]
