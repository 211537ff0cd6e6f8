"""What this machine tells without asking the farm: the environment, doctl's config, ssh's files, ports on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from farmtui.discovery.doctl import Doctl, Token, doctl
from farmtui.discovery.ssh_names import SshNames, ssh_names
from farmtui.sources.ssh.trust import SYSTEM_FILES

LOOPBACK: Final = "127.0.0.1"
PORTS: Final[Mapping[int, str]] = {9090: "Prometheus", 9093: "Alertmanager", 8006: "Proxmox VE"}
"""Where the farm's systems listen by default. Nothing is knocked at but these, and on loopback alone."""
_KNOCK_S: Final = 1.0

PROMETHEUS_NAMES: Final = ("PROMETHEUS_URL",)
TOKEN_NAMES: Final = ("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN")
"""doctl's and terraform's."""

PVE_CA: Final = Path("/etc/pve/pve-root-ca.pem")
"""It is there on a Proxmox VE host."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All of it."""

    prometheus: str = ""
    """An address from the environment, or of what listens on loopback."""
    prometheus_from: str = ""
    alertmanager: str = ""
    token: Token | None = None
    """DigitalOcean's: the environment's, else doctl's."""
    doctl: Doctl = field(default_factory=Doctl)
    ssh: SshNames = field(default_factory=SshNames)
    listening: tuple[int, ...] = ()
    pve_ca: str = ""
    """The CA certificate, where this machine is a Proxmox VE host."""


async def look_round(environ: Mapping[str, str], home: Path, ssh_config: Path | None = None) -> Surroundings:
    """Look at all of it; `ssh_config` is read instead of ~/.ssh/config. Never raises, and ends within seconds."""
    listening, told, ssh = await asyncio.gather(
        _listening(),
        asyncio.to_thread(doctl, home, environ),
        asyncio.to_thread(_ssh, home, ssh_config),
    )
    name = next((name for name in PROMETHEUS_NAMES if environ.get(name)), "")
    local = 9090 in listening
    return Surroundings(
        prometheus=_without_login(environ[name]) if name else (f"http://{LOOPBACK}:9090" if local else ""),
        prometheus_from=f"${name}" if name else (f"port 9090 on {LOOPBACK}" if local else ""),
        alertmanager=f"http://{LOOPBACK}:9093" if 9093 in listening else "",
        token=_token(environ) or told.token,
        doctl=told,
        ssh=ssh,
        listening=listening,
        pve_ca=str(PVE_CA) if await asyncio.to_thread(PVE_CA.is_file) else "",
    )


def _without_login(address: str) -> str:
    """An address without the user and password in it: it is shown, and a login is asked for where one is wanted."""
    scheme, sign, rest = address.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{sign}{host.rpartition('@')[2]}{slash}{path}" if sign else address.rpartition("@")[2]


def _token(environ: Mapping[str, str]) -> Token | None:
    name = next((name for name in TOKEN_NAMES if environ.get(name)), "")
    return Token(f"env:{name}", f"${name}", environ.get("DIGITALOCEAN_API_URL", "")) if name else None


def _ssh(home: Path, ssh_config: Path | None) -> SshNames:
    folder = home / ".ssh"
    known_hosts = [folder / "known_hosts", *SYSTEM_FILES]
    return ssh_names([ssh_config if ssh_config is not None else folder / "config"], known_hosts, folder)


async def _listening() -> tuple[int, ...]:
    found = await asyncio.gather(*(_answers(port) for port in PORTS))
    return tuple(port for port, is_there in zip(PORTS, found, strict=True) if is_there)


async def _answers(port: int) -> bool:
    try:
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
