"""The way to a host: what ssh_config and ours say of user, port, keys and jump hosts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncssh

from farmtui.config import SshConfig
from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError
from farmtui.sources.ssh.trust import Witness, default_files, known_hosts
from farmtui.sources.ssh.words import login_error

KEEPALIVES_MISSED: Final = 3


@dataclass(frozen=True, slots=True)
class Hop:
    """One host to log in to. `user` and `port` are None where ssh_config, or ssh's default, decides."""

    host: str
    user: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """How to log in to one host, and through which hosts: the nearest first."""

    given: Mapping[str, Any]
    """What asyncssh.connect is called with, but for the tunnel."""
    user: str
    host: str
    """The address or name that is connected to."""
    port: int
    known_as: str
    """The name that known_hosts is asked for."""
    hops: tuple[Hop, ...]
    witness: Witness
    files: tuple[Path, ...]
    """The known_hosts files that count."""
    tried: str
    """Which keys are offered, for the error when none is accepted."""


def route(config: SshConfig, hop: Hop, *, is_jump: bool, environ: Mapping[str, str] = os.environ) -> Route:
    """The way to a host. Reads files: not for the event loop. Raises SourceError where something cannot be used."""
    witness = Witness()
    keys: Any = [str(path) for path in config.identity_files] if config.identity_files is not None else ()
    agent = environ.get("SSH_AUTH_SOCK", "") if config.agent else ""
    port = hop.port if hop.port is not None else config.port
    user = hop.user if hop.user is not None else config.user
    given: dict[str, Any] = {
        "host": hop.host,
        "port": () if port is None else port,
        "username": () if user is None else user,
        "client_factory": lambda: witness,
        "config": () if config.config_files is None else [str(path) for path in config.config_files],
        "known_hosts": (),
        "client_keys": keys,
        # asyncssh asks the agent as long as it is told of one.
        "agent_path": (agent or ()) if config.agent else None,
        "password_auth": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "gss_auth": False,
        "gss_kex": False,
        "x509_trusted_certs": None,
        "x509_trusted_cert_paths": (),
        "agent_forwarding": False,
        "x11_forwarding": False,
        "connect_timeout": config.connect_timeout_s,
        "login_timeout": config.connect_timeout_s,
        "keepalive_interval": config.keepalive_s,
        "keepalive_count_max": KEEPALIVES_MISSED,
        "encoding": None,
    }
    try:
        found = asyncssh.SSHClientConnectionOptions(**given)
    except (asyncssh.Error, ValueError, OSError) as error:
        raise login_error(error, "", "") or _unusable(error) from None
    files = _files(config, found.known_hosts)
    given["known_hosts"] = known_hosts(files)
    # The pool opens the way itself, so that all hosts behind a bastion share one connection to it.
    through = found.tunnel if isinstance(found.tunnel, str) else ""
    if not through and config.jump is not None and not is_jump and hop.host != config.jump:
        through = config.jump
    return Route(
        given=given,
        user=found.username,
        host=found.host,
        port=found.port,
        known_as=found.host_key_alias or found.host,
        hops=hops(through),
        witness=witness,
        files=files,
        tried=_tried(found, agent),
    )


def _files(config: SshConfig, found: Any) -> tuple[Path, ...]:
    """The known_hosts files: the config's, else ssh_config's, else ssh's own."""
    if config.known_hosts is not None:
        return tuple(config.known_hosts)
    if found is None:
        raise SourceError(
            FailureKind.CONFIG,
            "ssh_config turns the check of host keys off (UserKnownHostsFile none), and there is no way round it here",
            "name the files under ssh.known_hosts in the config",
        )
    return tuple(Path(str(name)).expanduser() for name in found) or default_files()


def hops(text: str) -> tuple[Hop, ...]:
    """ProxyJump's value, `user@host:port,host`, as hops; `none` is none."""
    found = []
    for part in text.split(","):
        user, _, place = part.strip().rpartition("@")
        host, port = _host_and_port(place)
        if host and host.lower() != "none":
            found.append(Hop(host, user or None, port))
    return tuple(found)


def _host_and_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    else:
        host, port = place, ""
    return host, int(port) if port.isascii() and port.isdigit() else None


def _tried(options: asyncssh.SSHClientConnectionOptions, agent: str) -> str:
    keys: Sequence[Any] = options.client_keys or ()
    names = [f"{len(keys)} key{'s' if len(keys) != 1 else ''}"] if keys else ["no key"]
    names.append("the agent's keys" if agent and os.access(agent, os.W_OK) else "no agent")
    return ", ".join(names)


def _unusable(error: BaseException) -> SourceError:
    if isinstance(error, OSError):
        name = error.filename or "a file"
        return SourceError(
            FailureKind.CONFIG, f"cannot read {name}: {error.strerror}", "check the paths under ssh in the config"
        )
    return SourceError(FailureKind.CONFIG, f"ssh's settings cannot be used: {error}", "mend ssh_config or the config")
