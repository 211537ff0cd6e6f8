"""Ceph as Proxmox VE's API tells it, in the farm's terms: what the ceph command tells in another way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from farmtui.farm.ceph_detail import MdsRank, OsdPlace
from farmtui.farm.cluster import Pool
from farmtui.sources.ceph_detail_commands import DEPTH, POOLS, TREE, place
from farmtui.sources.ceph_detail_decode import (
    DAEMONS,
    NAME,
    by_version,
    mds_state,
    named_filesystems,
    short_version,
    unreadable,
)
from farmtui.sources.json_values import count, elements, flag, mapping, number, text

_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


@dataclass(frozen=True, slots=True)
class Mgrs:
    """The mgr map beside PVE's status: which is active, and who stands by."""

    active: str | None
    standbys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Daemons:
    """A list of daemons of one kind: `host` by name, and how many run which version."""

    hosts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, int], ...]


def decode_nodes(answer: Any) -> tuple[str, ...]:
    """The nodes that are online by `cluster/status`, the API node itself first. Raises SourceError."""
    if not isinstance(answer, list):
        raise unreadable("cluster/status is no list")
    nodes = [mapping(item) for item in answer if mapping(item).get("type") == "node"]
    named = [
        (flag(node.get("local")) is not True, text(node.get("name"), NAME))
        for node in nodes
        if flag(node.get("online")) is not False
    ]
    return tuple(name for _, name in sorted(named) if _NODE.fullmatch(name))


def decode_monmap(answer: Any) -> tuple[str, ...]:
    """The names of all mons, from the status."""
    mons = elements(mapping(mapping(answer).get("monmap")).get("mons"))
    return tuple(filter(None, (text(mapping(mon).get("name"), NAME) for mon in mons[:DAEMONS])))


def decode_mgrmap(answer: Any) -> Mgrs:
    """The mgrs, from the status."""
    mgrmap = mapping(mapping(answer).get("mgrmap"))
    standbys = (text(mapping(mgr).get("name"), NAME) for mgr in elements(mgrmap.get("standbys"))[:DAEMONS])
    told = "active_name" in mgrmap
    active = text(mgrmap.get("active_name"), NAME) if flag(mgrmap.get("available")) is not False else ""
    return Mgrs(active if told else None, tuple(sorted(filter(None, standbys))))


def decode_osds(answer: Any) -> tuple[tuple[OsdPlace, ...], Counter[str]]:
    """The tree of `nodes/NODE/ceph/osd`, and the OSDs' versions. Raises SourceError where it is no such thing."""
    root = mapping(mapping(answer).get("root"))
    if not isinstance(root.get("children"), list):
        raise unreadable("the answer is no tree of OSDs")
    found: list[OsdPlace] = []
    versions: Counter[str] = Counter()
    waiting = [(mapping(node), 0) for node in reversed(root["children"])]
    while waiting and len(found) < TREE:
        node, depth = waiting.pop()
        found.append(_place(node, depth))
        if version := text(node.get("ceph_version_short"), NAME):
            versions[version] += 1
        if depth < DEPTH:
            waiting += [(mapping(child), depth + 1) for child in reversed(elements(node.get("children")))]
    return tuple(found), versions


def _place(node: Mapping[str, Any], depth: int) -> OsdPlace:
    found = place(node, depth)
    if found.kind != "osd":
        return found
    latency_ms = number(node.get("apply_latency_ms"))
    return replace(
        found,
        is_in=flag(node.get("in")),
        size_bytes=number(node.get("total_space")),
        used_bytes=number(node.get("bytes_used")),
        apply_latency_s=None if latency_ms is None else latency_ms / 1000,
        pgs=count(node.get("pgs")),
    )


def decode_pve_pools(answer: Any) -> tuple[Pool, ...]:
    """`nodes/NODE/ceph/pool`. Raises SourceError where it is no such thing."""
    if not isinstance(answer, list):
        raise unreadable("the answer is no list of pools")
    return tuple(_pool(mapping(pool)) for pool in answer[:POOLS])


def _pool(pool: Mapping[str, Any]) -> Pool:
    ident = count(pool.get("pool"))
    size, kind = count(pool.get("size")), text(pool.get("type"), NAME)
    return Pool(
        id="?" if ident is None else str(ident),
        name=text(pool.get("pool_name"), NAME) or "?",
        kind=f"replica:{size}" if kind in ("replicated", "") and size else kind,
        pgs=count(pool.get("pg_num")),
        pgs_clean=None,
        # `percent_used` is a share of 0-1, as Ceph's own is; `bytes_used` counts every copy.
        used_ratio=number(pool.get("percent_used")),
    )


def decode_mdss(answer: Any, ranks: Sequence[MdsRank]) -> tuple[MdsRank, ...]:
    """Every MDS of `nodes/NODE/ceph/mds`; `ranks` are those of the status, which tells which is laggy.

    Raises SourceError where it is no such thing.
    """
    if not isinstance(answer, list):
        raise unreadable("the answer is no list of MDSs")
    known = {mds.name: mds for mds in ranks}
    found = []
    for item in answer[:DAEMONS]:
        mds = mapping(item)
        name, rank = text(mds.get("name"), NAME), number(mds.get("rank"))
        also = known.pop(name, None)
        state = mds_state(mds.get("state"))
        found.append(
            MdsRank(
                filesystem=text(mds.get("fs_name"), NAME) or (also.filesystem if also else ""),
                # A standby's rank is -1.
                rank=also.rank if also else int(rank) if rank is not None and rank >= 0 else None,
                name=name,
                state=also.state if also is not None and also.laggy else state,
            )
        )
    # One of which PVE knows nothing runs somewhere else.
    found += known.values()
    return tuple(sorted(found, key=lambda m: (m.rank is None, m.filesystem, m.rank or 0, m.name)))


def decode_daemons(answer: Any, kind: str) -> Daemons:
    """A list of mons, mgrs or MDSs with their hosts. Raises SourceError where it is no such thing."""
    if not isinstance(answer, list):
        raise unreadable(f"the answer is no list of {kind}s")
    listed = [mapping(item) for item in answer[:DAEMONS]]
    hosts = {
        f"{kind}.{name}": text(item.get("host"), NAME) for item in listed if (name := text(item.get("name"), NAME))
    }
    told = Counter(version for item in listed if (version := short_version(item.get("ceph_version_short"))))
    return Daemons(tuple(sorted(hosts.items())), tuple(told.items()))


def decode_names(answer: Any) -> tuple[str, ...]:
    """The names of `nodes/NODE/ceph/fs`, in the order of their ids. Raises SourceError where it is no such thing."""
    if not isinstance(answer, list):
        raise unreadable("the answer is no list of file systems")
    return tuple(filter(None, (text(mapping(item).get("name"), NAME) for item in answer[:POOLS])))


def with_names(ranks: tuple[MdsRank, ...], names: Sequence[str]) -> tuple[MdsRank, ...]:
    """The ranks with their file systems' names: newer PVE tells them, else they go by the ids of the status."""
    if any(mds.filesystem in names for mds in ranks):
        return ranks
    return named_filesystems(ranks, [(name, None) for name in names])


def all_versions(*lists: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Versions of several kinds of daemons together."""
    found: Counter[str] = Counter()
    for listed in lists:
        for version, daemons in listed:
            found[version] += daemons
    return by_version(found)
