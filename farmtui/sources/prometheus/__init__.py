"""Prometheus, or what speaks its API: the query catalogue, the poll of all figures, and the trends."""

from farmtui.sources.prometheus.explain import FigureReport, FigureStatus
from farmtui.sources.prometheus.sites import PrometheusSites
from farmtui.sources.prometheus.source import PrometheusSource
from farmtui.sources.prometheus.trends import PrometheusTrends

__all__ = ["FigureReport", "FigureStatus", "PrometheusSites", "PrometheusSource", "PrometheusTrends"]
