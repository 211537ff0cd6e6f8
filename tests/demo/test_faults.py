"""Every fault: its alerts fire when the farm starts, and the console's own sources show it in their figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from farmtui.config import Config
from farmtui.demo.faults import FAULTS
from farmtui.demo.observed import Observed
from farmtui.demo.world.ceph_changes import RepairBegins
from farmtui.demo.world.changes import MachineOn
from farmtui.demo.world.inventory import build_inventory
from farmtui.demo.world.world import World
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.reading import FailureKind
from farmtui.farm.sites import Resource
from farmtui.farm.state import Severity
from farmtui.polling import Feed
from tests.demo.stage import NOON, Clock, firing, names, observed, stage

NAMED = (
    "cache-node-down",
    "hit-ratio-falling",
    "osd-down",
    "pg-inconsistent",
    "galera-node-lost",
    "pve-host-down",
    "do-api-refusing",
    "prometheus-slow",
    "interconnect-down",
)
"""Those that must be there."""


def test_the_faults_that_must_be_there_are() -> None:
    assert set(NAMED) <= set(FAULTS)
    assert all(fault.ago_s >= 120 and fault.words for fault in FAULTS.values())
    assert {name for name, fault in FAULTS.items() if not fault.alerts} == {
        "pve-backup-failed",
        "backups-overdue",
        "backup-shrunk",
        "spaces-down",
    }


@pytest.mark.parametrize("hour", [3, 15])
def test_a_farm_without_a_fault_raises_none_of_their_alerts(hour: int) -> None:
    clock = Clock(NOON + (hour - 12) * 3600.0)
    # The nightly backup and a quiet night must not look like a fault; incidents of the living day are left out.
    assert firing(Observed(World(1, clock, living=False))) == {"Watchdog"}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_its_alerts_fire_at_the_start(name: str) -> None:
    farm = observed(name)
    assert set(FAULTS[name].alerts) <= firing(farm)
    now = farm.world.now
    assert all(a.fired_at is None or a.fired_at <= now for a in farm.alerts())


@pytest.mark.parametrize("name", ["cache-node-down", "hit-ratio-falling", "osd-down", "site-broken"])
def test_its_alerts_fire_at_night_too(name: str) -> None:
    assert set(FAULTS[name].alerts) <= firing(observed(name, clock=Clock(NOON - 8.5 * 3600.0)))


def _serving(farm: Farm, tier: Tier) -> tuple[int, int]:
    [summary] = [summary for summary in farm.tiers if summary.tier is tier]
    return summary.healthy, summary.expected or 0


def _cache_node_down(farm: Farm) -> bool:
    assert farm.cache is not None
    assert farm.cloud is not None
    assert [droplet.name for droplet in farm.cloud.droplets if droplet.status == "off"] == ["cache-2"]
    return _serving(farm, Tier.CACHE) == (2, 3) and [node.up for node in farm.cache.nodes].count(False) == 1


def _hit_ratio_falling(farm: Farm) -> bool:
    assert farm.cache is not None
    assert farm.cache.hit_ratio_last_week is not None
    assert farm.cache.hit_ratio is not None
    return farm.cache.hit_ratio < farm.cache.hit_ratio_last_week - 0.1


def _osd_down(farm: Farm) -> bool:
    assert farm.ceph is not None
    down = [osd.id for osd in farm.ceph.osds if not osd.up and not osd.is_in]
    states = dict(farm.ceph.pg_states)
    return down == ["osd.5"] and states["backfilling"] > 0 and (farm.ceph.recovering_bytes_per_s or 0) > 1e6


def _pg_inconsistent(farm: Farm) -> bool:
    assert farm.ceph is not None
    checks = {check.name for check in farm.ceph.checks}
    return {"PG_DAMAGED", "OSD_SCRUB_ERRORS"} <= checks and dict(farm.ceph.pg_states)["inconsistent"] == 1


def _galera_node_lost(farm: Farm) -> bool:
    assert farm.galera is not None
    return {node.cluster_size for node in farm.galera.nodes} - {None} == {2}


def _pve_host_down(farm: Farm) -> bool:
    gone = {node.name for node in farm.nodes if node.state is Severity.CRITICAL}
    assert farm.galera is not None
    assert [host.name for host in farm.pve[0].hosts if host.status != "online"] == ["pve-2"]
    return {"pve-2", "stor-2", "db-2", "worker-02", "worker-17"} <= gone and _serving(farm, Tier.APP) == (16, 20)


def _do_api_refusing(farm: Farm) -> bool:
    source = farm.source("digitalocean")
    assert source is not None
    return source.failure is not None and source.failure.kind is FailureKind.FORBIDDEN and farm.cloud is None


def _interconnect_down(farm: Farm) -> bool:
    assert farm.edge is not None
    return not any(link.up for link in farm.interconnects) and (farm.edge.error_ratio or 0) > 0.05


def _sites_failing(farm: Farm) -> bool:
    assert farm.sites is not None
    assert {site.name for site in farm.sites.worst} <= set(build_inventory(1).sites)
    return farm.sites.critical == 12 and all(site.swarm for site in farm.sites.worst)


def _site_hungry(farm: Farm) -> bool:
    assert farm.sites is not None
    assert not farm.sites.critical
    [site] = [site for site in farm.sites.noisy if site.severity is Severity.WARNING]
    quiet = farm.sites.share(site, Resource.REQUESTS)
    return site.largest is Resource.DATABASE and site.largest_share > 0.3 and quiet is not None and quiet < 0.01


SHOWN: dict[str, Callable[[Farm], bool]] = {
    "cache-node-down": _cache_node_down,
    "hit-ratio-falling": _hit_ratio_falling,
    "osd-down": _osd_down,
    "pg-inconsistent": _pg_inconsistent,
    "galera-node-lost": _galera_node_lost,
    "pve-host-down": _pve_host_down,
    "do-api-refusing": _do_api_refusing,
    "interconnect-down": _interconnect_down,
    "sites-failing": _sites_failing,
    "site-hungry": _site_hungry,
}


def patient(config: Config) -> Config:
    """The simulated farm answers in this very process: how long that takes is not what is looked at."""
    assert config.prometheus is not None
    assert config.alertmanager is not None
    waiting = {"deadline_s": 90.0}
    return config.model_copy(update={
        "prometheus": config.prometheus.model_copy(update=waiting),
        "alertmanager": config.alertmanager.model_copy(update=waiting),
    })  # fmt: skip


@pytest.mark.parametrize("name", sorted(SHOWN))
async def test_the_console_shows_it_over_http(name: str, tmp_path: Path) -> None:
    async with stage(name) as farm:
        config = farm.config(tmp_path)
        if name == "interconnect-down":
            # Behind the link nobody answers: the sources that ask Proxmox VE would wait for their deadlines.
            config = config.model_copy(update={"proxmox": [], "ceph": None})
        picture = await Feed(patient(config)).one_cycle(100.0)
    assert SHOWN[name](picture)
    assert picture.book is not None
    assert set(FAULTS[name].alerts) <= {alert.name for alert in picture.book.alerts}


async def test_a_slow_prometheus_answers_late() -> None:
    async with stage("prometheus-slow") as farm:
        assert FAULTS["prometheus-slow"].alerts[0] in names(await farm.alertmanagers[0].get("/api/v2/alerts"))
        assert farm.running.keeper.condition.prometheus_delay_s > 0.5
        answer = await farm.prometheus.get(
            "/api/v1/query", ("query", 'max(prometheus_engine_query_duration_seconds{quantile="0.9"})')
        )
    assert float(answer["data"]["result"][0]["value"][1]) > 0.5


async def test_a_refusing_cloud_api_is_seen_by_its_probe() -> None:
    async with stage("do-api-refusing") as farm:
        answer = await farm.prometheus.get("/api/v1/query", ("query", "probe_http_status_code"))
    assert [row["value"][1] for row in answer["data"]["result"]] == ["401"]


async def test_several_faults_are_there_together() -> None:
    farm = observed("galera-node-lost", "pg-inconsistent")
    assert {"GaleraNodeDown", "CephPgDamaged"} <= firing(farm)


def test_what_is_mended_is_seen_to_recover() -> None:
    clock = Clock()
    farm = observed("pg-inconsistent", "cache-node-down", clock=clock)
    assert {"CephPgDamaged", "CacheNodeDown"} <= firing(farm)
    farm.happen(RepairBegins(), MachineOn("cache-2"))
    clock.at += 1_800.0
    assert firing(farm).isdisjoint({"CephPgDamaged", "CephHealthError", "CacheNodeDown", "NodeDown"})
