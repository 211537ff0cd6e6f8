"""From the dialog to a server that speaks Alertmanager's protocol on loopback, and back to the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import AlertmanagerConfig
from farmtui.farm.farm import Farm
from farmtui.silences import AlertmanagerDesk
from farmtui.sources.alertmanager import AlertmanagerSource
from screens.actions import perform
from screens.alerts import AlertsScreen
from screens.places import Subject
from tests.screens.farms import make_source
from tests.screens.host import HostApp, text_of


class Alertmanager:
    """Two alerts, and silences that work. `refuses` is the status that changes are answered with instead."""

    def __init__(self) -> None:
        self.silences: dict[str, dict[str, Any]] = {}
        self.refuses = 0
        self.alerts = [
            {"alertname": "Down", "instance": 'we"ird\\name', "severity": "critical"},
            {"alertname": "Full", "instance": "db-1:9100", "severity": "warning"},
        ]

    def application(self) -> web.Application:
        """The routes that the console uses."""
        app = web.Application()
        app.router.add_get("/api/v2/alerts", self._alerts)
        app.router.add_get("/api/v2/silences", self._silences)
        app.router.add_get("/api/v2/status", self._status)
        app.router.add_post("/api/v2/silences", self._create)
        app.router.add_delete("/api/v2/silence/{id}", self._expire)
        return app

    def _covering(self, labels: dict[str, str]) -> list[str]:
        return [
            ident
            for ident, silence in self.silences.items()
            if silence["status"]["state"] == "active"
            and all(labels.get(m["name"], "") == m["value"] for m in silence["matchers"])
        ]

    async def _alerts(self, request: web.Request) -> web.Response:
        now = datetime.now(UTC).isoformat()
        answer = []
        for number, labels in enumerate(self.alerts):
            silenced = self._covering(labels)
            status = {"state": "suppressed" if silenced else "active", "silencedBy": silenced, "inhibitedBy": []}
            times = {"startsAt": now, "endsAt": now, "updatedAt": now}
            about = {"fingerprint": str(number), "labels": labels, "annotations": {}, "receivers": [{"name": "pager"}]}
            answer.append({**about, **times, "status": status, "generatorURL": ""})
        return web.json_response(answer)

    async def _silences(self, request: web.Request) -> web.Response:
        return web.json_response(list(self.silences.values()))

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response({"cluster": {"status": "disabled", "peers": []}, "versionInfo": {"version": "0.25.0"}})

    async def _create(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.json_response({"code": self.refuses, "message": "bad matcher"}, status=self.refuses)
        body = await request.json()
        ident = f"id-{len(self.silences) + 1}"
        if body.get("id"):
            self.silences[body["id"]]["status"]["state"] = "expired"
        self.silences[ident] = {**body, "id": ident, "status": {"state": "active"}, "updatedAt": body["startsAt"]}
        return web.json_response({"silenceID": ident})

    async def _expire(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.json_response({"message": "no"}, status=self.refuses)
        self.silences[request.match_info["id"]]["status"]["state"] = "expired"
        return web.Response()


class Console(HostApp):
    """The alerts screen over a real source; `refresh` is what a feed does."""

    def __init__(self, server: Alertmanager, source: AlertmanagerSource) -> None:
        super().__init__(AlertsScreen, None)
        self.server = server
        self.source = source
        self.silences = AlertmanagerDesk(source, poll=self.asked.set, author="anna")

    asked = asyncio.Event()

    async def picture(self) -> Farm:
        """Poll once and show it."""
        reading = await self.source.poll()
        assert reading.failure is None, reading.failure
        farm = Farm("lab", reading.taken_at, sources=(make_source(),), book=reading.value)
        self.publish(farm)
        return farm


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    server = Alertmanager()
    runner = web.AppRunner(server.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    source = AlertmanagerSource(AlertmanagerConfig(urls=[f"http://127.0.0.1:{port}"]))
    Console.asked = asyncio.Event()
    yield Console(server, source)
    await source.close()
    await runner.cleanup()


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


async def until(app: Console) -> None:
    """Wait for the desk to ask for the next picture, and show it."""
    await asyncio.wait_for(Console.asked.wait(), 10)
    Console.asked.clear()
    await app.picture()


async def test_a_silence_made_in_the_dialog_is_held_by_alertmanager_and_shown(console: Console) -> None:
    async with console.run_test(size=(200, 60)) as pilot:
        await console.picture()
        await pilot.pause()
        assert "1 firing" not in seen(console)
        await pilot.press("x", "s", "enter")
        await pilot.pause()
        await pilot.press(*"ticket", "space", *"4711", "enter", "enter")
        await until(console)
        await pilot.pause()
        (silence,) = console.server.silences.values()
        assert silence["matchers"] == [
            {"name": "alertname", "value": "Down", "isRegex": False, "isEqual": True},
            {"name": "instance", "value": 'we"ird\\name', "isRegex": False, "isEqual": True},
            {"name": "severity", "value": "critical", "isRegex": False, "isEqual": True},
        ], "quotes and backslashes went through the text and back"
        assert (silence["createdBy"], silence["comment"]) == ("anna", "ticket 4711")
        length = datetime.fromisoformat(silence["endsAt"]) - datetime.fromisoformat(silence["startsAt"])
        assert abs(length - timedelta(hours=2)) < timedelta(seconds=2)
        assert "silenced by anna" in seen(console)


async def test_changing_and_ending_it(console: Console) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await console.picture()
        await pilot.pause()
        await pilot.press("x", "s", "enter")
        await pilot.pause()
        await pilot.press(*"why", "enter", "enter")
        await until(console)
        await pilot.pause()
        perform(console, "silence.change", Subject("alert", "0", "Down"))
        await pilot.pause()
        await pilot.press("enter", "!", "enter", "enter")
        await until(console)
        await pilot.pause()
        assert [s["status"]["state"] for s in console.server.silences.values()] == ["expired", "active"]
        assert console.server.silences["id-2"]["comment"] == "why!"
        perform(console, "silence.expire", Subject("alert", "0", "Down"))
        await pilot.pause()
        assert "1 fires again at once" in seen(console)
        await pilot.press("y")
        await until(console)
        await pilot.pause()
        assert console.server.silences["id-2"]["status"]["state"] == "expired"
        assert "silenced by" not in seen(console)


async def test_what_alertmanager_refuses_is_said_in_the_dialog(console: Console) -> None:
    console.server.refuses = 400
    async with console.run_test(size=(120, 40)) as pilot:
        await console.picture()
        await pilot.pause()
        await pilot.press("x", "s", "enter")
        await pilot.pause()
        await pilot.press(*"why", "enter", "enter")
        await until(console)
        await pilot.pause()
        text = seen(console)
        assert "HTTP 400" in text
        assert "the silence was not made" in text
        assert console.server.silences == {}


async def test_an_answer_that_is_lost_is_not_called_a_refusal(console: Console) -> None:
    console.server.refuses = 502
    async with console.run_test(size=(80, 24)) as pilot:
        await console.picture()
        await pilot.pause()
        await pilot.press("x", "s", "enter")
        await pilot.pause()
        await pilot.press(*"why", "enter", "enter")
        await until(console)
        await pilot.pause()
        text = seen(console)
        assert "502" in text
        assert "it is not known whether the silence was made" in text
