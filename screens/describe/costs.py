"""The describer of a thing that is paid for and is no machine: a volume, a balancer, an address, a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.money import exact
from farmtui.farm.state import Severity
from farmtui.insight.spend import spend
from farmtui.insight.waste import waste
from screens.describe import Block, Detail, Field, describer

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm


@describer("cost")
def describe_cost(farm: Farm, key: str) -> Detail | None:
    """One item of the spend, and why it is waste where it is."""
    spent = spend(farm)
    item = next((item for item in spent.items if item.key == key), None) if spent is not None else None
    wasted = next((found for found in waste(farm, spent) if found.key == key), None) if spent is not None else None
    if spent is None or (item is None and wasted is None):
        return None
    fields = []
    if item is not None:
        fields += [
            Field("kind", item.kind),
            Field("a month", f"{exact(item.per_month)} {spent.currency}"),
            Field("paid to", item.provider),
            Field("tier", item.tier.title if item.tier is not None else "of none alone"),
            Field("by", item.detail or "–"),
        ]
    if wasted is not None:
        fields += [Field("wasted", wasted.why, Severity.WARNING), Field("what ends it", wasted.command)]
    name = item.name if item is not None else wasted.name if wasted is not None else key
    severity = Severity.WARNING if wasted is not None else None
    reasons = (wasted.why,) if wasted is not None else ()
    raw = {"item": item, "waste": wasted}
    return Detail(name, severity, reasons, (Block("Cost", tuple(fields)),), raw=raw)
