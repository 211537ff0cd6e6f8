"""mysqld_exporter on the Galera nodes: a dead database's series vanish, and only mysql_up stays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from farmtui.demo.exporters.series import Counter, Family, Gauge, Terms, named
from farmtui.demo.exporters.targets import Target, Targets
from farmtui.demo.promql.series import Series
from farmtui.demo.world.condition import Condition, Database
from farmtui.demo.world.signals import NOTHING, Mix, Presence, Signal
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.waves import ONE
from farmtui.demo.world.world import World

MAX_CONNECTIONS = 600
_STATUS = "mysql_global_status_"
_SEQNO_PER_S, _SEQNO_FROM = 260.0, 1.7e9
_WRITES, _WRITE_SET_BYTES = 0.06, 2_300.0
"""The share of queries that write, and the size of what one sends to the other nodes."""


class DatabaseExporter:
    """The metrics of all database nodes."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets

    def families(self) -> list[Family]:
        """All metrics of the exporter."""
        gauges: dict[str, Callable[[Condition, Database, float, str], float]] = {
            "wsrep_cluster_size": lambda now, db, _t, _n: float(now.members if db.state > 1 or now.primary else 1),
            "wsrep_local_state": lambda now, db, _t, _n: float(db.state if now.primary else 0),
            "wsrep_cluster_status": lambda now, _db, _t, _n: float(now.primary),
            "wsrep_ready": lambda now, db, _t, _n: float(now.primary and db.state in (2, 4)),
            "wsrep_connected": lambda _now, _db, _t, _n: 1.0,
            "wsrep_local_recv_queue": self._recv_queue,
            "threads_connected": self._connections,
            "wsrep_last_committed": self._last_committed,
            "max_used_connections": lambda _now, _db, _t, _n: 0.62 * MAX_CONNECTIONS,
        }
        families = [
            Family(
                f"{_STATUS}{name}",
                "unknown",
                "Generic metric from SHOW GLOBAL STATUS.",
                partial(self._gauges, name, read),
            )
            for name, read in gauges.items()
        ]
        counters: dict[str, Callable[[str], Terms]] = {
            "queries": lambda n: ((1.0, self._world.flows.database_queries(n)),),
            "slow_queries": lambda n: ((1.0, self._slow(n)),),
            "wsrep_flow_control_paused_ns": lambda n: ((1.0, self._paused(n)),),
            "wsrep_flow_control_sent": lambda n: ((1.0, self._asks(n)),),
            "wsrep_flow_control_recv": lambda _n: tuple((1.0, self._asks(node)) for node in self._nodes()),
            "wsrep_local_cert_failures": lambda n: ((1.0, self._failures(n)),),
            "wsrep_local_bf_aborts": lambda n: ((0.6, self._failures(n)),),
            "wsrep_received": lambda n: tuple((_WRITES, self._writes(node)) for node in self._nodes() if node != n),
            "wsrep_replicated": lambda n: ((_WRITES, self._writes(n)),),
            "wsrep_replicated_bytes": lambda n: ((_WRITES * _WRITE_SET_BYTES, self._writes(n)),),
            "aborted_connects": lambda n: ((2.0e-6, self._writes(n)),),
            "aborted_clients": lambda n: ((3.0e-5, self._writes(n)),),
            "innodb_buffer_pool_read_requests": lambda n: ((38.0, self._writes(n)),),
            "innodb_buffer_pool_reads": lambda n: ((0.19, self._writes(n)),),
        }
        families += [
            Family(
                f"{_STATUS}{name}",
                "unknown",
                "Generic metric from SHOW GLOBAL STATUS.",
                partial(self._counters, name, terms),
            )
            for name, terms in counters.items()
        ]
        families += [
            Family(f"{_STATUS}buffer_pool_pages", "gauge", "Innodb buffer pool pages by state.", self._pages),
            Family("mysql_up", "gauge", "Whether the MySQL server is up.", self._up),
            Family(
                "mysql_global_variables_max_connections",
                "gauge",
                "Generic gauge metric from SHOW GLOBAL VARIABLES.",
                self._max_connections,
            ),
        ]
        return families

    def _nodes(self) -> list[str]:
        return [target.machine.name for target in self._targets.of("mysql")]

    def _writes(self, node: str) -> Signal:
        return self._world.flows.database_queries(node)

    def _pages(self) -> list[Series]:
        """Of InnoDB's buffer pool, by state: it has filled up long ago."""
        pages = {"data": 2_900_000.0, "free": 8_192.0, "misc": 210_000.0, "old": 1_070_000.0}

        def held(count: float) -> Callable[[float], float]:
            return lambda _t: count

        return [
            Gauge(named(f"{_STATUS}buffer_pool_pages", {**t.labels, "state": state}), self._running(t), held(count))
            for t in self._targets.of("mysql")
            for state, count in pages.items()
        ]

    def _running(self, target: Target) -> Presence:
        name = target.machine.name

        def started(now: Condition) -> float | None:
            return now.databases[name].started if now.databases[name].running else None

        return self._targets.while_running(target, "mysql", started)

    def _gauges(self, name: str, read: Callable[[Condition, Database, float, str], float]) -> list[Series]:
        timeline = self._world.timeline

        def compute(node: str, t: float) -> float:
            now = timeline.at(t).condition
            return read(now, now.databases[node], t, node)

        return [
            Gauge(named(f"{_STATUS}{name}", t.labels), self._running(t), partial(compute, t.machine.name))
            for t in self._targets.of("mysql")
        ]

    def _counters(self, name: str, terms: Callable[[str], Terms]) -> list[Series]:
        return [
            Counter(named(f"{_STATUS}{name}", t.labels), self._running(t), terms(t.machine.name))
            for t in self._targets.of("mysql")
        ]

    def _up(self) -> list[Series]:
        def up(target: Target) -> Callable[[float], float]:
            running = self._running(target)
            return lambda t: 0.0 if running.since(t) is None else 1.0

        return [
            Gauge(named("mysql_up", t.labels), self._targets.answering(t), up(t)) for t in self._targets.of("mysql")
        ]

    def _max_connections(self) -> list[Series]:
        return [
            Gauge(
                named("mysql_global_variables_max_connections", t.labels),
                self._running(t),
                lambda _t: float(MAX_CONNECTIONS),
            )
            for t in self._targets.of("mysql")
        ]

    def _recv_queue(self, now: Condition, database: Database, t: float, node: str) -> float:
        noise = self._world.flows.noise(f"recv {node}", 20.0, 300.0).value(t)
        if database.paused:
            return float(round(60 + 400 * database.paused + 30 * noise))
        return float(max(0, round(3 * noise)))

    def _last_committed(self, now: Condition, database: Database, t: float, node: str) -> float:
        """The same number on every node, less what waits on this one to be applied."""
        return float(int(_SEQNO_PER_S * (t - _SEQNO_FROM)) - self._recv_queue(now, database, t, node))

    def _connections(self, now: Condition, database: Database, t: float, node: str) -> float:
        queries = self._world.flows.database_queries(node).value(t)
        # A slow database keeps its connections longer (Little's law).
        return float(min(MAX_CONNECTIONS, 12 + round(queries * 0.045 * now.slow_queries**1.3)))

    def _slow(self, node: str) -> Signal:
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            slower = epoch.condition.slow_queries
            return Mix((0.00004 * slower**4, flows.database_queries(node)))

        return flows.signal("slow queries", mix, node)

    def _paused(self, node: str) -> Signal:
        """Nanoseconds per second for which replication is paused: the same on every node, whichever is slow."""
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            paused = max(database.paused for database in epoch.condition.databases.values())
            quiet = Mix((8.0e5, ONE), (7.5e5, flows.noise(f"flow control {node}")))
            return (
                quiet + Mix((paused * 1e9, ONE), (paused * 2e8, flows.noise(f"flow control {node}")))
                if paused
                else quiet
            )

        return flows.signal("paused", mix, node)

    def _asks(self, node: str) -> Signal:
        """How often a node asks the others to wait for it; measured on a real cluster: six times a second at most."""
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            paused = epoch.condition.databases[node].paused
            return Mix((6.0 * paused, ONE)) if paused else NOTHING

        return flows.signal("flow control asks", mix, node)

    def _failures(self, node: str) -> Signal:
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            paused = epoch.condition.databases[node].paused
            queries = flows.database_queries(node)
            return Mix((2.0e-6 + 4.0e-4 * paused, queries)) if epoch.condition.databases[node].state else NOTHING

        return flows.signal("certification failures", mix, node)
