"""One SSH server for each machine, on loopback: it lets one user in by a key, and runs what is known of the machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from farmtui.demo.observed import Keeper
from farmtui.demo.ssh.keys import HOST, Keys, SshDoors

MOST = 500
"""Machines that have a server: the files that a process may open are counted."""
_BACKLOG = 64


def machines(keeper: Keeper) -> list[str]:
    """Those that can be logged in to: PVE hosts, then one tier after the other, the workers last."""
    farm = keeper.farm
    names = [
        *(host.name for host in farm.hosts),
        *(m.name for m in sorted(farm.machines, key=lambda m: m.tier == "app")),
    ]
    return names[:MOST]


@dataclass(slots=True)
class SshServers:
    """The sockets of all machines' servers, and the servers once they have begun.

    The sockets listen at once, and the servers begin behind them: what they need takes longer to import than the farm
    may take to say where it is.
    """

    keeper: Keeper
    keys: Keys
    pace: float
    sockets: Mapping[str, socket.socket]
    _beginning: asyncio.Task[None] | None = None
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    @classmethod
    def listen(cls, keeper: Keeper, keys: Keys, *, pace: float = 1.0) -> SshServers:
        """Listen for every machine. Raises OSError."""
        with contextlib.ExitStack() as stack:
            sockets = {name: stack.enter_context(_listening()) for name in machines(keeper)}
            stack.pop_all()
        return cls(keeper, keys, pace, sockets)

    @property
    def doors(self) -> SshDoors:
        """Where they are, and what opens them."""
        ports = {name: opened.getsockname()[1] for name, opened in self.sockets.items()}
        return SshDoors(ports, self.keys.user, self.keys.host_line)

    def begin(self) -> None:
        """Have the servers begin when somebody knocks first."""
        self._beginning = asyncio.ensure_future(self._begin())

    async def stop(self) -> None:
        """End the servers, their connections, and what runs on them."""
        if self._beginning is not None:
            self._beginning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beginning
        await self._stack.aclose()
        for opened in self.sockets.values():
            opened.close()

    async def _begin(self) -> None:
        # Importing asyncssh takes a tenth of a second, in which the console asks for its first figures.
        await self._knock()
        # Off the loop: others wait for answers.
        serving = await asyncio.to_thread(_import)
        for name, opened in self.sockets.items():
            await self._stack.enter_async_context(serving(self.keeper, name, self.pace, self.keys, opened))

    async def _knock(self) -> None:
        """Wait until a connection waits for one of the servers."""
        knocked = asyncio.Event()
        loop = asyncio.get_running_loop()
        try:
            for opened in self.sockets.values():
                loop.add_reader(opened, knocked.set)
            await knocked.wait()
        finally:
            for opened in self.sockets.values():
                loop.remove_reader(opened)


def _import() -> Callable[[Keeper, str, float, Keys, socket.socket], contextlib.AbstractAsyncContextManager[None]]:
    from farmtui.demo.ssh.session import serving

    return serving


def _listening() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.bind((HOST, 0))
    opened.listen(_BACKLOG)
    opened.setblocking(False)
    return opened
