"""Screen 1: worst things first, each with its cause; then the farm's pulse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Grid
from textual.content import Content
from textual.css.scalar import Scalar
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age, duration, percent, rate
from farmtui.insight.config_faults import SCREEN as CONFIG
from farmtui.insight.finding import Finding
from farmtui.insight.signals import lost_heartbeats
from screens import limits
from screens.backup_words import line as backups_line
from screens.cache import against_last_week, hit_severity, hit_words, known
from screens.ceph_own import ceph_age_s, ceph_health, health_freshness
from screens.frame import FarmScreen
from screens.lines import ClickableLine
from screens.places import Place, Subject
from screens.storage import fills_words
from screens.trends import show_trend, trend_values
from widgets import ink
from widgets.chart_axis import PER_SECOND, RATIO, SECONDS, SMALL_RATIO, Axis
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.table_columns import Column
from widgets.tile import Tile, TileState
from widgets.trend_chart import TrendChart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.runbooks.picture import Picture

TILES: tuple[tuple[str, str, str], ...] = (
    ("sites", "sites up", "topology"),
    ("requests", "requests", "topology"),
    ("errors", "5xx", "topology"),
    ("latency", "p95", "topology"),
    ("hit", "cache hits", "cache"),
    ("storage", "storage", "storage"),
    ("database", "database", "topology"),
    ("alerts", "alerts", "alerts"),
    ("machines", "machines", "topology"),
    ("capacity", "capacity", "topology"),
)
"""Name, title, and the screen that a click opens."""

TRENDS: tuple[tuple[str, str, Axis, tuple[tuple[str, str, bool], ...]], ...] = (
    (
        "requests", "requests", PER_SECOND,
        (("edge.requests_per_s_last_week", "last week", True), ("edge.requests_per_s", "now", False)),
    ),
    (
        "hit", "hit ratio", RATIO,
        (("cache.hit_ratio_last_week", "last week", True), ("cache.hit_ratio", "tier", False)),
    ),
    ("latency", "p95", SECONDS, (("edge.latency_p95_s", "at the edge", False),)),
    ("errors", "5xx", SMALL_RATIO, (("edge.error_ratio", "of all answers", False),)),
)  # fmt: skip
"""Charts: id, title, axis, and trends with their names and whether they are another day's. The last two only where
the terminal is high."""

MOST_OFFERED = 4
"""Runbooks that are named below a finding; `x` offers all that fit."""

LEAST_ROWS = 4
"""Findings that the table has room for though there are fewer: one more does not move the picture."""


class OverviewScreen(FarmScreen):
    """What is wrong, why, and where to look; below it the figures that say how the farm is."""

    NAME = "overview"
    CSS_PATH = "overview.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("overview.cause", "o", "go_cause", "Go there", "Open the screen that shows the cause", shown=True),
    )

    def __init__(self) -> None:
        super().__init__()
        self._cause = Content()

    def compose_body(self) -> ComposeResult:
        """Findings, tiles, trends."""
        yield LiveTable[Finding](
            (
                Column("severity", "state", lambda f: f.severity.word, width=7, priority=0),
                Column("title", "what", lambda f: Content.styled(f.title, ink.STRONG), width=24, flex=2, priority=0),
                Column("cause", "why", lambda f: f.cause, width=28, min_width=28, flex=3, priority=1),
                Column("since", "since", self._since, width=7, align="right", priority=2),
                Column("runbook", "runbook", runbook_name, width=20, priority=4),
            ),
            key=lambda finding: finding.key,
            severity=lambda finding: finding.severity,
            noun="faults: nothing is wrong that this console can see",
            id="findings",
        )
        yield Static(id="cause", markup=False)
        yield ClickableLine(id="runs")
        yield ClickableLine(id="backups")
        with Grid(id="tiles"):
            for name, title, _ in TILES:
                yield Tile(title, id=f"tile-{name}")
        with Grid(id="trends"):
            for name, title, axis, _ in TRENDS:
                yield TrendChart(title, axis, id=f"trend-{name}")

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        answered = any(source.last_success_at for source in farm.sources)
        shown = findings
        if self.console.faults_only:
            shown = tuple(finding for finding in findings if finding.severity >= Severity.WARNING)
        table = self.query_one("#findings", LiveTable)
        # What the findings do not need goes to the cause, or to the trends where there is room for them.
        height = max(len(shown), LEAST_ROWS) + 1
        if table.styles.inline.height != Scalar.from_number(height):
            table.styles.height = height
        table.set_rows(
            shown, freshness=Freshness.LIVE if answered else Freshness.NEVER,
            reason="" if answered else "no source has answered yet",
        )  # fmt: skip
        self._show_cause()
        if self.console.remedies is not None:
            # A run may stand otherwise though nothing was written: nobody writes that its runner is gone.
            self._show_runs(self.console.remedies.picture)
        line = self.query_one("#backups", ClickableLine)
        told = backups_line(farm)
        line.display = told is not None
        if told is not None:
            line.show(ClickableLine.part(told, "backups"))
        states = dict(tiles(farm))
        for name, _, _ in TILES:
            tile = self.query_one(f"#tile-{name}", Tile)
            tile.display = name in states
            if name in states:
                tile.show(states[name])
        for name, _, _, lines in TRENDS:
            chart = self.query_one(f"#trend-{name}", TrendChart)
            if chart.display:
                show_trend(chart, farm, lines)

    def show_remedies(self, picture: Picture) -> None:
        """What is being mended now; and what mends the finding under the cursor."""
        self._show_runs(picture)
        self._show_cause()

    def _show_runs(self, picture: Picture) -> None:
        line = self.query_one("#runs", ClickableLine)
        runs = picture.under_way
        line.display = bool(runs)
        if runs:
            line.show(ClickableLine.part(runs_line(picture, datetime.now(UTC)), "runbooks"))

    def _since(self, finding: Finding) -> str:
        farm = self.console.farm
        return age((farm.at - finding.since).total_seconds()) if farm and finding.since else ""

    def selected(self) -> Subject | None:
        """The finding under the cursor."""
        row: Finding | None = self.query_one("#findings", LiveTable).cursor_row
        return finding_subject(row) if row else None

    def action_go_cause(self) -> None:
        """Open the screen that shows the cause of the finding under the cursor."""
        row: Finding | None = self.query_one("#findings", LiveTable).cursor_row
        if row is not None:
            self.console.go(Place(row.screen))

    @on(LiveTable.RowHighlighted, "#findings")
    def _show_cause(self) -> None:
        """What the table has no room for: the whole cause, its evidence, and what to do."""
        row: Finding | None = self.query_one("#findings", LiveTable).cursor_row
        text = cause_text(row, *self._mending(row)) if row is not None else Content()
        if not text.is_same(self._cause):
            self._cause = text
            self.query_one("#cause", Static).update(text)

    def _mending(self, finding: Finding) -> tuple[str, tuple[str, ...]]:
        """The books that are for what is found; where there is none those that fit its thing, and how to say either."""
        farm, remedies = self.console.farm, self.console.remedies
        if farm is None or remedies is None:
            return "", ()
        from farmtui.runbooks.fitting import offers

        found = offers(remedies.picture.shelf, farm, "finding", finding.key, finding)
        meant = [offer for offer in found if offer.by_alert]
        names = tuple(offer.book.name for offer in (meant or found)[:MOST_OFFERED])
        return "x mends it" if meant else "x offers", names

    @on(LiveTable.RowSelected, "#findings")
    def _open(self, message: LiveTable.RowSelected) -> None:
        if message.row.subject[:1] == (CONFIG,):
            # It is no thing of the farm: its screen says all there is.
            self.console.go(Place(message.row.screen))
            return
        self.console.open(finding_subject(message.row))

    @on(Tile.Clicked)
    def _tile_clicked(self, message: Tile.Clicked) -> None:
        name = (message.tile.id or "").removeprefix("tile-")
        screen = next((screen for tile, _, screen in TILES if tile == name), None)
        if screen is not None:
            self.console.go(Place(screen))


def runs_line(picture: Picture, at: datetime) -> Content:
    """The runs under way in a line: the one that wants somebody before all others."""
    from farmtui.runbooks.picture import progress, standing
    from screens.remedy_details import run_title

    told = [(standing(state, at, picture.holders.get(state.run, "")), state) for state in picture.under_way]
    how, state = max(told, key=lambda one: one[0].severity)
    done, steps = progress(state)
    question = f": {state.question.text}" if state.question else f": {how.text}"
    more = f"   and {len(told) - 1} more" if len(told) > 1 else ""
    sign = glyphs().arrow if how.severity < Severity.WARNING else glyphs().severity[how.severity]
    return Content.assemble(
        (f"{sign} {how.word}", f"{ink.STRONG} {ink.SEVERITY[how.severity]}"),
        (f"  {run_title(state)}  {done}/{steps}", ink.STRONG), (f"{question}{more}", ink.TEXT),
        ("   9 shows it", ink.MUTED),
    )  # fmt: skip


def cause_text(finding: Finding, how: str = "", books: Sequence[str] = ()) -> Content:
    """The whole of a finding; the books that `how` tells of stand before the evidence, whose end may be cut off."""
    parts: list[tuple[str, str]] = [(f"{finding.title}: ", ink.STRONG), (finding.cause, ink.TEXT)]
    if books:
        parts += [(f"\n{how}: ", ink.MUTED), (", ".join(books), f"{ink.STRONG} {ink.ACCENT}")]
    if finding.runbook:
        parts += [("\nrunbook ", ink.MUTED), (finding.runbook, ink.ACCENT)]
    if finding.evidence:
        parts.append((f"\n{'; '.join(finding.evidence)}", ink.MUTED))
    return Content.assemble(*parts)


def runbook_name(finding: Finding) -> str:
    """A runbook's name: the last part of its address. The whole address stands below the table."""
    return finding.runbook.rstrip("/").rpartition("/")[2] or "–"


def finding_subject(finding: Finding) -> Subject:
    """The subject of a finding."""
    return Subject("finding", finding.key, finding.title)


def tiles(farm: Farm) -> Iterator[tuple[str, TileState]]:
    """The tiles of what this farm has: what is not configured, or was never seen, has none."""
    fresh = farm.freshness("prometheus")
    source = farm.source("prometheus")
    age_s = (farm.at - source.last_success_at).total_seconds() if source and source.last_success_at else None

    def tile(value: str, sub: str = "", severity: Severity = Severity.OK, **more: Any) -> TileState:
        return TileState(value, sub, severity, more.pop("freshness", fresh), more.pop("age_s", age_s), **more)

    if farm.edge is not None:
        edge = farm.edge
        failing = edge.sites_failing_count or 0
        seen = edge.sites_seen or 0
        expected = farm.expected_sites or seen
        yield "sites", tile(
            f"{seen - failing}", f"of {expected}" + (f", {failing} failing" if failing else ""),
            Severity.CRITICAL if failing else Severity.WARNING if seen < expected else Severity.OK,
        )  # fmt: skip
        yield (
            "requests",
            tile(
                rate(edge.requests_per_s),
                f"{len(edge.nodes)} edge {'node' if len(edge.nodes) == 1 else 'nodes'}",
                trend=trend_values(farm, "edge.requests_per_s"),
            ),
        )
        errors = limits.ERROR_RATIO.severity(edge.error_ratio) if known(edge.error_ratio) else Severity.OK
        yield (
            "errors",
            tile(percent(edge.error_ratio), "of answers", errors, trend=trend_values(farm, "edge.error_ratio")),
        )
        slow = limits.LATENCY_S.severity(edge.latency_p95_s) if known(edge.latency_p95_s) else Severity.OK
        yield (
            "latency",
            tile(duration(edge.latency_p95_s), "at the edge", slow, trend=trend_values(farm, "edge.latency_p95_s")),
        )
    if farm.cache is not None:
        ratio = farm.cache.hit_ratio
        before = farm.cache.hit_ratio_last_week
        yield "hit", tile(
            hit_words(ratio), against_last_week(ratio, before), hit_severity(ratio, before),
            trend=trend_values(farm, "cache.hit_ratio"), high=1.0,
        )  # fmt: skip
    if farm.ceph is not None:
        words, health = ceph_health(farm)
        used = percent(farm.ceph.used_ratio)
        value, sub = used, f"{words.removeprefix('HEALTH_')}, {fills_words(farm, farm.ceph)}"
        if farm.ceph_detail is not None and farm.ceph_detail.silent:
            value, sub = words, f"Ceph, {used} used before"
        elif farm.ceph.used_ratio is None:
            value, sub = words, "used space not known"
        yield "storage", tile(
            value, sub, health, freshness=health_freshness(farm), age_s=ceph_age_s(farm),
            trend=trend_values(farm, "ceph.used_ratio"), high=1.0,
        )  # fmt: skip
    if farm.galera is not None:
        nodes = farm.galera.nodes
        # A node that died before we looked has left no figures: the config knows that there should be one.
        expected_nodes = next((tier.expected for tier in farm.tiers if tier.tier is Tier.DATABASE), None)
        whole = max(len(nodes), expected_nodes or 0)
        synced = sum(bool(n.up) and n.local_state == 4 and n.primary is not False for n in nodes)
        split = farm.galera.size_min != farm.galera.size_max
        severity = Severity.OK if synced == whole and not split else Severity.WARNING
        if synced * 2 <= whole:
            severity = Severity.CRITICAL
        size = f"{farm.galera.size_min}-{farm.galera.size_max}" if split else f"{farm.galera.size_max or 0}"
        yield (
            "database",
            tile(
                f"{synced} of {whole}",
                f"synced, size {size}",
                severity,
                trend=trend_values(farm, "db.queries_per_s"),
            ),
        )
    if farm.book is not None:
        firing, quiet = farm.book.heard, farm.book.quiet
        critical = sum(alert.severity is Severity.CRITICAL for alert in firing)
        worst = max((alert.severity for alert in firing), default=Severity.OK)
        manager = farm.source("alertmanager")
        old = (farm.at - manager.last_success_at).total_seconds() if manager and manager.last_success_at else None
        # Of alerts that may not arrive none is no good news.
        lost = [f"no {finding.subject[1].rpartition('/')[2]}" for finding in lost_heartbeats(farm)]
        worst = max(worst, Severity.WARNING) if lost else worst
        yield "alerts", tile(
            f"{len(firing)}", ", ".join((*lost, f"{critical} critical", f"{quiet} quiet")), worst,
            freshness=farm.freshness("alertmanager"), age_s=old,
        )  # fmt: skip
    if farm.nodes:
        ours = [tier for tier in farm.tiers if tier.tier is not Tier.OTHER]
        expected_nodes = sum(tier.expected or tier.seen for tier in ours)
        healthy = sum(tier.healthy for tier in ours)
        worst = max((tier.state for tier in ours), default=Severity.OK)
        figure, words = f"{healthy} of {expected_nodes}", "well"
        if worst is Severity.UNKNOWN and not any(tier.seen for tier in ours):
            figure, words = "–", f"{expected_nodes} not seen"
        yield "machines", tile(figure, words, worst, freshness=Freshness.LIVE)
        yield from _capacity(farm, fresh, age_s)


def _capacity(farm: Farm, fresh: Freshness, age_s: float | None) -> Iterator[tuple[str, TileState]]:
    """How busy the machines are that serve the sites: their average CPU, and the fullest of their memories."""
    workers = farm.tier_nodes(Tier.APP)
    cpus = [node.metrics.cpu_ratio for node in workers if known(node.metrics.cpu_ratio)]
    memories = [node.metrics.memory_ratio for node in workers if known(node.metrics.memory_ratio)]
    busy = [cpu for cpu in cpus if cpu is not None]
    full = max((memory for memory in memories if memory is not None), default=None)
    if not busy:
        return
    average = sum(busy) / len(busy)
    severity = max(limits.CPU.severity(average), limits.MEMORY.severity(full) if full is not None else Severity.OK)
    yield (
        "capacity",
        TileState(percent(average), f"CPU, RAM up to {percent(full)}", severity, fresh, age_s),
    )
