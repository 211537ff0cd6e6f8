"""Those that watch: the blackbox probes of the interconnect, and Prometheus's and Alertmanager's own metrics."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from farmtui.demo.exporters.network import USUAL_S
from farmtui.demo.exporters.series import Family, Gauge, named
from farmtui.demo.exporters.targets import CACHE_NET, CLOUD_API, INTERCONNECT, Target, Targets
from farmtui.demo.promql.series import Series
from farmtui.demo.world.changes import alive
from farmtui.demo.world.day import BACKUP_ENDS_S
from farmtui.demo.world.inventory import CACHE, MONITORING
from farmtui.demo.world.world import World

PROMETHEUS_VERSION = "2.42.0"
ALERTMANAGER_VERSION = "0.25.0"
_DAY = 86_400.0
_HOP_S = 0.0013
_SETUP_S = 0.00021
_CLOUD_STATUS = {"ok": 200.0, "unauthorized": 401.0, "limited": 429.0}


class Watchers:
    """The metrics about the monitoring itself and the links."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets
        self._cloud = {"probe_success": self._cloud_success, "probe_duration_seconds": self._cloud_duration}

    def families(self) -> list[Family]:
        """All these metrics."""
        return [
            Family(
                "probe_success",
                "gauge",
                "Displays whether or not the probe was a success",
                partial(self._probes, "probe_success", self._success),
            ),
            Family(
                "probe_duration_seconds",
                "gauge",
                "Returns how long the probe took to complete in seconds",
                partial(self._probes, "probe_duration_seconds", self._duration),
            ),
            Family("probe_icmp_duration_seconds", "gauge", "Duration of icmp request by phase", self._phases),
            Family(
                "farm_backup_last_success_timestamp_seconds",
                "gauge",
                "When the last nightly backup ended that can be restored.",
                self._backups,
            ),
            Family("probe_http_status_code", "gauge", "Response HTTP status code", self._statuses),
            Family(
                "prometheus_engine_query_duration_seconds",
                "gauge",
                "Query timings",
                self._query_durations,
            ),
            Family(
                "prometheus_tsdb_lowest_timestamp_seconds",
                "gauge",
                "Lowest timestamp value stored in the database.",
                self._lowest,
            ),
            Family(
                "prometheus_build_info",
                "gauge",
                "A metric with a constant '1' value labeled by version.",
                partial(self._build, "prometheus", PROMETHEUS_VERSION),
            ),
            Family(
                "alertmanager_build_info",
                "gauge",
                "A metric with a constant '1' value labeled by version.",
                partial(self._build, "alertmanager", ALERTMANAGER_VERSION),
            ),
        ]

    def _probes(self, name: str, compute: Callable[[int, float], float]) -> list[Series]:
        links: list[Series] = [
            Gauge(named(name, t.labels), self._targets.answering(t), partial(compute, index))
            for index, t in enumerate(self._targets.of(INTERCONNECT))
        ]
        clouds = [
            Gauge(named(name, t.labels), self._targets.answering(t), self._cloud[name])
            for t in self._targets.of(CLOUD_API)
        ]
        caches = [
            Gauge(named(name, t.labels), self._targets.answering(t), partial(self._hop, name, t, index))
            for index, t in enumerate(self._targets.of(CACHE_NET))
        ]
        return [*links, *clouds, *caches]

    def _phases(self) -> list[Series]:
        """A ping's parts; the round trip of one that was lost is 0."""
        name = "probe_icmp_duration_seconds"
        found: list[Series] = []
        for job in (INTERCONNECT, CACHE_NET):
            for index, t in enumerate(self._targets.of(job)):
                for phase in ("resolve", "rtt", "setup"):
                    compute = partial(self._phase, phase, t, index)
                    found.append(Gauge(named(name, t.labels, phase=phase), self._targets.answering(t), compute))
        return found

    def _phase(self, phase: str, target: Target, index: int, t: float) -> float:
        if phase != "rtt":
            return _SETUP_S if phase == "setup" else 0.0
        if target.job == CACHE_NET:
            arrives, took_s = self._hop("probe_success", target, index, t), self._hop("", target, index, t)
        else:
            arrives, took_s = self._success(index, t), self._duration(index, t)
        return round(took_s - _SETUP_S, 6) if arrives else 0.0

    def _hop(self, name: str, target: Target, index: int, t: float) -> float:
        """A ping from an edge node to a cache node: whether it comes back, or how long the probe takes."""
        cache = next(m for m in self._world.farm.tiers[CACHE] if m.address == target.instance)
        lives = alive(self._world.timeline.at(t).condition, self._world.farm, cache.name)
        if name == "probe_success":
            return float(lives)
        noise = self._world.flows.noise(f"hop {index}", 20.0, 900.0).value(t)
        return round(_HOP_S * (1.0 + 0.22 * noise) + 0.00005 * index, 6) if lives else 5.0

    def _backups(self) -> list[Series]:
        """The backup job writes it for the node exporter beside Prometheus (textfile collector)."""
        target = next(t for t in self._targets.of("node") if t.machine.tier == MONITORING)
        name = "farm_backup_last_success_timestamp_seconds"
        return [Gauge(named(name, target.labels, backup="sites"), self._targets.answering(target), self._backed_up)]

    def _backed_up(self, t: float) -> float:
        ended = math.floor((t - BACKUP_ENDS_S) / _DAY) * _DAY + BACKUP_ENDS_S
        while self._world.timeline.at(ended).condition.backup_failing:
            ended -= _DAY
        return max(ended, self._world.timeline.at(t).condition.backed_up_at)

    def _statuses(self) -> list[Series]:
        return [
            Gauge(named("probe_http_status_code", t.labels), self._targets.answering(t), self._cloud_status)
            for t in self._targets.of(CLOUD_API)
        ]

    def _cloud_status(self, t: float) -> float:
        """What DigitalOcean's API answers to a probe with the farm's token."""
        return _CLOUD_STATUS[self._world.timeline.at(t).condition.cloud_api]

    def _cloud_success(self, t: float) -> float:
        return 1.0 if self._cloud_status(t) == 200 else 0.0

    def _cloud_duration(self, t: float) -> float:
        return round(0.142 * (1.0 + 0.3 * self._world.flows.noise("cloud", 20.0, 900.0).value(t)), 6)

    def _success(self, index: int, t: float) -> float:
        now = self._world.timeline.at(t).condition
        if now.cut:
            return 0.0
        # Which probes are lost is drawn from the time, so that it is the same whenever it is asked.
        drawn = (int(t) * 2_654_435_761 + index * 97) % 10_007 / 10_007
        return 0.0 if drawn < now.interconnect_loss else 1.0

    def _duration(self, index: int, t: float) -> float:
        now = self._world.timeline.at(t).condition
        if now.cut:
            return 5.0
        noise = self._world.flows.noise(f"probe {index}", 20.0, 900.0).value(t)
        if not self._success(index, t):
            return 5.0
        return round((USUAL_S + now.interconnect_extra_s) * (1.0 + 0.18 * noise) + 0.0004 * index, 6)

    def _query_durations(self) -> list[Series]:
        timeline = self._world.timeline

        def seconds(quantile: float, t: float) -> float:
            delay = timeline.at(t).condition.prometheus_delay_s
            return round(0.004 + 0.03 * quantile**4 + delay * quantile, 6)

        return [
            Gauge(
                named(
                    "prometheus_engine_query_duration_seconds", t.labels, quantile=f"{quantile:g}", slice="inner_eval"
                ),
                self._targets.answering(t),
                partial(seconds, quantile),
            )
            for t in self._targets.of("prometheus")
            for quantile in (0.5, 0.9, 0.99)
        ]

    def _lowest(self) -> list[Series]:
        name, origin = "prometheus_tsdb_lowest_timestamp_seconds", self._world.origin
        return [
            Gauge(named(name, t.labels), self._targets.answering(t), lambda _t: origin)
            for t in self._targets.of("prometheus")
        ]

    def _build(self, job: str, version: str) -> list[Series]:
        return [
            Gauge(
                named(f"{job}_build_info", t.labels, branch="debian/sid", goversion="go1.19.8", version=version),
                self._targets.answering(t),
                lambda _t: 1.0,
            )
            for t in self._targets.of(job)
        ]
