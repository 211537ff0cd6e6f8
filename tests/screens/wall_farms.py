"""Farms for the wall: well, warning, critical, late, and with nobody who tells of now."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

from farmtui.farm.farm import Farm
from farmtui.farm.reading import Failure, FailureKind
from farmtui.farm.state import Freshness, Severity
from tests.screens.farms import NOW
from tests.screens.whole import whole_farm


def healthy() -> Farm:
    """The whole farm without any of its faults."""
    farm = whole_farm()
    assert farm.edge is not None
    assert farm.cache is not None
    assert farm.ceph is not None
    assert farm.book is not None
    sources = tuple(
        dataclasses.replace(s, freshness=Freshness.LIVE, last_success_at=NOW, failure=None, failures_in_a_row=0)
        for s in farm.sources
    )
    cached = tuple(dataclasses.replace(n, seen_at=NOW, hit_ratio=0.93, evictions_per_s=0) for n in farm.cache.nodes)
    ceph = dataclasses.replace(
        farm.ceph,
        health=Severity.OK,
        checks=(),
        flags=(),
        osds=tuple(dataclasses.replace(osd, up=True) for osd in farm.ceph.osds),
        pg_states=(("active", 192), ("clean", 192)),
        objects_degraded=0.0,
        objects_misplaced=0.0,
        pools=farm.ceph.pools[1:],
    )
    return dataclasses.replace(
        farm,
        nodes=tuple(dataclasses.replace(node, state=Severity.OK, reasons=()) for node in farm.nodes),
        tiers=tuple(
            dataclasses.replace(t, healthy=t.expected or 0, serving=t.expected or 0, state=Severity.OK)
            for t in farm.tiers
        ),
        sources=sources,
        edge=dataclasses.replace(farm.edge, sites_failing_count=0, sites_failing=(), error_ratio=0.0004),
        cache=dataclasses.replace(farm.cache, nodes=cached, hit_ratio=0.93),
        ceph=ceph,
        book=dataclasses.replace(farm.book, alerts=()),
    )


def warning() -> Farm:
    """One OSD is down."""
    return dataclasses.replace(healthy(), ceph=whole_farm().ceph)


def failing() -> Farm:
    """Well, but the newest answer of Prometheus has failed."""
    farm = healthy()
    refused = Failure(FailureKind.UNREACHABLE, "prometheus: connection refused", "see whether it runs")
    return dataclasses.replace(
        farm,
        sources=tuple(
            dataclasses.replace(s, failure=refused, failures_in_a_row=1, last_attempt_at=NOW + timedelta(seconds=10))
            if s.name == "prometheus"
            else s
            for s in farm.sources
        ),
    )


FARMS: dict[str, tuple[Callable[[], Farm], float]] = {
    "healthy": (healthy, 0.0),
    "warning": (warning, 0.0),
    "critical": (whole_farm, 0.0),
    "dead": (healthy, 1900.0),
    "dead-critical": (whole_farm, 1900.0),
}
"""By name: the farm, and how many seconds after its picture the wall is looked at."""
