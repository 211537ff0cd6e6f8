"""What follows from a change, tier by tier: warm-ups, elections, rebalances, recoveries, and what happens later.

Each function compares the condition before with the one after, whatever made the difference, and returns the
settled condition and the changes that are due later, each with its delay in seconds.
"""

from __future__ import annotations

from dataclasses import replace

from farmtui.demo.world.ceph_changes import (
    DOWN_OUT_S,
    SLOW_OSDS,
    MdsActive,
    MgrActive,
    OsdOut,
    RepairEnds,
    came_up,
    recovering_again,
    went_down,
    with_osd,
)
from farmtui.demo.world.changes import (
    CacheFull,
    Change,
    DatabaseState,
    NewLeader,
    Rebalance,
    alive,
    ready_for_tasks,
)
from farmtui.demo.world.condition import Condition, Relaxing
from farmtui.demo.world.inventory import APP, EDGE, MONS, STORAGE, Inventory

MISS_RATIO = 0.072
"""Cacheable misses of a warm cache with all its nodes."""

REDIS = "redis-server"
"""Redis's unit on the cache nodes."""

_WARM_UP_S = 520.0
_FILL_S = 2_400.0
_FULL_AFTER_S = 5_400.0
_RESPREAD_S = 420.0
_ELECTION_S = 16.0
_RESCHEDULE_S = 50.0
_REBALANCE_AFTER_S = 900.0
_MGR_FAILOVER_S = 30.0
_MDS_FAILOVER_S = 15.0
_REPAIR_S = 11.0
_UNCACHEABLE_TAU_S = 1_500.0

Later = list[tuple[float, Change]]


def settle(before: Condition, after: Condition, farm: Inventory, at: float) -> tuple[Condition, Later]:
    """The condition with all consequences drawn, and what is due later."""
    later: Later = []
    for tier in (_cache, _redis, _galera, _swarm, _ceph):
        after, due = tier(before, after, farm, at)
        later += due
    return after, later


def serving_caches(now: Condition, farm: Inventory) -> tuple[str, ...]:
    """Cache nodes that answer the edge."""
    return tuple(name for name in _running_caches(now, farm) if name not in now.resting)


def _running_caches(now: Condition, farm: Inventory) -> tuple[str, ...]:
    """Those, and those in maintenance."""
    return tuple(name for name, varnish in now.varnish.items() if varnish.running and alive(now, farm, name))


def steady_miss(now: Condition, serving: int, name: str) -> float:
    """The cacheable miss ratio towards which a warm cache node goes.

    With a node less the others hold the same sites in less memory; what is uncacheable misses always.
    """
    total = len(now.varnish)
    crowded = MISS_RATIO * (1.0 + 0.9 * (total - serving) / total)
    uncacheable = 0.0 if name in now.stripping else now.uncacheable
    return min(0.97, crowded + (1.0 - crowded) * uncacheable)


def _cache(before: Condition, after: Condition, farm: Inventory, at: float) -> tuple[Condition, Later]:
    was, is_now = serving_caches(before, farm), serving_caches(after, farm)
    ran = _running_caches(before, farm)
    restarted = {
        name
        for name in _running_caches(after, farm)
        if name not in ran or before.varnish[name].started != after.varnish[name].started
    }
    same_pages = before.uncacheable == after.uncacheable and before.stripping == after.stripping
    if was == is_now and not restarted and same_pages:
        return after, []
    lost = max(0, len(was) - len(is_now)) / max(1, len(was))
    later: Later = []
    varnishes = dict(after.varnish)
    for name, varnish in after.varnish.items():
        target = steady_miss(after, len(is_now), name)
        if name in restarted:
            # A machine that has booted again has started its Varnish too.
            started = varnish if varnish.started == at else replace(varnish, started=at)
            varnishes[name] = replace(
                started,
                miss=Relaxing(0.86, target, at, _WARM_UP_S),
                fill=Relaxing(0.0, 0.985, at, _FILL_S),
                evicting=False,
            )
            later.append((_FULL_AFTER_S, CacheFull(name, at)))
        elif name in is_now:
            jump = min(0.45 * lost, max(0.0, 0.7 - varnish.miss.value(at)))
            tau = _UNCACHEABLE_TAU_S if before.uncacheable < after.uncacheable else _RESPREAD_S
            varnishes[name] = replace(varnish, miss=varnish.miss.turned(at, target, tau, jump))
    return replace(after, varnish=varnishes), later


def _redis(before: Condition, after: Condition, farm: Inventory, at: float) -> tuple[Condition, Later]:
    """Sentinel moves the master away from where it does not run; it stays where it is afterwards."""

    def runs(name: str) -> bool:
        return alive(after, farm, name) and (name, REDIS) not in after.stopped_units

    if runs(after.redis_master):
        return after, []
    heir = next(filter(runs, after.varnish), after.redis_master)
    return replace(after, redis_master=heir), []


def _galera(before: Condition, after: Condition, farm: Inventory, at: float) -> tuple[Condition, Later]:
    databases = dict(after.databases)
    later: Later = []
    for name, database in after.databases.items():
        lives = alive(after, farm, name)
        if database.running and not lives and database.state:
            databases[name] = replace(database, state=0, since=at, paused=0.0)
        elif database.running and lives and not alive(before, farm, name):
            databases[name] = replace(database, started=at, state=0, since=at)
        elif not database.running and database.state:
            databases[name] = replace(database, state=0)
    members = sum(1 for database in databases.values() if database.state)
    primary, size = after.primary, after.members
    if after.primary:
        # A clean majority of the last primary component goes on; anything else stops taking queries.
        primary = 2 * members > size
        size = members if primary else size
    for name, database in databases.items():
        joins = database.running and not database.state and alive(after, farm, name)
        if joins and primary:
            databases[name] = replace(database, state=1, since=at)
            size += 1
            later += [
                (9.0, DatabaseState(name, database.started, 3)),
                (14.0, DatabaseState(name, database.started, 4)),
            ]
    return replace(after, databases=databases, primary=primary, members=size), later


def _swarm(before: Condition, after: Condition, farm: Inventory, at: float) -> tuple[Condition, Later]:
    swarm = after.swarm
    later: Later = []
    managers = [m.name for m in farm.tiers[EDGE] if alive(after, farm, m.name)]
    quorum = 2 * len(managers) > len(farm.tiers[EDGE])
    if swarm.leader and (swarm.leader not in managers or not quorum):
        swarm = replace(swarm, leader="")
    if not swarm.leader and quorum:
        later.append((_ELECTION_S, NewLeader(managers[0])))
    lost = {name: tasks for name, tasks in swarm.tasks.items() if tasks and not ready_for_tasks(after, farm, name)}
    # While the interconnect is down no worker is ready: Swarm has nowhere to place anything, and what runs runs on.
    takers = [m.name for m in farm.tiers[APP] if m.name not in swarm.paused]
    ready = [name for name in takers if ready_for_tasks(after, farm, name)]
    if lost and ready and not after.cut:
        moved = sum(lost.values())
        tasks = {name: count for name, count in swarm.tasks.items() if name not in lost}
        for name in ready:
            tasks[name] = tasks.get(name, 0.0) + moved / len(ready)
        starting = swarm.starting.turned(at, 0.0, _RESCHEDULE_S, jump=moved)
        swarm = replace(swarm, tasks={**tasks, **dict.fromkeys(lost, 0.0)}, starting=starting)
    returned = [n for n in ready if not swarm.tasks.get(n) and not ready_for_tasks(before, farm, n)]
    if returned:
        # Swarm never moves running tasks to a node that returns; the farm's own job does, a quarter of an hour later.
        later.append((_REBALANCE_AFTER_S, Rebalance()))
    return replace(after, swarm=swarm), later


def _ceph(before: Condition, after: Condition, farm: Inventory, at: float) -> tuple[Condition, Later]:
    later: Later = []
    for index, host in enumerate(farm.osd_hosts):
        osd = after.ceph.osds[index]
        runs = alive(after, farm, host) and index not in after.ceph.stopped
        if osd.up and not runs:
            after = with_osd(after, index, went_down(after.ceph, farm, index, at))
            if index in SLOW_OSDS:
                after = replace(after, ceph=replace(after.ceph, slow_ops=0))
            later.append((DOWN_OUT_S, OsdOut(index, down_since=at)))
        elif not osd.up and runs:
            after = with_osd(after, index, came_up(after, farm, index, at))
    if before.ceph.flags != after.ceph.flags:
        after = recovering_again(after, farm, at)
    living = [m.name for m in farm.tiers[STORAGE] if alive(after, farm, m.name)]
    ceph = after.ceph
    if ceph.mgr and ceph.mgr not in living:
        ceph = replace(ceph, mgr="")
    if ceph.mds and ceph.mds not in living:
        ceph = replace(ceph, mds="")
    quorum = 2 * sum(m.name in living for m in farm.tiers[STORAGE][:MONS]) > MONS
    if quorum:
        ceph = replace(ceph, silent_since=None)
        # It is the mons that choose who takes over.
        if not ceph.mgr:
            later.append((_MGR_FAILOVER_S, MgrActive(living[0])))
        if not ceph.mds:
            later.append((_MDS_FAILOVER_S, MdsActive(living[0])))
    elif ceph.silent_since is None:
        ceph = replace(ceph, silent_since=at)
    if ceph.repairing and not before.ceph.repairing:
        later.append((_REPAIR_S, RepairEnds()))
    return replace(after, ceph=ceph), later
