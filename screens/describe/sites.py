"""The describer of a site: its figures, what it takes of what all share, and its own path through every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.sites import Resource, Site, SiteBook
from farmtui.farm.state import Severity
from farmtui.farm.units import count, data_size, duration, percent, rate
from farmtui.insight.site_path import OWN, Step, service_of, steps, suspect
from screens.backup_words import blocks as backups
from screens.describe import Block, Detail, Field, Link, describer
from screens.places import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farmtui.farm.farm import Farm


def site_subject(key: str, name: str = "") -> Subject:
    """The subject of a site by its router, which is what it is called where nothing tells its host."""
    return Subject("site", key, name or key)


def site_of(farm: Farm, key: str) -> Site | None:
    """A site by its key: as it is counted one by one, else what the edge's own lists tell of it."""
    found = farm.sites.found(key) if farm.sites is not None else None
    if found is not None or farm.edge is None:
        return found
    busy = next((site.value for site in farm.edge.sites_busiest if site.router == key), None)
    failing = next((site.value for site in farm.edge.sites_failing if site.router == key), None)
    if busy is None and failing is None:
        return None
    severity, why = (Severity.OK, "") if failing is None else (Severity.CRITICAL, f"{percent(failing)} are 5xx")
    errors = None if failing is None or busy is None else failing * busy
    return Site(key, key, requests_per_s=busy, errors_per_s=errors, severity=severity, why=why)


@describer("site")
def describe_site(farm: Farm, key: str) -> Detail | None:
    """A site's own path through the farm, layer by layer, with where on it it hurts."""
    site = site_of(farm, key)
    if site is None:
        return None
    path = steps(farm, site)
    blocks = [
        Block("Its path, from the visitor down", tuple(_step(step) for step in path)),
        *backups(farm, "site", key),
        Block("Site", tuple(_figures(site, farm.sites))),
        Block("Its share of what all sites share", tuple(_shares(site, farm.sites))),
    ]
    service = service_of(farm, site)
    labels = (("site", site.name), ("router", site.key), ("service", service.name if service else ""))
    links = tuple(_links(path))
    return Detail(
        site.name, site.severity, tuple(_reasons(farm, site, path)), tuple(blocks), links, raw=site, labels=labels
    )


def _reasons(farm: Farm, site: Site, path: Sequence[Step]) -> Iterator[str]:
    """Why it is not well, and which layer to look at first."""
    if site.why:
        yield site.why
    layer = suspect(path)
    where = f"{layer.layer}: {'; '.join(layer.why[:2]) or layer.words}" if layer is not None else ""
    if layer is not None and (layer.severity is Severity.CRITICAL or layer.layer in OWN):
        yield f"it hurts at its {where}"
    elif site.severity >= Severity.WARNING:
        yield f"no layer of its path is down: look at the site itself, {_itself(site)}"
        if where:
            yield f"not quite well is its {where}"
    elif where:
        yield f"not felt so far: its {where}"
    for other in farm.sites.noisy[:2] if farm.sites is not None else ():
        if other.key != site.key and other.severity >= Severity.WARNING:
            yield f"a noisy neighbour: {other.name} {other.why}"


def _itself(site: Site) -> str:
    """What of a site itself to look at."""
    if site.severity is Severity.WARNING and site.noisy:
        return "at what it runs: a plugin's query or job, a crawler, a loop"
    return "at what was changed: a plugin, its theme, its tables"


def _figures(site: Site, book: SiteBook | None) -> Iterator[Field]:
    failing = site.severity if site.why.startswith(percent(site.error_ratio)) else None
    yield Field("router", site.key)
    yield Field("requests", rate(site.requests_per_s))
    yield Field("5xx answers", f"{percent(site.error_ratio)}, {rate(site.errors_per_s)}", failing)
    yield Field("p95", duration(site.latency_p95_s), Severity.WARNING if "p95 " in site.why else None)
    yield Field("hit ratio", percent(site.hit_ratio))
    yield Field("PHP", _each(site.php_s, "a request that reaches it"))
    yield Field("database", _each(site.db_s, "a request that reaches PHP"))
    yield Field("processors", count(site.cpu_cores))
    yield Field("memory", data_size(site.memory_bytes))
    if book is None:
        return
    left, burn = book.left(site), book.burn(site)
    over = f"{percent(1.0 - book.target)} of requests may fail, over {budget_words(book)}"
    yield Field(
        "error budget", f"{percent(left)} left: {over}", Severity.WARNING if left is not None and left <= 0 else None
    )
    yield Field("burning", "–" if burn is None or burn != burn else f"{count(burn)}x as fast as the budget bears")


def budget_words(book: SiteBook) -> str:
    """Over how long error budgets are counted: `30d`, or `15d 12h, all that Prometheus holds of 30d`."""
    if book.budget_s < book.window_s:
        return f"{duration(book.budget_s)}, all that Prometheus holds of {duration(book.window_s)}"
    return duration(book.window_s)


def _each(seconds: float | None, what: str) -> str:
    return duration(seconds) if seconds is None else f"{duration(seconds)} {what}"


def _step(step: Step) -> Field:
    why = f": {'; '.join(step.why[:3])}" if step.why else ""
    return Field(step.layer, f"{step.words}{why}", step.severity if step.severity >= Severity.WARNING else Severity.OK)


def _shares(site: Site, book: SiteBook | None) -> Iterator[Field]:
    if book is None:
        return
    for resource in Resource:
        share = book.share(site, resource)
        if share is not None:
            loud = site.noisy and resource is site.largest
            yield Field(resource.value, percent(share), max(site.severity, Severity.WARNING) if loud else None)


def _links(path: Sequence[Step]) -> Iterator[Link]:
    """What the path consists of, in its order; of a tier that is well the machines are not all listed."""
    for step in path:
        whole = step.layer in ("service", "worker", "host", "database")
        for (kind, key), text, severity in step.things:
            if whole or severity >= Severity.WARNING:
                yield Link(step.layer, Subject(kind, key, text.partition(":")[0]), text, severity)
