"""Requests through the farm: edge, caches, workers, database, each as a signal over the whole timeline."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from farmtui.demo.world.changes import alive, reachable
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import APP, EDGE, Inventory
from farmtui.demo.world.settling import MISS_RATIO, serving_caches
from farmtui.demo.world.signals import NOTHING, Mix, Signal, steady
from farmtui.demo.world.timeline import Epoch, Timeline
from farmtui.demo.world.waves import ONE, Fading, Wave, demand_wave, noise_wave

REQUESTS_PER_SITE = 1.9
"""Mean requests per second and site over a week."""

TO_CACHE = 0.965
"""Share of requests that Traefik hands on; it answers the rest itself (redirects to https)."""

PASS = 0.085
"""Share of what reaches a cache that is never cached: logged-in visitors, carts, POST."""

HITMISS = 0.11
"""Share of misses that are hit-for-miss."""

QUERIES_PER_REQUEST = 24.0
REDIS_PER_REQUEST = 38.0
BASE_ERRORS = 0.0004
NOT_FOUND = 0.031
REDIS_MISS = 0.055


class Flows:
    """The farm's traffic. Every signal here is built once and grows with the timeline."""

    def __init__(self, farm: Inventory, timeline: Timeline, seed: int) -> None:
        self.farm = farm
        self.timeline = timeline
        self.mean_demand = REQUESTS_PER_SITE * len(farm.sites)
        self.wave = demand_wave(seed, self.mean_demand)
        self._seed = seed
        self._signals: dict[tuple[object, ...], Signal] = {}
        self._noises: dict[str, Wave] = {}
        self._edge_shares: dict[int, tuple[Condition, dict[str, float]]] = {}
        self._figures: dict[tuple[str, int], float] = {}
        self._fading = lru_cache(maxsize=4096)(Fading)
        self.demand = self.signal("demand", self._demand)
        """Requests per second that arrive at the edge."""
        self.to_cache = self.signal("to_cache", lambda e: Mix((TO_CACHE if self._any_cache(e) else 0.0, self.demand)))
        self.misses = self.signal("misses", self._over_caches(self.miss))
        self.passes = self.signal("passes", self._over_caches(self.passed))
        self.hits = self.signal("hits", self._over_caches(self.hit))
        self.asked = self.signal("asked", lambda e: Mix((1.0, self.misses), (1.0, self.passes)))
        """Requests per second that the caches send on to WordPress."""
        self.served = self.signal("served", lambda e: Mix((self.backend_health(e.condition), self.asked)))
        """Those that WordPress answers without a server error."""
        self.failed = self.signal("failed", lambda e: Mix((1.0 - self.backend_health(e.condition), self.asked)))
        self.worked = self.signal("worked", lambda e: Mix((0.0 if e.condition.cut else 1.0, self.asked)))
        """Those that reach a worker, whatever it answers."""
        self.errors = self.signal("errors", self._errors)
        self.queries = self.signal("queries", self._queries)

    def signal(self, name: str, mix: Callable[[Epoch], Mix], *key: str) -> Signal:
        """The signal of that name (and key), made at first use."""
        known = self._signals.get((name, *key))
        if known is None:
            known = self._signals[(name, *key)] = Signal(self.timeline, mix)
        return known

    def noise(self, name: str, shortest_s: float = 90.0, longest_s: float = 5_400.0) -> Wave:
        """Noise in -1..1, the same for the same seed and name."""
        known = self._noises.get(name)
        if known is None:
            known = self._noises[name] = noise_wave(self._seed, name, shortest_s, longest_s)
        return known

    def forget(self) -> None:
        """Drop remembered columns of all signals."""
        for signal in self._signals.values():
            signal.forget()

    # -- the edge

    def edge_share(self, now: Condition, node: str) -> float:
        """A manager's share of all requests: the balancer in front spreads them over those that live."""
        # Every site's signal asks for it at every epoch. The condition is kept so that its id stays its own.
        known = self._edge_shares.get(id(now))
        if known is None:
            living = [m.name for m in self.farm.tiers[EDGE] if alive(now, self.farm, m.name)]
            weights = {name: 1.0 + 0.04 * (index % 3 - 1) for index, name in enumerate(living)}
            total = sum(weights.values())
            known = self._edge_shares[id(now)] = now, {name: weight / total for name, weight in weights.items()}
        return known[1].get(node, 0.0)

    def _demand(self, epoch: Epoch) -> Mix:
        if not any(alive(epoch.condition, self.farm, m.name) for m in self.farm.tiers[EDGE]):
            return NOTHING
        return Mix((1.0 + sum(epoch.condition.surges.values()), self.wave))

    def _errors(self, epoch: Epoch) -> Mix:
        """5xx answers per second at the edge, whoever gave them."""
        now = epoch.condition
        broken = sum(self.farm.site_shares[site] * share for site, share in now.broken_sites.items())
        mix = Mix((BASE_ERRORS + broken * (1.0 - BASE_ERRORS), self.demand), (1.0, self.failed))
        if not self._any_cache(epoch):
            mix += Mix((TO_CACHE, self.demand))
        return mix

    # -- the cache tier

    def _any_cache(self, epoch: Epoch) -> bool:
        return bool(serving_caches(epoch.condition, self.farm))

    def cache_share(self, now: Condition, node: str) -> float:
        """A cache node's share of what the edge hands on: sites are hashed over the nodes that serve."""
        serving = serving_caches(now, self.farm)
        if node not in serving:
            return 0.0
        weights = {name: 1.0 + 0.07 * ((index * 2) % 3 - 1) for index, name in enumerate(serving)}
        return weights[node] / sum(weights.values())

    def cache_requests(self, node: str) -> Signal:
        """Requests per second at one Varnish."""
        return self.signal("cache", lambda e: Mix((self.cache_share(e.condition, node), self.to_cache)), node)

    def passed(self, node: str) -> Signal:
        """Passes per second at one Varnish."""
        return self.signal("pass", lambda e: Mix((PASS, self.cache_requests(node))), node)

    def miss(self, node: str) -> Signal:
        """Misses per second at one Varnish, hit-for-miss included."""
        return self.signal("miss", lambda e: self._miss(e, node), node)

    def hit(self, node: str) -> Signal:
        """Hits per second at one Varnish: what is neither passed nor missed."""
        return self.signal(
            "hit",
            lambda e: Mix((1.0, self.cache_requests(node)), (-1.0, self.passed(node)), (-1.0, self.miss(node))),
            node,
        )

    def _miss(self, epoch: Epoch, node: str) -> Mix:
        share = self.cache_share(epoch.condition, node)
        if not share:
            return NOTHING
        ratio = epoch.condition.varnish[node].miss
        # Noise is a share of the quietest hour's misses, so that no hour has fewer than none.
        noise = 0.35 * MISS_RATIO * 0.25 * self.mean_demand * TO_CACHE * share
        cacheable = share * (1.0 - PASS) * TO_CACHE * (1.0 + sum(epoch.condition.surges.values()))
        mix = Mix((cacheable * ratio.target, self.wave), (noise, self.noise(f"miss {node}", 240.0, 9_000.0)))
        if abs(ratio.start - ratio.target) < 1e-6:
            return mix
        return mix + Mix((cacheable * (ratio.start - ratio.target), self._fading(self.wave, ratio.since, ratio.tau_s)))

    def _over_caches(self, part: Callable[[str], Signal]) -> Callable[[Epoch], Mix]:
        def mix(epoch: Epoch) -> Mix:
            return Mix(*((1.0, part(name)) for name in serving_caches(epoch.condition, self.farm)))

        return mix

    # -- behind the caches

    def backend_health(self, now: Condition) -> float:
        """The share (0-1) of what the caches ask that WordPress can answer."""
        return self._once("health", now, self._backend_health)

    def _backend_health(self, now: Condition) -> float:
        workers = [m for m in self.farm.tiers[APP] if reachable(now, self.farm, m.name)]
        if not workers or now.cut or not now.primary:
            return 0.0
        synced = any(database.state == 4 for database in now.databases.values())
        return 1.0 if synced else 0.0

    def load_factor(self, now: Condition) -> float:
        """How much slower WordPress answers than on a quiet day: fewer workers and a slow database."""
        return self._once("load", now, self._load_factor)

    def _load_factor(self, now: Condition) -> float:
        workers = self.farm.tiers[APP]
        living = sum(1 for m in workers if alive(now, self.farm, m.name))
        synced = sum(1 for database in now.databases.values() if database.state == 4)
        crowd = len(workers) / max(1, living) * (1.0 + 0.5 * sum(now.hungry.values()))
        slower = math.pow(now.slow_queries, 0.8) * math.sqrt(len(now.databases) / max(1, synced))
        return math.pow(crowd, 1.4) * slower

    def worker_requests(self, node: str) -> Signal:
        """Requests per second that one worker's tasks work on."""

        def mix(epoch: Epoch) -> Mix:
            now = epoch.condition
            total = self._running_tasks(now)
            mine = now.swarm.tasks.get(node, 0.0) if alive(now, self.farm, node) else 0.0
            return Mix((mine / total, self.worked)) if mine else NOTHING

        return self.signal("worker", mix, node)

    def _running_tasks(self, now: Condition) -> float:
        """All tasks on living workers."""
        tasks = now.swarm.tasks.items()
        return self._once("tasks", now, lambda now: sum(t for n, t in tasks if alive(now, self.farm, n)))

    def _once(self, name: str, now: Condition, compute: Callable[[Condition], float]) -> float:
        """A figure of a condition, computed once: conditions live as long as the timeline that holds them."""
        key = (name, id(now))
        known = self._figures.get(key)
        if known is None:
            known = self._figures[key] = compute(now)
        return known

    def _queries(self, epoch: Epoch) -> Mix:
        now = epoch.condition
        if not now.primary:
            return NOTHING
        cold = 1.0 + 0.5 * len(now.redis_full) / max(1, len(now.varnish))
        return Mix((QUERIES_PER_REQUEST * cold, self.served)) + steady(45.0)

    def database_share(self, now: Condition, node: str) -> float:
        """A database node's share of all queries: the proxy sends most to the first that is synced."""
        synced = [name for name, database in now.databases.items() if database.state == 4]
        if node not in synced or not now.primary:
            return 0.0
        weights = {name: 1.35 if index == 0 else 1.0 for index, name in enumerate(synced)}
        return weights[node] / sum(weights.values())

    def database_queries(self, node: str) -> Signal:
        """Queries per second at one database node; replication adds its share of writes on every member."""

        def mix(epoch: Epoch) -> Mix:
            state = epoch.condition.databases[node].state
            return Mix((self.database_share(epoch.condition, node), self.queries)) if state else NOTHING

        return self.signal("queries of", mix, node)

    def redis_share(self, now: Condition, node: str) -> float:
        """A Redis node's share of commands: the master takes all writes and a third of the reads."""
        living = [name for name in now.varnish if alive(now, self.farm, name)]
        if node not in living:
            return 0.0
        weights = {name: 1.6 if name == now.redis_master else 1.0 for name in living}
        return weights[node] / sum(weights.values())

    def redis_commands(self, node: str) -> Signal:
        """Commands per second at one Redis."""

        def mix(epoch: Epoch) -> Mix:
            share = self.redis_share(epoch.condition, node)
            return Mix((share * REDIS_PER_REQUEST, self.served), (2.0, ONE)) if share else NOTHING

        return self.signal("redis", mix, node)
