"""The quorums that machines are members of, and whether each would hold without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from farmtui.farm.farm import Farm
from farmtui.farm.identity import DIGITALOCEAN, PROXMOX
from farmtui.farm.node import Node, Tier
from farmtui.farm.state import Freshness
from farmtui.insight.blast import galera_left, managers_left, mons_left


@dataclass(frozen=True, slots=True)
class Bearing:
    """What a quorum would be without machines of it; or why that is not known."""

    holds: bool
    words: str


@dataclass(frozen=True, slots=True)
class _Quorum:
    name: str
    source: str
    """The kind of the source that tells who is a member."""
    member: Callable[[Farm, Node], bool | str]
    """Whether a machine is one; in words, why that is not known."""
    left: Callable[[Farm, Sequence[str]], tuple[int, int]]


def without(farm: Farm, names: Sequence[str]) -> Bearing:
    """Whether each quorum of which one of these is a member holds without them: names of nodes, guests or droplets.

    It holds where they are members of none. It does not where nobody knows: a name that is no machine of the farm, or
    a source that is not live. A member that is down already gives its quorum nothing, and so takes nothing away: else
    nothing could be switched on again once a quorum is lost.
    """
    nodes, unknown = _machines(farm, names)
    if unknown:
        return Bearing(False, f"{', '.join(unknown)}: no machine that the farm knows, so of which quorum is not known")
    found = [bearing for quorum in _QUORUMS for bearing in _of(quorum, farm, nodes)]
    if not found:
        which = ", ".join(node.name for node in nodes) or "nothing"
        return Bearing(True, f"{which}: in no quorum")
    return Bearing(all(one.holds for one in found), "; ".join(one.words for one in found))


def _machines(farm: Farm, names: Sequence[str]) -> tuple[list[Node], list[str]]:
    """The nodes that these are, and the names that are none."""
    guests = {(PROXMOX, g.ident): g.name for cluster in farm.pve for g in cluster.guests}
    droplets = {(DIGITALOCEAN, d.ident): d.name for d in (farm.cloud.droplets if farm.cloud else ())}
    called = {
        node.name: {node.name, *((guests | droplets).get((s.source, s.ident), node.name) for s in node.sightings)}
        for node in farm.nodes
    }
    nodes = [node for node in farm.nodes if called[node.name] & set(names)]
    known = set().union(*(called[node.name] for node in nodes))
    return nodes, [name for name in names if name not in known]


def _of(quorum: _Quorum, farm: Farm, nodes: Sequence[Node]) -> Iterator[Bearing]:
    configured = farm.freshness(quorum.source)
    if configured not in (Freshness.LIVE, Freshness.EMPTY, Freshness.ABSENT):
        words = f"{quorum.name}: not known who is a member, since {quorum.source} is {configured.value}"
        yield Bearing(False, words)
        return
    told = {node.name: quorum.member(farm, node) for node in nodes}
    going = [name for name, member in told.items() if member is True]
    yield from (Bearing(False, f"{quorum.name}: {name}: {why}") for name, why in told.items() if isinstance(why, str))
    if not going:
        return
    listed = ", ".join(going)
    now, majority = quorum.left(farm, ())
    left, _ = quorum.left(farm, going)
    if left == now and not any(node.serving for node in nodes if node.name in going):
        yield Bearing(True, f"{quorum.name} quorum: {listed} is down already, and {now} of {majority} needed are there")
    else:
        yield Bearing(left >= majority, f"{quorum.name} quorum without {listed}: {left} stay, {majority} are needed")


def _in_galera(farm: Farm, node: Node) -> bool | str:
    members = farm.galera.nodes if farm.galera else ()
    sizes = [one.cluster_size for one in members if one.cluster_size is not None]
    if not sizes and any(one.up for one in members) and not any(one.local_state or one.primary for one in members):
        return False  # databases that replicate in no way, or in another
    if any(one.instance in node.instances for one in members):
        return True
    if not members or node.tier is not Tier.DATABASE:
        return False
    # Who has looked for a moment alone knows no member whose exporter is silent, and its database may serve on.
    if node.serving and max(sizes, default=0) > len(members):
        return "its database's exporter is silent, and Galera has a member more than can be seen"
    return not node.serving


def _in_swarm(farm: Farm, node: Node) -> bool | str:
    if farm.swarm_cluster is None and farm.swarm is not None:
        silent = "a manager by its metrics, which do not say how many others can be reached: no swarm in the config"
        return silent if node.instances & set(farm.swarm.managers) else False
    nodes = farm.swarm_cluster.nodes if farm.swarm_cluster else ()
    return any(one.role == "manager" and one.hostname == node.name for one in nodes)


def _in_mons(farm: Farm, node: Node) -> bool:
    return farm.ceph is not None and any(mon.host == node.name for mon in farm.ceph.mons)


_QUORUMS: Final = (
    _Quorum("galera", "prometheus", _in_galera, galera_left),
    _Quorum("swarm", "swarm", _in_swarm, managers_left),
    _Quorum("ceph", "prometheus", _in_mons, mons_left),
)
