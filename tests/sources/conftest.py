"""Servers on loopback for the sources' tests: aiohttp ones, raw ones, and their certificates; a watch on the loop."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
import trustme
from aiohttp import web

from tests.sources.ssh_server import FakeHost

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Serve(Protocol):
    """Starts an HTTP(S) server whose every path is given to one handler; gives its base address."""

    async def __call__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> str: ...


class ServeRaw(Protocol):
    """Starts a TCP server that speaks whatever its handler writes; gives its base address as http://."""

    async def __call__(self, handler: RawHandler) -> str: ...


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(handler: Handler, tls: ssl.SSLContext | None = None) -> str:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            assert isinstance(request, web.Request)
            return await handler(request)

        app = web.Application(client_max_size=64_000_000)
        app.router.add_route("*", "/{path:.*}", answer)
        # What hangs is cut at once when the test is over; a client that goes away ends its handler.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host, port = runner.addresses[0][:2]
        return f"{'https' if tls else 'http'}://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def serve_raw() -> AsyncIterator[ServeRaw]:
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(handler: RawHandler) -> str:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await handler(reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.close()
                tasks.discard(task)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Certificates:
    """A CA of the test's own, and servers' certificates that it has signed."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_file))

    def server(self, name: str = "127.0.0.1", *, expired: bool = False) -> ssl.SSLContext:
        """A server's context for a name; `expired` makes a certificate of last year."""
        now = dt.datetime.now(dt.UTC)
        begins, ends = (now - dt.timedelta(days=400), now - dt.timedelta(days=35)) if expired else (None, None)
        leaf = self._ca.issue_cert(name, not_before=begins, not_after=ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        return context


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


class Heartbeat:
    """How the event loop turned: in CPU time, so that nothing else that this machine does is in it."""

    busiest_s = 0.0
    """The most that the loop's thread has spent on one turn."""
    spent_s = 0.0
    """What all threads of this process have spent meanwhile."""
    count = 0
    """Turns that the loop has had; one that stands still has none, whatever the machine's load."""


@asynccontextmanager
async def beating() -> AsyncIterator[Heartbeat]:
    """Watch the loop while the body runs.

    Without the collector: its pauses grow with whatever else this process holds.
    """
    beat = Heartbeat()

    async def tick() -> None:
        spent = time.thread_time()
        while True:
            await asyncio.sleep(0.005)
            used = time.thread_time()
            beat.busiest_s = max(beat.busiest_s, used - spent)
            beat.count += 1
            spent = used

    gc.disable()
    began = time.process_time()
    task = asyncio.create_task(tick())
    try:
        yield beat
    finally:
        beat.spent_s = time.process_time() - began
        gc.enable()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[FakeHost]:
    """An SSH server that is called `box` and answers every command with nothing; and `gone`, where nobody listens."""
    fake = FakeHost(tmp_path)
    await fake.start()
    yield fake
    await fake.stop()


PLANTED = "s3cr3t-Pl4nted-V4lue"


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> str:
    """A secret that must show up nowhere, in the variable FARMTUI_TEST_SECRET."""
    monkeypatch.setenv("FARMTUI_TEST_SECRET", PLANTED)
    return PLANTED
