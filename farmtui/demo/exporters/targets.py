"""What Prometheus scrapes: one target per exporter and machine, and whether each answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from farmtui.demo.exporters.series import Family, Gauge, named
from farmtui.demo.promql.series import Labels, Series
from farmtui.demo.world.changes import alive, reachable
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import (
    APP,
    CACHE,
    DATABASE,
    EDGE,
    HYPERVISOR,
    MONITORING,
    MONS,
    STORAGE,
    Inventory,
    Machine,
    PveHost,
    Size,
)
from farmtui.demo.world.signals import Presence
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.world import World

INTERCONNECT = "interconnect"
CLOUD_API = "cloud-api"
CACHE_NET = "cache-net"
SMOKEPING = "smokeping"
WIREGUARD = "wireguard"
PVE = "pve"
_DAY = 86_400.0


@dataclass(frozen=True)
class Target:
    """One scrape target. `labels` are what every series of it carries."""

    job: str
    instance: str
    machine: Machine
    path: str = "/metrics"
    labels: Labels = field(default_factory=dict)
    through: str = ""
    """The exporter that looks at it from elsewhere, host and port; empty where its instance is asked itself."""


class Targets:
    """All scrape targets of the farm, with the presences that their series share."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: tuple[Target, ...] = tuple(_targets(world.farm))
        self._presences: dict[tuple[str, str], Presence] = {}

    def of(self, job: str) -> list[Target]:
        """The targets of one job."""
        return [target for target in self.all if target.job == job]

    def answering(self, target: Target) -> Presence:
        """When a target answers; its exporter starts when its machine boots."""
        machine = target.machine
        boot = boot_time(self.world, machine.name)

        def since(epoch: Epoch) -> float | None:
            now = epoch.condition
            if not reachable(now, self.world.farm, machine.name):
                return None
            return now.booted.get(machine.name, boot)

        return self._presence(("answering", machine.name), since)

    def while_running(self, target: Target, kind: str, started: Callable[[Condition], float | None]) -> Presence:
        """When a target answers and the daemon behind it runs; `started` gives the daemon's start, or None."""
        machine = target.machine

        def since(epoch: Epoch) -> float | None:
            now = epoch.condition
            return started(now) if reachable(now, self.world.farm, machine.name) else None

        return self._presence((kind, machine.name), since)

    def always(self) -> Presence:
        """From the world's origin on, whatever happens."""
        return self._presence(("always", ""), lambda _epoch: self.world.origin)

    def _presence(self, key: tuple[str, str], since: Callable[[Epoch], float | None]) -> Presence:
        known = self._presences.get(key)
        if known is None:
            known = self._presences[key] = Presence(self.world.timeline, since)
        return known

    def families(self) -> list[Family]:
        """`up` and what Prometheus adds itself to every scrape."""
        return [
            Family("up", "gauge", "Whether the last scrape succeeded.", self._up),
            Family("scrape_duration_seconds", "gauge", "Duration of the last scrape.", self._durations),
        ]

    def _up(self) -> list[Series]:
        return [Gauge(named("up", t.labels), self.always(), self._answers(t)) for t in self.all]

    def _answers(self, target: Target) -> Callable[[float], float]:
        answering = self.answering(target)
        return lambda t: 0.0 if answering.since(t) is None else 1.0

    def _durations(self) -> list[Series]:
        def duration(target: Target) -> Callable[[float], float]:
            answering = self.answering(target)
            return lambda t: 4.0 if answering.since(t) is None else 0.012

        return [Gauge(named("scrape_duration_seconds", t.labels), self.always(), duration(t)) for t in self.all]


def boot_time(world: World, name: str) -> float:
    """When a machine has booted before the world's origin: 9 to 120 days, the same for the same seed."""
    return world.origin - (9.0 + sum(map(ord, f"{world.seed}{name}")) * 7 % 111) * _DAY


def down_reason(now: Condition, farm: Inventory, target: Target) -> str:
    """What Prometheus says of a target that does not answer; empty when it does."""
    machine, address = target.machine, target.instance
    if reachable(now, farm, machine.name):
        return ""
    if target.through:
        return "server returned HTTP status 500 Internal Server Error"
    if not alive(now, farm, machine.name):
        return f'Get "http://{address}/metrics": dial tcp {address}: connect: no route to host'
    return f'Get "http://{address}/metrics": context deadline exceeded'


def _targets(farm: Inventory) -> Iterable[Target]:
    def target(job: str, machine: Machine, port: int) -> Target:
        instance = f"{machine.address}:{port}"
        labels = {"instance": instance, "job": job, "node": machine.name, "tier": machine.tier}
        if machine.host:
            labels["pve_host"] = machine.host
        return Target(job, instance, machine, labels=labels)

    ports = (
        ("traefik", (EDGE,), 8082),
        ("varnish", (CACHE,), 9131),
        ("redis", (CACHE,), 9121),
        ("docker", (EDGE, APP), 9323),
        ("mysql", (DATABASE,), 9104),
        ("prometheus", (MONITORING,), 9090),
        ("alertmanager", (MONITORING,), 9093),
    )
    for machine in farm.machines:
        yield target("node", machine, 9100)
    for job, tiers, port in ports:
        for tier in tiers:
            for machine in farm.tiers[tier]:
                yield target(job, machine, port)
    for machine in farm.tiers[STORAGE][:MONS]:
        yield target("ceph", machine, 9283)
    prober = farm.tiers[MONITORING][0]
    blackbox, pve_exporter = f"{prober.address}:9115", f"{prober.address}:9221"
    links = [(INTERCONNECT, "do-fra1:pve-main"), (INTERCONNECT, "pve-main:do-fra1")]
    for job, instance in (*links, (CLOUD_API, "https://api.digitalocean.com/v2/account")):
        labels = {"instance": instance, "job": job, "node": prober.name, "tier": prober.tier}
        yield Target(job, instance, prober, "/probe", labels, blackbox)
    edge = farm.tiers[EDGE][0]
    for cache in farm.tiers[CACHE]:
        labels = {"instance": cache.address, "job": CACHE_NET}
        yield Target(CACHE_NET, cache.address, edge, "/probe", labels, f"{edge.address}:9115")
    yield target(SMOKEPING, prober, 9374)
    yield target(WIREGUARD, edge, 9586)
    for host in farm.hosts:
        machine = _hypervisor(host)
        labels = {"instance": host.address, "job": PVE, "node": host.name, "pve_host": host.name, "tier": machine.tier}
        yield Target(PVE, host.address, machine, "/pve", labels, pve_exporter)


def _hypervisor(host: PveHost) -> Machine:
    return Machine(host.name, HYPERVISOR, host.address, Size(host.cpus, host.memory_bytes, 0.0))
