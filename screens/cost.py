"""Screen 0: cost. What the farm costs against the plan, what else it could cost, and what is paid for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive

from farmtui.commands import Command
from farmtui.farm.state import Severity
from farmtui.farm.units import count
from farmtui.insight.assumptions import Assumption, assumptions
from farmtui.insight.costs import Costs, costs, machines_now
from farmtui.insight.departures import Departure
from farmtui.insight.scenarios import Outcome
from farmtui.insight.site_costs import SiteCost, site_costs
from farmtui.insight.spend import Group, Item
from farmtui.insight.waste import Waste
from farmtui.insight.what_if import (
    HINT,
    LIFE,
    SITES,
    WhatIf,
    WhatIfError,
    at_present,
    bases,
    begin,
    edited,
    resized,
    stepped,
    text_of,
)
from screens import cost_what_if as what_if_rows
from screens.cost_columns import (
    ASSUMPTIONS,
    DEPARTURES,
    ITEMS,
    WASTE,
    scenario_columns,
    site_columns,
    spend_columns,
)
from screens.cost_tiles import show_tiles
from screens.cost_what_if import Row
from screens.frame import FarmScreen
from screens.lines import ClickableLine, Line
from screens.places import Subject
from screens.views import View, chosen_view, views_text
from widgets import ink
from widgets.chart_axis import Axis
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.prompt import Prompt
from widgets.tile import Tile
from widgets.trend_chart import TrendChart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.farm.plan import Plan
    from farmtui.insight.finding import Finding

VIEWS = ("spend", "items", "sites", "scenarios", "what-if", "waste", "assumptions")
_TABLES = {**{view: (view,) for view in VIEWS}, "scenarios": ("scenarios", "departures")}
_CHARTED = ("spend", "scenarios", "what-if")
_WITH_PLAN = ("scenarios", "what-if")
_ROOMY = 110
"""Cells from which the plan's name has room beside the views."""
EDIT = "="
"""The sign before the line in which a row is changed."""


class CostScreen(FarmScreen):
    """Money: the spend by tier, thing and site, the plan's scenarios, what if, waste, and what is assumed."""

    NAME = "cost"
    CSS_PATH = "cost.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("cost.view", "v", "next_view", "View", "Spend, items, sites, scenarios, what-if, waste, assumptions",
                shown=True),
        Command("cost.edit", "e", "edit", "What if", "Change the row: a count, a size, @ a price", ("whatif",),
                shown=True, group="what if"),
        Command("cost.more", "full_stop", "step(1)", "One more", "One more of the row", group="what if"),
        Command("cost.fewer", "comma", "step(-1)", "One fewer", "One fewer of the row", group="what if"),
        Command("cost.size", "z", "resize", "Size", "The row's machines of the plan's next size", group="what if"),
        Command("cost.base", "b", "base", "Scenario", "Change another scenario of the plan", group="what if"),
        Command("cost.present", "p", "present", "As now", "As many machines and sites as there are", group="what if"),
        Command("cost.plan", "u", "as_planned", "As planned", "Forget what is changed", group="what if"),
        Command("cost.sort.cost", "C", "sort('cost')", "By cost", "Sort by cost", group="list"),
        Command("cost.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("cost.sort.tier", "T", "sort('tier')", "By tier", "Sort by tier", group="list"),
    )  # fmt: skip

    view: reactive[str] = reactive("spend")

    def __init__(self) -> None:
        super().__init__()
        self._found: Costs | None = None
        self._what_if: WhatIf | None = None
        self._editing = ""

    def compose_body(self) -> ComposeResult:
        """Tiles, the line of views, then one view's tables and chart."""
        with Horizontal(id="tiles", classes="tiles"):
            for name, title in (
                ("spend", "a month"),
                ("site", "a site"),
                ("most", "costs most"),
                ("least", "cheapest"),
                ("even", "pays back"),
                ("waste", "wasted"),
            ):
                yield Tile(title, id=f"tile-{name}")  # fmt: skip
        yield ClickableLine(id="views")
        yield Line(id="notes")
        yield Line(id="bill")
        yield Line(id="if")
        yield Line(id="then")
        yield LiveTable[Group](spend_columns(None), key=lambda g: (g.tier, g.provider), noun="costs", id="spend")
        yield LiveTable[Item](
            ITEMS, key=lambda item: item.key, noun="things that are paid for", sort="cost", id="items"
        )
        yield LiveTable[SiteCost](site_columns(None), key=lambda site: site.name, noun="sites", id="sites")
        yield LiveTable[tuple[Outcome, Outcome]](
            scenario_columns(None), key=lambda pair: pair[0].key, noun="scenarios", id="scenarios"
        )
        yield LiveTable[Row](what_if_rows.COLUMNS, key=lambda row: row.name, noun="lines", id="what-if")
        yield TrendChart("paid in all", Axis(format=count), ticks=what_if_rows.ticks, id="chart")
        yield LiveTable[Departure](DEPARTURES, key=lambda d: (d.scenario, d.what), noun="departures", id="departures")
        yield LiveTable[Waste](
            WASTE, key=lambda waste: waste.key, noun="waste: everything that is paid for is used", id="waste"
        )
        yield LiveTable[Assumption](ASSUMPTIONS, key=lambda a: (a.what, a.key), noun="assumptions", id="assumptions")

    def on_mount(self) -> None:
        """One view at a time, from the first paint on."""
        self._show_view(self.view)
        super().on_mount()

    # -- the picture ----------------------------------------------------------------------------

    def weighs(self) -> Sequence[Callable[[Farm], object]]:
        """All that costs."""
        return (costs,)

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        found = self._found = costs(farm)
        if found is None:
            return
        if found.plan is None and self.view in _WITH_PLAN:
            self.view = "spend"
        show_tiles(self, found)
        self._show_views(found)
        notes = (*found.spent.notes, *found.costing.problems)
        line = self.query_one("#notes", Line)
        line.display = bool(notes)
        more = f"  (and {len(notes) - 1} more)" if len(notes) > 1 else ""
        state = Severity.WARNING if found.spent.configured else Severity.UNKNOWN
        sign = glyphs().severity[state]
        line.show(Content.styled(f" {sign} {notes[0]}{more}", ink.SEVERITY[state]) if notes else Content(""))
        self._show_tables(farm, found)
        self._show_plan(found)

    def _show_views(self, found: Costs) -> None:
        named = {"items": len(found.spent.items), "waste": len(found.wasted), "scenarios": len(found.planned)}
        changed = self._what_if is not None and self._what_if.any
        views = [
            View(name, "changed" if name == "what-if" and changed else str(named.get(name) or ""),
                 Severity.WARNING if name == "waste" and found.wasted_per_month else Severity.OK)
            for name in self._views(found)
        ]  # fmt: skip
        plan = found.plan.name if found.plan is not None else "no plan"
        plan = f"plan: {plan}  " if self.size.width >= _ROOMY else ""
        self.query_one("#views", ClickableLine).show(views_text(views, self.view), Content.styled(plan, ink.MUTED))

    def _show_tables(self, farm: Farm, found: Costs) -> None:
        spent, view = found.spent, self.view
        why = "nothing tells what the farm costs" if spent.notes else ""
        fresh = spent.freshness
        bill = self.query_one("#bill", Line)
        bill.display = view == "spend" and spent.pace is not None
        if view == "spend":
            bill.show(what_if_rows.bill_words(found))
            self._table("spend").set_columns(spend_columns(found))
            self._table("spend").set_rows(spent.groups, freshness=fresh, reason="" if spent.groups else why)
        elif view == "items":
            self._table("items").set_rows(spent.items, freshness=fresh, reason="" if spent.items else why)
        elif view == "sites":
            self._table("sites").set_columns(site_columns(found))
            rows = site_costs(farm, spent)
            reason = "" if rows else "how many sites there are is not known: add farm.sites to the config"
            self._table("sites").set_rows(rows, freshness=fresh, reason=reason if spent.known else why)
        elif view == "waste":
            self._table("waste").set_rows(found.wasted, freshness=fresh)
        elif view == "assumptions":
            self._table("assumptions").set_rows(assumptions(found.costing))
        elif view == "scenarios":
            self._table("scenarios").set_columns(scenario_columns(found))
            self._table("scenarios").set_rows(tuple(zip(found.planned, found.now, strict=True)))
            self._table("departures").set_rows(found.departures)

    def _show_plan(self, found: Costs) -> None:
        """What is changed of the plan, and the chart that both views of it share."""
        self.query_one("#chart").styles.display = None if self._charted(found) else "none"
        if found.plan is None or not self._charted(found):
            return
        changed = self._changed(found, found.plan)
        if self.view == "what-if":
            first, second = what_if_rows.sentences(found, found.plan, changed)
            self.query_one("#if", Line).show(first)
            self.query_one("#then", Line).show(second)
            self._table("what-if").set_rows(what_if_rows.rows(found.plan, changed))
        span = what_if_rows.chart_months(found)
        life = f"{found.spent.currency}, {span} months; hardware lives {changed.life_months}"
        lines = what_if_rows.chart_lines(found.plan, changed if self.view == "what-if" else None, span)
        self.query_one("#chart", TrendChart).show(lines, end=float(span), span_s=float(span), note=life)

    def _charted(self, found: Costs) -> bool:
        """Whether the chart is wanted; where it is too low for both, the stylesheet leaves it out."""
        return found.plan is not None and self.view in _CHARTED

    # -- views ----------------------------------------------------------------------------------

    def _views(self, found: Costs | None) -> tuple[str, ...]:
        return VIEWS if found is not None and found.plan is not None else tuple(v for v in VIEWS if v not in _WITH_PLAN)

    def action_next_view(self) -> None:
        """The next view that there is."""
        views = self._views(self._found)
        self.view = views[(views.index(self.view) + 1) % len(views)]

    def watch_view(self, view: str) -> None:
        """One view at a time."""
        if self._composed:
            self._show_view(view)

    def _show_view(self, view: str) -> None:
        shown = _TABLES[view]
        for tables in _TABLES.values():
            for name in tables:
                self._table(name).display = name in shown
        for name in ("if", "then"):
            self.query_one(f"#{name}").display = view == "what-if"
        self.query_one("#chart").styles.display = "none"
        self._table(view).focus()
        self.repaint_anew()

    @on(ClickableLine.Chosen)
    def _view_clicked(self, message: ClickableLine.Chosen) -> None:
        view = chosen_view(message.name)
        if view in VIEWS:
            message.stop()
            self.view = view

    @on(Tile.Clicked)
    def _tile_clicked(self, message: Tile.Clicked) -> None:
        wanted = {"tile-waste": "waste", "tile-least": "scenarios", "tile-even": "scenarios", "tile-site": "sites"}
        view = wanted.get(message.tile.id or "", "spend")
        if view in self._views(self._found):
            self.view = view

    def labels_of(self, row: object) -> Mapping[str, str]:
        """`-l tier=app,provider=pve`: a tier by its name in the config."""
        labels = dict(super().labels_of(row))
        if isinstance(row, Item | Group):
            labels["tier"] = row.tier.value if row.tier is not None else ""
        return labels

    # -- what if --------------------------------------------------------------------------------

    def _changed(self, found: Costs, plan: Plan) -> WhatIf:
        """What is changed; at first nothing, of the scenario that the farm follows."""
        if self._what_if is None or plan.scenario(self._what_if.key) is None:
            known = bases(plan)
            follows = [scenario.key for scenario in known if scenario.key == found.costing.follows]
            key = follows[0] if follows else known[0].key if known else found.costing.follows
            self._what_if = begin(key, plan.sites, found.costing.life_months)
        return self._what_if

    def _change(self, how: Callable[[Plan, WhatIf, str], WhatIf]) -> None:
        """Change the row under the cursor; from another view the first press only shows what can be changed."""
        found = self._found
        if found is None or found.plan is None:
            self.console.say("there is no plan to change: see the assumptions", Severity.INFO)
            return
        if self.view != "what-if":
            self.view = "what-if"
            return
        row = self._table("what-if").cursor_row
        try:
            self._what_if = how(found.plan, self._changed(found, found.plan), row.name if row is not None else "")
        except WhatIfError as error:
            self.console.say(str(error), Severity.INFO)
        self._painted = ()
        self.repaint()

    def action_step(self, by: int) -> None:
        """One more, or one fewer."""
        self._change(lambda plan, changed, name: stepped(plan, changed, name, by))

    def action_resize(self) -> None:
        """The next size."""
        self._change(resized)

    def action_base(self) -> None:
        """The next scenario; what was changed of the former is forgotten."""

        def following(plan: Plan, changed: WhatIf, _name: str) -> WhatIf:
            keys = [scenario.key for scenario in bases(plan)]
            key = keys[(keys.index(changed.key) + 1) % len(keys)] if changed.key in keys else keys[0]
            return begin(key, changed.sites_before, changed.life_before)

        self._change(following)

    def action_present(self) -> None:
        """The farm's present size."""
        farm = self.console.farm
        if farm is not None:
            self._change(lambda plan, changed, _: at_present(plan, changed, machines_now(farm), farm.expected_sites))

    def action_as_planned(self) -> None:
        """Nothing is changed."""
        self._change(lambda _plan, changed, _name: begin(changed.key, changed.sites_before, changed.life_before))

    def action_edit(self) -> None:
        """Open the line in which the row is changed; on a scenario, begin with that one."""
        found = self._found
        scenario = self._table("scenarios").cursor_row if self.view == "scenarios" else None
        if found is not None and found.plan is not None and scenario is not None:
            self._begin_with(found, found.plan, scenario[0].key)
            return
        if self.view != "what-if":
            self._change(lambda _plan, changed, _name: changed)
            return
        row = self._table("what-if").cursor_row
        if found is None or found.plan is None or row is None:
            return
        self._editing = row.name
        self._ask(found.plan, row)

    def _begin_with(self, found: Costs, plan: Plan, key: str) -> None:
        scenario = plan.scenario(key)
        if scenario is None or not scenario.lines:
            self.console.say(f"{key} is made of the others: change those", Severity.INFO)
        elif self._changed(found, plan).key != key:
            self._what_if = begin(key, plan.sites, found.costing.life_months)
            self.view = "what-if"
        else:
            self.view = "what-if"

    def _ask(self, plan: Plan, row: Row) -> None:
        text = str(row.count)
        if row.name not in (SITES, LIFE) and self._what_if is not None:
            scenario = plan.scenario(self._what_if.key)
            lines = scenario.lines if scenario is not None else ()
            line = self._what_if.line(row.name) or next((line for line in lines if line.name == row.name), None)
            text = text_of(line) if line is not None else text
        self.query_one(Prompt).ask(
            EDIT, text, placeholder=f"{row.name}: {HINT}",
            complete=lambda typed: what_if_rows.suggestions(plan, row, typed),
        )  # fmt: skip

    @on(Prompt.Submitted)
    def _edited(self, message: Prompt.Submitted) -> None:
        if message.kind != EDIT:
            return
        message.stop()
        found = self._found
        if found is None or found.plan is None:
            return
        try:
            self._what_if = edited(found.plan, self._changed(found, found.plan), self._editing, message.text)
        except WhatIfError as error:
            message.prompt.complain(str(error))
            return
        self._painted = ()
        self.repaint()

    # -- selection ------------------------------------------------------------------------------

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)

    def selected(self) -> Subject | None:
        """What is under the cursor: a machine where it is one, since its actions are there."""
        row = self._table(self.view).cursor_row
        if isinstance(row, Item | Waste):
            return Subject("node", row.node, row.node) if row.node else Subject("cost", row.key, row.name)
        return None

    def action_copy(self) -> None:
        """Of waste copy the command that ends it."""
        row = self._table(self.view).cursor_row
        if isinstance(row, Waste) and row.command:
            self.console.clip(row.command, f"what ends {row.name}")
        else:
            super().action_copy()

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        row = message.row
        if isinstance(row, Group):
            self.view = "items"
            tier = row.tier.value if row.tier is not None else ""
            self.set_filter(f'-l tier="{tier}",provider="{row.provider}"')
        elif isinstance(row, tuple | Row):
            self.action_edit()
        elif (subject := self.selected()) is not None:
            self.console.open(subject)
