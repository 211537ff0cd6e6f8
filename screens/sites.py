"""Screen 6: the sites. Which of them hurt and why, which one eats what all share, and what each may still risk."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal

from farmtui.commands import Command
from farmtui.farm.sites import Site, SiteBook
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmService
from farmtui.insight.sites import SOURCE
from screens.compute_rows import service_columns, service_severity, service_whys, swarm_freshness
from screens.describe.sites import site_subject
from screens.frame import FarmScreen
from screens.lines import Line
from screens.places import Subject
from screens.site_backups import SiteBackups, backups_by_site
from screens.site_columns import BACKUP, FIGURES, columns
from screens.site_words import fallback_note, fallback_tiles, note, tiles, uncounted
from widgets.live_table import LiveTable
from widgets.tile import Tile, TileState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding


class SitesScreen(FarmScreen):
    """Every site, the worst first; the Swarm's services while nobody counts per site."""

    NAME = "sites"
    CSS_PATH = "sites.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("sites.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("sites.sort.state", "S", "sort('why')", "Worst first", "Sort by how bad they are", group="list"),
        Command("sites.sort.requests", "R", "sort('requests')", "By requests", "Sort by requests", group="list"),
        Command("sites.sort.errors", "E", "sort('errors')", "By errors", "Sort by 5xx share", group="list"),
        Command("sites.sort.latency", "L", "sort('latency')", "By p95", "Sort by 95th percentile", group="list"),
        Command("sites.sort.hit", "H", "sort('hit')", "By hit ratio", "Sort by hit ratio, lowest first", group="list"),
        Command("sites.sort.budget", "B", "sort('budget')", "By budget", "Sort by error budget left", group="list"),
        Command("sites.sort.share", "T", "sort('share')", "By share", "Sort by what each takes of what all share",
                group="list"),
        Command("sites.sort.php", "P", "sort('php')", "By PHP time", "Sort by PHP time", group="list"),
        Command("sites.sort.database", "D", "sort('database')", "By DB time", "Sort by database time", group="list"),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._book: SiteBook | None = None
        self._faulty: tuple[SiteBook | None, Sequence[Site]] = (None, ())
        self._whys: dict[str, str] = {}
        self._without: frozenset[str] = frozenset({BACKUP})
        self._backups = SiteBackups()

    def compose_body(self) -> ComposeResult:
        """Summary, one line of what is not measured, then the sites, or the services in their place."""
        with Horizontal(id="tiles", classes="tiles"):
            yield Tile("sites", id="tile-sites")
            yield Tile("requests", id="tile-requests")
            yield Tile("5xx", id="tile-errors")
            yield Tile("error budget", id="tile-budget")
            yield Tile("takes most", id="tile-noisy")
        yield Line(id="note")
        yield LiveTable[Site](
            self._columns(), key=lambda site: site.key, severity=lambda site: site.severity,
            search=lambda site: f"{site.name} {site.why} {site.key} {site.swarm}",
            noun="sites", sort="why", id="sites",
        )  # fmt: skip
        yield LiveTable[SwarmService](
            service_columns(lambda service: self._whys.get(service.id, "")),
            key=lambda service: service.id, severity=service_severity, noun="services", sort="state", id="services",
        )  # fmt: skip

    def _columns(self) -> tuple[Any, ...]:
        """Those of figures that somebody measures; what could not be had now keeps its column."""
        return columns(lambda: self._book, self._without, self._backups.cell)

    def weighs(self) -> Sequence[Callable[[Farm], object]]:
        """Which backups are whose."""
        return (backups_by_site,)

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        book, fresh, reason = farm.sites, sites_freshness(farm), uncounted(farm)
        self._book = book
        sites: Sequence[Site] = book.sites if book is not None else ()
        without = frozenset(name for name in FIGURES if book is not None and name in book.missing)
        if not self._backups.show(farm):
            without |= {BACKUP}
        table, services = self._table("sites"), self._table("services")
        if without != self._without:
            self._without = without
            table.set_columns(self._columns())
        cluster = farm.swarm_cluster
        falls_back = not sites and cluster is not None and bool(cluster.services)
        if self._shown_table is not (services if falls_back else table):
            table.display, services.display = not falls_back, falls_back
            (services if falls_back else table).focus()
        if falls_back and cluster is not None:
            self._whys = service_whys(cluster)
            rows = cluster.services
            if self.console.faults_only:
                rows = tuple(service for service in rows if service_severity(service) >= Severity.WARNING)
            services.set_rows(rows, freshness=swarm_freshness(farm))
        if self.console.faults_only and book is not None:
            if self._faulty[0] is not book:
                self._faulty = (book, tuple(site for site in sites if site.severity >= Severity.WARNING))
            sites = self._faulty[1]
        table.set_rows(sites, freshness=fresh, reason=reason if not sites and not falls_back else "")
        self.query_one("#note", Line).show(fallback_note(farm) if falls_back else note(farm))
        self._show_tiles(farm, book, fresh)

    def _show_tiles(self, farm: Farm, book: SiteBook | None, fresh: Freshness) -> None:
        source = farm.source_named(SOURCE)
        asked = source.last_success_at if source is not None else None
        age_s = (farm.at - asked).total_seconds() if asked is not None else None
        if book is not None and book.sites:
            states = {
                name: dataclasses.replace(state, freshness=fresh, age_s=age_s)
                for name, state in tiles(farm, book).items()
            }
        else:
            states = fallback_tiles(farm)
        unknown = TileState("–", freshness=Freshness.EMPTY if book is not None else fresh)
        for name in ("sites", "requests", "errors", "budget", "noisy"):
            self.query_one(f"#tile-{name}", Tile).show(states.get(name, unknown))

    # -- selection ------------------------------------------------------------------------------

    @property
    def _shown_table(self) -> LiveTable[Any]:
        services = self._table("services")
        return services if services.display else self._table("sites")

    def on_mount(self) -> None:
        """The services are only there while nobody counts per site."""
        self._table("services").display = False
        super().on_mount()

    def labels_of(self, row: object) -> Mapping[str, str]:
        """A site's names, and its state in a word."""
        if isinstance(row, Site):
            return {
                "site": row.name, "router": row.key, "service": row.swarm, "state": row.severity.word.casefold(),
                "noisy": "yes" if row.noisy else "no",
            }  # fmt: skip
        return super().labels_of(row)

    def selected(self) -> Subject | None:
        """The site, or the service, under the cursor."""
        return subject_of(self._shown_table.cursor_row)

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        subject = subject_of(message.row)
        if subject is not None:
            self.console.open(subject)

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)


def subject_of(row: object) -> Subject | None:
    """The subject of a row of either table."""
    match row:
        case Site():
            return site_subject(row.key, row.name)
        case SwarmService():
            return Subject("swarm-service", row.id, f"service {row.name}")
    return None


def sites_freshness(farm: Farm) -> Freshness:
    """How fresh the sites are: they are asked less often than the farm as a whole."""
    source = farm.source_named(SOURCE)
    if source is None:
        return Freshness.LIVE if farm.sites is not None else Freshness.ABSENT
    return source.freshness
