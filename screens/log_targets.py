"""Which log belongs to a thing: the unit that it is on its machine, or what its Swarm service prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farmtui.farm.condition import SWITCHED_OFF
from farmtui.farm.node import Tier
from farmtui.farm.state import Severity
from farmtui.tail.target import KERNEL, LogTarget, MachineLog, ServiceLog
from screens.describe import describe
from screens.places import LOGS, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

KINDS = (
    "node", "alert", "galera", "varnish", "redis", "osd", "ceph-daemon", "backend", "site", "guest", "droplet",
    "swarm-node", "swarm-service", "swarm-task", "pve-host", "gluster-brick", "gluster-peer", "finding",
)  # fmt: skip
"""Kinds of things that may have a log."""

_UNITS = {
    "varnish": "varnish", "redis": "redis-server", "galera": "mariadb", "swarm-node": "docker",
    "gluster-brick": "glusterd", "gluster-peer": "glusterd",
}  # fmt: skip
_OF_TIER: dict[Tier, tuple[str, ...]] = {
    Tier.EDGE: ("docker",),
    Tier.CACHE: ("varnish", "varnishncsa", "redis-server"),
    Tier.APP: ("docker",),
    Tier.DATABASE: ("mariadb",),
    Tier.MONITORING: ("prometheus", "prometheus-alertmanager", "grafana-server"),
    Tier.HYPERVISOR: ("pveproxy", "pvedaemon", "pvestatd", "pve-cluster", "corosync", "pve-ha-lrm"),
}


def subject_of(target: LogTarget) -> Subject:
    """A log as a thing that can be opened, and found again."""
    if isinstance(target, MachineLog):
        return Subject(LOGS, f"machine {target.host} {target.unit}".rstrip(), f"log of {target.title}")
    return Subject(LOGS, f"{target.what} {target.ident} {target.name}", f"log of {target.title}")


def target_of(subject: Subject) -> LogTarget:
    """The log that such a thing is."""
    what, ident, *rest = subject.key.split(" ")
    if what == "machine":
        return MachineLog(ident, rest[0] if rest else "")
    return ServiceLog(ident, rest[0] if rest else ident, what)


def log_of(farm: Farm, findings: tuple[Finding, ...], subject: Subject) -> LogTarget | None:
    """The log of a thing; None where none is known."""
    kind, key = subject.kind, subject.key
    if kind == "finding":
        finding = next((finding for finding in findings if finding.key == key), None)
        if finding is None or not finding.subject[0] or finding.subject[0] == "finding":
            return None
        kind, key = finding.subject
    if kind == "node":
        return MachineLog(key)
    if kind in ("swarm-service", "swarm-task"):
        return _of_swarm(farm, kind, key)
    links = _linked(farm, kind, key)
    if kind == "site" and (service := next((s for s in links if s.kind == "swarm-service"), None)) is not None:
        return _of_swarm(farm, service.kind, service.key)
    host = _host(farm, kind, key, links)
    return MachineLog(host, _unit(farm, kind, key)) if host else None


@dataclass(frozen=True, slots=True)
class Down:
    """What is known already of a machine that will hardly answer."""

    words: str
    """In words, with who says so."""
    off: bool
    """Whether somebody has switched it off: then there is nothing to log in to."""


def down_of(farm: Farm | None, target: LogTarget) -> Down | None:
    """Why a log will hardly come; None of a machine that serves, that nobody knows, or that is only in doubt."""
    if farm is None or not isinstance(target, MachineLog):
        return None
    node = next((node for node in farm.nodes if node.name == target.host), None)
    if node is None or node.serving or not node.reasons:
        return None
    if off := next((reason for reason in node.reasons if reason.startswith(SWITCHED_OFF)), ""):
        return Down(f"{node.name} is {off}", off=True)
    if node.state is not Severity.CRITICAL:
        return None
    # Where the reason itself names nobody, it is Prometheus that hears no exporter.
    who = "" if " says " in node.reasons[0] else " (Prometheus)"
    return Down(f"{node.name} does not answer: {node.reasons[0]}{who}", off=False)


def _linked(farm: Farm, kind: str, key: str) -> list[Subject]:
    detail = describe(farm, Subject(kind, key, key))
    return [link.subject for link in detail.links] if detail is not None else []


def _host(farm: Farm, kind: str, key: str, links: list[Subject]) -> str:
    cluster = farm.swarm_cluster
    if kind == "swarm-node":
        return next((node.hostname for node in cluster.nodes if node.id == key), "") if cluster is not None else ""
    if kind == "pve-host":
        return key.partition("/")[2]
    linked = next((link.key for link in links if link.kind == "node"), "")
    if not linked and kind == "gluster-peer":
        return key.partition("/")[2]
    return linked


def _unit(farm: Farm, kind: str, key: str) -> str:
    if kind == "osd":
        return f"ceph-osd@{key.rpartition('.')[2]}"
    if kind == "ceph-daemon":
        return next((unit for name, unit, _ in _ceph_daemons(farm) if name == key), "")
    return _UNITS.get(kind, "")


def _of_swarm(farm: Farm, kind: str, key: str) -> ServiceLog | None:
    cluster = farm.swarm_cluster
    if cluster is None:
        return None
    if kind == "swarm-service":
        return next((ServiceLog(s.id, s.name) for s in cluster.services if s.id == key), None)
    task = next((task for task in cluster.tasks if task.id == key), None)
    if task is None:
        return None
    return ServiceLog(task.id, f"{task.service}.{task.slot if task.slot is not None else task.node}", "task")


def _ceph_daemons(farm: Farm) -> Iterator[tuple[str, str, str]]:
    """Ceph's daemons beside the OSDs: name, unit, host."""
    if farm.ceph is None:
        return
    for kind, daemons in (("mon", farm.ceph.mons), ("mgr", farm.ceph.mgrs), ("mds", farm.ceph.mdss)):
        for daemon in daemons:
            yield daemon.name, f"ceph-{kind}@{daemon.name.removeprefix(f'{kind}.')}", daemon.host
    for daemon in farm.ceph.rgws:
        yield daemon.name, f"ceph-radosgw@{daemon.name}", daemon.host


def units_of(farm: Farm | None, host: str) -> tuple[str, ...]:
    """The units that are likely on a machine, the telling ones first."""
    found: list[str] = []
    node = next((node for node in farm.nodes if node.name == host), None) if farm is not None else None
    if farm is not None and node is not None:
        found += _OF_TIER.get(node.tier, ())
        found += (
            [f"ceph-osd@{osd.id.rpartition('.')[2]}" for osd in farm.ceph.osds if osd.host == host] if farm.ceph else []
        )
        found += [unit for _, unit, where in _ceph_daemons(farm) if where == host]
        if node.tier is Tier.STORAGE and farm.gluster:
            found.append("glusterd")
    elif farm is not None and any(h.name == host for cluster in farm.pve for h in cluster.hosts):
        found += _OF_TIER[Tier.HYPERVISOR]
    return tuple(dict.fromkeys((*found, KERNEL, "ssh")))
