"""Scrape targets as machines: which of them are one host, what it is called, and what its node exporter says."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from farmtui.farm.alerts import Target
from farmtui.farm.farm import HostView
from farmtui.farm.node import Exporter, HostMetrics, Tier
from farmtui.sources.prometheus.catalogue import PROBE_JOBS
from farmtui.sources.prometheus.decode import Key
from farmtui.sources.prometheus.figures import Figures

NAME_LABELS: Final = ("node", "hostname", "nodename", "host")
"""Target labels that may name a machine, the most telling first."""

TIER_LABELS: Final = ("tier", "role")

_UP_LABELS: Final = ("node", "host", "hostname", "nodename", "tier", "role")
"""The labels of the figure `up` after `instance` and `job`."""

_PROBES: Final = re.compile(PROBE_JOBS)
"""Jobs of probes, known by name too: a prober that is gone tells of no probe any more."""

_TIERS: Final = frozenset(tier.value for tier in Tier)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that says which targets are one machine. While it is the same, so are the machines."""

    up: frozenset[Key]
    """Series of the figure `up`, by its labels."""
    nodenames: frozenset[tuple[str, str]]
    """Instances and the host names that their node exporters tell."""
    measured: frozenset[str]
    """Instances with a node exporter."""
    targets: tuple[Target, ...]
    elsewhere: frozenset[str]
    """Instances that are looked at from elsewhere (a blackbox exporter): they join a machine, and make none."""
    probes: frozenset[tuple[str, str]] = frozenset()
    """Job and instance of what looks at a machine from elsewhere: that it answers says nothing of the machine."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: what does not change from poll to poll."""

    host: str
    name: str
    addresses: tuple[str, ...]
    tier_hint: str
    targets: tuple[tuple[str, str], ...]
    """Job and instance of each of its targets."""
    instances: tuple[str, ...]


@dataclass(slots=True)
class _Instance:
    """One instance label: what every source of labels says of it."""

    name: str
    place: str
    """The host part of it."""
    jobs: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    nodename: str = ""


@functools.lru_cache(maxsize=131_072)
def host_part(instance: str) -> str:
    """`10.0.0.5` of `10.0.0.5:9100`, `fe80::1` of `[fe80::1]:9100`, `cache-1` of `cache-1`.

    Empty where the instance names no machine: a blackbox exporter's may be an address on the web.
    """
    if "/" in instance or " " in instance:
        return ""
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    host, colon, port = instance.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host else instance


def evidence(figures: Figures, targets: tuple[Target, ...], elsewhere: frozenset[str] = frozenset()) -> Evidence:
    """What the figures and the targets say of machines. What has a node exporter is one, whoever looks at it too."""
    measured = frozenset(figures.instances("node"))
    return Evidence(
        up=frozenset(figures.rows("up")),
        nodenames=frozenset((key[0], key[1]) for key in figures.rows("node.info")),
        measured=measured,
        targets=targets,
        elsewhere=elsewhere - measured,
        probes=frozenset((job, instance) for instance, job in figures.rows("probe.up")),
    )


def machines(known: Evidence) -> tuple[Machine, ...]:
    """All machines that Prometheus scrapes, or has scraped within the hour, by name.

    Targets are one machine when their instances have the same host part, when the node exporter's own host name is
    the other's host part, or when a label that names machines (`NAME_LABELS`) says so.
    """
    instances = _instances(known)
    usable = _usable_labels(instances.values())
    groups = _grouped(instances.values(), usable)
    found = [
        _machine(members, usable, known)
        for members in groups
        if any(member.name not in known.elsewhere for member in members)
    ]
    return tuple(sorted(found, key=lambda machine: (machine.name, machine.host)))


def hosts(figures: Figures, known: Iterable[Machine], targets: tuple[Target, ...]) -> tuple[HostView, ...]:
    """The machines with what was measured of them now."""
    up: dict[tuple[str, str], bool] = {(target.job, target.instance): target.up for target in targets}
    told: dict[tuple[str, str], bool] = {}
    for key, value in figures.rows("up").items():
        told[(key[1], key[0])] = value > 0 or told.get((key[1], key[0]), False)
    up.update(told)
    return tuple(
        HostView(
            host=machine.host,
            addresses=machine.addresses,
            name=machine.name,
            tier_hint=machine.tier_hint,
            exporters=tuple([Exporter(job, name, up.get((job, name), False)) for job, name in machine.targets]),
            metrics=_metrics(figures, machine.instances),
        )
        for machine in known
    )


def _instances(known: Evidence) -> dict[str, _Instance]:
    found: dict[str, _Instance] = {}

    def at(name: str) -> _Instance | None:
        instance = found.get(name)
        if instance is None:
            place = host_part(name)
            if not place:
                return None
            instance = found[name] = _Instance(name, place)
        return instance

    for key in sorted(known.up):
        instance = at(key[0])
        if instance is not None:
            instance.jobs.add(key[1])
            instance.labels.update((label, text) for label, text in zip(_UP_LABELS, key[2:], strict=True) if text)
    for target in known.targets:
        instance = at(target.instance)
        if instance is not None:
            instance.jobs.add(target.job)
            instance.labels.update((label, text) for label, text in target.labels if label in _UP_LABELS and text)
    for name in known.measured:
        at(name)
    for name, nodename in sorted(known.nodenames):
        instance = at(name)
        if instance is not None:
            instance.nodename = nodename
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


def _machine(members: list[_Instance], usable: tuple[str, ...], known: Evidence) -> Machine:
    measured = known.measured
    targets = {(job, member.name) for member in members for job in member.jobs}
    label = next((m.labels[name] for name in usable for m in members if m.labels.get(name)), "")
    nodename = next((member.nodename for member in members if member.nodename), "")
    place = next((member.place for member in members if member.name in measured), members[0].place)
    places = sorted({member.place for member in members})
    addresses = tuple(place for place in places if _is_address(place))
    dns_name = next((place for place in places if place not in addresses), "")
    return Machine(
        host=label or place,
        name=nodename or label or dns_name or place,
        addresses=addresses,
        tier_hint=_tier_hint(members),
        targets=tuple(sorted(target for target in targets - known.probes if not _PROBES.fullmatch(target[0]))),
        instances=tuple(member.name for member in members if member.name in measured),
    )


def _tier_hint(members: list[_Instance]) -> str:
    """The tier that most targets of the machine name; empty when none names one that the farm has."""
    votes: Counter[str] = Counter()
    for member in members:
        words = (member.labels.get(label, "").lower() for label in TIER_LABELS)
        word = next((word for word in words if word in _TIERS), "")
        if word:
            votes[word] += max(1, len(member.jobs))
    return min(votes, key=lambda word: (-votes[word], word)) if votes else ""


_NOT_MEASURED: Final = HostMetrics()
_SCRAPE_S: Final = 3.0
"""So long an exporter may take to answer: a clock that differs by less may be right."""


def _metrics(figures: Figures, instances: tuple[str, ...]) -> HostMetrics:
    """The figures of the node exporter that was seen last."""
    seen = [(when, name) for name in instances if (when := figures.seen("node", name)) is not None]
    if not seen:
        return _NOT_MEASURED
    when, name = max(seen) if len(seen) > 1 else seen[0]
    key = (name,)
    offset_s = figures.rows("node.clock_offset_s").get(key)
    ahead_s = figures.rows("node.clock_ahead_s").get(key)
    if ahead_s is not None and abs(ahead_s) > _SCRAPE_S:
        offset_s = ahead_s
    return HostMetrics(
        cpu_ratio=figures.rows("node.cpu_ratio").get(key),
        memory_ratio=figures.rows("node.memory_ratio").get(key),
        memory_bytes=figures.rows("node.memory_bytes").get(key),
        disk_ratio=figures.rows("node.disk_ratio").get(key),
        load1=figures.rows("node.load1").get(key),
        receive_bytes_per_s=figures.rows("node.receive_bytes_per_s").get(key),
        transmit_bytes_per_s=figures.rows("node.transmit_bytes_per_s").get(key),
        uptime_s=figures.rows("node.uptime_s").get(key),
        clock_offset_s=offset_s,
        seen_at=when,
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
