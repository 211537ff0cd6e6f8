"""Screen 7: compute. Every machine of every provider in one table, and what the Swarm runs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.reactive import reactive

from farmtui.commands import Command
from farmtui.farm.node import Provider
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmNetwork, SwarmService, SwarmTask
from farmtui.farm.units import age, data_size, duration, percent
from screens import limits
from screens.columns import limited, row_freshness
from screens.compute_rows import (
    MachineRow,
    machine_rows,
    service_columns,
    service_severity,
    service_whys,
    swarm_freshness,
    swarm_severity,
    swarm_words,
    task_severity,
    views_of,
)
from screens.describe.machines import node_subject
from screens.frame import FarmScreen
from screens.lines import ClickableLine
from screens.places import Subject
from screens.views import View, chosen_view, views_text
from widgets import ink
from widgets.freshness_chip import freshness_text
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

VIEWS = ("machines", "services", "tasks", "networks")
_OF_SWARM = frozenset({"role", "availability", "engine"})
"""Columns that are there only where a Swarm is asked."""


class ComputeScreen(FarmScreen):
    """Machines, and the Swarm's services, tasks and networks where there is one."""

    NAME = "compute"
    CSS_PATH = "compute.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("compute.view", "v", "next_view", "View", "Show machines, services, tasks or networks", shown=True),
        Command("compute.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("compute.sort.state", "S", "sort('state')", "By state", "Sort by state, worst first", group="list"),
        Command("compute.sort.cpu", "C", "sort('cpu')", "By CPU", "Sort by CPU", group="list"),
        Command("compute.sort.memory", "M", "sort('memory')", "By memory", "Sort by memory", group="list"),
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
            self._machine_columns(), key=lambda row: (row.name, row.swarm.id if row.swarm and not row.node else ""),
            severity=lambda row: row.severity, freshness=self._machine_freshness, noun="machines", sort="state",
            id="machines",
        )  # fmt: skip
        yield LiveTable[SwarmService](
            service_columns(lambda service: self._whys.get(service.id, "")),
            key=lambda service: service.id, severity=service_severity, noun="services", sort="state", id="services",
        )  # fmt: skip
        yield LiveTable[SwarmTask](
            (
                Column("name", "task", _task_name, width=18, flex=1, priority=0, sort=_task_name),
                Column("state", "state", lambda t: status_mark(task_severity(t), t.state or "–"), width=12, priority=0,
                       sort=task_severity, descending=True),
                Column("desired", "should", lambda t: t.desired_state, width=9, priority=3),
                Column("node", "node", lambda t: t.node or "no node", width=12, flex=1, priority=0,
                       sort=lambda t: t.node),
                Column("since", "since", self._since, width=9, align="right", priority=2),
                Column("error", "why", _task_why, width=24, flex=3, priority=1),
            ),
            key=lambda task: task.id, severity=task_severity, noun="tasks", sort="state", id="tasks",
        )  # fmt: skip
        yield LiveTable[SwarmNetwork](
            (
                Column("name", "network", lambda n: n.name, width=18, flex=1, priority=0, sort=lambda n: n.name),
                Column("driver", "driver", lambda n: n.driver, width=9, priority=2),
                Column("scope", "scope", lambda n: n.scope, width=7, priority=3),
                Column("subnets", "subnets", lambda n: ", ".join(n.subnets) or "–", width=18, flex=1, priority=0),
                Column("kind", "kind", _network_kind, width=22, priority=1),
            ),
            key=lambda network: network.id, noun="overlay networks", sort="name", id="networks",
        )  # fmt: skip

    def _machine_columns(self) -> tuple[Column[MachineRow], ...]:
        return (
            Column("name", "machine", lambda r: r.name, width=14, flex=1, priority=0, sort=lambda r: r.name),
            Column("state", "state", lambda r: r.severity.word, width=7, priority=0, sort=lambda r: r.severity,
                   descending=True),
            Column("role", "swarm", lambda r: r.role or "–", width=8, priority=1, sort=lambda r: r.role),
            Column("availability", "is", self._availability, width=15, priority=1),
            Column("place", "runs in", _place, width=13, priority=2),
            Column("size", "size", self._machine_size, width=14, priority=4),
            Column("cpu", "cpu", lambda r: _figure(r, "cpu_ratio", limits.CPU), width=9, align="right", priority=1,
                   sort=lambda r: r.node.metrics.cpu_ratio if r.node else None, descending=True),
            Column("memory", "memory", lambda r: _figure(r, "memory_ratio", limits.MEMORY), width=9, align="right",
                   priority=1, sort=lambda r: r.node.metrics.memory_ratio if r.node else None, descending=True),
            Column("disk", "disk", lambda r: _figure(r, "disk_ratio", limits.DISK), width=9, align="right",
                   priority=3, sort=lambda r: r.node.metrics.disk_ratio if r.node else None, descending=True),
            Column("uptime", "up for", lambda r: duration(r.node.metrics.uptime_s if r.node else None), width=7,
                   align="right", priority=4),
            Column("engine", "engine", lambda r: r.swarm.engine if r.swarm else "–", width=12, priority=6),
            Column("tier", "tier", lambda r: r.node.tier.title if r.node else "–", width=10, priority=5),
            Column("why", "why", lambda r: r.why, width=20, flex=3, priority=1),
        )  # fmt: skip

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture; what is not asked of a Swarm is not there."""
        cluster, fresh = farm.swarm_cluster, swarm_freshness(farm)
        if self.view not in views_of(cluster):
            self.view = "machines"
        machines = machine_rows(farm)
        if self._asks_swarm is not (asks := farm.source("swarm") is not None):
            self._asks_swarm = asks
            columns = self._machine_columns()
            self._table("machines").set_columns([c for c in columns if asks or c.key not in _OF_SWARM])
        services, tasks = (cluster.services, cluster.tasks) if cluster else ((), ())
        self._whys = service_whys(cluster) if cluster else {}
        views = [View("machines", str(len(machines)), max((row.severity for row in machines), default=Severity.OK))]
        if cluster is not None:
            views += [
                View("services", str(len(services)), max(map(service_severity, services), default=Severity.OK)),
                View("tasks", str(len(tasks)), max(map(task_severity, tasks), default=Severity.OK)),
                View("networks", str(len(cluster.networks))),
            ]
        self.query_one("#views", ClickableLine).show(views_text(views, self.view), self._trust(farm))
        if self.console.faults_only:
            machines = tuple(row for row in machines if row.severity >= Severity.WARNING)
            services = tuple(service for service in services if service_severity(service) >= Severity.WARNING)
            tasks = tuple(task for task in tasks if task_severity(task) >= Severity.WARNING)
        # Machines come from several sources: each row says for itself how old it is.
        live = Freshness.LIVE if machines else farm.freshness("prometheus")
        self._table("machines").set_rows(machines, freshness=live)
        self._table("services").set_rows(services, freshness=fresh)
        self._table("tasks").set_rows(tasks, freshness=fresh)
        self._table("networks").set_rows(cluster.networks if cluster else (), freshness=fresh)

    def _trust(self, farm: Farm) -> Content:
        """Which manager answers, and how old what it says is."""
        source, cluster = farm.source("swarm"), farm.swarm_cluster
        age_s = (farm.at - source.last_success_at).total_seconds() if source and source.last_success_at else None
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

    def action_next_view(self) -> None:
        """The next view that there is."""
        views = views_of(self.console.farm.swarm_cluster if self.console.farm else None)
        self.view = views[(views.index(self.view) + 1) % len(views)]

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

    def _since(self, task: SwarmTask) -> str:
        farm = self.console.farm
        return age((farm.at - task.since).total_seconds()) if farm is not None and task.since is not None else "–"

    def _machine_size(self, row: MachineRow) -> str:
        """A droplet's size, else processors and memory as far as somebody knows them."""
        farm = self.console.farm
        idents = {s.ident for s in row.node.sightings if s.source == "digitalocean"} if row.node else set()
        for droplet in farm.cloud.droplets if farm is not None and farm.cloud is not None and idents else ():
            if droplet.ident in idents:
                return droplet.size
        memory = row.node.metrics.memory_bytes if row.node else None
        if row.swarm is not None:
            cpus = f"{row.swarm.cpus:g} cpu " if row.swarm.cpus is not None else ""
            return f"{cpus}{data_size(memory if memory is not None else row.swarm.memory_bytes)}"
        return data_size(memory)


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
            return Subject("swarm-task", row.id, f"task {_task_name(row)}")
        case SwarmNetwork():
            return Subject("swarm-network", row.id, f"network {row.name}")
    return None


def _task_name(task: SwarmTask) -> str:
    """`wordpress.3`, as docker calls it; a global service's tasks are told apart by their node."""
    return f"{task.service}.{task.slot if task.slot is not None else task.node or task.node_id[:12]}"


def _task_why(task: SwarmTask) -> str:
    """Why it does not run. Of each that runs docker says `started`: that would only hide those that have a reason."""
    return task.error or ("" if task.state == "running" else task.message)


def _place(row: MachineRow) -> str:
    node = row.node
    if node is None or node.provider is Provider.NONE:
        return "–"
    return f"{node.provider.value} {node.place}".strip()


def _figure(row: MachineRow, name: str, bounds: Any) -> Content | str:
    value = getattr(row.node.metrics, name) if row.node is not None else None
    return limited(percent(value), value, bounds)


def _network_kind(network: SwarmNetwork) -> str:
    words = ("ingress", network.ingress), ("internal", network.internal), ("encrypted", network.encrypted)
    return ", ".join(word for word, so in words if so) or "–"
