"""Proxmox VE beside its machines: what it was told to do, and where disks lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

OF_A_PERSON: Final = frozenset({"vncproxy", "vncshell", "spiceproxy", "spiceshell", "termproxy"})
"""Kinds of tasks that are somebody's console: one that ends with an error is a window that was closed."""


@dataclass(frozen=True, slots=True)
class PveTask:
    """One task of a cluster's list: what was begun, by whom, and how it ended."""

    cluster: str
    upid: str
    node: str
    """The host that it runs on."""
    kind: str
    """`vzdump`, `qmigrate`, `qmstart`, `imgcopy`, ..."""
    ident: str
    """What it is about, mostly a guest's id; empty where it is about the host (a backup job of many guests)."""
    user: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    """None while it runs."""
    status: str = ""
    """`OK`, `WARNINGS: 2`, or in words what went wrong; empty while it runs."""

    @property
    def key(self) -> str:
        """What finds it again: `CLUSTER/UPID`."""
        return f"{self.cluster}/{self.upid}"

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self.status

    @property
    def warned(self) -> bool:
        """Whether it has done its work, and grumbled."""
        return self.status.startswith("WARNINGS")

    @property
    def failed(self) -> bool:
        """Whether it has not done its work."""
        return bool(self.status) and self.status != "OK" and not self.warned

    @property
    def duration_s(self) -> float | None:
        """How long it took; None while it runs."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class PveStorage:
    """A storage of a cluster. A shared one (Ceph RBD, NFS, PBS) is one; a local one is there once a host."""

    cluster: str
    name: str
    kind: str
    """`zfspool`, `rbd`, `cephfs`, `nfs`, `pbs`, `dir`, ..."""
    node: str
    """Its host; empty for a shared one."""
    active: bool | None
    """None where no host tells (it is off)."""
    contents: tuple[str, ...] = ()
    """What may lie on it: `images`, `backup`, ..."""
    used_bytes: float | None = None
    size_bytes: float | None = None
    silent: tuple[str, ...] = ()
    """Hosts that are up and do not reach a shared one."""

    @property
    def ident(self) -> str:
        """`CLUSTER/NAME` or `CLUSTER/HOST/NAME`."""
        return "/".join(filter(None, (self.cluster, self.node, self.name)))

    @property
    def used_ratio(self) -> float | None:
        """0-1; None where it is not known."""
        if not self.size_bytes or self.used_bytes is None:
            return None
        return min(1.0, self.used_bytes / self.size_bytes)
