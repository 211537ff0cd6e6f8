"""The columns of the compute screen's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farmtui.farm.node import Provider
from farmtui.farm.units import age, data_rate, data_size, duration, money, percent
from farmtui.insight.pve import task_severity as pve_severity
from screens import limits
from screens.columns import limited
from screens.compute_rows import BalancerRow, MachineRow, PveTaskRow, VolumeRow, task_severity
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from textual.content import Content

    from farmtui.farm.node import HostMetrics
    from farmtui.farm.swarm import SwarmNetwork, SwarmTask


def machine_columns(availability: Callable[[MachineRow], Content | str]) -> tuple[Column[MachineRow], ...]:
    """Of every machine of every provider; `availability` is what the Swarm says of one."""
    return (
        Column("name", "machine", lambda r: r.name, width=14, flex=1, priority=0, sort=lambda r: r.name),
        Column("state", "state", lambda r: r.severity.word, width=7, priority=0, sort=lambda r: r.severity,
               descending=True),
        Column("role", "swarm", lambda r: r.role or "–", width=8, priority=1, sort=lambda r: r.role),
        Column("availability", "is", availability, width=15, min_width=13, priority=1),
        Column("place", "runs in", _place, width=12, priority=2, sort=_place),
        Column("size", "size", lambda r: r.size, width=13, priority=4),
        Column("cpu", "cpu", lambda r: _figure(r, "cpu_ratio", limits.CPU), width=8, align="right", priority=1,
               sort=_metric("cpu_ratio"), descending=True),
        Column("memory", "memory", lambda r: _figure(r, "memory_ratio", limits.MEMORY), width=8, align="right",
               priority=2, sort=_metric("memory_ratio"), descending=True),
        Column("disk", "disk", lambda r: _figure(r, "disk_ratio", limits.DISK), width=8, align="right",
               priority=3, sort=_metric("disk_ratio"), descending=True, help="its fullest file system"),
        Column("receive", "net in", lambda r: data_rate(_metrics(r, "receive_bytes_per_s")), width=9, align="right",
               priority=4, sort=_metric("receive_bytes_per_s"), descending=True),
        Column("transmit", "net out", lambda r: data_rate(_metrics(r, "transmit_bytes_per_s")), width=9, align="right",
               priority=4, sort=_metric("transmit_bytes_per_s"), descending=True),
        Column("uptime", "up for", lambda r: duration(_metrics(r, "uptime_s")), width=8, align="right", priority=5,
               sort=_metric("uptime_s")),
        Column("cost", "a month", lambda r: money(r.cost) if r.cost is not None else "–", width=9, align="right",
               priority=3, sort=lambda r: r.cost, descending=True, help="with its backups, in the farm's currency"),
        Column("engine", "engine", lambda r: r.swarm.engine if r.swarm else "–", width=10, priority=6),
        Column("why", "why", lambda r: r.why, width=26, min_width=12, flex=6, priority=1),
    )  # fmt: skip


def task_columns(since: Callable[[datetime | None], str]) -> tuple[Column[SwarmTask], ...]:
    """Of the Swarm's tasks."""
    return (
        Column("name", "task", task_name, width=18, flex=1, priority=0, sort=task_name),
        Column("state", "state", lambda t: status_mark(task_severity(t), t.state or "–"), width=12, priority=0,
               sort=task_severity, descending=True),
        Column("desired", "should", lambda t: t.desired_state, width=9, priority=3),
        Column("node", "node", lambda t: t.node or "no node", width=12, flex=1, priority=0, sort=lambda t: t.node),
        Column("since", "since", lambda t: since(t.since), width=9, align="right", priority=2),
        Column("error", "why", _task_why, width=24, flex=3, priority=1),
    )  # fmt: skip


def network_columns() -> tuple[Column[SwarmNetwork], ...]:
    """Of the Swarm's overlay networks."""
    return (
        Column("name", "network", lambda n: n.name, width=18, flex=1, priority=0, sort=lambda n: n.name),
        Column("driver", "driver", lambda n: n.driver, width=9, priority=2),
        Column("scope", "scope", lambda n: n.scope, width=7, priority=3),
        Column("subnets", "subnets", lambda n: ", ".join(n.subnets) or "–", width=18, flex=1, priority=0),
        Column("kind", "kind", _network_kind, width=22, priority=1),
    )


def volume_columns() -> tuple[Column[VolumeRow], ...]:
    """Of block storage volumes, and of the storages that guests' disks lie on."""
    return (
        Column("name", "volume", lambda r: r.name, width=16, flex=2, priority=0, sort=lambda r: r.name),
        Column("state", "state", lambda r: status_mark(r.severity, r.severity.word), width=8, priority=0,
               sort=lambda r: r.severity, descending=True),
        Column("kind", "kind", lambda r: r.kind, width=13, priority=2, sort=lambda r: r.kind),
        Column("place", "where", lambda r: r.place, width=12, priority=2, sort=lambda r: r.place),
        Column("size", "size", lambda r: data_size(r.size_bytes), width=9, align="right", priority=0,
               sort=lambda r: r.size_bytes, descending=True),
        Column("used", "used", lambda r: limited(percent(r.used_ratio), r.used_ratio, limits.STORAGE), width=8,
               align="right", priority=1, sort=lambda r: r.used_ratio, descending=True),
        Column("cost", "a month", lambda r: money(r.cost) if r.cost is not None else "–", width=9, align="right",
               priority=3, sort=lambda r: r.cost, descending=True),
        Column("holds", "attached to, holds", lambda r: r.holds or "–", width=18, flex=2, priority=2),
        Column("why", "why", lambda r: r.why, width=24, min_width=16, flex=2, priority=1),
    )  # fmt: skip


def balancer_columns() -> tuple[Column[BalancerRow], ...]:
    """Of load balancers."""
    return (
        Column("name", "balancer", lambda r: r.balancer.name, width=16, flex=1, priority=0,
               sort=lambda r: r.balancer.name),
        Column("state", "state", lambda r: status_mark(r.severity, r.balancer.status), width=11, priority=0,
               sort=lambda r: r.severity, descending=True),
        Column("serve", "serve", lambda r: f"{r.serving} of {r.behind}", width=9, align="right", priority=0,
               sort=lambda r: r.serving, help="droplets behind it that serve"),
        Column("address", "address", lambda r: r.balancer.address or "–", width=16, priority=1),
        Column("rules", "sends", lambda r: ", ".join(r.balancer.rules) or "–", width=24, flex=2, priority=2),
        Column("check", "looks at", lambda r: r.balancer.check or "–", width=20, priority=4),
        Column("region", "region", lambda r: r.balancer.region, width=7, priority=3),
        Column("cost", "a month", lambda r: money(r.cost) if r.cost is not None else "–", width=9, align="right",
               priority=3, sort=lambda r: r.cost, descending=True),
        Column("why", "why", lambda r: r.why, width=18, flex=2, priority=1),
    )  # fmt: skip


def pve_task_columns(since: Callable[[datetime | None], str]) -> tuple[Column[PveTaskRow], ...]:
    """Of Proxmox VE's tasks."""
    return (
        Column("what", "task", lambda r: r.words, width=16, min_width=11, flex=1, priority=0, sort=lambda r: r.words),
        Column("state", "state", _pve_state, width=8, priority=0, sort=lambda r: pve_severity(r.task),
               descending=True),
        Column("about", "of", lambda r: r.about, width=16, min_width=11, flex=1, priority=0, sort=lambda r: r.about),
        Column("node", "host", lambda r: r.task.node, width=10, min_width=7, priority=1, sort=lambda r: r.task.node),
        Column("since", "begun", lambda r: since(r.task.started_at), width=8, min_width=7, align="right", priority=2,
               sort=lambda r: r.task.started_at, descending=True),
        Column("took", "took", lambda r: duration(r.task.duration_s), width=8, min_width=7, align="right", priority=1,
               sort=lambda r: r.task.duration_s, descending=True),
        Column("user", "by", lambda r: r.task.user or "–", width=18, priority=3, sort=lambda r: r.task.user),
        Column("status", "ended with", lambda r: r.task.status or "–", width=20, min_width=10, flex=3,
               priority=1),
        Column("upid", "UPID", lambda r: r.task.upid, width=60, priority=6),
    )  # fmt: skip


def since_words(now: datetime, at: datetime | None) -> str:
    """How long ago; – where that is not told."""
    return age((now - at).total_seconds()) if at is not None else "–"


def task_name(task: SwarmTask) -> str:
    """`wordpress.3`, as docker calls it; a global service's tasks are told apart by their node."""
    return f"{task.service}.{task.slot if task.slot is not None else task.node or task.node_id[:12]}"


def _task_why(task: SwarmTask) -> str:
    """Why it does not run. Of each that runs docker says `started`: that would only hide those that have a reason."""
    return task.error or ("" if task.state == "running" else task.message)


def _pve_state(row: PveTaskRow) -> Content:
    task = row.task
    word = "runs" if task.running else "failed" if task.failed else "warned" if task.warned else "done"
    return status_mark(pve_severity(task), word)


def _place(row: MachineRow) -> str:
    node = row.node
    if node is None or node.provider is Provider.NONE:
        return "–"
    return f"{node.provider.value} {node.place}".strip()


def _metrics(row: MachineRow, name: str) -> float | None:
    metrics: HostMetrics | None = row.node.metrics if row.node is not None else None
    value: float | None = getattr(metrics, name) if metrics is not None else None
    return value


def _metric(name: str) -> Callable[[MachineRow], float | None]:
    return lambda row: _metrics(row, name)


def _figure(row: MachineRow, name: str, bounds: Any) -> Content | str:
    value = _metrics(row, name)
    return limited(percent(value), value, bounds)


def _network_kind(network: SwarmNetwork) -> str:
    words = ("ingress", network.ingress), ("internal", network.internal), ("encrypted", network.encrypted)
    return ", ".join(word for word, so in words if so) or "–"
