"""The sources screen: where each figure comes from, how old it is, why it is missing and what to do about that."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.node import IdentityProblem
from farmtui.farm.reading import SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age, ago, duration
from screens.describe.signals import source_severity
from screens.frame import FarmScreen
from screens.lines import ClickableLine
from screens.places import Subject
from screens.views import View, chosen_view, views_text
from widgets import ink
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

VIEWS = ("sources", "figures", "identity")

Figure = tuple[str, str]
"""A figure's name, and why it could not be had."""

_SORTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "state": {"sources": "state", "identity": "kind"},
        "name": {"sources": "name", "figures": "name", "identity": "subject"},
        "age": {"sources": "age"},
        "took": {"sources": "took"},
        "requests": {"sources": "requests"},
        "failures": {"sources": "failures"},
    }
)
"""Which column a sort key means in each view."""


def state_severity(source: SourceState) -> Severity:
    """How little a source can be trusted; one that answers with warnings, or has just failed, is a warning."""
    worst = source_severity(source.freshness)
    return max(worst, Severity.WARNING) if source.failure or source.warnings else worst


def _sort(key: str, name: str, words: str) -> Command:
    return Command(f"sources.sort.{name}", key, f"sort('{name}')", f"By {name}", words, group="sort")


class SourcesScreen(FarmScreen):
    """The sources, the figures that could not be had, and the machines that could not be told apart."""

    NAME = "sources"
    CSS_PATH = "sources.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("sources.view", "v", "next_view", "View", "Sources, figures, identity", shown=True, group="list"),
        _sort("S", "state", "Sort by state, worst first"),
        _sort("N", "name", "Sort by name"),
        _sort("A", "age", "Sort by age of the last answer, oldest first"),
        _sort("T", "took", "Sort by time taken, slowest first"),
        _sort("R", "requests", "Sort by requests a cycle"),
        _sort("F", "failures", "Sort by failures in a row"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._view = VIEWS[0]
        self._about: Content | None = None

    def compose_body(self) -> ComposeResult:
        """The line of views, one table a view, and the selected row in full words."""
        yield ClickableLine(id="views")
        yield LiveTable[SourceState](
            self._source_columns(), key=lambda source: source.name, noun="sources", sort="state", id="sources"
        )
        yield LiveTable[Figure](
            (
                Column("name", "figure", lambda figure: figure[0], width=28, min_width=16, priority=0,
                       sort=lambda figure: figure[0]),
                Column("why", "why it could not be had", lambda figure: figure[1], width=30, flex=1, priority=0,
                       sort=lambda figure: figure[1]),
            ),
            key=lambda figure: figure[0],
            noun="figures missing",
            id="figures",
        )  # fmt: skip
        yield LiveTable[IdentityProblem](
            (
                Column("kind", "kind", lambda p: p.kind, width=9, priority=0, sort=lambda p: p.kind),
                Column("subject", "machine", lambda p: p.subject, width=20, min_width=12, priority=0,
                       sort=lambda p: p.subject),
                Column("detail", "what", lambda p: p.detail, width=24, flex=3, priority=0, sort=lambda p: p.detail),
                Column("remedy", "what to do", lambda p: p.remedy, width=24, flex=2, priority=2),
            ),
            key=lambda problem: (problem.kind, problem.subject, problem.detail),
            noun="machines in doubt",
            id="identity",
        )  # fmt: skip
        yield Static(id="about", markup=False)

    def _source_columns(self) -> tuple[Column[SourceState], ...]:
        return (
            Column("state", "state", _state, width=13, priority=0, sort=state_severity, descending=True),
            Column("name", "source", lambda s: s.name, width=18, min_width=12, flex=1, priority=0,
                   sort=lambda s: s.name),
            Column("endpoint", "where", lambda s: s.endpoint, width=26, min_width=26, flex=2, priority=3,
                   sort=lambda s: s.endpoint),
            Column("what", "what is wrong", _what, width=40, min_width=30, flex=4, priority=6),
            Column("age", "answered", self._answered, width=10, align="right", priority=0, sort=self._age_s,
                   descending=True, help="when it last answered"),
            Column("took", "took", lambda s: duration(s.duration_s), width=7, align="right", priority=1,
                   sort=lambda s: s.duration_s, descending=True, help="how long its last poll took"),
            Column("every", "every", lambda s: duration(s.interval_s), width=6, align="right", priority=4,
                   sort=lambda s: s.interval_s, help="its polling interval"),
            Column("next", "next", self._next, width=8, align="right", priority=2,
                   help="when it is asked again; further off after failures"),
            Column("failures", "failed", _failures, width=6, align="right", priority=1,
                   sort=lambda s: s.failures_in_a_row, descending=True, help="polls that failed in a row"),
            Column("requests", "req", lambda s: str(s.requests_per_cycle), width=4, align="right", priority=3,
                   sort=lambda s: s.requests_per_cycle, descending=True,
                   help="requests a poll: constant as the farm grows"),
            Column("polls", "polls", lambda s: str(s.polls), width=6, align="right", priority=5,
                   sort=lambda s: s.polls, descending=True),
        )  # fmt: skip

    def on_mount(self) -> None:
        """Begin with the sources."""
        self._show_view()

    # -- what is shown --------------------------------------------------------------------------

    def _table(self, view: str = "") -> LiveTable[Any]:
        return self.query_one(f"#{view or self._view}", LiveTable)

    @property
    def view(self) -> str:
        """`sources`, `figures` or `identity`."""
        return self._view

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Fill the view that is shown; hidden ones wait until they are."""
        table = self._table()
        match self._view:
            case "sources":
                sources = [s for s in farm.sources if not self.console.faults_only or state_severity(s)]
                well = "all sources answer" if farm.sources else "no source is configured: see config.example.yaml"
                table.set_rows(sources, reason=well)
                table.refresh_cells()
            case "figures":
                table.set_rows(farm.figure_problems, reason=_no_figures(farm))
            case _:
                table.set_rows(farm.identity_problems, reason="every machine is known for certain")
        self._show_views(farm)
        self._show_about()

    def _show_views(self, farm: Farm) -> None:
        bad = max(map(state_severity, farm.sources), default=Severity.OK)
        figures = Severity.WARNING if farm.figure_problems else Severity.OK
        doubts = any(problem.kind != "stranger" for problem in farm.identity_problems)
        views = (
            View("sources", str(len(farm.sources)), bad),
            View("figures", str(len(farm.figure_problems)), figures),
            View("identity", str(len(farm.identity_problems)), Severity.WARNING if doubts else Severity.OK),
        )
        requests = sum(source.requests_per_cycle for source in farm.sources)
        right = Content.styled(f"{requests} requests a cycle ", ink.MUTED)
        self.query_one("#views", ClickableLine).show(views_text(views, self._view), right)

    def _show_about(self) -> None:
        row = self._table().cursor_row
        farm = self.console.farm
        if farm is None:
            return
        match row:
            case SourceState():
                text = about_source(farm, row)
            case IdentityProblem():
                text = _lines((row.subject, ink.STRONG), (row.detail, ink.TEXT), (row.remedy, ink.ACCENT))
            case (str(name), str(why)):
                remedy = f"override it, or switch it off with an empty text, in the config: prometheus.queries.{name}"
                text = _lines((name, ink.STRONG), (why, ink.TEXT), (remedy, ink.ACCENT))
            case _:
                text = Content("")
        if self._about is None or not text.is_same(self._about):
            self._about = text
            self.query_one("#about", Static).update(text)

    def _answered(self, source: SourceState) -> str:
        farm = self.console.farm
        if source.last_success_at is None or farm is None:
            return "never"
        return ago((farm.at - source.last_success_at).total_seconds())

    def _age_s(self, source: SourceState) -> float:
        farm = self.console.farm
        if source.last_success_at is None or farm is None:
            return float("inf")
        return (farm.at - source.last_success_at).total_seconds()

    def _next(self, source: SourceState) -> str:
        farm = self.console.farm
        if source.next_attempt_at is None or farm is None:
            return "–"
        left_s = (source.next_attempt_at - farm.at).total_seconds()
        return f"in {age(left_s)}" if left_s >= 1 else "now"

    # -- what is chosen -------------------------------------------------------------------------

    def selected(self) -> Subject | None:
        """The source under the cursor; of a missing figure its source, of a doubt the machine if there is one."""
        row = self._table().cursor_row
        farm = self.console.farm
        match row:
            case SourceState():
                return Subject("source", row.name, row.name)
            case IdentityProblem() if farm is not None:
                known = any(node.name == row.subject for node in farm.nodes)
                return Subject("node", row.subject, row.subject) if known else None
            case (str(), str()) if farm is not None:
                source = farm.source("prometheus")
                return Subject("source", source.name, source.name) if source else None
        return None

    def action_copy(self) -> None:
        """A figure's name is worth more than its source's."""
        row = self._table().cursor_row
        match row:
            case (str(name), str()):
                self.console.clip(name, name)
            case _:
                super().action_copy()

    # -- views and order ------------------------------------------------------------------------

    def _show_view(self) -> None:
        for view in VIEWS:
            self._table(view).display = view == self._view
        self._table().focus()
        self.refresh_bindings()

    def action_view(self, view: str) -> None:
        """Show one of the views."""
        if view in VIEWS and view != self._view:
            self._view = view
            self._show_view()
            farm = self.console.farm
            if farm is not None:
                self.show_farm(farm, self.console.findings)

    def action_next_view(self) -> None:
        """The next view."""
        self.action_view(VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)])

    def action_sort(self, column: str) -> None:
        """Sort the view by what a key means in it; once more turns the direction."""
        found = _SORTS[column].get(self._view)
        if found is not None:
            self._table().sort_by(found)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing in a view do not show there."""
        if action == "sort":
            return self._view in _SORTS[str(parameters[0])]
        return super().check_action(action, parameters)

    # -- messages -------------------------------------------------------------------------------

    @on(ClickableLine.Chosen)
    def _view_clicked(self, message: ClickableLine.Chosen) -> None:
        view = chosen_view(message.name)
        if view:
            message.stop()
            message.prevent_default()  # the frame takes all other parts for screens
            self.action_view(view)

    @on(LiveTable.RowSelected)
    def _opened(self) -> None:
        subject = self.selected()
        if subject is not None:
            self.console.open(subject)

    @on(LiveTable.RowHighlighted)
    def _moved(self) -> None:
        self._show_about()


def _state(source: SourceState) -> Content:
    if source.freshness is Freshness.LIVE and (source.failure or source.warnings):
        return status_mark(Severity.WARNING, "failing" if source.failure else "warns")
    sign = glyphs().freshness[source.freshness]
    severity = source_severity(source.freshness)
    style = ink.SEVERITY[severity] if severity >= Severity.WARNING else ink.TEXT
    return Content.styled(f"{sign} {_STATE_WORDS.get(source.freshness, source.freshness.value)}", style)


_STATE_WORDS = {Freshness.NEVER: "no answer", Freshness.FORBIDDEN: "not allowed"}


def _what(source: SourceState) -> str:
    """The failure, or the first warning, in one line; the full words stand below the table."""
    return source.failure.what if source.failure else next(iter(source.warnings), "")


def _failures(source: SourceState) -> Content | str:
    if not source.failures_in_a_row:
        return "–"
    return Content.styled(str(source.failures_in_a_row), ink.WARNING)


def _no_figures(farm: Farm) -> str:
    if farm.source("prometheus") is None:
        return "no Prometheus is configured"
    if not farm.freshness("prometheus").readable:
        return "Prometheus has not answered: nothing is known of its figures"
    return "every figure of the catalogue could be had"


def about_source(farm: Farm, source: SourceState) -> Content:
    """A source in full words: what fails and what to do, what it warns of; where all is well, that it is."""
    head = Content.assemble((source.name, ink.STRONG), (f"  {source.endpoint}", ink.MUTED))
    lines: list[Content] = [head]
    if source.failure is not None:
        sign = glyphs().severity[Severity.CRITICAL]
        lines.append(Content.styled(f"{sign} {source.failure.what}", ink.CRITICAL))
        lines.append(Content.assemble(("what to do  ", ink.MUTED), (source.failure.remedy, ink.ACCENT)))
        if source.failure.retry_after_s is not None:
            wait = duration(source.failure.retry_after_s)
            lines.append(Content.styled(f"it asks for a pause of {wait}", ink.MUTED))
        heard = source.last_success_at
        shown = "it has never answered, so nothing of it is shown"
        if heard is not None:
            shown = f"what the screens show of it is {age((farm.at - heard).total_seconds())} old"
        lines.append(Content.styled(f"failed {source.failures_in_a_row} times in a row; {shown}", ink.MUTED))
    sign = glyphs().severity[Severity.WARNING]
    lines += [Content.styled(f"{sign} {warning}", ink.WARNING) for warning in source.warnings]
    if len(lines) == 1:
        words = f"answers in {duration(source.duration_s)}, every {duration(source.interval_s)}, {source.polls} polls"
        lines.append(Content.styled(words if source.polls else "has not been asked yet", ink.MUTED))
    return Content("\n").join(lines)


def _lines(*lines: tuple[str, str]) -> Content:
    return Content("\n").join(Content.styled(text, style) for text, style in lines if text)
