"""One picture of Ceph from two views of it: the mgr's figures by Prometheus, and Ceph's own word.

The fresher and the more certain wins, part by part. Ceph's own word on its health is certain: the mgr goes on serving
the figures of before when quorum is lost. Where both are fresh and do not agree, that is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from farmtui.farm.ceph_detail import CephDetail, MdsRank, PgSummary
from farmtui.farm.cluster import Ceph, CephDaemon, HealthCheck, Osd, Pool
from farmtui.farm.state import Severity

T = TypeVar("T")

MGR_LAG: Final = timedelta(seconds=5)
"""The mgr's figures are so much older than the scrape that fetched them, at most."""

WORDS: Final = {Severity.OK: "HEALTH_OK", Severity.WARNING: "HEALTH_WARN", Severity.CRITICAL: "HEALTH_ERR"}
"""Ceph's own words for its health."""


@dataclass(frozen=True, slots=True)
class Told:
    """Ceph's own word, when it was told, and whether that is recent enough to judge the present by."""

    detail: CephDetail
    at: datetime
    trusted: bool = True


def one_ceph(metrics: Ceph | None, told: Told | None, *, trusted: bool) -> Ceph | None:
    """The cluster as it is known now; None where neither view knows of one.

    `trusted` says whether the mgr's figures (`metrics`) are recent enough to judge the present by. What is not is
    left out while the other view is; where neither is, the picture is the last one of both.
    """
    if told is None:
        return metrics
    own = ceph_of(told)
    if told.detail.silent:
        # Figures are of before, whichever view has them, and so are checks; and nobody knows the health.
        base = own if metrics is None else _joined(metrics, own, newer=False)
        return replace(base, health=None)
    if metrics is None or (told.trusted and not trusted):
        return own
    if trusted and not told.trusted:
        return metrics
    newer = metrics.seen_at is None or told.at >= metrics.seen_at - MGR_LAG
    if not trusted and not newer:
        return metrics
    joined = _joined(metrics, own, newer=newer)
    return replace(joined, differences=tuple(_differences(metrics, own))) if trusted else joined


def ceph_of(told: Told) -> Ceph:
    """The cluster by Ceph's own word alone."""
    detail = told.detail
    pgs = detail.pgs or PgSummary(0, ())
    hosts = dict(detail.hosts)
    return Ceph(
        health=detail.health,
        checks=tuple(HealthCheck(check.name, check.severity, check.muted) for check in detail.checks),
        mons=tuple(_mons(detail, hosts)),
        mgrs=tuple(_mgrs(detail, hosts)),
        mdss=tuple(
            CephDaemon(f"mds.{mds.name or '?'}", hosts.get(f"mds.{mds.name}", ""), _mds_words(mds), mds.well)
            for mds in detail.ranks
        ),
        rgws=detail.rgws,
        filesystems=detail.filesystems,
        mds_clients=_clients(detail.ranks),
        osds=tuple(_osds(detail)),
        flags=detail.flags,
        pg_states=pgs.states,
        pgs_total=pgs.total,
        pools=detail.pools,
        objects_degraded=pgs.objects_degraded if detail.pgs else None,
        objects_misplaced=pgs.objects_misplaced if detail.pgs else None,
        objects_unfound=pgs.objects_unfound if detail.pgs else None,
        total_bytes=pgs.total_bytes,
        used_bytes=pgs.used_bytes,
        growth_bytes_per_s=None,
        recovering_bytes_per_s=pgs.recovering_bytes_per_s if detail.pgs else None,
        recovering_objects_per_s=pgs.recovering_objects_per_s if detail.pgs else None,
        slow_ops=None,
        seen_at=None,
        told_at=detail.known_at or told.at,
    )


def _mons(detail: CephDetail, hosts: dict[str, str]) -> Iterator[CephDaemon]:
    states = dict(detail.quorum.states)
    for name in dict.fromkeys((*detail.quorum.mons, *detail.quorum.members, *states)):
        inside = name in detail.quorum.members
        state = "quorum" if inside else states.get(name) or ("unknown" if detail.silent else "out")
        yield CephDaemon(
            f"mon.{name}",
            hosts.get(f"mon.{name}", ""),
            "quorum leader" if inside and name == detail.quorum.leader else state,
            well=inside,
        )


def _mgrs(detail: CephDetail, hosts: dict[str, str]) -> Iterator[CephDaemon]:
    """Where there is none, that is a row too: it would be missing just when somebody looks for it."""
    if detail.mgr == "":
        yield CephDaemon("mgr", "", "none active", well=False)
    elif detail.mgr is not None:
        yield CephDaemon(f"mgr.{detail.mgr}", hosts.get(f"mgr.{detail.mgr}", ""), "active", well=True)
    for name in detail.mgr_standbys:
        yield CephDaemon(f"mgr.{name}", hosts.get(f"mgr.{name}", ""), "standby", well=True)


def _mds_words(mds: MdsRank) -> str:
    words = mds.state if mds.rank is None else f"rank {mds.rank} {mds.state}"
    # What is wrong comes first: a narrow table cuts the rest.
    return f"laggy, {words.removesuffix(' (laggy)')}" if mds.laggy else words


def _clients(ranks: Sequence[MdsRank]) -> int | None:
    by_fs = {mds.filesystem: mds.clients for mds in ranks if mds.clients is not None}
    return sum(by_fs.values()) if by_fs else None


def _osds(detail: CephDetail) -> Iterator[Osd]:
    host, host_depth = "", 0
    seen: set[str] = set()
    for place in detail.tree:
        if place.depth <= host_depth:
            host = ""
        if place.kind == "host":
            host, host_depth = place.name, place.depth
        if place.kind == "osd" and place.name not in seen:
            # One may stand in several trees.
            seen.add(place.name)
            yield Osd(
                id=place.name,
                host=host,
                device_class=place.device_class,
                up=place.status == "up",
                is_in=place.is_in is True,
                weight=place.reweight,
                size_bytes=place.size_bytes,
                used_bytes=place.used_bytes,
                apply_latency_s=place.apply_latency_s,
            )


def _joined(metrics: Ceph, own: Ceph, *, newer: bool) -> Ceph:
    """Both views as one; of what both know, the mgr's figures count unless Ceph's own word is `newer`.

    Health, mons and MDSs are always Ceph's own word: the mons know them, and the mgr only passes them on.
    """

    def fresher(ours: T, theirs: T) -> T:
        first, second = (theirs, ours) if newer else (ours, theirs)
        return second if first is None or first == () else first

    # Without a mgr Ceph counts no groups: 0 of them would be a lie.
    counted = own if own.pgs_total and newer else metrics if metrics.pgs_total else own
    extra = tuple(
        check
        for check in metrics.checks
        # What was raised since Ceph was asked.
        if not newer and check.name not in {known.name for known in own.checks}
    )
    healths = [health for health in (own.health, *(check.severity for check in extra)) if health is not None]
    return replace(
        metrics,
        health=max(healths) if own.health is not None else metrics.health,
        checks=tuple(sorted((*own.checks, *extra), key=lambda check: (check.muted, -check.severity, check.name))),
        mons=_with_hosts(own.mons, metrics.mons) or metrics.mons,
        mgrs=_with_hosts(own.mgrs, metrics.mgrs) or metrics.mgrs,
        mdss=_with_hosts(own.mdss, metrics.mdss) or metrics.mdss,
        rgws=fresher(metrics.rgws, own.rgws),
        filesystems=own.filesystems or metrics.filesystems,
        mds_clients=fresher(metrics.mds_clients, own.mds_clients),
        osds=_joined_osds(metrics.osds, own.osds, newer=newer),
        flags=own.flags if newer else metrics.flags,
        pg_states=counted.pg_states,
        pgs_total=counted.pgs_total,
        pools=_joined_pools(metrics.pools, own.pools, newer=newer),
        objects_degraded=fresher(metrics.objects_degraded, own.objects_degraded),
        objects_misplaced=fresher(metrics.objects_misplaced, own.objects_misplaced),
        objects_unfound=fresher(metrics.objects_unfound, own.objects_unfound),
        total_bytes=fresher(metrics.total_bytes, own.total_bytes),
        used_bytes=fresher(metrics.used_bytes, own.used_bytes),
        recovering_bytes_per_s=fresher(metrics.recovering_bytes_per_s, own.recovering_bytes_per_s),
        recovering_objects_per_s=fresher(metrics.recovering_objects_per_s, own.recovering_objects_per_s),
        told_at=own.told_at,
    )


def _with_hosts(daemons: Sequence[CephDaemon], known: Sequence[CephDaemon]) -> tuple[CephDaemon, ...]:
    hosts = {daemon.name: daemon.host for daemon in known}
    return tuple(d if d.host else replace(d, host=hosts.get(d.name, "")) for d in daemons)


def _joined_osds(metrics: Sequence[Osd], own: Sequence[Osd], *, newer: bool) -> tuple[Osd, ...]:
    """Every OSD that either view knows; what only one of them has measured is taken from that one."""
    theirs = {osd.id: osd for osd in own}
    found = []
    for osd in metrics:
        also = theirs.pop(osd.id, None)
        first, second = (also, osd) if newer and also else (osd, also or osd)
        found.append(
            replace(
                first,
                # A host's name in the tree is CRUSH's; the daemon's own is the machine's.
                host=osd.host or first.host,
                device_class=first.device_class or second.device_class,
                weight=second.weight if first.weight is None else first.weight,
                size_bytes=second.size_bytes if first.size_bytes is None else first.size_bytes,
                used_bytes=second.used_bytes if first.used_bytes is None else first.used_bytes,
                apply_latency_s=second.apply_latency_s if first.apply_latency_s is None else first.apply_latency_s,
            )
        )
    return (*found, *theirs.values())


def _joined_pools(metrics: Sequence[Pool], own: Sequence[Pool], *, newer: bool) -> tuple[Pool, ...]:
    """Every pool that either view knows. A pool's placement groups and traffic are the mgr's figures alone."""
    theirs = {pool.id: pool for pool in own}
    found = []
    for pool in metrics:
        also = theirs.pop(pool.id, pool)
        first, second = (also, pool) if newer else (pool, also)

        def known(name: str, first: Pool = first, second: Pool = second) -> float | None:
            value: float | None = getattr(first, name)
            return getattr(second, name) if value is None else value

        found.append(
            replace(
                pool,
                stored_bytes=known("stored_bytes"),
                max_avail_bytes=known("max_avail_bytes"),
                used_ratio=known("used_ratio"),
                quota_bytes=known("quota_bytes"),
                objects=known("objects"),
            )
        )
    return (*found, *theirs.values())


def _differences(metrics: Ceph, own: Ceph) -> Iterator[str]:
    """Where the two do not agree, in words without times: they stay the same while nothing changes."""
    if metrics.health is not None and own.health is not None and metrics.health != own.health:
        yield f"health: Ceph says {_word(own.health)}, its metrics {_word(metrics.health)}"
    ours, theirs = ({check.name for check in view.checks} for view in (own, metrics))
    # Whether one that is muted is among the metrics depends on Ceph's version.
    if only := sorted(ours - theirs - {check.name for check in own.checks if check.muted}):
        yield f"not in the metrics: {_listed(only)}"
    if only := sorted(theirs - ours):
        yield f"only in the metrics: {_listed(only)}"
    for what, is_so in (("up", lambda osd: osd.up), ("in", lambda osd: osd.is_in)):
        counts = [sum(map(is_so, view.osds)) for view in (own, metrics)]
        if own.osds and metrics.osds and counts[0] != counts[1]:
            yield f"OSDs {what}: Ceph says {counts[0]} of {len(own.osds)}, its metrics {counts[1]}"
    mons = [sum(mon.well for mon in view.mons) for view in (own, metrics)]
    if own.mons and metrics.mons and mons[0] != mons[1]:
        yield f"mons in quorum: Ceph says {mons[0]}, its metrics {mons[1]}"
    if own.pgs_total and metrics.pgs_total and own.pgs_total != metrics.pgs_total:
        yield f"placement groups: Ceph says {own.pgs_total}, its metrics {metrics.pgs_total}"


def _word(health: Severity) -> str:
    return WORDS.get(health, "unknown")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
