"""The prometheus module of the active Ceph mgr: a standby mgr answers 200 and nothing.

Without quorum the active one goes on with what the mons told it last; only what daemons count themselves is of now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from farmtui.demo.exporters.series import Counter, Family, Gauge, named
from farmtui.demo.exporters.targets import Target, Targets
from farmtui.demo.promql.series import Series
from farmtui.demo.world.ceph_state import CHECKS, CephModel, CephState
from farmtui.demo.world.changes import alive
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import MONS, STORAGE, Machine
from farmtui.demo.world.signals import Presence, Signal
from farmtui.demo.world.world import World

VERSION = "ceph version 16.2.15 (618f440892089921c3e944a991122ddc44e60516) pacific (stable)"
PG_STATES = [
    "active",
    "activating",
    "backfill_toofull",
    "backfill_unfound",
    "backfill_wait",
    "backfilling",
    "clean",
    "creating",
    "deep",
    "degraded",
    "down",
    "failed_repair",
    "forced_backfill",
    "forced_recovery",
    "incomplete",
    "inconsistent",
    "laggy",
    "peered",
    "peering",
    "premerge",
    "recovering",
    "recovery_toofull",
    "recovery_unfound",
    "recovery_wait",
    "remapped",
    "repair",
    "scrubbing",
    "snaptrim",
    "snaptrim_error",
    "snaptrim_wait",
    "stale",
    "total",
    "undersized",
    "unknown",
    "wait",
]
FLAGS = ["nobackfill", "nodeep_scrub", "nodown", "noin", "noout", "norebalance", "norecover", "noscrub", "noup"]

Compute = Callable[[float], float | None]


class CephExporter:
    """The metrics of whichever mgr is active."""

    def __init__(self, world: World, targets: Targets, model: CephModel) -> None:
        self._world = world
        self._targets = targets
        self._model = model
        self._daemons: Sequence[Machine] = world.farm.tiers[STORAGE][:MONS]

    def families(self) -> list[Family]:
        """All metrics of the module."""
        families: list[Family] = []

        def add(kind: str, name: str, text: str, rows: Callable[[], list[tuple[dict[str, str], Compute]]]) -> None:
            families.append(Family(name, kind, text, lambda: self._gauges(name, rows())))

        # What the module calls untyped, Prometheus calls unknown.
        gauge, untyped = partial(add, "gauge"), partial(add, "unknown")
        untyped("ceph_health_status", "Cluster health status", partial(self._single, lambda s: float(s.health)))
        gauge("ceph_health_detail", "healthcheck status by type (0=inactive, 1=active)", self._checks)
        gauge("ceph_mon_quorum_status", "Monitors in quorum", self._quorum)
        untyped("ceph_mon_metadata", "MON Metadata", self._mon_metadata)
        gauge("ceph_mgr_status", "MGR status (0=standby, 1=active)", self._mgr_status)
        gauge("ceph_mgr_metadata", "MGR metadata", self._mgr_metadata)
        untyped("ceph_mds_metadata", "MDS Metadata", self._mds_metadata)
        gauge("ceph_mds_sessions_session_count", "Session count", self._mds_sessions)
        untyped("ceph_fs_metadata", "FS Metadata", self._fs_metadata)
        untyped("ceph_rgw_metadata", "RGW Metadata", self._rgw_metadata)
        untyped("ceph_osd_metadata", "OSD Metadata", self._osd_metadata)
        untyped("ceph_osd_up", "OSD status up", lambda: self._per_osd(lambda s, i: float(s.osds[i].up)))
        untyped("ceph_osd_in", "OSD status in", lambda: self._per_osd(lambda s, i: float(s.osds[i].is_in)))
        untyped("ceph_osd_weight", "OSD status weight", lambda: self._per_osd(lambda s, i: s.osds[i].weight))
        gauge("ceph_osd_stat_bytes", "OSD size", lambda: self._per_osd(lambda s, i: s.osds[i].size))
        gauge("ceph_osd_stat_bytes_used", "Used space", lambda: self._per_osd(lambda s, i: s.osds[i].used))
        for latency in ("apply", "commit"):
            gauge(
                f"ceph_osd_{latency}_latency_ms",
                f"OSD stat {latency}_latency_ms",
                lambda: self._measured(lambda s, i: s.osds[i].latency_ms),
            )
        for flag in FLAGS:
            untyped(f"ceph_osd_flag_{flag}", f"OSD Flag {flag}", partial(self._flag, flag))
        for state in PG_STATES:
            gauge(
                f"ceph_pg_{state}",
                f"PG {state} per pool",
                partial(self._pgs, state),
            )
        for name, text, read in _CLUSTER:
            gauge(name, text, partial(self._single, read))
        for name, text, read_pool in _POOL:
            gauge(name, text, partial(self._per_pool, read_pool))
        untyped("ceph_pool_metadata", "POOL Metadata", self._pool_metadata)
        gauge("ceph_pool_quota_bytes", "DF pool quota_bytes", self._quotas)
        gauge("ceph_daemon_health_metrics", "Health metrics for Ceph daemons", self._daemon_health)
        families += [
            Family("ceph_paxos_commit", "counter", "Commits", self._commits),
            Family("ceph_mds_server_handle_client_session", "counter", "Client session messages", self._messages),
        ]
        for kind in ("rd", "wr", "rd_bytes", "wr_bytes"):
            name = f"ceph_pool_{kind}"
            families.append(
                Family(name, "counter", f"DF pool {kind}", lambda kind=kind: self._operations(kind))  # type: ignore[misc]
            )
        return families

    # -- how series are made

    def _active(self, target: Target) -> Presence:
        world = self._world
        return self._targets.while_running(
            target, "mgr", lambda now: world.origin - 3e6 if now.ceph.mgr == target.machine.name else None
        )

    def _gauges(self, name: str, rows: list[tuple[dict[str, str], Compute]]) -> list[Series]:
        return [
            Gauge(named(name, target.labels, **extra), self._active(target), compute)
            for target in self._targets.of("ceph")
            for extra, compute in rows
        ]

    def _operations(self, kind: str) -> list[Series]:
        return [
            Counter(
                named(f"ceph_pool_{kind}", target.labels, pool_id=str(pool.id)),
                self._active(target),
                ((1.0, self._model.operations(pool, kind)),),
            )
            for target in self._targets.of("ceph")
            for pool in self._world.farm.pools
        ]

    def _commits(self) -> list[Series]:
        return self._counters("ceph_paxos_commit", "mon", self._model.commits)

    def _messages(self) -> list[Series]:
        return self._counters("ceph_mds_server_handle_client_session", "mds", self._model.session_messages)

    def _counters(self, name: str, kind: str, signal: Callable[[str], Signal]) -> list[Series]:
        return [
            Counter(
                named(name, target.labels, ceph_daemon=f"{kind}.{machine.name}"),
                self._active(target),
                ((1.0, signal(machine.name)),),
            )
            for target in self._targets.of("ceph")
            for machine in self._daemons
        ]

    def _cluster(self, read: Callable[[CephState], float]) -> Compute:
        return lambda t: read(self._model.state(self._model.told_at(t)))

    def _now(self, t: float) -> Condition:
        """The condition as the mons told it last."""
        return self._world.timeline.at(self._model.told_at(t)).condition

    def _measured(self, read: Callable[[CephState, int], float]) -> list[tuple[dict[str, str], Compute]]:
        """What is told of each OSD whether or not there is a quorum, and though it is down and out."""
        return [
            ({"ceph_daemon": f"osd.{i}"}, lambda t, i=i: read(self._model.state(t), i))  # type: ignore[misc]
            for i in range(len(self._world.farm.osd_hosts))
        ]

    def _unless_gone(self, osd: int, read: Callable[[CephState], float]) -> Compute:
        """Nothing of an OSD that is down and out: the mgr forgets its daemon then."""

        def value(t: float) -> float | None:
            state = self._model.state(self._model.told_at(t))
            return read(state) if state.osds[osd].up or state.osds[osd].is_in else None

        return value

    def _per_osd(self, read: Callable[[CephState, int], float]) -> list[tuple[dict[str, str], Compute]]:
        return [
            ({"ceph_daemon": f"osd.{i}"}, self._unless_gone(i, lambda s, i=i: read(s, i)))  # type: ignore[misc]
            for i in range(len(self._world.farm.osd_hosts))
        ]

    def _single(self, read: Callable[[CephState], float]) -> list[tuple[dict[str, str], Compute]]:
        return [({}, self._cluster(read))]

    def _pgs(self, state: str) -> list[tuple[dict[str, str], Compute]]:
        return self._per_pool(lambda s, i: float(s.pools[i].states.get(state, 0)))

    def _per_pool(self, read: Callable[[CephState, int], float]) -> list[tuple[dict[str, str], Compute]]:
        return [
            ({"pool_id": str(pool.id)}, self._cluster(lambda s, i=i: read(s, i)))  # type: ignore[misc]
            for i, pool in enumerate(self._world.farm.pools)
        ]

    def _per_daemon(
        self, kind: str, compute: Callable[[Machine], Compute], **extra: str
    ) -> list[tuple[dict[str, str], Compute]]:
        return [
            ({"ceph_daemon": f"{kind}.{m.name}", "hostname": m.name, "ceph_version": VERSION, **extra}, compute(m))
            for m in self._daemons
        ]

    def _while_alive(self, machine: Machine) -> Compute:
        return lambda t: 1.0 if alive(self._now(t), self._world.farm, machine.name) else None

    # -- rows

    def _checks(self) -> list[tuple[dict[str, str], Compute]]:
        return [
            ({"name": name, "severity": severity}, self._cluster(lambda s, name=name: float(name in s.checks)))  # type: ignore[misc]
            for name, severity in CHECKS.items()
        ]

    def _daemon_health(self) -> list[tuple[dict[str, str], Compute]]:
        """By type and daemon; slow operations wait in the first two OSDs."""
        mons = [f"mon.{m.name}" for m in self._daemons]
        osds = [f"osd.{i}" for i in range(len(self._world.farm.osd_hosts))]

        def slow(share: int) -> Compute:
            return self._cluster(lambda s: float((s.slow_ops + 1 - share) // 2) if share < 2 else 0.0)

        shares = {**dict.fromkeys(mons, 2), **{osd: min(i, 2) for i, osd in enumerate(osds)}}
        return [
            *(({"type": "SLOW_OPS", "ceph_daemon": name}, slow(share)) for name, share in shares.items()),
            *(({"type": "PENDING_CREATING_PGS", "ceph_daemon": name}, lambda _t: 0.0) for name in osds),
        ]

    def _quorum(self) -> list[tuple[dict[str, str], Compute]]:
        return [
            (
                {"ceph_daemon": f"mon.{m.name}"},
                lambda t, m=m: float(alive(self._now(t), self._world.farm, m.name)),  # type: ignore[misc]
            )
            for m in self._daemons
        ]

    def _mon_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        rows = self._per_daemon("mon", lambda _m: lambda _t: 1.0)
        return [
            ({**labels, "public_addr": m.address, "rank": str(rank)}, compute)
            for rank, (m, (labels, compute)) in enumerate(zip(self._daemons, rows, strict=True))
        ]

    def _mgr_status(self) -> list[tuple[dict[str, str], Compute]]:
        def status(machine: Machine) -> Compute:
            here = self._while_alive(machine)

            def value(t: float) -> float | None:
                return None if here(t) is None else float(self._now(t).ceph.mgr == machine.name)

            return value

        return [({"ceph_daemon": f"mgr.{m.name}"}, status(m)) for m in self._daemons]

    def _mgr_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        return self._per_daemon("mgr", self._while_alive)

    def _mds_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        rows: list[tuple[dict[str, str], Compute]] = []
        for machine in self._daemons:
            here = self._while_alive(machine)
            for active in (True, False):

                def value(t: float, here: Compute = here, m: Machine = machine, active: bool = active) -> float | None:
                    is_active = self._now(t).ceph.mds == m.name
                    return here(t) if is_active is active else None

                labels = {
                    "ceph_daemon": f"mds.{machine.name}",
                    "ceph_version": VERSION,
                    "fs_id": "1" if active else "-1",
                    "hostname": machine.name,
                    "public_addr": f"{machine.address}:6800/1359871539",
                    "rank": "0" if active else "-1",
                }
                rows.append((labels, value))
        return rows

    def _mds_sessions(self) -> list[tuple[dict[str, str], Compute]]:
        clients = self._model.clients
        return [
            (
                {"ceph_daemon": f"mds.{m.name}"},
                lambda t, m=m: clients if self._now(t).ceph.mds == m.name else None,  # type: ignore[misc]
            )
            for m in self._daemons
        ]

    def _fs_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        return [({"data_pools": "3", "fs_id": "1", "metadata_pool": "2", "name": "cephfs"}, lambda _t: 1.0)]

    def _rgw_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        rows = self._per_daemon("rgw", self._while_alive)[:2]
        return [({**labels, "instance_id": str(4139 + 37 * i)}, compute) for i, (labels, compute) in enumerate(rows)]

    def _osd_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        farm = self._world.farm
        return [
            (
                {
                    "back_iface": "eth1",
                    "ceph_daemon": f"osd.{i}",
                    "ceph_version": VERSION,
                    "cluster_addr": farm.by_name[host].address.replace("10.20.", "10.21.", 1),
                    "device_class": "ssd",
                    "front_iface": "eth0",
                    "hostname": host,
                    "objectstore": "bluestore",
                    "public_addr": farm.by_name[host].address,
                },
                self._unless_gone(i, lambda _s: 1.0),
            )
            for i, host in enumerate(farm.osd_hosts)
        ]

    def _flag(self, flag: str) -> list[tuple[dict[str, str], Compute]]:
        spelled = flag.replace("_", "-")
        return [({}, lambda t: float(spelled in self._now(t).ceph.flags))]

    def _pool_metadata(self) -> list[tuple[dict[str, str], Compute]]:
        return [
            (
                {
                    "compression_mode": "none",
                    "description": "replica:3",
                    "name": pool.name,
                    "pool_id": str(pool.id),
                    "type": "replicated",
                },
                lambda _t: 1.0,
            )
            for pool in self._world.farm.pools
        ]

    def _quotas(self) -> list[tuple[dict[str, str], Compute]]:
        return [({"pool_id": str(pool.id)}, partial(_constant, pool.quota_bytes)) for pool in self._world.farm.pools]


def _constant(value: float, _t: float) -> float:
    return value


_CLUSTER: tuple[tuple[str, str, Callable[[CephState], float]], ...] = (
    ("ceph_cluster_total_bytes", "DF total_bytes", lambda s: s.total_bytes),
    ("ceph_cluster_total_used_bytes", "DF total_used_bytes", lambda s: s.used_bytes),
    ("ceph_cluster_total_used_raw_bytes", "DF total_used_raw_bytes", lambda s: s.used_bytes),
    ("ceph_num_objects_degraded", "Number of degraded objects", lambda s: s.degraded),
    ("ceph_num_objects_misplaced", "Number of misplaced objects", lambda s: s.misplaced),
    ("ceph_num_objects_unfound", "Number of unfound objects", lambda _s: 0.0),
    ("ceph_healthcheck_slow_ops", "OSD or Monitor requests taking a long time to process", lambda s: float(s.slow_ops)),
)
_POOL: tuple[tuple[str, str, Callable[[CephState, int], float]], ...] = (
    ("ceph_pool_stored", "DF pool stored", lambda s, i: s.pools[i].stored),
    ("ceph_pool_stored_raw", "DF pool stored_raw", lambda s, i: s.pools[i].stored * 3),
    ("ceph_pool_bytes_used", "DF pool bytes_used", lambda s, i: s.pools[i].stored * 3),
    ("ceph_pool_objects", "DF pool objects", lambda s, i: s.pools[i].objects),
    ("ceph_pool_max_avail", "DF pool max_avail", lambda s, i: s.pools[i].max_avail),
    ("ceph_pool_percent_used", "DF pool percent_used", lambda s, i: s.pools[i].percent_used),
    (
        "ceph_pool_recovering_objects_per_sec",
        "OSD pool stats: recovering_objects_per_sec",
        lambda s, i: s.pools[i].recovering_objects_per_s,
    ),
    (
        "ceph_pool_recovering_bytes_per_sec",
        "OSD pool stats: recovering_bytes_per_sec",
        lambda s, i: s.pools[i].recovering_bytes_per_s,
    ),
)
