"""What `ceph` prints of the simulated cluster: as data, and as lines for people."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from farmtui.demo.exporters.ceph import VERSION
from farmtui.demo.servers.proxmox_ceph import CephTold, ceph_status, groups
from farmtui.demo.servers.proxmox_state import Json
from farmtui.demo.world.ceph_changes import REPLICAS
from farmtui.demo.world.inventory import OSDS_PER_NODE, STORAGE

_CRUSH_WEIGHT = 3.63869
_GROUPS_MOST = 4_000


def acting(told: CephTold, pool: int, number: int) -> list[int]:
    """The OSDs that hold a placement group: one on each of three hosts, the same for the same group."""
    hosts = len(told.state.farm.osd_hosts) // OSDS_PER_NODE
    first = zlib.crc32(f"{pool}.{number}".encode())
    return [
        (first + place) % hosts * OSDS_PER_NODE + (first >> (4 * place)) % OSDS_PER_NODE
        for place in range(min(REPLICAS, hosts))
    ]


def placement_groups(told: CephTold, state: str = "", pool: int = 0) -> Iterator[Json]:
    """Placement groups, or those of one state, or of one pool."""
    for each, figures in zip(told.state.farm.pools, told.figures.pools, strict=True):
        if pool not in (0, each.id):
            continue
        for number, full in enumerate(groups(each.pgs, figures.states)):
            if state and state not in full.split("+"):
                continue
            osds = acting(told, each.id, number)
            yield {
                "pgid": f"{each.id}.{number:x}",
                "state": full,
                "up": osds,
                "up_primary": osds[0],
                "acting": osds,
                "acting_primary": osds[0],
                "stat_sum": {"num_objects": int(figures.objects / each.pgs), "num_scrub_errors": "incons" in full},
            }


def groups_listed(found: Iterator[Json]) -> list[Json]:
    """As many as are printed at most."""
    return list(islice(found, _GROUPS_MOST))


def health(told: CephTold, *, detail: bool) -> tuple[Json, str]:
    """`ceph health`, as data and as lines."""
    data = ceph_status(told.state)["health"]
    checks = data["checks"]
    if not detail:
        checks = {name: {k: v for k, v in check.items() if k != "detail"} for name, check in checks.items()}
    head = "; ".join(check["summary"]["message"] for check in checks.values())
    lines = [f"{data['status']} {head}".strip()]
    for name, check in checks.items() if detail else ():
        lines.append(f"[{'ERR' if check['severity'].endswith('ERR') else 'WRN'}] {name}: {check['summary']['message']}")
        lines += [f"    {line['message']}" for line in check["detail"]]
    return {**data, "checks": checks}, "\n".join(lines)


def status(told: CephTold) -> tuple[Json, str]:
    """`ceph status`."""
    data = ceph_status(told.state)
    mgrs = data["mgrmap"]
    pgs = data["pgmap"]
    lines = ["  cluster:", f"    id:     {data['fsid']}", f"    health: {data['health']['status']}"]
    lines += [f"            {check['summary']['message']}" for check in data["health"]["checks"].values()]
    osds, standbys = data["osdmap"], ", ".join(each["name"] for each in mgrs["standbys"])
    avail = pgs["bytes_total"] - pgs["bytes_used"]
    lines += [
        "",
        "  services:",
        f"    mon: {len(told.daemons)} daemons, quorum {','.join(data['quorum_names'])}",
        f"    mgr: {mgrs['active_name'] or 'no daemons active'}(active), standbys: {standbys}",
        f"    mds: {len(data['fsmap']['by_rank'])}/1 daemons up, {data['fsmap']['up:standby']} standby",
        f"    osd: {osds['num_osds']} osds: {osds['num_up_osds']} up, {osds['num_in_osds']} in",
        "",
        "  data:",
        f"    pools:   {pgs['num_pools']} pools, {pgs['num_pgs']} pgs",
        f"    usage:   {_tib(pgs['bytes_used'])} used, {_tib(avail)} / {_tib(pgs['bytes_total'])} avail",
    ]
    lines += [
        f"    {'pgs:' if not place else '':<8} {each['count']:<4} {each['state_name']}"
        for place, each in enumerate(pgs["pgs_by_state"])
    ]
    return data, "\n".join([*lines, ""])


def tree(told: CephTold) -> tuple[Json, str]:
    """`ceph osd tree`."""
    hosts = [machine.name for machine in told.state.farm.tiers[STORAGE]]
    buckets = [-3 - 2 * place for place in range(len(hosts))]
    root = {"id": -1, "name": "default", "type": "root", "type_id": 11, "children": buckets}
    total = _CRUSH_WEIGHT * len(told.figures.osds)
    nodes: list[Json] = [root]
    lines = [
        "ID   CLASS  WEIGHT    TYPE NAME          STATUS  REWEIGHT  PRI-AFF",
        f" -1         {total:8.5f}  root default",
    ]
    for place, host in enumerate(hosts):
        osds = list(range(place * OSDS_PER_NODE, (place + 1) * OSDS_PER_NODE))
        nodes.append({"id": buckets[place], "name": host, "type": "host", "type_id": 1, "children": osds[::-1]})
        lines.append(f"{buckets[place]:>3}         {_CRUSH_WEIGHT * OSDS_PER_NODE:8.5f}      host {host}")
        for number in osds:
            osd = told.figures.osds[number]
            up, weight = "up" if osd.up else "down", osd.weight
            nodes.append(
                {
                    "id": number,
                    "device_class": "ssd",
                    "name": f"osd.{number}",
                    "type": "osd",
                    "type_id": 0,
                    "crush_weight": _CRUSH_WEIGHT,
                    "depth": 2,
                    "exists": 1,
                    "status": up,
                    "reweight": weight,
                    "primary_affinity": 1,
                }
            )
            name = f"osd.{number}"
            lines.append(
                f"{number:>3}    ssd  {_CRUSH_WEIGHT:8.5f}          {name:<10} {up:>6}   {weight:.5f}  1.00000"
            )
    return {"nodes": nodes, "stray": []}, "\n".join(lines)


def usage(told: CephTold) -> tuple[Json, str]:
    """`ceph osd df`."""
    held = Counter(osd for each in placement_groups(told) for osd in each["acting"])
    nodes: list[Json] = []
    lines = [" ID  CLASS   WEIGHT  REWEIGHT       SIZE   RAW USE     AVAIL   %USE  PGS  STATUS"]
    for number, osd in enumerate(told.figures.osds):
        share = 100 * osd.used / osd.size if osd.size else 0.0
        nodes.append(
            {
                "id": number,
                "device_class": "ssd",
                "name": f"osd.{number}",
                "type": "osd",
                "crush_weight": _CRUSH_WEIGHT,
                "reweight": osd.weight,
                "kb": int(osd.size / 1024),
                "kb_used": int(osd.used / 1024),
                "kb_avail": int((osd.size - osd.used) / 1024),
                "utilization": share,
                "pgs": held[number] if osd.up else 0,
                "status": "up" if osd.up else "down",
            }
        )
        lines.append(
            f"{number:>3}    ssd  {_CRUSH_WEIGHT:.5f}   {osd.weight:.5f}  {_tib(osd.size):>9} {_tib(osd.used):>9}"
            f" {_tib(osd.size - osd.used):>9}  {share:5.2f}  {nodes[-1]['pgs']:>3}  {'up' if osd.up else 'down':>6}"
        )
    size, used = told.figures.total_bytes, told.figures.used_bytes
    summary = {
        "total_kb": int(size / 1024),
        "total_kb_used": int(used / 1024),
        "total_kb_avail": int((size - used) / 1024),
        "average_utilization": 100 * used / size if size else 0.0,
    }
    lines.append(f"TOTAL {_tib(size)}, used {_tib(used)}, {summary['average_utilization']:.2f} %")
    return {"nodes": nodes, "stray": [], "summary": summary}, "\n".join(lines)


def pools(told: CephTold) -> tuple[Json, str]:
    """`ceph df`."""
    size, used = told.figures.total_bytes, told.figures.used_bytes
    found = []
    lines = [f"TOTAL  {_tib(size)}  AVAIL {_tib(size - used)}  USED {_tib(used)}", "", "--- POOLS ---"]
    for pool, figures in zip(told.state.farm.pools, told.figures.pools, strict=True):
        stats = {
            "stored": int(figures.stored),
            "objects": int(figures.objects),
            "bytes_used": int(figures.stored * REPLICAS),
            "percent_used": figures.percent_used,
            "max_avail": int(figures.max_avail),
            "quota_bytes": int(pool.quota_bytes),
        }
        found.append({"name": pool.name, "id": pool.id, "stats": stats})
        lines.append(f"{pool.name:<28} {pool.id:>3} {pool.pgs:>5} {_tib(figures.stored):>10} {figures.objects:>12.0f}")
    stats = {"total_bytes": int(size), "total_used_bytes": int(used), "total_avail_bytes": int(size - used)}
    return {"stats": stats, "pools": found}, "\n".join(lines)


def osd_dump(told: CephTold) -> tuple[Json, str]:
    """`ceph osd dump`, without what nobody reads."""
    ceph, flags = told.ceph, sorted(told.ceph.flags)
    ratios = {
        "full_ratio": ceph.full_ratio,
        "backfillfull_ratio": ceph.backfillfull_ratio,
        "nearfull_ratio": ceph.nearfull_ratio,
    }
    osds = [
        {"osd": number, "up": int(osd.up), "in": int(osd.is_in), "weight": osd.weight}
        for number, osd in enumerate(told.figures.osds)
    ]
    lines = [f"flags {','.join(flags)}", *(f"{name} {ratio:g}" for name, ratio in ratios.items())]
    lines += [
        f"osd.{o['osd']} {'up' if o['up'] else 'down'} {'in' if o['in'] else 'out'} weight {o['weight']:g}"
        for o in osds
    ]
    return {"flags": ",".join(flags), "flags_set": flags, **ratios, "osds": osds}, "\n".join(lines)


def quorum(told: CephTold) -> tuple[Json, str]:
    """`ceph quorum_status`; for people it is data too."""
    living = told.living
    mons = [{"rank": rank, "name": m.name, "public_addr": f"{m.address}:6789/0"} for rank, m in enumerate(told.daemons)]
    data: Json = {
        "election_epoch": 8,
        "quorum": [mon["rank"] for mon in mons if mon["name"] in living],
        "quorum_names": living,
        "quorum_leader_name": living[0],
        "monmap": {"epoch": 1, "mons": mons},
    }
    return data, f"{len(mons)} mons, quorum {','.join(living)}, leader {living[0]}"


def places(told: CephTold) -> tuple[Json, str]:
    """`ceph node ls`."""
    living = told.living
    osds: dict[str, list[int]] = {}
    for number in range(len(told.figures.osds)):
        osds.setdefault(told.host_of(number), []).append(number)
    everywhere = {name: [name] for name in living}
    data: Json = {"mon": {m.name: [m.name] for m in told.daemons}, "osd": osds, "mds": everywhere, "mgr": everywhere}
    return data, "\n".join(f"{kind} {host}" for kind, hosts in data.items() for host in hosts)


def filesystems(told: CephTold) -> tuple[Json, str]:
    """`ceph fs status`."""
    active, found = told.ceph.mds, dict(pools(told)[0])["pools"]
    ranks: list[Json] = [{"name": active, "rank": 0, "state": "active", "caps": 48_112, "rate": 210}] if active else []
    ranks += [{"name": name, "state": "standby"} for name in told.living if name != active]
    used = [
        {
            "id": pool["id"],
            "name": pool["name"],
            "type": kind,
            "used": pool["stats"]["bytes_used"],
            "avail": pool["stats"]["max_avail"],
        }
        for pool in found
        if (kind := {"cephfs.meta": "metadata", "cephfs.data": "data"}.get(pool["name"]))
    ]
    clients = [{"fs": "cephfs", "clients": int(told.state.observed.scraped.ceph.clients)}]
    data = {"clients": clients, "mds_version": VERSION, "mdsmap": ranks, "pools": used}
    lines = ["cephfs - 1 filesystem", *(f"{mds.get('rank', '-')}  {mds['state']:<8} {mds['name']}" for mds in ranks)]
    return data, "\n".join(lines)


def versions(told: CephTold) -> tuple[Json, str]:
    """`ceph versions`."""
    living, up = len(told.living), sum(osd.up for osd in told.figures.osds)
    counts = {"mon": living, "mgr": living, "osd": up, "mds": living, "rgw": min(2, living)}
    data = {kind: {VERSION: count} for kind, count in counts.items()}
    overall = sum(counts.values())
    return {**data, "overall": {VERSION: overall}}, f"{VERSION}: {overall}"


def group_lines(found: Sequence[Json]) -> str:
    """`ceph pg ls` for people."""
    lines = ["PG      OBJECTS  STATE                                UP            ACTING"]
    lines += [
        f"{each['pgid']:<7} {each['stat_sum']['num_objects']:>7}  {each['state']:<35}  {each['up']}  {each['acting']}"
        for each in found
    ]
    return "\n".join(lines)


def _tib(size: float) -> str:
    return f"{size / 2**40:.2f} TiB"
