"""Connections that several sources share, and that end with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from farmtui.sources.ssh.remote import OUTPUT_LIMIT_BYTES, Done, Remote

if TYPE_CHECKING:
    from farmtui.config import SshConfig
    from farmtui.sources.ssh.pool import SshPool


class SharedPool:
    """A pool that is lent out: a source that ends, since its config has changed, takes no other's connections along."""

    def __init__(self, config: SshConfig) -> None:
        self._config = config
        self._pool: SshPool | None = None
        self._lent: set[_Lent] = set()

    def lent(self) -> Remote:
        """The pool for one more source; to be closed by it."""
        lent = _Lent(self._ready, self._given_back)
        self._lent.add(lent)
        return lent

    async def _ready(self) -> SshPool:
        """The pool: made, and in a thread imported, when somebody is first asked by it."""
        if self._pool is None:
            await asyncio.to_thread(import_module, "farmtui.sources.ssh.pool")
            from farmtui.sources.ssh.pool import SshPool

            # Two may have waited for it.
            self._pool = self._pool or SshPool(self._config)
        return self._pool

    async def _given_back(self, lent: _Lent) -> None:
        self._lent.discard(lent)
        if not self._lent and self._pool is not None:
            await self._pool.close()


class _Lent:
    """See `Remote`."""

    def __init__(self, pool: Callable[[], Awaitable[SshPool]], give_back: Callable[[_Lent], Awaitable[None]]) -> None:
        self._pool = pool
        self._give_back = give_back

    async def run(
        self, host: str, argv: Sequence[str], *, deadline_s: float, limit_bytes: int = OUTPUT_LIMIT_BYTES
    ) -> Done:
        """See `Remote.run`."""
        return await (await self._pool()).run(host, argv, deadline_s=deadline_s, limit_bytes=limit_bytes)

    async def unix_socket(self, host: str, path: str, *, deadline_s: float) -> Path:
        """See `Remote.unix_socket`."""
        return await (await self._pool()).unix_socket(host, path, deadline_s=deadline_s)

    async def close(self) -> None:
        """End the connections, unless another source has them still."""
        await self._give_back(self)
