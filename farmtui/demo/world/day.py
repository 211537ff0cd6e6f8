"""A living day: small things that go wrong now and then and mend themselves, by a schedule drawn from the seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

from farmtui.demo.world.ceph_changes import SlowOps
from farmtui.demo.world.changes import (
    Backup,
    Change,
    ClockOff,
    DiskFilling,
    FlowControl,
    Interconnect,
    MachineOff,
    MachineOn,
    RedisPressure,
    SiteBroken,
    Surge,
    TasksFailing,
    VarnishStart,
)
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, MONITORING, Inventory

BACKUP_ENDS_S = 3.2 * 3600
"""When the nightly backup ends, seconds after midnight UTC."""

_DAY = 86_400.0
_SLOT_S = 4_800.0

Plan = list[tuple[float, Change]]
Incident = Callable[[Random, Inventory, float], Plan]


def living_day(seed: int, day: int, farm: Inventory, calm_from: float = math.inf) -> Plan:
    """All that happens by itself on a day (days since 1970, UTC), as (Unix seconds, change).

    No incident begins at `calm_from` or later; the nightly backup goes on.
    """
    random = Random(f"{seed}:day:{day}")
    start = day * _DAY
    plan: Plan = [(start + 1.5 * 3600, Backup(True)), (start + BACKUP_ENDS_S, Backup(False))]
    incidents, weights = zip(*_INCIDENTS, strict=True)
    slot = 0.0
    while slot + _SLOT_S <= _DAY:
        incident = random.choices(incidents, weights)[0]
        begins = start + slot + random.uniform(0.0, 1_200.0)
        if random.random() < 0.9:
            happening = incident(random, farm, begins)
            plan += happening if begins < calm_from else []
        slot += _SLOT_S
    return sorted(plan, key=lambda item: item[0])


def _site_breaks(random: Random, farm: Inventory, at: float) -> Plan:
    site = random.randrange(min(60, len(farm.sites)), len(farm.sites)) if len(farm.sites) > 60 else 0
    return [
        (at, SiteBroken(site, random.uniform(0.72, 0.97))),
        (at + random.uniform(1_500, 3_000), SiteBroken(site, 0.0)),
    ]


def _site_surges(random: Random, farm: Inventory, at: float) -> Plan:
    site = random.randrange(min(30, len(farm.sites)))
    return [(at, Surge(site, random.uniform(0.08, 0.2))), (at + random.uniform(1_800, 3_300), Surge(site, 0.0))]


def _varnish_dies(random: Random, farm: Inventory, at: float) -> Plan:
    return [(at, VarnishStart(random.choice(farm.tiers[CACHE]).name, died=True))]


def _worker_reboots(random: Random, farm: Inventory, at: float) -> Plan:
    worker = random.choice(farm.tiers[APP]).name
    return [(at, MachineOff(worker)), (at + random.uniform(240, 420), MachineOn(worker))]


def _flow_control(random: Random, farm: Inventory, at: float) -> Plan:
    node = random.choice(farm.tiers[DATABASE]).name
    return [
        (at, FlowControl(node, random.uniform(0.08, 0.2), slower=random.uniform(1.4, 2.2))),
        (at + random.uniform(900, 2_100), FlowControl(node, 0.0)),
    ]


def _slow_ops(random: Random, farm: Inventory, at: float) -> Plan:
    return [(at, SlowOps(random.randrange(3, 30))), (at + random.uniform(600, 1_500), SlowOps(0))]


def _link_lossy(random: Random, farm: Inventory, at: float) -> Plan:
    return [
        (at, Interconnect(extra_s=random.uniform(0.03, 0.12), loss=random.uniform(0.04, 0.12))),
        (at + random.uniform(900, 2_400), Interconnect()),
    ]


def _tasks_crash(random: Random, farm: Inventory, at: float) -> Plan:
    return [(at, TasksFailing(random.randrange(1, 4))), (at + random.uniform(1_500, 3_000), TasksFailing(0))]


def _redis_evicts(random: Random, farm: Inventory, at: float) -> Plan:
    node = random.choice(farm.tiers[CACHE]).name
    return [(at, RedisPressure(node, True)), (at + random.uniform(1_500, 3_300), RedisPressure(node, False))]


def _disk_fills(random: Random, farm: Inventory, at: float) -> Plan:
    node = random.choice((*farm.tiers[MONITORING], *farm.tiers[DATABASE])).name
    return [(at, DiskFilling(node, 0.44, 2_000.0)), (at + random.uniform(3_000, 4_200), DiskFilling(node, 0.0, 20.0))]


def _clock_drifts(random: Random, farm: Inventory, at: float) -> Plan:
    node = random.choice(farm.tiers[APP]).name
    return [(at, ClockOff(node, random.uniform(0.08, 0.3))), (at + random.uniform(1_500, 3_000), ClockOff(node, 0.0))]


_INCIDENTS: Sequence[tuple[Incident, float]] = (
    (_site_breaks, 5.0),
    (_site_surges, 3.0),
    (_varnish_dies, 1.5),
    (_worker_reboots, 1.5),
    (_flow_control, 2.5),
    (_slow_ops, 2.0),
    (_link_lossy, 2.0),
    (_tasks_crash, 2.0),
    (_redis_evicts, 2.5),
    (_disk_fills, 2.0),
    (_clock_drifts, 1.0),
)
