"""Screen 8: the database. Is there one Galera cluster, does every node take part, and what holds the writes up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.content import Content

from farmtui.commands import Command
from farmtui.farm.cluster import Galera, GaleraNode
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.text import visible
from farmtui.farm.units import count, duration, percent
from farmtui.insight.galera_guards import beginning, may_go, takes_writes
from screens import limits
from screens.columns import limited, row_freshness, seen
from screens.describe.galera import connections_ratio, node_severity
from screens.describe.traffic import machine_name
from screens.frame import FarmScreen
from screens.lines import Line
from screens.places import Subject
from screens.trends import show_trend
from widgets import ink
from widgets.chart_axis import PER_SECOND, RATIO
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.meter import meter
from widgets.status_mark import status_mark
from widgets.table_columns import Column
from widgets.tile import Tile, TileState
from widgets.trend_chart import TrendChart

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

_TRENDS = (("trend", "db.queries_per_s", "queries"), ("trend-flow", "db.flow_control_ratio", "writes held up"))


class DatabaseScreen(FarmScreen):
    """Galera, node by node: each node's own view of the cluster."""

    NAME = "database"
    CSS_PATH = "database.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("database.sort.node", "N", "sort('node')", "By node", "Sort by node", group="list"),
        Command("database.sort.state", "S", "sort('state')", "By state", "Sort by state, worst first", group="list"),
        Command("database.sort.flow", "F", "sort('flow')", "By flow", "Sort by flow control", group="list"),
        Command("database.sort.queries", "Q", "sort('queries')", "By queries", "Sort by queries", group="list"),
    )

    def compose_body(self) -> ComposeResult:
        """Summary, trend, then the nodes."""
        yield Line(id="verdict")
        with Horizontal(id="tiles", classes="tiles"):
            yield Tile("cluster", id="tile-size")
            yield Tile("component", id="tile-component")
            yield Tile("flow control", id="tile-flow")
            yield Tile("connections", id="tile-connections")
        with Horizontal(id="trends"):
            yield TrendChart("queries", PER_SECOND, id="trend")
            yield TrendChart("writes held up", RATIO, id="trend-flow")
        yield LiveTable[GaleraNode](
            self._columns(),
            key=lambda node: node.instance,
            severity=node_severity,
            freshness=self._freshness,
            noun="databases",
            id="galera",
        )

    def _columns(self) -> tuple[Column[GaleraNode], ...]:
        return (
            Column("node", "node", self._machine, width=12, flex=1, priority=0, sort=lambda n: n.instance),
            Column("state", "state", _state, width=16, priority=0, sort=node_severity, descending=True),
            Column("component", "component", _component, width=14, priority=1),
            Column("size", "sees", lambda n: count(n.cluster_size), width=5, align="right", priority=0,
                   sort=lambda n: n.cluster_size, help="the cluster's size as this node sees it"),
            Column("flow", "flow", lambda n: limited(percent(n.flow_control_ratio), n.flow_control_ratio,
                   limits.FLOW_CONTROL), width=9, align="right", priority=0, sort=lambda n: n.flow_control_ratio,
                   descending=True, help="share of the time in which writes were held up, by whichever node"),
            Column("asks", "asks/s", lambda n: limited(count(n.flow_control_sent_per_s), n.flow_control_sent_per_s,
                   limits.ANY), width=8, align="right", priority=1, sort=lambda n: n.flow_control_sent_per_s,
                   descending=True, help="how often it asks the others to wait for it"),
            Column("queue", "queue", lambda n: count(n.recv_queue), width=6, align="right", priority=1,
                   sort=lambda n: n.recv_queue, descending=True, help="write sets that wait to be applied"),
            Column("lag", "lag", lambda n: limited(duration(n.lag_s), n.lag_s, limits.GALERA_LAG_S), width=8,
                   align="right", priority=2, sort=lambda n: n.lag_s, descending=True,
                   help="in how long it would have applied what waits, at the rate at which write sets come"),
            Column("queries", "queries/s", lambda n: count(n.queries_per_s), width=9, align="right", priority=1,
                   sort=lambda n: n.queries_per_s, descending=True),
            Column("connections", "conns", lambda n: limited(count(n.connections), connections_ratio(n),
                   limits.CONNECTIONS), width=7, align="right", priority=2, sort=lambda n: n.connections,
                   descending=True),
            Column("of", "of max", lambda n: meter(connections_ratio(n), 14, limits.CONNECTIONS), width=14, priority=6),
            Column("slow", "slow/s", lambda n: count(n.slow_per_s), width=7, align="right", priority=3,
                   sort=lambda n: n.slow_per_s, descending=True),
            Column("certify", "certfail/s", lambda n: count(n.cert_failures_per_s), width=10, align="right",
                   priority=3, sort=lambda n: n.cert_failures_per_s, descending=True,
                   help="transactions rolled back since another node changed the same rows"),
            Column("aborts", "bf aborts/s", lambda n: count(n.bf_aborts_per_s), width=11, align="right", priority=5,
                   sort=lambda n: n.bf_aborts_per_s, descending=True,
                   help="transactions of its clients that a write set from another node has ended"),
            Column("broken", "aborted/s", lambda n: count(n.aborted_per_s), width=9, align="right", priority=5,
                   sort=lambda n: n.aborted_per_s, descending=True, help="connections that were refused, or broke off"),
            Column("buffer", "buffer hit", lambda n: percent(n.buffer_hit_ratio), width=10, align="right", priority=5,
                   sort=lambda n: n.buffer_hit_ratio, help="reads that InnoDB's buffer pool answers without the disk"),
            Column("seqno", "committed", lambda n: _seqno(n), width=12, align="right", priority=5,
                   sort=lambda n: n.last_committed, help="number of the last write set that it has committed"),
            Column("ready", "takes queries", lambda n: {True: "yes", False: "no", None: "–"}[n.ready], width=13,
                   priority=4),
            Column("seen", "measured", lambda n: seen(self.console.farm, n.seen_at), width=16, priority=2),
        )  # fmt: skip

    def _freshness(self, node: GaleraNode) -> Freshness:
        """Of a row's figures; that a database is down is known now, whenever its figures were."""
        return Freshness.LIVE if node.up is False else row_freshness(self.console.farm, node.seen_at)

    def _machine(self, node: GaleraNode) -> str:
        farm = self.console.farm
        return machine_name(farm, node.instance) if farm else node.instance

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        fresh = farm.freshness("prometheus")
        nodes = farm.galera.nodes if farm.galera else ()
        if self.console.faults_only:
            nodes = tuple(node for node in nodes if node_severity(node) >= Severity.WARNING)
        self.query_one("#galera", LiveTable).set_rows(nodes, freshness=fresh)
        self._show_summary(farm, farm.galera, fresh)

    def _show_summary(self, farm: Farm, galera: Galera | None, fresh: Freshness) -> None:
        nodes = galera.nodes if galera else ()
        expected = next((tier.expected for tier in farm.tiers if tier.tier is Tier.DATABASE), None)
        whole = max(len(nodes), expected or 0)
        self._tile("size").show(TileState(
            size_words(galera, whole), f"of {whole} nodes" if whole else "no database is seen",
            severity=size_severity(galera, whole), freshness=fresh,
        ))  # fmt: skip
        alone = [node for node in nodes if node.up and node.primary is False]
        up = [node for node in nodes if node.up]
        primary = len(up) - len(alone)
        self._tile("component").show(TileState(
            "Primary" if up and not alone else "non-Primary" if up and not primary else "split" if alone else "–",
            f"{primary} of {whole} in it",
            severity=Severity.CRITICAL if alone or (nodes and not up) else Severity.OK, freshness=fresh,
        ))  # fmt: skip
        ratio, slow = (galera.paused_ratio, galera.slow) if galera else (None, ())
        self._tile("flow").show(TileState(
            percent(ratio), f"by {self._machine(slow[0])}" if slow else "asked by nobody",
            severity=limits.FLOW_CONTROL.severity(ratio) if ratio is not None else Severity.OK, freshness=fresh,
        ))  # fmt: skip
        busy = max(nodes, key=lambda node: connections_ratio(node) or 0.0, default=None)
        used = connections_ratio(busy) if busy else None
        self._tile("connections").show(TileState(
            percent(used), f"{count(busy.connections)} of {count(busy.max_connections)}, {self._machine(busy)}"
            if busy is not None and used is not None else "not measured",
            severity=limits.CONNECTIONS.severity(used) if used is not None else Severity.OK, freshness=fresh,
        ))  # fmt: skip
        for ident, name, title in _TRENDS:
            show_trend(self.query_one(f"#{ident}", TrendChart), farm, ((name, title, False),))
        self.query_one("#verdict", Line).show(self._verdict(galera, whole, fresh))

    def _verdict(self, galera: Galera | None, whole: int, fresh: Freshness) -> Content:
        """In words: whether the cluster takes writes, and what may be done to it."""
        if galera is None:
            return Content("")
        said = takes_writes(galera, whole, self._shown_name)
        parts = [status_mark(said.severity, said.words)]
        for guard in (may_go(galera, whole), beginning(galera, self._shown_name)):
            # Where there is no room for all of it, what is well is left out.
            if guard is not None and (self.size.width >= 110 or guard.severity > Severity.OK):
                parts += [Content.styled("   ", ink.MUTED), Content.styled(guard.words, ink.SEVERITY[guard.severity])]
        if fresh not in (Freshness.LIVE, Freshness.AGEING):
            parts.insert(0, Content.styled(f"{glyphs().freshness[Freshness.STALE]} when it was last seen: ", ink.STALE))
        return Content.assemble(*parts)

    def _shown_name(self, node: GaleraNode) -> str:
        return visible(self._machine(node))

    def _tile(self, name: str) -> Tile:
        return self.query_one(f"#tile-{name}", Tile)

    def selected(self) -> Subject | None:
        """The database under the cursor."""
        table: LiveTable[Any] | None = self.focused_table()
        row = table.cursor_row if table else None
        return self._subject(row) if isinstance(row, GaleraNode) else None

    def _subject(self, node: GaleraNode) -> Subject:
        return Subject("galera", node.instance, f"galera {self._machine(node)}")

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        if isinstance(message.row, GaleraNode):
            self.console.open(self._subject(message.row))


def size_words(galera: Galera | None, whole: int) -> str:
    """The cluster's size: one number where all nodes agree, else the smallest and the largest that is seen."""
    if galera is None or galera.size_min is None or galera.size_max is None:
        return "down" if galera is not None and galera.nodes else "–"
    return str(galera.size_min) if galera.size_min == galera.size_max else f"{galera.size_min}–{galera.size_max}"


def size_severity(galera: Galera | None, whole: int) -> Severity:
    """Nodes that count differently do not see each other; one that is missing costs the margin."""
    if galera is None:
        return Severity.OK
    least, most = galera.size_min, galera.size_max
    if least is None or most is None or least != most:
        return Severity.CRITICAL
    return Severity.WARNING if most < whole else Severity.OK


def _state(node: GaleraNode) -> Content:
    """Galera's word for its part in the cluster, but for one that is in it and refuses queries all the same."""
    refuses = node.up and node.ready is False and node.primary is not False
    return status_mark(node_severity(node), "not ready" if refuses else node.state_word)


def _seqno(node: GaleraNode) -> str:
    """The whole number: two that differ in the last figure are not alike."""
    return "–" if node.last_committed is None else f"{node.last_committed:.0f}"


def _component(node: GaleraNode) -> Content | str:
    if node.primary is None:
        return "–"
    return "Primary" if node.primary else status_mark(Severity.CRITICAL, "non-Primary")
