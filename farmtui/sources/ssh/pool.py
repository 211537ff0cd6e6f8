"""Connections to the machines: one for each host, reused, verified, bounded, and opened anew when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

import asyncssh
from asyncssh.constants import OPEN_CONNECT_FAILED

from farmtui.config import SshConfig
from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError, at_place, safe_words
from farmtui.sources.failures import failure_of
from farmtui.sources.ssh import trust
from farmtui.sources.ssh.leash import leashed
from farmtui.sources.ssh.remote import OUTPUT_LIMIT_BYTES, Done
from farmtui.sources.ssh.route import Hop, Route, route
from farmtui.sources.ssh.words import channel_error, login_error, socket_error

T = TypeVar("T")
Hear = Callable[[str, bytes], Awaitable[None]]
"""Takes the name of a stream (out, err) and its next bytes."""

# It tells of hosts, users and keys at length; what matters of that comes to us as exceptions.
logging.getLogger("asyncssh").setLevel(logging.CRITICAL)

SESSIONS: Final = 8
"""Commands at once on one connection: sshd's MaxSessions is 10, and the eleventh fails at once."""
UNFINISHED: Final = 4
"""Commands on one host that were given up and still run: more are not started there until one has ended."""
STDERR_LIMIT_BYTES: Final = 8_000
CLOSE_S: Final = 3.0


@dataclass
class _Door:
    """What is open to one host."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: asyncssh.SSHClientConnection | None = None
    user: str = ""
    sessions: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SESSIONS))
    logins: asyncio.Semaphore | None = None
    """Logins under way through this host, where it is a jump host."""
    sockets: dict[str, Path] = field(default_factory=dict)
    unfinished: set[asyncio.Task[None]] = field(default_factory=set)

    def open(self) -> asyncssh.SSHClientConnection | None:
        """The connection, if it stands."""
        if self.connection is not None and self.connection.is_closed():
            self.connection = None
            self.sockets.clear()
        return self.connection


class SshPool:
    """See `Remote`. One for the whole console, shared by all sources that need it."""

    def __init__(self, config: SshConfig, *, environ: Mapping[str, str] = os.environ) -> None:
        self._config = config
        self._environ = environ
        self._doors: dict[Hop, _Door] = {}
        self._logins = asyncio.Semaphore(config.concurrency)
        self._folder: Path | None = None
        self._made = 0

    async def log_in(self, host: str, *, deadline_s: float) -> None:
        """Be connected to a host, through its jump hosts; nothing is run there. Raises SourceError where that fails."""
        await self._in_time(self._connection(Hop(host)), host, deadline_s)

    async def run(
        self, host: str, argv: Sequence[str], *, deadline_s: float, limit_bytes: int = OUTPUT_LIMIT_BYTES
    ) -> Done:
        """See `Remote.run`."""
        return await self._in_time(self._run(host, argv, limit_bytes), host, deadline_s)

    async def stream(
        self, host: str, argv: Sequence[str], tell: Hear, *, begin_s: float, leash: bool = False
    ) -> int | None:
        """Run a command and give what it prints as it comes, for as long as it takes; gives its exit code.

        `tell` is given which stream and its next bytes; what comes faster than it returns waits at the host. None: it
        ended without a code. `begin_s` is the deadline for having begun. Raises SourceError: when it is raised after
        the begin, the command may go on, unless it is on a `leash`: then it ends with this call or the connection.
        """
        door = self._door(Hop(host))
        async with door.sessions:
            command = shlex.join(leashed(argv) if leash else argv)
            process = await self._in_time(self._start(host, command, leash=leash), host, begin_s)
            try:
                await hear_both(process.stdout, process.stderr, tell)
                await process.wait_closed()
            except (asyncssh.Error, OSError) as error:
                raise at_place(self._lost(error), host) from None
            finally:
                # Whoever follows a command may go; the command is ended by its name only.
                process.close()
        if process.exit_status is None and process.exit_signal is None and door.open() is None:
            raise at_place(self._lost(ConnectionResetError()), host)
        return process.exit_status

    async def unix_socket(self, host: str, path: str, *, deadline_s: float) -> Path:
        """See `Remote.unix_socket`."""
        return await self._in_time(self._unix_socket(host, path), host, deadline_s)

    async def close(self) -> None:
        """See `Remote.close`."""
        doors, self._doors = self._doors, {}
        for door in doors.values():
            for task in door.unfinished:
                task.cancel()
        connections = [door.connection for door in doors.values() if door.connection is not None]
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.wait([asyncio.ensure_future(c.wait_closed()) for c in connections], timeout=CLOSE_S)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    # -- inside ---------------------------------------------------------------------------------

    async def _in_time(self, work: Awaitable[T], host: str, deadline_s: float) -> T:
        try:
            async with asyncio.timeout(deadline_s):
                return await work
        except TimeoutError:
            raise SourceError(
                FailureKind.TIMEOUT,
                f"{host}: no answer within {deadline_s:g} s",
                "look at the host's load and at the network between; if it is just slow, raise deadline_s",
            ) from None
        except SourceError as error:
            raise at_place(error, host) from None

    async def _run(self, host: str, argv: Sequence[str], limit_bytes: int) -> Done:
        door = self._door(Hop(host))
        if len(door.unfinished) >= UNFINISHED:
            raise SourceError(
                FailureKind.TIMEOUT,
                f"{UNFINISHED} commands that were given up still run there",
                "see what they wait for (ps); they are not started again before one has ended",
            )
        async with door.sessions:
            process = await self._start(host, shlex.join(argv))
            try:
                out, err = await asyncio.gather(
                    _read(process.stdout, limit_bytes), _read(process.stderr, STDERR_LIMIT_BYTES, cut=True)
                )
                await process.wait_closed()
            except BaseException as error:
                self._give_up(door, process)
                if isinstance(error, (asyncssh.Error, OSError)) and not isinstance(error, TimeoutError):
                    raise self._lost(error) from None
                raise
        if process.exit_status is None and process.exit_signal is None and door.open() is None:
            raise self._lost(ConnectionResetError())
        return Done(process.exit_status, out, safe_words(err.decode("utf-8", "replace")))

    async def _start(self, host: str, command: str, *, leash: bool = False) -> asyncssh.SSHClientProcess[bytes]:
        """Start a command; on a connection that turns out to be gone, on a new one. With a leash its input is open."""
        stdin = asyncssh.PIPE if leash else asyncssh.DEVNULL
        again = False
        while True:
            connection = await self._connection(Hop(host))
            try:
                return await connection.create_process(command, stdin=stdin, encoding=None, request_pty=False)
            except asyncssh.ChannelOpenError as error:
                if error.code != OPEN_CONNECT_FAILED or again:
                    raise channel_error(error) from None
            except (asyncssh.Error, OSError) as error:
                if again:
                    raise self._lost(error) from None
            # No server refuses a session with that: it is our own end that has no connection any more.
            again = True
            connection.abort()
            door = self._door(Hop(host))
            if door.connection is connection:
                door.connection = None
                door.sockets.clear()

    def _give_up(self, door: _Door, process: asyncssh.SSHClientProcess[bytes]) -> None:
        """End a command that nobody waits for any more, as far as sshd does that, and count it until it has ended."""
        if process.channel.is_closing() or door.open() is None:
            return
        with contextlib.suppress(OSError, asyncssh.Error):
            process.kill()
        task = asyncio.ensure_future(_ended(process))
        door.unfinished.add(task)
        task.add_done_callback(door.unfinished.discard)

    def _lost(self, error: BaseException) -> SourceError:
        reason = safe_words(str(error), 80)
        return SourceError(
            FailureKind.UNREACHABLE,
            f"the connection was lost{f' ({reason})' if reason else ''}",
            "look at the host and at the network between; it is opened anew at the next poll",
        )

    async def _unix_socket(self, host: str, path: str) -> Path:
        door = self._door(Hop(host))
        connection = await self._connection(Hop(host))
        async with door.lock:
            known = door.sockets.get(path)
            if known is not None:
                return known
            try:
                # Whether it can be reached is only said here: a forwarded connection would just be closed.
                _, writer = await connection.open_unix_connection(path, encoding=None)
                writer.close()
            except asyncssh.ChannelOpenError as error:
                raise socket_error(error, path, door.user) from None
            except (asyncssh.Error, OSError) as error:
                raise self._lost(error) from None
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="farmtui-"))
            self._made += 1
            local = self._folder / str(self._made)
            await connection.forward_local_path(str(local), path)
            door.sockets[path] = local
            return local

    def _door(self, hop: Hop) -> _Door:
        return self._doors.setdefault(hop, _Door())

    async def _connection(
        self, hop: Hop, opening: tuple[Hop, ...] = (), through: asyncssh.SSHClientConnection | None = None
    ) -> asyncssh.SSHClientConnection:
        """The connection to a host, opened if there is none. `through` is the hop before, where that is decided.

        `opening` are the hosts that wait for this one.
        """
        if hop in opening:
            raise SourceError(
                FailureKind.CONFIG,
                f"the way to it leads through {hop.host} again",
                "look for a circle of ProxyJump in ssh_config, or of ssh.jump in the config",
            )
        door = self._door(hop)
        async with door.lock:
            known = door.open()
            if known is not None:
                return known
            way = await asyncio.to_thread(route, self._config, hop, is_jump=bool(opening), environ=self._environ)
            before = through
            logins = self._logins
            for jump in way.hops if through is None else ():
                try:
                    before = await self._connection(jump, (*opening, hop), before)
                except SourceError as error:
                    raise at_place(error, f"jump host {jump.host}") from None
                jump_door = self._door(jump)
                if jump_door.logins is None:
                    jump_door.logins = asyncio.Semaphore(self._config.concurrency)
                logins = jump_door.logins
            async with logins:
                door.connection = await self._open(way, before)
            door.user = way.user
            door.sockets.clear()
            return door.connection

    async def _open(self, way: Route, through: asyncssh.SSHClientConnection | None) -> asyncssh.SSHClientConnection:
        try:
            return await asyncssh.connect(**way.given, tunnel=through)
        except asyncssh.HostKeyNotVerifiable as error:
            raise await asyncio.to_thread(
                trust.refused, error.reason, way.witness, way.known_as, way.port, way.files, way.host
            ) from None
        except asyncssh.ChannelOpenError as error:
            # The jump host could not connect to it.
            raise SourceError(
                FailureKind.UNREACHABLE,
                f"the jump host cannot reach {way.host}:{way.port}: {safe_words(error.reason)}",
                "check that sshd runs there, and that the jump host may connect to it (AllowTcpForwarding, PermitOpen)",
            ) from None
        except (asyncssh.Error, OSError, ValueError) as error:
            found = login_error(error, way.user, way.tried)
            if found is None:
                told = failure_of(error, source="", deadline_s=self._config.connect_timeout_s)
                found = SourceError(told.kind, told.what.removeprefix(": "), told.remedy)
            raise found from None


async def _read(stream: asyncssh.SSHReader[bytes], limit_bytes: int, *, cut: bool = False) -> bytes:
    """A stream to its end; the rest beyond the limit is read and dropped (`cut`), or refused."""
    parts: list[bytes] = []
    size = 0
    while part := await stream.read(65_536):
        if size + len(part) > limit_bytes and not cut:
            raise SourceError(
                FailureKind.BAD_ANSWER,
                f"the command prints more than {limit_bytes / 1_000_000:g} MB, and was given up",
                "see on the host what it prints",
            )
        parts.append(part[: max(0, limit_bytes - size)])
        size += len(part)
    return b"".join(parts)


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, n: int, /) -> Awaitable[bytes]:
        """The next bytes, `n` at most; none at its end."""
        ...


async def hear_both(out: Readable, err: Readable, hear: Hear) -> None:
    """Give both streams of a command as they come; when one fails, leave the other and raise the error, as it is."""
    tasks = [asyncio.ensure_future(_hear(stream, name, hear)) for stream, name in ((out, "out"), (err, "err"))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hear(stream: Readable, name: str, hear: Hear) -> None:
    while part := await stream.read(16_384):
        await hear(name, part)


async def _ended(process: asyncssh.SSHClientProcess[bytes]) -> None:
    """Wait for the end of a command that was given up, throwing away what it says."""
    with contextlib.suppress(asyncssh.Error, OSError):
        await asyncio.gather(_drain(process.stdout), _drain(process.stderr))
        await process.wait_closed()


async def _drain(stream: asyncssh.SSHReader[bytes]) -> None:
    while await stream.read(65_536):
        pass
