"""Servers that stand on a machine of the farm: when it is down they are, and behind a cut link nobody hears them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from farmtui.demo.observed import Keeper
from farmtui.demo.world.changes import alive, reachable

_SILENT_S = 300.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def placed(app: web.Application, keeper: Keeper, machine: str) -> web.Application:
    """The application, answering only while its machine does (a PVE host or a machine, by its name)."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        now, farm = keeper.condition, keeper.farm
        if reachable(now, farm, machine):
            return await handler(request)
        if alive(now, farm, machine):
            # Packets are lost on the way: who asks waits until it gives up.
            await asyncio.sleep(_SILENT_S)
        transport: Any = request.transport
        if transport is not None:
            transport.abort()
        return web.Response(status=503)

    app.middlewares.insert(0, answer)
    return app
