"""Screen 4: storage. Is the data safe, is it being repaired and until when, and on which day is the cluster full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.cluster import Ceph, CephDaemon, Osd, Pool
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import count, data_rate, data_size, duration, percent
from farmtui.insight.ceph_recovery import pace_words
from screens import limits
from screens.ceph_own import (
    CheckRow,
    ceph_age_s,
    ceph_freshness,
    ceph_health,
    check_columns,
    check_rows,
    check_severity,
    daemon_severity,
    health_freshness,
    notes_text,
    why_no_checks,
)
from screens.columns import figure, limited
from screens.describe.clusters import osd_subject
from screens.frame import FarmScreen
from screens.gluster import GLUSTER_VIEWS, GlusterPane, gluster_subject
from screens.places import Subject
from screens.trends import show_trend, trend_values
from widgets.chart_axis import BYTES_PER_SECOND
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

VIEWS = ("osds", "pools", "daemons")
SOON_S = 2 * 86_400
"""What comes sooner than this is told in hours, not by its date."""
LOST_STATES = ("inconsistent", "down", "incomplete", "stale", "unknown", "recovery_unfound")
"""States of placement groups whose data is lost, in doubt, or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A row of the daemons' table."""

    kind: str
    daemon: CephDaemon


def osd_severity(osd: Osd) -> Severity:
    """An OSD that is down while it is in leaves data short of a copy; one that is out is on its way."""
    if not osd.up:
        return Severity.CRITICAL if osd.is_in else Severity.WARNING
    if not osd.is_in:
        return Severity.WARNING
    return limits.RAW_CAPACITY.severity(osd.used_ratio) if osd.used_ratio is not None else Severity.OK


def osd_words(osd: Osd) -> str:
    """`up in`, `down in`, `up out`, `down out`: Ceph's own words."""
    return f"{'up' if osd.up else 'down'} {'in' if osd.is_in else 'out'}"


def pool_severity(pool: Pool) -> Severity:
    """A pool's worst: placement groups that are not clean, or little room."""
    room = limits.RAW_CAPACITY.severity(pool.used_ratio) if pool.used_ratio is not None else Severity.OK
    return max(room, Severity.WARNING if pool.unclean else Severity.OK)


class StorageScreen(FarmScreen):
    """Ceph: every check by its name, then OSDs, pools and daemons. Gluster: volumes, then bricks, peers and quotas."""

    NAME = "storage"
    CSS_PATH = "storage.tcss"
    # By name: Textual's own choice is the first table of all, and comes before or after ours as it happens.
    AUTO_FOCUS = "LiveTable.-chosen"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "storage.view", "v", "next_view", "View", "Show OSDs, pools, daemons; bricks, peers, quotas", shown=True
        ),
        Command("storage.sort.state", "S", "sort('state')", "By state", "Sort by state, worst first", group="list"),
        Command("storage.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("storage.sort.used", "U", "sort('used')", "By used", "Sort by share used", group="list"),
    )

    view: reactive[str] = reactive("osds")

    def __init__(self) -> None:
        super().__init__()
        self._notes = Content()

    def compose_body(self) -> ComposeResult:
        """Summary, checks, recovery and throughput, then one of the three tables (all of them where there is room)."""
        with Vertical(id="ceph"):
            with Horizontal(id="tiles", classes="tiles"):
                yield Tile("health", id="tile-health")
                yield Tile("raw capacity", id="tile-capacity")
                yield Tile("OSDs", id="tile-osds")
                yield Tile("placement groups", id="tile-pgs")
            yield Static(id="notes", markup=False)
            yield LiveTable[CheckRow](
                check_columns(),
                key=lambda row: row.check.name,
                severity=check_severity,
                noun="health checks raised",
                id="checks",
            )
            yield TrendChart("throughput", BYTES_PER_SECOND, id="trend")
            with Horizontal(id="tables"):
                yield LiveTable[Osd](
                    self._osd_columns(),
                    key=lambda osd: osd.id,
                    severity=osd_severity,
                    noun="OSDs",
                    id="osds",
                    classes="-chosen",
                )
                yield LiveTable[Pool](
                    self._pool_columns(), key=lambda pool: pool.id, severity=pool_severity, noun="pools", id="pools"
                )
                yield LiveTable[Daemon](
                    (
                        Column("kind", "daemon", lambda d: d.kind, width=6, priority=0, sort=lambda d: d.kind),
                        Column("name", "name", lambda d: d.daemon.name, width=14, flex=1, priority=0,
                               sort=lambda d: d.daemon.name),
                        Column("state", "state", _daemon_state, width=14, flex=1, priority=0,
                               sort=lambda d: d.daemon.well),
                        Column("host", "host", lambda d: d.daemon.host or "–", width=12, flex=1, priority=1),
                    ),
                    key=lambda row: row.daemon.name,
                    severity=lambda row: daemon_severity(row.daemon),
                    noun="daemons",
                    id="daemons",
                )  # fmt: skip
        yield GlusterPane(id="gluster")

    @staticmethod
    def _osd_columns() -> tuple[Column[Osd], ...]:
        return (
            Column("name", "osd", lambda o: o.id, width=8, priority=0, sort=lambda o: _number(o.id)),
            Column("host", "host", lambda o: o.host or "–", width=10, flex=1, priority=0,
                   sort=lambda o: (o.host, o.id)),
            Column("state", "state", lambda o: status_mark(osd_severity(o), osd_words(o)), width=11, priority=0,
                   sort=osd_severity, descending=True),
            Column("used", "used", lambda o: _used(o.used_ratio), width=9, align="right",
                   priority=1, sort=lambda o: o.used_ratio, descending=True),
            Column("bar", "", lambda o: meter(o.used_ratio, 12, limits.RAW_CAPACITY, text=""), width=12, priority=3),
            Column("size", "size", lambda o: data_size(o.size_bytes), width=8, align="right", priority=2,
                   sort=lambda o: o.size_bytes, descending=True),
            Column("weight", "reweight", lambda o: count(o.weight), width=8, align="right", priority=4),
            Column("latency", "apply", lambda o: duration(o.apply_latency_s), width=7, align="right", priority=3,
                   sort=lambda o: o.apply_latency_s, descending=True, help="apply latency"),
            Column("class", "class", lambda o: o.device_class or "–", width=5, priority=5),
        )  # fmt: skip

    @staticmethod
    def _pool_columns() -> tuple[Column[Pool], ...]:
        return (
            Column("name", "pool", lambda p: p.name, width=14, flex=1, priority=0, sort=lambda p: p.name),
            Column("state", "state", _pool_state, width=11, priority=0, sort=pool_severity, descending=True),
            Column("used", "used", lambda p: _used(p.used_ratio), width=9, align="right",
                   priority=1, sort=lambda p: p.used_ratio, descending=True),
            Column("bar", "", lambda p: meter(p.used_ratio, 14, limits.RAW_CAPACITY, text=""), width=14, priority=5),
            Column("stored", "stored", lambda p: data_size(p.stored_bytes), width=8, align="right", priority=2,
                   sort=lambda p: p.stored_bytes, descending=True),
            Column("room", "room", lambda p: data_size(p.max_avail_bytes), width=8, align="right", priority=3),
            Column("pgs", "pgs", lambda p: count(p.pgs), width=5, align="right", priority=5),
            Column("read", "read", lambda p: data_rate(p.read_bytes_per_s), width=9, align="right", priority=4),
            Column("write", "write", lambda p: data_rate(p.write_bytes_per_s), width=9, align="right", priority=4),
            Column("kind", "kind", lambda p: p.kind, width=11, priority=6),
        )  # fmt: skip

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture; without a fresh mgr nothing here is called healthy."""
        views = views_of(farm)
        if self.view not in views:
            self.view = views[0]
        self.query_one("#ceph").display = self.view in VIEWS
        pane = self.query_one(GlusterPane)
        pane.display = self.view in GLUSTER_VIEWS
        if pane.display:
            pane.show(farm, faults_only=self.console.faults_only)
            return
        ceph, fresh = farm.ceph, ceph_freshness(farm)
        faults = self.console.faults_only
        osds = tuple(sorted(ceph.osds, key=lambda osd: (osd.host, _number(osd.id)))) if ceph else ()
        pools = ceph.pools if ceph else ()
        daemons = tuple(_daemons(ceph)) if ceph else ()
        if faults:
            osds = tuple(osd for osd in osds if osd_severity(osd) >= Severity.WARNING)
            pools = tuple(pool for pool in pools if pool_severity(pool) >= Severity.WARNING)
            daemons = tuple(row for row in daemons if not row.daemon.well)
        self._table("checks").set_rows(check_rows(farm), freshness=fresh, reason=why_no_checks(farm))
        self._table("osds").set_rows(osds, freshness=fresh)
        counted = ceph is None or ceph.pgs_counted
        self._table("pools").set_rows(pools, freshness=fresh, reason="" if counted else "no mgr counts the pools")
        self._table("daemons").set_rows(daemons, freshness=fresh)
        self._show_summary(farm, ceph, fresh)

    def _show_summary(self, farm: Farm, ceph: Ceph | None, fresh: Freshness) -> None:
        words, health = ceph_health(farm)
        checks = len(ceph.checks) if ceph else 0
        flags = f"flags: {' '.join(ceph.flags)}" if ceph and ceph.flags else f"{checks} check{'s' * (checks != 1)}"
        age_s = ceph_age_s(farm)
        self.query_one("#tile-health", Tile).show(
            TileState(words, flags, severity=health, freshness=health_freshness(farm), age_s=age_s)
        )
        told = notes_text(farm)
        if not told.is_same(self._notes):
            self._notes = told
            self.query_one("#notes", Static).update(told)
            self.query_one("#notes", Static).display = bool(told.plain)
        ratio = ceph.used_ratio if ceph else None
        self.query_one("#tile-capacity", Tile).show(TileState(
            percent(ratio), fills_words(farm, ceph),
            severity=limits.RAW_CAPACITY.severity(ratio) if ratio is not None else Severity.UNKNOWN, freshness=fresh,
            trend=trend_values(farm, "ceph.used_ratio"), high=1.0,
        ))  # fmt: skip
        osds = ceph.osds if ceph else ()
        up, inside = sum(o.up for o in osds), sum(o.is_in for o in osds)
        self.query_one("#tile-osds", Tile).show(TileState(
            f"{up} of {len(osds)} up", f"{inside} in", severity=max(map(osd_severity, osds), default=Severity.OK),
            freshness=fresh,
        ))  # fmt: skip
        self.query_one("#tile-pgs", Tile).show(TileState(
            pg_words(ceph), recovery_words(ceph), severity=pg_severity(ceph), freshness=fresh,
            trend=trend_values(farm, "ceph.recovering_bytes_per_s"), high=None,
        ))  # fmt: skip
        show_trend(
            self.query_one("#trend", TrendChart), farm,
            (
                ("ceph.read_bytes_per_s", "read", False),
                ("ceph.write_bytes_per_s", "write", False),
                ("ceph.recovering_bytes_per_s", "recovery", False),
            ),
        )  # fmt: skip

    # -- views ----------------------------------------------------------------------------------

    def action_next_view(self) -> None:
        """The next view of what the farm has: Ceph's, Gluster's or both."""
        views = views_of(self.console.farm)
        self.view = views[(views.index(self.view) + 1) % len(views)]

    def watch_view(self, view: str) -> None:
        """One table is chosen; a wide screen shows the others beside it."""
        self.query_one("#ceph").display = view in VIEWS
        self.query_one(GlusterPane).display = view in GLUSTER_VIEWS
        for name in (*VIEWS, *GLUSTER_VIEWS):
            self._table(name).set_class(name == view, "-chosen")
        self._table(view).focus()
        self._painted = ()
        self.repaint()

    def selected(self) -> Subject | None:
        """What is under the cursor of the table that has the focus."""
        table = self.focused_table()
        return subject_of(table.cursor_row) if table else None

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        subject = subject_of(message.row)
        if subject is not None:
            self.console.open(subject)

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)


def subject_of(row: object) -> Subject | None:
    """The subject of a row of any of the tables."""
    match row:
        case Osd():
            return osd_subject(row.id)
        case Pool():
            return Subject("pool", row.id, f"pool {row.name}")
        case Daemon():
            return Subject("ceph-daemon", row.daemon.name, row.daemon.name)
        case CheckRow():
            return Subject("ceph-check", row.check.name, row.check.name)
    return gluster_subject(row)


def views_of(farm: Farm | None) -> tuple[str, ...]:
    """The views of what the farm has: Ceph's, Gluster's, or both; Ceph's where nothing is known yet."""
    gluster = farm is not None and any(source.kind == "gluster" for source in farm.sources)
    ceph = farm is None or farm.ceph is not None or farm.source("ceph") is not None
    return (*(VIEWS if ceph or not gluster else ()), *(GLUSTER_VIEWS if gluster else ()))


def fills_words(farm: Farm, ceph: Ceph | None) -> str:
    """The day on which the raw capacity is used up at the present growth."""
    if ceph is None or ceph.total_bytes is None:
        return "not known"
    size = f"of {data_size(ceph.total_bytes)}"
    if ceph.growth_bytes_per_s is None:
        return size
    if ceph.full_in_s is None:
        return f"{size}, not growing"
    if ceph.full_in_s > 5 * 365 * 86_400:
        return f"{size}, full in over 5 y"
    if ceph.full_in_s < SOON_S:
        return f"{size}, full in {duration(ceph.full_in_s)}"
    return f"{size}, full {farm.at + timedelta(seconds=ceph.full_in_s):%d %b %Y}"


def pg_words(ceph: Ceph | None) -> str:
    """`192 clean`, or `180 of 192 clean`."""
    if ceph is None or not ceph.pgs_counted:
        return "–"
    clean = dict(ceph.pg_states).get("clean", 0)
    return f"{clean} clean" if clean == ceph.pgs_total else f"{clean} of {ceph.pgs_total} clean"


def pg_severity(ceph: Ceph | None) -> Severity:
    """Lost or inconsistent data is critical; data short of a copy, or moving, is a warning."""
    if ceph is None or not ceph.pgs_counted:
        return Severity.OK if ceph is None else Severity.UNKNOWN
    states = dict(ceph.pg_states)
    if any(states.get(name) for name in LOST_STATES):
        return Severity.CRITICAL
    return Severity.WARNING if states.get("clean", 0) < ceph.pgs_total else Severity.OK


def recovery_words(ceph: Ceph | None) -> str:
    """What is being repaired, how fast and until when."""
    if ceph is None or not ceph.pgs_counted:
        return "" if ceph is None else "no mgr counts them"
    wrong = [f"{number} {name}" for name, number in ceph.pg_states if name in LOST_STATES]
    if ceph.objects_left:
        copies = "" if ceph.recovery_eta_s else " copies"
        wrong.append(f"{count(ceph.objects_left)}{copies} {pace_words(ceph)}")
    return ", ".join(wrong) or "nothing to recover"


def _daemons(ceph: Ceph) -> list[Daemon]:
    kinds = (("mon", ceph.mons), ("mgr", ceph.mgrs), ("mds", ceph.mdss), ("rgw", ceph.rgws))
    return [Daemon(kind, daemon) for kind, daemons in kinds for daemon in daemons]


def _daemon_state(row: Daemon) -> Content:
    return status_mark(daemon_severity(row.daemon), row.daemon.state)


def _pool_state(pool: Pool) -> Content | str:
    if pool.unclean is None:
        return "–"
    return figure(f"{pool.unclean} unclean", Severity.WARNING) if pool.unclean else status_mark(Severity.OK, "clean")


def _used(ratio: float | None) -> Content | str:
    return limited(percent(ratio), ratio, limits.RAW_CAPACITY) if ratio is not None else "–"


def _number(ident: str) -> tuple[str, int]:
    kind, _, number = ident.rpartition(".")
    return (kind, int(number)) if number.isdigit() else (ident, -1)
