"""Figures as the request path's first half: the edge and the cache tier."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from farmtui.farm.traffic import (
    Backend,
    CacheNode,
    CacheTier,
    Certificate,
    Edge,
    EdgeNode,
    RedisNode,
    SiteTraffic,
)
from farmtui.sources.prometheus.decode import Key
from farmtui.sources.prometheus.figures import Figures


def edge(figures: Figures) -> Edge | None:
    """The edge; None while no Traefik has ever been seen."""
    if not {"edge", "sites"} & figures.met:
        return None
    sites_seen = figures.whole("sites.seen")
    return Edge(
        nodes=tuple(_edge_node(figures, instance) for instance in figures.instances("edge")),
        backends=tuple(
            Backend(service, url, up=value > 0)
            for (service, url), value in sorted(figures.rows("edge.server_up").items())
        ),
        requests_per_s=figures.number("edge.total_requests_per_s"),
        error_ratio=figures.number("edge.error_ratio"),
        latency_p95_s=figures.number("edge.latency_p95_s"),
        sites_seen=sites_seen,
        # Without router metrics the query says 0, which would be a lie: nobody has counted.
        sites_failing_count=None if sites_seen is None else figures.whole("sites.failing_count"),
        sites_failing=_worst_first(figures.rows("sites.failing")),
        sites_busiest=_worst_first(figures.rows("sites.busiest")),
        certificates=_certificates(figures.rows("edge.certificate_expiry")),
    )


def _edge_node(figures: Figures, instance: str) -> EdgeNode:
    requests = figures.of("edge.requests_per_s", instance)
    errors = figures.of("edge.errors_per_s", instance)
    if errors is None and requests is not None and "edge.errors_per_s" in figures.answered_at:
        # A Traefik that has never answered 5xx has no such series.
        errors = 0.0
    return EdgeNode(
        instance=instance,
        requests_per_s=requests,
        errors_per_s=errors,
        open_connections=figures.of("edge.open_connections", instance),
        seen_at=figures.seen("edge", instance),
    )


def _worst_first(rows: Mapping[Key, float]) -> tuple[SiteTraffic, ...]:
    """Sites by their number, largest first; those without one last."""
    ordered = sorted(rows.items(), key=lambda row: (math.isnan(row[1]), -row[1] if row[1] == row[1] else 0.0, row[0]))
    return tuple(SiteTraffic(key[0], value) for key, value in ordered)


def _certificates(rows: Mapping[Key, float]) -> tuple[Certificate, ...]:
    found = []
    for (sans, cn), seconds in rows.items():
        # Authorities leave the common name empty more and more: the names are the alternative ones then.
        try:
            found.append(Certificate(cn or sans.partition(",")[0], datetime.fromtimestamp(seconds, UTC)))
        except (ValueError, OverflowError, OSError):
            # NaN, or a year that no calendar has: not a certificate's date.
            continue
    return tuple(sorted(found, key=lambda certificate: (certificate.not_after, certificate.cn)))


def cache_tier(figures: Figures) -> CacheTier | None:
    """The cache tier; None while neither a Varnish nor a Redis has ever been seen."""
    if not {"cache", "redis"} & figures.met:
        return None
    down: dict[str, list[str]] = {}
    for instance, backend in sorted(figures.rows("cache.backends_down")):
        down.setdefault(instance, []).append(backend)
    roles = {key[0]: key[1] for key in figures.rows("redis.info")}
    return CacheTier(
        nodes=tuple(
            _cache_node(figures, instance, tuple(down.get(instance, ()))) for instance in figures.instances("cache")
        ),
        redis=tuple(_redis_node(figures, instance, roles.get(instance, "")) for instance in figures.instances("redis")),
        hit_ratio=figures.number("cache.tier_hit_ratio"),
        hit_ratio_last_week=figures.number("cache.tier_hit_ratio_last_week"),
    )


def _cache_node(figures: Figures, instance: str, backends_down: tuple[str, ...]) -> CacheNode:
    def of(name: str) -> float | None:
        return figures.of(f"cache.{name}", instance)

    return CacheNode(
        instance=instance,
        hit_ratio=of("hit_ratio"),
        hit_per_s=of("hit_per_s"),
        miss_per_s=of("miss_per_s"),
        pass_per_s=of("pass_per_s"),
        hitmiss_per_s=of("hitmiss_per_s"),
        requests_per_s=of("requests_per_s"),
        evictions_per_s=of("evictions_per_s"),
        backend_failures_per_s=of("backend_failures_per_s"),
        storage_ratio=of("storage_ratio"),
        storage_bytes=of("storage_bytes"),
        objects=of("objects"),
        threads=of("threads"),
        thread_queue=of("thread_queue"),
        dropped_sessions=of("dropped_sessions"),
        uptime_s=of("uptime_s"),
        child_deaths=of("child_deaths"),
        backends_down=backends_down,
        seen_at=figures.seen("cache", instance),
    )


def _redis_node(figures: Figures, instance: str, role: str) -> RedisNode:
    def of(name: str) -> float | None:
        return figures.of(f"redis.{name}", instance)

    return RedisNode(
        instance=instance,
        # An exporter that is gone no longer says whether its Redis is up.
        up=figures.is_one("redis.up", instance) if figures.live("redis", instance) else None,
        role=role,
        hit_ratio=of("hit_ratio"),
        evictions_per_s=of("evictions_per_s"),
        memory_bytes=of("memory_bytes"),
        memory_max_bytes=of("memory_max_bytes"),
        clients=of("clients"),
        commands_per_s=of("commands_per_s"),
        seen_at=figures.seen("redis", instance),
    )
