"""What is measured of each site by itself: its answers' times, its share of the caches, of PHP, of the database."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from farmtui.demo.exporters.series import Counter, Family, Gauge, Terms, named
from farmtui.demo.exporters.targets import Target, Targets
from farmtui.demo.exporters.traefik import BUCKETS, HIT_SPREAD, SERVICE, WORK_SPREAD, router_of, share_below
from farmtui.demo.promql.series import Series
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.flows import PASS
from farmtui.demo.world.inventory import APP
from farmtui.demo.world.signals import Mix, Signal
from farmtui.demo.world.timeline import Epoch
from farmtui.demo.world.waves import ONE
from farmtui.demo.world.world import World

SITES = 600
"""Sites beyond these are not measured one by one: a bench's memory is for their number."""

_CLASSES = 6
"""Sites are of so many kinds, from lean to heavy."""
PHP_S = 0.16
"""Seconds that PHP works on a request, of a site of the lightest kind."""
_QUERY_S = 0.0011
_CPU_SHARE = 0.55
"""Of PHP's time; the rest it waits for the database and for files."""
_MB = 1e6


class SitesExporter:
    """php-fpm's, cAdvisor's, mysqld's and the caches' log's figures of each site, and the routers' histograms."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets
        self._odd: set[int] = set()
        self._epochs_seen = 0
        self._sites = world.farm.sites[:SITES]

    def families(self) -> list[Family]:
        """All metrics of the exporters."""
        key, counter, gauge = self._ever_odd, "counter", "gauge"
        cadvisor, fpm = "container_{}".format, "phpfpm_{}".format
        return [
            Family(
                "traefik_router_request_duration_seconds_bucket", "histogram",
                "How long it took to process the request on a router, partitioned by service, status code, protocol, "
                "and method.", self._buckets, key,
            ),
            Family("varnishncsa_requests_total", counter, "Requests by host, handling and status.", self._log, key),
            Family(fpm("active_processes"), gauge, "The number of active processes.", self._active, key),
            Family(fpm("accepted_connections"), counter, "The number of requests accepted by the pool.", self._accepted,
                   key),
            Family(cadvisor("cpu_usage_seconds_total"), counter, "Cumulative cpu time consumed", self._cpu, key),
            Family(cadvisor("memory_working_set_bytes"), gauge, "Current working set of the container", self._memory),
            Family(
                "mysql_info_schema_user_statistics_busy_seconds_total", counter,
                "The cumulative number of seconds there was activity on connections from this user.", self._busy, key,
            ),
        ]  # fmt: skip

    def _ever_odd(self) -> object:
        """Sites that have ever been hungry or under a surge: their series are made of signals of their own."""
        epochs = self._world.timeline.epochs
        for epoch in epochs[self._epochs_seen :]:
            self._odd.update(epoch.condition.hungry, epoch.condition.surges)
        self._epochs_seen = len(epochs)
        return frozenset(self._odd)

    # -- what the figures are made of

    def _shares(self) -> Iterator[tuple[int, str, float]]:
        """Each site's place and name, and its usual share of all requests."""
        yield from zip(range(SITES), self._sites, self._world.farm.site_shares, strict=False)

    def _work(self) -> Signal:
        """Requests per second that reach PHP, each counted as often as it takes longer than on a quiet day."""
        flows = self._world.flows
        return flows.signal("site work", lambda e: Mix((flows.load_factor(e.condition), flows.worked)))

    def _surplus(self, index: int, site: str) -> Signal:
        """What a site takes of PHP beyond the usual, in requests of the lightest kind per second."""
        flows = self._world.flows

        def mix(epoch: Epoch) -> Mix:
            now = epoch.condition
            heavy = now.hungry.get(index, 0.0) * _weight(_CLASSES // 2)
            return Mix((heavy + now.surges.get(index, 0.0) * _weight(index), flows.worked))

        return flows.signal("site surplus", mix, site)

    def _php(self, index: int, site: str, share: float, per_s: float) -> Terms:
        """Something of a site that goes with what PHP works for it; `per_s` of it a second of the lightest kind."""
        usual: Terms = ((share * _weight(index) * per_s, self._work()),)
        return (*usual, (per_s, self._surplus(index, site))) if index in self._odd else usual

    # -- series

    def _buckets(self) -> list[Series]:
        return [series for target in self._targets.of("traefik") for series in self._buckets_of(target)]

    def _buckets_of(self, target: Target) -> Iterator[Series]:
        flows, node = self._world.flows, target.machine.name
        present = self._targets.answering(target)
        for index, site, share in self._shares():
            # A site that is slow now is one by itself; all others are as slow as their kind.
            kind = f"site {index}" if index in self._odd else f"kind {index % _CLASSES}"
            for bound in BUCKETS:
                within = flows.signal("site within", partial(self._within, node, index, bound), node, kind, str(bound))
                labels = named(
                    "traefik_router_request_duration_seconds_bucket", target.labels, code="200",
                    le="+Inf" if bound == math.inf else f"{bound:g}", method="GET", protocol="http",
                    router=router_of(site), service=SERVICE,
                )  # fmt: skip
                yield Counter(labels, present, ((share, within),))

    def _within(self, node: str, index: int, bound: float, epoch: Epoch) -> Mix:
        now, flows = epoch.condition, self._world.flows
        share = flows.edge_share(now, node)
        median, deviation = WORK_SPREAD
        slower = flows.load_factor(now) * _weight(index) * 0.6 * (1.0 + 40.0 * now.hungry.get(index, 0.0))
        return Mix(
            (share * share_below(bound, *HIT_SPREAD), flows.hits),
            (share * share_below(bound, median * slower, deviation), flows.asked),
        )

    def _log(self) -> list[Series]:
        found: list[Series] = []
        for target in self._targets.of("varnish"):
            node, flows = target.machine.name, self._world.flows
            present = self._targets.answering(target)
            labels = {**target.labels, "instance": f"{target.machine.address}:9132", "job": "varnishncsa"}
            hit, miss, requests = flows.hit(node), flows.miss(node), flows.cache_requests(node)
            for index, site, share in self._shares():
                lost = 0.04 * (index % _CLASSES)
                of: dict[str, Terms] = {
                    "hit": ((share * (1.0 - lost), hit),),
                    "miss": ((share, miss), (share * lost, hit)),
                    "pass": ((share * PASS, requests),),
                }
                for handling, terms in of.items():
                    name = "varnishncsa_requests_total"
                    found.append(
                        Counter(named(name, labels, handling=handling, host=site, status="200"), present, terms)
                    )
        return found

    def _at_workers(self, job: str, port: int) -> Iterator[tuple[int, str, float, dict[str, str]]]:
        """The sites with the labels of the exporter beside them. Tasks move, and so do those: they always answer."""
        workers = self._world.farm.tiers[APP]
        for index, site, share in self._shares():
            instance = f"{workers[index % len(workers)].address}:{port}"
            yield index, site, share, {"instance": instance, "job": job}

    def _active(self) -> list[Series]:
        return [
            Gauge(
                named("phpfpm_active_processes", labels, pool=site),
                self._targets.always(),
                partial(_at_work, self._php(index, site, share, PHP_S), index),
            )
            for index, site, share, labels in self._at_workers("php-fpm", 9253)
        ]

    def _accepted(self) -> list[Series]:
        flows = self._world.flows
        return [
            Counter(
                named("phpfpm_accepted_connections", labels, pool=site),
                self._targets.always(),
                ((share, flows.worked), *(((0.3, self._surplus(index, site)),) if index in self._odd else ())),
            )
            for index, site, share, labels in self._at_workers("php-fpm", 9253)
        ]

    def _cpu(self) -> list[Series]:
        name = "container_cpu_usage_seconds_total"
        idle = self._world.flows.signal("site idle", lambda _e: Mix((0.003, ONE)))
        return [
            Counter(
                named(name, labels, container_label_com_docker_swarm_service_name=service_of(site)),
                self._targets.always(),
                (*self._php(index, site, share, PHP_S * _CPU_SHARE), (1.0, idle)),
                whole=False,
            )
            for index, site, share, labels in self._at_workers("cadvisor", 8080)
        ]

    def _memory(self) -> list[Series]:
        name = "container_memory_working_set_bytes"
        return [
            Gauge(
                named(name, labels, container_label_com_docker_swarm_service_name=service_of(site)),
                self._targets.always(),
                partial(_steady, (170.0 + 37.0 * (index % 7) + 900.0 * share) * _MB),
            )
            for index, site, share, labels in self._at_workers("cadvisor", 8080)
        ]

    def _busy(self) -> list[Series]:
        found: list[Series] = []
        for target in self._targets.of("mysql"):
            name = target.machine.name
            slow = self._world.flows.signal("site queries", partial(self._queries, name), name)

            def started(now: Condition, name: str = name) -> float | None:
                return now.databases[name].started if now.databases[name].running else None

            present = self._targets.while_running(target, "mysql", started)
            for index, site, share in self._shares():
                terms: Terms = ((share * _weight(index) * _QUERY_S, slow),)
                if index in self._odd:
                    extra = partial(self._extra_queries, name, index)
                    terms = (*terms, (_QUERY_S, self._world.flows.signal("site extra queries", extra, name, site)))
                user = f"wp_{router_of(site).partition('@')[0].replace('-', '_')}"
                labels = named("mysql_info_schema_user_statistics_busy_seconds_total", target.labels, user=user)
                found.append(Counter(labels, present, terms, whole=False))
        return found

    def _queries(self, node: str, epoch: Epoch) -> Mix:
        return Mix((epoch.condition.slow_queries, self._world.flows.database_queries(node)))

    def _extra_queries(self, node: str, index: int, epoch: Epoch) -> Mix:
        now = epoch.condition
        heavy = now.hungry.get(index, 0.0) * 2.2 * _weight(_CLASSES // 2) + now.surges.get(index, 0.0) * _weight(index)
        return Mix((heavy * now.slow_queries, self._world.flows.database_queries(node)))


def service_of(site: str) -> str:
    """The name of a site's Swarm service."""
    return f"wp_{router_of(site).partition('@')[0]}"


def _weight(index: int) -> float:
    """How heavy a site is, of 1 for those of the lightest kind."""
    return 1.0 + 0.35 * (index % _CLASSES)


def _at_work(terms: Terms, index: int, t: float) -> float:
    """Whole processes: of one that is at work half of the time, every second sample is 1."""
    busy = sum(weight * signal.value(t) for weight, signal in terms)
    drawn = (int(t) * 2_654_435_761 + index * 7_919) % 10_007 / 10_007
    return float(math.floor(busy + drawn))


def _steady(value: float, _t: float) -> float:
    return value
