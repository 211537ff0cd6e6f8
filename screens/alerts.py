"""Screen 5: alerts grouped and merged over all Alertmanagers, the silences, and the rules behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.alerts import Rule
from farmtui.farm.state import Freshness, Severity
from screens.alert_columns import (
    SilenceRow,
    alert_columns,
    row_dimness,
    rule_columns,
    rule_rows,
    rule_severity,
    rule_text,
    silence_columns,
    silence_dimness,
    silence_labels,
    silence_rows,
    silence_text,
)
from screens.alert_rows import AlertRow, Arrangement, Rows, around, arrange
from screens.alert_words import alertmanager_trouble, nothing_there, picture_freshness, source_trouble
from screens.frame import FarmScreen
from screens.lines import ClickableLine
from screens.places import Subject
from screens.views import View, chosen_view, views_text
from widgets import ink
from widgets.freshness_chip import freshness_text
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding
    from widgets.table_view import Predicate

VIEWS = ("alerts", "silences", "rules")

_SOURCE_KIND: Mapping[str, str] = MappingProxyType(
    {"alerts": "alertmanager", "silences": "alertmanager", "rules": "prometheus"}
)

_SORTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "severity": {"alerts": "severity", "silences": "state", "rules": "state"},
        "name": {"alerts": "name", "silences": "matchers", "rules": "name"},
        "age": {"alerts": "age", "silences": "ends", "rules": "for"},
        "machine": {"alerts": "where"},
        "state": {"alerts": "state", "silences": "covers"},
        "receivers": {"alerts": "receivers", "rules": "group"},
        "owner": {"alerts": "owner", "silences": "by"},
    }
)
"""Which column a sort key means in each view."""


AGES_STAND_S = 10.0
"""Seconds for which rows may keep their ages while no alert has changed."""


def _sort(key: str, name: str, words: str) -> Command:
    return Command(f"alerts.sort.{name}", key, f"sort('{name}')", f"By {name}", words, group="sort")


class ArrangedTable(LiveTable[AlertRow]):
    """A table whose rows come filtered already: a group's head stays as long as one of its alerts does."""

    def set_filter(self, predicate: Predicate[AlertRow] | None, text: str = "") -> None:
        """Nothing is left to do."""


class AlertsScreen(FarmScreen):
    """Alerts, silences and rules, one of them at a time."""

    NAME = "alerts"
    CSS_PATH = "alerts.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("alerts.view", "v", "next_view", "View", "Alerts, silences, rules", shown=True, group="list"),
        Command("alerts.group", "b", "group(1)", "Group", "Group by the next label", shown=True, group="list"),
        Command("alerts.group.back", "B", "group(-1)", "Group back", "Group by the label before", group="list"),
        Command("alerts.fold", "e", "fold", "Fold", "Fold or unfold all groups", group="list"),
        Command("alerts.worst", "W", "worst_first", "Worst first", "Worst first, newest of them first", group="sort"),
        _sort("S", "severity", "Sort by severity"),
        _sort("N", "name", "Sort by name; silences by what they match"),
        _sort("A", "age", "Sort by age, newest first; silences by their end"),
        _sort("M", "machine", "Sort by machine"),
        _sort("T", "state", "Sort by state; silences by how many alerts they cover"),
        _sort("R", "receivers", "Sort by who is told; rules by group"),
        _sort("O", "owner", "Sort by owner; silences by who made them"),
        Command("alerts.silence", "", "silence", "Silence", "Silence the chosen alerts", ("silence",), group="list"),
        Command("alerts.view.rules", "", "view('rules')", "Rules", "The alerting rules", ("rules",), group="list"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._view = VIEWS[0]
        self._how = Arrangement()
        self._rows = Rows()
        self._arranged: Farm | None = None
        self._arranged_how = self._how
        self._columns = (True, True)
        self._peeked: Content | None = None

    def compose_body(self) -> ComposeResult:
        """The line of views, what is wrong with the sources, one table a view, and the selected row in words."""
        yield ClickableLine(id="views")
        yield Static(id="trouble", markup=False)
        yield ArrangedTable(
            alert_columns(self._as_arranged),
            key=lambda row: row.key,
            freshness=row_dimness,
            noun="alerts",
            id="alerts",
        )
        yield LiveTable[SilenceRow](
            silence_columns(),
            key=lambda row: row.silence.id,
            freshness=silence_dimness,
            search=silence_text,
            noun="silences",
            id="silences",
        )
        yield LiveTable[Rule](
            rule_columns(), key=lambda rule: f"{rule.group}/{rule.name}", search=rule_text, noun="rules", id="rules"
        )
        yield Static(id="peek", markup=False)

    def on_mount(self) -> None:
        """Begin with the alerts."""
        self.query_one("#trouble").display = False
        self._show_view()

    # -- what is shown --------------------------------------------------------------------------

    def _as_arranged(self, row: AlertRow) -> int:
        """Rows come in their order, which groups need; the table, told to sort, keeps it in both directions."""
        return -row.position if self._table("alerts").sorted_by[1] else row.position

    def _table(self, view: str = "") -> LiveTable[Any]:
        return self.query_one(f"#{view or self._view}", LiveTable)

    @property
    def view(self) -> str:
        """`alerts`, `silences` or `rules`."""
        return self._view

    @property
    def how(self) -> Arrangement:
        """How the alerts are grouped and sorted."""
        return self._how

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Fill the view that is shown; hidden ones wait until they are."""
        freshness = picture_freshness(farm, _SOURCE_KIND[self._view])
        self._arrange(farm)
        match self._view:
            case "alerts":
                self._show_alerts(farm, freshness)
            case "silences":
                self._show_silences(farm, freshness)
            case _:
                self._show_rules(farm, freshness)
        self._show_trouble(farm)
        self._show_views(farm)
        self._peek()

    def _show_alerts(self, farm: Farm, freshness: Freshness) -> None:
        rows = self._rows
        reason = nothing_there(farm, "alertmanager", "alerts")
        if rows.total and not rows.rows:
            if self.row_filter:
                reason = f"none of {rows.total} alerts match /{self.row_filter.text} (Esc clears the filter)"
            else:
                reason = f"no faults: {rows.hidden_well} silenced, inhibited or informing alerts are hidden"
        wanted = (rows.owned, rows.parted)
        if wanted != self._columns:
            self._columns = wanted
            columns = alert_columns(self._as_arranged, owners=wanted[0], replicas=wanted[1])
            self._table("alerts").set_columns(columns)
        self._table("alerts").set_rows(rows.rows, freshness=freshness, reason=reason)

    def _arrange(self, farm: Farm) -> None:
        """Arrange anew when there is something new: most pictures are of other sources, and thousands of alerts cost.

        Ages go on without: they are coarse, but not so coarse that they may stand still.
        """
        how = replace(self._how, row_filter=self.row_filter, faults_only=self.console.faults_only)
        done = self._arranged
        if (
            done is not None
            and done.book is farm.book
            and done.nodes is farm.nodes
            and how == self._arranged_how
            and abs((farm.at - done.at).total_seconds()) < AGES_STAND_S
        ):
            return
        self._arranged, self._arranged_how = farm, how
        self._rows = arrange(around(farm), farm.book.alerts if farm.book else (), how)

    def _show_silences(self, farm: Farm, freshness: Freshness) -> None:
        rows = silence_rows(farm)
        if self.console.faults_only:
            rows = tuple(row for row in rows if row.silence.state != "expired")
        reason = nothing_there(farm, "alertmanager", "silences")
        self._table("silences").set_rows(rows, freshness=freshness, reason=reason)

    def _show_rules(self, farm: Farm, freshness: Freshness) -> None:
        rows = rule_rows(farm)
        if self.console.faults_only:
            rows = tuple(rule for rule in rows if rule_severity(rule) >= Severity.WARNING)
        reason = nothing_there(farm, "prometheus", "rules")
        self._table("rules").set_rows(rows, freshness=freshness, reason=reason)

    def labels_of(self, row: object) -> Mapping[str, str]:
        """What `-l` is matched against."""
        match row:
            case SilenceRow():
                return silence_labels(row)
            case Rule():
                return {**dict(row.labels), "alertname": row.name, "group": row.group}
        return super().labels_of(row)

    def _show_trouble(self, farm: Farm) -> None:
        lines = source_trouble(farm, "prometheus") if self._view == "rules" else alertmanager_trouble(farm)
        trouble = self.query_one("#trouble", Static)
        trouble.display = bool(lines)
        text = Content("\n").join(
            Content.assemble((f"{glyphs().severity[severity]} ", ink.SEVERITY[severity]), (words, ink.TEXT))
            for severity, words in lines
        )
        if not (isinstance(trouble.content, Content) and trouble.content.is_same(text)):
            trouble.update(text)

    def _show_views(self, farm: Farm) -> None:
        book = farm.book
        active = sum(silence.state != "expired" for silence in book.silences) if book else 0
        alerts = f"{len(book.alerts)}" if book else "–"
        if self._view == "alerts" and (self.row_filter or self.console.faults_only):
            alerts = f"{self._rows.shown} of {self._rows.total}"
        views = [
            View("alerts", alerts, self._rows.worst),
            View("silences", f"{active}" if book else "–"),
        ]
        if farm.rules or farm.source("prometheus"):
            failing = any(rule.health == "err" for rule in farm.rules)
            views.append(View("rules", f"{len(farm.rules)}", Severity.UNKNOWN if failing else Severity.OK))
        self.query_one("#views", ClickableLine).show(views_text(views, self._view), self._trust(farm))

    def _trust(self, farm: Farm) -> Content:
        """How the rows are arranged, who answers, and how old the answer is."""
        parts: list[Content | tuple[str, str]] = []
        marked = len(self._table().marks)
        if marked:
            parts.append((f"{glyphs().mark} {marked} marked  ", f"{ink.STRONG} {ink.ACCENT}"))
        if self._view == "alerts" and self._how.group_by != "none":
            parts.append((f"by {self._how.group_by}  ", ink.MUTED))
        source = farm.source(_SOURCE_KIND[self._view])
        replicas = farm.book.replicas if farm.book and self._view != "rules" else ()
        if len(replicas) > 1:
            up = sum(replica.up for replica in replicas)
            bad = Severity.OK if up == len(replicas) else Severity.WARNING if up else Severity.CRITICAL
            noun = "AM" if self.has_class("-narrow") else "Alertmanagers"
            words = f"{glyphs().severity[bad]} {up}/{len(replicas)} {noun}  "
            parts.append((words, ink.SEVERITY[bad] if bad else ink.MUTED))
        if source is None:
            parts.append(("not configured ", ink.MUTED))
        else:
            heard = source.last_success_at
            parts.append(freshness_text(source.freshness, (farm.at - heard).total_seconds() if heard else None))
            parts.append((" ", ""))
        return Content.assemble(*parts)

    def _peek(self) -> None:
        """Spell out the selected row where there is room."""
        farm, peek = self.console.farm, self.query_one("#peek", Static)
        subject = self.selected()
        if farm is None or self.has_class("-short"):
            return
        from screens.describe import describe
        from screens.detail import render

        detail = describe(farm, subject) if subject else None
        text = render(detail, max(20, self.size.width - 4)) if detail else Content("")
        if self._peeked is None or not text.is_same(self._peeked):
            self._peeked = text
            peek.update(text)

    def _again(self) -> None:
        """Show the same picture another way."""
        farm = self.console.farm
        if farm is not None and self.is_mounted:
            self.show_farm(farm, self.console.findings)

    # -- what is chosen -------------------------------------------------------------------------

    def selected(self) -> Subject | None:
        """The thing under the cursor; of a group its worst alert."""
        row = self._table().cursor_row
        match row:
            case AlertRow():
                return Subject("alert", row.alert.fingerprint, row.alert.name)
            case SilenceRow():
                return Subject("silence", row.silence.id, f"silence {row.silence.id[:8]}")
            case Rule():
                return Subject("rule", f"{row.group}/{row.name}", row.name)
        return None

    def chosen(self) -> tuple[Subject, ...]:
        """What an action is for: the marked rows, or the one under the cursor; of a group all its alerts."""
        if self._view != "alerts":
            subject = self.selected()
            return (subject,) if subject else ()
        rows: list[AlertRow] = self._table().chosen_rows
        alerts = {alert.fingerprint: alert for row in rows for alert in row.members}
        return tuple(Subject("alert", alert.fingerprint, alert.name) for alert in alerts.values())

    def action_actions(self) -> None:
        """What can be done with all that is marked."""
        from screens.actions import ActionMenu

        subjects = self.chosen()
        if not subjects or self.console.farm is None:
            self.console.say("nothing is selected", Severity.INFO)
        else:
            self.app.push_screen(ActionMenu(*subjects))

    def action_silence(self) -> None:
        """Open the dialog over the chosen alerts, as the action does."""
        from screens.actions import perform

        perform(self.app, "silence", *self.chosen())

    # -- views, groups, order -------------------------------------------------------------------

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
            self._again()

    def action_next_view(self) -> None:
        """The next view that there is."""
        farm = self.console.farm
        views = VIEWS if farm is None or farm.rules or farm.source("prometheus") else VIEWS[:2]
        self.action_view(views[(views.index(self._view) + 1) % len(views)])

    def action_group(self, step: int) -> None:
        """Group by the next label, or the one before."""
        self._how = self._how.next_grouping(step)
        self._again()

    def action_fold(self) -> None:
        """Fold all groups; unfold them where all are folded."""
        folded = [row.folded for row in self._rows.rows if row.head is not None]
        self._how = replace(self._how, all_folded=not all(folded), turned=frozenset())
        self._again()

    def action_sort(self, name: str) -> None:
        """Sort the view by what a key means in it; once more turns the direction."""
        column = _SORTS[name].get(self._view)
        if column is not None:
            self._table().sort_by(column)

    def action_worst_first(self) -> None:
        """The order to begin with."""
        self._table().sort_by(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing in a view do not show there."""
        if action in ("group", "fold", "silence"):
            return self._view == "alerts"
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

    @on(LiveTable.SortChanged, "#alerts")
    def _sorted(self, message: LiveTable.SortChanged) -> None:
        self._how = replace(self._how, sort=message.column, descending=message.descending)
        self._again()

    @on(LiveTable.RowSelected)
    def _opened(self, message: LiveTable.RowSelected) -> None:
        row = message.row
        if isinstance(row, AlertRow) and row.head is not None:
            self._how = self._how.turn(row.key)
            self._again()
            return
        subject = self.selected()
        if subject is not None:
            self.console.open(subject)

    @on(LiveTable.RowHighlighted)
    def _moved(self) -> None:
        self._peek()

    @on(LiveTable.Marked)
    def _marked(self) -> None:
        farm = self.console.farm
        if farm is not None:
            self._show_views(farm)
