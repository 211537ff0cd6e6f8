"""An SSH server inside the process: what each command prints, and sockets that lead somewhere."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from farmtui.config import SshConfig


@dataclass
class Said:
    """What a command does: prints, ends, or hangs."""

    stdout: bytes = b""
    stderr: bytes = b""
    status: int = 0
    hangs: bool = False


Answer = Callable[[Sequence[str]], Said]


@dataclass
class FakeHost:
    """One server. `answer` is asked for each command, whose words are those that the client gave."""

    folder: Path
    answer: Answer = field(default=lambda words: Said())
    sockets: set[str] = field(default_factory=set)
    """Paths of sockets that a client may reach."""
    commands: list[list[str]] = field(default_factory=list)
    logins: int = 0
    port: int = 0
    server: asyncssh.SSHAcceptor | None = None
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    async def start(self) -> None:
        """Listen on loopback, with a host key and a client's key of its own."""
        for name in ("host", "client"):
            if not (self.folder / name).exists():
                asyncssh.generate_private_key("ssh-ed25519").write_private_key(self.folder / name)
                key = asyncssh.read_private_key(self.folder / name)
                key.write_public_key(self.folder / f"{name}.pub")
        (self.folder / "authorized_keys").write_bytes((self.folder / "client.pub").read_bytes())
        host = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                host.logins += 1
                host.connections.append(conn)

            def unix_connection_requested(self, dest_path: str) -> bool:
                # True has asyncssh connect to that very path: tests put their sockets there.
                return dest_path in host.sockets

        self.server = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=Server,
            server_host_keys=[str(self.folder / "host")],
            authorized_client_keys=str(self.folder / "authorized_keys"),
            process_factory=self._serve,
            encoding=None,
        )
        self.port = self.server.get_port()
        line = f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}"
        (self.folder / "known_hosts").write_text(line)
        box = f"Host box\n  HostName 127.0.0.1\n  Port {self.port}\n  User tester\n"
        gone = "Host gone\n  HostName 127.0.0.1\n  Port 1\n"
        (self.folder / "config").write_text(gone + box)

    async def stop(self) -> None:
        """End it and every connection."""
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
        for connection in self.connections:
            connection.abort()

    def config(self, **changes: object) -> SshConfig:
        """The console's section for it: the host is called `box`; at `gone` nobody listens."""
        given: dict[str, object] = {
            "config_files": [self.folder / "config"],
            "known_hosts": [self.folder / "known_hosts"],
            "identity_files": [self.folder / "client"],
            "agent": False,
            "connect_timeout_s": 5,
        }
        return SshConfig(**{**given, **changes})  # type: ignore[arg-type]

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        words = shlex.split(process.command or "")
        self.commands.append(words)
        said = self.answer(words)
        try:
            process.stdout.write(said.stdout)
            process.stderr.write(said.stderr)
            if said.hangs:
                await asyncio.sleep(3600)
            process.exit(said.status)
        except (asyncssh.Error, OSError, asyncio.CancelledError):
            process.close()
