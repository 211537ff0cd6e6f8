"""Screen 2: the request path as tiers, every machine of every provider, and a site's own path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from textual import on
from textual.content import Content
from textual.reactive import reactive

from farmtui.commands import Command
from farmtui.farm.node import Node, Provider
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import data_rate, data_size, duration, percent, plural, rate
from farmtui.insight.newest import of_newest
from screens import limits
from screens.columns import limited, row_freshness
from screens.describe.machines import node_subject
from screens.describe.sites import site_subject
from screens.frame import FarmScreen
from screens.network_rows import NOUN, NetworkRow, network_rows, network_subject
from screens.network_rows import columns as network_columns
from screens.places import Subject
from screens.tier_map import TierMap
from widgets import ink
from widgets.glyphs import glyphs
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.farm.traffic import SiteTraffic
    from farmtui.insight.finding import Finding

VIEWS = ("machines", "places", "sites", "networks")


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree: a provider, a PVE host or a region, or a machine in it."""

    key: str
    depth: int
    last: bool
    title: str
    severity: Severity
    text: str
    subject: Subject | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site with its traffic; `failing` is the share of 5xx answers, or None when it is well."""

    router: str
    requests_per_s: float | None
    failing: float | None

    @property
    def severity(self) -> Severity:
        """A site most of whose answers are errors is down for its visitors."""
        return Severity.OK if self.failing is None else Severity.CRITICAL


Row: TypeAlias = Node | Branch | SiteRow | NetworkRow
"""What the tables show."""


class TopologyScreen(FarmScreen):
    """The map of tiers above; below it machines, places (the tree), sites or networks."""

    NAME = "topology"
    CSS_PATH = "topology.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("topology.view", "v", "next_view", "View", "Show machines, places, sites, or networks", shown=True),
        Command("topology.sort.name", "N", "sort('name')", "By name", "Sort by name", group="list"),
        Command("topology.sort.state", "S", "sort('state')", "By state", "Sort by state, worst first", group="list"),
        Command("topology.sort.tier", "T", "sort('tier')", "By tier", "Sort by tier", group="list"),
        Command("topology.sort.cpu", "C", "sort('cpu')", "By CPU", "Sort by CPU", group="list"),
        Command("topology.sort.memory", "M", "sort('memory')", "By memory", "Sort by memory", group="list"),
        Command("topology.sort.disk", "D", "sort('disk')", "By disk", "Sort by the fullest disk", group="list"),
    )

    view: reactive[str] = reactive("machines")

    def compose_body(self) -> ComposeResult:
        """The map, then one of four tables."""
        yield TierMap(id="map")
        yield LiveTable[Node](
            self._columns(),
            key=lambda node: (node.name, tuple(sighting.ident for sighting in node.sightings)),
            severity=lambda node: node.state,
            freshness=lambda node: _node_freshness(self.console.farm, node),
            noun="machines",
            sort="state",
            id="machines",
        )
        yield LiveTable[Branch](
            (
                Column("name", "place", _branch_cell, width=34, flex=1, priority=0),
                Column("state", "state", lambda b: b.severity.word, width=7, priority=0),
                Column("text", "what", lambda b: b.text, width=30, flex=2, priority=1),
            ),
            key=lambda branch: branch.key,
            severity=lambda branch: branch.severity,
            noun="places: no provider is configured",
            id="places",
        )
        yield LiveTable[SiteRow](
            (
                Column("name", "site", lambda s: s.router, width=30, flex=1, priority=0, sort=lambda s: s.router),
                Column("state", "state", _site_state, width=16, priority=0, sort=lambda s: s.severity, descending=True),
                Column("requests", "requests", lambda s: rate(s.requests_per_s), width=10, align="right", priority=0,
                       sort=lambda s: s.requests_per_s, descending=True),
            ),
            key=lambda site: site.router,
            severity=lambda site: site.severity,
            noun="sites: Traefik's router metrics are off (addRoutersLabels), or nobody visits",
            id="sites",
        )  # fmt: skip
        yield LiveTable[NetworkRow](
            network_columns(), key=lambda row: row.network.name, severity=lambda row: row.severity, noun=NOUN,
            id="networks",
        )  # fmt: skip

    def _columns(self) -> tuple[Column[Node], ...]:
        return (
            Column("name", "machine", lambda n: n.name, width=14, flex=1, priority=0, sort=lambda n: n.name),
            Column("state", "state", lambda n: n.state.word, width=7, priority=0,
                   sort=lambda n: n.state, descending=True),
            Column("tier", "tier", lambda n: n.tier.title, width=10, priority=0, sort=lambda n: _order(n)),
            Column("place", "runs in", _place, width=13, priority=2, sort=lambda n: (n.provider.value, n.place)),
            Column("cpu", "cpu", lambda n: limited(percent(n.metrics.cpu_ratio), n.metrics.cpu_ratio, limits.CPU),
                   width=9, align="right", priority=1, sort=lambda n: n.metrics.cpu_ratio, descending=True),
            Column("memory", "memory",
                   lambda n: limited(percent(n.metrics.memory_ratio), n.metrics.memory_ratio, limits.MEMORY),
                   width=9, align="right", priority=1, sort=lambda n: n.metrics.memory_ratio, descending=True),
            Column("disk", "disk", lambda n: limited(percent(n.metrics.disk_ratio), n.metrics.disk_ratio, limits.DISK),
                   width=9, align="right", priority=1, sort=lambda n: n.metrics.disk_ratio, descending=True),
            Column("size", "ram", lambda n: data_size(n.metrics.memory_bytes), width=8, align="right", priority=6,
                   sort=lambda n: n.metrics.memory_bytes, descending=True),
            Column("in", "net in", lambda n: data_rate(n.metrics.receive_bytes_per_s), width=9, align="right",
                   priority=4, sort=lambda n: n.metrics.receive_bytes_per_s, descending=True),
            Column("out", "net out", lambda n: data_rate(n.metrics.transmit_bytes_per_s), width=9, align="right",
                   priority=4, sort=lambda n: n.metrics.transmit_bytes_per_s, descending=True),
            Column("uptime", "up for", lambda n: duration(n.metrics.uptime_s), width=7, align="right", priority=5,
                   sort=lambda n: n.metrics.uptime_s),
            Column("exporters", "exporters", _exporters, width=9, align="right", priority=3),
            Column("power", "power", lambda n: n.power or "–", width=8, priority=7, sort=lambda n: n.power),
            Column("why", "why", _why, width=20, flex=2, priority=3),
            Column("address", "address", lambda n: n.addresses[0] if n.addresses else "–", width=15, priority=8),
        )  # fmt: skip

    def weighs(self) -> Sequence[Callable[[Farm], object]]:
        """The tree, for whoever looks at it."""
        return (tree_of,) if self.view == "places" else ()

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        self.query_one(TierMap).show(farm)
        for view in VIEWS:
            # A tree of 10,000 machines takes a frame to make: for a table that nobody sees, once. It has rows then for
            # the cursor that comes back to it.
            if view == self.view or not self._table(view).shown_rows:
                self._show_rows(view, farm)

    def _show_rows(self, view: str, farm: Farm) -> None:
        rows: Sequence[Row]
        match view:
            case "machines":
                rows = farm.nodes
            case "places":
                rows = tree_of(farm)
            case "sites":
                rows = tuple(sites_of(farm))
            case _:
                rows = network_rows(farm)
        if self.console.faults_only:
            rows = tuple(row for row in rows if _severity(row) >= Severity.WARNING)
        # Machines and places are known from others than Prometheus, too.
        others = view == "places" or (view == "machines" and rows)
        self._table(view).set_rows(rows, freshness=Freshness.LIVE if others else farm.freshness("prometheus"))

    def labels_of(self, row: object) -> Mapping[str, str]:
        """A machine's labels are those that people know it by."""
        if isinstance(row, Node):
            return {"name": row.name, "tier": row.tier.value, "provider": row.provider.value, "place": row.place}
        return super().labels_of(row)

    def action_next_view(self) -> None:
        """The next of machines, places, sites and networks."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]

    def watch_view(self, view: str) -> None:
        """One table at a time."""
        if self.console.farm is not None:
            self._show_rows(view, self.console.farm)
        for name in VIEWS:
            self._table(name).display = name == view
        self._table(view).focus()

    def selected(self) -> Subject | None:
        """The machine, place, site or network under the cursor."""
        row = self._table(self.view).cursor_row
        return subject_of(row) if row is not None else None

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        subject = subject_of(message.row)
        if subject is not None:
            self.console.open(subject)

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)


def _severity(row: Row) -> Severity:
    return row.state if isinstance(row, Node) else row.severity


def subject_of(row: Row) -> Subject | None:
    """The subject of a row of any of the tables."""
    match row:
        case Node():
            return node_subject(row)
        case Branch():
            return row.subject
        case SiteRow():
            return site_subject(row.router)
        case NetworkRow():
            return network_subject(row.network)


def sites_of(farm: Farm) -> Iterator[SiteRow]:
    """Failing sites first, then the busiest; only these are asked for, whatever the number of sites."""
    if farm.edge is None:
        return
    failing = {site.router: site.value for site in farm.edge.sites_failing}
    busy = {site.router: site.value for site in farm.edge.sites_busiest}
    for router, share in sorted(failing.items(), key=lambda pair: -pair[1]):
        yield SiteRow(router, busy.get(router), share)
    for site in sorted(farm.edge.sites_busiest, key=_busier_first):
        if site.router not in failing:
            yield SiteRow(site.router, site.value, None)


def _busier_first(site: SiteTraffic) -> float:
    return -site.value


@of_newest
def tree_of(farm: Farm) -> tuple[Branch, ...]:
    """All of the tree."""
    return tuple(_branches(farm))


def _branches(farm: Farm) -> Iterator[Branch]:
    """The tree of places: PVE clusters with hosts and guests, then DigitalOcean's regions with droplets."""
    placed: dict[tuple[Provider, str], list[Node]] = {}
    for node in farm.nodes:
        placed.setdefault((node.provider, node.place), []).append(node)
    for cluster in farm.pve:
        bad = cluster.quorate is False
        words = (
            "NOT QUORATE" if bad else f"{plural(len(cluster.hosts), 'host')}, {plural(len(cluster.guests), 'guest')}"
        )
        severity = Severity.CRITICAL if bad else Severity.OK
        yield Branch(
            f"pve/{cluster.name}",
            0,
            last=False,
            title=f"PVE {cluster.name}",
            severity=severity,
            text=words,
            subject=None,
        )
        for host in sorted(cluster.hosts, key=lambda host: host.name):
            state = Severity.OK if host.status == "online" else Severity.CRITICAL
            text = f"{host.status}, cpu {percent(host.cpu_ratio)}, memory {data_size(host.memory_bytes)} of "
            subject = Subject("pve-host", f"{cluster.name}/{host.name}", host.name)
            text += data_size(host.memory_max_bytes)
            yield Branch(
                f"{cluster.name}/{host.name}",
                1,
                last=False,
                title=host.name,
                severity=state,
                text=text,
                subject=subject,
            )
            yield from _machines(f"{cluster.name}/{host.name}", placed.get((Provider.PROXMOX, host.name), ()), 2)
    for (provider, region), inside in sorted(placed.items(), key=lambda pair: pair[0][1]):
        if provider is Provider.DIGITALOCEAN:
            worst = max(node.state for node in inside)
            text = plural(len(inside), "droplet")
            yield Branch(
                f"do/{region}", 0, last=False, title=f"DigitalOcean {region}", severity=worst, text=text, subject=None
            )
            yield from _machines(f"do/{region}", inside, 1)
    elsewhere = [node for node in farm.nodes if node.provider is Provider.NONE]
    if elsewhere:
        worst = max(node.state for node in elsewhere)
        text = f"{plural(len(elsewhere), 'machine')} that no provider knows"
        yield Branch("none", 0, last=False, title="elsewhere", severity=worst, text=text, subject=None)
        yield from _machines("none", elsewhere, 1)


def _machines(above: str, nodes: Sequence[Node], depth: int) -> Iterator[Branch]:
    for index, node in enumerate(sorted(nodes, key=lambda node: node.name)):
        text = f"{node.tier.title}" + (f": {'; '.join(node.reasons)}" if node.reasons else "")
        yield Branch(
            f"{above}/{node.name}", depth, last=index == len(nodes) - 1, title=node.name, severity=node.state,
            text=text, subject=node_subject(node),
        )  # fmt: skip


def _branch_cell(branch: Branch) -> Content:
    signs = glyphs()
    if branch.depth == 0:
        return Content.styled(branch.title, ink.STRONG)
    line = signs.blank * (branch.depth - 1) + (signs.last_branch if branch.last else signs.branch)
    return Content.assemble((line, ink.FAINT), f" {branch.title}")


def _site_state(site: SiteRow) -> Content:
    return status_mark(site.severity, "" if site.failing is None else f"{percent(site.failing)} 5xx")


def _order(node: Node) -> int:
    return list(type(node.tier)).index(node.tier)


def _place(node: Node) -> str:
    return f"{node.provider.value} {node.place}".strip()


def _exporters(node: Node) -> Content | str:
    up = sum(exporter.up for exporter in node.exporters)
    words = f"{up}/{len(node.exporters)}"
    if not node.exporters:
        return Content.styled("none", ink.MUTED)
    return words if up == len(node.exporters) else Content.styled(words, ink.WARNING)


def _why(node: Node) -> Content | str:
    if not node.reasons:
        return ""
    return Content.styled(
        "; ".join(node.reasons), ink.SEVERITY[node.state] if node.state >= Severity.WARNING else ink.MUTED
    )


def _node_freshness(farm: Farm | None, node: Node) -> Freshness:
    """A machine that Prometheus has never measured is not old: the other columns speak for it."""
    return row_freshness(farm, node.metrics.seen_at) if node.metrics.seen_at else Freshness.LIVE
