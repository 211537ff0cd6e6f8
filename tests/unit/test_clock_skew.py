"""This machine's clock against Prometheus's: what is certain, and what is said of it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from farmtui.farm.state import Severity
from farmtui.insight.findings import findings
from farmtui.sources.prometheus.figures import Answer
from farmtui.sources.prometheus.source import clock_ahead_s
from tests.screens.farms import make_farm

BEGAN = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
ENDED = BEGAN + timedelta(seconds=4)


@pytest.mark.parametrize(
    ("server_after_s", "ahead_s"),
    [
        (0.0, 0.0),
        (2.0, 0.0),
        (4.0, 0.0),
        (-4.9, 0.0),
        (8.9, 0.0),
        (-600.0, 600.0),
        (-603.0, 605.0),
        (604.0, -600.0),
        (-6.0, 5.0),
    ],
)
def test_only_what_is_certain_counts(server_after_s: float, ahead_s: float) -> None:
    """The server told its time somewhere between the poll's begin and its end."""
    told = Answer({(): BEGAN.timestamp() + server_after_s})
    assert clock_ahead_s(told, BEGAN, ENDED) == ahead_s


@pytest.mark.parametrize("told", [None, Answer(), Answer(problem="refused", failed=True)])
def test_a_server_that_does_not_tell_its_time_says_nothing(told: Answer | None) -> None:
    assert clock_ahead_s(told, BEGAN, ENDED) is None


@pytest.mark.parametrize(("ahead_s", "words"), [(600.0, "10m ahead of"), (-35.0, "35 s behind")])
def test_it_is_a_finding_that_says_which_way(ahead_s: float, words: str) -> None:
    [finding] = findings(dataclasses.replace(make_farm(), clock_ahead_s=ahead_s))
    assert finding.severity is Severity.WARNING
    assert finding.title == f"this machine's clock is {words} Prometheus's"
    assert "silences" in finding.cause


def test_a_clock_that_may_be_right_is_none() -> None:
    assert findings(dataclasses.replace(make_farm(), clock_ahead_s=0.0)) == ()
