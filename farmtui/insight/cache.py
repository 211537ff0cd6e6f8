"""Faults of the cache tier: its hit ratio, each Varnish with its backends, each Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from farmtui.farm.farm import Farm
from farmtui.farm.node import Node, Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.traffic import CacheNode, CacheTier, RedisNode
from farmtui.farm.units import count, duration, percent, plural, rate
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines
from farmtui.insight.thresholds import (
    HIT_RATIO,
    HIT_RATIO_LOST,
    REDIS_EVICTIONS_PER_S,
    RESIDENCE_S,
    above,
    below,
)

_WARMING_S = 1800.0
"""A Varnish that began so recently still fills its cache."""


def cache_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """The hit ratio against its floor and against last week, each Varnish, each Redis."""
    cache = farm.cache
    if cache is None:
        return
    told = farm.freshness("varnish") in (Freshness.LIVE, Freshness.AGEING)
    yield from _varnish(cache.nodes, machines)
    yield from _backends(cache.nodes, machines, told=told)
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
    dropping = [node for node in nodes if node.dropped_sessions]
    if dropping:
        dropped = sum(node.dropped_sessions or 0.0 for node in dropping)
        visitors = plural(round(dropped), "visitor was", "visitors were")
        why = f"no thread was free: {visitors} turned away within five minutes"
        yield _of_varnish("dropped", Severity.CRITICAL, dropping, machines, "drops visitors", why)
    waiting = [node for node in nodes if node.thread_queue and not node.dropped_sessions]
    if waiting:
        queued = sum(node.thread_queue or 0.0 for node in waiting)
        requests = plural(round(queued), "request waits", "requests wait")
        why = f"{requests} for a free thread: the backends answer slowly, or there are too few"
        yield _of_varnish("threads", Severity.WARNING, waiting, machines, "is out of threads", why)
    storming = [node for node in nodes if below(node.residence_s, RESIDENCE_S)]
    if storming:
        evicted = sum(node.evictions_per_s or 0.0 for node in storming)
        stays = duration(min(node.residence_s or 0.0 for node in storming))
        why = f"its storage is too small: {rate(evicted)} pages are thrown out to make room, each after some {stays}"
        yield _of_varnish("evictions", Severity.WARNING, storming, machines, "evicts what it has just stored", why)


def _backends(nodes: Sequence[CacheNode], machines: Machines, *, told: bool) -> Iterator[Finding]:
    """Backends that are down: for certain where varnishadm tells, else where fetches fail too."""
    # What a node told before it fell silent is as old as its silence: its metrics have the word then.
    sick = [node for node in nodes if told and node.backends_sick and not node.backends_problem]
    if sick:
        names = sorted({name for node in sick for name in node.backends_sick})
        alone = [node for node in sick if not any(backend.healthy is not False for backend in node.backends)]
        set_so = sorted({b.name for node in sick for b in node.backends if b.healthy is False and b.admin == "sick"})
        why = f"their probes fail: {_some(names)}; requests go to the others"
        if alone:
            why = f"none of its backends is left ({_some(names)}): what is not cached is answered with 503"
        elif set_so == names:
            why = f"somebody has set it so: {_some(names)} (varnishadm backend.set_health NAME auto takes it back)"
        severity = Severity.CRITICAL if alone else Severity.INFO if set_so == names else Severity.WARNING
        does = "has no backend" if alone else "has sick backends" if len(names) > 1 else "has a sick backend"
        yield _of_varnish("backends", severity, alone or sick, machines, does, why, machines.gone_behind(names))
    # Without a probe a backend reads as down in the metrics too: only failed fetches say that it is.
    lost = [
        node
        for node in nodes
        if node.backends_down
        and node.backend_failures_per_s
        and not (told and node.backends_at is not None and not node.backends_problem)
    ]
    if lost:
        failing = sum(node.backend_failures_per_s or 0.0 for node in lost)
        names = sorted({backend for node in lost for backend in node.backends_down})
        why = f"{rate(failing)} of the fetches fail; down: {_some(names)}"
        yield _of_varnish(
            "fetches", Severity.WARNING, lost, machines, "has lost backends", why, machines.gone_behind(names)
        )  # fmt: skip


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


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
