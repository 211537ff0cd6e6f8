"""A DigitalOcean API whose every answer a test may choose, and a source that asks it."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import DigitalOceanConfig
from farmtui.sources.digitalocean import DigitalOceanSource
from tests.sources.conftest import Certificates, Handler, Serve
from tests.sources.prometheus.fakes import Fault

PATIENT_S = 60.0
"""A deadline that no working answer ever meets, however loaded the machine is."""
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def droplet(ident: int, **more: Any) -> dict[str, Any]:
    """A droplet as the API gives it."""
    return {
        "id": ident,
        "name": f"cache-{ident}",
        "memory": 16_384,
        "vcpus": 8,
        "disk": 100,
        "locked": False,
        "status": "active",
        "created_at": "2026-08-30T00:00:00Z",
        "size": {"slug": "s-8vcpu-16gb", "price_monthly": 96.0},
        "size_slug": "s-8vcpu-16gb",
        "region": {"slug": "fra1"},
        "networks": {
            "v4": [
                {"ip_address": f"203.0.113.{ident % 250}", "type": "public"},
                {"ip_address": f"10.0.{ident // 250}.{ident % 250}", "type": "private"},
            ],
            "v6": [],
        },
        "tags": ["farm", "tier-cache"],
        **more,
    }


class FakeCloud:
    """Answers by path below /v2/, in pages. `faults` answer instead, "" for every path."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {
            "droplets": [droplet(1), droplet(2)],
            "volumes": [{"id": "v-1", "name": "data", "region": {"slug": "fra1"}, "size_gigabytes": 10,
                         "droplet_ids": [1]}],
            "load_balancers": [{"id": "lb-1", "name": "edge", "status": "active", "ip": "198.51.100.1",
                                "region": {"slug": "fra1"}, "droplet_ids": [1, 2]}],
        }  # fmt: skip
        self.balance: Any = {"month_to_date_usage": "123.45", "account_balance": "-7.00"}
        self.faults: dict[str, Fault] = {}
        self.headers: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.queries: list[dict[str, str]] = []
        self.logins: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v2/")
        self.asked[path] += 1
        self.queries.append(dict(request.query))
        self.logins.append(request.headers.get("Authorization", ""))
        fault = self.faults.get(path) or self.faults.get("")
        if fault is not None and (answer := await fault(request)) is not None:
            return answer
        if path == "customers/my/balance":
            return web.json_response(self.balance, headers=self.headers)
        if path not in self.lists:
            return web.json_response({"id": "not_found", "message": "no such path"}, status=404)
        return web.json_response(self.page(path, request), headers=self.headers)

    def page(self, path: str, request: web.Request) -> dict[str, Any]:
        """The page of a listing that is asked for."""
        size, number = int(request.query["per_page"]), int(request.query["page"])
        items = self.lists[path]
        links: dict[str, Any] = {}
        if number * size < len(items):
            # Where it points does not matter: it must never be followed.
            links = {"pages": {"next": f"https://evil.example/v2/{path}?page={number + 1}"}}
        return {path: items[(number - 1) * size : number * size], "links": links, "meta": {"total": len(items)}}


class Cloud:
    """Starts APIs and makes sources that ask them; all are closed when the test is over."""

    def __init__(self, serve: Serve, certificates: Certificates) -> None:
        self._serve = serve
        self._certificates = certificates
        self._sources: list[DigitalOceanSource] = []
        self._opened: list[asyncio.Transport] = []
        self.at = AT

    async def api(self, answering: Handler, tls: ssl.SSLContext | None = None) -> str:
        """The base address of a new API."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if isinstance(request.transport, asyncio.Transport):
                self._opened.append(request.transport)
            return await answering(request)

        return await self._serve(answer, tls or self._certificates.server())

    def source(self, endpoint: str, deadline_s: float = PATIENT_S, **more: Any) -> DigitalOceanSource:
        """A source for this API."""
        given: dict[str, Any] = {
            "token": "env:FARMTUI_TEST_SECRET",
            "endpoint": endpoint,
            "ca_file": self._certificates.ca_file,
            "deadline_s": deadline_s,
            **more,
        }
        source = DigitalOceanSource(DigitalOceanConfig(**given), clock=lambda: self.at)
        self._sources.append(source)
        return source

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)

    async def close(self) -> None:
        """Close every source, and what is left of its connections."""
        for source in self._sources:
            await source.close()
        # A TLS connection that is closed in good order waits for its other side, and the loop's end does not.
        for transport in self._opened:
            transport.abort()
        for _ in range(20):
            await asyncio.sleep(0)


def refusing(status: int, ident: str, message: str = "", **headers: str) -> Fault:
    """DigitalOcean's manner of refusing. A header's name is written with _ for -."""

    async def answer(_: web.Request) -> web.StreamResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"id": ident, "message": message}, status=status, headers=sent)

    return answer


@pytest.fixture
async def cloud(serve: Serve, certificates: Certificates, planted: str) -> AsyncIterator[Cloud]:
    made = Cloud(serve, certificates)
    yield made
    await made.close()
