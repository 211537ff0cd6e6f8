"""The farm's cost as a document: what `farmtui cost --json` prints, as docs/cost-schema.json describes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from farmtui.farm.farm import Farm
from farmtui.insight.assumptions import assumptions
from farmtui.insight.costs import Costs
from farmtui.insight.scenarios import Outcome
from farmtui.insight.site_costs import site_costs
from farmtui.insight.spend import Item
from farmtui.insight.spread import cents

SCHEMA_VERSION: Final = 1
"""Raised when a key goes or changes its meaning; keys may be added without."""


def document(farm: Farm, found: Costs, *, version: str) -> dict[str, Any]:
    """The whole document. Money is a text, as `1234.56`, so that no reader rounds it; None is not known."""
    spent, followed = found.spent, found.followed
    return {
        "schema_version": SCHEMA_VERSION,
        "farmtui": version,
        "farm": {"name": farm.name, "at": farm.at.isoformat(), "sites": spent.sites},
        "currency": spent.currency,
        "spend": {
            "per_month": money(spent.per_month) if spent.known else None,
            "complete": spent.complete,
            "per_site": money(spent.per_site),
            "freshness": spent.freshness.value,
            "notes": list(spent.notes),
            "groups": [
                {
                    "tier": group.tier.value if group.tier else None,
                    "provider": group.provider,
                    "machines": group.machines,
                    "per_month": money(group.per_month),
                    "unpriced": group.unpriced,
                }
                for group in spent.groups
            ],
            "items": [_item(item) for item in spent.items],
            "sites": [
                {"name": site.name, "sites": site.sites, "per_month": money(site.per_month)}
                for site in site_costs(farm, spent)
            ],
        },
        "digitalocean_bill_usd": None
        if spent.pace is None
        else {
            "month_to_date": money(spent.pace.so_far),
            "per_month_at_this_pace": money(spent.pace.per_month),
            "per_month_listed": money(spent.pace.listed),
        },
        "plan": None
        if found.plan is None
        else {
            "name": found.plan.name,
            "sites": found.plan.sites,
            "follows": found.costing.follows,
            "per_month_with_hardware": money(followed.with_hardware) if followed else None,
            "spend_above_plan_per_month": money(found.against_plan),
            "reference": found.reference,
            "life_months": found.costing.life_months,
            "cheapest_now": found.cheapest.key if found.cheapest else None,
            "scenarios": [_outcome(outcome) for outcome in found.planned],
            "scenarios_at_present_size": [_outcome(outcome) for outcome in found.now],
            "departures": [
                {"scenario": d.scenario, "what": d.what, "stated": d.stated, "computed": d.computed, "why": d.why}
                for d in found.departures
            ],
            "remarks": list(found.plan.remarks),
        },
        "waste": {
            "per_month": money(found.wasted_per_month),
            "items": [
                {
                    "key": item.key,
                    "name": item.name,
                    "kind": item.kind,
                    "per_month": money(item.per_month),
                    "saves": item.saves,
                    "why": item.why,
                    "command": item.command,
                }
                for item in found.wasted
            ],
        },
        "assumptions": [{"what": a.what, "value": a.value, "config": a.key} for a in assumptions(found.costing)],
        "problems": list(found.costing.problems),
    }


def money(amount: Decimal | None) -> str | None:
    """An amount to the cent."""
    return None if amount is None else f"{cents(amount):f}"


def _item(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "name": item.name,
        "kind": item.kind,
        "provider": item.provider,
        "tier": item.tier.value if item.tier else None,
        "per_month": money(item.per_month),
        "detail": item.detail,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    even = outcome.break_even_months
    return {
        "key": outcome.key,
        "title": outcome.title,
        "choice": outcome.choice,
        "per_month": money(outcome.per_month),
        "per_site": money(outcome.per_site),
        "once": money(outcome.once),
        "nodes": outcome.nodes,
        "per_month_with_hardware": money(outcome.with_hardware),
        "break_even_months": None if even is None else round(float(even), 1),
    }
