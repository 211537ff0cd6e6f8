"""Traefik on the Swarm managers: entry points, routers (one per site), the service of the cache tier, certificates."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random

from farmtui.demo.exporters.series import Counter, Family, Gauge, Terms, named
from farmtui.demo.exporters.targets import Target, Targets
from farmtui.demo.promql.series import Series
from farmtui.demo.world.flows import BASE_ERRORS, NOT_FOUND, TO_CACHE
from farmtui.demo.world.inventory import CACHE
from farmtui.demo.world.settling import serving_caches
from farmtui.demo.world.signals import NOTHING, Mix, Signal
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.world import World

SERVICE = "varnish@file"
BUCKETS = (0.005, 0.01, 0.05, 0.1, 0.3, 1.0, 3.0, math.inf)
HIT_SPREAD = (0.0024, 0.75)
WORK_SPREAD = (0.24, 0.95)
"""Median seconds and log deviation of an answer from the cache, and of one that WordPress has to make."""

_DETAILED_SITES = 2_000
"""Sites beyond these have only a router series of answers that are well: a bench's memory is for their number."""

_DAY = 86_400.0
_RENEWED_BEFORE_S = 30 * _DAY
_VALID_S = 90 * _DAY


class TraefikExporter:
    """The metrics of all Traefiks."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets
        self._ever_broken: set[int] = set()
        self._epochs_seen = 0

    def families(self) -> list[Family]:
        """All metrics of the exporter."""
        counter, gauge = "counter", "gauge"
        duration = (
            "How long it took to process the request on a service, partitioned by status code, protocol, and method."
        )
        return [
            Family(
                "traefik_entrypoint_requests_total",
                counter,
                "How many HTTP requests processed on an entrypoint, partitioned by status code, protocol, and method.",
                self._entrypoints,
            ),
            Family(
                "traefik_router_requests_total",
                counter,
                "How many HTTP requests are processed on a router, partitioned by service, status code, protocol, "
                "and method.",
                self._routers,
                key=self._broken_sites,
            ),
            Family(
                "traefik_service_requests_total",
                counter,
                "How many HTTP requests processed on a service, partitioned by status code, protocol, and method.",
                self._service_requests,
            ),
            Family("traefik_service_request_duration_seconds_bucket", "histogram", duration, self._buckets),
            Family("traefik_service_request_duration_seconds_count", "histogram", duration, self._duration_count),
            Family(
                "traefik_open_connections",
                gauge,
                "How many open connections exist, by entryPoint and protocol",
                self._open,
            ),
            Family(
                "traefik_service_server_up",
                gauge,
                "service server is up, described by gauge value of 0 or 1.",
                self._servers,
            ),
            Family("traefik_tls_certs_not_after", gauge, "Certificate expiration timestamp", self._certificates),
        ]

    # -- signals

    def _of_edge(self, name: str, whole: Signal, node: str) -> Signal:
        """A manager's share of something that the edge as a whole does."""
        flows = self._world.flows
        return flows.signal(name, lambda e: Mix((flows.edge_share(e.condition, node), whole)), node)

    def _answers(self, node: str) -> dict[str, Signal]:
        """Answers per second of one Traefik, by status code."""
        flows = self._world.flows
        demand = self._of_edge("edge demand", flows.demand, node)
        errors = self._of_edge("edge errors", flows.errors, node)
        well = flows.signal("edge well", lambda _e: Mix((TO_CACHE * (1 - NOT_FOUND), demand), (-1.0, errors)), node)
        return {
            "200": well,
            "301": flows.signal("edge redirects", lambda _e: Mix((1.0 - TO_CACHE, demand)), node),
            "404": flows.signal("edge missing", lambda _e: Mix((TO_CACHE * NOT_FOUND, demand)), node),
            "500": flows.signal("edge 500", partial(self._split, errors, own=True), node),
            "503": flows.signal("edge 503", partial(self._split, errors, own=False), node),
        }

    def _split(self, errors: Signal, epoch: Epoch, *, own: bool) -> Mix:
        """Errors as 500 where WordPress gives them, as 503 where nobody could be asked."""
        now = epoch.condition
        unreachable = now.cut or not serving_caches(now, self._world.farm)
        return NOTHING if unreachable is own else Mix((1.0, errors))

    def _broken_sites(self) -> object:
        """Sites that have ever been broken: their series are made of signals of their own."""
        epochs = self._world.timeline.epochs
        for epoch in epochs[self._epochs_seen :]:
            self._ever_broken.update(epoch.condition.broken_sites, epoch.condition.surges)
        self._epochs_seen = len(epochs)
        return frozenset(self._ever_broken)

    # -- series

    def _entrypoints(self) -> list[Series]:
        series: list[Series] = []
        for target in self._targets.of("traefik"):
            for code, signal in self._answers(target.machine.name).items():
                entrypoint = "web" if code == "301" else "websecure"
                labels = named(
                    "traefik_entrypoint_requests_total",
                    target.labels,
                    code=code,
                    entrypoint=entrypoint,
                    method="GET",
                    protocol="http",
                )
                series.append(Counter(labels, self._targets.answering(target), ((1.0, signal),)))
        return series

    def _routers(self) -> list[Series]:
        return [series for target in self._targets.of("traefik") for series in self._routers_of(target)]

    def _routers_of(self, target: Target) -> list[Series]:
        farm, flows, node = self._world.farm, self._world.flows, target.machine.name
        present = self._targets.answering(target)
        # A site's share is of the usual demand: what another site gets more than usual is that site's alone.
        usual = flows.signal("edge usual", partial(self._usual, node), node)
        failed = self._of_edge("edge failed", flows.failed, node)
        series: list[Series] = []
        for index, site in enumerate(farm.sites):
            share = farm.site_shares[index]
            own = index in self._ever_broken
            demand = flows.signal("site demand", partial(self._site_demand, node, index), node, site) if own else usual
            wrong = flows.signal("site wrong", partial(self._site_wrong, node, index), node, site) if own else None
            scale = TO_CACHE * (1.0 if own else share)
            terms: dict[str, Terms] = {
                "200": ((scale * (1 - NOT_FOUND - BASE_ERRORS), demand), (-share, failed)),
                "404": ((scale * NOT_FOUND, demand),),
                "500": ((scale * BASE_ERRORS, demand), (share, failed)),
            }
            if wrong is not None:
                terms["200"] = (*terms["200"], (-1.0, wrong))
                terms["500"] = (*terms["500"], (1.0, wrong))
            for code, parts in terms.items():
                if code != "200" and index >= _DETAILED_SITES and not own:
                    continue
                labels = named(
                    "traefik_router_requests_total",
                    target.labels,
                    code=code,
                    method="GET",
                    protocol="http",
                    router=router_of(site),
                    service=SERVICE,
                )
                series.append(Counter(labels, present, parts))
        return series

    def _usual(self, node: str, epoch: Epoch) -> Mix:
        flows = self._world.flows
        return Mix((flows.edge_share(epoch.condition, node), flows.wave))

    def _site_demand(self, node: str, index: int, epoch: Epoch) -> Mix:
        now, flows = epoch.condition, self._world.flows
        share = self._world.farm.site_shares[index] + now.surges.get(index, 0.0)
        return Mix((share * flows.edge_share(now, node), flows.wave))

    def _site_wrong(self, node: str, index: int, epoch: Epoch) -> Mix:
        """5xx answers per second that are the site's own fault."""
        broken = epoch.condition.broken_sites.get(index, 0.0)
        if not broken:
            return NOTHING
        # Never more than the site's good answers.
        return self._site_demand(node, index, epoch) * (broken * TO_CACHE * (1 - NOT_FOUND - 2 * BASE_ERRORS))

    def _service_requests(self) -> list[Series]:
        return self._by_code("traefik_service_requests_total")

    def _duration_count(self) -> list[Series]:
        return self._by_code("traefik_service_request_duration_seconds_count")

    def _by_code(self, name: str) -> list[Series]:
        return [
            Counter(
                named(name, target.labels, code=code, method="GET", protocol="http", service=SERVICE),
                self._targets.answering(target),
                ((1.0, signal),),
            )
            for target in self._targets.of("traefik")
            for code, signal in self._answers(target.machine.name).items()
            if code != "301"
        ]

    def _buckets(self) -> list[Series]:
        return [series for target in self._targets.of("traefik") for series in self._buckets_of(target)]

    def _buckets_of(self, target: Target) -> list[Series]:
        flows, node = self._world.flows, target.machine.name
        hits = self._of_edge("edge hits", flows.hits, node)
        asked = self._of_edge("edge asked", flows.asked, node)
        series: list[Series] = []
        for bound in BUCKETS:
            within = flows.signal("within", partial(self._within, hits, asked, bound), node, str(bound))
            labels = named(
                "traefik_service_request_duration_seconds_bucket",
                target.labels,
                code="200",
                le="+Inf" if bound == math.inf else f"{bound:g}",
                method="GET",
                protocol="http",
                service=SERVICE,
            )
            series.append(Counter(labels, self._targets.answering(target), ((1.0, within),)))
        return series

    def _within(self, hits: Signal, asked: Signal, bound: float, epoch: Epoch) -> Mix:
        median, deviation = WORK_SPREAD
        slower = self._world.flows.load_factor(epoch.condition)
        return Mix(
            (share_below(bound, *HIT_SPREAD), hits),
            (share_below(bound, median * slower, deviation), asked),
        )

    def _open(self) -> list[Series]:
        series: list[Series] = []
        for target in self._targets.of("traefik"):
            demand = self._of_edge("edge demand", self._world.flows.demand, target.machine.name)
            # Keep-alive: a visitor's connection stays for a while after the request.
            for entrypoint, per_request in (("metrics", 0.0), ("web", 0.25), ("websecure", 2.6)):
                labels = named("traefik_open_connections", target.labels, entrypoint=entrypoint, protocol="TCP")
                compute = partial(_connections, demand, per_request)
                series.append(Gauge(labels, self._targets.answering(target), compute))
        return series

    def _servers(self) -> list[Series]:
        world = self._world

        def answers(node: str) -> Callable[[float], float]:
            return lambda t: float(node in serving_caches(world.timeline.at(t).condition, world.farm))

        return [
            Gauge(
                named(
                    "traefik_service_server_up",
                    target.labels,
                    service=SERVICE,
                    url=f"http://{cache.address}:6081",
                ),
                self._targets.answering(target),
                answers(cache.name),
            )
            for target in self._targets.of("traefik")
            for cache in world.farm.tiers[CACHE]
        ]

    def _certificates(self) -> list[Series]:
        series: list[Series] = []
        random = Random(f"{self._world.seed}:certificates")
        for index, site in enumerate(self._world.farm.sites[:_DETAILED_SITES]):
            phase = random.uniform(0.0, _VALID_S - _RENEWED_BEFORE_S)
            compute = partial(self._not_after, index, phase)
            serial = str(random.getrandbits(150))
            for target in self._targets.of("traefik"):
                labels = named(
                    "traefik_tls_certs_not_after", target.labels, cn=site, sans=f"{site},www.{site}", serial=serial
                )
                series.append(Gauge(labels, self._targets.answering(target), compute))
        return series

    def _not_after(self, index: int, phase: float, t: float) -> float:
        """A certificate of 90 days is renewed 30 days before its end."""
        if self._world.timeline.at(t).condition.expiring_site == index:
            return float(round(self._world.born + 5.5 * _DAY))
        cycle = _VALID_S - _RENEWED_BEFORE_S
        issued = math.floor((t - phase) / cycle) * cycle + phase
        return float(round(issued + _VALID_S))


def router_of(site: str) -> str:
    """The name of a site's router."""
    return f"{site.replace('.', '-')}@file"


def share_below(bound: float, median: float, deviation: float) -> float:
    """The share of a lognormal distribution that lies below a bound."""
    if bound == math.inf:
        return 1.0
    return 0.5 * (1.0 + math.erf(math.log(bound / median) / (deviation * math.sqrt(2.0))))


def _connections(demand: Signal, per_request: float, t: float) -> float:
    return float(round(demand.value(t) * per_request)) if per_request else 2.0
