"""What the tests of the poll share: a clock that they move, sources that are closed, faults of single figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import PrometheusConfig
from farmtui.farm.farm import PrometheusView
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.prometheus import PrometheusSource
from farmtui.sources.prometheus.catalogue import catalogue
from tests.sources.prometheus.fakes import (
    Fault,
    cut_short,
    parts,
    reset,
    status,
    text,
)

PATIENT_S = 60.0
"""A deadline that no working answer ever meets, however loaded the machine is."""

FIGURES = catalogue().figures
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Polls:
    """Sources that are closed when the test is over."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._sources: list[PrometheusSource] = []

    def source(self, url: str, deadline_s: float = PATIENT_S, **options: Any) -> PrometheusSource:
        config = PrometheusConfig(url=url, deadline_s=deadline_s, **options)
        made = PrometheusSource(config, clock=self.clock)
        self._sources.append(made)
        return made

    async def close(self) -> None:
        for source in self._sources:
            await source.close()


@pytest.fixture
async def polls() -> AsyncIterator[Polls]:
    made = Polls()
    yield made
    await made.close()


def good(reading: Reading[PrometheusView]) -> PrometheusView:
    """The view of a reading without a failure."""
    assert reading.failure is None
    assert reading.value is not None
    return reading.value


def only(figure: str, fault: Fault) -> Fault:
    """A fault in the answer to one figure's query, be it asked alone or in a batch."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        asked = parts(request.query.get("query", "")).values()
        return await fault(request) if FIGURES[figure].promql in asked else None

    return answer


def but(*figures: str) -> dict[str, str]:
    """The config's overrides that switch every other figure off: few queries, for tests whose deadline is short."""
    return {name: "" for name in FIGURES if name not in figures}


WHOLE_FAULTS: dict[str, tuple[Fault, FailureKind]] = {
    "401": (status(401, "who are you"), FailureKind.FORBIDDEN),
    "403": (status(403, "not for you"), FailureKind.FORBIDDEN),
    "429": (status(429, "slower"), FailureKind.RATE_LIMITED),
    "500": (status(500, "broken"), FailureKind.SERVER),
    "502 page": (text("<html>bad gateway</html>", "text/html", 502), FailureKind.SERVER),
    "503": (status(503, "starting"), FailureKind.SERVER),
    "404": (status(404), FailureKind.BAD_ANSWER),
    "login page": (text("<!doctype html><title>Sign in</title>", "text/html"), FailureKind.BAD_ANSWER),
    "garbage": (text("\x00\x01{]"), FailureKind.BAD_ANSWER),
    "empty": (text(""), FailureKind.BAD_ANSWER),
    "deep": (text("[" * 100_000), FailureKind.BAD_ANSWER),
    "another service": (text('{"hello": "world"}'), FailureKind.BAD_ANSWER),
    "a list": (text("[1, 2, 3]"), FailureKind.BAD_ANSWER),
    "a number": (text("3"), FailureKind.BAD_ANSWER),
    "error with 200": (text('{"status": "error", "error": "boom"}'), FailureKind.BAD_ANSWER),
    "data of no kind": (text('{"status": "success", "data": 3}'), FailureKind.BAD_ANSWER),
    "no result": (text('{"status": "success", "data": {"resultType": "vector"}}'), FailureKind.BAD_ANSWER),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "reset": (reset, FailureKind.UNREACHABLE),
}
