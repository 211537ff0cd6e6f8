"""Small farms that cost something: a droplet, a guest, and what hangs on an account."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from farmtui.config import Config
from farmtui.farm.cost import CloudBill, Costing, ReservedIp, Snapshot
from farmtui.farm.farm import Farm
from farmtui.farm.node import (
    CloudAccount,
    Droplet,
    Guest,
    HostMetrics,
    LoadBalancer,
    Node,
    Provider,
    PveCluster,
    Sighting,
    Tier,
    TierSummary,
    Volume,
)
from farmtui.farm.reading import Failure, FailureKind
from farmtui.farm.state import Freshness, Severity
from farmtui.polling.costing import costing
from tests.screens.farms import make_farm, make_node, make_source

GIB = 2.0**30
HARDWARE = {"hosts": 2, "once_per_host": 6_000, "kwh_price": "0.20", "watts_per_host": 500, "colocation_per_month": 100}
"""A month: 200 for the hardware (12,000 over 60), 146 for power (1 kW, 730 h), 100 for space."""


def money_of(**cost: Any) -> Costing:
    """The config's section as the farm has it."""
    return costing(Config.model_validate({"cost": cost}))


def droplet(ident: int, name: str, price: int | None = 96, **more: Any) -> Droplet:
    """A droplet that is on."""
    given = None if price is None else Decimal(price)
    return dataclasses.replace(Droplet(ident, name, "active", "fra1", "s-8", given, 8, 16 * GIB, 1e11), **more)


def guest(vmid: int, name: str, gib: float = 16, **more: Any) -> Guest:
    """A guest that runs."""
    made = Guest("main", vmid, name, "qemu", "pve-1", "running", cpus=4, memory_max_bytes=gib * GIB, uptime_s=1e6)
    return dataclasses.replace(made, **more)


def node(name: str, tier: Tier, source: str, ident: str, cpu: float = 0.4) -> Node:
    """The machine that a source has sighted."""
    made = make_node(name, tier)
    provider = Provider.DIGITALOCEAN if source == "digitalocean" else Provider.PROXMOX
    metrics = HostMetrics(cpu_ratio=cpu, uptime_s=1e6)
    return dataclasses.replace(made, provider=provider, sightings=(Sighting(source, ident, name),), metrics=metrics)


def cost_farm(*, cloud: bool = True, pve: bool = True, **cost: Any) -> Farm:
    """Two droplets and three guests, with one of everything that is wasted."""
    guests = (
        guest(1, "worker-1", 32), guest(2, "worker-2", 32), guest(3, "db-1", 64), guest(4, "lab", 16),
        guest(9, "gold", template=True), guest(10, "old", status="stopped"),
    )  # fmt: skip
    nodes = [
        *([node("mgr-1", Tier.EDGE, "digitalocean", "1"), node("cache-1", Tier.CACHE, "digitalocean", "2")] * cloud),
        *([
            node("worker-1", Tier.APP, "proxmox", "main/1"), node("worker-2", Tier.APP, "proxmox", "main/2"),
            node("db-1", Tier.DATABASE, "proxmox", "main/3"), node("lab", Tier.OTHER, "proxmox", "main/4", cpu=0.005),
        ] * pve),
    ]  # fmt: skip
    account = CloudAccount(
        droplets=(droplet(1, "mgr-1", 48), droplet(2, "cache-1", backups=True)),
        volumes=(Volume("v1", "data", "fra1", 100 * GIB, (2,)), Volume("v2", "left", "fra1", 500 * GIB)),
        load_balancers=(
            LoadBalancer("l1", "front", "active", "", "fra1", (1,), nodes=2),
            LoadBalancer("l2", "old-front", "active", "", "fra1"),
        ),
    )
    bill = CloudBill(
        month_to_date_usd=Decimal("150.00"),
        generated_at=datetime(2026, 11, 15, tzinfo=UTC),
        reserved_ips=(ReservedIp("198.51.100.1", "fra1", 1), ReservedIp("198.51.100.2", "fra1")),
        snapshots=(
            Snapshot("s1", "data-weekly", "volume", "v1", Decimal(50)),
            Snapshot("s2", "gone", "droplet", "77", Decimal(100)),
        ),
    )
    sources = [*([make_source("digitalocean")] * cloud), *([make_source("proxmox", name="proxmox main")] * pve)]
    farm = make_farm(nodes=nodes, sources=sources)
    hardware = {"hardware": HARDWARE} if pve and "hardware" not in cost else {}
    tiers = {tier: sum(one.tier is tier for one in nodes) for tier in Tier}
    return dataclasses.replace(
        farm,
        cloud=account if cloud else None,
        bill=bill if cloud else None,
        pve=(PveCluster("main", True, (), guests),) if pve else (),
        costing=money_of(**{"follows": "B", **hardware, **cost}),
        tiers=tuple(TierSummary(t, n, n, n, Severity.OK, n) for t, n in tiers.items() if n and t is not Tier.OTHER),
        expected_sites=500,
    )


def forbidden_farm() -> Farm:
    """DigitalOcean lets nobody in, and never has."""
    failure = Failure(FailureKind.FORBIDDEN, "digitalocean: the token is refused (401)", "check digitalocean.token")
    source = make_source("digitalocean", Freshness.FORBIDDEN, answered=None, failure=failure)
    farm = cost_farm(cloud=False)
    return dataclasses.replace(farm, sources=(*farm.sources, source))
