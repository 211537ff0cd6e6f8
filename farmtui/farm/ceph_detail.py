"""Ceph's own word on its health, as its commands or PVE's API give it: what the mgr's metrics cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

from farmtui.farm.state import Severity


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """A health check with Ceph's own summary, and its lines of detail."""

    name: str
    severity: Severity
    summary: str
    lines: tuple[str, ...] = ()
    muted: bool = False


@dataclass(frozen=True, slots=True)
class MonQuorum:
    """Which mons agree. `lost` is certain: no mon in quorum answered, and `why` says how it is known."""

    mons: tuple[str, ...] = ()
    """All of the map's."""
    members: tuple[str, ...] = ()
    """Those in quorum."""
    leader: str = ""
    lost: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class OsdPlace:
    """A line of the OSD tree. `kind` is `root`, `host`, `osd`, ...; `depth` 0 is a root."""

    name: str
    kind: str
    depth: int
    status: str = ""
    """An OSD's `up`, `down` or `destroyed`."""
    crush_weight: float | None = None
    reweight: float | None = None
    device_class: str = ""


@dataclass(frozen=True, slots=True)
class MdsRank:
    """One MDS of a file system, by its rank; a standby has none."""

    filesystem: str
    rank: int | None
    name: str
    state: str
    """`active`, `replay`, `standby`, `standby-replay`, `active (laggy)`, `failed`, ..."""
    clients: int | None = None


@dataclass(frozen=True, slots=True)
class CephDetail:
    """One answer of Ceph itself. `health` is None where it could not be had, which is never OK."""

    asked: str
    """The host, or the PVE cluster, that answered."""
    fsid: str = ""
    health: Severity | None = None
    checks: tuple[CheckDetail, ...] = ()
    quorum: MonQuorum = MonQuorum()
    mgr: str = ""
    """The active mgr; empty where there is none."""
    mgr_standbys: tuple[str, ...] = ()
    tree: tuple[OsdPlace, ...] = ()
    ranks: tuple[MdsRank, ...] = ()
    version: str = ""
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""
