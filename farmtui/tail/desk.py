"""Opening logs: which managers a service is asked for at, by which connections, and who may."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farmtui.config import Config
    from farmtui.farm.farm import Farm
    from farmtui.sources.ssh.pool import SshPool
    from farmtui.tail.follow import Tail
    from farmtui.tail.target import Docker, LogTarget, Wanted


def managers(config: Config, answers: str = "") -> list[tuple[str, Docker]]:
    """The Swarm's managers, that which has answered last before the others."""
    from farmtui.tail.target import Docker

    swarm = config.swarm
    if swarm is None:
        return []
    hosts = sorted(swarm.hosts, key=lambda host: host != answers)
    by_socket = swarm.via == "socket"
    default = type(swarm).model_fields["socket"].default

    def docker(host: str) -> Docker:
        socket = swarm.sockets.get(host, swarm.socket)
        return Docker(sudo=swarm.sudo and not by_socket, socket=socket if by_socket and socket != default else "")

    return [(host, docker(host)) for host in hosts]


class LogReader:
    """Reads one log after another, by connections of its own: a flood must not hold up what polls."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pool: SshPool | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def read(self, target: LogTarget, wanted: Wanted, farm: Farm | None = None) -> Tail:
        """Begin to read a log, and leave the one before. Imports what it needs in a thread."""
        await self._leave()
        await asyncio.to_thread(import_module, "farmtui.tail.follow")
        from farmtui.sources.ssh.pool import SshPool
        from farmtui.tail.follow import Tail
        from farmtui.tail.ring import Ring
        from farmtui.tail.target import ServiceLog

        if self._pool is None:
            self._pool = SshPool(self._config.ssh)
        cluster = farm.swarm_cluster if farm is not None else None
        asked = managers(self._config, cluster.manager if cluster else "") if isinstance(target, ServiceLog) else ()
        tail = Tail(self._pool, target, wanted, managers=asked, ring=Ring(self._config.logs.lines))
        if not self._closed:
            self._task = asyncio.ensure_future(tail.run())
        return tail

    async def wait(self) -> None:
        """Until what is read has ended."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Leave what is read, and end the connections: what was begun on machines ends with them."""
        self._closed = True
        await self._leave()
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _leave(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class LogDesk:
    """What the console's screens ask for a log."""

    def __init__(self, config: Callable[[], Config | None], read_only: Callable[[], str]) -> None:
        self._config = config
        self._read_only = read_only
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def refusal(self) -> str:
        """Why no log may be read here; empty when one may."""
        config = self._config()
        if config is None:
            return "nothing is known yet to log in by"
        if self._read_only() and not config.logs.when_read_only:
            return f"the config keeps logs from a console that is read-only: {self._read_only()}"
        return ""

    def reader(self) -> LogReader:
        """Somebody to read with. Only where nothing refuses."""
        config = self._config()
        assert config is not None, "what is not there refuses"
        return LogReader(config)

    def leave(self, reader: LogReader) -> None:
        """Nobody reads with it any more. A screen that goes does not wait for its connections to be closed."""
        task = asyncio.ensure_future(reader.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
