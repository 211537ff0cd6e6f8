"""What can happen to the farm: one frozen class per kind of change.

A change says only what it does itself. What follows from it (a tier with one machine less, an election, a
rebalance) is worked out by `settling`, whatever the cause was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from farmtui.demo.world.condition import Condition, Line, level
from farmtui.demo.world.inventory import Inventory, Machine


class Change(Protocol):
    """Something that happens at one moment."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """The condition after it; the same object when it does not apply (any more)."""


@dataclass(frozen=True, slots=True)
class MachineOff:
    """A machine is switched off or crashes."""

    name: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, off=now.off | {self.name})


@dataclass(frozen=True, slots=True)
class MachineOn:
    """A machine boots (again)."""

    name: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, off=now.off - {self.name}, booted={**now.booted, self.name: at})


@dataclass(frozen=True, slots=True)
class HostOff:
    """A PVE host goes down, with all its guests."""

    name: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, hosts_off=now.hosts_off | {self.name})


@dataclass(frozen=True, slots=True)
class HostOn:
    """A PVE host comes back and starts its guests."""

    name: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        booted = {m.name: at for m in farm.machines if host_of(now, m) == self.name and m.name not in now.off}
        return replace(now, hosts_off=now.hosts_off - {self.name}, booted={**now.booted, **booted, self.name: at})


@dataclass(frozen=True, slots=True)
class VarnishStop:
    """Varnish is stopped on a cache node."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        stopped = replace(now.varnish[self.node], running=False)
        return replace(now, varnish={**now.varnish, self.node: stopped})


@dataclass(frozen=True, slots=True)
class VarnishStart:
    """Varnish is started (or restarted) on a cache node: its cache is empty."""

    node: str
    died: bool = False
    """The child died and the management process has started another."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        before = now.varnish[self.node]
        deaths = before.deaths + 1 if self.died else before.deaths
        started = replace(before, running=True, started=at, deaths=deaths, bans=())
        return replace(now, varnish={**now.varnish, self.node: started})


@dataclass(frozen=True, slots=True)
class CacheFull:
    """A cache that was started at `started` has filled its storage and begins to evict."""

    node: str
    started: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        varnish = now.varnish[self.node]
        if varnish.started != self.started or varnish.evicting:
            return now
        return replace(now, varnish={**now.varnish, self.node: replace(varnish, evicting=True)})


@dataclass(frozen=True, slots=True)
class Uncacheable:
    """A share (0-1) of what could be cached no longer is: a plugin that sets a cookie on every page."""

    share: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, uncacheable=self.share)


@dataclass(frozen=True, slots=True)
class RedisPressure:
    """A Redis begins (or ceases) to evict."""

    node: str
    full: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        full = now.redis_full | {self.node} if self.full else now.redis_full - {self.node}
        return replace(now, redis_full=full)


@dataclass(frozen=True, slots=True)
class DatabaseStop:
    """MariaDB ends on a database node."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        stopped = replace(now.databases[self.node], running=False, since=at, paused=0.0)
        return replace(now, databases={**now.databases, self.node: stopped})


@dataclass(frozen=True, slots=True)
class DatabaseStart:
    """MariaDB is started (or restarted) on a database node."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        started = replace(now.databases[self.node], running=True, started=at, state=0, since=at)
        return replace(now, databases={**now.databases, self.node: started})


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database node that was started at `started` moves on to another wsrep_local_state."""

    node: str
    started: float
    state: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        database = now.databases[self.node]
        if not database.running or database.started != self.started or not now.primary:
            return now
        moved = replace(database, state=self.state, since=at)
        return replace(now, databases={**now.databases, self.node: moved})


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A database node makes itself the primary component (wsrep_cluster_address=gcomm://)."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if now.primary:
            return now
        first = replace(now.databases[self.node], state=4, since=at)
        return replace(now, primary=True, members=1, databases={**now.databases, self.node: first})


@dataclass(frozen=True, slots=True)
class FlowControl:
    """A database node is paused by flow control for a share (0-1) of the time, and queries are slower."""

    node: str
    share: float
    slower: float = 1.0

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        paused = replace(now.databases[self.node], paused=self.share)
        return replace(now, databases={**now.databases, self.node: paused}, slow_queries=self.slower)


@dataclass(frozen=True, slots=True)
class NewLeader:
    """The Swarm managers have elected a leader."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if now.swarm.leader or self.node in now.off:
            return now
        return replace(now, swarm=replace(now.swarm, leader=self.node))


@dataclass(frozen=True, slots=True)
class Drain:
    """A Swarm worker is drained, or made active again."""

    node: str
    drained: bool = True

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        nodes = now.swarm.drained | {self.node} if self.drained else now.swarm.drained - {self.node}
        return replace(now, swarm=replace(now.swarm, drained=nodes))


@dataclass(frozen=True, slots=True)
class Rebalance:
    """All services are updated by force, which spreads their tasks evenly again."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        ready = [m.name for m in farm.tiers["app"] if ready_for_tasks(now, farm, m.name)]
        total = sum(now.swarm.tasks.values())
        if not ready or now.cut:
            return now
        return replace(now, swarm=replace(now.swarm, tasks=dict.fromkeys(ready, total / len(ready))))


@dataclass(frozen=True, slots=True)
class TasksFailing:
    """So many tasks crash over and over."""

    count: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, swarm=replace(now.swarm, failing=self.count))


@dataclass(frozen=True, slots=True)
class Interconnect:
    """The link between the two sites of the farm: cut, slow or lossy."""

    cut: bool = False
    extra_s: float = 0.0
    loss: float = 0.0

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, cut=self.cut, interconnect_extra_s=self.extra_s, interconnect_loss=self.loss)


@dataclass(frozen=True, slots=True)
class SiteBroken:
    """A share of a site's answers is a 5xx; 0 mends it."""

    site: int
    share: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, broken_sites=_with(now.broken_sites, self.site, self.share))


@dataclass(frozen=True, slots=True)
class Surge:
    """A site gets more requests: `extra` as a share of the whole farm's; 0 ends it."""

    site: int
    extra: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, surges=_with(now.surges, self.site, self.extra))


def _with(shares: Mapping[int, float], site: int, share: float) -> Mapping[int, float]:
    rest = {index: value for index, value in shares.items() if index != site}
    return {**rest, site: share} if share else rest


@dataclass(frozen=True, slots=True)
class DiskFilling:
    """A machine's root filesystem fills by `share` (0-1) of its size within `within_s`; 0 cleans it up."""

    node: str
    share: float
    within_s: float = 1.0

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        before = now.filling.get(self.node, level(0.0)).value(at)
        line = Line(before, at, self.share, at + self.within_s)
        return replace(now, filling={**now.filling, self.node: line})


@dataclass(frozen=True, slots=True)
class ClockOff:
    """A machine's clock is off by so many seconds; 0 mends it."""

    node: str
    offset_s: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, clocks={**now.clocks, self.node: self.offset_s})


@dataclass(frozen=True, slots=True)
class Backup:
    """The nightly backup begins or ends."""

    running: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, backup=self.running)


@dataclass(frozen=True, slots=True)
class BackupFailing:
    """From now on the nightly backup fails, or succeeds again."""

    failing: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, backup_failing=self.failing)


@dataclass(frozen=True, slots=True)
class PrometheusDelay:
    """Every answer of Prometheus takes so many seconds longer."""

    delay_s: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, prometheus_delay_s=self.delay_s)


@dataclass(frozen=True, slots=True)
class CloudApi:
    """DigitalOcean's API answers as `state` says: `ok`, `unauthorized` or `limited`."""

    state: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, cloud_api=self.state)


@dataclass(frozen=True, slots=True)
class CertificateStuck:
    """A site's certificate is not renewed; -1 renews it."""

    site: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, expiring_site=self.site)


def alive(now: Condition, farm: Inventory, name: str) -> bool:
    """Whether a machine runs: it is on, and so is its host. A PVE host runs unless it is off."""
    if name in farm.host_names:
        return name not in now.hosts_off
    return name not in now.off and host_of(now, farm.by_name[name]) not in now.hosts_off


def host_of(now: Condition, machine: Machine) -> str:
    """The PVE host that a guest is on; empty for a droplet."""
    return now.moved.get(machine.name, machine.host)


def reachable(now: Condition, farm: Inventory, name: str) -> bool:
    """Whether a machine answers to those at DigitalOcean: Prometheus, the edge, the Swarm managers."""
    return alive(now, farm, name) and (not now.cut or (name in farm.by_name and farm.by_name[name].droplet))


def engine_answers(now: Condition, farm: Inventory, name: str) -> bool:
    """Whether the Swarm's managers hear from a node's engine."""
    return reachable(now, farm, name) and (name, "docker") not in now.stopped_units


def ready_for_tasks(now: Condition, farm: Inventory, name: str) -> bool:
    """Whether Swarm would place a task on a worker."""
    return engine_answers(now, farm, name) and name not in now.swarm.drained
