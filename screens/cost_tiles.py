"""The cost screen's tiles: what is to be seen in two seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.money import SIGNS, money
from farmtui.farm.state import Severity
from farmtui.farm.units import percent
from screens.cost_columns import share, tier_words
from widgets.tile import Tile, TileState

if TYPE_CHECKING:
    from farmtui.insight.costs import Costs
    from farmtui.insight.spend import Spend
    from screens.frame import FarmScreen

ABOVE_PLAN = 0.05
"""From which share above the plan on the spend warns."""


def show_tiles(screen: FarmScreen, found: Costs) -> None:
    """All of them."""
    for name, state in (
        ("spend", _spend(found)),
        ("site", _site(found)),
        ("most", _most(found)),
        ("least", _least(found)),
        ("even", _even(found)),
        ("waste", _waste(found)),
    ):
        screen.query_one(f"#tile-{name}", Tile).show(state)


def _spend(found: Costs) -> TileState:
    spent, followed, above = found.spent, found.followed, found.against_plan
    if not spent.known:
        return TileState("–", _why_unknown(spent), severity=Severity.UNKNOWN)
    value = money(spent.per_month, spent.currency)
    if not spent.complete:
        return TileState(f"≥{value}", "a part is unknown", severity=Severity.UNKNOWN, freshness=spent.freshness)
    if followed is None or above is None:
        return TileState(value, "no plan", freshness=spent.freshness)
    ratio = share(above, followed.with_hardware) or 0.0
    words = "as planned" if abs(ratio) < 0.005 else f"{percent(abs(ratio))} {'above' if ratio > 0 else 'below'} plan"
    severity = Severity.WARNING if ratio > ABOVE_PLAN else Severity.OK
    return TileState(value, f"{words} {followed.key}", severity=severity, freshness=spent.freshness)


def _why_unknown(spent: Spend) -> str:
    """Of a spend of which no part is known."""
    return "not known" if spent.configured else "not configured"


def _site(found: Costs) -> TileState:
    spent = found.spent
    least = "" if spent.complete else "≥"
    sites = f"{spent.sites} sites" if spent.sites else "how many?"
    if spent.per_site is None:
        return TileState("–", sites, severity=Severity.UNKNOWN)
    return TileState(f"{least}{money(spent.per_site, spent.currency)}", sites, freshness=spent.freshness)


def _most(found: Costs) -> TileState:
    spent = found.spent
    if not spent.known:
        return TileState("–", _why_unknown(spent), severity=Severity.UNKNOWN)
    if not spent.per_month:
        return TileState("–", "nothing costs")
    first = spent.groups[0]
    provider = {"digitalocean": "DO", "pve": "PVE"}.get(first.provider, first.provider)
    value = percent(share(first.per_month, spent.per_month))
    return TileState(value, f"{tier_words(first.tier)}, {provider}", freshness=spent.freshness)


def _least(found: Costs) -> TileState:
    best = found.cheapest
    if best is None:
        return TileState("–", "no plan", severity=Severity.UNKNOWN)
    words = "as followed" if best.key == found.costing.follows else f"not {found.costing.follows}, as now"
    return TileState(f"{best.key} {money(best.with_hardware, found.spent.currency)}", words)


def _even(found: Costs) -> TileState:
    hybrid = found.hybrid
    if hybrid is None:
        return TileState("–", "no hardware planned")
    life, even = found.costing.life_months, hybrid.break_even_months
    if even is None:
        return TileState("never", f"{hybrid.key} against {found.reference}", severity=Severity.WARNING)
    late = even > life
    words = f"{hybrid.key}, of {life} mo"
    return TileState(f"{even:.1f} mo", words, severity=Severity.WARNING if late else Severity.OK)


def _waste(found: Costs) -> TileState:
    spent, number = found.spent, len(found.wasted)
    if not spent.known and not number:
        return TileState("–", _why_unknown(spent), severity=Severity.UNKNOWN)
    things = f"{number} {'thing' if number == 1 else 'things'}" if number else "nothing"
    severity = Severity.WARNING if found.wasted_per_month else Severity.OK
    # Whole amounts: it is the size that matters here, the table has the cents.
    wasted = f"{found.wasted_per_month:,.0f}"
    value = f"{SIGNS[spent.currency]}{wasted}" if spent.currency in SIGNS else wasted
    return TileState(value, things, severity=severity, freshness=spent.freshness)
