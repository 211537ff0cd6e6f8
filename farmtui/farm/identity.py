"""The identity join: which sightings are one machine. By address, then by name; an explicit config line wins always.

Nothing is guessed: an address or a name that several machines have joins none of them, and is shown with the config
line that would settle it. The result depends on what was sighted, never on the order in which it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from farmtui.farm.addresses import host_part, short_name, telling_address, telling_name
from farmtui.farm.node import Sighting, Tier

PROMETHEUS, PROXMOX, DIGITALOCEAN, CONFIG = "prometheus", "proxmox", "digitalocean", "config"
_RANK = {CONFIG: 0, PROXMOX: 1, DIGITALOCEAN: 2, PROMETHEUS: 3}


@dataclass(frozen=True, slots=True)
class Declaration:
    """An explicit config line: what the join cannot know by address or name."""

    name: str
    tier: Tier | None = None
    prometheus: tuple[str, ...] = ()
    """Idents of sightings by Prometheus (`farmtui.farm.machines` finds them for instance labels)."""
    pve: str | None = None
    """`CLUSTER/VMID` or `CLUSTER/node/NAME`."""
    droplet: int | None = None
    addresses: tuple[str, ...] = ()

    @property
    def sighting(self) -> Sighting:
        """The line as a sighting of its own: the machine is shown even where nothing else has sighted it."""
        return Sighting(CONFIG, self.name, self.name, self.addresses)


@dataclass(slots=True, eq=False)
class Cluster:
    """A machine while it is being joined, and as `join` gives it back; its parts are tuples: most have one element."""

    members: tuple[int, ...]
    """Which of the sightings given to `join`, the strongest first: the config's own line is not counted."""
    sightings: tuple[Sighting, ...]
    """The same, behind the config's own line if there is one."""
    declaration: Declaration | None = None
    computes: int = 0
    """How many guests, hosts and droplets: one, or by an explicit line one of each provider."""
    addresses: tuple[str, ...] = ()
    """Those that tell, in canonical form."""
    names: tuple[str, ...] = ()
    """Those that tell, in lower case."""
    own_names: tuple[str, ...] = ()
    """Names given by a provider or by the config, not by Prometheus."""
    measured: int = 0
    """Sightings by Prometheus that have an address of their own."""

    def absorb(self, other: Cluster) -> None:
        """Make the other one part of this one."""
        self.members += other.members
        self.sightings += other.sightings
        self.declaration = self.declaration or other.declaration
        self.computes += other.computes
        self.addresses = _union(self.addresses, other.addresses)
        self.names = _union(self.names, other.names)
        self.own_names = _union(self.own_names, other.own_names)
        self.measured += other.measured


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    more = tuple(item for item in second if item not in first)
    return first + more if more else first


def join(sightings: Sequence[Sighting], declarations: Iterable[Declaration] = ()) -> list[Cluster]:
    """The machines, each with all its sightings; every sighting, the config's lines included, is in exactly one.

    Which sightings are together does not depend on their order, nor do the clusters' order and contents.
    """
    # Sorted first, so that nothing after depends on the order of the input.
    order = sorted(range(len(sightings)), key=lambda index: _order(sightings[index]))
    clusters = [_cluster(index, sightings[index]) for index in order]
    lines = [_line(declaration) for declaration in sorted(declarations, key=lambda line: (line.name, repr(line)))]
    clusters = _join_explicitly(clusters, lines)
    clusters = _join_by(clusters, lambda cluster: cluster.addresses, by_address=True)
    clusters = _join_by(clusters, lambda cluster: cluster.names)
    clusters = _join_by(clusters, _short_names(clusters))
    for cluster in clusters:
        if len(cluster.members) > 1:
            cluster.members = tuple(sorted(cluster.members, key=lambda index: _order(sightings[index])))
            own = cluster.sightings[:0] if cluster.declaration is None else (cluster.declaration.sighting,)
            cluster.sightings = own + tuple(sightings[index] for index in cluster.members)
        elif len(cluster.sightings) > 1 and cluster.sightings[0].source != CONFIG:
            cluster.sightings = cluster.sightings[::-1]
    return clusters


def _order(sighting: Sighting) -> tuple[int, str, str, tuple[str, ...], str]:
    return (_RANK.get(sighting.source, 9), sighting.ident, sighting.name, sighting.addresses, sighting.tier_hint)


def _cluster(index: int, sighting: Sighting) -> Cluster:
    addresses: tuple[str, ...] = ()
    for text in sighting.addresses:
        if (found := telling_address(text)) and found not in addresses:
            addresses += (found,)
    name = telling_name(sighting.name)
    names: tuple[str, ...] = (name,) if name else ()
    if sighting.source != PROMETHEUS:
        return Cluster((index,), (sighting,), None, 1, addresses, names, names)
    if found := telling_address(sighting.ident):
        addresses = _union(addresses, (found,))
    elif (host := telling_name(sighting.ident)) and host_part(host) == host:
        names = _union(names, (host,))
    return Cluster((index,), (sighting,), None, 0, addresses, names, (), 1 if addresses else 0)


def _line(declaration: Declaration) -> Cluster:
    names = (found,) if (found := telling_name(declaration.name)) else ()
    addresses = tuple({found: None for text in declaration.addresses if (found := telling_address(text))})
    return Cluster((), (declaration.sighting,), declaration, 0, addresses, names, names)


# -- explicit lines -----------------------------------------------------------------------------


def _join_explicitly(clusters: list[Cluster], lines: list[Cluster]) -> list[Cluster]:
    """Idents and addresses that config lines name. Of two lines that name the same, the first by name has it."""
    if not lines:
        return clusters
    by_ident: dict[tuple[str, str], Cluster] = {}
    by_address: dict[str, Cluster] = {}
    for line in reversed(lines):
        assert line.declaration is not None
        for key in claims(line.declaration):
            by_ident[key] = line
        for address in line.addresses:
            by_address[address] = line
    rest: list[Cluster] = []
    for cluster in clusters:
        sighting = cluster.sightings[0]
        owner = by_ident.get((sighting.source, sighting.ident.casefold()))
        if owner is None:
            rest.append(cluster)
        else:
            owner.absorb(cluster)
    return [*lines, *_join_declared_addresses(rest, by_address)]


def claims(declaration: Declaration) -> set[tuple[str, str]]:
    """The sightings that a line names, as (source, ident)."""
    found = {(PROMETHEUS, instance.strip().casefold()) for instance in declaration.prometheus}
    if declaration.pve:
        found.add((PROXMOX, declaration.pve.strip().casefold()))
    if declaration.droplet is not None:
        found.add((DIGITALOCEAN, str(declaration.droplet)))
    return found


def _join_declared_addresses(clusters: list[Cluster], by_address: Mapping[str, Cluster]) -> list[Cluster]:
    """A declared address is the line's machine's, whoever else has it; but a machine is never two guests."""
    rest: list[Cluster] = []
    wanted: defaultdict[int, list[Cluster]] = defaultdict(list)
    owners: dict[int, Cluster] = {}
    for cluster in clusters:
        mine = {id(by_address[a]): by_address[a] for a in cluster.addresses if a in by_address}
        if len(mine) != 1:
            rest.append(cluster)
            continue
        key, owner = next(iter(mine.items()))
        if cluster.computes:
            wanted[key].append(cluster)
            owners[key] = owner
        else:
            owner.absorb(cluster)
    for key, computes in wanted.items():
        if len(computes) == 1 and not owners[key].computes:
            owners[key].absorb(computes[0])
        else:
            rest += computes
    return rest


# -- by what they share -------------------------------------------------------------------------

Key = Callable[[Cluster], Iterable[str]]


def _join_by(clusters: list[Cluster], keys: Key, *, by_address: bool = False) -> list[Cluster]:
    """Join what shares a key, wherever that leaves one machine one machine."""
    holders: defaultdict[str, list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        for key in keys(cluster):
            holders[key].append(cluster)
    groups = [group for group in holders.values() if len(group) > 1 and _one_machine(group, by_address=by_address)]
    if not groups:
        return clusters
    leader: dict[Cluster, Cluster] = {}

    def find(cluster: Cluster) -> Cluster:
        while (above := leader.get(cluster, cluster)) is not cluster:
            leader[cluster] = leader.get(above, above)
            cluster = above
        return cluster

    for group in groups:
        for other in group[1:]:
            first, second = find(group[0]), find(other)
            if first is not second:
                leader[second] = first
    components: defaultdict[Cluster, list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        components[find(cluster)].append(cluster)
    if all(len(c) == 1 or _one_machine(c, by_address=by_address) for c in components.values()):
        return [_whole(component) for component in components.values()]
    near = _nearest_anchors(groups)
    result: list[Cluster] = []
    for component in components.values():
        if len(component) == 1 or _one_machine(component, by_address=by_address):
            result.append(_whole(component))
        else:
            result += _beyond_doubt(component, near, by_address=by_address)
    return result


def _one_machine(group: Sequence[Cluster], *, by_address: bool) -> bool:
    """Whether they may be one machine: at most one guest or droplet and one config line among them.

    By address, Prometheus must not know them under names that contradict each other; by name, at most one of them
    may have an address of its own (two machines called `debian` are two).
    """
    computes = lines = measured = 0
    for cluster in group:
        computes += bool(cluster.computes)
        lines += cluster.declaration is not None
        measured += bool(cluster.measured)
    if computes > 1 or lines > 1:
        return False
    return _names_agree(group) if by_address else measured <= 1


def _names_agree(group: Iterable[Cluster]) -> bool:
    common: set[str] | None = None
    for cluster in group:
        if cluster.measured and len(cluster.names) > len(cluster.own_names):
            shorts = {short_name(name) for name in cluster.names if name not in cluster.own_names}
            common = shorts if common is None else common & shorts
    return common is None or bool(common)


def _whole(component: list[Cluster]) -> Cluster:
    first = component[0]
    for other in component[1:]:
        first.absorb(other)
    return first


def _nearest_anchors(groups: Iterable[list[Cluster]]) -> Mapping[Cluster, set[Cluster]]:
    """To each cluster the guests, droplets and config lines that it shares a key with."""
    near: defaultdict[Cluster, set[Cluster]] = defaultdict(set)
    for group in groups:
        anchors = [cluster for cluster in group if cluster.computes or cluster.declaration is not None]
        for cluster in group:
            near[cluster].update(anchor for anchor in anchors if anchor is not cluster)
    return near


def _beyond_doubt(component: list[Cluster], near: Mapping[Cluster, set[Cluster]], *, by_address: bool) -> list[Cluster]:
    """Of a component that cannot be one machine: each join that no other contradicts, and nothing else."""
    gone: dict[Cluster, Cluster] = {}
    for line in component:
        if line.declaration is not None and not line.computes:
            guests = [anchor for anchor in near[line] if anchor.computes and anchor.declaration is None]
            if len(guests) == len(near[line]) == 1 and len(_lines_near(guests[0], near)) == 1:
                gone[line] = guests[0]
    wanting: defaultdict[Cluster, list[Cluster]] = defaultdict(list)
    for cluster in component:
        if not cluster.computes and cluster.declaration is None:
            homes = {gone.get(anchor, anchor) for anchor in near[cluster]}
            if len(homes) == 1:
                wanting[homes.pop()].append(cluster)
    for line, guest in gone.items():
        guest.absorb(line)
    for home, candidates in wanting.items():
        if _one_machine([home, *candidates], by_address=by_address):
            for candidate in candidates:
                gone[candidate] = home
                home.absorb(candidate)
    return [cluster for cluster in component if cluster not in gone]


def _lines_near(guest: Cluster, near: Mapping[Cluster, set[Cluster]]) -> list[Cluster]:
    return [anchor for anchor in near[guest] if anchor.declaration is not None and not anchor.computes]


def _short_names(clusters: Sequence[Cluster]) -> Key:
    """Names before the first dot, of those that stand for one full name only."""
    full: defaultdict[str, set[str]] = defaultdict(set)
    for cluster in clusters:
        for name in cluster.names:
            if "." in name:
                full[short_name(name)].add(name)

    def keys(cluster: Cluster) -> set[str]:
        return {short for name in cluster.names if len(full.get(short := short_name(name), ())) == 1}

    return keys
