"""Scrape targets as machines: which of them are one host, what it is called, and what its node exporter says."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from farmtui.farm.alerts import Target
from farmtui.farm.farm import HostView
from farmtui.farm.node import Exporter, HostMetrics, Tier
from farmtui.sources.prometheus.figures import Figures

NAME_LABELS: Final = ("node", "hostname", "nodename", "host")
"""Target labels that may name a machine, the most telling first."""

TIER_LABELS: Final = ("tier", "role")
_TIERS: Final = frozenset(tier.value for tier in Tier)


@dataclass(slots=True)
class _Instance:
    """One instance label: what every source of labels says of it."""

    name: str
    place: str
    """The host part of it."""
    exporters: list[Exporter] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    nodename: str = ""


def host_part(instance: str) -> str:
    """`10.0.0.5` of `10.0.0.5:9100`, `fe80::1` of `[fe80::1]:9100`, `cache-1` of `cache-1`."""
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    host, colon, port = instance.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host else instance


def is_machine(instance: str) -> bool:
    """Whether an instance names a machine; a blackbox exporter's may be an address on the web (`https://site/`)."""
    return bool(instance) and "/" not in instance and not any(c.isspace() for c in instance)


def hosts(figures: Figures, targets: Iterable[Target], probed: frozenset[str] = frozenset()) -> tuple[HostView, ...]:
    """All machines that Prometheus scrapes, or has scraped within the hour, by name.

    Targets are one machine when their instances have the same host part, when the node exporter's own host name is
    the other's host part, or when a label that names machines (`NAME_LABELS`) says so. `probed` are instances that
    are looked at from elsewhere (a blackbox exporter): they join a machine, and make none.
    """
    instances = _instances(figures, targets)
    usable = _usable_labels(instances.values())
    groups = _grouped(instances.values(), usable)
    found = [_host(figures, members, usable) for members in groups if any(m.name not in probed for m in members)]
    return tuple(sorted(found, key=lambda view: (view.name, view.host)))


def _instances(figures: Figures, targets: Iterable[Target]) -> dict[str, _Instance]:
    found: dict[str, _Instance] = {}

    def at(name: str) -> _Instance:
        if name not in found:
            found[name] = _Instance(name, host_part(name))
        return found[name]

    known: dict[tuple[str, str], Exporter] = {}
    for (name, job, node, host, hostname, nodename, tier, role), value in figures.rows("up").items():
        if not is_machine(name):
            continue
        before = known.get((job, name))
        known[(job, name)] = Exporter(job, name, value > 0 or (before is not None and before.up))
        labels = {"node": node, "host": host, "hostname": hostname, "nodename": nodename, "tier": tier, "role": role}
        at(name).labels.update({label: text for label, text in labels.items() if text})
    for target in targets:
        if is_machine(target.instance):
            known.setdefault((target.job, target.instance), Exporter(target.job, target.instance, target.up))
            wanted = {label: text for label, text in target.labels if label in (*NAME_LABELS, *TIER_LABELS)}
            at(target.instance).labels.update(wanted)
    for (_, name), exporter in sorted(known.items()):
        at(name).exporters.append(exporter)
    for name in figures.instances("node"):
        if is_machine(name):
            at(name)
    for name, nodename, _ in figures.rows("node.info"):
        if is_machine(name):
            at(name).nodename = nodename
    return found


def _usable_labels(instances: Iterable[_Instance]) -> tuple[str, ...]:
    """The labels that really name machines here: those of which no value holds two different host names.

    `host` may as well be the hypervisor: merging all guests of one host into one machine would be a lie.
    """
    names: dict[tuple[str, str], set[str]] = {}
    for instance in instances:
        if instance.nodename:
            for label in NAME_LABELS:
                if instance.labels.get(label):
                    names.setdefault((label, instance.labels[label]), set()).add(instance.nodename)
    wrong = {label for (label, _), found in names.items() if len(found) > 1}
    return tuple(label for label in NAME_LABELS if label not in wrong)


def _grouped(instances: Iterable[_Instance], usable: tuple[str, ...]) -> list[list[_Instance]]:
    """Instances that are one machine, by union over everything that two of them share."""
    listed = sorted(instances, key=lambda instance: instance.name)
    # Two machines with one host name (a clone that was never renamed) stay two: the join shows them as duplicates.
    called: dict[str, set[str]] = {}
    for instance in listed:
        if instance.nodename:
            called.setdefault(instance.nodename.lower(), set()).add(instance.place.lower())
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for instance in listed:
        mine = f"instance {instance.name}"
        shared = [f"name {instance.place.lower()}"]
        shared += [f"name {instance.labels[label].lower()}" for label in usable if instance.labels.get(label)]
        if instance.nodename and len(called[instance.nodename.lower()]) == 1:
            shared.append(f"name {instance.nodename.lower()}")
        for key in shared:
            parent[root(key)] = root(mine)
    groups: dict[str, list[_Instance]] = {}
    for instance in listed:
        groups.setdefault(root(f"instance {instance.name}"), []).append(instance)
    return list(groups.values())


def _host(figures: Figures, members: list[_Instance], usable: tuple[str, ...]) -> HostView:
    exporters = tuple(exporter for member in members for exporter in member.exporters)
    label = next((m.labels[name] for name in usable for m in members if m.labels.get(name)), "")
    nodename = next((member.nodename for member in members if member.nodename), "")
    measured = _measured(figures, members)
    place = (measured or members[0]).place
    places = {member.place for member in members}
    addresses = tuple(sorted(place for place in places if _is_address(place)))
    dns_name = next((name for name in sorted(places) if name not in addresses), "")
    return HostView(
        host=label or place,
        addresses=addresses,
        name=nodename or label or dns_name or place,
        tier_hint=_tier_hint(members),
        exporters=exporters,
        metrics=_metrics(figures, measured.name) if measured else HostMetrics(),
    )


def _measured(figures: Figures, members: list[_Instance]) -> _Instance | None:
    """The member whose node exporter was seen last."""
    seen = [(when, m.name, m) for m in members if (when := figures.seen("node", m.name)) is not None]
    return max(seen, key=lambda item: item[:2])[2] if seen else None


def _metrics(figures: Figures, instance: str) -> HostMetrics:
    def of(name: str) -> float | None:
        return figures.of(f"node.{name}", instance)

    return HostMetrics(
        cpu_ratio=of("cpu_ratio"),
        memory_ratio=of("memory_ratio"),
        memory_bytes=of("memory_bytes"),
        disk_ratio=of("disk_ratio"),
        load1=of("load1"),
        receive_bytes_per_s=of("receive_bytes_per_s"),
        transmit_bytes_per_s=of("transmit_bytes_per_s"),
        uptime_s=of("uptime_s"),
        clock_offset_s=of("clock_offset_s"),
        seen_at=figures.seen("node", instance),
    )


def _tier_hint(members: list[_Instance]) -> str:
    """The tier that most targets of the machine name; empty when none names one that the farm has."""
    votes: Counter[str] = Counter()
    for member in members:
        words: Mapping[str, str] = member.labels
        word = next((words[label].lower() for label in TIER_LABELS if words.get(label, "").lower() in _TIERS), "")
        if word:
            votes[word] += max(1, len(member.exporters))
    return min(votes, key=lambda word: (-votes[word], word)) if votes else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
