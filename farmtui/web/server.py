"""The server: textual-serve's, behind a token, with a page of our own that says so when it shows nothing of now."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.server import Server

from farmtui.web.session import COLUMNS, LINES, Session, cells

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aiohttp.typedefs import Handler

    from farmtui.web.access import Access

log = logging.getLogger("farmtui.web")

MESSAGE_MOST: Final = 1 << 20
"""Bytes of one message from a browser: a paste, at most."""
SESSIONS_MOST: Final = 8
WRONG_S: Final = 0.5
"""What a wrong token waits."""
_HERE: Final = Path(__file__).parent
_PAGES: Final = {
    "page.html": "text/html",
    "terminal.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "terminal.js": "text/javascript",
}
_HEADERS: Final = {
    # textual-serve's script makes style elements; nothing comes from anywhere else, its fonts included.
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "farmtui",
}


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: the command line of a session, and whether it is a wall, on which nobody types."""

    arguments: Sequence[str]
    wall: bool
    title: str
    environment: Mapping[str, str] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    """Variables of ours that sessions are not given."""
    sessions_most: int = SESSIONS_MOST


class FarmServer(Server):
    """One app for many browsers; each gets a session of its own."""

    def __init__(self, served: Served, access: Access, host: str) -> None:
        super().__init__("", host=host, port=access.port, title=served.title)
        self._served = served
        self._access = access
        self._sockets: set[web.WebSocketResponse] = set()
        kind = "wall" if served.wall else "console"
        self._texts = {
            name: (_HERE / name)
            .read_text(encoding="utf-8")
            .replace("{{KIND}}", kind)
            .replace("{{TITLE}}", served.title)
            for name in _PAGES
        }

    async def make_app(self) -> web.Application:
        """What answers."""
        app = web.Application(middlewares=[self._guarded])
        app.add_routes(
            [
                web.get("/", self._text("page.html")),
                web.get("/terminal", self._text("terminal.html")),
                *(web.get(f"/page/{name}", self._text(name)) for name in _PAGES if not name.endswith(".html")),
                web.get("/alive", self._alive),
                web.get("/ws", self.handle_websocket),
                web.static("/static", self.statics_path),
            ]
        )
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def on_shutdown(self, app: web.Application) -> None:
        """Tell every browser that it is the server that goes, and not the app."""
        closing = [one.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends") for one in self._sockets]
        await asyncio.gather(*closing, return_exceptions=True)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing is answered to whom it does not concern, and nobody is told why."""
        host = request.headers.get("Host", "")
        if not self._access.knows_host(host):
            return _refusal(403, "this server does not go by that name: farmtui serve --name NAME")
        given = request.query.get("token")
        if request.path == "/" and given is not None:
            if not self._access.token_is(given):
                await asyncio.sleep(WRONG_S)
                return _refusal(401, "that is not the token")
            # The address that holds it stays in no history, and goes on to no other page. Not strict: a link in a chat
            # would then lead here without the cookie; what is asked by another site's script, the origin tells.
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(
                self._access.cookie_name, self._access.cookie, httponly=True, samesite="Lax", path="/",
                secure=request.headers.get("X-Forwarded-Proto") == "https", max_age=365 * 86400,
            )  # fmt: skip
            return answer
        if not self._access.cookie_is(request.cookies.get(self._access.cookie_name, "")):
            return _refusal(401, "farmtui serve wants its token: open the address that it printed when it started")
        if request.path == "/ws" and not self._access.knows_origin(request.headers.get("Origin", ""), host):
            return _refusal(403, "only this server's own page may open this")
        return await handler(request)

    def _text(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(text=self._texts[name], content_type=_PAGES[name])

        return answer

    async def _alive(self, _: web.Request) -> web.Response:
        """Whether a session can be had."""
        room = len(self._sockets) < self._served.sessions_most
        return web.Response(status=200 if room else 503, text="alive" if room else "no room")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One browser, from its first frame to its last."""
        if len(self._sockets) >= self._served.sessions_most:
            raise web.HTTPServiceUnavailable(text="no room for another session")
        browser = web.WebSocketResponse(timeout=2.0, heartbeat=15, max_msg_size=MESSAGE_MOST)

        async def close() -> None:
            await browser.close()

        session = Session(
            self._served.arguments,
            self._served.environment,
            withheld=self._served.withheld,
            write_bytes=browser.send_bytes,
            write_str=browser.send_str,
            close=close,
            downloads=self.download_manager,
        )
        self._sockets.add(browser)
        try:
            await browser.prepare(request)
            width, height = request.query.get("width", ""), request.query.get("height", "")
            await session.start(cells(width, COLUMNS), cells(height, LINES))
            async for message in browser:
                if message.type is WSMsgType.TEXT:
                    await self._take(session, browser, message.data)
        except ConnectionError:
            pass  # the browser is gone, which is how most sessions end
        finally:
            self._sockets.discard(browser)
            await asyncio.shield(session.stop())
            if not browser.closed:
                await browser.close()
        return browser

    async def _take(self, session: Session, browser: web.WebSocketResponse, text: str) -> None:
        """What a browser sends; what is not understood is passed over."""
        try:
            kind, *rest = json.loads(text)
        except (ValueError, TypeError):
            return
        value: Any = rest[0] if rest else None
        match kind:
            case "stdin" if isinstance(value, str) and not self._served.wall:
                await session.send_bytes(value.encode("utf-8", "replace"))
            case "resize" if isinstance(value, dict):
                await session.set_terminal_size(value.get("width", 80), value.get("height", 24))
            case "ping" if isinstance(value, str):
                await browser.send_json(["pong", value[:40]])
            case "focus":
                await session.focus()
            case "blur":
                await session.blur()


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _refusal(status: int, words: str) -> web.Response:
    return web.Response(status=status, text=f"{words}\n")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host.strip("[]"), port), family=family)


async def serve(server: FarmServer, on: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called when it answers."""
    # No access log: addresses hold the token once.
    runner = web.AppRunner(await server.make_app(), access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    try:
        ended = asyncio.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, ended.set)
        await web.SockSite(runner, on).start()
        ready()
        await ended.wait()
    finally:
        await runner.cleanup()
