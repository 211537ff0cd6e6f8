"""Which networks the farm has: those that the config names, and those that the farm itself tells of. Pure."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from farmtui.farm.addresses import host_part, is_address, short_name
from farmtui.farm.networks import (
    ORDER,
    PREFERENCE,
    CephSeat,
    Hop,
    Interface,
    Member,
    Network,
    NetworkKind,
    NetworkPlan,
    ProbedBy,
    Tunnel,
    Wires,
)
from farmtui.farm.node import Node, Provider, Tier
from farmtui.farm.swarm import SwarmCluster, SwarmNetwork
from farmtui.farm.traffic import Backend

TUNNEL_DEVICES: Final = ("wg*", "tun*", "vti*", "ipsec*")
"""What a VPN's interfaces are called, where the config does not say."""
CACHE_NET: Final = "cache-net"
MEMBERS: Final = 2_000
"""Machines kept of one network."""

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=4_096)
def prefix(text: str) -> Prefix | None:
    """`10.21.5.0/24` of that, or of an address in it with its prefix length; None for anything else."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=131_072)
def _inside(address: str, cidrs: tuple[str, ...]) -> bool:
    try:
        known = ipaddress.ip_address(address.partition("/")[0])
    except ValueError:
        return False
    return any(net is not None and known in net for net in map(prefix, cidrs))


@dataclass(frozen=True, slots=True)
class Known:
    """What the networks are made of, by machine."""

    nodes: dict[str, Node]
    by_instance: dict[str, str]
    by_place: dict[str, str]
    """Machines by address, name and short name."""
    interfaces: dict[str, list[Interface]]
    """By machine; by the instance's host part where no machine has it."""

    def machine(self, instance: str) -> str:
        """The machine of an instance label; its host part where none is known."""
        place = host_part(instance)
        return self.by_instance.get(instance) or self.at(place) or place

    def at(self, place: str) -> str:
        """The machine at an address or of a name; empty where none is known."""
        found = self.by_place.get(place)
        return found or ("" if is_address(place) else self.by_place.get(short_name(place.casefold()), ""))

    def serving(self, machine: str) -> bool:
        """Whether the machine runs, as far as is known."""
        node = self.nodes.get(machine)
        return node is None or node.serving

    def interface(self, machine: str, device: str, addresses: Iterable[str]) -> Interface | None:
        """The interface of a machine by its name, else by one of its addresses."""
        all_of = self.interfaces.get(machine, [])
        if device:
            return next((one for one in all_of if one.device == device), None)
        wanted = set(addresses)
        return next((o for o in all_of if wanted & {a.partition("/")[0] for a in o.addresses}), None)


@dataclass(slots=True)
class _Draft:
    """A member while it is put together."""

    roles: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    device: str = ""
    interface: Interface | None = None
    fault: str = ""
    refusals: list[str] = field(default_factory=list)
    reached: bool = False

    def add(self, role: str = "", address: str = "") -> None:
        """Another role, another address."""
        if role and role not in self.roles:
            self.roles.append(role)
        if address and address not in self.addresses:
            self.addresses.append(address)


Drafts = defaultdict[str, _Draft]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else of the farm tells of networks."""

    nodes: Sequence[Node] = ()
    swarm: SwarmCluster | None = None
    backends: Sequence[Backend] = ()
    """Servers behind Traefik, with what its health checks say."""


def networks(plans: Sequence[NetworkPlan], wires: Wires, around: Surroundings) -> tuple[Network, ...]:
    """All networks, declared ones first within each kind."""
    if not plans and wires == Wires() and around.swarm is None and not _hybrid(around.nodes):
        return ()
    known = _known(wires, around.nodes)
    found = [_network(plan, "", wires, around, known) for plan in plans]
    declared = {plan.kind for plan in plans}
    found += [
        _network(plan, why, wires, around, known)
        for plan, why in _detected(wires, around, known)
        if plan.kind not in declared
    ]
    order = {network.name: ORDER.index(network.kind) for network in found}
    return tuple(sorted(found, key=lambda network: (order[network.name], not network.declared, network.name)))


def interconnects(found: Sequence[Network]) -> tuple[Hop, ...]:
    """The hops between the farm's sites, by the best prober of each interconnect."""
    return tuple(hop for network in found if network.kind is NetworkKind.INTERCONNECT for hop in network.measured)


def _known(wires: Wires, nodes: Sequence[Node]) -> Known:
    by_instance = {instance: node.name for node in nodes for instance in node.instances}
    by_place: dict[str, str] = {}
    for node in nodes:
        for place in (*node.addresses, node.name, short_name(node.name.casefold())):
            by_place.setdefault(place, node.name)
    known = Known({node.name: node for node in nodes}, by_instance, by_place, {})
    for interface in wires.interfaces:
        known.interfaces.setdefault(known.machine(interface.instance), []).append(interface)
    return known


def _hybrid(nodes: Iterable[Node]) -> bool:
    providers = {node.provider for node in nodes if node.tier is not Tier.OTHER}
    return {Provider.PROXMOX, Provider.DIGITALOCEAN} <= providers


def _detected(wires: Wires, around: Surroundings, known: Known) -> Iterator[tuple[NetworkPlan, str]]:
    """Networks that nobody has declared, with what tells of them."""
    kinds = {kind for hop in wires.hops if (kind := _kind_by_job(hop.job)) is not None}
    ends = [i for i in wires.interfaces if _matches(i.device, TUNNEL_DEVICES)]
    if NetworkKind.INTERCONNECT in kinds or wires.tunnels or ends or _hybrid(around.nodes):
        why = "probes" if NetworkKind.INTERCONNECT in kinds else "WireGuard" if wires.tunnels else "tunnel interfaces"
        why = why if kinds & {NetworkKind.INTERCONNECT} or wires.tunnels or ends else "machines at two providers"
        plan = NetworkPlan("interconnect", NetworkKind.INTERCONNECT, devices=TUNNEL_DEVICES)
        yield replace(plan, cidrs=_prefixes(ends)), why
    overlay = _overlay(CACHE_NET, around.swarm)
    if overlay is not None or NetworkKind.CACHE in kinds or any(node.tier is Tier.CACHE for node in around.nodes):
        cidrs = overlay.subnets if overlay is not None else ()
        why = "the Swarm" if overlay is not None else "probes" if NetworkKind.CACHE in kinds else "the cache tier"
        yield NetworkPlan(overlay.name if overlay else CACHE_NET, NetworkKind.CACHE, cidrs), why
    if wires.ceph:
        front = _interfaces_of_seats(wires.ceph, known, public=True)
        yield NetworkPlan("ceph-public", NetworkKind.CEPH_PUBLIC, _prefixes(front)), "Ceph's metadata"
    if any(seat.cluster_address and seat.cluster_address != seat.public_address for seat in wires.ceph):
        back = _interfaces_of_seats(wires.ceph, known, public=False)
        yield NetworkPlan("ceph-cluster", NetworkKind.CEPH_CLUSTER, _prefixes(back)), "Ceph's metadata"


def _kind_by_job(job: str) -> NetworkKind | None:
    """The network that a probe's job names: `interconnect`, `cache-net-icmp`."""
    return next((k for k in ORDER if k is not NetworkKind.OTHER and job.startswith(k.value)), None)


def _prefixes(interfaces: Iterable[Interface]) -> tuple[str, ...]:
    """The networks of these interfaces' addresses; a lone address (a tunnel's /32) is none."""
    nets = {net for i in interfaces for address in i.addresses if (net := prefix(address)) is not None}
    return tuple(sorted(str(net) for net in nets if net.num_addresses > 1 and not net.is_link_local))


def _interfaces_of_seats(seats: Iterable[CephSeat], known: Known, *, public: bool) -> Iterator[Interface]:
    for seat in seats:
        address = seat.public_address if public else seat.cluster_address
        device = seat.public_device if public else seat.cluster_device
        interface = known.interface(known.at(seat.host) or seat.host, device, (address,))
        if interface is not None:
            # An interface may have other addresses: only that on which the daemon listens says which network it is.
            own = tuple(a for a in interface.addresses if a.partition("/")[0] == address)
            yield replace(interface, addresses=own)


def _overlay(name: str, swarm: SwarmCluster | None) -> SwarmNetwork | None:
    """The Swarm's network of this name; that of a stack has the stack's name before it (`farm_cache-net`)."""
    nets = swarm.networks if swarm is not None else ()
    exact = next((net for net in nets if net.name == name), None)
    return exact or next((net for net in nets if net.name.endswith(f"_{name}")), None)


def _matches(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


# -- one network ------------------------------------------------------------------------------------


def _network(plan: NetworkPlan, why: str, wires: Wires, around: Surroundings, known: Known) -> Network:
    drafts: Drafts = defaultdict(_Draft)
    overlay = _overlay(plan.name, around.swarm)
    if plan.kind in (NetworkKind.CEPH_PUBLIC, NetworkKind.CEPH_CLUSTER):
        _seat(plan, wires.ceph, known, drafts)
    if plan.kind is NetworkKind.CACHE:
        for node in around.nodes:
            if node.tier in (Tier.CACHE, Tier.EDGE):
                drafts[node.name].add(node.tier.value)
    if overlay is not None and around.swarm is not None:
        _attach(overlay, around.swarm, known, drafts)
    _find(plan, known, drafts, declared=not why)
    tunnels = tuple(tunnel for tunnel in wires.tunnels if _is_of(plan, tunnel))
    for tunnel in tunnels:
        end = drafts[known.machine(tunnel.instance)]
        end.add("end")
        end.device = end.device or tunnel.interface
    hops = tuple(hop for hop in wires.hops if _measures(plan, hop, drafts, known))
    for pattern in plan.members:
        for name in known.nodes:
            if fnmatchcase(name, pattern) and name not in drafts:
                drafts[name].fault = "has no address in it"
    _wire(drafts, known)
    if plan.kind is NetworkKind.CACHE:
        _health_checks(around.backends, drafts, known)
    members = [_member(name, one, hops, known) for name, one in drafts.items()]
    members.sort(key=lambda member: (not member.fault, member.answers is not False, member.machine))
    return Network(
        plan.name, plan.kind, plan.cidrs or (overlay.subnets if overlay else ()), tuple(members[:MEMBERS]), hops,
        tunnels, overlay, declared=not why, slow_s=plan.slow_s, why=why,
    )  # fmt: skip


def _seat(plan: NetworkPlan, seats: Iterable[CephSeat], known: Known, drafts: Drafts) -> None:
    """Ceph's daemons, on the side of theirs that is in this network."""
    for seat in seats:
        public = plan.kind is NetworkKind.CEPH_PUBLIC
        address = seat.public_address if public else seat.cluster_address
        if address:
            one = drafts[known.at(seat.host) or known.at(address) or seat.host or address]
            one.add(seat.daemon, address)
            one.device = one.device or (seat.public_device if public else seat.cluster_device)


def _attach(overlay: SwarmNetwork, swarm: SwarmCluster, known: Known, drafts: Drafts) -> None:
    """The machines on which tasks of the services run that are on an overlay network."""
    services = {service.id: service.name for service in swarm.services if overlay.name in service.networks}
    for task in swarm.tasks:
        if task.service_id in services and task.node and task.state == "running":
            # A worker runs tasks of many sites: what matters is that it is on the network.
            drafts[known.at(task.node) or task.node].add("tasks")


def _find(plan: NetworkPlan, known: Known, drafts: Drafts, *, declared: bool) -> None:
    """Machines with an address or an interface in it. What Ceph itself has told is not widened by its clients."""
    told = plan.kind in (NetworkKind.CEPH_PUBLIC, NetworkKind.CEPH_CLUSTER) and not declared
    if told:
        return
    for machine, interfaces in known.interfaces.items():
        for interface in interfaces:
            inside = [a for a in interface.addresses if _inside(a, plan.cidrs)]
            named = _matches(interface.device, plan.devices)
            # Where both are given the name decides between machines whose addresses are not told.
            if inside or (named and (not plan.cidrs or not interface.addresses or not declared)):
                one = drafts[machine]
                one.interface = one.interface or interface
                for address in inside or interface.addresses:
                    one.add(address=address.partition("/")[0])
    if declared and plan.cidrs:
        for node in known.nodes.values():
            for address in node.addresses:
                if _inside(address, plan.cidrs):
                    drafts[node.name].add(address=address)


def _is_of(plan: NetworkPlan, tunnel: Tunnel) -> bool:
    return plan.kind is NetworkKind.INTERCONNECT and _matches(tunnel.interface, plan.devices or ("*",))


def _measures(plan: NetworkPlan, hop: Hop, drafts: Drafts, known: Known) -> bool:
    """Whether a probe is of this network: by its job, else by what it is aimed at."""
    if plan.jobs:
        return hop.job in plan.jobs
    by_job = _kind_by_job(hop.job)
    if by_job is not None:
        return by_job is plan.kind
    if hop.by is not ProbedBy.SMOKEPING:
        return False
    if _inside(hop.target, plan.cidrs):
        return True
    if plan.kind is NetworkKind.CACHE:
        node = known.nodes.get(known.at(hop.target))
        return node is not None and node.tier is Tier.CACHE
    return any(hop.target in one.addresses for one in drafts.values())


def _wire(drafts: Drafts, known: Known) -> None:
    """Each member's interface; one that lacks what the others have is at fault."""
    for name, one in drafts.items():
        one.interface = one.interface or known.interface(name, one.device, one.addresses)
    with_device = sum(one.interface is not None for one in drafts.values())
    for name, one in drafts.items():
        if one.interface is not None and not one.interface.carrier:
            one.fault = f"{one.interface.device} has no link"
        elif one.interface is None and one.device and with_device and name in known.interfaces:
            one.fault = f"has no interface {one.device} any more"


def _health_checks(backends: Iterable[Backend], drafts: Drafts, known: Known) -> None:
    """Whether the edge reaches the caches, by Traefik's own health checks."""
    for backend in backends:
        name = known.at(host_part(backend.url))
        if name in drafts and "cache" in drafts[name].roles:
            drafts[name].reached |= backend.up
            if not backend.up:
                drafts[name].refusals.append("the edge's health check does not reach it")


def _member(name: str, one: _Draft, hops: Sequence[Hop], known: Known) -> Member:
    to_it = [hop for hop in hops if name in (known.at(hop.target), hop.target)]
    hop = min(to_it, key=lambda hop: PREFERENCE.index(hop.by), default=None)
    refusals = one.refusals + (["no probe of it gets through"] if hop is not None and not hop.up else [])
    answers = None if not refusals and hop is None and not one.reached else not refusals
    return Member(
        name, tuple(one.roles), tuple(one.addresses), one.interface, answers, hop, one.fault or "; ".join(refusals[:1]),
        serving=known.serving(name),
    )  # fmt: skip
