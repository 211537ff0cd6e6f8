"""A GlusterFS pool as the gluster command tells it: peers, volumes, bricks, heals and quotas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlusterPeer:
    """One peer, as the one that was asked sees it."""

    uuid: str
    host: str
    connected: bool
    state: str = ""
    """Gluster's own words, such as `Peer in Cluster`."""


@dataclass(frozen=True, slots=True)
class Brick:
    """One brick of a volume. None means not known: a brick that is down tells no heal count."""

    host: str
    path: str
    online: bool
    arbiter: bool = False
    port: int | None = None
    pid: int | None = None
    size_bytes: float | None = None
    free_bytes: float | None = None
    inodes_total: int | None = None
    inodes_free: int | None = None
    heal_pending: int | None = None
    """Entries that wait to be healed to others from this brick."""
    split_brain: int | None = None
    healing: str = ""
    """What heal info says beside the count, such as `Transport endpoint is not connected`."""

    @property
    def used_ratio(self) -> float | None:
        """Used share, 0-1; None where the size is unknown or zero."""
        if not self.size_bytes or self.free_bytes is None:
            return None
        return 1.0 - self.free_bytes / self.size_bytes


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit on a folder of a volume."""

    path: str
    hard_limit_bytes: float | None
    soft_limit_bytes: float | None
    used_bytes: float | None
    soft_exceeded: bool = False
    hard_exceeded: bool = False


@dataclass(frozen=True, slots=True)
class GlusterVolume:
    """One volume. Bricks stand in the order of their replica sets, `replica` to a set."""

    id: str
    name: str
    kind: str
    """`Replicate`, `Distributed-Replicate`, `Distribute`, ..."""
    status: str
    """`Started`, `Stopped` or `Created`."""
    replica: int
    """Copies of each file; 1 where there is no replication."""
    arbiter: int
    """Of these, how many hold names only."""
    bricks: tuple[Brick, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    quotas: tuple[Quota, ...] = ()
    heal_problem: str = ""
    """Why the heals could not be counted; empty where they were."""


@dataclass(frozen=True, slots=True)
class GlusterPool:
    """The trusted pool as one of its peers sees it."""

    name: str
    asked: str
    """The host that answered."""
    peers: tuple[GlusterPeer, ...] = ()
    volumes: tuple[GlusterVolume, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""
