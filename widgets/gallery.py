"""What `python -m widgets` shows: each widget with made-up figures, in every state it has."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

import themes
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import data_size, percent, rate
from widgets import ink
from widgets.ascii_filter import terminal_filters
from widgets.big_digits import BigDigits
from widgets.chart_axis import PER_SECOND, RATIO
from widgets.crumbs import Crumbs
from widgets.dialog import Choice, ChoiceDialog, ConfirmDialog, key_hints
from widgets.freshness_chip import FreshnessChip
from widgets.glyphs import glyphs, set_ascii
from widgets.heartbeat import Heartbeat
from widgets.key_value import KeyValue
from widgets.live_log import LiveLog
from widgets.live_table import LiveTable
from widgets.live_tree import Branch, LiveTree, TreeRow, tree_cell
from widgets.meter import Limits, Meter, meter
from widgets.prompt import Prompt, Suggestion
from widgets.raw_view import RawView
from widgets.scrollbars import install_scrollbars
from widgets.spark import spark
from widgets.status_mark import StatusMark, status_mark
from widgets.table_columns import Cell, Column
from widgets.tile import Tile, TileState
from widgets.trend_chart import Line, Threshold, TrendChart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.filter import LineFilter
    from textual.widget import Widget

END = 1_767_236_400.0
"""A fixed moment, so that pictures of the gallery can be compared."""
STILL_S = 3600.0
"""And nothing turns in them by itself."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A made-up node."""

    name: str
    tier: str
    cpu: float | None
    memory_bytes: float
    requests_per_s: float
    severity: Severity
    freshness: Freshness
    trend: tuple[float | None, ...]


def machines(number: int) -> list[Machine]:
    """Made-up nodes, always the same."""
    tiers = ("edge", "cache", "worker", "database", "storage")
    special = {
        3: (Severity.CRITICAL, Freshness.LIVE),
        5: (Severity.WARNING, Freshness.LIVE),
        8: (Severity.UNKNOWN, Freshness.LIVE),
        9: (Severity.OK, Freshness.STALE),
        11: (Severity.OK, Freshness.AGEING),
        12: (Severity.WARNING, Freshness.STALE),
    }
    return [
        Machine(
            f"{tiers[index % 5]}-{index:02}",
            tiers[index % 5],
            None if index == 8 else (index * 37 % 100) / 100,
            (4 + index * 7 % 28) * 2**30,
            1500 * math.sin(index) ** 2,
            *special.get(index, (Severity.OK, Freshness.LIVE)),
            tuple(0.5 + 0.4 * math.sin(index + step / 4) for step in range(24)),
        )
        for index in range(number)
    ]


def columns() -> list[Column[Machine]]:
    """A column of each kind."""
    limits = Limits(0.8, 0.95)
    return [
        Column("name", "NAME", lambda row: row.name, width=16, min_width=10, priority=0, sort=lambda row: row.name),
        Column("state", "STATE", _state, width=10, sort=lambda row: row.severity, descending=True),
        Column("tier", "TIER", lambda row: row.tier, width=9, priority=4, sort=lambda row: row.tier),
        Column("cpu", "CPU", lambda row: meter(row.cpu, 16, limits), width=16,
               sort=lambda row: row.cpu, descending=True),
        Column("memory", "MEMORY", lambda row: data_size(row.memory_bytes), width=9, align="right", priority=2,
               sort=lambda row: row.memory_bytes, descending=True),
        Column("requests", "REQ/S", lambda row: rate(row.requests_per_s), width=8, align="right", priority=2,
               sort=lambda row: row.requests_per_s, descending=True),
        Column("trend", "LAST 3 H", lambda row: spark(row.trend, 12), width=12, priority=3),
    ]  # fmt: skip


def _state(row: Machine) -> Cell:
    return status_mark(row.severity) if row.severity > Severity.OK else "ok"


def live_table(rows: int = 60) -> Widget:
    """A table of made-up nodes, the worst first."""
    table: LiveTable[Machine] = LiveTable(
        columns(),
        key=lambda row: row.name,
        severity=lambda row: row.severity,
        freshness=lambda row: row.freshness,
        noun="nodes",
        sort="state",
    )
    table.set_rows(machines(rows))
    return table


def live_tree() -> Widget:
    """OSDs under their hosts."""

    def osd(number: int) -> Branch[Machine]:
        severity = Severity.CRITICAL if number == 4 else Severity.OK
        state = Machine(f"osd.{number}", "osd", 0.1 * number, 2**40, 0, severity, Freshness.LIVE, ())
        return Branch(state.name, state)

    def host(number: int) -> Branch[Machine]:
        severity = Severity.WARNING if number == 1 else Severity.OK
        state = Machine(f"pve-{number}", "host", 0.3, 2**40, 0, severity, Freshness.LIVE, ())
        return Branch(state.name, state, tuple(osd(number * 3 + position) for position in range(3)))

    root = Machine("default", "root", 0.3, 2**42, 0, Severity.WARNING, Freshness.LIVE, ())

    def name(row: TreeRow[Machine]) -> Cell:
        return tree_cell(row, row.item.name)

    tree: LiveTree[Machine] = LiveTree(
        [
            Column("name", "NAME", name, width=24, min_width=14, priority=0, flex=1),
            Column("kind", "KIND", lambda row: row.item.tier, width=6),
            Column("used", "USED", lambda row: meter(row.item.cpu, 16, Limits(0.85, 0.95)), width=16),
            Column("state", "STATE", lambda row: status_mark(row.item.severity), width=10),
        ],
        severity=lambda item: item.severity,
        noun="OSDs",
    )
    tree.set_tree([Branch("default", root, tuple(host(number) for number in range(3)))])
    return tree


def _times(points: int, span_s: float) -> list[float]:
    return [END - span_s + (index + 1) * span_s / points for index in range(points)]


def trend_chart() -> Widget:
    """A hit ratio that falls, beside last week's, with a gap; rates on a round axis; and charts without values."""
    times = _times(360, 10800)
    falling = [
        None if 110 <= index < 140 else 0.93 + 0.02 * math.sin(index / 9) - 0.4 * max(0.0, min(1.0, (index - 260) / 60))
        for index in range(360)
    ]
    last_week = [0.94 + 0.015 * math.sin(index / 9 + 1) for index in range(360)]
    hit = TrendChart(
        "cache hit ratio",
        RATIO,
        [Threshold(0.8, Severity.WARNING, falling=True), Threshold(0.6, Severity.CRITICAL, falling=True)],
    )
    hit.show(
        [Line("tier", times, falling), Line("same hour last week", times, last_week, compared=True)],
        end=END,
        span_s=10800,
    )
    requests = TrendChart("requests", PER_SECOND)
    young = times[200:]
    requests.show(
        [
            Line("edge-1", young, [900 + 300 * math.sin(index / 20) for index in range(160)]),
            Line("edge-2", young, [500 + 200 * math.sin(index / 15) for index in range(160)]),
        ],
        end=END,
        span_s=10800,
    )
    stale = TrendChart("p95", PER_SECOND)
    stale.show([Line("p95", times, last_week)], end=END, span_s=10800, freshness=Freshness.STALE, age_s=250)
    never = TrendChart("queue")
    for chart, height in ((hit, 12), (requests, 9), (stale, 6), (never, 4)):
        chart.styles.height = height
    return VerticalScroll(hit, requests, stale, never)


def tile() -> Widget:
    """Tiles in each state and at each height."""
    trend = tuple(0.6 + 0.3 * math.sin(step / 5) for step in range(60))
    states = [
        ("hit ratio", TileState("93 %", "target 85 %", trend=trend, high=1.0)),
        ("5xx", TileState("1.2 %", "12 sites", Severity.WARNING, trend=trend)),
        ("sites up", TileState("497", "of 500", Severity.CRITICAL, trend=trend)),
        ("storage", TileState("71 %", "full in 40 d", freshness=Freshness.STALE, age_s=250, trend=trend)),
        ("database", TileState("–", "", Severity.UNKNOWN, Freshness.NEVER)),
    ]
    rows = []
    for height in (7, 5, 3, 1):
        tiles = [_tile(title, state, height) for title, state in states]
        row = Horizontal(*tiles, classes="tiles")
        row.styles.height = height + 1
        rows.append(row)
    return Vertical(*rows)


def _tile(title: str, state: TileState, height: int) -> Tile:
    shown = Tile(title)
    shown.styles.height = height
    shown.show(state)
    return shown


def big_digits() -> Widget:
    """Figures in both sizes and all severities."""
    small = [BigDigits() for _ in range(4)]
    for digits, (text, severity) in zip(
        small,
        (("93 %", Severity.OK), ("1.2k/s", Severity.WARNING), ("497", Severity.CRITICAL), ("n/a", Severity.UNKNOWN)),
        strict=True,
    ):
        digits.show(text, severity)
        digits.styles.margin = (1, 3, 1, 0)
    large = BigDigits(large=True)
    large.show("0123456789.5 %")
    top = Horizontal(*small)
    top.styles.height = 5
    return Vertical(top, large)


def meter_() -> Widget:
    """Meters below and above their limits."""
    shown = []
    for label, value, limits in (
        ("cpu", 0.42, Limits(0.8, 0.95)),
        ("memory", 0.83, Limits(0.8, 0.95)),
        ("disk", 0.97, Limits(0.8, 0.95)),
        ("hit ratio", 0.72, Limits(0.8, 0.6, falling=True)),
        ("idle", 0.0, Limits()),
        ("unknown", None, Limits()),
    ):
        bar = Meter(label, limits)
        bar.styles.width = 44
        bar.show(value)
        shown.append(bar)
    stale = Meter("old", Limits(0.8))
    stale.styles.width = 44
    stale.show(0.9, stale=True)
    return Vertical(*shown, stale)


def spark_() -> Widget:
    """Sparks on one scale, with a gap."""
    wave: list[float | None] = [0.5 + 0.5 * math.sin(step / 4) for step in range(30)]
    gap = [None if 10 <= step < 15 else value for step, value in enumerate(wave)]
    lines = [spark(wave, 30), spark([None if v is None else v / 2 for v in wave], 30), spark(gap, 30),
             spark(wave, 30, severity=Severity.WARNING)]  # fmt: skip
    return Static(Content("\n").join(lines), markup=False)


def freshness_chip() -> Widget:
    """The six that never look alike."""
    chips = []
    for freshness, age_s in (
        (Freshness.LIVE, 2.0),
        (Freshness.AGEING, 35.0),
        (Freshness.STALE, 250.0),
        (Freshness.NEVER, None),
        (Freshness.FORBIDDEN, None),
        (Freshness.EMPTY, None),
        (Freshness.ABSENT, None),
    ):
        chip = FreshnessChip("prometheus")
        chip.show(freshness, age_s)
        chips.append(chip)
    return Vertical(*chips)


def status_mark_() -> Widget:
    """The five severities."""
    return Vertical(*(StatusMark(severity) for severity in Severity))


def key_value() -> Widget:
    """What is known of a node."""
    panel = KeyValue(columns=2)
    panel.show(
        [
            ("name", "cache-02 [not markup]"),
            ("address", "10.20.0.12"),
            ("state", status_mark(Severity.WARNING, "drained")),
            ("cpu", meter(0.62, 20, Limits(0.8, 0.95))),
            ("hit ratio", percent(0.934)),
            ("requests", spark([0.2, 0.4, 0.8, 0.6, 0.9], 10)),
        ]
    )
    return panel


def heartbeat() -> Widget:
    """Alive, and not."""
    alive = Heartbeat(every_s=STILL_S, clock=lambda: datetime.fromtimestamp(END, UTC))
    alive.beat()
    return Vertical(alive, Heartbeat(every_s=STILL_S, clock=lambda: datetime.fromtimestamp(END, UTC)))


def raw_view() -> Widget:
    """A domain value as JSON."""
    view = RawView()
    view.show_json(machines(6))
    return view


def live_log() -> Widget:
    """What a command prints, at its end."""
    log = LiveLog()
    log.show([Content.assemble((f"03:12:{second:02d}  ", ink.FAINT), f"line {second}") for second in range(40)])
    return log


def crumbs() -> Widget:
    """Where one is."""
    line = Crumbs()
    line.show(["overview", "cache", "cache-02"])
    return line


class _PromptDemo(Vertical):
    """Opens by itself."""

    def compose(self) -> ComposeResult:
        """The prompt."""
        yield Prompt()

    def on_mount(self) -> None:
        """Ask."""
        self.query_one(Prompt).ask(":", "to", complete=_complete)


def _complete(text: str) -> Sequence[Suggestion]:
    known = {
        "topology": "the request path",
        "tokens": "who may what",
        "overview": "worst things first",
        "why": "causes",
    }
    return [Suggestion(name, help_) for name, help_ in known.items() if name.startswith(text)]


class _DialogDemo(Vertical):
    """Says which keys open which dialog."""

    def compose(self) -> ComposeResult:
        """The keys."""
        yield Static(key_hints(("1", "risk 1"), ("2", "risk 2"), ("3", "risk 3"), ("x", "choose")), markup=False)

    def on_mount(self) -> None:
        """Open the one of level 2."""
        self.app.call_later(self.ask, 2)

    def ask(self, risk: int) -> None:
        """Open a dialog."""
        body = ["varnishadm -n cache-02 ban req.http.host == shop.example", "", "takes 1,204 objects out of 3 caches"]
        if risk == 1:
            self.app.push_screen(ConfirmDialog("Repeat the check", body, risk=1, verb="check"))
        elif risk == 2:
            self.app.push_screen(ConfirmDialog("Ban", body, risk=2, target="cache-02", verb="ban"))
        elif risk == 3:
            self.app.push_screen(ConfirmDialog("Zap the OSD", body, risk=3, target="osd.4", verb="zap"))
        else:
            self.app.push_screen(
                ChoiceDialog(
                    "Actions on cache-02",
                    [
                        Choice("ban", "Ban", "drop matching objects", Severity.WARNING),
                        Choice("drain", "Drain", "take it out of the tier", Severity.WARNING),
                        Choice("restart", "Restart", refused="the figures are stale"),
                    ],
                )
            )


GALLERY: dict[str, Callable[[], Widget]] = {
    "live_table": live_table,
    "live_tree": live_tree,
    "trend_chart": trend_chart,
    "tile": tile,
    "big_digits": big_digits,
    "meter": meter_,
    "spark": spark_,
    "freshness_chip": freshness_chip,
    "status_mark": status_mark_,
    "key_value": key_value,
    "heartbeat": heartbeat,
    "raw_view": raw_view,
    "live_log": live_log,
    "crumbs": crumbs,
    "prompt": _PromptDemo,
    "dialog": _DialogDemo,
}
"""Each entry's name is that of its module."""

QUIET = ("freshness_chip", "status_mark", "meter", "spark", "big_digits", "key_value", "crumbs", "heartbeat")
"""What `all` puts on one page: the small ones."""


class Gallery(App[None]):
    """Shows one widget, or the small ones together. `t` changes the theme, `a` the signs, Ctrl+C leaves."""

    CSS_PATH: ClassVar[str] = str(themes.APP_CSS)
    CSS = ".entry { height: auto; margin-bottom: 1; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "next_theme", "theme", id="gallery.theme", tooltip="the next theme"),
        Binding("a", "next_signs", "signs", id="gallery.signs", tooltip="Unicode or ASCII signs"),
        *(Binding(key, f"dialog({key})", show=False, id=f"gallery.dialog_{key}") for key in "123"),
        Binding("x", "dialog(0)", show=False, id="gallery.dialog_x"),
    ]

    def __init__(self, entry: str = "all", theme: str = "") -> None:
        super().__init__()
        install_scrollbars()
        found, self._problems = themes.load_themes()
        for one in found:
            self.register_theme(one)
        self._entry = entry
        self._names = [one.name for one in found]
        self.theme = themes.choose(theme, found, os.environ)[0]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our names, for themes that are not ours."""
        return themes.variable_defaults()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, then ours."""
        return terminal_filters(super().get_line_filters())

    def compose(self) -> ComposeResult:
        """The widgets."""
        if self._entry != "all":
            yield GALLERY[self._entry]()
            return
        with VerticalScroll():
            yield from self._all()

    def _all(self) -> Iterator[Widget]:
        for name in QUIET:
            yield Static(Content.styled(name, f"{ink.MUTED} bold"), markup=False)
            widget = GALLERY[name]()
            widget.add_class("entry")
            yield widget

    def action_next_theme(self) -> None:
        """Another theme."""
        self.theme = self._names[(self._names.index(self.theme) + 1) % len(self._names)]

    def action_next_signs(self) -> None:
        """The other signs."""
        set_ascii(not glyphs().is_ascii)
        self.refresh_css()

    def action_dialog(self, risk: int) -> None:
        """A dialog, where the entry is one."""
        for demo in self.query(_DialogDemo):
            demo.ask(risk)
