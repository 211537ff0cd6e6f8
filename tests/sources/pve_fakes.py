"""An API node of Proxmox VE whose every answer a test may choose, and a source that asks it."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import CephConfig, ProxmoxConfig
from farmtui.sources.ceph_detail_pve import CephPveSource
from farmtui.sources.proxmox import ProxmoxSource
from farmtui.sources.proxmox_api import PveApi
from farmtui.sources.proxmox_backups import ProxmoxBackupsSource
from tests.sources.conftest import Certificates, Handler, Serve
from tests.sources.prometheus.fakes import Fault

PATIENT_S = 60.0
"""A deadline that no working answer ever meets, however loaded the machine is."""
TOKEN_ID = "farmtui@pve!console"
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

STATUS: list[dict[str, Any]] = [
    {"type": "cluster", "id": "cluster", "name": "main", "nodes": 2, "quorate": 1},
    {"type": "node", "id": "node/pve-1", "name": "pve-1", "ip": "10.0.0.1", "online": 1, "nodeid": 1},
    {"type": "node", "id": "node/pve-2", "name": "pve-2", "ip": "10.0.0.2", "online": 1, "nodeid": 2},
]
RESOURCES: list[dict[str, Any]] = [
    {"type": "node", "id": "node/pve-1", "node": "pve-1", "status": "online", "cpu": 0.25, "maxcpu": 32,
     "mem": 100, "maxmem": 400, "uptime": 86_400},
    {"type": "node", "id": "node/pve-2", "node": "pve-2", "status": "online", "cpu": 0.5, "maxcpu": 32},
    {"type": "qemu", "id": "qemu/101", "vmid": 101, "name": "worker-1", "node": "pve-1", "status": "running",
     "cpu": 0.5, "maxcpu": 8, "mem": 10, "maxmem": 20, "uptime": 3_600, "template": 0, "tags": "farm;tier-app"},
    {"type": "lxc", "id": "lxc/102", "vmid": 102, "name": "db-1", "node": "pve-2", "status": "stopped"},
    {"type": "storage", "id": "storage/pve-1/local", "node": "pve-1", "storage": "local", "status": "available"},
]  # fmt: skip


class FakePve:
    """Answers by path below /api2/json; an unknown one as PVE does. `faults` answer instead, "" for every path."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "cluster/status": STATUS,
            "cluster/resources": RESOURCES,
            "cluster/tasks": [],
            "nodes/pve-1/qemu/101/config": {"name": "worker-1", "ipconfig0": "ip=10.1.0.1/24,gw=10.1.0.254"},
            "nodes/pve-2/lxc/102/config": {"hostname": "db-1", "net0": "name=eth0,bridge=vmbr0,ip=10.1.0.2/24"},
        }
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.logins: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api2/json/")
        self.asked[path] += 1
        self.logins.append(request.headers.get("Authorization", ""))
        fault = self.faults.get(path) or self.faults.get("")
        if fault is not None and (answer := await fault(request)) is not None:
            return answer
        if path not in self.answers:
            return web.json_response({"data": None}, status=501, reason="Method not implemented")
        return web.json_response({"data": self.answers[path]})


class Pve:
    """Starts API nodes and makes sources that ask them; all are closed when the test is over."""

    def __init__(self, serve: Serve, certificates: Certificates) -> None:
        self._serve = serve
        self._certificates = certificates
        self._sources: list[ProxmoxSource | ProxmoxBackupsSource | CephPveSource | PveApi] = []
        self._opened: list[asyncio.Transport] = []
        self.now = 0.0
        """The sources' monotonic clock."""

    async def node(self, answering: Handler, tls: ssl.SSLContext | None = None) -> str:
        """The host and port of a new API node."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if isinstance(request.transport, asyncio.Transport):
                self._opened.append(request.transport)
            return await answering(request)

        url = await self._serve(answer, tls or self._certificates.server())
        return url.removeprefix("https://")

    def source(self, *hosts: str, deadline_s: float = PATIENT_S, **more: Any) -> ProxmoxSource:
        """A source for these API nodes."""
        config = self.config(hosts, deadline_s=deadline_s, **more)
        source = ProxmoxSource(config, clock=lambda: AT, monotonic=lambda: self.now)
        self._sources.append(source)
        return source

    def ceph(self, *hosts: str, deadline_s: float = PATIENT_S) -> CephPveSource:
        """A source for the Ceph behind these API nodes."""
        section = CephConfig(via="pve", deadline_s=deadline_s)
        source = CephPveSource(section, self.config(hosts), clock=lambda: AT, monotonic=lambda: self.now)
        self._sources.append(source)
        return source

    def backups(self, *hosts: str, deadline_s: float = PATIENT_S) -> ProxmoxBackupsSource:
        """A source for the backups of these API nodes' guests."""
        config = self.config(hosts, deadline_s=deadline_s)
        source = ProxmoxBackupsSource(config, interval_s=600.0, clock=lambda: AT, monotonic=lambda: self.now)
        self._sources.append(source)
        return source

    def api(self, *hosts: str, deadline_s: float = PATIENT_S) -> PveApi:
        """The way to these API nodes."""
        api = PveApi(self.config(hosts), "proxmox", deadline_s=deadline_s, clock=lambda: AT)
        self._sources.append(api)
        return api

    def config(self, hosts: Sequence[str], **more: Any) -> ProxmoxConfig:
        """The section of a config for these API nodes."""
        given: dict[str, Any] = {
            "name": "main",
            "hosts": list(hosts),
            "token_id": TOKEN_ID,
            "token_secret": "env:FARMTUI_TEST_SECRET",
            "ca_file": self._certificates.ca_file,
            **more,
        }
        return ProxmoxConfig(**given)

    async def close(self) -> None:
        """Close every source, and what is left of its connections."""
        for source in self._sources:
            await source.close()
        # A TLS connection that is closed in good order waits for its other side, and the loop's end does not.
        for transport in self._opened:
            transport.abort()
        for _ in range(20):
            await asyncio.sleep(0)


async def nobody_there(_: web.Request) -> web.StreamResponse:
    """PVE's answer where the API node cannot reach the one that a call is meant for."""
    return web.json_response({"data": None}, status=595, reason="No route to host")


def refusing(status: int, reason: str) -> Fault:
    """PVE's manner of refusing: the words are in the status line, and the body is empty."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, reason=reason)

    return answer


@pytest.fixture
async def pve(serve: Serve, certificates: Certificates, planted: str) -> AsyncIterator[Pve]:
    made = Pve(serve, certificates)
    yield made
    await made.close()
