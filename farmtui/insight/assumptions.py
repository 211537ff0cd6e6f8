"""Every assumption that the cost rests on, with the key in the config that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farmtui.farm.cost import Costing
from farmtui.insight.departures import plain


@dataclass(frozen=True, slots=True)
class Assumption:
    """One figure."""

    what: str
    value: str
    key: str
    """Where the config says it."""


def assumptions(costing: Costing) -> tuple[Assumption, ...]:
    """All of them."""
    return tuple(_all(costing))


def _all(costing: Costing) -> Iterator[Assumption]:
    money, plan = costing.currency, costing.plan
    if money != "USD":
        yield Assumption("a US dollar", f"{costing.per_usd.normalize():f} {money}", "cost.per_usd")
    if plan is not None:
        yield Assumption("the plan", f"{plan.name}, {plan.sites} sites", "cost.plan")
        yield Assumption("the farm follows", costing.follows, "cost.follows")
        yield Assumption("the plan's hardware is used for", f"{costing.life_months} months", "cost.life_months")
        for size in plan.sizes:
            yield Assumption(f"{size.name}, in the plan", f"{plain(size.per_month)} {money}/month", "cost.plan: sizes")
        for remark in plan.remarks:
            yield Assumption(remark, "as it is read", "cost.plan: remarks")
        yield Assumption("a GB, in the plan", f"{plain(plan.per_gb_month)} {money}/month", "cost.plan: per_gb_month")
    prices = costing.prices
    if costing.cloud_tag:
        yield Assumption("droplets that are the farm's", f"tag {costing.cloud_tag}", "digitalocean.tag")
    for what, value, key in (
        ("a GiB of block storage", f"{plain(prices.volume_per_gb)} USD/month", "volume_per_gb"),
        ("a load balancer's node", f"{plain(prices.balancer_node)} USD/month", "balancer_node"),
        ("a GB of snapshot", f"{plain(prices.snapshot_per_gb)} USD/month", "snapshot_per_gb"),
        ("a reserved address that points nowhere", f"{plain(prices.reserved_ip)} USD/month", "reserved_ip"),
        ("backups", f"{prices.backups_ratio:.0%} of the droplet", "backups_ratio"),
        ("a whole month is billed after", f"{prices.billed_hours} hours", "billed_hours"),
    ):
        yield Assumption(what, value, f"cost.digitalocean.{key}")
    if (hardware := costing.hardware) is not None:
        for what, value, key in (
            ("hardware bought for", f"{plain(hardware.once)} {money}", "once, once_per_host"),
            ("hardware used for", f"{hardware.life_months} months", "life_months"),
            ("power drawn", f"{plain(hardware.power_kw)} kW", "power_kw, watts_per_host"),
            ("a kilowatt hour", f"{plain(hardware.kwh_price)} {money}", "kwh_price"),
            ("hours in a month", f"{hardware.hours_per_month}", "hours_per_month"),
        ):
            yield Assumption(what, value, f"cost.hardware.{key}")
        for name, amount in hardware.parts:
            yield Assumption(f"PVE: {name}", f"{plain(amount)} {money}/month", "cost.hardware")
        by = {"memory": "the memory of each running guest", "cpus": "its CPUs", "guests": "each the same"}
        yield Assumption("hardware is spread by", by[costing.spread_hosts_by], "cost.spread.hosts")
    else:
        yield Assumption("Proxmox VE hardware", "nothing is said of it", "cost.hardware")
    sites = {"equal": "each the same", "requests": "the requests that each serves now"}
    yield Assumption("sites are charged by", sites[costing.spread_sites_by], "cost.spread.sites")
    yield Assumption("idle is a CPU below", f"{costing.idle_cpu_ratio:.1%}, of no tier", "cost.idle_cpu_ratio")
    for fixed in costing.fixed:
        yield Assumption(fixed.name, f"{plain(fixed.per_month)} {money}/month", "cost.fixed")
