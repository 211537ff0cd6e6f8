"""The columns of the table of sites."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.sites import SITE_ERRORS, SITE_LATENCY_S, Resource, Site, SiteBook
from farmtui.farm.state import Severity
from farmtui.farm.units import NOT_MEASURED, count, data_size, duration, percent
from screens.columns import figure
from widgets import ink
from widgets.meter import meter
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable

FIGURES = {
    "site.latency_p95_s": ("latency",),
    "site.hit_ratio": ("hit",),
    "site.php_busy": ("php",),
    "site.db_busy": ("database",),
    "site.cpu_cores": ("cpu",),
    "site.memory_bytes": ("memory",),
}
"""The columns of figures that not every farm measures: what nobody tells has no column."""

FAILED = "?"
"""Stands for a figure that was asked for in vain: there is one, and it is not known."""


BACKUP = "backup"
"""The column of the newest backup, which is there where backups are configured."""


def columns(
    book: Callable[[], SiteBook | None],
    without: frozenset[str],
    backup: Callable[[Site], tuple[float | None, Content | str]],
) -> tuple[Column[Site], ...]:
    """The columns, but for those of figures in `without`. `book` gives what the shown sites are of; `backup` the age of
    the backup of a site that is worst, in seconds and in words."""

    def asked(name: str, text: Content | str, value: float | None) -> Content | str:
        known = book()
        failed = value is None and known is not None and name in known.problems
        return Content.styled(FAILED, ink.SEVERITY[Severity.UNKNOWN]) if failed else text

    def left(site: Site) -> float | None:
        known = book()
        return known.left(site) if known is not None else None

    def share(site: Site, resource: Resource) -> float | None:
        known = book()
        return known.share(site, resource) if known is not None else None

    hidden = {column for name in without for column in FIGURES.get(name, (name,))}
    every: tuple[Column[Site], ...] = (
        Column("name", "site", lambda s: s.name, width=26, min_width=18, flex=2, priority=0, sort=lambda s: s.name),
        Column("why", "why", why_cell, width=26, min_width=16, flex=4, priority=0, sort=lambda s: s.rank,
               descending=True, help="what is wrong with it: the sites are sorted by this, the worst first"),
        Column("requests", "req/s", lambda s: count(s.requests_per_s), width=7, min_width=6, align="right", priority=0,
               sort=lambda s: s.requests_per_s, descending=True, help="requests per second, five minutes"),
        Column("errors", "5xx", lambda s: asked("site.errors_per_s", errors_cell(s), s.errors_per_s), width=9,
               min_width=8, align="right", priority=0, sort=lambda s: s.error_ratio, descending=True,
               help="share of answers that are 5xx, five minutes"),
        Column("latency", "p95", lambda s: asked("site.latency_p95_s", latency_cell(s), s.latency_p95_s), width=8,
               align="right", priority=1, sort=lambda s: s.latency_p95_s, descending=True,
               help="95th percentile at the router; buckets end at 5 s by default"),
        Column("hit", "hit", lambda s: asked("site.hit_ratio", ratio(s.hit_ratio), s.hit_ratio), width=6,
               align="right", priority=3, sort=lambda s: s.hit_ratio, help="hit / (hit + miss), by the caches' log"),
        Column("budget", "budget", lambda s: asked("site.spent_ratio", budget_cell(left(s)), left(s)), width=8,
               align="right", priority=2, sort=left, help="what is left of its error budget"),
        Column("php", "php", lambda s: asked("site.php_busy", seconds(s.php_s, s.php_busy), s.php_busy), width=7,
               align="right", priority=4, sort=lambda s: s.php_s, descending=True,
               help="PHP time of a request that reaches it"),
        Column("database", "db", lambda s: asked("site.db_busy", seconds(s.db_s, s.db_busy), s.db_busy), width=7,
               align="right", priority=4, sort=lambda s: s.db_s, descending=True,
               help="database time for each request that reaches PHP"),
        Column(BACKUP, "backup", lambda s: backup(s)[1], width=12, priority=5, sort=lambda s: backup(s)[0],
               descending=True, help="how old the oldest of its newest backups is; of whichever kind and store"),
        Column("share", "takes most of", share_cell, width=19, priority=3, sort=lambda s: s.largest_share,
               descending=True, help="the shared resource of which it takes the largest share"),
        Column("bar", "", lambda s: meter(s.largest_share, 10, text="") if s.largest is not None else "", width=10,
               priority=8),
        Column("cpu", "cpu", lambda s: asked("site.cpu_cores", percent(share(s, Resource.CPU)), s.cpu_cores), width=7,
               align="right", priority=6, sort=lambda s: s.cpu_cores, descending=True,
               help="its share of the processor time of all Swarm services"),
        Column("memory", "memory", lambda s: asked("site.memory_bytes", data_size(s.memory_bytes), s.memory_bytes),
               width=8, align="right", priority=6, sort=lambda s: s.memory_bytes, descending=True),
        Column("service", "swarm service", lambda s: s.swarm or NOT_MEASURED, width=24, flex=1, priority=9,
               sort=lambda s: s.swarm),
    )  # fmt: skip
    return tuple(column for column in every if column.key not in hidden)


def why_cell(site: Site) -> Content | str:
    """Why a site is not well, in the colour of how bad that is."""
    return Content.styled(site.why, ink.SEVERITY[site.severity]) if site.severity > Severity.INFO else site.why


def errors_cell(site: Site) -> Content | str:
    """The share of 5xx; coloured where enough of them came to mean something."""
    share = site.error_ratio
    if share is not None and math.isnan(share):
        return "no traffic"
    bad = share is not None and share >= SITE_ERRORS[0] and site.severity >= Severity.WARNING
    return figure(percent(share), site.severity if bad else Severity.OK)


def latency_cell(site: Site) -> Content | str:
    """The 95th percentile, where there is one."""
    slow = site.latency_p95_s is not None and site.latency_p95_s >= SITE_LATENCY_S
    if site.latency_p95_s is not None and math.isnan(site.latency_p95_s):
        return NOT_MEASURED
    return figure(duration(site.latency_p95_s), Severity.WARNING if slow else Severity.OK)


def ratio(value: float | None) -> str:
    """A ratio; 0/0 is none."""
    return NOT_MEASURED if value is None or math.isnan(value) else percent(value)


def budget_cell(left: float | None) -> Content | str:
    """What is left of an error budget; one that is overdrawn many times over is only said to be."""
    if left is None or math.isnan(left):
        return NOT_MEASURED
    if left <= 0.0:
        return Content.styled("spent" if left > -0.05 else f"{max(left, -9.99) * 100:.0f} %", ink.WARNING)
    return percent(left)


def seconds(each: float | None, busy: float | None) -> str:
    """Seconds a request; where only the whole is known, the seconds of each second."""
    if each is not None:
        return duration(each)
    return NOT_MEASURED if not busy else f"{count(busy)} s/s"


def share_cell(site: Site) -> Content | str:
    """The resource of which it takes the largest share, and the share; loud where its neighbours may feel it."""
    if site.largest is None:
        return NOT_MEASURED
    words = f"{percent(site.largest_share):>6} {site.largest.value}"
    return Content.styled(words, ink.SEVERITY[Severity.WARNING]) if site.noisy else words
