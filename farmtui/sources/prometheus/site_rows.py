"""Figures by router, host, pool, user and service as one row for each site."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from farmtui.farm.site_names import Named, slug
from farmtui.farm.sites import Resource, Site, SiteBook, budget_left, counted, judged, largest_share
from farmtui.sources.prometheus.decode import Key
from farmtui.sources.prometheus.figures import Answer

Values = Mapping[Key, float]

_RESOURCES: Final = (
    (Resource.PHP, "site.php_busy"),
    (Resource.CPU, "site.cpu_cores"),
    (Resource.DATABASE, "site.db_busy"),
)
_BY_OTHER_NAMES: Final = ("php_busy", "php_requests_per_s", "db_busy", "cpu_cores", "memory_bytes", "hit_ratio")
_NONE: Final[Values] = MappingProxyType({})


class _Given:
    """What has been answered, by figure; a figure that failed is None, and one without any row is missing."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self.missing = frozenset(name for name, a in answers.items() if not a.failed and not a.values)
        self.problems = MappingProxyType({name: a.problem for name, a in sorted(answers.items()) if a.problem})

    def values(self, name: str) -> Values | None:
        """A figure's numbers by labels; None where it could not be had or was not asked."""
        answer = self._answers.get(name)
        return None if answer is None or answer.failed else answer.values

    def number(self, name: str) -> float | None:
        """A figure that is a single number; None where there is none."""
        value = (self.values(name) or _NONE).get(())
        return None if value is None or math.isnan(value) else value


def site_book(answers: Mapping[str, Answer], *, target: float, window_s: float) -> SiteBook:
    """All sites. The rows are Traefik's routers; where it tells none, the hosts of the caches' log."""
    given = _Given(answers)
    requests, services = _by_router(given.values("site.requests_per_s") or _NONE)
    origin, errors, spent = "traefik", given.values("site.errors_per_s"), given.values("site.spent_ratio")
    if not requests:
        origin, errors, spent = "varnishncsa", given.values("site.cache_errors_per_s"), None
        requests = {key[0]: value for key, value in (given.values("site.cache_requests_per_s") or _NONE).items()}
        spent = given.values("site.cache_spent_ratio")
    keys = tuple(requests)
    named = Named((key, place) for place, key in enumerate(keys))
    others, loose = _by_place(given, named)
    names = _hosts(given, keys, named) if origin == "traefik" else {}
    totals = {Resource.REQUESTS: _sum(requests.values())}
    totals.update((resource, _sum(values.values())) for resource, name in _RESOURCES if (values := given.values(name)))
    latency = given.values("site.latency_p95_s") or _NONE
    sites: list[Site] = []
    for place, key in enumerate(keys):
        label = (key,)
        row: dict[str, float | None] = {name: others[name].get(place) for name in _BY_OTHER_NAMES}
        php_busy, php_requests, db_busy = row["php_busy"], row["php_requests_per_s"], row["db_busy"]
        asked = requests[key]
        failed = None if errors is None else errors.get(label, 0.0)
        spent_ratio = None if spent is None else spent.get(label, 0.0)
        p95 = latency.get(label)
        taken = (
            (Resource.REQUESTS, asked),
            (Resource.PHP, php_busy),
            (Resource.CPU, row["cpu_cores"]),
            (Resource.DATABASE, db_busy),
        )
        largest = largest_share(taken, totals)
        severity, why, noisy = judged(asked, failed, p95, budget_left(spent_ratio, target), largest, len(keys))
        sites.append(
            Site(
                key=key,
                name=names.get(place) or key.partition("@")[0],
                service=services.get(key, ""),
                requests_per_s=asked,
                errors_per_s=failed,
                latency_p95_s=p95,
                hit_ratio=row["hit_ratio"],
                php_busy=php_busy,
                php_s=_each(php_busy, php_requests),
                db_busy=db_busy,
                db_s=_each(db_busy, php_requests),
                cpu_cores=row["cpu_cores"],
                memory_bytes=row["memory_bytes"],
                spent_ratio=spent_ratio,
                largest=largest[0],
                largest_share=largest[1],
                severity=severity,
                why=why,
                noisy=noisy,
            )
        )
    found: dict[str, Any] = counted(sites, target)
    return SiteBook(
        sites=tuple(sites),
        origin=origin if sites else "",
        totals=MappingProxyType(totals),
        target=target,
        window_s=window_s,
        held_s=given.number("site.held_s"),
        missing=given.missing,
        problems=given.problems,
        loose=loose,
        **found,
    )


def _by_router(values: Values) -> tuple[dict[str, float], dict[str, str]]:
    """Requests and the service by router: one with several services (weights, mirrors) is one site."""
    requests: dict[str, float] = {}
    services: dict[str, str] = {}
    for (router, service), value in values.items():
        if math.isnan(value):
            continue
        requests[router] = requests.get(router, 0.0) + value
        services.setdefault(router, service)
    return requests, services


def _by_place(given: _Given, named: Named) -> tuple[dict[str, dict[int, float]], Mapping[str, Mapping[str, float]]]:
    """What is measured under other names by the site's place, and what belongs to no site."""
    found: dict[str, dict[int, float]] = {name: {} for name in _BY_OTHER_NAMES}
    loose: dict[str, Mapping[str, float]] = {}
    for name in _BY_OTHER_NAMES:
        figure, rest = f"site.{name}", {}
        values, into = given.values(figure) or _NONE, found[name]
        for (label, *_), value in values.items():
            place = named.place(label)
            if place is None:
                rest[label] = value
            # A ratio is of one thing; times and counts of several pools of one site add up.
            elif name == "hit_ratio" or place not in into:
                into[place] = value
            else:
                into[place] += value
        if rest and name != "hit_ratio":
            loose[figure] = MappingProxyType(rest)
    return found, MappingProxyType(loose)


def _hosts(given: _Given, keys: tuple[str, ...], named: Named) -> dict[int, str]:
    """The hosts that the caches' log names, by the place of the router that is called so."""
    found: dict[int, str] = {}
    for (host,) in given.values("site.cache_requests_per_s") or _NONE:
        place = named.place(host)
        if place is not None and "." in host and slug(host) == slug(keys[place]):
            found[place] = host
    return found


def _each(busy: float | None, per_s: float | None) -> float | None:
    """Seconds for one of them; None where either is not measured, none came, or so few that no sample has seen one."""
    return None if not busy or per_s is None or not per_s > 0 else busy / per_s


def _sum(values: Iterable[float]) -> float:
    return math.fsum(value for value in values if value == value)
