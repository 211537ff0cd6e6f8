"""Describers of the edge, the cache tier and the sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import age, ago, count, data_size, duration, percent, rate
from screens.describe import Block, Detail, Field, Link, describer
from screens.describe.machines import node_subject

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm
    from farmtui.farm.traffic import CacheNode
    from farmtui.farm.varnish import VarnishBackend


def machine_name(farm: Farm, instance: str) -> str:
    """The name of the machine behind an instance label, or the label where none is known."""
    node = farm.node_of_instance(instance)
    return node.name if node else instance


def _machine_link(farm: Farm, instance: str) -> tuple[Link, ...]:
    node = farm.node_of_instance(instance)
    return (Link("machine", node_subject(node), f"{node.name}  {node.place}", node.state),) if node else ()


def _measured(farm: Farm, seen_at: object) -> Field:
    from datetime import datetime

    seconds = (farm.at - seen_at).total_seconds() if isinstance(seen_at, datetime) else None
    return Field("measured", ago(seconds))


@describer("varnish")
def describe_varnish(farm: Farm, key: str) -> Detail | None:
    """One Varnish."""
    node = next((n for n in farm.cache.nodes if n.instance == key), None) if farm.cache else None
    if node is None:
        return None
    lookups = Block(
        "Lookups",
        (
            Field("hit ratio", f"{percent(node.hit_ratio)}  of what may be cached: hit / (hit + miss)"),
            Field("with passes", f"{percent(overall_ratio(node))}  hit / (hit + miss + pass)"),
            Field("hit", rate(node.hit_per_s)),
            Field("miss", rate(node.miss_per_s)),
            Field("hit-for-miss", f"{rate(node.hitmiss_per_s)}  (counted in miss)"),
            Field("pass", rate(node.pass_per_s)),
            Field("requests", rate(node.requests_per_s)),
        ),
    )
    room = Block(
        "Room",
        (
            Field("storage used", f"{percent(node.storage_ratio)}  {data_size(node.storage_bytes)}"),
            Field("objects", count(node.objects)),
            Field("evictions", rate(node.evictions_per_s)),
            Field("threads", count(node.threads)),
            Field("waiting for a thread", count(node.thread_queue), _when(node.thread_queue)),
            Field("sessions dropped, 5 min", count(node.dropped_sessions), _when(node.dropped_sessions)),
        ),
    )
    health = Block(
        "Health",
        (
            Field("child up for", duration(node.uptime_s)),
            Field("child died, 1 h", count(node.child_deaths), _when(node.child_deaths)),
            Field("backend failures", rate(node.backend_failures_per_s), _when(node.backend_failures_per_s)),
            *((Field("varnishadm", node.backends_problem, Severity.UNKNOWN),) if node.backends_problem else ()),
            *(() if node.backends else (Field("backends at 0", ", ".join(node.backends_down) or "none"),)),
            _measured(farm, node.seen_at),
        ),
    )
    backends = (Block("Backends, by varnishadm", tuple(_backend(farm, b) for b in node.backends)),)
    blocks = (lookups, room, health, *(backends if node.backends else ()))
    return Detail(f"varnish {machine_name(farm, key)}", None, (), blocks, _machine_link(farm, key), raw=node)


def _backend(farm: Farm, backend: VarnishBackend) -> Field:
    """Whether it is sick, what its probe says, and since when; one without a probe is not called healthy."""
    word = {True: "healthy", False: "sick", None: "no probe: nobody can tell"}[backend.healthy]
    probe = f", {backend.good} of the last {backend.window} probes well" if backend.window else ""
    by_hand = ", set so by hand" if backend.healthy is not None and backend.admin in ("healthy", "sick") else ""
    since = f", for {age((farm.at - backend.since).total_seconds())}" if backend.since else ""
    severity = Severity.WARNING if backend.healthy is False else None
    return Field(backend.name, f"{word}{by_hand}{probe}{since}", severity)


def overall_ratio(node: CacheNode) -> float | None:
    """hit / (hit + miss + pass), 0-1; None where a part is not measured, NaN without traffic."""
    if node.hit_per_s is None or node.miss_per_s is None or node.pass_per_s is None:
        return None
    total = node.hit_per_s + node.miss_per_s + node.pass_per_s
    return node.hit_per_s / total if total > 0 else float("nan")


def _when(value: float | None) -> Severity | None:
    return Severity.WARNING if value is not None and value > 0 else None


@describer("redis")
def describe_redis(farm: Farm, key: str) -> Detail | None:
    """One Redis."""
    node = next((n for n in farm.cache.redis if n.instance == key), None) if farm.cache else None
    if node is None:
        return None
    fields = (
        Field("role", node.role or "–"),
        Field("answers", {True: "yes", False: "no", None: "–"}[node.up]),
        Field("hit ratio", percent(node.hit_ratio)),
        Field("memory", f"{data_size(node.memory_bytes)} of {data_size(node.memory_max_bytes)}"),
        Field("evictions", rate(node.evictions_per_s), _when(node.evictions_per_s)),
        Field("clients", count(node.clients)),
        Field("commands", rate(node.commands_per_s)),
        _measured(farm, node.seen_at),
    )
    severity = Severity.CRITICAL if node.up is False else None
    return Detail(
        f"redis {machine_name(farm, key)}", severity, (), (Block("Redis", fields),), _machine_link(farm, key), raw=node
    )


@describer("backend")
def describe_backend(farm: Farm, key: str) -> Detail | None:
    """One server behind Traefik."""
    backend = next((b for b in farm.edge.backends if f"{b.service} {b.url}" == key), None) if farm.edge else None
    if backend is None:
        return None
    severity = Severity.OK if backend.up else Severity.CRITICAL
    fields = (
        Field("service", backend.service),
        Field("address", backend.url),
        Field("health check", "passes" if backend.up else "fails", severity),
    )
    return Detail(backend.url, severity, (), (Block("Backend", fields),), raw=backend)
