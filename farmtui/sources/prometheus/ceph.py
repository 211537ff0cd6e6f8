"""Figures as a Ceph cluster, in Ceph's own names: checks, flags and states are never picked from a list of ours."""

from __future__ import annotations

import math
from typing import Final

from farmtui.farm.cluster import Ceph, CephDaemon, HealthCheck, Osd, Pool
from farmtui.farm.state import Severity
from farmtui.sources.prometheus.figures import Figures

_HEALTH: Final = {0: Severity.OK, 1: Severity.WARNING, 2: Severity.CRITICAL}
_CHECK_SEVERITY: Final = {"HEALTH_ERR": Severity.CRITICAL, "HEALTH_WARN": Severity.WARNING, "HEALTH_OK": Severity.INFO}
_FLAG_PREFIX: Final = "ceph_osd_flag_"
_PG_PREFIX: Final = "ceph_pg_"
_TOTAL: Final = "total"


def ceph(figures: Figures) -> Ceph | None:
    """The cluster; None while no mgr has ever been seen. When the mgr goes, all stays as it was last seen."""
    if "ceph" not in figures.met:
        return None
    by_state, by_pool = _placement_groups(figures)
    health = figures.whole("ceph.health_status")
    sessions = [value for value in figures.rows("ceph.mds_clients").values() if not math.isnan(value)]
    return Ceph(
        health=None if health is None or figures.stalled else _HEALTH.get(health, Severity.UNKNOWN),
        checks=_checks(figures),
        mons=_mons(figures),
        mgrs=_mgrs(figures),
        mdss=_mdss(figures),
        rgws=tuple(
            CephDaemon(name, host, "up", well=True) for name, host in sorted(figures.rows("ceph.rgw_info"), key=_order)
        ),
        filesystems=tuple(sorted({key[1] for key in figures.rows("ceph.fs_info")})),
        mds_clients=int(sum(sessions)) if sessions else None,
        osds=_osds(figures),
        # A metric's name has no dashes; `ceph osd unset nodeep_scrub` would not do.
        flags=tuple(
            sorted(key[0].removeprefix(_FLAG_PREFIX).replace("_", "-") for key in figures.rows("ceph.osd_flags"))
        ),
        pg_states=_most_first(by_state),
        pgs_total=sum(states.get(_TOTAL, 0) for states in by_pool.values()),
        pools=_pools(figures, by_pool),
        objects_degraded=figures.number("ceph.objects_degraded"),
        objects_misplaced=figures.number("ceph.objects_misplaced"),
        objects_unfound=figures.number("ceph.objects_unfound"),
        total_bytes=figures.number("ceph.total_bytes"),
        used_bytes=figures.number("ceph.used_bytes"),
        growth_bytes_per_s=figures.number("ceph.growth_bytes_per_s"),
        recovering_bytes_per_s=figures.number("ceph.recovering_bytes_per_s"),
        recovering_objects_per_s=figures.number("ceph.recovering_objects_per_s"),
        slow_ops=figures.number("ceph.slow_ops"),
        seen_at=figures.seen("ceph"),
        objects_left_slope_per_s=figures.number("ceph.objects_left_slope_per_s"),
        stalled=figures.stalled,
        slow_daemons=_slow_daemons(figures),
    )


def _checks(figures: Figures) -> tuple[HealthCheck, ...]:
    """Checks that are raised now, worst first. A severity that Ceph has not had so far counts as a warning."""
    found = {
        HealthCheck(name, _CHECK_SEVERITY.get(severity, Severity.WARNING))
        for name, severity in figures.rows("ceph.health_checks")
    }
    return tuple(sorted(found, key=lambda check: (-check.severity, check.name)))


def _mons(figures: Figures) -> tuple[CephDaemon, ...]:
    hosts = {key[0]: key[1] for key in figures.rows("ceph.mon_info")}
    quorum = figures.rows("ceph.mon_quorum")
    return tuple(
        CephDaemon(name, hosts.get(name, ""), "quorum" if inside else "out", well=inside)
        for name, inside in ((key[0], quorum[key] > 0) for key in sorted(quorum, key=_order))
    )


def _mgrs(figures: Figures) -> tuple[CephDaemon, ...]:
    hosts = {key[0]: key[1] for key in figures.rows("ceph.mgr_info")}
    status = figures.rows("ceph.mgr_status")
    return tuple(
        CephDaemon(key[0], hosts.get(key[0], ""), "active" if status[key] > 0 else "standby", well=True)
        for key in sorted(status, key=_order)
    )


def _mdss(figures: Figures) -> tuple[CephDaemon, ...]:
    """The MDSs. One that is active, has clients and has heard none of them for minutes is not well.

    With a standby the mons would have replaced it, and are about to.
    """
    found = []
    for name, _, host, rank in sorted(figures.rows("ceph.mds_info"), key=_order):
        active = rank.lstrip("-").isdigit() and int(rank) >= 0
        silent = active and figures.of("ceph.mds_heard_per_s", name) == 0.0
        state = f"{'silent, ' if silent else ''}rank {rank}" if active else "standby"
        found.append(CephDaemon(name, host, state, well=not silent))
    return tuple(found)


def _osds(figures: Figures) -> tuple[Osd, ...]:
    """All that the mgr knows of; one of which it has latencies alone is down and out."""
    up, inside = figures.rows("ceph.osd_up"), figures.rows("ceph.osd_in")
    places = {key[0]: (key[1], key[2]) for key in figures.rows("ceph.osd_info")}
    found = []
    for key in sorted({*up, *inside, *figures.rows("ceph.osd_apply_latency_ms")}, key=_order):
        name = key[0]
        host, device_class = places.get(name, ("", ""))
        latency_ms = figures.of("ceph.osd_apply_latency_ms", name)
        found.append(
            Osd(
                id=name,
                host=host,
                device_class=device_class,
                up=up.get(key, 0.0) > 0,
                is_in=inside.get(key, 0.0) > 0,
                weight=figures.of("ceph.osd_weight", name),
                size_bytes=figures.of("ceph.osd_bytes", name),
                used_bytes=figures.of("ceph.osd_used_bytes", name),
                apply_latency_s=None if latency_ms is None else latency_ms / 1000,
            )
        )
    return tuple(found)


def _slow_daemons(figures: Figures) -> tuple[tuple[str, int], ...]:
    waiting = {key: int(value) for key, value in figures.rows("ceph.slow_daemons").items() if not math.isnan(value)}
    return tuple((key[0], waiting[key]) for key in sorted(waiting, key=lambda key: (-waiting[key], _order(key))))


def _placement_groups(figures: Figures) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Placement groups by state over all pools, and by pool and state; each pool's has `total` too."""
    by_state: dict[str, int] = {}
    by_pool: dict[str, dict[str, int]] = {}
    for (metric, pool_id), value in figures.rows("ceph.pg_states").items():
        state = metric.removeprefix(_PG_PREFIX)
        if math.isnan(value):
            continue
        by_pool.setdefault(pool_id, {})[state] = int(value)
        if state != _TOTAL:
            by_state[state] = by_state.get(state, 0) + int(value)
    return by_state, by_pool


def _most_first(states: dict[str, int]) -> tuple[tuple[str, int], ...]:
    counted = ((state, number) for state, number in states.items() if state != _TOTAL)
    return tuple(sorted(counted, key=lambda item: (-item[1], item[0])))


def _pools(figures: Figures, by_pool: dict[str, dict[str, int]]) -> tuple[Pool, ...]:
    named = {key[0]: key[1:] for key in figures.rows("ceph.pool_info")}
    found = []
    for pool_id in sorted({*named, *(pool for pool in by_pool if pool)}, key=_number_first):
        name, kind, description = named.get(pool_id, ("", "", ""))
        states = by_pool.get(pool_id, {})
        found.append(
            Pool(
                id=pool_id,
                name=name or pool_id,
                kind=description or kind,
                pgs=states.get(_TOTAL, 0),
                pgs_clean=states.get("clean", 0),
                stored_bytes=figures.of("ceph.pool_stored_bytes", pool_id),
                max_avail_bytes=figures.of("ceph.pool_max_avail_bytes", pool_id),
                used_ratio=figures.of("ceph.pool_percent_used", pool_id),
                quota_bytes=figures.of("ceph.pool_quota_bytes", pool_id),
                objects=figures.of("ceph.pool_objects", pool_id),
                read_per_s=figures.of("ceph.pool_read_per_s", pool_id),
                write_per_s=figures.of("ceph.pool_write_per_s", pool_id),
                read_bytes_per_s=figures.of("ceph.pool_read_bytes_per_s", pool_id),
                write_bytes_per_s=figures.of("ceph.pool_write_bytes_per_s", pool_id),
                pg_states=_most_first(states),
            )
        )
    return tuple(found)


def _order(key: tuple[str, ...]) -> tuple[str, int, str]:
    """osd.2 before osd.10."""
    kind, _, number = key[0].partition(".")
    return (kind, int(number), "") if number.isascii() and number.isdigit() else (kind, -1, number)


def _number_first(pool_id: str) -> tuple[int, str]:
    return (int(pool_id), "") if pool_id.isascii() and pool_id.isdigit() else (-1, pool_id)
