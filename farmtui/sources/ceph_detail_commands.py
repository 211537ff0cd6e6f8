"""What the ceph command's answers hold, in the farm's terms: what PVE's API tells in another way, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from farmtui.farm.ceph_detail import MdsRank, OsdPlace
from farmtui.farm.cluster import Pool
from farmtui.sources.ceph_detail_decode import DAEMONS, NAME, by_version, mds_state, short_version, unreadable
from farmtui.sources.json_values import count, elements, mapping, number, text

TREE: Final = 20_000
"""Lines kept of the OSD tree."""
DEPTH: Final = 32
POOLS: Final = 1_000
KIB: Final = 1024.0


@dataclass(frozen=True, slots=True)
class Mons:
    """`ceph quorum_status`: all mons of the map, and which leads."""

    names: tuple[str, ...]
    leader: str


@dataclass(frozen=True, slots=True)
class MonState:
    """What one mon says of itself at its admin socket, quorum or not."""

    name: str
    state: str
    """`leader`, `peon`, `probing`, `electing`, `synchronizing`, ..."""
    quorum: int
    """How many mons it is in quorum with, itself among them."""
    mons: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether it is in a quorum."""
        return self.state in ("leader", "peon") and self.quorum > 0


@dataclass(frozen=True, slots=True)
class FsStatus:
    """`ceph fs status`: every MDS, and the file systems with their clients."""

    ranks: tuple[MdsRank, ...]
    clients: tuple[tuple[str, int | None], ...]


def decode_tree(answer: Any) -> tuple[OsdPlace, ...]:
    """`ceph osd tree`, in its own order, roots first; OSDs that stand nowhere come last, as roots.

    Raises SourceError where it is no such thing.
    """
    if not isinstance(answer, Mapping) or not isinstance(answer.get("nodes"), list):
        raise unreadable("the answer is no tree of OSDs")
    listed = [mapping(node) for node in answer["nodes"][:TREE]]
    nodes = {ident: node for node in listed if (ident := number(node.get("id"))) is not None}
    # Ceph lists children backwards; what stands first among all nodes is what it prints first.
    order = {ident: place for place, ident in enumerate(nodes)}
    below = {
        ident: sorted(
            {c for value in elements(node.get("children")) if (c := number(value)) in order}, key=order.__getitem__
        )
        for ident, node in nodes.items()
    }
    children = {child for found in below.values() for child in found}
    found: list[OsdPlace] = []
    seen: set[float] = set()

    def branch(ident: float, depth: int) -> None:
        """A node and all below it; one that is its own descendant ends there."""
        if ident not in seen and depth <= DEPTH:
            seen.add(ident)
            found.append(_place(nodes[ident], depth))
            for child in below[ident]:
                branch(child, depth + 1)

    # Of what is left when all roots are told each stands below another: no tree, and still to be seen.
    for ident in (*(ident for ident in nodes if ident not in children), *nodes):
        branch(ident, 0)
    found += [_place(mapping(node), 0) for node in elements(answer.get("stray"))[:TREE]]
    return tuple(found[:TREE])


def place(node: Mapping[str, Any], depth: int) -> OsdPlace:
    """What every way tells of a place in the tree."""
    kind = text(node.get("type"), NAME) or "?"
    return OsdPlace(
        name=text(node.get("name"), NAME) or text(str(node.get("id", "?")), NAME),
        kind=kind,
        depth=depth,
        status=text(node.get("status"), NAME),
        crush_weight=number(node.get("crush_weight")),
        reweight=number(node.get("reweight")) if kind == "osd" else None,
        device_class=text(node.get("device_class"), NAME),
    )


def _place(node: Mapping[str, Any], depth: int) -> OsdPlace:
    found = place(node, depth)
    # Out is a weight of nothing.
    return found if found.reweight is None else replace(found, is_in=found.reweight > 0)


def with_usage(tree: tuple[OsdPlace, ...], answer: Any) -> tuple[OsdPlace, ...]:
    """The tree with what `ceph osd df` knows of each OSD. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("nodes"), list):
        raise unreadable("the answer is no usage of OSDs")
    by_name = {text(mapping(node).get("name"), NAME): mapping(node) for node in answer["nodes"][:TREE]}
    return tuple(_used(place, by_name[place.name]) if place.name in by_name else place for place in tree)


def _used(place: OsdPlace, node: Mapping[str, Any]) -> OsdPlace:
    size, used = number(node.get("kb")), number(node.get("kb_used"))
    return replace(
        place,
        size_bytes=None if size is None else size * KIB,
        used_bytes=None if used is None else used * KIB,
        pgs=count(node.get("pgs")),
    )


def decode_pools(answer: Any) -> tuple[Pool, ...]:
    """The pools of `ceph df`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("pools"), list):
        raise unreadable("the answer is no usage of pools")
    return tuple(_pool(mapping(pool)) for pool in answer["pools"][:POOLS])


def _pool(pool: Mapping[str, Any]) -> Pool:
    stats, ident = mapping(pool.get("stats")), count(pool.get("id"))
    return Pool(
        id="?" if ident is None else str(ident),
        name=text(pool.get("name"), NAME) or "?",
        kind="",
        pgs=None,
        pgs_clean=None,
        stored_bytes=number(stats.get("stored")),
        max_avail_bytes=number(stats.get("max_avail")),
        used_ratio=number(stats.get("percent_used")),
        quota_bytes=number(stats.get("quota_bytes")) or None,
        objects=number(stats.get("objects")),
    )


def decode_filesystems(answer: Any) -> FsStatus:
    """`ceph fs status`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("mdsmap"), list):
        raise unreadable("the answer is no status of file systems")
    clients = [mapping(entry) for entry in elements(answer.get("clients"))[:DAEMONS]]
    ranks = [mapping(entry) for entry in answer["mdsmap"][:DAEMONS]]
    return FsStatus(
        tuple(MdsRank("", count(m.get("rank")), text(m.get("name"), NAME), mds_state(m.get("state"))) for m in ranks),
        tuple((text(entry.get("fs"), NAME), count(entry.get("clients"))) for entry in clients),
    )


def decode_mons(answer: Any) -> Mons:
    """`ceph quorum_status`. Raises SourceError where it is no such thing."""
    mons = mapping(mapping(answer).get("monmap")).get("mons")
    if not isinstance(mons, list):
        raise unreadable("the answer is no quorum of mons")
    return Mons(_names(mons), text(mapping(answer).get("quorum_leader_name"), NAME))


def decode_mon_state(answer: Any) -> MonState:
    """`mon_status` of one mon. Raises SourceError where it is no such thing."""
    told = mapping(answer)
    name, state = text(told.get("name"), NAME), text(told.get("state"), NAME)
    if not name or not state:
        raise unreadable("the answer is no mon's status")
    mons = _names(elements(mapping(told.get("monmap")).get("mons")))
    return MonState(name, state, len(elements(told.get("quorum"))), mons)


def _names(mons: list[Any]) -> tuple[str, ...]:
    return tuple(filter(None, (text(mapping(mon).get("name"), NAME) for mon in mons[:DAEMONS])))


def decode_places(answer: Any) -> dict[str, str]:
    """The host of each mon, mgr and MDS by `ceph node ls`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("mon"), Mapping):
        raise unreadable("the answer is no list of nodes")
    found = {}
    for kind in ("mon", "mgr", "mds"):
        for host, names in list(mapping(answer.get(kind)).items())[:DAEMONS]:
            for name in elements(names)[:DAEMONS]:
                if daemon := text(name, NAME):
                    found[f"{kind}.{daemon}"] = text(host, NAME)
    return found


def decode_versions(answer: Any) -> tuple[tuple[str, int], ...]:
    """Versions with their daemons by `ceph versions`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("overall"), Mapping):
        raise unreadable("the answer is no list of versions")
    found: Counter[str] = Counter()
    for version, daemons in list(answer["overall"].items())[:DAEMONS]:
        found[short_version(version)] += count(daemons) or 0
    return by_version(found)


def decode_active_mgr(answer: Any) -> str:
    """The active mgr by `ceph mgr stat`; empty where there is none. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping) or "active_name" not in answer:
        raise unreadable("the answer is no mgr's status")
    return text(answer["active_name"], NAME)
