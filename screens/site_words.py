"""What the screen of sites says beside its table: the tiles, what nobody measures, and what to configure for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.sites import Resource, SiteBook
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import percent, rate
from farmtui.insight.sites import SOURCE
from screens.compute_rows import swarm_freshness
from screens.describe.sites import budget_words
from screens.trends import trend_values
from widgets import ink
from widgets.glyphs import glyphs
from widgets.tile import TileState

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm

PAGE = "docs/sites.md"
_GAPS = (
    ("site.latency_p95_s", "p95"),
    ("site.hit_ratio", "hit ratio"),
    ("site.php_busy", "PHP time"),
    ("site.db_busy", "database time"),
    ("site.cpu_cores", "CPU"),
    ("site.spent_ratio", "error budget"),
)
"""Figures whose absence is said, and what each is called."""


def tiles(farm: Farm, book: SiteBook) -> dict[str, TileState]:
    """The five tiles of a farm whose sites are counted, by name."""
    hurt, seen = book.critical + book.warning, len(book.sites)
    expected = f" of {farm.expected_sites:,}" if farm.expected_sites not in (None, seen) else ""
    worst = max(book.worst, key=lambda site: site.errors_per_s or 0.0, default=None)
    failing = worst if worst is not None and worst.severity >= Severity.WARNING and worst.errors_per_s else None
    busiest, most = book.busiest, book.noisy[0] if book.noisy else book.greediest
    noisy = book.noisy[0].severity if book.noisy else Severity.OK
    errors = [site.errors_per_s for site in book.worst if site.errors_per_s is not None]
    ratio = farm.edge.error_ratio if farm.edge is not None else None
    share = book.share(busiest, Resource.REQUESTS) if busiest is not None else None
    state = Severity.CRITICAL if book.critical else Severity.WARNING if book.warning else Severity.OK
    return {
        "sites": TileState(
            f"{hurt} hurt" if hurt else f"{seen} well",
            f"{book.critical} failing, of {seen:,}{expected}" if hurt else f"all that are seen{expected}",
            state,
        ),
        "requests": TileState(
            rate(book.totals.get(Resource.REQUESTS)),
            f"{percent(share)} {busiest.name}" if busiest is not None else "",
            trend=trend_values(farm, "edge.requests_per_s"),
        ),
        "errors": TileState(
            percent(ratio) if ratio is not None else rate(sum(errors)) if errors else "–",
            f"most: {failing.name}" if failing is not None else "no site fails",
            Severity.CRITICAL if book.critical else Severity.OK,
            trend=trend_values(farm, "edge.error_ratio"),
        ),
        "budget": TileState(
            f"{book.spent} spent" if book.spent else _no_budget(book) or "none spent",
            f"{percent(1.0 - book.target)} over {budget_words(book)}",
            Severity.INFO if book.spent else Severity.OK,
        ),
        "noisy": TileState(
            percent(most.largest_share) if most is not None and most.largest is not None else "–",
            f"{most.largest.value}: {most.name}" if most is not None and most.largest is not None else "",
            noisy,
        ),
    }


def _no_budget(book: SiteBook) -> str:
    """A word for why no error budget is known; empty where it is."""
    figure = "site.spent_ratio" if book.origin == "traefik" else "site.cache_spent_ratio"
    return "?" if figure in book.problems and figure not in book.missing else ""


def note(farm: Farm) -> Content:
    """Who counts, and what is not known: failed and not measured are two things."""
    book = farm.sites
    if book is None or not book.sites:
        return Content("")
    parts: list[Content | tuple[str, str]] = []
    failed = [name for name in book.problems if name in dict(_GAPS) or name == "site.errors_per_s"]
    if failed:
        named = ", ".join(dict(_GAPS).get(name, "5xx") for name in failed)
        mark = glyphs().severity[Severity.UNKNOWN]
        parts.append((f"{mark} not to be had: {named} ({book.problems[failed[0]]})  ", ink.SEVERITY[Severity.UNKNOWN]))
    by = "Traefik's routers" if book.origin == "traefik" else "the caches' log: Traefik counts nothing per router"
    parts.append((f"counted by {by}", ink.MUTED))
    # Of the budget no row means that no site has had any error.
    gaps = [word for name, word in _GAPS if name in book.missing and name != "site.spent_ratio"]
    if gaps:
        parts.append((f"  {glyphs().dot} nobody measures {', '.join(gaps)}: {PAGE}", ink.MUTED))
    return Content.assemble(*parts)


def fallback_note(farm: Farm) -> Content:
    """Why the Swarm's services stand in the sites' place, and what to configure."""
    source = farm.source_named(SOURCE)
    if source is not None and source.failure is None and farm.sites is not None:
        told = f"no counts per site: addRoutersLabels is off ({PAGE}); services instead"
        return Content.styled(told, ink.SEVERITY[Severity.INFO])
    return Content.assemble(
        ("the Swarm's services instead: ", ink.MUTED), (uncounted(farm), ink.SEVERITY[Severity.INFO])
    )


def fallback_tiles(farm: Farm) -> dict[str, TileState]:
    """What is known of the sites where none is counted by itself: the edge as a whole, and the Swarm's services."""
    found: dict[str, TileState] = {}
    cluster, edge = farm.swarm_cluster, farm.edge
    if cluster is not None and cluster.services:
        down = sum(service.short and service.running == 0 for service in cluster.services)
        short = sum(service.short for service in cluster.services)
        severity = Severity.CRITICAL if down else Severity.WARNING if short else Severity.OK
        words = f"{short} short" if short else f"{len(cluster.services)} well"
        found["sites"] = TileState(
            words, f"{down} down, of {len(cluster.services):,} services", severity, swarm_freshness(farm)
        )
    if edge is not None and edge.requests_per_s is not None:
        fresh = farm.freshness("prometheus")
        found["requests"] = TileState(rate(edge.requests_per_s), "all sites together", freshness=fresh)
        found["errors"] = TileState(percent(edge.error_ratio), "of all answers", freshness=fresh)
    return found


def uncounted(farm: Farm) -> str:
    """Why there are no sites to show, and what to configure, in words."""
    source = farm.source_named(SOURCE)
    if source is None:
        return f"nobody counts per site: configure prometheus ({PAGE})"
    if source.freshness is Freshness.FORBIDDEN or source.failure is not None:
        failure = source.failure
        return f"{failure.what}; {failure.remedy}" if failure is not None else "the source refuses us"
    if farm.sites is None:
        return "no answer yet: the sites have not been counted"
    return (
        f"nobody counts per site: set metrics.prometheus.addRoutersLabels in Traefik, or count the caches' log ({PAGE})"
    )
