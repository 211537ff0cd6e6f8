"""Farms that are their sites: as many as a test asks for, well but for what it changes."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

from farmtui.farm.farm import Farm
from farmtui.farm.sites import Resource, Site, SiteBook, budget_left, counted, judged, largest_share
from farmtui.farm.state import Freshness
from farmtui.insight.sites import SOURCE
from tests.screens.farms import make_farm, make_source

TARGET = 0.999


def site(name: str = "shop.example", **changes: Any) -> Site:
    """A site that is well but for the changes; it is not judged yet."""
    made = Site(
        f"{name.replace('.', '-')}@file", name, "varnish@file", requests_per_s=10.0, errors_per_s=0.0,
        latency_p95_s=0.3, hit_ratio=0.9, php_busy=0.2, php_s=0.2, db_busy=0.02, db_s=0.02, cpu_cores=0.1,
        memory_bytes=3e8, spent_ratio=0.0004,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def book(*sites: Site, **changes: Any) -> SiteBook:
    """These sites, judged as their source judges them."""
    totals = {resource: sum(each.taken(resource) or 0.0 for each in sites) for resource in Resource}
    told = []
    for each in sites:
        largest = largest_share(((resource, each.taken(resource)) for resource in Resource), totals)
        severity, why, noisy = judged(
            each.requests_per_s, each.errors_per_s, each.latency_p95_s, budget_left(each.spent_ratio, TARGET), largest,
            len(sites),
        )  # fmt: skip
        told.append(
            dataclasses.replace(
                each, largest=largest[0], largest_share=largest[1], severity=severity, why=why, noisy=noisy
            )
        )
    found: dict[str, Any] = counted(told, TARGET)
    made = SiteBook(tuple(told), "traefik", MappingProxyType(totals), TARGET, **found)
    return dataclasses.replace(made, **changes)


def crowd(count: int = 200) -> tuple[Site, ...]:
    """Sites that are well."""
    return tuple(site(f"site-{n:05d}.example", requests_per_s=1.0 + n % 7) for n in range(count))


def sites_farm(sites: SiteBook | None, freshness: Freshness = Freshness.LIVE, **changes: Any) -> Farm:
    """A farm that is its sites."""
    source = make_source("prometheus", freshness, name=SOURCE)
    farm = make_farm(sources=[make_source("prometheus"), source])
    return dataclasses.replace(farm, sites=sites, **changes)
