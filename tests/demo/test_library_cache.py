"""The library's books for the cache tier, run to their end on the simulated farm."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.runbooks.planning import PlanError
from tests.demo.remedies import remedies


async def test_a_site_is_banned_on_every_cache_node_and_the_plan_tells_how_much_that_is(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        site = farm.running.farm.sites[0]
        plan = await farm.plan("cache-ban", site=site)
        requests = next(one.value for one in plan.requires if one.value.startswith("requests a second for it"))
        assert float(requests.split(": ")[1].split()[0]) > 1.0
        said = await farm.run("cache-ban", site=site)
        spec = f"req.http.host == {site}"
        assert {name: [ban for _, ban in v.bans] for name, v in farm.world().varnish.items()} == {
            f"cache-{number}": [spec] for number in (1, 2, 3)
        }
        assert said.count(spec) == 3
        # One that nobody visits has no traffic, which is no reason not to ban it.
        await farm.run("cache-ban", site="nobody.example", nodes="cache-2")
        assert [len(v.bans) for v in farm.world().varnish.values()] == [1, 2, 1]


async def test_a_cache_node_is_drained_and_brought_back(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        said = await farm.run("cache-drain", node="cache-1")
        assert "master" in said
        assert await farm.told("cache-1", "test -e /etc/varnish/maintenance") == ""
        seen = await farm.farm()
        assert seen.edge is not None
        down = {backend.url for backend in seen.edge.backends if not backend.up}
        assert down == {f"http://{farm.running.farm.by_name['cache-1'].address}:6081"}
        warm = farm.world().varnish["cache-1"].miss
        await farm.run("cache-return", node="cache-1")
        assert farm.world().resting == frozenset()
        assert farm.world().varnish["cache-1"].miss.target == warm.target
        with pytest.raises(PlanError, match="there is no node of tier cache 'db-1'"):
            await farm.plan("cache-drain", node="db-1")


async def test_one_site_s_object_cache_is_dropped_on_the_master_only(tmp_path: Path) -> None:
    async with remedies(tmp_path, "redis-pressure") as farm:
        site = farm.running.farm.sites[2]
        said = await farm.run("redis-flush-site", node="cache-1", site=site)
        assert "[count-the-site-s-keys on cache-1] | 6" in said
        assert farm.world().redis_fill["cache-1"].start < 1.5
        run = await farm.begun("redis-flush-site", node="cache-2", site=site)
        question = farm.state(run).question
        assert question is not None
        assert "it is the master: it does not" in question.text


async def test_the_redis_master_is_handed_over(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        await farm.run("redis-failover", node="cache-1")
        assert farm.world().redis_master == "cache-2"


async def test_a_redis_that_evicts_is_given_memory(tmp_path: Path) -> None:
    async with remedies(tmp_path, "redis-pressure") as farm:
        assert "RedisEvicting" in await farm.alerts()
        await farm.run("redis-memory", node="cache-1", gigabytes="6")
        await farm.pass_time(600.0)
        assert "RedisEvicting" not in await farm.alerts()


async def test_cookies_are_stripped_and_the_hit_ratio_comes_back(tmp_path: Path) -> None:
    async with remedies(tmp_path, "hit-ratio-falling") as farm:
        assert "CacheHitRatioLow" in await farm.alerts()
        await farm.run("varnish-vcl", vcl="strip-cookies")
        await farm.pass_time(600.0)
        assert "CacheHitRatioLow" not in await farm.alerts()


async def test_varnish_is_restarted(tmp_path: Path) -> None:
    async with remedies(tmp_path) as farm:
        before = farm.world().varnish["cache-2"].started
        await farm.run("varnish-restart", node="cache-2")
        assert farm.world().varnish["cache-2"].started > before
