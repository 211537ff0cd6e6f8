"""The cost screen's tables, column by column."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.money import exact, money, months
from farmtui.farm.state import Severity
from farmtui.farm.units import count
from screens.columns import figure
from widgets import ink
from widgets.glyphs import glyphs
from widgets.meter import meter
from widgets.table_columns import Column

if TYPE_CHECKING:
    from farmtui.farm.node import Tier
    from farmtui.insight.assumptions import Assumption
    from farmtui.insight.costs import Costs
    from farmtui.insight.departures import Departure
    from farmtui.insight.scenarios import Outcome
    from farmtui.insight.site_costs import SiteCost
    from farmtui.insight.spend import Group, Item
    from farmtui.insight.waste import Waste

SHARED = "shared"
"""What is of no tier alone."""


def tier_words(tier: Tier | None) -> str:
    """A tier's title, or what is said where there is none."""
    return tier.title if tier is not None else SHARED


def share(part: Decimal, whole: Decimal) -> float | None:
    """A part of a whole, 0-1; None of nothing."""
    return float(part / whole) if whole else None


def spend_columns(found: Costs | None) -> tuple[Column[Group], ...]:
    """Tiers and providers. Built anew for each picture, since shares and the plan are of it."""
    whole = found.spent.per_month if found else Decimal(0)
    sites = found.spent.sites if found else None

    def planned(group: Group) -> Decimal | None:
        return found.planned_of(group.tier, group.provider) if found else None

    return (
        Column("tier", "tier", lambda g: tier_words(g.tier), width=11, flex=1, priority=0,
               sort=lambda g: tier_words(g.tier)),
        Column("provider", "paid to", lambda g: g.provider, width=12, flex=1, priority=0, sort=lambda g: g.provider),
        Column("machines", "machines", lambda g: str(g.machines) if g.machines else "–", width=8, align="right",
               priority=2, sort=lambda g: g.machines, descending=True),
        Column("cost", "a month", lambda g: _with_unpriced(g), width=11, align="right", priority=0,
               sort=lambda g: g.per_month, descending=True),
        Column("share", "share", lambda g: meter(share(g.per_month, whole), 22), width=22, priority=1),
        Column("site", "a site", lambda g: exact(g.per_month / sites) if sites else "–", width=8, align="right",
               priority=3),
        Column("plan", "plan", lambda g: exact(planned(g)), width=9, align="right", priority=4,
               help="what the followed scenario has for this tier at this provider"),
    )  # fmt: skip


def _with_unpriced(group: Group) -> str:
    return f"≥{exact(group.per_month)}" if group.unpriced else exact(group.per_month)


ITEMS: tuple[Column[Item], ...] = (
    Column("name", "what", lambda i: i.name, width=18, flex=2, priority=0, sort=lambda i: i.name),
    Column("kind", "kind", lambda i: i.kind, width=13, priority=1, sort=lambda i: i.kind),
    Column("tier", "tier", lambda i: tier_words(i.tier), width=10, priority=2, sort=lambda i: tier_words(i.tier)),
    Column("provider", "paid to", lambda i: i.provider, width=12, priority=3, sort=lambda i: i.provider),
    Column("cost", "a month", lambda i: exact(i.per_month), width=10, align="right", priority=0,
           sort=lambda i: i.per_month, descending=True),
    Column("detail", "by", lambda i: i.detail, width=24, flex=2, priority=1),
)  # fmt: skip


def site_columns(found: Costs | None) -> tuple[Column[SiteCost], ...]:
    """Sites."""
    whole = found.spent.per_month if found else Decimal(0)
    return (
        Column("name", "site", lambda s: s.name, width=24, flex=2, priority=0, sort=lambda s: s.name),
        Column("requests", "requests/s", lambda s: count(s.requests_per_s), width=10, align="right", priority=1,
               sort=lambda s: s.requests_per_s, descending=True),
        Column("cost", "a month", lambda s: exact(s.per_month), width=10, align="right", priority=0,
               sort=lambda s: s.per_month / s.sites, descending=True),
        Column("each", "each", lambda s: exact(s.per_month / s.sites), width=9, align="right", priority=1),
        Column("share", "share", lambda s: meter(share(s.per_month, whole), 26), width=26, priority=2),
    )  # fmt: skip


def scenario_columns(found: Costs | None) -> tuple[Column[tuple[Outcome, Outcome]], ...]:
    """Scenarios: each as planned, and at the farm's present size."""
    return (
        Column("key", "plan", lambda r: _marked(found, r[0].key), width=10, priority=0),
        Column("title", "how", lambda r: r[0].title, width=22, flex=2, priority=3),
        Column("machines", "machines", lambda r: str(r[0].nodes or "–"), width=8, align="right", priority=6),
        Column("planned", "a month", lambda r: money(r[0].per_month), width=8, align="right", priority=1,
               help="running costs as planned, worked out from its lines"),
        Column("now", "now", lambda r: money(r[1].per_month), width=7, align="right", priority=2,
               help="the same with as many machines as the farm has now"),
        Column("site", "a site", lambda r: money(r[1].per_site), width=7, align="right", priority=2),
        Column("once", "hardware", lambda r: money(r[0].once or None), width=8, align="right", priority=4),
        Column("whole", "with hw", lambda r: money(r[1].with_hardware), width=8, align="right", priority=0,
               sort=lambda r: r[1].with_hardware, help="running costs, and hardware's share over its life"),
        Column("even", "breaks even", lambda r: even_words(found, r[1]), width=18, priority=0,
               help="when its hardware has paid for itself against the first choice that has none"),
    )  # fmt: skip


def _marked(found: Costs | None, key: str) -> Content | str:
    """The cheapest choice is marked, and the one that the farm follows."""
    if found is None:
        return key
    best = found.cheapest is not None and found.cheapest.key == key
    parts: list[tuple[str, str]] = [(key, ink.STRONG if best else "")]
    if best:
        parts.append((f" {glyphs().severity[Severity.OK]} least", ink.OK))
    elif key == found.costing.follows:
        parts.append((" followed", ink.MUTED))
    return Content.assemble(*parts)


def even_words(found: Costs | None, outcome: Outcome) -> Content | str:
    """When hardware has paid for itself; a break-even after its life is none."""
    if not outcome.once or found is None:
        return "–"
    even = outcome.break_even_months
    if even is None:
        return figure("never", Severity.WARNING)
    late = even > found.costing.life_months
    words = f"{months(even)}".replace(" months", " mo")
    return figure(f"{words} of {found.costing.life_months}", Severity.WARNING if late else Severity.OK)


DEPARTURES: tuple[Column[Departure], ...] = (
    Column("scenario", "plan", lambda d: d.scenario, width=10, priority=0),
    Column("what", "the document departs from its inputs in", lambda d: d.what, width=34, flex=2, priority=0),
    Column("stated", "says", lambda d: d.stated, width=8, align="right", priority=0),
    Column("computed", "gives", lambda d: Content.styled(d.computed, ink.WARNING), width=10, align="right", priority=0),
    Column("why", "since", lambda d: d.why, width=30, flex=3, priority=1),
)

WASTE: tuple[Column[Waste], ...] = (
    Column("saves", "saves", lambda w: exact(w.per_month) if w.saves else "–", width=8, align="right", priority=0,
           sort=lambda w: w.per_month if w.saves else None, descending=True, help="a month"),
    Column("kind", "kind", lambda w: w.kind, width=13, priority=2, sort=lambda w: w.kind),
    Column("name", "what", lambda w: w.name, width=16, flex=1, priority=0, sort=lambda w: w.name),
    Column("why", "why", lambda w: w.why, width=22, flex=2, priority=1),
    Column("command", "c copies what ends it", lambda w: w.command, width=30, flex=3, priority=3),
)  # fmt: skip

ASSUMPTIONS: tuple[Column[Assumption], ...] = (
    Column("what", "assumed", lambda a: a.what, width=30, flex=2, priority=0),
    Column("value", "is", lambda a: a.value, width=24, flex=2, priority=0),
    Column("key", "in the config", lambda a: a.key, width=22, flex=1, priority=0),
)
