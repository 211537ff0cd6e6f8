"""The sites, one row each: how each is, why, and how much it takes of what all share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from heapq import nlargest
from types import MappingProxyType
from typing import Final

from farmtui.farm.state import Severity
from farmtui.farm.units import duration, percent

SITE_ERRORS: Final = (0.01, 0.05)
"""Share of 5xx answers of one site, where enough of them have come to mean something."""
SITE_ERRORS_MOST: Final = 0.5
"""A site that fails so often is down, however few ask for it."""
SITE_LATENCY_S: Final = 3.0
"""95th percentile of one site; beyond three seconds visitors leave."""
SITE_SHARE: Final = (0.10, 0.25)
"""Of a resource that all sites share: from the first on it is marked, from the second on the others feel it."""
FAIR_SHARES: Final = 5.0
"""And so many times what each would have if all had the same: of ten sites, a tenth is nothing."""
WINDOW_S: Final = 300.0
"""Rates are over five minutes: so many seconds' worth of answers are what a share rests on."""
_MOST: Final = 1e6
"""Requests per second beyond which sites rank alike."""
FEW, ENOUGH = 3.0, 10.0
"""Errors within the window from which on a share of them is a warning, and an outage."""


class Resource(Enum):
    """What all sites share."""

    REQUESTS = "requests"
    PHP = "PHP"
    CPU = "CPU"
    DATABASE = "database"


_NO_TOTALS: Final[Mapping[Resource, float]] = MappingProxyType({})
_NO_LOOSE: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType({})
_NO_PROBLEMS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Site:
    """One site. Rates are per second, ratios 0-1 (NaN without traffic); None means not measured."""

    key: str
    """Its Traefik router; its host where only the caches' log knows it."""
    name: str
    """Its host where something tells it, else its router's name."""
    service: str = ""
    """Traefik's service behind the router."""
    swarm: str = ""
    """The Swarm service that is this site's own; empty where none is known to be."""
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    latency_p95_s: float | None = None
    hit_ratio: float | None = None
    """hit / (hit + miss), by the caches' log."""
    php_busy: float | None = None
    """PHP seconds per second: how many processes work for it at once."""
    php_s: float | None = None
    """PHP seconds that one of its requests takes that reaches PHP."""
    db_busy: float | None = None
    """Database seconds per second."""
    db_s: float | None = None
    """Database seconds for each request that reaches PHP."""
    cpu_cores: float | None = None
    memory_bytes: float | None = None
    spent_ratio: float | None = None
    """Its share of 5xx answers over the objective's window."""
    largest: Resource | None = None
    """That of the shared resources of which it takes the largest share; None where none is measured."""
    largest_share: float = 0.0
    severity: Severity = Severity.OK
    why: str = ""
    """Why it is not well, the worst first, in a few words."""
    noisy: bool = False
    """Whether it takes so much of something that its neighbours may feel it."""

    @property
    def error_ratio(self) -> float | None:
        """Share of 5xx answers, NaN without traffic."""
        if self.requests_per_s is None or self.errors_per_s is None:
            return None
        return self.errors_per_s / self.requests_per_s if self.requests_per_s > 0 else float("nan")

    @property
    def rank(self) -> float:
        """How much it needs looking at, larger is more: how bad it is, noisy or not, its errors, its requests.

        One number: 50,000 of them are sorted three times as fast as tuples.
        """
        errors, requests = min(self.errors_per_s or 0.0, _MOST), min(self.requests_per_s or 0.0, _MOST)
        return (2 * self.severity + self.noisy) * _MOST * _MOST + errors * _MOST + requests

    def taken(self, resource: Resource) -> float | None:
        """How much it takes of a resource, in that resource's own measure."""
        match resource:
            case Resource.REQUESTS:
                return self.requests_per_s
            case Resource.PHP:
                return self.php_busy
            case Resource.CPU:
                return self.cpu_cores
            case Resource.DATABASE:
                return self.db_busy


@dataclass(frozen=True, slots=True)
class SiteBook:
    """All sites, as of one poll."""

    sites: tuple[Site, ...] = ()
    origin: str = ""
    """Who counts the requests: `traefik`, `varnishncsa`, or nobody."""
    totals: Mapping[Resource, float] = field(default_factory=lambda: _NO_TOTALS)
    """What is taken of each shared resource, whoever takes it."""
    target: float = 0.999
    window_s: float = 30 * 86_400.0
    """The objective: so large a share of answers that are no 5xx, over so long."""
    held_s: float | None = None
    """How far back Prometheus's samples go; None: it does not say."""
    missing: frozenset[str] = frozenset()
    """Figures that nothing gives: no exporter tells them, or they are switched off."""
    problems: Mapping[str, str] = field(default_factory=lambda: _NO_PROBLEMS)
    """Figures that could not be had, and why."""
    loose: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: _NO_LOOSE)
    """By figure and name, what belongs to no site so far: what is known of the Swarm may still tell."""
    critical: int = 0
    warning: int = 0
    spent: int = 0
    """Sites whose error budget is used up."""
    noisy: tuple[Site, ...] = ()
    """The noisy neighbours, the largest share first; ten at most."""
    worst: tuple[Site, ...] = ()
    """The ten that need looking at most, of those that are not well."""
    greediest: Site | None = None
    """That which takes the largest share of anything."""
    busiest: Site | None = None
    """That which is asked most."""

    @property
    def budget_s(self) -> float:
        """Over how long the error budget is counted: the objective's window, or what there is of it."""
        return self.window_s if self.held_s is None else min(self.window_s, max(0.0, self.held_s))

    def left(self, site: Site) -> float | None:
        """What is left of a site's error budget, of 1; below 0 where it is overdrawn."""
        return budget_left(site.spent_ratio, self.target)

    def burn(self, site: Site) -> float | None:
        """How many times faster than allowed a site uses its budget now; at 1 it ends with the window."""
        ratio = site.error_ratio
        return None if ratio is None else ratio / (1.0 - self.target)

    def share(self, site: Site, resource: Resource) -> float | None:
        """A site's share of a resource, 0-1; None where either is not measured."""
        return share_of(site.taken(resource), self.totals.get(resource))

    def found(self, key: str) -> Site | None:
        """The site of a key."""
        return next((site for site in self.sites if site.key == key), None)


def budget_left(spent_ratio: float | None, target: float) -> float | None:
    """What is left of an error budget, of 1; NaN where nothing was asked in all of the window."""
    return None if spent_ratio is None else 1.0 - spent_ratio / (1.0 - target)


def share_of(taken: float | None, total: float | None) -> float | None:
    """A share, 0-1; None where there is nothing to share."""
    return None if taken is None or total is None or not total > 0 else taken / total


def largest_share(
    taken: Iterable[tuple[Resource, float | None]], totals: Mapping[Resource, float]
) -> tuple[Resource | None, float]:
    """The resource of which the largest share is taken, and the share."""
    found: tuple[Resource | None, float] = (None, 0.0)
    for resource, value in taken:
        share = share_of(value, totals.get(resource))
        if share is not None and share > found[1]:
            found = (resource, share)
    return found


def judged(
    requests: float | None,
    errors: float | None,
    latency_p95_s: float | None,
    left: float | None,
    largest: tuple[Resource | None, float],
    count: int,
) -> tuple[Severity, str, bool]:
    """How a site is, why, and whether it is a noisy neighbour. `count` is how many sites share what is shared."""
    told: list[tuple[Severity, str]] = []
    if requests and errors:
        ratio, seen = errors / requests, errors * WINDOW_S
        if (ratio >= SITE_ERRORS[1] and seen >= ENOUGH) or (ratio >= SITE_ERRORS_MOST and seen >= FEW):
            told.append((Severity.CRITICAL, f"{percent(ratio)} are 5xx"))
        elif ratio >= SITE_ERRORS[0] and seen >= FEW:
            told.append((Severity.WARNING, f"{percent(ratio)} are 5xx"))
    resource, share = largest
    noisy = resource is not None and share >= max(SITE_SHARE[0], FAIR_SHARES / max(1, count))
    if noisy and resource is not None:
        severity = Severity.WARNING if share >= SITE_SHARE[1] else Severity.INFO
        told.append((severity, f"eats {percent(share)} of {resource.value}"))
    if latency_p95_s is not None and latency_p95_s >= SITE_LATENCY_S and (requests or 0.0) * WINDOW_S >= ENOUGH:
        told.append((Severity.WARNING, f"p95 {duration(latency_p95_s)}"))
    if not told:
        # It hurts nobody now; it tells that nothing more may be risked.
        spent = left is not None and left <= 0.0
        return (Severity.INFO, "budget spent", False) if spent else (Severity.OK, "", False)
    return max(severity for severity, _ in told), "; ".join(words for _, words in told), noisy


def counted(sites: Iterable[Site], target: float) -> dict[str, object]:
    """The fields of a SiteBook that follow from its sites. For 50,000 it is long work: not for the event loop."""
    critical = warning = spent = 0
    noisy: list[Site] = []
    unwell: list[Site] = []
    greediest: Site | None = None
    busiest: Site | None = None
    for site in sites:
        if greediest is None or site.largest_share > greediest.largest_share:
            greediest = site
        if busiest is None or (site.requests_per_s or 0.0) > (busiest.requests_per_s or 0.0):
            busiest = site
        if site.spent_ratio is not None and (budget_left(site.spent_ratio, target) or 0.0) <= 0.0:
            spent += 1
        if site.severity is Severity.OK:
            continue
        critical += site.severity is Severity.CRITICAL
        warning += site.severity is Severity.WARNING
        unwell.append(site)
        if site.noisy:
            noisy.append(site)
    return {
        "critical": critical,
        "warning": warning,
        "spent": spent,
        # Not `sort`: of 50,000 it holds the interpreter for longer than a keystroke may wait.
        "noisy": tuple(nlargest(10, noisy, key=lambda site: site.largest_share)),
        "worst": tuple(nlargest(10, unwell, key=lambda site: site.rank)),
        "greediest": greediest,
        "busiest": busiest,
    }
