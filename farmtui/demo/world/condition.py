"""The farm's condition between two changes: frozen, so that the past stays what it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from farmtui.demo.world.inventory import Size


@dataclass(frozen=True, slots=True)
class Relaxing:
    """A value that goes from `start` (at `since`) towards `target` with the time constant `tau_s`."""

    start: float
    target: float
    since: float
    tau_s: float

    def value(self, t: float) -> float:
        """The value at t, not earlier than `since`."""
        return self.target + (self.start - self.target) * math.exp((self.since - t) / self.tau_s)

    def turned(self, t: float, target: float, tau_s: float, jump: float = 0.0) -> Relaxing:
        """From t on towards another target, after a jump."""
        return Relaxing(self.value(t) + jump, target, t, tau_s)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line from `v0` at `t0` to `v1` at `t1`, level outside."""

    v0: float
    t0: float
    v1: float
    t1: float

    def value(self, t: float) -> float:
        """The value at t."""
        if t <= self.t0:
            return self.v0
        if t >= self.t1:
            return self.v1
        return self.v0 + (self.v1 - self.v0) * (t - self.t0) / (self.t1 - self.t0)


def level(value: float) -> Line:
    """A line that never changes."""
    return Line(value, 0.0, value, 1.0)


@dataclass(frozen=True, slots=True)
class Varnish:
    """One cache node's Varnish. `miss` is its cacheable miss ratio, `fill` the share of its storage in use."""

    running: bool
    started: float
    miss: Relaxing
    fill: Relaxing
    evicting: bool = True
    deaths: int = 0
    """How often the child has died since the management process started."""
    bans: tuple[tuple[float, str], ...] = ()
    """The last bans since it was started: when, and what is forgotten."""


@dataclass(frozen=True, slots=True)
class Database:
    """One Galera node. `state` is wsrep_local_state: 0 gone, 1 joining, 2 donor, 3 joined, 4 synced."""

    running: bool
    started: float
    state: int = 4
    since: float = 0.0
    paused: float = 0.0
    """Share of time it is paused by flow control, 0-1."""


@dataclass(frozen=True, slots=True)
class Osd:
    """One OSD. `missing` counts object copies that it should hold and nobody holds; `misplaced` copies that are
    still elsewhere; both fall while the cluster recovers."""

    up: bool
    is_in: bool
    since: float
    missing: Line
    misplaced: Line
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Ceph:
    """The storage cluster's own state. `mgr` is the machine whose mgr is active; empty when there is none."""

    osds: tuple[Osd, ...]
    mgr: str
    mds: str
    flags: frozenset[str] = frozenset()
    inconsistent: int = 0
    """Placement groups with a scrub error."""
    repairing: bool = False
    slow_ops: int = 0
    stopped: frozenset[int] = frozenset()
    """OSDs whose daemon is stopped though their machine runs."""
    full_ratio: float = 0.95
    backfillfull_ratio: float = 0.90
    nearfull_ratio: float = 0.85
    extra_bytes: float = 0.0
    """What somebody has written beside what the sites do, counted once."""
    silent_since: float | None = None
    """When the mons lost their quorum; None while they have one. What a mgr tells without it is of before."""


@dataclass(frozen=True, slots=True)
class Swarm:
    """The orchestrator's state. `tasks` are running site tasks per worker; `leader` is empty during an election."""

    leader: str
    tasks: Mapping[str, float]
    starting: Relaxing
    """Tasks that are not running yet after a reschedule."""
    drained: frozenset[str] = frozenset()
    failing: int = 0
    """Tasks of a service that crashes over and over."""
    paused: frozenset[str] = frozenset()
    """Nodes that take no new tasks."""
    replicas: Mapping[int, int] = field(default_factory=dict)
    """How many tasks a site's service is to run, by the site's index, where somebody has scaled it."""
    updated: Mapping[str, tuple[float, bool]] = field(default_factory=dict)
    """When a service was updated last, and whether that was a rollback."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Everything about the farm that changes in steps."""

    off: frozenset[str]
    """Machines that do not run though their host does."""
    hosts_off: frozenset[str]
    """PVE hosts that are down."""
    booted: Mapping[str, float]
    """Boot times (Unix seconds) of machines that have rebooted since the world's origin, PVE hosts included."""
    varnish: Mapping[str, Varnish]
    redis_master: str
    redis_full: frozenset[str]
    """Redis nodes under memory pressure: they evict."""
    databases: Mapping[str, Database]
    primary: bool
    """Whether Galera has a primary component."""
    members: int
    """Size of the last primary component."""
    swarm: Swarm
    ceph: Ceph
    cut: bool = False
    """The interconnect between DigitalOcean and Proxmox VE is down."""
    interconnect_extra_s: float = 0.0
    interconnect_loss: float = 0.0
    mtus: Mapping[str, int] = field(default_factory=dict)
    """Storage nodes whose interface on the cluster network takes packets of another size than it should."""
    worn_links: Mapping[str, float] = field(default_factory=dict)
    """Storage nodes whose interface there receives damaged packets, and how many a second."""
    uncacheable: float = 0.0
    """How much of what could be cached is not: 0 is normal, 1 nothing is cached."""
    broken_sites: Mapping[int, float] = field(default_factory=dict)
    """Sites that answer 5xx, by their index, and the share of their answers that does."""
    surges: Mapping[int, float] = field(default_factory=dict)
    """Sites under unusual traffic, and the extra requests as a share of the whole farm's."""
    hungry: Mapping[int, float] = field(default_factory=dict)
    """Sites that take more of PHP and the database than they are asked for, and how much, as a share of what all
    others take together."""
    slow_queries: float = 1.0
    """How many times slower the database answers than usual."""
    filling: Mapping[str, Line] = field(default_factory=dict)
    """Extra share of a machine's root filesystem in use."""
    clocks: Mapping[str, float] = field(default_factory=dict)
    """Clock offsets in seconds of machines whose clock is off."""
    backup: bool = False
    """The nightly backup is running."""
    backup_failing: bool = False
    """What the nightly backup writes is worth nothing."""
    backed_up_at: float = 0.0
    """When a backup that somebody had started by hand succeeded."""
    sizes: Mapping[str, Size] = field(default_factory=dict)
    """Sizes that machines were given since they were bought."""
    vzdump_failing: Mapping[str, float] = field(default_factory=dict)
    """PVE hosts whose nightly backup of guests fails, and since when."""
    dumps_stopped: Mapping[int, float] = field(default_factory=dict)
    """Sites whose database is dumped no more, by their index, and since when."""
    files_missing: Mapping[int, float] = field(default_factory=dict)
    """Sites whose file backup lacks most of its files, likewise."""
    spaces_down: bool = False
    """The store of the backups serves nobody."""
    prometheus_delay_s: float = 0.0
    cloud_api: str = "ok"
    """`ok`, `unauthorized` or `limited`."""
    expiring_site: int = -1
    """A site whose certificate is not renewed."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """The PVE host of each guest that has moved."""
    redis_fill: Mapping[str, Relaxing] = field(default_factory=dict)
    """How much a Redis holds, as a share of what it usually does, where that is something else."""
    redis_limits: Mapping[str, float] = field(default_factory=dict)
    """`maxmemory` in bytes (0: none) of a Redis to which somebody has given another."""
    stripping: frozenset[str] = frozenset()
    """Cache nodes whose VCL takes needless cookies off."""
    safe_to_bootstrap: frozenset[str] = frozenset()
    """Database nodes that somebody has marked (grastate.dat) as those that a new cluster may begin with."""
    resting: frozenset[str] = frozenset()
    """Cache nodes in maintenance: their Varnish tells the edge's health check to look elsewhere."""
    unhealed: Line = field(default_factory=lambda: level(0.0))
    """Files of the Gluster volume of which a brick lacks what the others have."""
    split: int = 0
    """Files of it of which no brick knows who is right."""
    stopped_units: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Services that somebody has stopped, by machine and unit, with the time; those that the world is about are not
    among them."""
