"""The cache nodes: varnish_exporter and redis_exporter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from farmtui.demo.exporters.series import Counter, Family, Gauge, Terms, named
from farmtui.demo.exporters.targets import Target, Targets, boot_time
from farmtui.demo.promql.series import Series
from farmtui.demo.world.changes import alive, reachable
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.flows import HITMISS, REDIS_MISS
from farmtui.demo.world.inventory import APP, GIB
from farmtui.demo.world.service_changes import REDIS_BYTES, REDIS_HELD
from farmtui.demo.world.settling import REDIS
from farmtui.demo.world.signals import NOTHING, Mix, Presence, Signal
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.world import World

STORAGE_BYTES = 20 * GIB
_OBJECT_BYTES = 46_000.0
_BACKENDS = 40
"""Backends at most that each Varnish has: a larger farm puts balancers between."""


class VarnishExporter:
    """The metrics of all Varnishes."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets

    def families(self) -> list[Family]:
        """All metrics of the exporter."""
        counters: dict[str, tuple[str, Callable[[str], Terms]]] = {
            "varnish_main_client_req": ("Good client requests received", lambda n: self._of(n, self._requests)),
            "varnish_main_cache_hit": ("Cache hits", lambda n: self._of(n, self._world.flows.hit)),
            "varnish_main_cache_miss": ("Cache misses", lambda n: self._of(n, self._world.flows.miss)),
            "varnish_main_cache_hitmiss": (
                "Cache hits for miss",
                lambda n: ((HITMISS, self._world.flows.miss(n)),),
            ),
            "varnish_main_s_pass": ("Total pass-ed requests seen", lambda n: self._of(n, self._world.flows.passed)),
            "varnish_main_n_lru_nuked": ("Number of LRU nuked objects", lambda n: ((1.0, self._evictions(n)),)),
            "varnish_main_backend_req": (
                "Backend requests made",
                lambda n: ((1.0, self._world.flows.miss(n)), (1.0, self._world.flows.passed(n))),
            ),
            "varnish_main_backend_fail": ("Backend conn. failures", lambda n: ((1.0, self._failures(n)),)),
        }
        gauges: dict[str, tuple[str, Callable[[str], Callable[[float], float]]]] = {
            "varnish_main_n_object": ("object structs made", self._objects),
            "varnish_main_threads": ("Total number of threads", self._threads),
            "varnish_main_thread_queue_len": ("Length of session queue", self._queue),
            "varnish_main_uptime": ("Child process uptime", self._uptime),
        }
        families = [
            Family(name, "counter", text, partial(self._counters, name, terms))
            for name, (text, terms) in counters.items()
        ]
        families += [
            # A time since the start is a counter for the exporter, as Varnish has it.
            Family(name, "counter" if name.endswith("uptime") else "gauge", text, partial(self._gauges, name, compute))
            for name, (text, compute) in gauges.items()
        ]
        families += [
            Family("varnish_up", "gauge", "Was the last scrape of varnish successful.", self._up),
            Family("varnish_main_sessions", "counter", "Number of sessions", self._sessions),
            Family("varnish_mgt_child_died", "counter", "Child process died (signal)", self._deaths),
            Family("varnish_sma_g_bytes", "gauge", "Bytes outstanding", partial(self._storage, "varnish_sma_g_bytes")),
            Family("varnish_sma_g_space", "gauge", "Bytes available", partial(self._storage, "varnish_sma_g_space")),
            Family("varnish_backend_up", "gauge", "Backend up as per the latest health probe", self._backends),
        ]
        return families

    # -- presences

    def _child(self, target: Target) -> Presence:
        """While the child runs; its counters begin anew when it is restarted."""
        name = target.machine.name

        def started(now: Condition) -> float | None:
            varnish = now.varnish[name]
            return varnish.started if varnish.running else None

        return self._targets.while_running(target, "varnish", started)

    # -- signals

    def _requests(self, node: str) -> Signal:
        return self._world.flows.cache_requests(node)

    @staticmethod
    def _of(node: str, part: Callable[[str], Signal]) -> Terms:
        return ((1.0, part(node)),)

    def _evictions(self, node: str) -> Signal:
        """A full storage throws out an object for most of those that it takes in."""
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            return Mix((0.62, flows.miss(node))) if epoch.condition.varnish[node].evicting else NOTHING

        return flows.signal("evictions", mix, node)

    def _failures(self, node: str) -> Signal:
        """Backend connections that fail: all while nobody can be reached, and of a dead worker's until it is sick."""
        flows, farm = self._world.flows, self._world.farm

        def mix(epoch: Epoch) -> Mix:
            now = epoch.condition
            workers = farm.tiers[APP]
            dead = sum(1 for m in workers if not reachable(now, farm, m.name)) / len(workers)
            share = 1.0 if now.cut else 0.02 * dead
            asked = flows.miss(node), flows.passed(node)
            return Mix(*((share, part) for part in asked)) if share else NOTHING

        return flows.signal("backend failures", mix, node)

    # -- series

    def _counters(self, name: str, terms: Callable[[str], Terms]) -> list[Series]:
        return [
            Counter(named(name, t.labels), self._child(t), terms(t.machine.name)) for t in self._targets.of("varnish")
        ]

    def _gauges(self, name: str, compute: Callable[[str], Callable[[float], float]]) -> list[Series]:
        return [
            Gauge(named(name, t.labels), self._child(t), compute(t.machine.name)) for t in self._targets.of("varnish")
        ]

    def _up(self) -> list[Series]:
        timeline = self._world.timeline

        def up(node: str) -> Callable[[float], float]:
            return lambda t: float(timeline.at(t).condition.varnish[node].running)

        return [
            Gauge(named("varnish_up", t.labels), self._targets.answering(t), up(t.machine.name))
            for t in self._targets.of("varnish")
        ]

    def _sessions(self) -> list[Series]:
        flows = self._world.flows
        nothing = flows.signal("nothing", lambda _e: NOTHING)
        series: list[Series] = []
        for target in self._targets.of("varnish"):
            requests = self._requests(target.machine.name)
            # Traefik keeps its connections: a session carries some forty requests.
            for kind, terms in (
                ("conn", ((0.025, requests),)),
                ("dropped", ((1.0, nothing),)),
                ("queued", ((1e-4, requests),)),
            ):
                labels = named("varnish_main_sessions", target.labels, type=kind)
                series.append(Counter(labels, self._child(target), terms))
        return series

    def _deaths(self) -> list[Series]:
        timeline = self._world.timeline

        def deaths(node: str) -> Callable[[float], float]:
            return lambda t: float(timeline.at(t).condition.varnish[node].deaths)

        return [
            Gauge(named("varnish_mgt_child_died", t.labels), self._targets.answering(t), deaths(t.machine.name))
            for t in self._targets.of("varnish")
        ]

    def _fill(self, node: str, t: float) -> float:
        noise = self._world.flows.noise(f"fill {node}", 120.0, 2_400.0).value(t)
        return max(0.0, min(0.999, self._world.timeline.at(t).condition.varnish[node].fill.value(t) + 0.01 * noise))

    def _storage(self, name: str) -> list[Series]:
        def amount(node: str) -> Callable[[float], float]:
            if name.endswith("_bytes"):
                return lambda t: float(round(STORAGE_BYTES * self._fill(node, t)))
            return lambda t: STORAGE_BYTES - float(round(STORAGE_BYTES * self._fill(node, t)))

        series: list[Series] = []
        for target in self._targets.of("varnish"):
            present = self._child(target)
            series.append(Gauge(named(name, target.labels, type="s0"), present, amount(target.machine.name)))
            transient = 0.0 if name.endswith("space") else 4.1e6
            series.append(
                Gauge(named(name, target.labels, type="transient"), present, lambda _t, v=transient: v)  # type: ignore[misc]
            )
        return series

    def _objects(self, node: str) -> Callable[[float], float]:
        return lambda t: float(round(STORAGE_BYTES * self._fill(node, t) / _OBJECT_BYTES))

    def _threads(self, node: str) -> Callable[[float], float]:
        requests = self._requests(node)
        return lambda t: float(max(200, round(200 + 0.35 * (requests.value(t) - 180.0))))

    def _queue(self, node: str) -> Callable[[float], float]:
        timeline = self._world.timeline
        # Requests wait for a thread only where the backends hold all threads up.
        return lambda t: 34.0 if timeline.at(t).condition.cut else 0.0

    def _uptime(self, node: str) -> Callable[[float], float]:
        timeline = self._world.timeline
        return lambda t: float(round(t - timeline.at(t).condition.varnish[node].started))

    def _backends(self) -> list[Series]:
        world = self._world

        def healthy(worker: str) -> Callable[[float], float]:
            return lambda t: float(reachable(world.timeline.at(t).condition, world.farm, worker))

        return [
            Gauge(
                named("varnish_backend_up", t.labels, backend=worker.name.replace("-", "_"), server="unknown"),
                self._child(t),
                healthy(worker.name),
            )
            for t in self._targets.of("varnish")
            for worker in world.farm.tiers[APP][:_BACKENDS]
        ]


class RedisExporter:
    """The metrics of all Redis instances."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets

    def families(self) -> list[Family]:
        """All metrics of the exporter."""
        timeline, flows = self._world.timeline, self._world.flows
        gauges: dict[str, tuple[str, Callable[[str], Callable[[float], float]]]] = {
            "redis_up": (
                "Information about the Redis instance",
                lambda n: lambda t: float((n, REDIS) not in timeline.at(t).condition.stopped_units),
            ),
            "redis_memory_used_bytes": ("memory_used_bytes metric", self._memory),
            "redis_memory_max_bytes": (
                "memory_max_bytes metric",
                lambda n: lambda t: timeline.at(t).condition.redis_limits.get(n, REDIS_BYTES),
            ),
            "redis_connected_clients": ("connected_clients metric", self._clients),
            "redis_uptime_in_seconds": (
                "uptime_in_seconds metric",
                lambda n: (
                    lambda t: float(round(t - timeline.at(t).condition.booted.get(n, boot_time(self._world, n)) - 40.0))
                ),
            ),
        }
        counters: dict[str, tuple[str, Callable[[str], Terms]]] = {
            "redis_commands_processed_total": (
                "commands_processed_total metric",
                lambda n: ((1.0, flows.redis_commands(n)),),
            ),
            "redis_keyspace_hits_total": ("keyspace_hits_total metric", lambda n: ((1.0, self._lookups(n, hit=True)),)),
            "redis_keyspace_misses_total": (
                "keyspace_misses_total metric",
                lambda n: ((1.0, self._lookups(n, hit=False)),),
            ),
            "redis_evicted_keys_total": ("evicted_keys_total metric", lambda n: ((1.0, self._evictions(n)),)),
        }
        families = [
            # A time since the start is a counter for the exporter, as Varnish has it.
            Family(name, "counter" if name.endswith("uptime") else "gauge", text, partial(self._gauges, name, compute))
            for name, (text, compute) in gauges.items()
        ]
        families += [
            Family(name, "counter", text, partial(self._counters, name, terms))
            for name, (text, terms) in counters.items()
        ]
        families.append(Family("redis_instance_info", "gauge", "Information about the Redis instance", self._info))
        return families

    def _gauges(self, name: str, compute: Callable[[str], Callable[[float], float]]) -> list[Series]:
        return [
            Gauge(named(name, t.labels), self._targets.answering(t), compute(t.machine.name))
            for t in self._targets.of("redis")
        ]

    def _counters(self, name: str, terms: Callable[[str], Terms]) -> list[Series]:
        return [
            Counter(named(name, t.labels), self._targets.answering(t), terms(t.machine.name))
            for t in self._targets.of("redis")
        ]

    def _lookups(self, node: str, *, hit: bool) -> Signal:
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            missing = 0.16 if node in epoch.condition.redis_full else REDIS_MISS
            share = 1.0 - missing if hit else missing
            noise = 0.004 * (-1.0 if hit else 1.0) * flows.mean_demand
            return Mix((0.62 * share, flows.redis_commands(node)), (0.1 * noise, flows.noise(f"redis {node}")))

        return flows.signal("redis hits" if hit else "redis misses", mix, node)

    def _evictions(self, node: str) -> Signal:
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            return Mix((0.012, flows.redis_commands(node))) if node in epoch.condition.redis_full else NOTHING

        return flows.signal("redis evictions", mix, node)

    def _memory(self, node: str) -> Callable[[float], float]:
        timeline, noise = self._world.timeline, self._world.flows.noise(f"redis memory {node}", 200.0, 7_200.0)

        def used(t: float) -> float:
            now = timeline.at(t).condition
            if node in now.redis_full:
                return float(round(0.996 * now.redis_limits.get(node, REDIS_BYTES)))
            fill = now.redis_fill[node].value(t) if node in now.redis_fill else 1.0
            return float(round(REDIS_BYTES * fill * (REDIS_HELD + 0.02 * noise.value(t) * min(1.0, fill))))

        return used

    def _clients(self, node: str) -> Callable[[float], float]:
        world = self._world

        def clients(t: float) -> float:
            now = world.timeline.at(t).condition
            if now.cut:
                return 1.0
            workers = sum(1 for m in world.farm.tiers[APP] if alive(now, world.farm, m.name))
            return float(round(workers * 14 * world.flows.redis_share(now, node) + 6))

        return clients

    def _info(self) -> list[Series]:
        timeline = self._world.timeline

        def role_is(node: str, role: str) -> Callable[[float], float | None]:
            def value(t: float) -> float | None:
                master = timeline.at(t).condition.redis_master == node
                return 1.0 if master is (role == "master") else None

            return value

        return [
            Gauge(
                named(
                    "redis_instance_info",
                    t.labels,
                    maxmemory_policy="allkeys-lru",
                    os="Linux 6.12.48+deb13-cloud-amd64 x86_64",
                    process_id="812",
                    redis_build_id="ae4d7c971a948f0",
                    redis_mode="standalone",
                    redis_version="7.0.15",
                    role=role,
                    run_id=f"{sum(map(ord, t.machine.name)):040x}",
                    tcp_port="6379",
                ),
                self._targets.answering(t),
                role_is(t.machine.name, role),
            )
            for t in self._targets.of("redis")
            for role in ("master", "slave")
        ]
