"""How serving begins: the token, the socket, the words on the terminal, and the command line of a session."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from farmtui.secrets import Secret, SecretError, register
from farmtui.web.access import Access, AccessError, is_loopback, new_token

if TYPE_CHECKING:
    from collections.abc import Sequence


class ServeError(Exception):
    """Why nothing is served, in words."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants served."""

    wall: bool = False
    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = ()
    """Host names that browsers call it by."""
    token: str = ""
    """A secret's reference; empty: a new one for this start."""
    allow_changes: bool = False
    every_s: float = 15.0


def session_arguments(config_file: Path, wanted: Wanted) -> list[str]:
    """The command line of a session. What is not asked for by `allow_changes` is read-only from the start."""
    command = [sys.executable, "-m", "farmtui"]
    if wanted.wall:
        return [*command, "wall", "--config", str(config_file), "--every", f"{wanted.every_s:g}"]
    return [*command, "--config", str(config_file), *([] if wanted.allow_changes else ["--read-only"])]


def token_of(reference: str) -> str:
    """The token that a reference leads to, or a new one. Raises ServeError."""
    if not reference:
        token = new_token()
        register(token)
        return token
    try:
        return Secret(reference).reveal()
    except SecretError as error:
        raise ServeError(f"--token: {error}") from None


def address_of(host: str, port: int) -> str:
    """The address that a browser on this machine opens."""
    if host in ("0.0.0.0", "::", "[::]"):  # noqa: S104 - told where it listens, not telling it to
        host = "127.0.0.1"
    name = host.strip("[]")
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def told(wanted: Wanted, address: str, token: str) -> list[str]:
    """What is said when it serves. A token that is kept elsewhere is not repeated."""
    shown = "TOKEN" if wanted.token else token
    what = "the wall" if wanted.wall else "the console"
    lines = [f"farmtui serves {what}: {address}?token={shown}"]
    if wanted.token:
        lines.append("TOKEN is what --token leads to")
    if wanted.wall or not wanted.allow_changes:
        lines.append("read-only: nothing can be changed from a browser")
    else:
        lines.append("WITH CHANGES: whoever has the token can change the farm, as the user who started this")
    if not is_loopback(wanted.host):
        lines.append(
            "reachable from other machines, over plain HTTP: whoever sees the traffic has the token; "
            "put a proxy with TLS before it (docs/serve.md)"
        )
    return [*lines, "Ctrl+C ends it"]


def run(config_file: Path, wanted: Wanted, *, environment: Sequence[tuple[str, str]] = ()) -> int:
    """Serve until Ctrl+C; gives the exit code. Raises ServeError."""
    from farmtui.web.server import FarmServer, Served, listening, serve

    token = token_of(wanted.token)
    try:
        on = listening(wanted.host, wanted.port)
    except OSError as error:
        raise ServeError(f"cannot listen on {wanted.host} port {wanted.port}: {error.strerror or error}") from None
    port = on.getsockname()[1]
    names = frozenset(name.lower() for name in (*wanted.names, wanted.host))
    try:
        access = Access(token, port, names, is_loopback(wanted.host))
    except AccessError as error:
        on.close()
        raise ServeError(f"--token: {error}") from None
    kind, _, variable = wanted.token.partition(":")
    served = Served(
        session_arguments(config_file.resolve(), wanted),
        wanted.wall,
        "farmtui wall" if wanted.wall else "farmtui",
        dict(environment),
        frozenset({variable.strip()}) if kind == "env" else frozenset(),
    )

    def ready() -> None:
        print("\n".join(told(wanted, address_of(wanted.host, port), token)), flush=True)

    asyncio.run(serve(FarmServer(served, access, wanted.host), on, ready))
    return 0
