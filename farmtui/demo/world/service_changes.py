"""What an operator can do to the services of the farm, beside what can happen to it by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Condition, Line, Relaxing, level
from farmtui.demo.world.inventory import GIB, Inventory

REDIS_BYTES = 4 * GIB
"""What each Redis may take, unless somebody has told it otherwise."""
REDIS_HELD = 0.71
"""How much of that it holds when all is well."""
_CROWDED = 0.99 / REDIS_HELD
_NOTICED = 0.02
_REFILL_S = 1_800.0
_REFETCH_S = 240.0
_BANS_KEPT = 20
_HEALED_PER_S = 30.0


@dataclass(frozen=True, slots=True)
class UnitStop:
    """A service is stopped on a machine, of which the world knows nothing else."""

    node: str
    unit: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if (self.node, self.unit) in now.stopped_units:
            return now
        return replace(now, stopped_units={**now.stopped_units, (self.node, self.unit): at})


@dataclass(frozen=True, slots=True)
class UnitStart:
    """Such a service is started again."""

    node: str
    unit: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        key = (self.node, self.unit)
        if key not in now.stopped_units:
            return now
        return replace(now, stopped_units={k: since for k, since in now.stopped_units.items() if k != key})


@dataclass(frozen=True, slots=True)
class RedisFlush:
    """A Redis forgets a share (0-1) of what it holds; it is filled again as it is used."""

    node: str
    share: float = 1.0

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        held = now.redis_fill[self.node].value(at) if self.node in now.redis_fill else 1.0
        if self.node in now.redis_full:
            held = _CROWDED
        fill = {**now.redis_fill, self.node: Relaxing(held * (1.0 - self.share), 1.0, at, _REFILL_S)}
        # What a few keys leave free is taken again before anybody has looked.
        full = now.redis_full - {self.node} if self.share >= _NOTICED else now.redis_full
        return replace(now, redis_full=full, redis_fill=fill)


@dataclass(frozen=True, slots=True)
class RedisMaster:
    """Sentinel makes another Redis the master."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return now if now.redis_master == self.node else replace(now, redis_master=self.node)


@dataclass(frozen=True, slots=True)
class RedisLimit:
    """A Redis may take so many bytes (`maxmemory`; 0 is as much as it likes)."""

    node: str
    limit_bytes: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        before = now.redis_limits.get(self.node, REDIS_BYTES)
        limits = {**now.redis_limits, self.node: self.limit_bytes}
        full, fill = now.redis_full, now.redis_fill
        held = REDIS_HELD * REDIS_BYTES * (fill[self.node].value(at) if self.node in fill else 1.0)
        room = self.limit_bytes or math.inf
        if self.node in full and room >= 1.1 * before:
            # It keeps what it holds, and needs to evict nothing.
            full, fill = full - {self.node}, {**fill, self.node: Relaxing(_CROWDED, _CROWDED, at, 1.0)}
        elif room < held:
            full = full | {self.node}
        return replace(now, redis_limits=limits, redis_full=full, redis_fill=fill)


@dataclass(frozen=True, slots=True)
class Ban:
    """A Varnish forgets a share (0-1) of what its visitors ask for."""

    node: str
    share: float
    spec: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        varnish = now.varnish[self.node]
        if not varnish.running:
            return now
        jump = max(0.0, 0.86 - varnish.miss.value(at)) * min(1.0, self.share)
        bans = (*varnish.bans[-_BANS_KEPT:], (at, self.spec))
        forgetful = replace(varnish, miss=varnish.miss.turned(at, varnish.miss.target, _REFETCH_S, jump), bans=bans)
        return replace(now, varnish={**now.varnish, self.node: forgetful})


@dataclass(frozen=True, slots=True)
class StripCookies:
    """A Varnish uses the VCL that takes needless cookies off, or the usual one."""

    node: str
    on: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        nodes = now.stripping | {self.node} if self.on else now.stripping - {self.node}
        return now if nodes == now.stripping else replace(now, stripping=nodes)


@dataclass(frozen=True, slots=True)
class Unhealed:
    """A brick of the Gluster volume was away: so many files differ, and of so many nobody knows who is right."""

    files: float
    split: int = 0

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, unhealed=level(self.files), split=self.split)


@dataclass(frozen=True, slots=True)
class Healing:
    """Gluster has been told to heal what differs."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        files = now.unhealed.value(at)
        return replace(now, unhealed=Line(files, at, 0.0, at + max(1.0, files / _HEALED_PER_S))) if files else now


@dataclass(frozen=True, slots=True)
class SafeToBootstrap:
    """A database node's grastate.dat says that a new cluster may begin with it, or that none may."""

    node: str
    on: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        nodes = now.safe_to_bootstrap | {self.node} if self.on else now.safe_to_bootstrap - {self.node}
        return now if nodes == now.safe_to_bootstrap else replace(now, safe_to_bootstrap=nodes)


@dataclass(frozen=True, slots=True)
class Resting:
    """A cache node goes into maintenance, in which the edge sends it nothing, or comes back."""

    node: str
    on: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        nodes = now.resting | {self.node} if self.on else now.resting - {self.node}
        return now if nodes == now.resting else replace(now, resting=nodes)


@dataclass(frozen=True, slots=True)
class Desync:
    """A database node leaves flow control (`wsrep_desync`): it lags behind at its own pace, or takes part again."""

    node: str
    on: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        database = now.databases[self.node]
        wanted = (4, 2) if self.on else (2, 3)
        if not database.running or database.state != wanted[0]:
            return now
        slow = 1.0 if self.on and database.paused else now.slow_queries
        moved = replace(database, state=wanted[1], since=at, paused=0.0)
        return replace(now, databases={**now.databases, self.node: moved}, slow_queries=slow)


@dataclass(frozen=True, slots=True)
class Availability:
    """A Swarm node is to be `active`, `pause` (takes no new tasks) or `drain` (hands those over that it has)."""

    node: str
    wanted: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        swarm, one = now.swarm, frozenset({self.node})
        drained = swarm.drained | one if self.wanted == "drain" else swarm.drained - one
        paused = swarm.paused | one if self.wanted == "pause" else swarm.paused - one
        if (drained, paused) == (swarm.drained, swarm.paused):
            return now
        return replace(now, swarm=replace(swarm, drained=drained, paused=paused))


@dataclass(frozen=True, slots=True)
class Scaled:
    """A site's service is to run so many tasks, which are spread over the workers."""

    site: int
    replicas: int
    before: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        swarm, change = now.swarm, self.replicas - self.before
        ready = [name for name, tasks in swarm.tasks.items() if tasks]
        if not change or not ready:
            return now
        tasks = {name: max(0.0, n + (change / len(ready) if n else 0.0)) for name, n in swarm.tasks.items()}
        scaled = replace(swarm, tasks=tasks, replicas={**swarm.replicas, self.site: self.replicas})
        if change > 0:
            scaled = replace(scaled, starting=swarm.starting.turned(at, 0.0, swarm.starting.tau_s, jump=change))
        return replace(now, swarm=scaled)


@dataclass(frozen=True, slots=True)
class ServiceUpdated:
    """A service's tasks are replaced, one after the other: by the same, or by those of its former version."""

    service: str
    rolled_back: bool = False

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        updated = {**now.swarm.updated, self.service: (at, self.rolled_back)}
        return replace(now, swarm=replace(now.swarm, updated=updated))


@dataclass(frozen=True, slots=True)
class Moved:
    """A guest has moved to another PVE host, running or not."""

    name: str
    host: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, moved={**now.moved, self.name: self.host})


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was started by hand has succeeded, and so will the nightly ones."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, backup_failing=False, backed_up_at=at)
