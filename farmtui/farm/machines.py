"""Machines: what the sources know of each, put side by side along the identity join."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from farmtui.farm.addresses import host_part, telling_address, telling_name
from farmtui.farm.farm import HostView
from farmtui.farm.identity import DIGITALOCEAN, PROMETHEUS, PROXMOX, Cluster, Declaration, join
from farmtui.farm.node import CloudAccount, Droplet, Guest, HostMetrics, PveCluster, PveHost, Sighting
from farmtui.farm.tiers import hint_of_tags


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine and every source's own value of it."""

    name: str
    """Unique among the farm's machines: where names clash, the ident stands behind in brackets."""
    sightings: tuple[Sighting, ...]
    declaration: Declaration | None
    views: tuple[HostView, ...]
    guest: Guest | None
    host: PveHost | None
    droplet: Droplet | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A config line's instance label that another line has too."""

    text: str
    owner: str
    loser: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The join's result: machines by name, and what is needed to say what is doubtful."""

    machines: tuple[Machine, ...]
    clusters: tuple[Cluster, ...]
    """In the order of `machines`."""
    disputed: tuple[Claim, ...]
    sightings: tuple[Sighting, ...] = ()
    """What was joined; while it is the same next time, so is who is who."""
    lines: tuple[Declaration, ...] = ()


Fact = HostView | Guest | PveHost | Droplet


def join_machines(
    hosts: Sequence[HostView],
    pve: Sequence[PveCluster],
    account: CloudAccount | None,
    declarations: Sequence[Declaration] = (),
    before: Joined | None = None,
) -> Joined:
    """Every machine that any source or config line knows, each exactly once. Templates are no machines.

    `before` is an earlier result: where nothing has changed but figures, who is who is taken from it, and machines
    of which nothing has changed stay the same objects.
    """
    views, lines, disputed = _resolve_claims(hosts, declarations)
    facts = tuple(_facts(views, pve, account))
    sightings = tuple(map(_sighting, facts))
    if before is not None and before.lines == lines and before.sightings == sightings:
        pairs = zip(before.machines, before.clusters, strict=True)
        machines = tuple(_renewed(machine, cluster, facts) for machine, cluster in pairs)
        return replace(before, machines=machines, disputed=disputed)
    clusters = join(sightings, lines)
    named = sorted(zip(_names(clusters), range(len(clusters)), strict=True))
    ordered = tuple(clusters[index] for _, index in named)
    made = tuple(_machine(clusters[index], name, facts) for name, index in named)
    return Joined(made, ordered, disputed, sightings, lines)


def _facts(views: Iterable[HostView], pve: Iterable[PveCluster], account: CloudAccount | None) -> Iterator[Fact]:
    yield from views
    for cluster in pve:
        for guest in cluster.guests:
            if not guest.template:
                yield guest
        yield from cluster.hosts
    if account is not None:
        yield from account.droplets


def _sighting(fact: Fact) -> Sighting:
    match fact:
        case HostView():
            return Sighting(PROMETHEUS, fact.host, fact.name, fact.addresses, fact.tier_hint.casefold())
        case Guest():
            return Sighting(PROXMOX, fact.ident, fact.name, fact.addresses, hint_of_tags(fact.tags))
        case PveHost():
            return Sighting(PROXMOX, fact.ident, fact.name, (fact.address,) if fact.address else ())
        case Droplet():
            return Sighting(DIGITALOCEAN, fact.ident, fact.name, fact.addresses, hint_of_tags(fact.tags))


def _machine(cluster: Cluster, name: str, facts: Sequence[Fact]) -> Machine:
    views: tuple[HostView, ...] = ()
    guest: Guest | None = None
    host: PveHost | None = None
    droplet: Droplet | None = None
    for index in cluster.members:
        match facts[index]:
            case HostView() as view:
                views += (view,)
            case Guest() as guest:
                pass
            case PveHost() as host:
                pass
            case Droplet() as droplet:
                pass
    return Machine(name, cluster.sightings, cluster.declaration, views, guest, host, droplet)


def _renewed(machine: Machine, cluster: Cluster, facts: Sequence[Fact]) -> Machine:
    """The machine with what is known now; the same object if that is the same."""
    known: tuple[Fact | None, ...] = (*machine.views, machine.guest, machine.host, machine.droplet)
    for index in cluster.members:
        fact = facts[index]
        if not any(fact is one for one in known):
            return _machine(cluster, machine.name, facts)
    return machine


def _names(clusters: Sequence[Cluster]) -> list[str]:
    """A name for each; unique, and the same whatever the order of the input was."""
    wanted = [_wanted_name(cluster) for cluster in clusters]
    often = Counter(wanted)
    declared = {cluster.declaration.name for cluster in clusters if cluster.declaration is not None}
    taken: set[str] = set()
    names: list[str] = []
    for cluster, name in zip(clusters, wanted, strict=True):
        if cluster.declaration is None and (often[name] > 1 or name in declared):
            name = f"{name} ({cluster.sightings[0].ident})"
        while name in taken:
            name += "'"
        taken.add(name)
        names.append(name)
    return names


def _wanted_name(cluster: Cluster) -> str:
    """The config's name, else the provider's, else the one it calls itself, else its address."""
    if cluster.declaration is not None:
        return cluster.declaration.name
    return next((s.name for s in cluster.sightings if s.name), cluster.sightings[0].ident)


# -- instance labels in config lines ------------------------------------------------------------


def _resolve_claims(
    hosts: Sequence[HostView], declarations: Sequence[Declaration]
) -> tuple[Sequence[HostView], tuple[Declaration, ...], tuple[Claim, ...]]:
    """Config lines with idents in place of instance labels; a host that several lines share is taken apart.

    `localhost:9101` and `localhost:9102` may be tunnels to two machines: only the config can say so.
    """
    if not any(line.prometheus for line in declarations):
        return hosts, tuple(declarations), ()
    by_instance: dict[str, int] = {}
    by_host: defaultdict[str, list[int]] = defaultdict(list)
    for index, view in enumerate(hosts):
        by_host[host_part(view.host)].append(index)
        for exporter in view.exporters:
            by_instance[exporter.instance.casefold()] = index
            by_host[host_part(exporter.instance)].append(index)
    claimed: defaultdict[int, dict[str, str]] = defaultdict(dict)
    disputed: list[Claim] = []
    for line in sorted(declarations, key=lambda line: line.name):
        for text in line.prometheus:
            label = text.strip().casefold()
            indexes = [by_instance[label]] if label in by_instance else sorted(set(by_host.get(host_part(label), ())))
            for index in indexes:
                instance = label if label in by_instance else ""
                owner = claimed[index].setdefault(instance, line.name)
                if owner != line.name:
                    disputed.append(Claim(text, owner, line.name))
    views: list[HostView] = []
    idents: defaultdict[str, list[str]] = defaultdict(list)
    for index, view in enumerate(hosts):
        for part, line_name in _parts(view, claimed.get(index, {})):
            views.append(part)
            if line_name:
                idents[line_name].append(part.host)
    lines = tuple(replace(line, prometheus=tuple(idents.get(line.name, ()))) for line in declarations)
    return views, lines, tuple(disputed)


def _parts(view: HostView, claims: dict[str, str]) -> Iterator[tuple[HostView, str]]:
    """The view, or its parts, each with the config line that has it (or an empty text)."""
    owners = set(claims.values())
    tells = telling_address(view.host) or telling_name(view.host)
    if not owners or (len(owners) == 1 and (tells or "" in claims)):
        yield view, next(iter(owners), "")
        return
    rest = claims.get("", "")
    exporters: defaultdict[str, list[int]] = defaultdict(list)
    for number, exporter in enumerate(view.exporters):
        exporters[claims.get(exporter.instance.casefold(), rest)].append(number)
    measurers = [owner for owner, numbers in exporters.items() if _measures(view, numbers)]
    for owner, numbers in sorted(exporters.items()):
        mine = tuple(view.exporters[number] for number in numbers)
        metrics = view.metrics if measurers == [owner] else HostMetrics()
        if owner == rest == "":
            yield replace(view, exporters=mine, metrics=metrics), ""
        else:
            # What the address and the name said of the whole is not true of its parts.
            ident = min(exporter.instance for exporter in mine)
            yield replace(view, host=ident, addresses=(), name="", exporters=mine, metrics=metrics), owner


def _measures(view: HostView, numbers: Iterable[int]) -> bool:
    """Whether a node exporter is among these exporters: the host's figures are its."""
    return any("node" in view.exporters[number].job.casefold() for number in numbers)
