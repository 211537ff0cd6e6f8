"""The simulated farm as somebody finds it who has nothing: its addresses, a home with its keys, and no config."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from farmtui import simulation
from farmtui.config import Config


@dataclass(frozen=True, slots=True)
class Doors:
    """Where it is, and the files that open it."""

    config: Config
    folder: Path

    @property
    def prometheus(self) -> str:
        """Its address."""
        assert self.config.prometheus is not None
        return self.config.prometheus.url

    @property
    def alertmanagers(self) -> list[str]:
        """Their addresses."""
        assert self.config.alertmanager is not None
        return self.config.alertmanager.urls

    @property
    def ca_file(self) -> Path:
        """Who vouches for Proxmox VE and DigitalOcean."""
        return self.folder / "ca.pem"

    @property
    def pve_token(self) -> str:
        """The token's secret."""
        return (self.folder / "pve-token").read_text().strip()

    @property
    def do_token(self) -> str:
        """The token."""
        return (self.folder / "do-token").read_text().strip()

    def home(self, home: Path) -> Path:
        """A home in which ssh knows every machine, and doctl is logged in."""
        (home / ".ssh").mkdir(parents=True)
        ssh_config = (self.folder / "ssh_config").read_text()
        ours = f"  UserKnownHostsFile {home / '.ssh/known_hosts'}\n  IdentityFile {home / '.ssh/id_ed25519'}\n"
        (home / ".ssh/config").write_text(ssh_config + ours)
        shutil.copy(self.folder / "ssh_known_hosts", home / ".ssh/known_hosts")
        shutil.copy(self.folder / "ssh-key", home / ".ssh/id_ed25519")
        (home / ".config/doctl").mkdir(parents=True)
        assert self.config.digitalocean is not None
        (home / ".config/doctl/config.yaml").write_text(
            f"access-token: {self.do_token}\napi-url: {self.config.digitalocean.endpoint}\n"
        )
        return home

    def flags(self) -> list[str]:
        """What has to be said: nothing listens on its usual port, and Prometheus names addresses of its own network."""
        [cluster] = self.config.proxmox
        return [
            *("--prometheus", self.prometheus),
            *(word for url in self.alertmanagers for word in ("--alertmanager", url)),
            *(word for host in cluster.hosts for word in ("--pve", host)),
            *("--pve-token", cluster.token_id, "--pve-secret", cluster.token_secret),
            *("--ca-file", str(self.ca_file)),
        ]


@contextmanager
def doors() -> Iterator[Doors]:
    """A simulated farm while the block runs."""
    with simulation.running(seed=1) as farm:
        yield Doors(asyncio.run(farm.config()), farm.config_file.parent)
