"""The console's whole catalogue against the simulated Prometheus: each query is answered, and with data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farmtui.demo.world.ceph_changes import FlagSet, SlowOps
from farmtui.demo.world.network_changes import LinkWorn
from farmtui.sources.prometheus import PrometheusSource, PrometheusTrends
from farmtui.sources.prometheus.batches import LABEL, batched
from farmtui.sources.prometheus.catalogue import catalogue
from tests.demo.stage import Clock, Stage, stage

RIGHTLY_EMPTY = {
    "sites.failing",
    "cache.backends_down",
    "ceph.health_checks",
    "ceph.osd_flags",
    "ceph.slow_daemons",
    "link.errors_per_s",
}
"""What a farm in which all is well has none of."""
NOT_HERE = {"db.replica_behind_s", "db.replica_running", "db.transfer_ratio"}
"""Of this farm's databases none is an asynchronous replica, or joins."""

FIGURES = [figure for figure in catalogue().asked if figure.promql]


async def _result(farm: Stage, promql: str) -> list[Any]:
    answer = await farm.prometheus.get("/api/v1/query", ("query", promql))
    assert answer["status"] == "success"
    assert answer["data"]["resultType"] == "vector"
    found: list[Any] = answer["data"]["result"]
    return found


async def _rows(farm: Stage, promql: str) -> int:
    return len(await _result(farm, promql))


async def test_every_figure_has_data_on_the_reference_farm() -> None:
    # A farm with a fault goes without incidents of its own; this one shows in no figure here.
    async with stage("do-api-limited") as farm:
        found = {figure.name: await _rows(farm, figure.promql) for figure in FIGURES}
    assert len(found) > 90
    assert {name for name, rows in found.items() if not rows} == RIGHTLY_EMPTY | NOT_HERE
    assert found["node.cpu_ratio"] == 34
    assert found["sites.busiest"] == 50
    assert found["ceph.osd_up"] == 12
    assert found["swarm.managers"] == 23


async def test_what_is_empty_without_faults_is_not_with_them() -> None:
    async with stage("site-broken", "worker-down", "osd-down") as farm:
        await farm.running.keeper.ask(lambda o: o.happen(FlagSet("noout"), SlowOps(7), LinkWorn("stor-3", 5.0)))
        farm.clock.at += 60.0
        found = {figure.name: await _rows(farm, figure.promql) for figure in FIGURES}
    # Of a cluster that has just lost an OSD's room nobody can tell how it grows.
    assert {name for name, rows in found.items() if not rows} == {"ceph.growth_bytes_per_s", *NOT_HERE}


async def test_the_consoles_source_has_nothing_to_complain_of(tmp_path: Path) -> None:
    clock = Clock()
    async with stage("do-api-limited", clock=clock) as farm:
        config = farm.config(tmp_path).prometheus
        assert config is not None
        source = PrometheusSource(config, clock=clock.moment)
        try:
            first = await source.poll()
            clock.at += 5.0
            second = await source.poll()
        finally:
            await source.close()
    for reading in (first, second):
        assert reading.failure is None
        assert reading.warnings == ()
        assert reading.value is not None
        assert reading.value.figure_problems == ()
    assert second.requests <= first.requests <= len(FIGURES) + 2
    view = second.value
    assert view is not None
    assert view.edge is not None
    assert view.edge.sites_seen == 500
    assert len(view.rules) == len({rule.name for rule in view.rules}) > 30


async def test_figures_asked_together_are_what_each_is_by_itself() -> None:
    clock = Clock()
    async with stage("site-broken", "worker-down", "osd-down", clock=clock) as farm:
        for batch in batched(catalogue().over(30).asked, ()):
            together: dict[str, list[Any]] = {name: [] for name in batch.names}
            for series in await _result(farm, batch.promql):
                together[series["metric"].pop(LABEL)].append(series)
            for figure in batch.figures:
                alone = await _result(farm, figure.promql)
                assert sorted(together[figure.name], key=str) == sorted(alone, key=str), figure.name


@pytest.mark.parametrize("hours", [1, 6, 24, 7 * 24])
async def test_the_trends_reach_back_at_the_start(hours: int, tmp_path: Path) -> None:
    clock = Clock()
    async with stage(clock=clock) as farm:
        config = farm.config(tmp_path).prometheus
        assert config is not None
        config = config.model_copy(update={"trends_window_s": hours * 3600.0})
        source = PrometheusTrends(config, clock=clock.moment)
        try:
            reading = await source.poll()
        finally:
            await source.close()
    assert reading.failure is None
    assert reading.value is not None
    assert set(reading.value) == set(catalogue().trends)
    for trend in reading.value.values():
        assert trend.failure == ""
        assert trend.series, trend.name
        for line in trend.series:
            assert line.times[-1] - line.times[0] == hours * 3600.0
            known = [value for value in line.values if value is not None]
            assert len(known) > 0.97 * len(line.values), trend.name
    requests = [value or 0.0 for value in reading.value["edge.requests_per_s"].series[0].values]
    # A living day: not a flat line.
    assert max(requests) > (1.02 if hours < 6 else 1.2) * min(requests) > 0
