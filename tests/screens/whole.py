"""A whole farm with some faults in it, the same each time: what the screens' tests and pictures show."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from datetime import timedelta

from farmtui.farm.cluster import Ceph, CephDaemon, Galera, GaleraNode, HealthCheck, Osd, Pool
from farmtui.farm.farm import Farm
from farmtui.farm.networks import Hop
from farmtui.farm.node import Node, Provider, Tier, TierSummary
from farmtui.farm.reading import Series, Trend
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.traffic import CacheNode, CacheTier, Edge, EdgeNode, RedisNode, SiteTraffic
from tests.screens.farms import NOW, make_alert, make_book, make_node, make_silence, make_source

_TIERS = (
    (Tier.EDGE, "mgr", 3, Provider.DIGITALOCEAN, "nyc3"),
    (Tier.CACHE, "cache", 3, Provider.DIGITALOCEAN, "nyc3"),
    (Tier.APP, "worker", 20, Provider.PROXMOX, "pve-1"),
    (Tier.DATABASE, "db", 3, Provider.PROXMOX, "pve-2"),
    (Tier.STORAGE, "stor", 3, Provider.PROXMOX, "pve-3"),
    (Tier.MONITORING, "mon", 2, Provider.DIGITALOCEAN, "fra1"),
)
_FAULTS = {
    "cache-2": (Severity.CRITICAL, "no exporter answers"),
    "worker-07": (Severity.WARNING, "the fullest disk is at 91 %"),
}


def _nodes() -> tuple[Node, ...]:
    nodes: list[Node] = []
    for tier, name, count, provider, place in _TIERS:
        for number in range(1, count + 1):
            title = f"{name}-{number:02d}" if count > 9 else f"{name}-{number}"
            state, reason = _FAULTS.get(title, (Severity.OK, ""))
            node = make_node(title, tier, address=f"10.20.{len(nodes)}.1", state=state)
            reasons = (reason,) if reason else ()
            nodes.append(dataclasses.replace(node, provider=provider, place=place, reasons=reasons))
    return tuple(nodes)


def _trend(name: str, value: Callable[[int], float | None], unit: str = "ratio") -> Trend:
    times = tuple(NOW.timestamp() - 60.0 * (360 - step) for step in range(361))
    return Trend(name, name, unit, 60.0, (Series((), times, tuple(value(step) for step in range(361))),))


def _varnish(number: int, hit: float, evictions: float, *, seen_s: float = 5.0) -> CacheNode:
    return CacheNode(
        instance=f"10.20.{2 + number}.1:9100",
        hit_ratio=hit,
        hit_per_s=900 * hit,
        miss_per_s=900 * (1 - hit),
        pass_per_s=40.0,
        hitmiss_per_s=3.0,
        requests_per_s=960.0,
        evictions_per_s=evictions,
        backend_failures_per_s=0.0,
        storage_ratio=0.98,
        storage_bytes=6.2e9,
        objects=120_000.0,
        threads=200.0,
        thread_queue=0.0,
        dropped_sessions=0.0,
        uptime_s=3.4 * 86_400,
        child_deaths=0.0,
        seen_at=NOW - timedelta(seconds=seen_s),
    )


def _ceph() -> Ceph:
    osds = tuple(
        Osd(f"osd.{n}", f"stor-{n // 2 + 1}", "ssd", n != 3, True, 1.0, 1e12, (0.5 + n / 20) * 1e12, 0.003)
        for n in range(6)
    )
    pools = tuple(
        Pool(str(n), name, "replicated", 64, 64 if n else 52, 4e11, 6e11, 0.4 + 0.1 * n, None, 1e6, 100, 300, 2e6, 9e6)
        for n, name in enumerate(("cephfs.data", "cephfs.meta", "rgw"))
    )
    return Ceph(
        health=Severity.WARNING,
        checks=(HealthCheck("OSD_DOWN", Severity.WARNING), HealthCheck("PG_DEGRADED", Severity.WARNING)),
        mons=tuple(CephDaemon(f"mon.{c}", f"stor-{n}", "quorum", True) for n, c in enumerate("abc", 1)),
        mgrs=(CephDaemon("mgr.a", "stor-1", "active", True),),
        mdss=(CephDaemon("mds.a", "stor-1", "rank 0", True), CephDaemon("mds.b", "stor-2", "standby", True)),
        rgws=(),
        filesystems=("cephfs",),
        mds_clients=12,
        osds=osds,
        flags=("noout",),
        pg_states=(("active", 192), ("clean", 180), ("degraded", 12)),
        pgs_total=192,
        pools=pools,
        objects_degraded=43_000.0,
        objects_misplaced=1_900.0,
        objects_unfound=0.0,
        total_bytes=6e12,
        used_bytes=3.1e12,
        growth_bytes_per_s=1e5,
        recovering_bytes_per_s=9e7,
        recovering_objects_per_s=120.0,
        slow_ops=0.0,
        seen_at=NOW,
    )


def whole_farm() -> Farm:
    """34 machines; a cache node is gone, a worker's disk is filling, an OSD is down, DigitalOcean does not answer."""
    nodes = _nodes()
    tiers = tuple(
        TierSummary(
            tier,
            count,
            count,
            sum(node.tier is tier and node.state <= Severity.WARNING for node in nodes),
            max(node.state for node in nodes if node.tier is tier),
            sum(node.tier is tier and node.state < Severity.CRITICAL for node in nodes),
        )
        for tier, _, count, _, _ in _TIERS
    )
    return Farm(
        name="demo",
        at=NOW,
        nodes=nodes,
        tiers=tiers,
        sources=(
            make_source("prometheus"),
            make_source("prometheus", name="prometheus trends"),
            make_source("alertmanager"),
            make_source("digitalocean", Freshness.STALE, answered=7),
        ),
        edge=Edge(
            nodes=tuple(EdgeNode(f"10.20.{n}.1:9100", 800, 2, 100, NOW) for n in range(3)),
            backends=(),
            requests_per_s=2410.3,
            error_ratio=0.0042,
            latency_p95_s=0.38,
            sites_seen=500,
            sites_failing_count=2,
            sites_failing=(SiteTraffic("shop-017@docker", 0.93), SiteTraffic("blog-3@docker", 0.61)),
            sites_busiest=tuple(SiteTraffic(f"site-{n:03d}@docker", 200 / n) for n in range(1, 50)),
            certificates=(),
        ),
        cache=CacheTier(
            nodes=(_varnish(1, 0.71, 12), _varnish(2, 0.9, 0, seen_s=240), _varnish(3, 0.72, 20)),
            redis=tuple(
                RedisNode(
                    f"10.20.{3 + n}.1:9100",
                    True,
                    "slave" if n else "master",
                    math.nan if n else 0.93,
                    0.0,
                    1.2e9,
                    2e9,
                    40,
                    1200,
                    NOW,
                )
                for n in range(3)
            ),
            hit_ratio=0.72,
            hit_ratio_last_week=0.93,
        ),
        galera=Galera(
            tuple(
                GaleraNode(f"10.20.{26 + n}.1:9100", True, 3, 4, True, True, 0.01, 0, 0, 900, 0.1, 40, 400, NOW)
                for n in range(3)
            )
        ),
        ceph=_ceph(),
        interconnects=(Hop("10.99.0.1", True, 0.0123, 0.0, NOW),),
        book=make_book(
            make_alert("NodeDown", instance="10.20.4.1:9100"),
            make_alert("CacheHitRatioLow", "warning", minutes=3),
            make_alert("OSDDown", "warning", minutes=40, silenced_by=("1ae49131-8139-42bb-934d-1acf9cf9b5ef",)),
            silences=(make_silence(),),
        ),
        trends={
            "edge.requests_per_s": _trend("requests", lambda s: 2000 + 600 * math.sin(s / 50), "per_s"),
            "edge.requests_per_s_last_week": _trend("before", lambda s: 1900 + 600 * math.sin(s / 50 + 0.1), "per_s"),
            "cache.hit_ratio": _trend(
                "hit", lambda s: None if 200 < s < 215 else 0.93 if s < 300 else 0.93 - (s - 300) / 290
            ),
            "cache.hit_ratio_last_week": _trend("before", lambda s: 0.93),
            "ceph.read_bytes_per_s": _trend("read", lambda s: 2e6 + 1e6 * math.sin(s / 9), "bytes_per_s"),
            "ceph.write_bytes_per_s": _trend("write", lambda s: 9e6 + 1e6 * math.sin(s / 20), "bytes_per_s"),
            "ceph.recovering_bytes_per_s": _trend("recovery", lambda s: 0 if s < 320 else 9e7, "bytes_per_s"),
            "edge.error_ratio": _trend("5xx", lambda s: 0.004 + 0.001 * math.sin(s / 7)),
            "edge.latency_p95_s": _trend("p95", lambda s: 0.38 + 0.05 * math.sin(s / 11), "s"),
            "ceph.used_ratio": _trend("used", lambda s: 0.5 + s / 20_000),
            "cache.evictions_per_s": _trend("evictions", lambda s: s / 30, "per_s"),
            "db.queries_per_s": _trend("queries", lambda s: 2700 + 200 * math.sin(s / 30), "per_s"),
        },
        expected_sites=500,
    )
