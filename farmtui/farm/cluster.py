"""The stateful clusters: Galera, Swarm and Ceph, as Prometheus tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farmtui.farm.state import Severity


@dataclass(frozen=True, slots=True)
class GaleraNode:
    """One database node's own view of its cluster. None means not measured (a dead node's series vanish)."""

    instance: str
    up: bool | None = None
    cluster_size: int | None = None
    local_state: int | None = None
    """0 initialized (outside of any component), 1 joining, 2 donor/desynced, 3 joined, 4 synced."""
    primary: bool | None = None
    ready: bool | None = None
    flow_control_ratio: float | None = None
    """Share of time, 0-1, for which replication was paused; much the same on every node, whichever is slow."""
    recv_queue: float | None = None
    cert_failures_per_s: float | None = None
    queries_per_s: float | None = None
    slow_per_s: float | None = None
    connections: float | None = None
    max_connections: float | None = None
    seen_at: datetime | None = None
    flow_control_sent_per_s: float | None = None
    """How often this node asks the others to wait for it: it is the slow one."""
    flow_control_received_per_s: float | None = None
    """How often it was asked to wait, its own asking among them."""
    bf_aborts_per_s: float | None = None
    """Transactions of its clients that a write set from another node has ended."""
    last_committed: float | None = None
    """Number of the last write set that it has committed (seqno)."""
    received_per_s: float | None = None
    replicated_per_s: float | None = None
    write_set_bytes: float | None = None
    transfer_ratio: float | None = None
    """How much of an incremental state transfer has come, 0-1; None where none is under way or the server is silent."""
    aborted_per_s: float | None = None
    max_used_connections: float | None = None
    buffer_hit_ratio: float | None = None
    buffer_free_ratio: float | None = None
    replica_behind_s: float | None = None
    """Of an asynchronous replica; None where it is none, or where it does not know."""
    replica_running: bool | None = None
    """None where it is no asynchronous replica."""

    @property
    def lag_s(self) -> float | None:
        """Seconds in which it would apply what waits, at the rate at which write sets come; 0 where nothing waits."""
        if self.recv_queue is None:
            return None
        if self.recv_queue == 0:
            return 0.0
        return self.recv_queue / self.received_per_s if self.received_per_s else None

    @property
    def state_word(self) -> str:
        """wsrep_local_state in Galera's own words."""
        if self.up is False:
            return "down"
        return "unknown" if self.local_state is None else _GALERA_STATES.get(self.local_state, "unknown")


_GALERA_STATES = {0: "Initialized", 1: "Joining", 2: "Donor/Desynced", 3: "Joined", 4: "Synced"}


@dataclass(frozen=True, slots=True)
class Galera:
    """The database tier."""

    nodes: tuple[GaleraNode, ...]

    @property
    def slow(self) -> tuple[GaleraNode, ...]:
        """The nodes that ask the others to wait, the one that asks most first."""
        asking = [node for node in self.nodes if node.up and (node.flow_control_sent_per_s or 0.0) > 0]
        return tuple(sorted(asking, key=lambda node: -(node.flow_control_sent_per_s or 0.0)))

    @property
    def paused_ratio(self) -> float | None:
        """Share of time for which replication was paused, by the node that says most."""
        return max(
            (n.flow_control_ratio for n in self.nodes if n.flow_control_ratio is not None and n.up), default=None
        )

    def behind(self, node: GaleraNode) -> float | None:
        """Write sets that another node has committed and this one has not; nodes are not asked at the same moment."""
        newest = max((n.last_committed for n in self.nodes if n.last_committed is not None), default=None)
        return None if newest is None or node.last_committed is None else newest - node.last_committed

    @property
    def size_min(self) -> int | None:
        """The smallest cluster size that any live node sees."""
        return min((n.cluster_size for n in self.nodes if n.cluster_size is not None and n.up), default=None)

    @property
    def size_max(self) -> int | None:
        """The largest cluster size that any live node sees; differs from `size_min` in a split brain."""
        return max((n.cluster_size for n in self.nodes if n.cluster_size is not None and n.up), default=None)


@dataclass(frozen=True, slots=True)
class SwarmCounts:
    """What the leading manager counts; empty mappings when no manager says that it leads."""

    leader: str
    """Instance of the leader; empty when there is none."""
    managers: tuple[str, ...]
    nodes_by_state: tuple[tuple[str, int], ...]
    tasks_by_state: tuple[tuple[str, int], ...]
    services: int | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A Ceph health check that is raised now, by Ceph's own name; never a whitelist."""

    name: str
    severity: Severity
    muted: bool = False
    """Somebody has muted it: it is raised, and does not count."""


@dataclass(frozen=True, slots=True)
class CephDaemon:
    """A mon, mgr, MDS or RGW. `state`: mon `quorum`/`out`; mgr `active`/`standby`; MDS `rank N`/`standby`.

    Where Ceph itself was asked it says more: `quorum leader`, `probing`, `laggy, rank 0 active`.
    """

    name: str
    host: str
    state: str
    well: bool


@dataclass(frozen=True, slots=True)
class Osd:
    """One OSD. `id` is the daemon's name (`osd.3`); bytes are raw."""

    id: str
    host: str
    device_class: str
    up: bool
    is_in: bool
    weight: float | None = None
    size_bytes: float | None = None
    used_bytes: float | None = None
    apply_latency_s: float | None = None

    @property
    def used_ratio(self) -> float | None:
        """Used share, 0-1; None where the size is unknown or zero."""
        if not self.size_bytes or self.used_bytes is None:
            return None
        return self.used_bytes / self.size_bytes


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool. `used_ratio` is Ceph's own percent_used (0-1, of what the pool could hold). None: not measured."""

    id: str
    name: str
    kind: str
    pgs: int | None
    pgs_clean: int | None
    stored_bytes: float | None = None
    max_avail_bytes: float | None = None
    used_ratio: float | None = None
    quota_bytes: float | None = None
    objects: float | None = None
    read_per_s: float | None = None
    write_per_s: float | None = None
    read_bytes_per_s: float | None = None
    write_bytes_per_s: float | None = None
    pg_states: tuple[tuple[str, int], ...] = ()
    """Its placement groups by state name, most first; a PG is in several states at once."""

    @property
    def unclean(self) -> int | None:
        """Placement groups that are not clean; None where that is not known."""
        return None if self.pgs is None or self.pgs_clean is None else self.pgs - self.pgs_clean


@dataclass(frozen=True, slots=True)
class Ceph:
    """A Ceph cluster. `health` is None while it is unknown, which is never the same as OK."""

    health: Severity | None
    checks: tuple[HealthCheck, ...]
    mons: tuple[CephDaemon, ...]
    mgrs: tuple[CephDaemon, ...]
    mdss: tuple[CephDaemon, ...]
    rgws: tuple[CephDaemon, ...]
    filesystems: tuple[str, ...]
    mds_clients: int | None
    osds: tuple[Osd, ...]
    flags: tuple[str, ...]
    """Cluster flags that are set: `noout`, `norebalance`, ..."""
    pg_states: tuple[tuple[str, int], ...]
    """Placement groups by state name, most first, without the total; a PG is in several states at once."""
    pgs_total: int
    pools: tuple[Pool, ...]
    objects_degraded: float | None
    objects_misplaced: float | None
    objects_unfound: float | None
    total_bytes: float | None
    used_bytes: float | None
    growth_bytes_per_s: float | None
    recovering_bytes_per_s: float | None
    recovering_objects_per_s: float | None
    slow_ops: float | None
    seen_at: datetime | None
    """When the active mgr last answered Prometheus; None where nothing here is its figure."""
    told_at: datetime | None = None
    """When Ceph itself was asked; None where nothing here is its own word."""
    differences: tuple[str, ...] = ()
    """Where the mgr's figures and Ceph's own word do not agree, in words."""

    objects_left_slope_per_s: float | None = None
    """By how many object copies a second those degraded or misplaced become more; below 0 they become fewer."""
    stalled: bool = False
    """The mgr answers, and what it tells is old: its mons decide nothing, most likely for want of a quorum. `health` is
    None then, and `seen_at` is when it last told what was new."""
    slow_daemons: tuple[tuple[str, int], ...] = ()
    """How many operations are slow by the daemon that waits for them, the most first."""

    @property
    def objects_left(self) -> float:
        """Object copies that are degraded or misplaced."""
        return (self.objects_degraded or 0.0) + (self.objects_misplaced or 0.0)

    @property
    def heard_at(self) -> datetime | None:
        """When Ceph was last heard of, by whichever way."""
        return max((at for at in (self.seen_at, self.told_at) if at is not None), default=None)

    @property
    def pgs_counted(self) -> bool:
        """Whether anybody counts placement groups; without a mgr nobody does."""
        return self.pgs_total > 0 or self.objects_degraded is not None

    @property
    def used_ratio(self) -> float | None:
        """Raw used share, 0-1."""
        if not self.total_bytes or self.used_bytes is None:
            return None
        return self.used_bytes / self.total_bytes

    @property
    def recovers(self) -> bool:
        """Whether object copies are being made or moved now."""
        working = any(count for state, count in self.pg_states if state in ("recovering", "backfilling"))
        return self.objects_left > 0 and (working or bool(self.recovering_objects_per_s))

    @property
    def recovery_per_s(self) -> float | None:
        """By how many a second the object copies that are degraded or misplaced become fewer; None where they do not.

        Ceph's own rate stands in where nobody has measured them over time.
        """
        slope = self.objects_left_slope_per_s
        pace = self.recovering_objects_per_s if slope is None else -slope
        return pace if pace is not None and pace > 0 else None

    @property
    def recovery_eta_s(self) -> float | None:
        """Seconds until no object copy is degraded or misplaced, at the pace of the last minutes.

        None when nothing recovers, and while they have not become fewer yet.
        """
        pace = self.recovery_per_s
        return self.objects_left / pace if self.recovers and pace else None

    @property
    def full_in_s(self) -> float | None:
        """Seconds until raw capacity is used up at the six-hour growth; None when it does not grow."""
        if self.total_bytes is None or self.used_bytes is None or not self.growth_bytes_per_s:
            return None
        if self.growth_bytes_per_s <= 0:
            return None
        return (self.total_bytes - self.used_bytes) / self.growth_bytes_per_s
