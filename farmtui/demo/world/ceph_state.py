"""The Ceph cluster in numbers at one time: OSDs, placement groups, pools, health checks, recovery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from farmtui.demo.world.ceph_changes import RECOVERY_OBJECTS_PER_S, REPLICAS, copies_per_osd
from farmtui.demo.world.changes import alive
from farmtui.demo.world.condition import Ceph, Condition
from farmtui.demo.world.flows import Flows
from farmtui.demo.world.inventory import APP, GIB, MONS, OSDS_PER_NODE, STORAGE, Inventory, Pool
from farmtui.demo.world.signals import NOTHING, Mix, Signal, steady
from farmtui.demo.world.timeline import Epoch

OSD_BYTES = 4.0e12
GROWTH_BYTES_PER_S = 38 * GIB / 86_400.0
"""New data per second, counted once."""

WARN, ERR = "HEALTH_WARN", "HEALTH_ERR"
CHECKS: Mapping[str, str] = {
    "FS_DEGRADED": WARN,
    "MDS_ALL_DOWN": ERR,
    "MDS_INSUFFICIENT_STANDBY": WARN,
    "MON_DOWN": WARN,
    "OSDMAP_FLAGS": WARN,
    "OSD_BACKFILLFULL": WARN,
    "OSD_DOWN": WARN,
    "OSD_FULL": ERR,
    "OSD_HOST_DOWN": WARN,
    "OSD_NEARFULL": WARN,
    "OSD_SCRUB_ERRORS": ERR,
    "PG_AVAILABILITY": WARN,
    "PG_DAMAGED": ERR,
    "PG_DEGRADED": WARN,
    "POOL_BACKFILLFULL": WARN,
    "POOL_FULL": WARN,
    "POOL_NEARFULL": WARN,
    "SLOW_OPS": WARN,
}
"""Health checks that this cluster can raise, with their severities."""

_READS_PER_REQUEST, _WRITES_PER_REQUEST = 6.0, 1.4
_READ_BYTES, _WRITE_BYTES = 46_000.0, 24_000.0
_BACKUP_BYTES_PER_S = 7.2e7
_BACKUP_OP_BYTES = 1.0e6
_COMMITS_PER_S = 0.6
_RENEWED_EVERY_S = 20.0
_DATA_POOL, _BACKUP_POOL = 3, 8


@dataclass(frozen=True, slots=True)
class OsdState:
    """One OSD's figures; bytes, milliseconds."""

    up: bool
    is_in: bool
    weight: float
    size: float
    used: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class PoolState:
    """One pool's figures; `states` counts its placement groups by state name."""

    stored: float
    objects: float
    max_avail: float
    percent_used: float
    states: Mapping[str, int]
    recovering_objects_per_s: float
    recovering_bytes_per_s: float


@dataclass(frozen=True, slots=True)
class CephState:
    """The whole cluster at one time."""

    osds: tuple[OsdState, ...]
    pools: tuple[PoolState, ...]
    checks: frozenset[str]
    degraded: float
    misplaced: float
    total_bytes: float
    used_bytes: float
    slow_ops: int

    @property
    def health(self) -> int:
        """0 HEALTH_OK, 1 HEALTH_WARN, 2 HEALTH_ERR."""
        if any(CHECKS[name] == ERR for name in self.checks):
            return 2
        return 1 if self.checks else 0


class CephModel:
    """Computes the cluster's figures. Remembers the last few times it was asked for."""

    def __init__(self, flows: Flows, origin: float) -> None:
        self._flows = flows
        self._farm: Inventory = flows.farm
        self._origin = origin
        self._known: dict[float, CephState] = {}
        count = len(self._farm.osd_hosts)
        raw = [1.0 + 0.07 * ((index * 5) % 11 / 10 - 0.5) for index in range(count)]
        self._weights = [weight * count / sum(raw) for weight in raw]

    def forget(self) -> None:
        """Drop what is remembered."""
        self._known.clear()

    def state(self, t: float) -> CephState:
        """The cluster at t."""
        known = self._known.get(t)
        if known is None:
            if len(self._known) > 4_000:
                self._known.clear()
            known = self._known[t] = self._compute(t)
        return known

    def recovers(self, now: Condition) -> bool:
        """Whether data moves."""
        return any(o.missing.v0 > o.missing.v1 or o.misplaced.v0 > o.misplaced.v1 for o in now.ceph.osds)

    def told_at(self, t: float) -> float:
        """The time of what a mgr tells at t: without quorum it repeats what was so before the mons lost it."""
        since = self._flows.timeline.at(t).condition.ceph.silent_since
        return t if since is None else min(t, since - 1.0)

    # -- what is counted, as signals

    def commits(self, mon: str) -> Signal:
        """What a mon commits per second: at every report of the mgr, and nothing without quorum."""

        def mix(epoch: Epoch) -> Mix:
            now = epoch.condition
            decides = now.ceph.silent_since is None and alive(now, self._farm, mon)
            return steady(_COMMITS_PER_S) if decides else NOTHING

        return self._flows.signal("ceph commits", mix, mon)

    def session_messages(self, mds: str) -> Signal:
        """What an MDS hears per second of its clients' sessions: each is renewed every twenty seconds."""
        heard = steady(self.clients / _RENEWED_EVERY_S)
        return self._flows.signal(
            "ceph sessions", lambda epoch: heard if epoch.condition.ceph.mds == mds else NOTHING, mds
        )

    @property
    def clients(self) -> float:
        """Clients of CephFS: each worker mounts it."""
        return float(len(self._farm.tiers[APP]))

    def operations(self, pool: Pool, kind: str) -> Signal:
        """A pool's operations or bytes per second. `kind`: rd, wr, rd_bytes, wr_bytes."""
        return self._flows.signal("ceph", lambda e: self._operations(e, pool, kind), kind, str(pool.id))

    def node_operations(self, epoch: Epoch) -> Mix:
        """Operations per second that one living storage node works on, replication included."""
        living = sum(1 for m in self._farm.tiers[STORAGE] if alive(epoch.condition, self._farm, m.name))
        if not living:
            return NOTHING
        total = Mix((_READS_PER_REQUEST + REPLICAS * _WRITES_PER_REQUEST, self._flows.worked)) + steady(120.0)
        return total * (1.0 / living)

    def _operations(self, epoch: Epoch, pool: Pool, kind: str) -> Mix:
        if epoch.condition.ceph.silent_since is not None:
            return NOTHING
        reads = kind.startswith("rd")
        per_request = _READS_PER_REQUEST if reads else _WRITES_PER_REQUEST
        share = pool.read_share if reads else pool.write_share
        operation = (_READ_BYTES if reads else _WRITE_BYTES) if kind.endswith("bytes") else 1.0
        mix = Mix((share * per_request * operation, self._flows.worked)) + steady(share * 40.0 * operation)
        backs_up = (_DATA_POOL if reads else _BACKUP_POOL) == pool.id
        if epoch.condition.backup and backs_up:
            mix += steady(_BACKUP_BYTES_PER_S / (1.0 if kind.endswith("bytes") else _BACKUP_OP_BYTES))
        return mix

    # -- the state

    def _compute(self, t: float) -> CephState:
        now = self._flows.timeline.at(t).condition
        ceph = now.ceph
        grown = max(0.0, t - self._origin) * GROWTH_BYTES_PER_S
        noise = self._flows.noise("ceph", 300.0, 9_000.0).value(t)
        stored = self._farm.stored_bytes + grown + 0.8 * GIB * noise + ceph.extra_bytes
        osds = self._osds(ceph, stored * REPLICAS, t)
        size = sum(o.size for o in osds if o.is_in)
        used = sum(o.used for o in osds if o.is_in)
        degraded = sum(o.missing.value(t) for o in ceph.osds)
        misplaced = sum(o.misplaced.value(t) for o in ceph.osds)
        pools = self._pools(ceph, osds, stored / self._farm.stored_bytes, t)
        checks = self._checks(now, osds, degraded, pools)
        return CephState(
            osds, pools, checks, float(round(degraded)), float(round(misplaced)), size, used, ceph.slow_ops
        )

    def _osds(self, ceph: Ceph, raw: float, t: float) -> tuple[OsdState, ...]:
        held = copies_per_osd(self._farm)
        nominal = raw / len(ceph.osds)
        # Of each OSD's data, the share that lies on the other OSDs of its host now.
        moved = [
            (1.0 - osd.missing.value(t) / held if not osd.is_in and not osd.up else osd.misplaced.value(t) / held)
            if not osd.is_in or osd.misplaced.v0
            else 0.0
            for osd in ceph.osds
        ]
        noise = self._flows.noise("osd latency", 60.0, 1_800.0).value(t)
        states: list[OsdState] = []
        for index, osd in enumerate(ceph.osds):
            first = index - index % OSDS_PER_NODE
            siblings = range(first, min(first + OSDS_PER_NODE, len(ceph.osds)))
            takers = [i for i in siblings if ceph.osds[i].up and ceph.osds[i].is_in]
            guests = sum(moved[i] for i in siblings if i != index) / max(1, len(takers) - (index not in takers))
            own = 1.0 - moved[index] if osd.is_in else max(0.0, osd.misplaced.value(t) / held)
            share = own + (guests if index in takers else 0.0)
            gone = not osd.up and not osd.is_in
            busy = 2.0 if self._busy(ceph, t) else 0.0
            latency = 1.4 + 0.9 * noise + (index % 3) * 0.3 + busy * 4.0 + (18.0 if ceph.slow_ops else 0.0)
            states.append(
                OsdState(
                    up=osd.up,
                    is_in=osd.is_in,
                    weight=osd.weight if osd.is_in else 0.0,
                    size=0.0 if gone else OSD_BYTES,
                    used=0.0 if gone else float(round(nominal * self._weights[index] * share)),
                    latency_ms=float(round(max(0.0, latency))) if osd.up else 0.0,
                )
            )
        return tuple(states)

    @staticmethod
    def _busy(ceph: Ceph, t: float) -> bool:
        return any(o.missing.t0 <= t < o.missing.t1 and o.missing.v0 > o.missing.v1 for o in ceph.osds)

    def _pools(self, ceph: Ceph, osds: tuple[OsdState, ...], grown: float, t: float) -> tuple[PoolState, ...]:
        undersized, catching_up, remapped = self._affected(ceph, t)
        inactive = self._hosts_without(ceph) >= REPLICAS - 1
        sizes = [o for o in osds if o.is_in and o.size]
        # The fullest OSD decides how much a pool can still take.
        fullest = max((o.used / o.size for o in sizes), default=1.0)
        raw_left = max(0.0, sum(o.size for o in sizes) * (ceph.full_ratio - fullest))
        rates = self._recovery_rate(ceph, t)
        bytes_per_object = self._farm.stored_bytes / self._farm.objects
        pools: list[PoolState] = []
        for pool in self._farm.pools:
            stored = pool.stored_bytes * grown
            max_avail = raw_left / REPLICAS
            share = pool.objects / self._farm.objects
            states = _pg_states(pool.pgs, undersized, catching_up, remapped, inactive=inactive, recovering=rates > 0)
            if pool.id == _DATA_POOL and ceph.inconsistent:
                states["repair" if ceph.repairing else "inconsistent"] = ceph.inconsistent
                if ceph.repairing:
                    states["inconsistent"] = ceph.inconsistent
            if pool.id == _DATA_POOL and states["clean"] == pool.pgs:
                scrubbing = int(t / 240.0) % 3
                states["scrubbing"] = scrubbing
                states["deep"] = min(1, scrubbing)
            pools.append(
                PoolState(
                    stored=float(round(stored)),
                    objects=float(round(pool.objects * grown)),
                    max_avail=float(round(max_avail)),
                    percent_used=stored / (stored + max_avail) if stored + max_avail else 0.0,
                    states=states,
                    recovering_objects_per_s=float(round(rates * share)),
                    recovering_bytes_per_s=float(round(rates * share * bytes_per_object)),
                )
            )
        return tuple(pools)

    def _affected(self, ceph: Ceph, t: float) -> tuple[float, float, float]:
        """Shares of placement groups: undersized (a copy is missing), catching up from the log, remapped.

        A group has one copy on each of three hosts, so the chance that it meets one of some OSDs is one minus the
        product, over the hosts, of the chances that it does not.
        """
        held = copies_per_osd(self._farm)
        clear = [1.0, 1.0, 1.0]
        hosts = len(ceph.osds) // OSDS_PER_NODE
        # On more than three hosts a group has a copy on three of them only.
        spread = REPLICAS / hosts
        for host in range(hosts):
            parts = [0.0, 0.0, 0.0]
            for osd in ceph.osds[host * OSDS_PER_NODE : (host + 1) * OSDS_PER_NODE]:
                kind = 0 if not osd.up else 1
                parts[kind] += min(1.0, osd.missing.value(t) / held) if kind == 0 or osd.missing.value(t) else 0.0
                parts[2] += osd.misplaced.value(t) / held
            if parts[1]:
                # Every group of the OSD has something to catch up until it has caught up.
                parts[1] = min(1.0, max(parts[1] * 4.0, 0.05))
            for kind in range(3):
                clear[kind] *= 1.0 - min(1.0, spread * parts[kind] / OSDS_PER_NODE)
        return 1.0 - clear[0], 1.0 - clear[1], 1.0 - clear[2]

    @staticmethod
    def _hosts_without(ceph: Ceph) -> int:
        groups = [ceph.osds[i : i + OSDS_PER_NODE] for i in range(0, len(ceph.osds), OSDS_PER_NODE)]
        return sum(1 for group in groups if not any(osd.up for osd in group))

    def _recovery_rate(self, ceph: Ceph, t: float) -> float:
        """Object copies per second that are being made or moved."""
        noise = self._flows.noise("recovery", 20.0, 400.0).value(t)
        lines = [line for osd in ceph.osds for line in (osd.missing, osd.misplaced)]
        rate = sum((line.v0 - line.v1) / (line.t1 - line.t0) for line in lines if line.t0 <= t < line.t1)
        return min(rate, 3 * RECOVERY_OBJECTS_PER_S) * (1.0 + 0.3 * noise)

    def _checks(
        self, now: Condition, osds: tuple[OsdState, ...], degraded: float, pools: tuple[PoolState, ...]
    ) -> frozenset[str]:
        ceph, farm = now.ceph, self._farm
        daemons = [m.name for m in farm.tiers[STORAGE][:MONS]]
        living = [name for name in daemons if alive(now, farm, name)]
        fullness = {how_full(ceph, osd) for osd in osds}
        raised = {
            "OSD_DOWN": any(not o.up and o.is_in for o in ceph.osds),
            "OSD_HOST_DOWN": self._hosts_without(ceph) > 0 and any(not o.up and o.is_in for o in ceph.osds),
            "PG_DEGRADED": degraded >= 1.0,
            "PG_AVAILABILITY": any(pool.states["active"] < sum_of(pool) for pool in pools),
            "MON_DOWN": len(living) < len(daemons),
            "OSDMAP_FLAGS": bool(ceph.flags),
            "PG_DAMAGED": ceph.inconsistent > 0,
            "OSD_SCRUB_ERRORS": ceph.inconsistent > 0,
            "SLOW_OPS": ceph.slow_ops > 0,
            "OSD_FULL": FULL in fullness,
            "OSD_BACKFILLFULL": BACKFILLFULL in fullness,
            "OSD_NEARFULL": NEARFULL in fullness,
            # Every pool lies on every OSD: the fullest says how full they are.
            "POOL_FULL": FULL in fullness,
            "POOL_BACKFILLFULL": BACKFILLFULL in fullness and FULL not in fullness,
            "POOL_NEARFULL": fullness <= {NEARFULL, ""} and NEARFULL in fullness,
            "MDS_ALL_DOWN": not living,
            "FS_DEGRADED": not ceph.mds and bool(living),
            "MDS_INSUFFICIENT_STANDBY": len(living) == 1,
        }
        return frozenset(name for name, is_raised in raised.items() if is_raised)


FULL, BACKFILLFULL, NEARFULL = "full", "backfillfull", "nearfull"


def how_full(ceph: Ceph, osd: OsdState) -> str:
    """What the mons call an OSD of this fullness; empty where it has room."""
    used = osd.used / osd.size if osd.size else 0.0
    if used >= ceph.full_ratio:
        return FULL
    return BACKFILLFULL if used >= ceph.backfillfull_ratio else NEARFULL if used >= ceph.nearfull_ratio else ""


def sum_of(pool: PoolState) -> int:
    """All placement groups of a pool."""
    return pool.states["total"]


def _pg_states(
    pgs: int, undersized: float, catching_up: float, remapped: float, *, inactive: bool, recovering: bool
) -> dict[str, int]:
    small = _count(pgs, undersized)
    late = min(pgs - small, _count(pgs, catching_up))
    moving = min(pgs - small - late, _count(pgs, remapped))
    # osd_max_backfills 1: few groups move at a time, the others wait.
    backfilling = min(small + moving, max(1, pgs // 32)) if recovering and small + moving else 0
    return {
        "total": pgs,
        "active": 0 if inactive else pgs,
        "peered": pgs if inactive else 0,
        "clean": pgs - small - late - moving,
        "undersized": small,
        "degraded": small + late,
        "remapped": (small if recovering else 0) + moving,
        "backfilling": backfilling,
        "backfill_wait": (small if recovering else 0) + moving - backfilling if recovering else 0,
        "recovering": min(late, 2),
        "recovery_wait": max(0, late - 2),
    }


def _count(pgs: int, share: float) -> int:
    return min(pgs, max(1, round(pgs * share))) if share > 1e-4 else 0
