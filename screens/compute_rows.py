"""Rows of the compute screen: each machine with what the Swarm says of it, and how bad a service or task looks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from farmtui.farm.addresses import short_name
from farmtui.farm.node import LoadBalancer, Node, Volume
from farmtui.farm.pve import PveStorage, PveTask
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmCluster, SwarmNode, SwarmService, SwarmTask
from farmtui.farm.units import data_size
from farmtui.insight.balancers import balancer_state, droplets_behind, serves
from farmtui.insight.newest import of_newest
from farmtui.insight.pve import storage_severity, task_words
from farmtui.insight.spend import spend
from farmtui.insight.swarm import why_short
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from farmtui.farm.farm import Farm

_FAILED = frozenset({"failed", "rejected", "orphaned"})


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine: as the farm knows it, as the Swarm knows it, or both."""

    name: str
    node: Node | None
    swarm: SwarmNode | None
    size: str = "–"
    """A droplet's size, else processors and memory as far as somebody knows them."""
    cost: Decimal | None = None
    """A month, in the farm's currency; None where nobody knows."""

    @property
    def severity(self) -> Severity:
        """The worse of what the machine and the Swarm say."""
        return max(
            self.node.state if self.node is not None else Severity.OK,
            swarm_severity(self.swarm) if self.swarm is not None else Severity.OK,
        )

    @property
    def role(self) -> str:
        """`leader`, `manager`, `worker`; empty for a machine that is not in the Swarm."""
        if self.swarm is None:
            return ""
        return "leader" if self.swarm.leader else self.swarm.role

    @property
    def why(self) -> str:
        """Why it is not well, the Swarm's word last."""
        said = list(self.node.reasons) if self.node is not None else []
        if self.swarm is not None and swarm_severity(self.swarm) > Severity.OK:
            why = self.swarm.message if self.swarm.state != "ready" else ""
            said.append(f"Swarm: {why}" if why else swarm_words(self.swarm))
        return "; ".join(said)


@of_newest
def machine_rows(farm: Farm) -> tuple[MachineRow, ...]:
    """Every machine once. A Swarm node is a machine's by its host name, else by its address."""
    engines = _engines(farm.swarm_cluster)
    by_name: dict[str, SwarmNode] = {}
    by_address: dict[str, SwarmNode] = {}
    for each in engines:
        # Two engines of one name are told apart by their addresses only.
        name = short_name(each.hostname.casefold())
        by_name[name] = each if name not in by_name else SwarmNode("", "", "", "", "")
        if each.address:
            by_address[each.address] = each
    sizes, costs = _sizes(farm), _costs(farm)
    rows, taken = [], set()
    for node in farm.nodes:
        found = next((by_address[address] for address in node.addresses if address in by_address), None)
        found = found or by_name.get(short_name(node.name.casefold()))
        if found is not None and (not found.id or found.id in taken):
            found = None
        if found is not None:
            taken.add(found.id)
        idents = (s.ident for s in node.sightings if s.source != "prometheus")
        size = next((sizes[ident] for ident in idents if ident in sizes), "") or _size(node, found)
        rows.append(MachineRow(node.name, node, found, size, costs.get(node.name)))
    rows += [
        MachineRow(engine.hostname, None, engine, _size(None, engine)) for engine in engines if engine.id not in taken
    ]
    return tuple(rows)


def _sizes(farm: Farm) -> dict[str, str]:
    """By a provider's ident, the size that it gave a machine."""
    found = {droplet.ident: droplet.size for droplet in (farm.cloud.droplets if farm.cloud else ())}
    for cluster in farm.pve:
        for guest in cluster.guests:
            if guest.cpus is not None:
                found[guest.ident] = f"{guest.cpus:g} cpu {data_size(guest.memory_max_bytes)}"
    return found


def _size(node: Node | None, engine: SwarmNode | None) -> str:
    memory = node.metrics.memory_bytes if node is not None else None
    if engine is not None:
        cpus = f"{engine.cpus:g} cpu " if engine.cpus is not None else ""
        return f"{cpus}{data_size(memory if memory is not None else engine.memory_bytes)}"
    return data_size(memory)


def _costs(farm: Farm) -> dict[str, Decimal]:
    """By machine, what it and its backups cost a month, as far as that is known."""
    spent = spend(farm)
    found: dict[str, Decimal] = {}
    for item in spent.items if spent is not None else ():
        name = item.node or (item.name if item.kind == "backups" else "")
        if name and item.per_month is not None:
            found[name] = found.get(name, Decimal(0)) + item.per_month
    return found


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """A block storage volume of DigitalOcean's, or a storage of Proxmox VE that guests' disks lie on."""

    name: str
    kind: str
    place: str
    size_bytes: float | None
    used_ratio: float | None
    """0-1; None where nobody tells (DigitalOcean does not look into a volume)."""
    holds: str
    """What it is attached to, or what may lie on it."""
    severity: Severity
    why: str
    cost: Decimal | None
    of: Volume | PveStorage


@dataclass(frozen=True, slots=True)
class BalancerRow:
    """A load balancer with what is behind it."""

    balancer: LoadBalancer
    severity: Severity
    why: str
    behind: int
    serving: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class PveTaskRow:
    """A task of Proxmox VE, with the guest's name that it is about."""

    task: PveTask
    about: str

    @property
    def words(self) -> str:
        """`backup`, `migration`, or its kind."""
        return task_words(self.task)


def volume_rows(farm: Farm) -> tuple[VolumeRow, ...]:
    """All volumes and storages."""
    prices = _prices(farm)
    rows: list[VolumeRow] = []
    names = {droplet.id: droplet.name for droplet in (farm.cloud.droplets if farm.cloud else ())}
    for volume in farm.cloud.volumes if farm.cloud else ():
        holds = ", ".join(names.get(ident, str(ident)) for ident in volume.droplet_ids)
        loose = not volume.droplet_ids
        rows.append(VolumeRow(
            volume.name, "block storage", f"do {volume.region}".strip(), volume.size_bytes, None, holds,
            Severity.INFO if loose else Severity.OK, "attached to nothing, and paid for" if loose else "",
            prices.get(f"volume/{volume.id}"), volume,
        ))  # fmt: skip
    for cluster in farm.pve:
        for storage in cluster.storages:
            why = f"not reached from {', '.join(storage.silent)}" if storage.silent else ""
            if storage.active is False and not why:
                why = "not active"
            rows.append(VolumeRow(
                storage.name, storage.kind or "–", f"pve {storage.node or cluster.name}", storage.size_bytes,
                storage.used_ratio, ", ".join(storage.contents), storage_severity(storage),
                why or ("its host is off" if storage.active is None else ""), None, storage,
            ))  # fmt: skip
    return tuple(rows)


def balancer_rows(farm: Farm) -> tuple[BalancerRow, ...]:
    """All load balancers."""
    prices, rows = _prices(farm), []
    for balancer in farm.cloud.load_balancers if farm.cloud else ():
        behind = droplets_behind(farm, balancer)
        serving = sum(serves(*one) for one in behind)
        severity, why = balancer_state(farm, balancer)
        price = prices.get(f"balancer/{balancer.id}")
        rows.append(BalancerRow(balancer, severity, why, len(behind), serving, price))
    return tuple(rows)


@of_newest
def _prices(farm: Farm) -> dict[str, Decimal]:
    """By an item's key, what it costs a month."""
    spent = spend(farm)
    return {item.key: item.per_month for item in spent.items if item.per_month is not None} if spent else {}


def pve_task_rows(farm: Farm) -> tuple[PveTaskRow, ...]:
    """All tasks that Proxmox VE tells of."""
    rows = []
    for cluster in farm.pve:
        names = {str(guest.vmid): guest.name for guest in cluster.guests}
        for task in cluster.tasks:
            about = f"{names[task.ident]} ({task.ident})" if task.ident in names else task.ident or "–"
            rows.append(PveTaskRow(task, about))
    return tuple(rows)


def _engines(cluster: SwarmCluster | None) -> tuple[SwarmNode, ...]:
    """The Swarm's nodes. One that led while there was a quorum does not lead without one."""
    if cluster is None or cluster.quorum is not False:
        return cluster.nodes if cluster is not None else ()
    return tuple(dataclasses.replace(node, leader=False) for node in cluster.nodes)


def swarm_freshness(farm: Farm) -> Freshness:
    """Of what the Swarm says: managers that answer without a leader tell nothing of now."""
    cluster = farm.swarm_cluster
    if cluster is not None and cluster.quorum is False:
        return Freshness.STALE if cluster.nodes else Freshness.EMPTY
    return farm.freshness("swarm")


def swarm_severity(node: SwarmNode) -> Severity:
    """A node that the Swarm has lost is bad; one that somebody has set aside is worth a look."""
    if node.state != "ready" or (node.role == "manager" and node.reachability not in ("reachable", "")):
        return Severity.CRITICAL
    return Severity.INFO if node.availability != "active" else Severity.OK


def swarm_words(node: SwarmNode) -> str:
    """What the Swarm says of a node, shortest where all is well: `ready`, `drained`, `down`, `unreachable`."""
    if node.state != "ready":
        return f"Swarm: {node.state}"
    if node.role == "manager" and node.reachability not in ("reachable", ""):
        return f"Swarm: {node.reachability}"
    return {"active": "ready", "drain": "drained", "pause": "paused"}.get(node.availability, node.availability)


def service_severity(service: SwarmService) -> Severity:
    """A service that runs nothing is down; one that runs too little, or whose update stands, is a warning."""
    if service.short:
        return Severity.CRITICAL if service.running == 0 else Severity.WARNING
    return Severity.WARNING if "paused" in service.update_state else Severity.OK


def service_whys(cluster: SwarmCluster) -> dict[str, str]:
    """Why a service runs too little or why its update stands, in Swarm's words, by the id of each that is not well."""
    tasks: dict[str, list[SwarmTask]] = {}
    for task in cluster.tasks:
        tasks.setdefault(task.service_id, []).append(task)
    return {
        service.id: why_short(service, tasks.get(service.id, [])) if service.short else service.update_message
        for service in cluster.services
        if service_severity(service) > Severity.OK
    }


def task_severity(task: SwarmTask) -> Severity:
    """A task that should run and does not; one that failed and was replaced is only worth a look."""
    if task.state == "running":
        return Severity.OK
    if task.desired_state in ("running", "ready", "accepted"):
        return Severity.WARNING if task.error or task.state in _FAILED else Severity.INFO
    return Severity.INFO


def replicas(service: SwarmService) -> str:
    """`4/4`, as docker service ls has it."""
    running = "–" if service.running is None else str(service.running)
    return f"{running}/{'–' if service.desired is None else service.desired}"


def views_of(farm: Farm | None) -> Sequence[str]:
    """The views that there are: those of what is configured."""
    if farm is None:
        return ("machines",)
    views = ["machines"]
    if farm.swarm_cluster is not None:
        views += ["services", "tasks", "networks"]
    if (farm.cloud is not None and farm.cloud.volumes) or any(cluster.storages for cluster in farm.pve):
        views.append("volumes")
    if farm.cloud is not None and farm.cloud.load_balancers:
        views.append("balancers")
    if any(cluster.tasks for cluster in farm.pve):
        views.append("pve-tasks")
    return tuple(views)


def service_columns(why: Callable[[SwarmService], str]) -> tuple[Column[SwarmService], ...]:
    """The columns of a table of services; `why` tells of one what is wrong with it."""
    return (
        Column("name", "service", lambda s: s.name, width=18, flex=2, priority=0, sort=lambda s: s.name),
        Column("state", "state", lambda s: status_mark(service_severity(s), service_severity(s).word),
               width=8, priority=0, sort=service_severity, descending=True),
        Column("replicas", "replicas", replicas, width=8, align="right", priority=0),
        Column("why", "why", why, width=24, flex=5, priority=1),
        Column("update", "update", lambda s: s.update_state or "–", width=16, priority=2),
        Column("image", "image", lambda s: s.image, width=32, flex=1, priority=3),
        Column("mode", "mode", lambda s: s.mode, width=10, priority=4),
        Column("networks", "networks", lambda s: ", ".join(s.networks) or "–", width=14, flex=1, priority=5),
        Column("ports", "ports", lambda s: ", ".join(s.ports) or "–", width=16, flex=1, priority=6),
    )  # fmt: skip
