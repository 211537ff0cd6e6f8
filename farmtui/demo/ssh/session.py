"""SSH's own part: logging in, channels, signals, and a command line's way to the commands."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncssh

from farmtui.demo.observed import Keeper
from farmtui.demo.ssh.call import Call, MachineGoneError, Place
from farmtui.demo.ssh.keys import USER, Keys
from farmtui.demo.ssh.login import Terminal, logged_in
from farmtui.demo.ssh.shell import SYNTAX, run, words_of
from farmtui.demo.ssh.wrapped import Attempts, Wrapped, handle_wrapped
from farmtui.demo.world.changes import alive, reachable

# It tells of every connection that somebody drops.
logging.getLogger("asyncssh").setLevel(logging.CRITICAL)

_SILENT_S = 300.0
_UNTERMINATED = "sh: 1: Syntax error: Unterminated quoted string"
_KILLED = {"INT": 130, "KILL": 137, "TERM": 143, "HUP": 129}
_KEEPALIVE_S = 15.0
LEASH = "farmtui-leash"
"""How a command is begun that is to end with its connection: `sh -c SCRIPT farmtui-leash ARGV...`."""
_MARK_PLACE = 3


@dataclass(eq=False)
class _Machine:
    """One machine's server: its connections, and the commands that run on it."""

    place: Place
    attempts: Attempts
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    def lives(self) -> bool:
        """Whether it runs; where it does not, its connections are gone too."""
        if alive(self.place.condition, self.place.farm, self.place.machine):
            return True
        for connection in list(self.connections):
            connection.abort()
        return False

    def heard(self) -> bool:
        """Whether what it sends arrives."""
        return reachable(self.place.condition, self.place.farm, self.place.machine)


@asynccontextmanager
async def serving(keeper: Keeper, name: str, pace: float, keys: Keys, opened: socket.socket) -> AsyncIterator[None]:
    """A machine's server on a socket that listens."""
    place = Place(keeper, name, pace)
    machine = _Machine(place, Attempts(place, run))
    server = await asyncssh.listen(
        sock=opened,
        server_factory=lambda: _Door(machine),
        server_host_keys=[asyncssh.import_private_key(keys.host)],
        authorized_client_keys=asyncssh.import_authorized_keys(keys.user_line),
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        allow_scp=False,
        agent_forwarding=False,
        keepalive_interval=_KEEPALIVE_S,
        encoding=None,
    )
    try:
        yield
    finally:
        machine.attempts.close()
        for task in machine.running:
            task.cancel()
        for connection in list(machine.connections):
            connection.abort()
        server.close()


class _Door(asyncssh.SSHServer):
    """One connection."""

    def __init__(self, machine: _Machine) -> None:
        self._machine = machine
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._machine.connections.add(conn)
        if not self._machine.lives():
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._machine.connections.discard(self._connection)

    async def begin_auth(self, username: str) -> bool:
        if not self._machine.heard():
            # Packets are lost on the way: who asks waits until it gives up.
            await asyncio.sleep(_SILENT_S)
        if username != USER and self._connection is not None:
            self._connection.abort()
        return True

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return _Session(self._machine)


class _Session(asyncssh.SSHServerSession[bytes]):
    """One command line."""

    def __init__(self, machine: _Machine) -> None:
        self._machine = machine
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._line: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._killed: str = ""
        self._leashed = False
        self._terminal = Terminal(self._out)

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def connection_lost(self, exc: Exception | None) -> None:
        # What runs goes on: a command without a terminal hears nothing of that, unless it reads its input.
        self._channel = None
        self._let_go()

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._line = command
        return True

    def pty_requested(self, term_type: str, term_size: object, term_modes: object) -> bool:
        self._terminal.is_tty = True
        return True

    def data_received(self, data: bytes, datatype: object) -> None:
        if self._line is None:
            self._terminal.typed(data)

    def eof_received(self) -> bool:
        self._terminal.ended()
        self._let_go()
        return True

    def _let_go(self) -> None:
        """Nobody holds the input of a command any more that ends with that."""
        if self._leashed and self._task is not None:
            self._killed = "TERM"
            self._task.cancel()

    def signal_received(self, signal: str) -> None:
        if self._task is not None and signal in _KILLED:
            self._killed = signal
            self._task.cancel()

    def session_started(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        self._machine.running.add(self._task)
        self._task.add_done_callback(self._machine.running.discard)

    async def _run(self) -> None:
        if not self._machine.lives():
            return
        if not self._machine.heard():
            await asyncio.sleep(_SILENT_S)
        try:
            status = await self._serve()
        except asyncio.CancelledError:
            if not self._killed:
                raise
            status = _KILLED[self._killed]
        except MachineGoneError:
            self._machine.lives()
            return
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.exit(status)

    async def _serve(self) -> int:
        out, err = self._printing(self._out), self._printing(self._err)
        call = Call(self._machine.place, out, err)
        if self._line is None:
            return await self._logged_in()
        try:
            words = words_of(self._line)
        except ValueError:
            return call.fail(_UNTERMINATED, SYNTAX)
        if words[_MARK_PLACE : _MARK_PLACE + 1] == [LEASH]:
            self._leashed = True
            return await run(call, words[_MARK_PLACE + 1 :])
        told = Wrapped.of(words)
        if told is None:
            return await run(call, words)
        await handle_wrapped(self._machine.attempts, told, self._out, self._err)
        return 0

    async def _logged_in(self) -> int:
        terminal = self._terminal
        # On a terminal there is one stream.
        err = terminal.out if terminal.is_tty else self._err
        call = Call(self._machine.place, self._printing(terminal.out), self._printing(err))

        async def one(line: str) -> int:
            try:
                return await run(call, words_of(line))
            except ValueError:
                return call.fail(_UNTERMINATED, SYNTAX)

        return await logged_in(terminal, self._machine.place.machine, USER, one)

    @staticmethod
    def _printing(write: Callable[[bytes], None]) -> Callable[[str], None]:
        return lambda text: write(text.encode())

    def _out(self, part: bytes) -> None:
        if self._channel is not None and part:
            with contextlib.suppress(OSError):
                self._channel.write(part)

    def _err(self, part: bytes) -> None:
        if self._channel is not None and part:
            with contextlib.suppress(OSError):
                self._channel.write_stderr(part)
