"""Servers on a free loopback port."""

from __future__ import annotations

import asyncio
import ssl

from aiohttp import web

HOST = "127.0.0.1"


class Listening:
    """One aiohttp application on a port of its own."""

    def __init__(self, runner: web.AppRunner, port: int, *, tls: bool) -> None:
        self._runner = runner
        self.port = port
        self.url = f"{'https' if tls else 'http'}://{HOST}:{port}"

    @classmethod
    async def start(cls, app: web.Application, tls: ssl.SSLContext | None = None) -> Listening:
        """Serve an application. Raises OSError."""
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=0.5
        )
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0, ssl_context=tls, reuse_address=True)
        await site.start()
        port = int(runner.addresses[0][1])
        return cls(runner, port, tls=tls is not None)

    async def stop(self) -> None:
        """Close all connections and the port."""
        server = self._runner.server
        open_yet = [connection.transport for connection in server.connections] if server else []
        await self._runner.cleanup()
        for transport in open_yet:
            # TLS would wait for the other side's farewell, longer than the event loop may live.
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)
