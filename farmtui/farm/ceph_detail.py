"""Ceph's own word on its health, as its commands or PVE's API give it: what the mgr's metrics cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farmtui.farm.cluster import CephDaemon, Pool
from farmtui.farm.state import Severity


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """A health check with Ceph's own summary, and its lines of detail."""

    name: str
    severity: Severity
    summary: str
    lines: tuple[str, ...] = ()
    muted: bool = False
    lines_left: int = 0
    """Lines that were there and are not kept: Ceph may print thousands."""


@dataclass(frozen=True, slots=True)
class MonQuorum:
    """Which mons agree. `lost` is certain: a mon itself has said so, and no host got an answer from another one.

    Where Ceph did not answer, `why` says what is known of the reason; without `lost` it is only a guess.
    """

    mons: tuple[str, ...] = ()
    """All of the map's; empty where they are not known."""
    members: tuple[str, ...] = ()
    """Those in quorum."""
    leader: str = ""
    lost: bool = False
    why: str = ""
    since: datetime | None = None
    """When this quorum was formed."""
    states: tuple[tuple[str, str], ...] = ()
    """What mons without quorum say of themselves: `a` is `probing`, `electing`, ..."""


@dataclass(frozen=True, slots=True)
class OsdPlace:
    """A line of the OSD tree. `kind` is `root`, `host`, `osd`, ...; `depth` 0 is a root. Bytes are raw."""

    name: str
    kind: str
    depth: int
    status: str = ""
    """An OSD's `up`, `down` or `destroyed`."""
    crush_weight: float | None = None
    reweight: float | None = None
    device_class: str = ""
    is_in: bool | None = None
    """Whether an OSD takes part; None for what is no OSD."""
    size_bytes: float | None = None
    used_bytes: float | None = None
    apply_latency_s: float | None = None
    pgs: int | None = None


@dataclass(frozen=True, slots=True)
class MdsRank:
    """One MDS of a file system, by its rank; a standby has none."""

    filesystem: str
    """Empty for a standby, and where it is not told."""
    rank: int | None
    name: str
    state: str
    """`active`, `replay`, `standby`, `standby-replay`, `active (laggy)`, `failed`, ..."""
    clients: int | None = None
    """Of its whole file system."""

    @property
    def laggy(self) -> bool:
        """Whether the mons have not heard of it for longer than they wait: it is hung, or gone."""
        return "laggy" in self.state

    @property
    def well(self) -> bool:
        """Whether it serves, or stands by."""
        return self.state in ("active", "standby", "standby-replay")


@dataclass(frozen=True, slots=True)
class PgSummary:
    """All placement groups together. Rates are of now; 0 where nothing recovers."""

    total: int
    states: tuple[tuple[str, int], ...]
    """By single state, most first: an `active+clean` group counts in both."""
    objects_degraded: float = 0.0
    objects_misplaced: float = 0.0
    objects_unfound: float = 0.0
    recovering_bytes_per_s: float = 0.0
    recovering_objects_per_s: float = 0.0
    total_bytes: float | None = None
    used_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Something that Ceph is at: a rebalancing, a recovery. `ratio` is how much of it is done, 0-1."""

    message: str
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class CephDetail:
    """One answer of Ceph itself. `health` is None where it could not be had, which is never OK.

    A part that was not answered is None or empty, and `problems` says why.
    """

    asked: str
    """The host, or the PVE node, that answered."""
    fsid: str = ""
    health: Severity | None = None
    checks: tuple[CheckDetail, ...] = ()
    quorum: MonQuorum = MonQuorum()
    mgr: str | None = None
    """The active mgr; empty where there is none, None where that is not told."""
    mgr_standbys: tuple[str, ...] = ()
    tree: tuple[OsdPlace, ...] = ()
    ranks: tuple[MdsRank, ...] = ()
    rgws: tuple[CephDaemon, ...] = ()
    filesystems: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """Cluster flags that are set: `noout`, `norebalance`, ..."""
    pgs: PgSummary | None = None
    pools: tuple[Pool, ...] = ()
    events: tuple[ProgressEvent, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    """The host of each daemon, by its name (`mon.a`), as far as they are told."""
    versions: tuple[tuple[str, int], ...] = ()
    """How many daemons run which version (`16.2.15`), most first."""
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""
    known_at: datetime | None = None
    """Where Ceph does not answer now: when the tree, the pools and what else is here were taken. None: now, or
    never."""

    @property
    def silent(self) -> bool:
        """Whether Ceph did not answer: without quorum, or for a reason that is not certain. `quorum.why` says more."""
        return self.health is None and bool(self.quorum.why)

    def check(self, name: str) -> CheckDetail | None:
        """The check of this name, if it is raised."""
        return next((check for check in self.checks if check.name == name), None)
