"""Which exporters a Prometheus scrapes, as its figures tell; and which screens have something to show by that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from farmtui.discovery.found import Found
from farmtui.sources.prometheus.explain import FigureReport, FigureStatus


@dataclass(frozen=True, slots=True)
class Exporter:
    """An exporter that the console has figures for."""

    name: str
    figures: tuple[str, ...]
    """Figures of the catalogue that tell whether it is there; the first that gives something counts."""
    counts: str
    """What the first figure has a series for each of."""
    screen: str
    """The screen that stands empty without it."""
    remedy: str
    """What to install or to turn on."""


EXPORTERS: Final = (
    Exporter(
        "node exporter",
        ("node.load1",),
        "machines",
        "compute",
        "install prometheus-node-exporter on every machine and scrape port 9100",
    ),
    Exporter(
        "Traefik",
        ("edge.requests_per_s", "edge.open_connections", "edge.certificate_expiry", "edge.server_up"),
        "edge nodes",
        "overview",
        "turn on metrics.prometheus in Traefik's static configuration, and scrape it",
    ),
    Exporter(
        "figures per site",
        ("site.requests_per_s", "site.cache_requests_per_s"),
        "sites",
        "sites",
        "turn on metrics.prometheus.addRoutersLabels in Traefik, or count the caches' log (docs/sites.md)",
    ),
    Exporter(
        "Varnish",
        ("cache.uptime_s",),
        "caches",
        "cache",
        "install prometheus-varnish-exporter on the cache nodes and scrape port 9131",
    ),
    Exporter(
        "Redis",
        ("redis.up",),
        "instances",
        "cache",
        "install prometheus-redis-exporter beside each Redis and scrape port 9121",
    ),
    Exporter(
        "Galera",
        ("db.cluster_size", "db.up"),
        "database nodes",
        "database",
        "install prometheus-mysqld-exporter on the database nodes and scrape port 9104",
    ),
    Exporter(
        "Ceph's mgr",
        ("ceph.osd_up", "ceph.health_status"),
        "OSDs",
        "storage",
        "run `ceph mgr module enable prometheus` and scrape port 9283 of every mgr",
    ),
    Exporter(
        "Docker Swarm",
        ("swarm.managers",),
        "engines",
        "compute",
        "set metrics-addr in each engine's daemon.json and scrape port 9323",
    ),
    Exporter(
        "cAdvisor",
        ("site.cpu_cores",),
        "services",
        "sites",
        "run cAdvisor on every Swarm node, for each site's share of CPU and memory",
    ),
    Exporter(
        "PHP-FPM",
        ("site.php_busy",),
        "pools",
        "sites",
        "scrape php-fpm's status by its exporter, for the PHP time of each site",
    ),
    Exporter(
        "interconnect",
        ("probe.up",),
        "links",
        "topology",
        "probe the other side by blackbox_exporter in a job called interconnect",
    ),
)


class Presence(Enum):
    """Whether an exporter is there. No two of these mean the same."""

    YES = "yes"
    SILENT = "silent"
    """Prometheus knows its metrics, and has no value of them now."""
    NO = "no"
    FAILED = "failed"
    """It could not be asked about."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An exporter, looked for."""

    exporter: Exporter
    presence: Presence
    count: int = 0
    detail: str = ""


def exporters_seen(reports: Iterable[FigureReport]) -> tuple[Seen, ...]:
    """Every exporter of the table, by what its figures gave."""
    by_name = {report.name: report for report in reports}
    return tuple(_seen(exporter, by_name) for exporter in EXPORTERS)


def _seen(exporter: Exporter, reports: Mapping[str, FigureReport]) -> Seen:
    known = [reports[name] for name in exporter.figures if name in reports]
    for report in known:
        if report.status is FigureStatus.OK:
            # Only the first figure has a series for each.
            count = report.series if report.name in (exporter.figures[0], "site.cache_requests_per_s") else 0
            return Seen(exporter, Presence.YES, count)
    if not known or all(report.status is FigureStatus.MISSING for report in known):
        return Seen(exporter, Presence.NO)
    for report in known:
        if report.status in (FigureStatus.FAILED, FigureStatus.REFUSED):
            return Seen(exporter, Presence.FAILED, detail=report.detail)
    return Seen(exporter, Presence.SILENT)


@dataclass(frozen=True, slots=True)
class ScreenUse:
    """What one screen will show."""

    key: str
    name: str
    by: tuple[str, ...]
    """What feeds it; empty: it has nothing to show."""
    lacks: str = ""
    """What it would take."""
    known: bool = True
    """False: whether it would show anything is not known, since Prometheus did not answer."""


def screens(found: Found, sections: Mapping[str, object], machines: int) -> tuple[ScreenUse, ...]:
    """Each of the ten screens, by what was found and what will be in the config."""
    prometheus = found.prometheus
    seen = exporters_seen(prometheus.figures) if prometheus is not None and prometheus.view is not None else ()
    there = {item.exporter.name for item in seen if item.presence is Presence.YES}
    sources = [title for name, title in SOURCES.items() if name in sections]
    remedies = {exporter.name: exporter.remedy for exporter in EXPORTERS}

    def fed(names: Sequence[str], parts: Sequence[str] = ()) -> tuple[str, ...]:
        return (*(name for name in names if name in there), *(SOURCES[part] for part in parts if part in sections))

    heard = prometheus is None or prometheus.view is not None
    everybody = (f"{machines} machines",) if machines else ()
    uses = (
        ScreenUse("1", "overview", tuple(sources), "any source"),
        ScreenUse("2", "topology", everybody, "a source that knows machines: Prometheus, Proxmox VE, DigitalOcean"),
        ScreenUse("3", "cache", fed(["Varnish", "Redis"], ["varnish"]), remedies["Varnish"]),
        ScreenUse("4", "storage", fed(["Ceph's mgr"], ["ceph", "gluster"]), remedies["Ceph's mgr"]),
        ScreenUse("5", "alerts", fed([], ["alertmanager"]), "an Alertmanager: --alertmanager URL"),
        ScreenUse("6", "sites", fed(["figures per site"]), remedies["figures per site"]),
        ScreenUse("7", "compute", (*everybody, *fed([], ["swarm"])), remedies["node exporter"]),
        ScreenUse("8", "database", fed(["Galera"]), remedies["Galera"]),
        ScreenUse("9", "runbooks", ("the library; what a book needs, it says",)),
        ScreenUse("0", "cost", (*fed([], ["digitalocean", "proxmox"]), "the plan")),
    )
    return tuple(replace(use, known=bool(use.by) or heard or use.name == "alerts") for use in uses)


SOURCES: Final[Mapping[str, str]] = {
    "prometheus": "Prometheus",
    "alertmanager": "Alertmanager",
    "proxmox": "Proxmox VE",
    "digitalocean": "DigitalOcean",
    "swarm": "Docker Swarm over SSH",
    "gluster": "GlusterFS over SSH",
    "ceph": "Ceph's own word",
    "varnish": "varnishadm over SSH",
}
"""Sections of the config that are sources, as people call them."""
