"""The cache tier as one: what the exporters measure, who does not answer, and what varnishadm says of backends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farmtui.farm.addresses import host_part, same_name
from farmtui.farm.node import Node, Tier
from farmtui.farm.traffic import CacheNode, CacheTier, RedisNode
from farmtui.farm.varnish import VarnishBackends


def cache_tier(cache: CacheTier | None, backends: Sequence[VarnishBackends], nodes: Sequence[Node]) -> CacheTier | None:
    """The tier of these parts; None where there is neither a figure nor a Varnish that is asked for its backends."""
    if cache is None and backends:
        cache = CacheTier((), (), None, None)
    cache = _with_silent(cache, nodes)
    return _with_backends(cache, backends, nodes) if cache is not None and backends else cache


def _with_backends(cache: CacheTier, told: Sequence[VarnishBackends], nodes: Sequence[Node]) -> CacheTier:
    """Each Varnish with its backends; one that no exporter measures has a row all the same."""
    by_instance = {row.instance: row for row in cache.nodes}
    for one in told:
        instance = one.instance or _instance(one.host, nodes) or one.host
        row = by_instance.get(instance, CacheNode(instance))
        by_instance[instance] = replace(
            row, backends=one.backends, backends_at=one.taken_at, backends_problem=one.problem
        )
    return replace(cache, nodes=tuple(sorted(by_instance.values(), key=lambda row: row.instance)))


def _instance(host: str, nodes: Sequence[Node]) -> str:
    """The instance of the Varnish exporter on the machine that ssh calls `host`."""
    for node in nodes:
        if same_name(node.name, host) or host_part(host) in node.addresses:
            found = [exporter.instance for exporter in node.exporters if "varnish" in exporter.job.casefold()]
            if found:
                return found[0]
    return ""


def _with_silent(cache: CacheTier | None, nodes: Sequence[Node]) -> CacheTier | None:
    """The cache tier with a row for each Varnish and Redis that does not answer: one that was down before we looked
    has left no figures, and would be missing from the table just when somebody looks for it."""
    if cache is None:
        return None
    silent = [e for node in nodes if node.tier is Tier.CACHE for e in node.exporters if not e.up]
    varnish = {exporter.instance for exporter in silent if "varnish" in exporter.job.casefold()}
    redis = {exporter.instance for exporter in silent if "redis" in exporter.job.casefold()}
    if not varnish and not redis:
        return cache
    rows = [replace(row, up=False) if row.instance in varnish else row for row in cache.nodes]
    rows += [CacheNode(instance, up=False) for instance in varnish - {row.instance for row in rows}]
    others = [replace(row, up=False) if row.instance in redis else row for row in cache.redis]
    others += [RedisNode(instance, up=False) for instance in redis - {row.instance for row in others}]
    return replace(
        cache,
        nodes=tuple(sorted(rows, key=lambda row: row.instance)),
        redis=tuple(sorted(others, key=lambda row: row.instance)),
    )
