"""The request path's first half: the edge and the cache tier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farmtui.farm.varnish import VarnishBackend


@dataclass(frozen=True, slots=True)
class EdgeNode:
    """One Traefik. Rates are per second."""

    instance: str
    requests_per_s: float | None
    errors_per_s: float | None
    open_connections: float | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Backend:
    """A server behind Traefik, as Traefik's own health check sees it."""

    service: str
    url: str
    up: bool


@dataclass(frozen=True, slots=True)
class SiteTraffic:
    """One site (Traefik router) and one figure of it: requests/s or a ratio, as the holder says."""

    router: str
    value: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that Traefik serves."""

    cn: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Edge:
    """The edge as a whole. Ratios are 0-1, NaN without traffic; None means not measured."""

    nodes: tuple[EdgeNode, ...]
    backends: tuple[Backend, ...]
    requests_per_s: float | None
    error_ratio: float | None
    latency_p95_s: float | None
    sites_seen: int | None
    sites_failing_count: int | None
    sites_failing: tuple[SiteTraffic, ...]
    """The 50 worst; `value` is the share of 5xx answers."""
    sites_busiest: tuple[SiteTraffic, ...]
    """The 50 busiest; `value` is requests per second."""
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class CacheNode:
    """One Varnish. Rates are per second; ratios 0-1, NaN without traffic; None means not measured."""

    instance: str
    up: bool | None = None
    """False where its exporter does not answer; None where nobody watches."""
    hit_ratio: float | None = None
    """hit / (hit + miss): the cacheable ratio."""
    hit_per_s: float | None = None
    miss_per_s: float | None = None
    pass_per_s: float | None = None
    hitmiss_per_s: float | None = None
    """Already counted inside miss."""
    requests_per_s: float | None = None
    evictions_per_s: float | None = None
    backend_failures_per_s: float | None = None
    storage_ratio: float | None = None
    storage_bytes: float | None = None
    objects: float | None = None
    threads: float | None = None
    thread_queue: float | None = None
    dropped_sessions: float | None = None
    """In the last five minutes."""
    uptime_s: float | None = None
    child_deaths: float | None = None
    """In the last hour."""
    backends_down: tuple[str, ...] = ()
    """Backends that read 0: down, or without a probe."""
    backends: tuple[VarnishBackend, ...] = ()
    """By varnishadm, as of `backends_at`; empty where it is not asked."""
    backends_at: datetime | None = None
    backends_problem: str = ""
    """Why varnishadm tells nothing of them now; empty where it does, or is not asked."""
    seen_at: datetime | None = None

    @property
    def residence_s(self) -> float | None:
        """For how many seconds a page stays, at the pace at which pages are thrown out; None where hardly any is."""
        if self.objects is None or self.evictions_per_s is None or not self.evictions_per_s >= 1.0:
            return None
        return self.objects / self.evictions_per_s

    @property
    def backends_sick(self) -> tuple[str, ...]:
        """Names of the backends that varnishadm says are sick; never one of which nobody can tell."""
        return tuple(backend.name for backend in self.backends if backend.healthy is False)


@dataclass(frozen=True, slots=True)
class RedisNode:
    """One Redis. Ratios 0-1, NaN when idle; `memory_max_bytes` is None where there is no limit."""

    instance: str
    up: bool | None = None
    """False where it, or its exporter, does not answer."""
    role: str = ""
    hit_ratio: float | None = None
    evictions_per_s: float | None = None
    memory_bytes: float | None = None
    memory_max_bytes: float | None = None
    clients: float | None = None
    commands_per_s: float | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CacheTier:
    """The cache tier. `hit_ratio` is sum over sum, never an average of ratios."""

    nodes: tuple[CacheNode, ...]
    redis: tuple[RedisNode, ...]
    hit_ratio: float | None
    hit_ratio_last_week: float | None
