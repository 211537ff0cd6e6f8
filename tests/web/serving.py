"""`farmtui serve` as a process of its own, and a client that is no browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.terminal.emulator import Emulator, Feed, cells
from tests.terminal.pty_harness import ROOT

TOKEN: Final = "a-token-of-the-tests-0123456789"
SILENT: Final = "farm: {name: lab}\nprometheus: {url: 'http://127.0.0.1:1'}\n"
DEADLINE_S: Final = 40.0


class Serving:
    """A server that runs; `words` is all that it has said."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.words = ""
        self.port = 0

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def ready(self) -> None:
        """Wait until it has said where it is."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while "Ctrl+C ends it" not in self.words:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"ended: {self.words}"
                self.words += line
        found = re.search(r"http://[^/]*:(\d+)/", self.words)
        assert found
        self.port = int(found[1])

    async def end(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """End it, and give its exit code; what it said until then is in `words`."""
        if self.process.returncode is None:
            self.process.send_signal(signum)
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            self.words += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    def sessions(self) -> list[int]:
        """The processes that it has started and that run."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                if int(parent) == self.process.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return found


@contextlib.asynccontextmanager
async def serving(
    folder: Path, *options: str, port: int = 0, config: str | None = SILENT, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Serving]:
    """A server over a farm that does not answer; without `config` the options say over what."""
    arguments = list(options)
    if config is not None:
        (folder / "farmtui.yaml").write_text(config)
        arguments += ["--config", str(folder / "farmtui.yaml")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "farmtui", "serve", "--port", str(port), *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT), "THE_TOKEN": TOKEN, **(environ or {})},
    )  # fmt: skip
    server = Serving(process, folder)
    try:
        await server.ready()
        yield server
    finally:
        with contextlib.suppress(Exception):
            await server.end()
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def logged_in(server: Serving, token: str = TOKEN) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with the cookie."""
    async with aiohttp.ClientSession(server.address, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.get("/", params={"token": token}) as answer:
            assert answer.status == 200
        yield client


class Terminal:
    """A session's terminal, over its socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, columns: int, lines: int) -> None:
        self.socket = socket
        self.screen = Emulator(columns, lines)
        self._feed = Feed(self.screen)

    async def send(self, *message: Any) -> None:
        """Send as the page does."""
        await self.socket.send_str(json.dumps(message))

    async def shows(self, text: str, deadline_s: float = DEADLINE_S) -> None:
        """Read until it shows a text."""
        until = time.monotonic() + deadline_s
        while text not in self.text:
            left = until - time.monotonic()
            assert left > 0, f"{text!r} did not come:\n{self.text}"
            with contextlib.suppress(TimeoutError):
                await self.read(left)

    async def read(self, timeout_s: float) -> None:
        """Take one message."""
        message = await self.socket.receive(timeout_s)
        assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
        if message.type is aiohttp.WSMsgType.BINARY:
            self._feed(message.data)

    async def drain(self, seconds: float) -> None:
        """Take what comes for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await self.read(left)

    @property
    def text(self) -> str:
        """What it shows."""
        return "\n".join("".join(cell.text for cell in row).rstrip() for row in cells(self.screen))


@contextlib.asynccontextmanager
async def terminal(
    server: Serving, client: aiohttp.ClientSession, columns: int = 100, lines: int = 30
) -> AsyncIterator[Terminal]:
    """A session."""
    query = f"/ws?width={columns}&height={lines}"
    async with client.ws_connect(query, origin=server.address, max_msg_size=0) as socket:
        yield Terminal(socket, columns, lines)
