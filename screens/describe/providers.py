"""Describers of what providers have beside machines: volumes, balancers, storages, and what they were told to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import age, data_size, duration, percent
from farmtui.insight.balancers import balancer_state, droplets_behind
from farmtui.insight.pve import storage_severity, task_severity
from screens.describe import Block, Detail, Field, Link, describer
from screens.places import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.farm import Farm
    from farmtui.farm.node import Droplet, LoadBalancer, Node, Volume
    from farmtui.farm.pve import PveStorage, PveTask

MOST = 12
"""Tasks that are linked from a guest or a host."""


def machine_link(farm: Farm, source: str, ident: str) -> Iterator[Link]:
    """The machine that a source knows by an ident."""
    node = machine_of(farm, source, ident)
    if node is not None:
        yield Link("machine", Subject("node", node.name, node.name), f"{node.name}  {node.tier.title}", node.state)


def machine_of(farm: Farm, source: str, ident: str) -> Node | None:
    """See `machine_link`."""
    return next((n for n in farm.nodes if any(s.source == source and s.ident == ident for s in n.sightings)), None)


# -- DigitalOcean


def volume_subject(volume: Volume) -> Subject:
    """The subject of a block storage volume."""
    return Subject("do-volume", volume.id, f"volume {volume.name}")


@describer("do-volume")
def describe_volume(farm: Farm, key: str) -> Detail | None:
    """One block storage volume."""
    volume = next((v for v in farm.cloud.volumes if v.id == key), None) if farm.cloud else None
    if farm.cloud is None or volume is None:
        return None
    detached = not volume.droplet_ids
    fields = [
        Field("size", data_size(volume.size_bytes)),
        Field("region", volume.region or "–"),
        Field("attached", "to nothing, and paid for" if detached else "yes", Severity.WARNING if detached else None),
        Field("id", volume.id),
    ]
    taken = farm.bill.snapshots if farm.bill is not None else None
    if taken is not None:
        mine = [one for one in taken if one.resource_id == volume.id]
        fields.append(Field("snapshots", ", ".join(f"{one.name} ({one.size_gb} GB)" for one in mine) or "none"))
    links = [
        Link("droplet", Subject("droplet", d.ident, d.name), f"{d.name}  {d.status}")
        for d in farm.cloud.droplets
        if d.id in volume.droplet_ids
    ]
    severity = Severity.WARNING if detached else Severity.OK
    return Detail(f"volume {volume.name}", severity, (), (Block("Volume", tuple(fields)),), tuple(links), raw=volume)


def balancer_subject(balancer: LoadBalancer) -> Subject:
    """The subject of a load balancer."""
    return Subject("balancer", balancer.id, f"balancer {balancer.name}")


@describer("balancer")
def describe_balancer(farm: Farm, key: str) -> Detail | None:
    """One load balancer: what it takes, where it sends it, and how they are."""
    balancer = next((b for b in farm.cloud.load_balancers if b.id == key), None) if farm.cloud else None
    if balancer is None:
        return None
    behind = droplets_behind(farm, balancer)
    severity, why = balancer_state(farm, balancer)
    fields = (
        Field("status", balancer.status, severity if balancer.status == "errored" else None),
        Field("address", balancer.address or "–"),
        Field("region", balancer.region or "–"),
        Field("nodes", str(balancer.nodes)),
        Field("sends", "\n".join(balancer.rules) or "–"),
        Field("looks at", balancer.check or "–"),
        Field("droplets", f"{len(behind)}" + (f", all with the tag {balancer.tag}" if balancer.tag else "")),
    )
    links = tuple(
        Link("droplet", Subject("droplet", droplet.ident, droplet.name), words, state)
        for droplet, node in behind
        for words, state in [_behind(droplet, node)]
    )
    title = f"balancer {balancer.name}"
    reasons = (why,) if why else ()
    return Detail(title, severity, reasons, (Block("Load balancer", fields),), links, raw=balancer)


def _behind(droplet: Droplet, node: Node | None) -> tuple[str, Severity]:
    if node is None:
        return f"{droplet.name}  {droplet.status}", Severity.OK if droplet.status == "active" else Severity.WARNING
    return f"{droplet.name}  {'serves' if node.serving else 'does not serve'}", node.state


# -- Proxmox VE


def task_subject(task: PveTask) -> Subject:
    """The subject of a task."""
    return Subject("pve-task", task.key, " ".join(filter(None, (task.kind, task.ident))))


@describer("pve-task")
def describe_task(farm: Farm, key: str) -> Detail | None:
    """One task of Proxmox VE; its log is asked for while it is looked at."""
    task = next((t for c in farm.pve for t in c.tasks if t.key == key), None)
    if task is None:
        return None
    severity = task_severity(task)
    guest = guest_name(farm, task)
    about = f"{task.ident} {guest}".strip() if task.ident else "its host"
    begun = f"{age((farm.at - task.started_at).total_seconds())} ago" if task.started_at else "–"
    took = duration(task.duration_s)
    if task.running and task.started_at is not None:
        took = f"runs for {duration((farm.at - task.started_at).total_seconds())}"
    fields = (
        Field("kind", task.kind),
        Field("about", about),
        Field("host", task.node),
        Field("by", task.user or "–"),
        Field("begun", begun),
        Field("took", took),
        Field("ended with", task.status or "it runs", severity if severity >= Severity.WARNING else None),
        Field("UPID", task.upid),
    )
    links = [
        Link("guest", Subject("guest", g.ident, g.name), f"{g.ident} {g.status}")
        for c in farm.pve
        for g in c.guests
        if c.name == task.cluster and str(g.vmid) == task.ident
    ]
    host = Subject("pve-host", f"{task.cluster}/{task.node}", task.node)
    links.append(Link("ran on", host, f"PVE host {task.node}"))
    reasons = (task.status,) if task.failed else ()
    return Detail(task_subject(task).title, severity, reasons, (Block("Task", fields),), tuple(links), raw=task)


def guest_name(farm: Farm, task: PveTask) -> str:
    """The name of the guest that a task is about; empty where it is about none, or one that is gone."""
    guests = (g for c in farm.pve if c.name == task.cluster for g in c.guests)
    return next((g.name for g in guests if task.ident == str(g.vmid)), "")


def task_links(farm: Farm, cluster: str, *, ident: str = "", node: str = "") -> Iterator[Link]:
    """The latest tasks of a guest, or of a host."""
    tasks = next((c.tasks for c in farm.pve if c.name == cluster), ())
    mine = [t for t in tasks if (ident and t.ident == ident) or (node and t.node == node)]
    for task in mine[:MOST]:
        begun = f"{age((farm.at - task.started_at).total_seconds())} ago" if task.started_at else ""
        words = "  ".join(filter(None, (task.kind, task.ident if node else "", task.status or "runs", begun)))
        yield Link("task", task_subject(task), words, task_severity(task))


def storage_subject(storage: PveStorage) -> Subject:
    """The subject of a storage."""
    return Subject("pve-storage", storage.ident, f"storage {storage.name}")


@describer("pve-storage")
def describe_storage(farm: Farm, key: str) -> Detail | None:
    """One storage of Proxmox VE."""
    storage = next((s for c in farm.pve for s in c.storages if s.ident == key), None)
    if storage is None:
        return None
    severity = storage_severity(storage)
    fields = (
        Field("kind", storage.kind or "–"),
        Field("host", storage.node or "shared by all"),
        Field("active", {True: "yes", False: "no", None: "not known: its host is off"}[storage.active], severity),
        Field("not reached from", ", ".join(storage.silent) or "–"),
        Field("used", f"{percent(storage.used_ratio)}  {data_size(storage.used_bytes)}"),
        Field("size", data_size(storage.size_bytes)),
        Field("holds", ", ".join(storage.contents) or "–"),
    )
    links = []
    if storage.node:
        host = Subject("pve-host", f"{storage.cluster}/{storage.node}", storage.node)
        links.append(Link("on", host, f"PVE host {storage.node}"))
    title = f"storage {storage.name}"
    return Detail(title, severity, (), (Block("Storage", fields),), tuple(links), raw=storage)
