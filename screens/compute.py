"""Screen 7: compute. Every machine of every provider in one table, and what the Swarm runs on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.reactive import reactive

from farmtui.commands import Command
from farmtui.farm.node import Volume
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmNetwork, SwarmService, SwarmTask
from farmtui.farm.units import age
from farmtui.insight.pve import failed_tasks
from farmtui.insight.pve import task_severity as pve_severity
from screens.columns import row_freshness
from screens.compute_columns import (
    balancer_columns,
    machine_columns,
    network_columns,
    pve_task_columns,
    since_words,
    task_columns,
    task_name,
    volume_columns,
)
from screens.compute_rows import (
    BalancerRow,
    MachineRow,
    PveTaskRow,
    VolumeRow,
    balancer_rows,
    machine_rows,
    pve_task_rows,
    service_columns,
    service_severity,
    service_whys,
    swarm_freshness,
    swarm_severity,
    swarm_words,
    task_severity,
    views_of,
    volume_rows,
)
from screens.describe.machines import node_subject
from screens.describe.providers import balancer_subject, storage_subject, task_subject, volume_subject
from screens.frame import FarmScreen
from screens.lines import ClickableLine
from screens.places import Subject
from screens.views import View, chosen_view, views_text
from widgets import ink
from widgets.freshness_chip import freshness_text
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

VIEWS = ("machines", "services", "tasks", "networks", "volumes", "balancers", "pve-tasks")
_COUNTS_FROM = 140
"""Cells from which every view has its count."""
_OF_SWARM = frozenset({"role", "availability", "engine"})
"""Columns that are there only where a Swarm is asked."""


class ComputeScreen(FarmScreen):
    """Machines, and the Swarm's services, tasks and networks where there is one."""

    NAME = "compute"
    CSS_PATH = "compute.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "compute.view",
            "v",
            "next_view",
            "View",
            "Show machines, the Swarm's parts, volumes, balancers, PVE's tasks",
            shown=True,
        ),
        Command("compute.view.before", "V", "next_view(-1)", "View before", "Show the view before this one"),
        Command("compute.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("compute.sort.state", "S", "sort('state')", "By state", "Sort by state, worst first", group="list"),
        Command("compute.sort.cpu", "C", "sort('cpu')", "By CPU", "Sort by CPU", group="list"),
        Command("compute.sort.memory", "M", "sort('memory')", "By memory", "Sort by memory", group="list"),
        Command("compute.sort.disk", "D", "sort('disk')", "By disk", "Sort by disk", group="list"),
        Command("compute.sort.network", "T", "sort('transmit')", "By traffic", "Sort by what is sent", group="list"),
        Command("compute.sort.cost", "P", "sort('cost')", "By cost", "Sort by what it costs", group="list"),
        Command("compute.sort.since", "B", "sort('since')", "By age", "Sort tasks by when they began", group="list"),
        Command("compute.sort.node", "O", "sort('node')", "By node", "Sort tasks by node", group="list"),
    )

    view: reactive[str] = reactive("machines")

    def __init__(self) -> None:
        super().__init__()
        self._asks_swarm = True
        self._whys: dict[str, str] = {}

    def compose_body(self) -> ComposeResult:
        """The line of views, then one table a view."""
        yield ClickableLine(id="views")
        yield LiveTable[MachineRow](
            machine_columns(self._availability),
            key=lambda row: (row.name, row.swarm.id if row.swarm and not row.node else ""),
            severity=lambda row: row.severity, freshness=self._machine_freshness, noun="machines", sort="state",
            id="machines",
        )  # fmt: skip
        yield LiveTable[SwarmService](
            service_columns(lambda service: self._whys.get(service.id, "")),
            key=lambda service: service.id, severity=service_severity, noun="services", sort="state", id="services",
        )  # fmt: skip
        yield LiveTable[SwarmTask](
            task_columns(self._since), key=lambda task: task.id, severity=task_severity, noun="tasks", sort="state",
            id="tasks",
        )  # fmt: skip
        yield LiveTable[SwarmNetwork](
            network_columns(), key=lambda network: network.id, noun="overlay networks", sort="name", id="networks"
        )
        yield LiveTable[VolumeRow](
            volume_columns(), key=lambda row: row.of, severity=lambda row: row.severity, noun="volumes", sort="state",
            id="volumes",
        )  # fmt: skip
        yield LiveTable[BalancerRow](
            balancer_columns(), key=lambda row: row.balancer.id, severity=lambda row: row.severity, noun="balancers",
            sort="state", id="balancers",
        )  # fmt: skip
        yield LiveTable[PveTaskRow](
            pve_task_columns(self._since), key=lambda row: row.task.key, severity=lambda row: pve_severity(row.task),
            noun="tasks of Proxmox VE", sort="state", id="pve-tasks",
        )  # fmt: skip

    def weighs(self) -> Sequence[Callable[[Farm], object]]:
        """Machines with their sizes and prices."""
        return (machine_rows,)

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture; what is not asked of a Swarm is not there."""
        cluster, fresh = farm.swarm_cluster, swarm_freshness(farm)
        if self.view not in views_of(farm):
            self.view = "machines"
        if self._asks_swarm is not (asks := farm.source("swarm") is not None):
            self._asks_swarm = asks
            columns = machine_columns(self._availability)
            self._table("machines").set_columns([c for c in columns if asks or c.key not in _OF_SWARM])
        self._whys = service_whys(cluster) if cluster else {}
        machines = machine_rows(farm)
        # Machines come from several sources: each row says for itself how old it is.
        live = Freshness.LIVE if machines else farm.freshness("prometheus")
        shown = (
            _Shown("machines", machines, lambda row: row.severity, live),
            _Shown("services", cluster.services if cluster else (), service_severity, fresh),
            _Shown("tasks", cluster.tasks if cluster else (), task_severity, fresh),
            _Shown("networks", cluster.networks if cluster else (), lambda _row: Severity.OK, fresh),
            _Shown("volumes", volume_rows(farm), lambda row: row.severity, Freshness.LIVE),
            _Shown("balancers", balancer_rows(farm), lambda row: row.severity, farm.freshness("digitalocean")),
            _Shown("pve-tasks", pve_task_rows(farm), _task_badness(farm), farm.freshness("proxmox")),
        )
        there, wide = views_of(farm), self.size.width >= _COUNTS_FROM
        views = [
            # Where there is no room for all counts, that of the view that is shown is there.
            View(one.name, str(len(one.rows)) if wide or one.name == self.view else "", one.worst)
            for one in shown
            if one.name in there
        ]
        self.query_one("#views", ClickableLine).show(views_text(views, self.view), self._trust(farm))
        for one in shown:
            rows = one.rows
            if self.console.faults_only and one.name != "networks":
                rows = tuple(row for row in rows if one.severity(row) >= Severity.WARNING)
            self._table(one.name).set_rows(rows, freshness=one.freshness)

    def _trust(self, farm: Farm) -> Content:
        """Which manager answers, and how old what it says is."""
        source, cluster = farm.source("swarm"), farm.swarm_cluster
        age_s = (farm.at - source.last_success_at).total_seconds() if source and source.last_success_at else None
        live = source is not None and source.freshness is Freshness.LIVE
        if self.size.width < _COUNTS_FROM and live and (cluster is None or cluster.quorum is not False):
            # Where the views need the line, only what is wrong is said beside them.
            return Content("")
        said = freshness_text(source.freshness, age_s) if source else freshness_text(farm.freshness("prometheus"), None)
        if cluster is None or not cluster.manager:
            return said
        words = f"as {cluster.manager} says  "
        if cluster.quorum is False:
            words = "no leader  "
            if cluster.read_at is not None:
                words = f"no leader: all as of {age((farm.at - cluster.read_at).total_seconds())} ago  "
            return status_mark(Severity.CRITICAL, words)
        return Content.assemble((words, ink.MUTED), said)

    # -- views ----------------------------------------------------------------------------------

    def action_next_view(self, by: int = 1) -> None:
        """The next view that there is, or the one before."""
        views = views_of(self.console.farm)
        self.view = views[(views.index(self.view) + by) % len(views)]

    def watch_view(self, view: str) -> None:
        """One table at a time."""
        for name in VIEWS:
            self._table(name).display = name == view
        self._table(view).focus()
        self._painted = ()
        self.repaint()

    @on(ClickableLine.Chosen)
    def _view_clicked(self, message: ClickableLine.Chosen) -> None:
        view = chosen_view(message.name)
        if view in VIEWS:
            message.stop()
            self.view = view

    def selected(self) -> Subject | None:
        """What is under the cursor of the table that is shown."""
        return subject_of(self._table(self.view).cursor_row)

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        subject = subject_of(message.row)
        if subject is not None:
            self.console.open(subject)

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)

    # -- cells ----------------------------------------------------------------------------------

    def _machine_freshness(self, row: MachineRow) -> Freshness:
        if row.node is None:
            return swarm_freshness(self.console.farm) if self.console.farm is not None else Freshness.NEVER
        if row.node.metrics.seen_at is None:
            return Freshness.LIVE
        return row_freshness(self.console.farm, row.node.metrics.seen_at)

    def _availability(self, row: MachineRow) -> Content | str:
        """What the Swarm says of it. What it said before it fell silent is there, and not in the colours of now."""
        if row.swarm is None:
            return "–"
        severity, words = swarm_severity(row.swarm), swarm_words(row.swarm).removeprefix("Swarm: ")
        if self.console.farm is None or swarm_freshness(self.console.farm) not in (Freshness.LIVE, Freshness.AGEING):
            return Content.styled(f"{glyphs().freshness[Freshness.STALE]} {words}", ink.STALE)
        return words if severity is Severity.OK else status_mark(severity, words)

    def _since(self, at: datetime | None) -> str:
        farm = self.console.farm
        return since_words(farm.at, at) if farm is not None else "–"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one table shows."""

    name: str
    rows: tuple[Any, ...]
    severity: Callable[[Any], Severity]
    freshness: Freshness

    @property
    def worst(self) -> Severity:
        return max(map(self.severity, self.rows), default=Severity.OK)


def _task_badness(farm: Farm) -> Callable[[PveTaskRow], Severity]:
    """A task that failed and was done since is no fault any more."""
    open_ones = {task.key for cluster in farm.pve for task in failed_tasks(cluster, farm.at)}
    return lambda row: pve_severity(row.task) if row.task.key in open_ones or not row.task.failed else Severity.INFO


def subject_of(row: object) -> Subject | None:
    """The subject of a row of any of the tables."""
    match row:
        case MachineRow():
            if row.node is not None:
                return node_subject(row.node)
            return Subject("swarm-node", row.swarm.id, row.name) if row.swarm is not None else None
        case SwarmService():
            return Subject("swarm-service", row.id, f"service {row.name}")
        case SwarmTask():
            return Subject("swarm-task", row.id, f"task {task_name(row)}")
        case SwarmNetwork():
            return Subject("swarm-network", row.id, f"network {row.name}")
        case VolumeRow():
            return volume_subject(row.of) if isinstance(row.of, Volume) else storage_subject(row.of)
        case BalancerRow():
            return balancer_subject(row.balancer)
        case PveTaskRow():
            return task_subject(row.task)
    return None
