"""One site by its many names: router, host, Swarm service, PHP pool, database user; one where that is sure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from farmtui.farm.sites import Resource, Site, SiteBook, budget_left, counted, judged, largest_share
from farmtui.farm.swarm import SwarmService

_BETWEEN: Final = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """A name as labels have it: `Shop.Example@docker` and `shop_example` are both `shop-example`."""
    return _BETWEEN.sub("-", name.partition("@")[0].casefold()).strip("-")


class Named:
    """Things by their names. A name that two of them have names neither."""

    def __init__(self, names: Iterable[tuple[str, int]]) -> None:
        self._at: dict[str, int | None] = {}
        for name, place in names:
            key = slug(name)
            if self._at.setdefault(key, place) != place:
                self._at[key] = None
        self._at.pop("", None)

    def place(self, name: str) -> int | None:
        """The thing of a name, which may have one word before it: a stack's (`wp_shop-example`) or a prefix."""
        found = self._at.get(slug(name))
        if found is None and "_" in name:
            found = self._at.get(slug(name.partition("_")[2]))
        return found


def with_services(book: SiteBook, services: Sequence[SwarmService]) -> SiteBook:
    """The book with each site's host and Swarm service, where the Swarm's labels or names tell them.

    A router in a service's labels is that service's. Else a service is a site's where its name is the router's or the
    host's. What was measured of a service that has found its site now is the site's.
    """
    if not book.sites or not services:
        return book
    routed = {router: (service, host) for service in services for router, host in service.routes}
    named = Named((service.name.partition("_")[2] or service.name, n) for n, service in enumerate(services))
    loose = {figure: dict(values) for figure, values in book.loose.items()}
    sites = tuple([_with_service(site, routed, named, services, loose, book) for site in book.sites])
    if all(a is b for a, b in zip(sites, book.sites, strict=True)):
        return book
    found: dict[str, Any] = counted(sites, book.target)
    kept = MappingProxyType({figure: MappingProxyType(values) for figure, values in loose.items() if values})
    return replace(book, sites=sites, loose=kept, **found)


def _with_service(
    site: Site,
    routed: Mapping[str, tuple[SwarmService, str]],
    named: Named,
    services: Sequence[SwarmService],
    loose: Mapping[str, dict[str, float]],
    book: SiteBook,
) -> Site:
    service, host = routed.get(site.key.partition("@")[0], (None, ""))
    if service is None:
        place = next((at for at in map(named.place, (site.key, site.name)) if at is not None), None)
        service = services[place] if place is not None else None
    if service is None:
        return site
    if not host and site.name == site.key.partition("@")[0] and len(service.routes) == 1:
        host = service.routes[0][1]
    cpu = loose["site.cpu_cores"].pop(service.name, None) if "site.cpu_cores" in loose else None
    memory = loose["site.memory_bytes"].pop(service.name, None) if "site.memory_bytes" in loose else None
    if cpu is None and memory is None:
        return replace(site, name=host or site.name, swarm=service.name)
    cpu = site.cpu_cores if cpu is None else cpu
    largest = largest_share(
        ((resource, cpu if resource is Resource.CPU else site.taken(resource)) for resource in Resource), book.totals
    )
    severity, why, noisy = judged(
        site.requests_per_s, site.errors_per_s, site.latency_p95_s, budget_left(site.spent_ratio, book.target),
        largest, len(book.sites),
    )  # fmt: skip
    return replace(
        site, name=host or site.name, swarm=service.name, cpu_cores=cpu,
        memory_bytes=site.memory_bytes if memory is None else memory,
        largest=largest[0], largest_share=largest[1], severity=severity, why=why, noisy=noisy,
    )  # fmt: skip
