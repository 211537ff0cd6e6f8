"""The table of exporters: it names what there is; and an exporter's four ways to be there or not are told apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from farmtui.discovery.exporters import EXPORTERS, SOURCES, Presence, exporters_seen, screens
from farmtui.discovery.found import Answers, Found, PrometheusFound
from farmtui.discovery.proposal import propose
from farmtui.discovery.words import prometheus, screen_list
from farmtui.farm.farm import PrometheusView
from farmtui.plain import Page
from farmtui.sources.prometheus.catalogue import catalogue
from farmtui.sources.prometheus.explain import FigureReport, FigureStatus
from screens.console import SCREENS

NOW = datetime(2026, 11, 29, 3, tzinfo=UTC)


def test_its_figures_and_screens_are_those_that_there_are() -> None:
    figures = catalogue().figures
    assert [name for exporter in EXPORTERS for name in exporter.figures if name not in figures] == []
    assert {exporter.screen for exporter in EXPORTERS} <= {entry.name for entry in SCREENS}
    told = {(use.key, use.name) for use in screens(Found(), {}, 0)}
    assert told == {(entry.key, entry.name) for entry in SCREENS if entry.key}


@pytest.mark.parametrize(
    ("status", "presence"),
    [
        (FigureStatus.OK, Presence.YES),
        (FigureStatus.EMPTY, Presence.SILENT),
        (FigureStatus.MISSING, Presence.NO),
        (FigureStatus.FAILED, Presence.FAILED),
        (FigureStatus.REFUSED, Presence.FAILED),
    ],
)
def test_each_way_is_another_word(status: FigureStatus, presence: Presence) -> None:
    report = FigureReport("cache.uptime_s", "x", status, 3, "why not")
    [seen] = [seen for seen in exporters_seen([report]) if seen.exporter.name == "Varnish"]
    assert seen.presence is presence
    found = PrometheusFound("http://p:9090", view=PrometheusView(), figures=(report,))
    [line] = [line for line in prometheus(found, Page()).splitlines() if "Varnish" in line]
    assert line.split()[0] == presence.value


def test_a_screen_is_empty_or_unknown_or_shows() -> None:
    answers = Answers()
    for found, word in (
        (Found(), "empty"),
        (Found(PrometheusFound("http://p:9090", view=PrometheusView())), "empty"),
        (Found(PrometheusFound("http://p:9090")), "unknown"),
    ):
        text = screen_list(found, propose(answers, found, NOW), Page())
        [line] = [line for line in text.splitlines() if "8 database" in line]
        assert line.split()[0] == word
    uses = screens(Found(), dict.fromkeys(SOURCES, ()), 3)
    assert next(use for use in uses if use.name == "storage").by == ("Ceph's own word", "GlusterFS over SSH")
