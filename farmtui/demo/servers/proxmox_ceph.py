"""Ceph as Proxmox VE's API tells it: the simulated cluster in the words and shapes of the real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from farmtui.demo.servers.proxmox_state import Json, PveState, RefusedError
from farmtui.demo.world.ceph_changes import REPLICAS, copies_per_osd
from farmtui.demo.world.ceph_state import CHECKS, CephState, PoolState, how_full
from farmtui.demo.world.condition import Ceph
from farmtui.demo.world.inventory import MONS, OSDS_PER_NODE, STORAGE, Machine

VERSION = "16.2.15"
_FSID = "6d2f3c1e-9d5b-4c1a-8f57-2a1f0e5b7c90"
_WORDS = {0: "HEALTH_OK", 1: "HEALTH_WARN", 2: "HEALTH_ERR"}
_LINES = 50
"""Ceph prints no more of a check's lines (mon_health_max_detail)."""


@dataclass(frozen=True)
class CephTold:
    """The cluster at one moment, for whoever asks on a PVE node."""

    state: PveState

    @cached_property
    def figures(self) -> CephState:
        """What its metrics are made of."""
        return self.state.observed.scraped.ceph.state(self.state.at)

    @property
    def ceph(self) -> Ceph:
        """What has happened to it."""
        return self.state.observed.world.timeline.last.condition.ceph

    @cached_property
    def daemons(self) -> Sequence[Machine]:
        """The machines that each run a mon, a mgr and an MDS."""
        return self.state.farm.tiers[STORAGE][:MONS]

    @cached_property
    def living(self) -> list[str]:
        """Those of them that run."""
        return [machine.name for machine in self.daemons if self.state.runs(machine.name)]

    def must_answer(self, *, mgr: bool = False) -> None:
        """Raises RefusedError where Ceph would give PVE no answer: without quorum, or without an active mgr."""
        if 2 * len(self.living) <= len(self.daemons) or (mgr and not self.ceph.mgr):
            raise RefusedError(500, "got timeout")

    def host_of(self, osd: int) -> str:
        """The machine of an OSD."""
        return self.state.farm.osd_hosts[osd]


def ceph_status(state: PveState) -> Json:
    """`/nodes/NODE/ceph/status` and `/cluster/ceph/status`: `ceph status` with the health's detail, and the maps."""
    told = CephTold(state)
    told.must_answer()
    figures, living = told.figures, told.living
    ranks = {machine.name: rank for rank, machine in enumerate(told.daemons)}
    pools = [(pool.pgs, told_of) for pool, told_of in zip(state.farm.pools, figures.pools, strict=True)]
    by_state = Counter[str]()
    for pgs, pool in pools:
        by_state.update(groups(pgs, pool.states))
    copies = sum(pool.objects for _, pool in pools) * REPLICAS
    return {
        "fsid": _FSID,
        "health": {
            "status": _WORDS[figures.health],
            "checks": {name: _check(told, name) for name in sorted(figures.checks)},
            "mutes": [],
        },
        "election_epoch": 8 + 4 * (len(told.daemons) - len(living)),
        "quorum": [ranks[name] for name in living],
        "quorum_names": living,
        "quorum_age": min(state.uptime_s(name) for name in living),
        "monmap": {"epoch": 1, "mons": [{"rank": ranks[m.name], "name": m.name} for m in told.daemons]},
        "osdmap": {
            "num_osds": len(figures.osds),
            "num_up_osds": sum(osd.up for osd in figures.osds),
            "num_in_osds": sum(osd.is_in for osd in figures.osds),
        },
        "pgmap": {
            "pgs_by_state": [{"state_name": name, "count": count} for name, count in by_state.most_common()],
            "num_pgs": sum(pgs for pgs, _ in pools),
            "num_pools": len(pools),
            "bytes_total": figures.total_bytes,
            "bytes_used": figures.used_bytes,
            **_moving("degraded", figures.degraded, copies),
            **_moving("misplaced", figures.misplaced, copies),
            "recovering_objects_per_sec": sum(pool.recovering_objects_per_s for _, pool in pools),
            "recovering_bytes_per_sec": sum(pool.recovering_bytes_per_s for _, pool in pools),
        },
        "fsmap": {
            "epoch": 1 + living.index(told.ceph.mds) if told.ceph.mds in living else 0,
            "by_rank": [{"filesystem_id": 1, "rank": 0, "name": told.ceph.mds, "status": "up:active"}]
            if told.ceph.mds
            else [],
            "up:standby": len(living) - bool(told.ceph.mds),
        },
        "mgrmap": {
            "available": bool(told.ceph.mgr),
            "active_name": told.ceph.mgr,
            "standbys": [{"name": name} for name in living if name != told.ceph.mgr],
        },
        "servicemap": {"services": {"rgw": {"daemons": {"summary": "", **dict(_gateways(told))}}}},
        "progress_events": dict(_events(told)),
    }


def _moving(what: str, objects: float, copies: float) -> Json:
    return {f"{what}_objects": objects, f"{what}_total": copies, f"{what}_ratio": objects / copies} if objects else {}


def _gateways(told: CephTold) -> Iterator[tuple[str, Json]]:
    for number, machine in enumerate(told.daemons[:2]):
        if machine.name in told.living:
            yield str(4139 + 37 * number), {"metadata": {"id": machine.name, "hostname": machine.name}}


def _events(told: CephTold) -> Iterator[tuple[str, Json]]:
    held = copies_per_osd(told.state.farm)
    for number, osd in enumerate(told.ceph.osds):
        left = max(osd.missing.value(told.state.at), osd.misplaced.value(told.state.at))
        if not osd.is_in and left >= 1 and any(line.v0 > line.v1 for line in (osd.missing, osd.misplaced)):
            age_s = int(told.state.at - osd.since)
            yield (
                f"osd-{number}",
                {
                    "message": f"Rebalancing after osd.{number} marked out ({age_s}s)\n      [====....] ",
                    "progress": round(max(0.0, 1.0 - left / held), 4),
                },
            )


def groups(pgs: int, states: Mapping[str, int]) -> Iterator[str]:
    """The full state of each placement group of a pool. Each single state is counted as often as the metrics do."""
    acting = "active" if states["active"] else "peered"
    small, late = states["undersized"], states["degraded"] - states["undersized"]
    moving = pgs - states["clean"] - small - late
    backfills = states["backfilling"] + states["backfill_wait"]
    for number in range(small + moving):
        parts = [acting, *(["undersized", "degraded"] if number < small else [])]
        if backfills or number >= small:
            parts.append("remapped")
        if backfills:
            parts.append("backfilling" if number < states["backfilling"] else "backfill_wait")
        yield "+".join(parts)
    for number in range(late):
        yield f"{acting}+{'recovering' if number < states['recovering'] else 'recovery_wait'}+degraded"
    damaged = max(states.get("inconsistent", 0), states.get("repair", 0))
    for number in range(states["clean"]):
        also = ""
        if number < damaged:
            also = "".join(f"+{name}" for name in ("inconsistent", "repair") if number < states.get(name, 0))
        elif number < damaged + states.get("scrubbing", 0):
            also = "+scrubbing" + ("+deep" if number < damaged + states.get("deep", 0) else "")
        yield f"{acting}+clean{also}"


# -- checks in Ceph's own words


def _check(told: CephTold, name: str) -> Json:
    summary, lines = _said(told, name)
    return {
        "severity": CHECKS[name],
        "summary": {"message": summary, "count": len(lines)},
        "detail": [{"message": line} for line in lines[:_LINES]],
        "muted": False,
    }


def _said(told: CephTold, name: str) -> tuple[str, list[str]]:
    """A check's summary and its lines, as Ceph 16 writes them."""
    figures, ceph = told.figures, told.ceph
    down = [number for number, osd in enumerate(figures.osds) if not osd.up and osd.is_in]
    match name:
        case "OSD_DOWN":
            return f"{len(down)} osds down", [f"osd.{n} (root=default,host={told.host_of(n)}) is down" for n in down]
        case "OSD_HOST_DOWN":
            counts = Counter(told.host_of(number) for number, osd in enumerate(figures.osds) if not osd.up)
            hosts = [host for host, osds in counts.items() if osds == OSDS_PER_NODE]
            lines = [f"host {host} (root=default) ({OSDS_PER_NODE} osds) is down" for host in hosts]
            return f"{len(hosts)} host ({OSDS_PER_NODE * len(hosts)} osds) down", lines
        case "MON_DOWN":
            lost = [(rank, m) for rank, m in enumerate(told.daemons) if m.name not in told.living]
            lines = [
                f"mon.{m.name} (rank {rank}) addr v2:{m.address}:3300/0 is down (out of quorum)" for rank, m in lost
            ]
            return f"{len(lost)}/{len(told.daemons)} mons down, quorum {','.join(told.living)}", lines
        case "OSDMAP_FLAGS":
            return f"{','.join(sorted(ceph.flags))} flag(s) set", []
        case "OSD_FULL" | "OSD_BACKFILLFULL" | "OSD_NEARFULL":
            kind = name.removeprefix("OSD_").casefold()
            full = [number for number, osd in enumerate(figures.osds) if how_full(ceph, osd) == kind]
            word = {"nearfull": "near full", "backfillfull": "backfill full"}.get(kind, kind)
            return f"{len(full)} {kind} osd(s)", [f"osd.{number} is {word}" for number in full]
        case "POOL_FULL" | "POOL_BACKFILLFULL" | "POOL_NEARFULL":
            kind = name.removeprefix("POOL_").casefold()
            pools = [pool.name for pool in told.state.farm.pools]
            word = "full (no space)" if kind == "full" else kind
            return f"{len(pools)} pool(s) {kind}", [f"pool '{pool}' is {word}" for pool in pools]
        case "SLOW_OPS":
            return f"{ceph.slow_ops} slow ops, oldest one blocked for 42 sec, daemons [osd.0,osd.1] have slow ops.", []
        case "OSD_SCRUB_ERRORS":
            return f"{ceph.inconsistent} scrub errors", []
        case "MDS_INSUFFICIENT_STANDBY":
            return "insufficient standby MDS daemons available", ["have 0; want 1 more"]
        case "MDS_ALL_DOWN":
            return "1 filesystem is offline", ["fs cephfs is offline because no MDS is active for it."]
        case "FS_DEGRADED":
            return "1 filesystem is degraded", ["fs cephfs is degraded"]
        case _:
            return _said_of_groups(told, name)


def _said_of_groups(told: CephTold, name: str) -> tuple[str, list[str]]:
    figures = told.figures
    wanted = {"PG_DAMAGED": "inconsistent", "PG_DEGRADED": "degraded", "PG_AVAILABILITY": "peered"}[name]
    lines = [
        f"pg {pool.id}.{number:x} is {full}"
        for pool, of_pool in zip(told.state.farm.pools, figures.pools, strict=True)
        for number, full in enumerate(groups(pool.pgs, of_pool.states))
        if wanted in full.split("+")
    ]
    if name == "PG_DAMAGED":
        return f"Possible data damage: {len(lines)} pg inconsistent", lines
    if name == "PG_AVAILABILITY":
        return f"Reduced data availability: {len(lines)} pgs inactive", lines
    copies = sum(pool.objects for pool in figures.pools) * REPLICAS
    share = f"{figures.degraded:.0f}/{copies:.0f} objects degraded ({100 * figures.degraded / copies:.3f}%)"
    return f"Degraded data redundancy: {share}, {len(lines)} pgs degraded", lines


# -- the lists


def ceph_osds(state: PveState) -> Json:
    """`/nodes/NODE/ceph/osd`: the tree, with what each OSD holds."""
    told = CephTold(state)
    told.must_answer(mgr=True)
    hosts: dict[str, list[Json]] = {}
    for number, osd in enumerate(told.figures.osds):
        entry: Json = {
            "id": number,
            "name": f"osd.{number}",
            "type": "osd",
            "leaf": 1,
            "status": "up" if osd.up else "down",
            "in": int(osd.is_in),
            "crush_weight": 3.638,
            "reweight": osd.weight,
            "device_class": "ssd",
            "ceph_version_short": VERSION,
        }
        if osd.size:
            entry |= {"total_space": osd.size, "bytes_used": osd.used, "apply_latency_ms": osd.latency_ms}
        hosts.setdefault(told.host_of(number), []).append(entry)
    buckets = [
        {"id": -2 - place, "name": host, "type": "host", "leaf": 0, "children": osds}
        for place, (host, osds) in enumerate(hosts.items())
    ]
    root = {"id": -1, "name": "default", "type": "root", "leaf": 0, "children": buckets}
    return {"root": {"leaf": 0, "children": [root]}, "flags": ",".join(sorted(told.ceph.flags))}


def ceph_pools(state: PveState) -> list[Json]:
    """`/nodes/NODE/ceph/pool`."""
    told = CephTold(state)
    told.must_answer(mgr=True)
    return [
        {
            "pool": pool.id,
            "pool_name": pool.name,
            "type": "replicated",
            "size": REPLICAS,
            "min_size": REPLICAS - 1,
            "pg_num": pool.pgs,
            "percent_used": figures.percent_used,
            "bytes_used": figures.stored * REPLICAS,
        }
        for pool, figures in _pools(told)
    ]


def _pools(told: CephTold) -> Iterator[tuple[Any, PoolState]]:
    yield from zip(told.state.farm.pools, told.figures.pools, strict=True)


def ceph_filesystems(state: PveState) -> list[Json]:
    """`/nodes/NODE/ceph/fs`."""
    CephTold(state).must_answer()
    return [{"name": "cephfs", "metadata_pool": "cephfs.meta", "data_pool": "cephfs.data"}]


def ceph_daemons(state: PveState, kind: str) -> list[Json]:
    """`/nodes/NODE/ceph/mon`, `mgr` and `mds`: those that run, and those that are configured and stopped."""
    told = CephTold(state)
    told.must_answer()
    found = []
    for rank, machine in enumerate(told.daemons):
        runs = machine.name in told.living
        entry: Json = {"name": machine.name, "host": machine.name, "addr": machine.address}
        if kind == "mon":
            entry |= {"rank": rank, "state": "running" if runs else "stopped", **({"quorum": 1} if runs else {})}
        elif kind == "mgr":
            active = machine.name == told.ceph.mgr
            entry["state"] = "active" if active else "standby" if runs else "stopped"
        else:
            active = machine.name == told.ceph.mds
            entry |= {"state": "up:active" if active else "up:standby" if runs else "stopped", "rank": -1 + active}
        if runs:
            entry["ceph_version_short"] = VERSION
        found.append(entry)
    return found
