"""Faults of single sites: those that fail, and those that take what their neighbours need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from farmtui.farm.farm import Farm
from farmtui.farm.sites import SITE_SHARE, Site
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import percent
from farmtui.insight.finding import Finding

SOURCE = "prometheus sites"
_NAMED = 3


def site_name(farm: Farm, router: str) -> str:
    """What a site is called by its router: its host, where that is known and it is one of those that matter."""
    for site in (*farm.sites.worst, *farm.sites.noisy) if farm.sites is not None else ():
        if site.key == router:
            return site.name
    return router


def site_faults(farm: Farm) -> Iterator[Finding]:
    """Sites of which a part fails, and noisy neighbours. Those that fail altogether are the edge's own finding."""
    book, source = farm.sites, farm.source_named(SOURCE)
    if book is None or source is None or source.freshness not in (Freshness.LIVE, Freshness.AGEING):
        return
    told = {site.router for site in farm.edge.sites_failing} if farm.edge is not None else set()
    failing = [site for site in book.worst if site.severity is Severity.CRITICAL and site.key not in told]
    if failing:
        count = max(len(failing), book.critical - len(told))
        one = count == 1
        yield Finding(
            "sites/failing",
            Severity.WARNING,
            f"{failing[0].name} fails in part" if one else f"{count} sites fail in part",
            "a part of its answers is 5xx: what they share is well, so it is the site's own"
            if one
            else "a part of their answers is 5xx: look for what they share, such as a plugin, and what was changed",
            (_named(failing, count),),
            ("site", failing[0].key) if one else ("", ""),
            "sites",
            "wordpress",
            covers=frozenset(("site", site.key) for site in failing),
            topics=("sitesfailing", "siteerror"),
        )
    for site in book.noisy:
        if site.largest_share < SITE_SHARE[1] or site.largest is None:
            continue
        yield Finding(
            f"sites/noisy/{site.key}",
            Severity.WARNING,
            f"{site.name} eats {percent(site.largest_share)} of {site.largest.value}",
            "one site takes what all share: its neighbours wait for it",
            (site.why,),
            ("site", site.key),
            "sites",
            "wordpress",
            topics=("sitehungry", "sitetrafficsurge", "noisyneighbour"),
        )


def _named(sites: Sequence[Site], count: int) -> str:
    names = ", ".join(f"{site.name} ({site.why})" for site in sites[:_NAMED])
    return names + (f" and {count - _NAMED} more" if count > _NAMED else "")
