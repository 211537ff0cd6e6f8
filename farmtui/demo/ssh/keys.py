"""The keys of the simulated machines and of whoever logs in to them, made anew by each process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HOST = "127.0.0.1"
USER = "ops"
"""Whom the machines let in: in the groups docker, varnish and ceph, and free to use sudo."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One host key for all machines, and the one user's key; private ones as OpenSSH has them, public ones a line."""

    host: bytes = field(repr=False)
    host_line: str
    user: bytes = field(repr=False)
    user_line: str

    @classmethod
    def make(cls) -> Keys:
        """New keys."""
        return cls(*_pair(), *_pair())


@dataclass(frozen=True, slots=True)
class SshDoors:
    """Where each machine's SSH server listens on loopback, by the machine's name, and what opens it."""

    ports: Mapping[str, int]
    user_key: bytes = field(repr=False)
    host_line: str

    def ssh_config(self) -> str:
        """An ssh_config in which every machine is a host by its name."""
        return "\n".join(_lines(self.ports)) + "\n"

    def known_hosts(self) -> str:
        """The machines' host keys, by the names under which ssh_config has them looked up."""
        return "".join(f"{name} {self.host_line}\n" for name in self.ports)


def _lines(ports: Mapping[str, int]) -> Sequence[str]:
    hosts = [
        line
        for name, port in ports.items()
        for line in (f"Host {name}", f"  HostKeyAlias {name}", f"  Port {port}", "")
    ]
    return [*hosts, "Host *", f"  HostName {HOST}", f"  User {USER}"]


def _pair() -> tuple[bytes, str]:
    # asyncssh would do as well; its import takes longer than the farm may take to tell where it is.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public.decode()
