"""Connections that several sources share, and that end with the last of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from farmtui.config import SshConfig
from farmtui.sources.ssh.pool import SshPool
from farmtui.sources.ssh.remote import OUTPUT_LIMIT_BYTES, Done, Remote


class SharedPool:
    """A pool that is lent out: a source that ends, since its config has changed, takes no other's connections along."""

    def __init__(self, config: SshConfig) -> None:
        self._pool = SshPool(config)
        self._lent: set[_Lent] = set()

    def lent(self) -> Remote:
        """The pool for one more source; to be closed by it."""
        lent = _Lent(self._pool, self._given_back)
        self._lent.add(lent)
        return lent

    async def _given_back(self, lent: _Lent) -> None:
        self._lent.discard(lent)
        if not self._lent:
            await self._pool.close()


class _Lent:
    """See `Remote`."""

    def __init__(self, pool: SshPool, give_back: Callable[[_Lent], Awaitable[None]]) -> None:
        self._pool = pool
        self._give_back = give_back

    async def run(
        self, host: str, argv: Sequence[str], *, deadline_s: float, limit_bytes: int = OUTPUT_LIMIT_BYTES
    ) -> Done:
        """See `Remote.run`."""
        return await self._pool.run(host, argv, deadline_s=deadline_s, limit_bytes=limit_bytes)

    async def unix_socket(self, host: str, path: str, *, deadline_s: float) -> Path:
        """See `Remote.unix_socket`."""
        return await self._pool.unix_socket(host, path, deadline_s=deadline_s)

    async def close(self) -> None:
        """End the connections, unless another source has them still."""
        await self._give_back(self)
