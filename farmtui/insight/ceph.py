"""Faults of Ceph: its own health checks in plain words, and capacity before it is used up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from farmtui.farm.cluster import Ceph, HealthCheck
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Severity
from farmtui.farm.units import age, count, data_size, duration, percent, plural
from farmtui.insight.ceph_checks import explain
from farmtui.insight.ceph_own import own_words, unheard
from farmtui.insight.ceph_recovery import pace_words
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines
from farmtui.insight.machines import CEPH_HOST
from farmtui.insight.thresholds import FULL_IN_S, RAW_CAPACITY, above, below

CHECK = "ceph-check"

_LESS_FULL = (
    "OSD_BACKFILLFULL",
    "POOL_BACKFILLFULL",
    "PG_BACKFILL_FULL",
    "OSD_NEARFULL",
    "POOL_NEARFULL",
    "POOL_NEAR_FULL",
)
_FULL_OSDS = ("OSD_FULL", "OSD_BACKFILLFULL", "OSD_NEARFULL")
_FOLLOW = {
    "OSD_ROOT_DOWN": ("OSD_HOST_DOWN", "OSD_RACK_DOWN", "OSD_CHASSIS_DOWN", "OSD_DOWN"),
    "OSD_RACK_DOWN": ("OSD_HOST_DOWN", "OSD_DOWN"),
    "OSD_CHASSIS_DOWN": ("OSD_HOST_DOWN", "OSD_DOWN"),
    "OSD_HOST_DOWN": ("OSD_DOWN",),
    "OSD_DOWN": ("PG_DEGRADED", "PG_AVAILABILITY", "OBJECT_MISPLACED", "SLOW_OPS", "PG_SLOW_SNAP_TRIMMING"),
    "OSD_FULL": ("POOL_FULL", "PG_RECOVERY_FULL", *_LESS_FULL),
    "OSD_BACKFILLFULL": _LESS_FULL,
    "OSD_NEARFULL": ("POOL_NEAR_FULL", "POOL_NEARFULL"),
    "OSD_SCRUB_ERRORS": ("PG_DAMAGED",),
    "MDS_ALL_DOWN": ("FS_DEGRADED", "FS_WITH_FAILED_MDS", "MDS_INSUFFICIENT_STANDBY", "MDS_UP_LESS_THAN_MAX"),
    "FS_DEGRADED": ("FS_WITH_FAILED_MDS", "MDS_INSUFFICIENT_STANDBY", "MDS_UP_LESS_THAN_MAX"),
}
"""Checks that follow from another where both are raised, by the one that is the cause."""


def ceph_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """Every check that is raised, causes first; then what no check tells yet."""
    ceph = farm.ceph
    if ceph is None or (farm.ceph_detail is not None and farm.ceph_detail.silent):
        # What `ceph_silence` tells, and all else is of before.
        return
    yield from _silent_mds(ceph)
    order = {name: place for place, name in enumerate(_FOLLOW)}
    checks = sorted(ceph.checks, key=lambda check: (order.get(check.name, len(order)), -check.severity, check.name))
    capacity = _capacity(ceph)
    for check in checks:
        if check.muted:
            continue
        finding = _check(ceph, check, tuple(own_words(farm.ceph_detail, check.name)))
        if capacity is not None and check.name in _FULL_OSDS:
            # OSDs are full because the cluster is: that is one thing to mend.
            finding, capacity = _with_capacity(finding, capacity), None
        yield finding
    yield from _left_out(ceph)
    if ceph.health is None or unheard(farm, ceph):
        yield _unknown(farm, ceph, machines)
    elif ceph.health >= Severity.WARNING and not ceph.checks:
        yield Finding(
            "ceph/health", ceph.health, f"Ceph's health: {ceph.health.word}",
            "it names no check; `ceph health detail` says more", screen="storage", part="storage", topics=("ceph",),
        )  # fmt: skip
    if capacity is not None:
        yield capacity


def _with_capacity(check: Finding, capacity: Finding) -> Finding:
    return replace(
        check,
        severity=max(check.severity, capacity.severity),
        evidence=(f"{capacity.title}: {capacity.cause}", *capacity.evidence, *check.evidence),
        topics=(*check.topics, *capacity.topics),
    )


def _unknown(farm: Farm, ceph: Ceph, machines: Machines) -> Finding:
    """No mgr answers, or one that only repeats what was before: two faults with one outcome."""
    heard = "" if ceph.heard_at is None else age((farm.at - ceph.heard_at).total_seconds())
    if ceph.stalled:
        return Finding(
            "ceph/stalled", Severity.CRITICAL, "Ceph: quorum lost?",
            "its mons decide nothing: most likely a majority is down, and reads and writes hang",
            (
                f"the mgr repeats what was true before: no mon has committed anything for {heard} or longer",
                "first: ask a mon itself, for ceph -s hangs: ceph daemon mon.ID mon_status; start those that are down",
            ),
            screen="storage", part="storage", topics=("ceph", "cephmon", "cephquorum"),
        )  # fmt: skip
    gone = machines.gone.get(Tier.STORAGE, ())
    word = "" if ceph.health is None else f": {ceph.health.word}"
    return Finding(
        "ceph/unknown", Severity.UNKNOWN, "Ceph's health is unknown",
        "no active mgr answers: the cluster may be well, but nobody can tell",
        (f"last heard {heard} ago{word}",) if heard else (),
        ("node", gone[0].name) if gone else ("", ""), "storage", "storage", topics=("cephmgr",),
    )  # fmt: skip


def _silent_mds(ceph: Ceph) -> Iterator[Finding]:
    """An active MDS of which nobody hears: Ceph raises no check that says so.

    Where all MDSs die at once the mons even keep the standby in their map, and say HEALTH_OK.
    """
    silent = [mds for mds in ceph.mdss if not mds.well and ("silent" in mds.state or "laggy" in mds.state)]
    if not silent:
        return
    clients = f"{ceph.mds_clients} clients have" if ceph.mds_clients and ceph.mds_clients > 1 else "its client has"
    laggy = any("laggy" in mds.state for mds in silent)
    standby = any(mds.state == "standby" for mds in ceph.mdss)
    yield Finding(
        "ceph/mds-silent", Severity.UNKNOWN if standby else Severity.CRITICAL,
        f"CephFS: {_listed([mds.name for mds in silent])} is silent",
        f"all MDSs have ended at once{'' if laggy else ', or all clients'}: the mons would have replaced one by now"
        if standby else
        "it has most likely ended or hangs, and no standby can take over: every access to the files hangs",
        (
            "Ceph calls it laggy: its mons do not hear of it" if laggy
            else f"{clients} not been heard for two minutes; Ceph goes on calling it active",
            "first: ceph fs status calls it laggy; ceph orch daemon restart mds.NAME, or systemctl start ceph-mds@ID",
        ),
        (CHECK, "MDS_SILENT"), "storage", "storage",
        covers=frozenset({(CHECK, "MDS_INSUFFICIENT_STANDBY")}), topics=("cephmds", "cephfs", "mds"),
    )  # fmt: skip


def _left_out(ceph: Ceph) -> Iterator[Finding]:
    """OSDs that are down and out: once their copies are made elsewhere Ceph says HEALTH_OK, and no check names them."""
    gone = [osd for osd in ceph.osds if not osd.up and not osd.is_in]
    if not gone:
        return
    hosts = {_host(osd.host) for osd in gone}
    several = len(gone) > 1
    yield Finding(
        "ceph/out", Severity.INFO, f"{len(gone)} OSD{'s are' if several else ' is'} down and out",
        f"Ceph does without {'them' if several else 'it'}: what {'they' if several else 'it'} held is kept elsewhere",
        (
            _listed([f"{osd.id} on {osd.host}" if osd.host else osd.id for osd in gone]),
            "first: systemctl start ceph-osd@ID there, or replace the disk; gone for good: ceph osd purge ID",
        ),
        (CEPH_HOST, next(iter(hosts))) if len(hosts) == 1 else ("", ""), "storage", "storage",
        covers=frozenset(("osd", osd.id) for osd in gone), topics=("cephosd",),
    )  # fmt: skip


def _check(ceph: Ceph, check: HealthCheck, own: tuple[str, ...]) -> Finding:
    """`own` is what Ceph itself says of it."""
    text = explain(check.name)
    covers: set[Thing] = {(CHECK, name) for name in _FOLLOW.get(check.name, ())}
    down = [osd for osd in ceph.osds if not osd.up]
    subject: Thing = (CHECK, check.name)
    evidence = [*own]
    if check.name.startswith("OSD_") and check.name.endswith("_DOWN"):
        evidence.append(_listed([f"{osd.id} on {osd.host}" for osd in down]))
        covers |= {("osd", osd.id) for osd in down}
        hosts = {_host(osd.host) for osd in down}
        if len(hosts) == 1:
            subject = (CEPH_HOST, next(iter(hosts)))
        if check.name != "OSD_DOWN":
            # What else Ceph has on a host of which every OSD is down is gone for the same reason.
            covers |= {(CEPH_HOST, host) for host in hosts - {_host(osd.host) for osd in ceph.osds if osd.up}}
    match check.name:
        case "MON_DOWN" | "MGR_DOWN":
            daemons = ceph.mons if check.name == "MON_DOWN" else ceph.mgrs
            lost = [daemon for daemon in daemons if not daemon.well and "." in daemon.name]
            evidence.append(
                _listed([f"{daemon.name} on {daemon.host}" if daemon.host else daemon.name for daemon in lost])
            )
            if len(lost) == 1 and lost[0].host:
                subject = (CEPH_HOST, _host(lost[0].host))
        case "OSDMAP_FLAGS" | "OSD_FLAGS":
            evidence.append(", ".join(ceph.flags))
        case "SLOW_OPS":
            evidence.append(
                f"{plural(round(ceph.slow_ops), 'operation is', 'operations are')} slow" if ceph.slow_ops else ""
            )
            waiting = _listed([f"{name} ({number})" for name, number in ceph.slow_daemons])
            evidence.append(f"they wait in {waiting}, perhaps for an OSD that is not among these" if waiting else "")
        case name if name in _FULL_OSDS:
            fullest = sorted((osd for osd in ceph.osds if osd.used_ratio), key=lambda osd: -(osd.used_ratio or 0.0))
            evidence.append(_listed([f"{osd.id} on {osd.host} {percent(osd.used_ratio)}" for osd in fullest], 3))
        case "OSD_SCRUB_ERRORS" | "PG_DAMAGED":
            broken = [(pool.name, dict(pool.pg_states).get("inconsistent", 0)) for pool in ceph.pools]
            evidence.append(_listed([f"{number} inconsistent in pool {name}" for name, number in broken if number]))
        case _:
            pass
    if check.name.startswith(("PG_", "OBJECT_")) or check.name in _FOLLOW:
        # An OSD that is out is in no check: its copies are only being made elsewhere.
        out = [
            f"{osd.id} on {osd.host} is {'down and ' if not osd.up else ''}out" for osd in ceph.osds if not osd.is_in
        ]
        evidence += [_listed(out)] if out else []
        evidence.extend(_recovery(ceph))
    evidence.append(f"first: {text.remedy}")
    return Finding(
        f"ceph/{check.name}", check.severity, f"Ceph {check.name}", text.meaning,
        tuple(piece for piece in evidence if piece), subject, "storage", "storage",
        covers=frozenset(covers), topics=("ceph", check.name.replace("_", "").lower()),
    )  # fmt: skip


def _recovery(ceph: Ceph) -> Iterator[str]:
    left = [
        f"{count(number)} {word}"
        for number, word in (
            (ceph.objects_degraded, "degraded"),
            (ceph.objects_misplaced, "misplaced"),
            (ceph.objects_unfound, "unfound"),
        )
        if number
    ]
    if not left:
        return
    yield f"object copies: {', '.join(left)}; {pace_words(ceph)}"


def _capacity(ceph: Ceph) -> Finding | None:
    full = above(ceph.used_ratio, RAW_CAPACITY)
    soon = below(ceph.full_in_s, FULL_IN_S)
    severity = max(full, soon)
    if severity is Severity.OK:
        return None
    when = f"at the growth of the last six hours it is full in {duration(ceph.full_in_s)}" if ceph.full_in_s else ""
    stops = "Ceph refuses every write as soon as one OSD is 95 % full"
    return Finding(
        "ceph/capacity", severity,
        f"Ceph is {percent(ceph.used_ratio)} full" if full else f"Ceph fills up in {duration(ceph.full_in_s)}",
        f"{when}; {stops}" if when else stops,
        (f"{data_size(ceph.used_bytes)} of {data_size(ceph.total_bytes)} used",),
        screen="storage", part="storage", topics=("cephnearfull", "cephcapacity", "cephfull"),
    )  # fmt: skip


def _host(name: str) -> str:
    return name.partition(".")[0]


def _listed(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
