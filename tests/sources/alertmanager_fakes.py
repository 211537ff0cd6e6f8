"""An Alertmanager whose every answer a test may choose, and a source that asks several of them."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import AlertmanagerConfig
from farmtui.farm.alerts import AlertBook
from farmtui.farm.reading import Reading
from farmtui.sources.alertmanager import AlertmanagerSource
from tests.sources.prometheus.fakes import Fault

PATIENT_S = 60.0
"""A deadline that no working answer ever meets, however loaded the machine is."""
SHORT_S = 0.4
AT = datetime(2026, 11, 23, 8, 50, 40, tzinfo=UTC)

REAL: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "alertmanager.json").read_text(encoding="utf-8"))
"""What Alertmanager 0.25 has answered: two alerts and an inhibited one, a silence, its status, a silence's making."""


def stamp(seconds: float = 0.0) -> str:
    """So many seconds after the tests' moment, as Alertmanager writes it."""
    return (AT + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alert(name: str, *, updated_s: float = 0.0, fingerprint: str = "", **labels: str) -> dict[str, Any]:
    """An alert as the API gives it; its fingerprint follows from its name."""
    return {
        "annotations": {"summary": f"{name} it is"},
        "endsAt": stamp(240),
        "fingerprint": fingerprint or name.encode().hex(),
        "receivers": [{"name": "pager"}],
        "startsAt": stamp(-60),
        "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": stamp(updated_s),
        "generatorURL": "http://prometheus:9090/graph",
        "labels": {"alertname": name, "severity": "warning", **labels},
    }


def silence(ident: str, *, state: str = "active", updated_s: float = 0.0, **more: Any) -> dict[str, Any]:
    """A silence as the API gives it."""
    return {
        "id": ident,
        "status": {"state": state},
        "updatedAt": stamp(updated_s),
        "comment": "ticket 1",
        "createdBy": "ops",
        "endsAt": stamp(3600),
        "matchers": [{"isEqual": True, "isRegex": False, "name": "alertname", "value": "TargetDown"}],
        "startsAt": stamp(-60),
        **more,
    }


class FakeAlertmanager:
    """One replica. `faults` by path (`alerts`, `silences`, `status`, `silence`), by method, or "" for all."""

    def __init__(self, alerts: Any = (), silences: Any = ()) -> None:
        self.alerts: Any = list(alerts) if isinstance(alerts, tuple) else alerts
        self.silences: Any = list(silences) if isinstance(silences, tuple) else silences
        self.status: Any = copy.deepcopy(REAL["status"])
        self.faults: dict[str, Fault] = {}
        self.asked: list[str] = []
        """`GET alerts`, `POST silences`, `DELETE silence/ID`, in the order in which they came."""
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v2/")
        self.asked.append(f"{request.method} {path}")
        self.headers.append(dict(request.headers))
        if request.method == "POST":
            self.bodies.append(await request.json())
        for key in (request.method, path.partition("/")[0], ""):
            fault = self.faults.get(key)
            if fault is not None and (answer := await fault(request)) is not None:
                return answer
        return self._well(request.method, path)

    def _well(self, method: str, path: str) -> web.StreamResponse:
        if method == "POST" and path == "silences":
            return web.json_response(self.hold(self.bodies[-1]))
        if method == "DELETE" and path.startswith("silence/"):
            return self._end(path.removeprefix("silence/"))
        if method == "GET" and path in ("alerts", "silences", "status"):
            return web.json_response(getattr(self, path))
        return web.json_response({"code": 404, "message": f"path /api/v2/{path} was not found"}, status=404)

    def hold(self, body: Any) -> dict[str, str]:
        """Make a silence; gives what is answered."""
        ident = body.get("id") or f"made-{len(self.bodies)}"
        self.silences = [one for one in self.silences if one["id"] != ident]
        self.silences.append({**body, "id": ident, "status": {"state": "active"}, "updatedAt": stamp()})
        return {"silenceID": ident}

    def _end(self, ident: str) -> web.StreamResponse:
        found = [one for one in self.silences if one["id"] == ident]
        if not found:
            # It really is a 500, and really a bare text.
            return web.json_response("silence not found", status=500)
        found[0]["status"]["state"] = "expired"
        return web.Response()

    def changes(self) -> list[str]:
        """What has been asked that changes anything."""
        return [asked for asked in self.asked if not asked.startswith("GET")]


class Desk:
    """Sources that are closed when the test is over."""

    def __init__(self) -> None:
        self._sources: list[AlertmanagerSource] = []

    def source(self, *urls: str, deadline_s: float = PATIENT_S, **options: Any) -> AlertmanagerSource:
        config = AlertmanagerConfig(urls=list(urls), deadline_s=deadline_s, **options)
        made = AlertmanagerSource(config, clock=lambda: AT)
        self._sources.append(made)
        return made

    async def close(self) -> None:
        for source in self._sources:
            await source.close()
        # A connection that is closed is gone one turn of the loop later.
        await asyncio.sleep(0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    await made.close()


def good(reading: Reading[AlertBook]) -> AlertBook:
    """The book of a reading without a failure."""
    assert reading.failure is None
    assert reading.value is not None
    return reading.value
