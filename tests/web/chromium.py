"""A headless Chromium through its DevTools protocol: what is clicked, typed and resized, and what its terminal shows.

The terminal paints on a canvas, so what it shows is read from the frames that its socket takes, through an emulator.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import aiohttp

from tests.terminal.emulator import Emulator, Feed, cells

PROGRAM: Final = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
DEADLINE_S: Final = 40.0
_FLAGS: Final = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--mute-audio", "--hide-scrollbars",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--remote-debugging-port=0",
)  # fmt: skip


class Chromium:
    """One browser with one page of `width` by `height` pixels. `folder` holds its profile."""

    def __init__(self, folder: Path, width: int = 1280, height: int = 720) -> None:
        self._folder = folder
        self._size = (width, height)
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listening: asyncio.Task[None] | None = None
        self.screen = Emulator(80, 24)
        self._feed = Feed(self.screen)
        self.asked: list[str] = []
        """Every address that it asked for."""
        self.said: list[str] = []
        """What its console was told, errors among it."""

    async def __aenter__(self) -> Chromium:
        assert PROGRAM is not None
        # A group of its own: its children end with it.
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM, *_FLAGS, f"--user-data-dir={self._folder}", f"--window-size={self._size[0]},{self._size[1]}",
            "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, "HOME": str(self._folder)},
        )  # fmt: skip
        port_file = self._folder / "DevToolsActivePort"
        await self.until(lambda: port_file.is_file() and "\n" in port_file.read_text())
        port = int(port_file.read_text().splitlines()[0])
        self._http = aiohttp.ClientSession()

        async def page() -> str:
            async with self._http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                found = [one for one in await answer.json() if one["type"] == "page"]
                return str(found[0]["webSocketDebuggerUrl"]) if found else ""

        address = ""
        while not address:
            address = await page()
        self._socket = await self._http.ws_connect(address, max_msg_size=0)
        self._listening = asyncio.create_task(self._listen())
        for domain in ("Page", "Network", "Runtime"):
            await self.tell(f"{domain}.enable")
        await self.size(*self._size)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening is not None:
            self._listening.cancel()
        with contextlib.suppress(Exception):
            await self._socket.close()
        await self._http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def tell(self, method: str, **parameters: Any) -> Any:
        """One call of the protocol; its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, DEADLINE_S)

    async def _listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                waiting = self._answers.pop(told["id"])
                if not waiting.done():
                    waiting.set_result(told.get("result", told.get("error")))
                continue
            self._heard(told["method"], told["params"])

    def _heard(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.asked.append(parameters["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.asked.append(parameters["url"])
            self.screen = Emulator(self.screen.columns, self.screen.lines)
            self._feed = Feed(self.screen)
        elif method == "Network.webSocketFrameReceived" and parameters["response"]["opcode"] == 2:
            self._feed(base64.b64decode(parameters["response"]["payloadData"]))
        elif method == "Network.webSocketFrameSent":
            with contextlib.suppress(ValueError):
                kind, value = json.loads(parameters["response"]["payloadData"])
                if kind == "resize":
                    self.screen.resize(value["height"], value["width"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(parameters["exceptionDetails"])[:400])

    async def size(self, width: int, height: int) -> None:
        """Give its window another size, in pixels."""
        await self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def go(self, address: str) -> None:
        """Open an address."""
        await self.tell("Page.navigate", url=address)

    async def value(self, expression: str) -> Any:
        """What an expression of the page's script gives."""
        told = await self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return told["result"].get("value")

    async def type(self, text: str) -> None:
        """Type, each letter as a key."""
        for letter in text:
            await self.tell("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter, unmodifiedText=letter)
            await self.tell("Input.dispatchKeyEvent", type="keyUp", key=letter)

    async def click(self, x: float, y: float) -> None:
        """Click there, in pixels."""
        await self.tell("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def picture(self) -> bytes:
        """What it shows, as PNG."""
        told = await self.tell("Page.captureScreenshot", format="png")
        return base64.b64decode(told["data"])

    @property
    def text(self) -> str:
        """What its terminal shows."""
        return "\n".join("".join(cell.text for cell in row).rstrip() for row in cells(self.screen))

    async def shows(self, text: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait until the terminal shows a text. Raises AssertionError, with what it shows."""
        await self.until(lambda: text in self.text, deadline_s, lambda: f"{text!r} in:\n{self.text}\n{self.said}")

    async def state(self, wanted: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait until the page says of itself that it is live, still, lost or ended."""

        async def there() -> bool:
            return bool(await self.value("document.body && document.body.dataset.state") == wanted)

        await self.until(there, deadline_s, lambda: f"state {wanted}")

    async def until(
        self,
        holds: Callable[[], bool | Awaitable[bool]],
        deadline_s: float = DEADLINE_S,
        what: Callable[[], str] = lambda: "",
    ) -> None:
        """Wait until something holds; the deadline only ends a test that has failed."""
        until = time.monotonic() + deadline_s
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            assert time.monotonic() < until, f"did not come in {deadline_s:g} s: {what()}"
            await asyncio.sleep(0.05)
