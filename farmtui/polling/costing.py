"""From the config to what the cost is worked out from: its section on money, and the plan file that it names."""

from __future__ import annotations

from decimal import Decimal

from farmtui.config import Config
from farmtui.config.cost import CostConfig, HardwareConfig
from farmtui.farm.cost import CloudPrices, Costing, Fixed, HardwareInputs
from farmtui.farm.plan import Plan


def costing(config: Config) -> Costing:
    """Everything in the farm's terms. A plan that cannot be read is said in `problems`; reads a file. Never raises."""
    cost = config.cost
    plan, problems = _plan(cost)
    prices = cost.digitalocean
    return Costing(
        currency=cost.currency,
        per_usd=cost.per_usd or Decimal(1),
        prices=CloudPrices(
            prices.volume_per_gb, prices.balancer_node, prices.snapshot_per_gb, prices.reserved_ip,
            prices.backups_ratio, prices.billed_hours,
        ),
        hardware=_hardware(cost.hardware) if cost.hardware is not None else None,
        fixed=tuple(Fixed(item.name, item.per_month, item.tier, item.provider) for item in cost.fixed),
        spread_hosts_by=cost.spread.hosts,
        spread_sites_by=cost.spread.sites,
        idle_cpu_ratio=cost.idle_cpu_ratio,
        life_months=cost.life_months,
        plan=plan,
        follows=cost.follows or (plan.follows if plan else ""),
        cloud_tag=config.digitalocean.tag or "" if config.digitalocean is not None else "",
        problems=problems,
    )  # fmt: skip


def _plan(cost: CostConfig) -> tuple[Plan | None, tuple[str, ...]]:
    from farmtui.config.parsing import FileError
    from farmtui.config.plan import load_plan

    try:
        plan = load_plan(cost.plan)
    except FileError as error:
        return None, tuple(str(error).splitlines())
    problems = []
    if plan.currency != cost.currency:
        problems.append(
            f"the plan is in {plan.currency}, cost.currency is {cost.currency}: its figures are not compared"
        )
    if cost.follows and plan.scenario(cost.follows) is None:
        known = ", ".join(scenario.key for scenario in plan.scenarios)
        problems.append(f"cost.follows: the plan has no scenario {cost.follows!r}; known: {known}")
    return plan, tuple(problems)


def _hardware(hardware: HardwareConfig) -> HardwareInputs:
    hosts = hardware.hosts or 0
    return HardwareInputs(
        once=hardware.once + hosts * hardware.once_per_host,
        life_months=hardware.life_months,
        power_kw=hardware.power_kw + hosts * hardware.watts_per_host / 1000,
        kwh_price=hardware.kwh_price,
        hours_per_month=hardware.hours_per_month,
        colocation_per_month=hardware.colocation_per_month,
        bandwidth_per_month=hardware.bandwidth_per_month,
        support_per_month=hardware.support_per_month,
    )
