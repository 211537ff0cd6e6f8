"""The plan's scenarios, worked out from their lines: by the month, over time, and when one pays for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from farmtui.farm.node import Tier
from farmtui.farm.plan import ZERO, Phase, Plan, Scenario

HORIZON_MONTHS: Final = 240
"""As far as a break-even is looked for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario in figures, in the plan's currency."""

    key: str
    title: str
    choice: bool
    per_month: Decimal
    """Running costs; of phases those of the last one."""
    once: Decimal
    per_site: Decimal | None
    nodes: int | None
    """None where its lines do not count the farm's machines."""
    with_hardware: Decimal
    """By the month over the hardware's life: all running costs, and the hardware's share for as long as it is used."""
    break_even_months: Decimal | None
    """After how many months it has cost less than the reference for good; None: never. 0: it always has."""


def outcomes(plan: Plan, *, sites: int | None, life_months: int, reference: str) -> tuple[Outcome, ...]:
    """All scenarios of a plan against the one of the key `reference`."""
    against = plan.scenario(reference)
    found = []
    for scenario in plan.scenarios:
        steady = steady_per_month(plan, scenario)
        found.append(
            Outcome(
                key=scenario.key,
                title=scenario.title,
                choice=scenario.choice,
                per_month=steady,
                once=sum((amount for _, amount in purchases(plan, scenario)), ZERO),
                per_site=steady / sites if sites else None,
                nodes=scenario.nodes or None,
                with_hardware=over_life(plan, scenario, life_months),
                break_even_months=break_even(plan, scenario, against) if against is not None else None,
            )
        )
    return tuple(found)


def cheapest(found: tuple[Outcome, ...]) -> Outcome | None:
    """The choice that costs least by the month, hardware included."""
    return min(
        (outcome for outcome in found if outcome.choice), key=lambda outcome: outcome.with_hardware, default=None
    )


def steady_per_month(plan: Plan, scenario: Scenario) -> Decimal:
    """What a month costs in the end."""
    return _of_phase(plan, scenario.phases[-1]) if scenario.phases else scenario.per_month


def per_month_at(plan: Plan, scenario: Scenario, month: int) -> Decimal:
    """What the month with this number (from 0) costs to run."""
    begins = 0
    for phase in scenario.phases:
        if phase.months is None or month < begins + phase.months:
            return _of_phase(plan, phase)
        begins += phase.months
    return steady_per_month(plan, scenario)


def purchases(plan: Plan, scenario: Scenario) -> tuple[tuple[int, Decimal], ...]:
    """What is bought once: (at the beginning of the month with this number, from 0; how much)."""
    found = [(0, scenario.once)] if scenario.once else []
    begins = 0
    for phase in scenario.phases:
        bought = plan.scenario(phase.buys)
        if bought is not None and bought.once:
            found.append((begins, bought.once))
        begins += phase.months or 0
    return tuple(found)


def cumulative(plan: Plan, scenario: Scenario, months: int) -> tuple[Decimal, ...]:
    """What has been paid after 0, 1, ... `months` months; what is bought then is in it."""
    bought = purchases(plan, scenario)
    paid = sum((amount for month, amount in bought if month == 0), ZERO)
    found = [paid]
    for month in range(months):
        paid += per_month_at(plan, scenario, month)
        paid += sum((amount for at, amount in bought if at == month + 1), ZERO)
        found.append(paid)
    return tuple(found)


def over_life(plan: Plan, scenario: Scenario, life_months: int) -> Decimal:
    """By the month over so many months: running costs, and hardware's share for the months in which it is used."""
    running = sum((per_month_at(plan, scenario, month) for month in range(life_months)), ZERO)
    hardware = sum(
        (amount * max(0, life_months - month) / life_months for month, amount in purchases(plan, scenario)), ZERO
    )
    return (running + hardware) / life_months


def break_even(plan: Plan, scenario: Scenario, against: Scenario) -> Decimal | None:
    """After how many months it has cost less than the other for good; None where it does not within 20 years.

    For running costs that do not change it is capital / (saving a month).
    """
    if scenario == against:
        return None
    mine, other = (cumulative(plan, each, HORIZON_MONTHS) for each in (scenario, against))
    dearer = [paid - spent for paid, spent in zip(mine, other, strict=True)]
    if dearer[-1] > 0 or (dearer[-1] == 0 and dearer[0] == 0):
        return None
    last = max((month for month, more in enumerate(dearer) if more > 0), default=None)
    if last is None:
        return ZERO
    return last + dearer[last] / (dearer[last] - dearer[last + 1])


def at_size(scenario: Scenario, machines: Mapping[Tier, int]) -> Scenario:
    """The same with as many machines as there are now, for tiers that one line of machines stands for."""
    lines = []
    for line in scenario.lines:
        alone = sum(other.machines and other.tier is line.tier for other in scenario.lines) == 1
        if line.machines and alone and line.tier is not None and line.tier in machines:
            lines.append(replace(line, count=machines[line.tier]))
        else:
            lines.append(line)
    return replace(scenario, lines=tuple(lines))


def plan_at_size(plan: Plan, machines: Mapping[Tier, int]) -> Plan:
    """The plan with every scenario at the farm's present size."""
    return replace(plan, scenarios=tuple(at_size(scenario, machines) for scenario in plan.scenarios))


def with_scenario(plan: Plan, scenario: Scenario) -> Plan:
    """The plan with the scenario of that key replaced: phases that refer to it follow."""
    return replace(plan, scenarios=tuple(scenario if old.key == scenario.key else old for old in plan.scenarios))


def _of_phase(plan: Plan, phase: Phase) -> Decimal:
    of = plan.scenario(phase.of)
    return (of.per_month if of is not None else ZERO) + phase.per_month
