"""What each site costs: the whole spread over the sites by the config's key."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from farmtui.farm.farm import Farm
from farmtui.insight.spend import Spend
from farmtui.insight.spread import ZERO, spread


@dataclass(frozen=True, slots=True)
class SiteCost:
    """One site, or (`sites` above 1) all those whose own figures are not known, together."""

    name: str
    per_month: Decimal
    sites: int = 1
    requests_per_s: float | None = None


def site_costs(farm: Farm, spent: Spend) -> tuple[SiteCost, ...]:
    """The sites whose traffic is known, the dearest first, then the others; they add up to the whole to the cent."""
    if not spent.sites or not spent.known:
        return ()
    busiest = farm.edge.sites_busiest[: spent.sites] if farm.edge else ()
    rest = spent.sites - len(busiest)
    if farm.costing is None or farm.costing.spread_sites_by == "equal" or not busiest:
        weights: list[float] = [1.0] * len(busiest)
        others = float(rest)
    else:
        weights = [max(0.0, site.value) for site in busiest]
        whole = (farm.edge.requests_per_s if farm.edge else None) or 0.0
        others = max(0.0, whole - sum(weights)) if rest else 0.0
        # Nothing is known of anybody's traffic: each the same.
        if not sum(weights) + others:
            weights, others = [1.0] * len(busiest), float(rest)
    parts = spread(spent.per_month, [*weights, others])
    found = [
        SiteCost(site.router.partition("@")[0], amount, 1, site.value)
        for site, amount in zip(busiest, parts, strict=False)
    ]
    found.sort(key=lambda site: (-site.per_month, site.name))
    if rest:
        name = f"the other {rest} sites" if busiest else f"all {rest} sites"
        found.append(SiteCost(name, parts[-1], rest))
    elif parts[-1] != ZERO:
        found[0] = SiteCost(found[0].name, found[0].per_month + parts[-1], 1, found[0].requests_per_s)
    return tuple(found)
