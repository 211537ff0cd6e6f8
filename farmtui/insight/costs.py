"""All that there is to say of the farm's cost at once: what it is, what was planned, what else it could be."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from farmtui.farm.cost import Costing
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.plan import ZERO, Plan
from farmtui.insight.departures import Departure, departures
from farmtui.insight.newest import of_newest
from farmtui.insight.scenarios import Outcome, cheapest, outcomes, plan_at_size
from farmtui.insight.spend import DIGITALOCEAN, PROXMOX, Spend, spend
from farmtui.insight.spread import cents
from farmtui.insight.waste import Waste, waste, wasted_per_month


@dataclass(frozen=True, slots=True)
class Costs:
    """One picture of it."""

    costing: Costing
    spent: Spend
    wasted: tuple[Waste, ...]
    plan: Plan | None
    """None where it cannot be read, or is in another currency."""
    reference: str
    """The key of the scenario that break-evens are counted against: the dearest way that is all running costs."""
    planned: tuple[Outcome, ...] = ()
    now: tuple[Outcome, ...] = ()
    """The same at the farm's present size."""
    departures: tuple[Departure, ...] = ()

    @property
    def wasted_per_month(self) -> Decimal:
        """What would be saved."""
        return wasted_per_month(self.wasted)

    @property
    def followed(self) -> Outcome | None:
        """The scenario that the farm follows, as it was planned."""
        return next((outcome for outcome in self.planned if outcome.key == self.costing.follows), None)

    @property
    def against_plan(self) -> Decimal | None:
        """By how much a month costs more than planned, hardware's share included in both; None: not known."""
        followed = self.followed
        if followed is None or not self.spent.known or not self.spent.complete:
            return None
        return self.spent.per_month - cents(followed.with_hardware)

    @property
    def cheapest(self) -> Outcome | None:
        """The choice that costs least at the present size, with hardware."""
        return cheapest(self.now)

    @property
    def hybrid(self) -> Outcome | None:
        """The choice with hardware whose break-even is asked for: the followed one, else the first."""
        bought = [outcome for outcome in self.now if outcome.choice and outcome.once]
        return next((o for o in bought if o.key == self.costing.follows), bought[0] if bought else None)

    def planned_of(self, tier: Tier | None, provider: str) -> Decimal | None:
        """What the followed scenario plans for one tier at one provider by the month; None where no line is that."""
        scenario = self.plan.scenario(self.costing.follows) if self.plan else None
        lines = [
            line for line in (scenario.lines if scenario else ())
            if line.tier is tier and tier is not None and _PROVIDERS.get(line.provider, line.provider) == provider
        ]  # fmt: skip
        # Hardware's share is in no tier of the plan: there is nothing to compare with.
        return None if not lines or any(line.once for line in lines) else sum((li.per_month for li in lines), ZERO)


_PROVIDERS = {"do": DIGITALOCEAN, "pve": PROXMOX}
"""A plan's short names."""


def machines_now(farm: Farm) -> dict[Tier, int]:
    """How many machines each tier of the farm has."""
    return {summary.tier: summary.seen for summary in farm.tiers if summary.seen and summary.tier is not Tier.OTHER}


def reference_of(plan: Plan) -> str:
    """The first choice that is all running costs: what a scenario with hardware has to pay for itself against."""
    choices = [scenario for scenario in plan.scenarios if scenario.choice and scenario.lines and not scenario.once]
    return choices[0].key if choices else plan.follows


@of_newest
def costs(farm: Farm) -> Costs | None:
    """All of it; None for a farm of which nothing is said about money."""
    costing, spent = farm.costing, spend(farm)
    if costing is None or spent is None:
        return None
    wasted = waste(farm, spent)
    plan = costing.plan
    if plan is None or plan.currency != costing.currency:
        return Costs(costing, spent, wasted, None, "")
    reference = reference_of(plan)
    sites = spent.sites or plan.sites
    present = plan_at_size(plan, machines_now(farm))
    return Costs(
        costing, spent, wasted, plan, reference,
        planned=outcomes(plan, sites=plan.sites, life_months=costing.life_months, reference=reference),
        now=outcomes(present, sites=sites, life_months=costing.life_months, reference=reference),
        departures=departures(plan),
    )  # fmt: skip
