"""Faults on the way of a request, of links, and of what the console sees by."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta
from typing import Any

import pytest

from farmtui.farm.cluster import SwarmCounts
from farmtui.farm.networks import Hop, Network, NetworkKind
from farmtui.farm.node import (
    CloudAccount,
    LoadBalancer,
    Provider,
    Sighting,
    Tier,
)
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.traffic import Backend, CacheTier, Certificate, RedisNode, SiteTraffic
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.insight.health import overall
from tests.screens.farms import (
    NOW,
    ago,
    make_alert,
    make_book,
    make_failure,
    make_farm,
    make_node,
    make_replica,
    make_rule,
    make_source,
    troubled,
)
from tests.screens.whole import whole_farm
from tests.unit.faulty import down, found, quiet_edge

CRITICAL, WARNING, UNKNOWN, INFO = Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN, Severity.INFO


# -- the way of a request


def with_edge(**changes: Any) -> dict[str, Finding]:
    return found(dataclasses.replace(make_farm(), edge=quiet_edge(**changes)))


def test_errors_name_the_sites_that_they_come_from() -> None:
    finding = with_edge(
        error_ratio=0.06, sites_failing_count=2, sites_failing=(SiteTraffic("shop", 0.9), SiteTraffic("blog", 0.7))
    )["edge/errors"]
    assert finding.severity is CRITICAL
    assert finding.cause == "2 sites fail, the worst shop, blog"
    assert finding.evidence == ("60/s of 1.0k/s fail",)


def test_errors_that_no_site_stands_out_with_are_said_to_be_spread() -> None:
    assert "spread over the sites" in with_edge(error_ratio=0.02)["edge/errors"].cause


def test_one_broken_site_is_a_finding_though_the_farm_is_well() -> None:
    finding = with_edge(sites_failing_count=1, sites_failing=(SiteTraffic("shop", 0.9),))["edge/sites"]
    assert (finding.title, finding.subject) == ("shop fails", ("site", "shop"))


def test_no_traffic_is_no_fault() -> None:
    assert with_edge(error_ratio=math.nan, latency_p95_s=math.nan, requests_per_s=0.0) == {}


def test_slow_answers_dead_backends_and_ending_certificates() -> None:
    told = with_edge(
        latency_p95_s=1.5,
        backends=(Backend("varnish", "http://a", False), Backend("varnish", "http://b", True)),
        certificates=(Certificate("shop.example", NOW + timedelta(days=2)), Certificate("b", NOW + timedelta(days=80))),
    )
    assert told["edge/latency"].severity is WARNING
    assert told["edge/backends"].title == "1 of 2 backends are down"
    assert told["edge/backends"].severity is WARNING
    assert told["edge/certificates"].severity is CRITICAL
    assert told["edge/certificates"].title == "certificate of shop.example ends in 2d"


def test_a_service_without_a_server_is_an_outage() -> None:
    finding = with_edge(backends=(Backend("varnish", "http://a", False),))["edge/backends"]
    assert finding.severity is CRITICAL
    assert finding.cause == "no server is left of varnish"


def with_cache(**changes: Any) -> dict[str, Finding]:
    nodes = tuple(
        dataclasses.replace(node, evictions_per_s=0.0, hit_ratio=0.93) for node in _cache().nodes
    )  # fmt: skip
    tier = CacheTier(nodes, (), 0.93, 0.93)
    return found(dataclasses.replace(make_farm(), cache=dataclasses.replace(tier, **changes)))


def _cache() -> CacheTier:
    cache = whole_farm().cache
    assert cache is not None
    return cache


def test_a_hit_ratio_is_judged_by_its_floor_and_by_last_week() -> None:
    assert with_cache() == {}
    assert with_cache(hit_ratio=0.86)["cache/hit-ratio"].severity is WARNING
    assert with_cache(hit_ratio=0.55, hit_ratio_last_week=0.56)["cache/hit-ratio"].severity is CRITICAL
    assert with_cache(hit_ratio=math.nan) == {}
    assert with_cache(hit_ratio=0.79, hit_ratio_last_week=None)["cache/hit-ratio"].severity is WARNING


def test_the_cache_node_that_pulls_the_ratio_down_is_named() -> None:
    nodes = [dataclasses.replace(node, hit_ratio=0.93, evictions_per_s=0.0) for node in _cache().nodes]
    nodes[1] = dataclasses.replace(nodes[1], hit_ratio=0.4)
    told = with_cache(nodes=tuple(nodes), hit_ratio=0.75)
    assert told["cache/hit-ratio"].cause == "10.20.4.1:9100 pulls it down: 40 %, the others 93 %"
    nodes[1] = dataclasses.replace(nodes[1], uptime_s=60.0)
    told = with_cache(nodes=tuple(nodes), hit_ratio=0.75)
    assert told["cache/hit-ratio"].cause == "10.20.4.1:9100 started a short while ago: its cache still fills"


@pytest.mark.parametrize(
    ("each_per_s", "objects", "told"),
    [
        (None, 6000.0, False),
        (math.nan, 6000.0, False),
        (150.0, None, False),
        (150.0, 60_000.0, False),
        (0.9, 9.0, False),
        (150.0, 6000.0, True),
    ],
)
def test_a_full_cache_evicts_and_a_storm_is_a_fault(
    each_per_s: float | None, objects: float | None, told: bool
) -> None:
    """However many it throws out: what counts is how long a page stays."""
    small = dataclasses.replace(_cache().nodes[0], hit_ratio=0.93, evictions_per_s=each_per_s, objects=objects)
    finding = with_cache(nodes=(small,)).get("varnish/evictions")
    assert (finding is not None) == told
    if finding is not None:
        assert finding.severity is WARNING
        assert finding.title == "Varnish on 10.20.3.1:9100 evicts what it has just stored"
        assert "150/s pages are thrown out to make room, each after some 40 s" in finding.cause


def test_backends_without_a_probe_read_as_down_and_are_no_fault() -> None:
    node = dataclasses.replace(_cache().nodes[0], hit_ratio=0.93, evictions_per_s=0.0, backends_down=("default",))
    assert with_cache(nodes=(node,)) == {}
    failing = dataclasses.replace(node, backend_failures_per_s=3.0)
    assert [f.title for f in with_cache(nodes=(failing,)).values()] == ["Varnish on 10.20.3.1:9100 has lost backends"]


def test_redis_down_and_redis_full() -> None:
    gone = RedisNode("r1", up=False)
    full = RedisNode("r2", up=True, evictions_per_s=30.0, memory_bytes=2e9, memory_max_bytes=2e9)
    told = with_cache(redis=(gone, full))
    assert told["redis/down/r1"].severity is CRITICAL
    assert told["redis/evictions/r2"].evidence == ("30/s evicted", "100 % of its memory is used")


def test_links_that_are_down_or_lossy() -> None:
    dead, lossy = Hop("vpn-1", False, None, None, ago(3)), Hop("vpn-2", True, 0.01, 0.05, NOW)
    finding = found(dataclasses.replace(make_farm(), interconnects=(dead, lossy)))["interconnect/down"]
    assert (finding.severity, finding.title) == (CRITICAL, "interconnect vpn-1 is down")
    assert finding.evidence == ("last measured 3 min ago",)
    wire = Network("interconnect", NetworkKind.INTERCONNECT, hops=(lossy,))
    told = found(dataclasses.replace(make_farm(), interconnects=(lossy,), networks=(wire,)))
    finding = told["network/loss/interconnect"]
    assert (finding.severity, finding.cause) == (WARNING, "vpn-2: 5.0 % of the probes are lost")


def test_everything_behind_a_link_that_is_down_is_out_of_sight_and_not_called_dead() -> None:
    far = [down(f"db-{n}", Tier.DATABASE, address=f"10.0.2.{n}") for n in (1, 2)]
    near = dataclasses.replace(make_node("cache-1"), provider=Provider.DIGITALOCEAN)
    link = Hop("vpn-1", False, None, None, ago(3))
    book = make_book(make_alert("NodeDown", instance="10.0.2.1:9100"), make_alert("InterconnectDown"))
    farm = dataclasses.replace(make_farm(book, nodes=[near, *far]), interconnects=(link,))
    told = found(farm)
    assert list(told) == ["interconnect/down"]
    assert "2 machines behind it are out of sight, and may be well" in told["interconnect/down"].cause


def test_what_other_machines_say_about_one_that_is_down_follows_from_it() -> None:
    swarm = SwarmCounts("m1", ("m1",), (("ready", 22), ("down", 1)), (("running", 900),), 500, NOW)
    node = dataclasses.replace(
        _cache().nodes[0], hit_ratio=0.93, evictions_per_s=0.0, backends_down=("worker_07",), backend_failures_per_s=1.0
    )
    farm = dataclasses.replace(
        make_farm(nodes=[down("worker-07", Tier.APP, address="10.0.1.7")]),
        swarm=swarm,
        cache=CacheTier((node,), (), 0.93, 0.93),
        edge=quiet_edge(backends=(Backend("wp", "http://10.0.1.7:80", False), Backend("wp", "http://b", True))),
    )
    told = found(farm)
    assert list(told) == ["node/worker-07"]
    assert {text for text in told["node/worker-07"].evidence if text.startswith("so ")} == {
        "so Swarm has lost 1 of 23 nodes",
        "so Varnish on 10.20.3.1:9100 has lost backends",
        "so 1 of 2 backends are down",
    }


def test_a_source_that_is_too_slow_for_its_interval_is_told_so() -> None:
    late = dataclasses.replace(make_source("prometheus", Freshness.AGEING, answered=0.5), duration_s=31.0)
    cause = found(make_farm(sources=[late]))["source/prometheus"].cause
    assert cause == "its answer takes 31 s, and is wanted every 15 s"


# -- sources


def test_without_prometheus_the_farm_is_unknown_without_digitalocean_it_is_not() -> None:
    lost = make_source("prometheus", Freshness.STALE, answered=9, failure=make_failure())
    farm = make_farm(make_book(), sources=[lost, make_source("alertmanager")])
    finding = found(farm)["source/prometheus"]
    assert (finding.severity, finding.title) == (UNKNOWN, "prometheus does not answer")
    assert finding.evidence[0] == "last answer 9 min ago"
    assert any(text.startswith("→ ") for text in finding.evidence)
    assert overall(farm, findings(farm)) is UNKNOWN
    refused = make_source(
        "digitalocean", Freshness.FORBIDDEN, answered=None, failure=make_failure(FailureKind.FORBIDDEN)
    )
    farm = make_farm(make_book(), sources=[make_source("prometheus"), refused])
    assert found(farm)["source/digitalocean"].title == "digitalocean refuses us"
    assert overall(farm, findings(farm)) is WARNING


def test_a_picture_that_only_ages_still_tells_the_truth() -> None:
    ageing = make_source("prometheus", Freshness.AGEING, answered=0.6, failure=make_failure())
    assert found(make_farm(sources=[ageing, make_source("alertmanager")]))["source/prometheus"].severity is WARNING


def test_one_failed_poll_of_a_live_source_is_only_a_note() -> None:
    once = dataclasses.replace(make_source("prometheus", failure=make_failure()), failures_in_a_row=1)
    farm = make_farm(sources=[once])
    assert found(farm)["source/prometheus"].severity is INFO


def test_machines_in_doubt_because_their_source_is_silent_are_the_sources_finding() -> None:
    nodes = [
        dataclasses.replace(
            make_node(f"worker-{n}", Tier.APP, state=UNKNOWN, why="Proxmox gives no fresh answer about it"),
            sightings=(Sighting("proxmox", f"main/{n}", f"worker-{n}"),),
        )
        for n in (1, 2)
    ]
    lost = make_source("proxmox", Freshness.STALE, name="proxmox main", answered=9, failure=make_failure())
    told = found(make_farm(nodes=nodes, sources=[make_source("prometheus"), lost]))
    assert list(told) == ["source/proxmox main"]


def test_a_farm_that_nobody_has_seen_yet_is_unknown() -> None:
    assert overall(make_farm(sources=[make_source("prometheus", Freshness.NEVER, answered=None)]), ()) is UNKNOWN
    assert overall(make_farm(sources=[]), ()) is UNKNOWN


def test_what_could_not_be_had_and_who_is_doubtful_are_notes_with_their_remedies() -> None:
    told = found(troubled())
    assert told["figures"].severity is INFO
    assert told["identity"].severity is INFO
    assert told["identity"].evidence[0].startswith("→ ")
    assert told["rules"].severity is WARNING if "rules" in told else True
    assert told["source-partial/prometheus"].title == "prometheus answers in part"


def test_rules_that_cannot_be_evaluated_and_alertmanagers_that_are_gone() -> None:
    book = make_book(replicas=[make_replica(), make_replica("http://am-2:9093", up=False, problem="refused")])
    told = found(make_farm(book, rules=[make_rule("CephNearFull", health="err")]))
    assert told["rules"].cause == "never fires: CephNearFull"
    assert told["alertmanager/replica"].title == "1 of 2 Alertmanagers do not answer"


def test_an_errored_load_balancer_and_a_used_up_limit() -> None:
    cloud = CloudAccount(
        load_balancers=(LoadBalancer("1", "edge", "errored", "192.0.2.1", "nyc3"),), rate_limit=5000, rate_remaining=40
    )
    told = found(dataclasses.replace(make_farm(), cloud=cloud))
    assert told["do-balancer/1"].severity is CRITICAL
    assert told["do-rate-limit"].severity is WARNING
