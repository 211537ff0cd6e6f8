"""Faults on the way of a request: the edge and the cache tier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from farmtui.farm.farm import Farm
from farmtui.farm.node import Node, Tier
from farmtui.farm.state import Severity
from farmtui.farm.traffic import Backend, CacheNode, CacheTier, Edge, RedisNode
from farmtui.farm.units import count, duration, percent, rate
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines
from farmtui.insight.thresholds import (
    CERTIFICATE_S,
    ERROR_RATIO,
    HIT_RATIO,
    HIT_RATIO_LOST,
    LATENCY_S,
    REDIS_EVICTIONS_PER_S,
    above,
    below,
)

_WARMING_S = 1800.0
"""A Varnish that began so recently still fills its cache."""


def edge_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """Errors, slowness, backends, sites and certificates, as Traefik tells them."""
    edge = farm.edge
    if edge is None:
        return
    yield from _backends(edge, machines)
    if severity := above(edge.error_ratio, ERROR_RATIO):
        yield Finding(
            "edge/errors",
            severity,
            f"{percent(edge.error_ratio)} of all answers are errors",
            _failing_sites(edge),
            (f"{rate((edge.error_ratio or 0.0) * (edge.requests_per_s or 0.0))} of {rate(edge.requests_per_s)} fail",),
            screen="overview",
            part="edge",
            covers=frozenset(("site", site.router) for site in edge.sites_failing),
            topics=("edgeerror", "httperror", "errorrate", "5xx", "sitedown"),
        )
    elif edge.sites_failing_count:
        worst = edge.sites_failing[0] if edge.sites_failing else None
        many = edge.sites_failing_count
        subject = ("site", worst.router) if worst and many == 1 else ("", "")
        yield Finding(
            "edge/sites",
            Severity.WARNING,
            f"{worst.router} fails" if worst and many == 1 else f"{many} sites fail",
            "more than half of its answers are 5xx: the site itself is broken, or what only it uses"
            if many == 1
            else f"more than half of their answers are 5xx; {_failing_sites(edge)}",
            (f"{worst.router}: {percent(worst.value)} are errors",) if worst else (),
            subject,
            "overview",
            "wordpress",
            covers=frozenset(("site", site.router) for site in edge.sites_failing),
            topics=("sitedown", "siteerror"),
        )
    if severity := above(edge.latency_p95_s, LATENCY_S):
        yield Finding(
            "edge/latency",
            severity,
            f"answers are slow: p95 {duration(edge.latency_p95_s)}",
            "one visitor in twenty waits longer than that; WordPress, its database or its files are slow",
            (f"{rate(edge.requests_per_s)} at the edge",),
            screen="overview",
            part="edge",
            topics=("edgeslow", "edgelatency", "latency", "responsetime"),
        )
    yield from _certificates(farm, edge)


def _failing_sites(edge: Edge) -> str:
    if not edge.sites_failing_count:
        return "they are spread over the sites: no single site fails more than half of its requests"
    names = ", ".join(site.router for site in edge.sites_failing[:3])
    if edge.sites_failing_count == 1:
        return f"they come from one site: {names}"
    return f"{edge.sites_failing_count} sites fail, the worst {names}"


def _backends(edge: Edge, machines: Machines) -> Iterator[Finding]:
    services: defaultdict[str, list[Backend]] = defaultdict(list)
    for backend in edge.backends:
        services[backend.service].append(backend)
    hurt = {name: [b for b in all_of if not b.up] for name, all_of in services.items()}
    hurt = {name: down for name, down in hurt.items() if down}
    if not hurt:
        return
    dead = [name for name, down in hurt.items() if len(down) == len(services[name])]
    down = sum(len(backends) for backends in hurt.values())
    if dead:
        cause = f"no server is left of {', '.join(dead[:3])}" + (f" and {len(dead) - 3} more" if len(dead) > 3 else "")
    else:
        cause = f"Traefik's health check has taken them out of {', '.join(list(hurt)[:3])}"
    urls = [backend.url for backends in hurt.values() for backend in backends]
    gone = machines.gone_behind(urls)
    yield Finding(
        "edge/backends",
        Severity.CRITICAL if dead else Severity.WARNING,
        f"{down} of {len(edge.backends)} backends are down",
        cause,
        (", ".join(urls[:4]) + (f" and {len(urls) - 4} more" if len(urls) > 4 else ""),),
        ("node", gone.name) if gone else ("", ""),
        screen="topology",
        part="edge",
        topics=("edgebackend", "backenddown", "serverdown"),
    )


def _certificates(farm: Farm, edge: Edge) -> Iterator[Finding]:
    ending = []
    for certificate in edge.certificates:
        left_s = (certificate.not_after - farm.at).total_seconds()
        if severity := below(left_s, CERTIFICATE_S):
            ending.append((left_s, severity, certificate.cn))
    if not ending:
        return
    ending.sort()
    left_s, severity, name = ending[0]
    when = f"ended {duration(-left_s)} ago" if left_s < 0 else f"ends in {duration(left_s)}"
    more = f"; {len(ending) - 1} more end soon" if len(ending) > 1 else ""
    yield Finding(
        "edge/certificates",
        severity,
        f"certificate of {name} {when}",
        f"Traefik has not renewed it, as it does 30 days ahead{more}",
        tuple(f"{cn}: {duration(max(0.0, left))}" for left, _, cn in ending[1:4]),
        screen="overview",
        part="edge",
        topics=("certificate", "certexpir"),
    )


def cache_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """The hit ratio against its floor and against last week, each Varnish, each Redis."""
    cache = farm.cache
    if cache is None:
        return
    yield from _varnish(cache.nodes, machines)
    for redis in cache.redis:
        yield from _redis(redis, machines.named(redis.instance))
    now, then = cache.hit_ratio, cache.hit_ratio_last_week
    lost = None if now is None or then is None else then - now
    severity = max(below(now, HIT_RATIO), above(lost, HIT_RATIO_LOST))
    if severity is Severity.OK:
        return
    compared = f"{percent(then)} at this hour last week" if then is not None and then == then else ""
    misses = sum(node.miss_per_s or 0.0 for node in cache.nodes)
    yield Finding(
        "cache/hit-ratio",
        severity,
        f"hit ratio is {percent(now)}",
        _why_low(cache, machines),
        tuple(text for text in (compared, f"{rate(misses)} miss the cache and go to WordPress") if text),
        # What a cache node held is fetched anew by the others: its loss is the cause until they have it.
        ("node", machines.gone[Tier.CACHE][0].name) if Tier.CACHE in machines.gone else ("", ""),
        screen="cache",
        part="cache",
        topics=("hitratio", "hitrate"),
    )


def _why_low(cache: CacheTier, machines: Machines) -> str:
    """What the figures themselves say about a low ratio; a guess is not made."""
    measured = [node for node in cache.nodes if node.hit_ratio is not None and node.hit_ratio == node.hit_ratio]
    young = [
        machines.named(node.instance) for node in measured if node.uptime_s is not None and node.uptime_s < _WARMING_S
    ]
    if young:
        return f"{', '.join(young)} started a short while ago: its cache still fills"
    if len(measured) > 1:
        worst = min(measured, key=lambda node: node.hit_ratio or 0.0)
        others = [node.hit_ratio or 0.0 for node in measured if node is not worst]
        mean = sum(others) / len(others)
        if mean - (worst.hit_ratio or 0.0) > 0.10:
            name = machines.named(worst.instance)
            return f"{name} pulls it down: {percent(worst.hit_ratio)}, the others {percent(mean)}"
    evicting = [node for node in measured if (node.evictions_per_s or 0.0) >= 1.0]
    if len(evicting) * 2 > len(measured):
        evictions = sum(node.evictions_per_s or 0.0 for node in evicting)
        return f"the caches are full and throw out what is still wanted: {rate(evictions)} evictions"
    return "all cache nodes alike: more requests than usual cannot be cached, or were not asked before"


def _varnish(nodes: Sequence[CacheNode], machines: Machines) -> Iterator[Finding]:
    """Each kind of trouble once, with all the nodes that have it."""
    crashed = [node for node in nodes if node.child_deaths]
    if crashed:
        times = ", ".join(f"{machines.named(node.instance)} {count(node.child_deaths)}×" for node in crashed)
        why = f"the child process died and began anew with an empty cache; within the hour: {times}"
        yield _of_varnish("deaths", Severity.WARNING, crashed, machines, "has crashed", why)
    # Without a probe a backend reads as down too: only failed fetches say that it is.
    lost = [node for node in nodes if node.backends_down and node.backend_failures_per_s]
    if lost:
        failing = sum(node.backend_failures_per_s or 0.0 for node in lost)
        backends = sorted({backend for node in lost for backend in node.backends_down})
        gone = machines.gone_behind(backends)
        named = ", ".join(backends[:3]) + (f" and {len(backends) - 3} more" if len(backends) > 3 else "")
        why = f"{rate(failing)} of the fetches fail; down: {named}"
        yield _of_varnish("backends", Severity.WARNING, lost, machines, "has lost backends", why, gone)
    dropping = [node for node in nodes if node.dropped_sessions]
    if dropping:
        dropped = sum(node.dropped_sessions or 0.0 for node in dropping)
        why = f"no thread was free: {count(dropped)} visitors were turned away within five minutes"
        yield _of_varnish("dropped", Severity.CRITICAL, dropping, machines, "drops visitors", why)
    waiting = [node for node in nodes if node.thread_queue and not node.dropped_sessions]
    if waiting:
        queued = sum(node.thread_queue or 0.0 for node in waiting)
        why = f"{count(queued)} requests wait for a free thread: the backends answer slowly, or there are too few"
        yield _of_varnish("threads", Severity.WARNING, waiting, machines, "is out of threads", why)


def _of_varnish(
    what: str,
    severity: Severity,
    nodes: Sequence[CacheNode],
    machines: Machines,
    does: str,
    cause: str,
    gone: Node | None = None,
) -> Finding:
    """`gone` is a machine of which this is a consequence."""
    subject: Thing = ("node", gone.name) if gone else ("varnish", nodes[0].instance) if len(nodes) == 1 else ("", "")
    who = ", ".join(machines.named(node.instance) for node in nodes[:3])
    more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
    covers = frozenset(("varnish", node.instance) for node in nodes)
    return Finding(
        f"varnish/{what}", severity, f"Varnish on {who}{more} {does}", cause, (), subject, "cache", "cache",
        covers=covers, topics=("varnish",),
    )  # fmt: skip


def _redis(redis: RedisNode, name: str) -> Iterator[Finding]:
    subject = ("redis", redis.instance)
    if redis.up is False:
        yield Finding(
            f"redis/down/{redis.instance}",
            Severity.CRITICAL,
            f"Redis on {name} is down",
            f"{'Redis and its exporter do' if redis.seen_at is None else 'Redis does'} not answer: "
            "WordPress asks the database for what it kept there",
            (f"role {redis.role}",) if redis.role else (),
            subject,
            "cache",
            "cache",
            covers=frozenset({subject}),
            topics=("redis",),
        )
    elif severity := above(redis.evictions_per_s, REDIS_EVICTIONS_PER_S):
        full = redis.memory_bytes / redis.memory_max_bytes if redis.memory_bytes and redis.memory_max_bytes else None
        used = f"{percent(full)} of its memory is used" if full is not None else ""
        yield Finding(
            f"redis/evictions/{redis.instance}",
            severity,
            f"Redis on {name} evicts keys",
            "its memory is too small for what WordPress keeps in it",
            tuple(text for text in (f"{rate(redis.evictions_per_s)} evicted", used) if text),
            subject,
            "cache",
            "cache",
            topics=("redis",),
        )
