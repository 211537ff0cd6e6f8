"""Faults of Ceph: its own health checks in plain words, and capacity before it is used up."""

from __future__ import annotations

from collections.abc import Iterator

from farmtui.farm.cluster import Ceph, HealthCheck
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Severity
from farmtui.farm.units import age, count, data_size, duration, percent, rate
from farmtui.insight.ceph_checks import explain
from farmtui.insight.ceph_own import own_words
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines
from farmtui.insight.machines import CEPH_HOST
from farmtui.insight.thresholds import FULL_IN_S, RAW_CAPACITY, above, below

CHECK = "ceph-check"

_FOLLOW = {
    "OSD_ROOT_DOWN": ("OSD_HOST_DOWN", "OSD_RACK_DOWN", "OSD_CHASSIS_DOWN", "OSD_DOWN"),
    "OSD_RACK_DOWN": ("OSD_HOST_DOWN", "OSD_DOWN"),
    "OSD_CHASSIS_DOWN": ("OSD_HOST_DOWN", "OSD_DOWN"),
    "OSD_HOST_DOWN": ("OSD_DOWN",),
    "OSD_DOWN": ("PG_DEGRADED", "PG_AVAILABILITY", "OBJECT_MISPLACED", "SLOW_OPS", "PG_SLOW_SNAP_TRIMMING"),
    "OSD_FULL": ("POOL_FULL",),
    "OSD_NEARFULL": ("POOL_NEAR_FULL", "POOL_NEARFULL"),
    "OSD_BACKFILLFULL": ("POOL_BACKFILLFULL", "PG_BACKFILL_FULL"),
    "OSD_SCRUB_ERRORS": ("PG_DAMAGED",),
}
"""Checks that follow from another where both are raised, by the one that is the cause."""


def ceph_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """Every check that is raised, causes first; then what no check tells yet."""
    ceph = farm.ceph
    if ceph is None or (farm.ceph_detail is not None and farm.ceph_detail.silent):
        # What `ceph_silence` tells, and all else is of before.
        return
    order = {name: place for place, name in enumerate(_FOLLOW)}
    checks = sorted(ceph.checks, key=lambda check: (order.get(check.name, len(order)), -check.severity, check.name))
    for check in checks:
        if not check.muted:
            yield _check(ceph, check, tuple(own_words(farm.ceph_detail, check.name)))
    if ceph.health is None:
        gone = machines.gone.get(Tier.STORAGE, ())
        seen = "" if ceph.seen_at is None else f"last heard {age((farm.at - ceph.seen_at).total_seconds())} ago"
        yield Finding(
            "ceph/unknown", Severity.UNKNOWN, "Ceph's health is unknown",
            "no active mgr answers: the cluster may be well, but nobody can tell", (seen,) if seen else (),
            ("node", gone[0].name) if gone else ("", ""), "storage", "storage", topics=("cephmgr",),
        )  # fmt: skip
    elif ceph.health >= Severity.WARNING and not ceph.checks:
        yield Finding(
            "ceph/health", ceph.health, f"Ceph's health: {ceph.health.word}",
            "it names no check; `ceph health detail` says more", screen="storage", part="storage", topics=("ceph",),
        )  # fmt: skip
    yield from _capacity(ceph)


def _check(ceph: Ceph, check: HealthCheck, own: tuple[str, ...]) -> Finding:
    """`own` is what Ceph itself says of it."""
    text = explain(check.name)
    covers: set[Thing] = {(CHECK, name) for name in _FOLLOW.get(check.name, ())}
    down = [osd for osd in ceph.osds if not osd.up]
    subject: Thing = (CHECK, check.name)
    evidence = [*own]
    match check.name:
        case "OSD_DOWN" | "OSD_HOST_DOWN" | "OSD_RACK_DOWN" | "OSD_CHASSIS_DOWN" | "OSD_ROOT_DOWN":
            evidence.append(_listed([f"{osd.id} on {osd.host}" for osd in down]))
            covers |= {("osd", osd.id) for osd in down}
            hosts = {osd.host for osd in down}
            if len(hosts) == 1:
                subject = (CEPH_HOST, next(iter(hosts)).partition(".")[0])
        case "MON_DOWN" | "MGR_DOWN":
            daemons = ceph.mons if check.name == "MON_DOWN" else ceph.mgrs
            lost = [daemon for daemon in daemons if not daemon.well and "." in daemon.name]
            evidence.append(
                _listed([f"{daemon.name} on {daemon.host}" if daemon.host else daemon.name for daemon in lost])
            )
            if len(lost) == 1 and lost[0].host:
                subject = (CEPH_HOST, lost[0].host.partition(".")[0])
        case "OSDMAP_FLAGS" | "OSD_FLAGS":
            evidence.append(", ".join(ceph.flags))
        case "SLOW_OPS":
            evidence.append(f"{count(ceph.slow_ops)} operations are slow" if ceph.slow_ops else "")
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
    pace = f"{rate(ceph.recovering_objects_per_s)} recover" if ceph.recovering_objects_per_s else "nothing recovers"
    eta = f", done in {duration(ceph.recovery_eta_s)}" if ceph.recovery_eta_s is not None else ""
    yield f"object copies: {', '.join(left)}; {pace}{eta}"


def _capacity(ceph: Ceph) -> Iterator[Finding]:
    full = above(ceph.used_ratio, RAW_CAPACITY)
    soon = below(ceph.full_in_s, FULL_IN_S)
    severity = max(full, soon)
    if severity is Severity.OK:
        return
    when = f"at the growth of the last six hours it is full in {duration(ceph.full_in_s)}" if ceph.full_in_s else ""
    stops = "at 95 % Ceph refuses every write"
    yield Finding(
        "ceph/capacity", severity,
        f"Ceph is {percent(ceph.used_ratio)} full" if full else f"Ceph fills up in {duration(ceph.full_in_s)}",
        f"{when}; {stops}" if when else stops,
        (f"{data_size(ceph.used_bytes)} of {data_size(ceph.total_bytes)} used",),
        screen="storage", part="storage", topics=("cephnearfull", "cephcapacity", "cephfull"),
    )  # fmt: skip


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
