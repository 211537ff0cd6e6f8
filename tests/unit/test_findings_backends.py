"""Sick backends: who tells of them, and what counts when a cache node has fallen silent."""

from __future__ import annotations

import dataclasses
from typing import Any

from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.traffic import CacheNode, CacheTier
from farmtui.farm.varnish import VarnishBackend
from farmtui.insight.findings import findings
from tests.screens.farms import NOW, ago, make_farm, make_node, make_source

SICK = (VarnishBackend("wp1", "probe", False, 0, 8, ago(3)), VarnishBackend("wp2", "probe", True, 8, 8, ago(3)))


def farm_of(*nodes: CacheNode) -> Farm:
    machines = [make_node(f"cache-{number}", Tier.CACHE, address=f"10.0.0.{number}") for number in (1, 2)]
    farm = make_farm(nodes=machines, sources=[make_source("prometheus"), make_source("varnish")])
    return dataclasses.replace(farm, cache=CacheTier(nodes, (), 0.93, 0.93))


def varnish(number: int, **changes: Any) -> CacheNode:
    made = CacheNode(
        f"10.0.0.{number}:9100", up=True, hit_ratio=0.93, requests_per_s=960.0, backends=SICK, backends_at=ago(0.1),
        seen_at=NOW,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def titles(farm: Farm) -> list[str]:
    return [finding.title for finding in findings(farm) if "backend" in finding.title]


def test_a_sick_backend_is_told_by_its_node() -> None:
    assert titles(farm_of(varnish(1))) == ["Varnish on cache-1 has a sick backend"]


def test_what_a_node_told_before_it_fell_silent_is_no_news() -> None:
    silent = varnish(2, backends_problem="cache-2: no answer within 10 s", backends_at=ago(30))
    assert titles(farm_of(varnish(1, backends=()), silent)) == []
    assert titles(farm_of(varnish(1), silent)) == ["Varnish on cache-1 has a sick backend"]


def test_of_a_silent_node_its_metrics_have_the_word() -> None:
    silent = varnish(2, backends_problem="no answer", backends_down=("wp1",), backend_failures_per_s=3.0)
    assert titles(farm_of(silent)) == ["Varnish on cache-2 has lost backends"]
