"""The feed: one Farm per change that somebody could see, and no source that stands in another's way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from farmtui.config import Config
from farmtui.farm.farm import Farm, PrometheusView
from farmtui.farm.node import CloudAccount, Droplet
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Freshness, Severity
from farmtui.polling import Feed, build_sources
from farmtui.polling.assemble import MACHINES_IN_THREAD
from farmtui.polling.coordinator import START_SPREAD_S
from farmtui.polling.feed import PATIENCE_S, SHOWN_S
from farmtui.sources import Source
from tests.unit.polling_stage import (
    CONFIG,
    Answer,
    Audience,
    StageClock,
    StageSource,
    fails,
    no_chance,
    seen,
    settle,
)

ACCOUNT = CloudAccount((Droplet(1, "web-1", "active", "fra1", "s-1", Decimal(6), 1, 1e9, 25e9, ("10.0.0.1",)),))


def cloud(clock: StageClock, *answers: Answer, **more: Any) -> StageSource:
    """DigitalOcean."""
    return StageSource(clock, answers or [ACCOUNT], name="digitalocean", kind="digitalocean", **more)


@asynccontextmanager
async def playing(
    clock: StageClock, *sources: Source[Any], config: Config = CONFIG
) -> AsyncIterator[tuple[Feed, Audience]]:
    """A feed at work."""
    audience = Audience()
    feed = Feed(config, sources=sources, on_farm=audience, clock=clock, chance=no_chance)
    task = asyncio.ensure_future(feed.run())
    try:
        yield feed, audience
    finally:
        task.cancel()
        await asyncio.wait({task})


def freshness(audience: Audience) -> Freshness:
    """How fresh the first source is shown to be."""
    return audience.last.sources[0].freshness


async def test_the_first_picture_comes_before_the_first_answer() -> None:
    clock = StageClock()
    config = Config.model_validate({"tiers": {"cache": {"expect": 3}}})
    async with playing(clock, StageSource(clock, [seen()]), config=config) as (_, audience):
        await settle()
        (farm,) = audience.farms
        assert [source.freshness for source in farm.sources] == [Freshness.NEVER]
        (tier,) = farm.tiers
        assert tier.state is Severity.UNKNOWN  # nobody has been asked yet: that is no outage


async def test_answers_that_come_together_are_one_picture() -> None:
    clock = StageClock()
    async with playing(clock, StageSource(clock, [seen()]), cloud(clock)) as (feed, audience):
        await clock.advance(1)
        assert len(audience.farms) == 2
        assert [source.freshness for source in audience.last.sources] == [Freshness.LIVE] * 2
        (node,) = audience.last.nodes
        assert {s.source for s in node.sightings} == {"prometheus", "digitalocean"}
        assert feed.farm is audience.last


async def test_nothing_is_published_while_nothing_changes() -> None:
    clock = StageClock()
    async with playing(clock, StageSource(clock, [seen()]), cloud(clock, interval_s=60.0)) as (_, audience):
        await clock.advance(600)
        # The empty one, the first answer, and that of the source which is asked seldom, and so after it.
        assert len(audience.farms) == 3


async def test_what_is_asked_seldom_waits_for_what_is_asked_often() -> None:
    clock = StageClock()
    often, seldom = StageSource(clock, [seen()], takes_s=0.8), cloud(clock, interval_s=60.0)
    async with playing(clock, often, seldom):
        await clock.advance(10)
        assert often.polled_at[0] < 0.1
        assert seldom.polled_at[0] > 0.8 + SHOWN_S
        assert seldom.polled_at[0] < 1.1 + SHOWN_S


async def test_what_is_asked_seldom_waits_for_no_source_that_hangs() -> None:
    clock = StageClock()

    async def never() -> None:
        await asyncio.Event().wait()

    seldom = cloud(clock, interval_s=60.0)
    async with playing(clock, StageSource(clock, [never]), seldom):
        await clock.advance(10)
        assert seldom.polled_at[0] == pytest.approx(PATIENCE_S + 0.05, abs=0.1)


async def test_each_change_is_published_once() -> None:
    clock = StageClock()
    source = StageSource(clock, [seen(1.0), seen(1.0), seen(2.0), seen(2.0), seen(3.0)])
    async with playing(clock, source) as (_, audience):
        await clock.advance(100)
        loads = [farm.nodes[0].metrics.load1 for farm in audience.farms if farm.nodes]
        assert loads == [1.0, 2.0, 3.0]


async def test_what_has_not_changed_is_the_same_object() -> None:
    clock = StageClock()
    prometheus = StageSource(clock, [seen(1.0), seen(2.0)])

    async def fresh() -> CloudAccount:
        return CloudAccount(tuple(ACCOUNT.droplets))

    async with playing(clock, prometheus, cloud(clock, fresh)) as (_, audience):
        await clock.advance(1)
        first = audience.last
        await clock.advance(11)
        second = audience.last
        assert first is not second
        assert second.cloud is first.cloud
        assert second.trends is first.trends
        assert second.identity_problems is first.identity_problems
        assert second.nodes is not first.nodes


async def test_ages_are_seen_to_grow_and_no_oftener_than_they_are_worth() -> None:
    clock = StageClock()
    source = StageSource(clock, [seen(), fails()])
    async with playing(clock, source) as (_, audience):
        await clock.advance(19)
        assert freshness(audience) is Freshness.LIVE
        assert audience.last.sources[0].failure is not None
        await clock.advance(3)
        assert freshness(audience) is Freshness.AGEING
        before = len(audience.farms)
        await clock.advance(20)
        assert 3 <= len(audience.farms) - before <= 6  # every five seconds, and one more failure
        await clock.advance(20)
        assert freshness(audience) is Freshness.STALE
        await clock.advance(60)
        before, failures = len(audience.farms), len(source.polled_at)
        await clock.advance(600)
        assert len(audience.farms) - before <= 10 + len(source.polled_at) - failures
        node = audience.last.nodes[0]
        assert (node.state, node.metrics.load1) == (Severity.UNKNOWN, 1.0)  # readable, and not called well


async def test_a_refusal_keeps_the_picture() -> None:
    clock = StageClock()
    source = StageSource(clock, [seen(), fails(FailureKind.FORBIDDEN)])
    async with playing(clock, source) as (_, audience):
        await clock.advance(12)
        assert audience.last.sources[0].freshness is Freshness.FORBIDDEN
        assert audience.last.nodes


async def test_an_answer_without_content_is_empty() -> None:
    clock = StageClock()
    async with playing(clock, StageSource(clock, [PrometheusView()])) as (_, audience):
        await clock.advance(1)
        assert audience.last.sources[0].freshness is Freshness.EMPTY


async def test_a_source_that_hangs_delays_no_other() -> None:
    clock = StageClock()

    async def never() -> None:
        await asyncio.Event().wait()

    other = StageSource(clock, [seen(1.0), seen(2.0), seen(3.0)])
    async with playing(clock, cloud(clock, never), other) as (_, audience):
        await clock.advance(30)
        first = START_SPREAD_S / 2
        assert other.polled_at == pytest.approx([first, first + 10, first + 20])
        assert audience.last.nodes[0].metrics.load1 == 3.0


async def test_a_screen_that_fails_does_not_end_the_feed() -> None:
    clock = StageClock()
    shown: list[Farm] = []

    def screen(farm: Farm) -> None:
        shown.append(farm)
        raise RuntimeError("no room")

    feed = Feed(CONFIG, sources=[StageSource(clock, [seen(1.0), seen(2.0)])], on_farm=screen, clock=clock)
    task = asyncio.ensure_future(feed.run())
    await clock.advance(12)
    assert len(shown) == 3
    task.cancel()
    await asyncio.wait({task})


@pytest.mark.parametrize("fault", [None, RuntimeError("no room")])
async def test_a_big_picture_is_weighed_beside_the_loop_before_it_is_shown(fault: Exception | None) -> None:
    clock = StageClock()
    weighed: list[tuple[Farm, int]] = []
    shown: list[Farm] = []
    audience, enough = Audience(), asyncio.Event()

    def weigh(farm: Farm) -> None:
        weighed.append((farm, threading.get_ident()))
        if fault is not None:
            raise fault

    def screen(farm: Farm) -> None:
        shown.extend(known for known, _ in weighed if known is farm)
        audience(farm)
        if len(audience.farms) == 2:  # the first is that in which nobody has answered yet, and is small
            enough.set()

    source = StageSource(clock, [seen(count=MACHINES_IN_THREAD + 1)])
    feed = Feed(CONFIG, sources=[source], on_farm=screen, weigh=weigh, clock=clock, chance=no_chance)
    task = asyncio.ensure_future(feed.run())
    await clock.advance(1)
    await enough.wait()
    task.cancel()
    await asyncio.wait({task})
    assert len(audience.last.nodes) > MACHINES_IN_THREAD
    assert shown == [audience.last]
    assert [thread for _, thread in weighed if thread == threading.get_ident()] == []


async def test_a_small_picture_is_not_worth_a_thread() -> None:
    clock, weighed, audience = StageClock(), list[Farm](), Audience()
    feed = Feed(CONFIG, sources=[StageSource(clock, [seen()])], on_farm=audience, weigh=weighed.append, clock=clock)
    task = asyncio.ensure_future(feed.run())
    await clock.advance(1)
    task.cancel()
    await asyncio.wait({task})
    assert len(audience.farms) == 2
    assert not weighed


async def test_leaving_closes_every_source_whatever_one_does() -> None:
    clock = StageClock()

    class Clinging(StageSource):
        async def close(self) -> None:
            await super().close()
            raise OSError("busy")

    sources = [Clinging(clock, [seen()]), cloud(clock)]
    async with playing(clock, *sources):
        await clock.advance(1)
    assert [source.closed for source in sources] == [1, 1]


async def test_refresh_asks_all_or_one() -> None:
    clock = StageClock()
    prometheus, account = StageSource(clock, [seen()], interval_s=500.0), cloud(clock, interval_s=500.0)
    async with playing(clock, prometheus, account) as (feed, _):
        await clock.advance(10)
        feed.refresh("digitalocean")
        await clock.advance(2)
        assert (len(prometheus.polled_at), len(account.polled_at)) == (1, 2)
        feed.refresh()
        await clock.advance(2)
        assert (len(prometheus.polled_at), len(account.polled_at)) == (2, 3)


async def test_one_cycle_asks_all_at_once_and_closes() -> None:
    clock = StageClock()
    sources = [StageSource(clock, [seen()], takes_s=3.0), cloud(clock, takes_s=4.0)]
    feed = Feed(CONFIG, sources=sources, clock=clock)
    task = asyncio.ensure_future(feed.one_cycle(10.0))
    await clock.advance(4.0)
    farm = await task
    assert clock.elapsed_s == 4.0
    assert [source.freshness for source in farm.sources] == [Freshness.LIVE] * 2
    assert [source.closed for source in sources] == [1, 1]
    assert len(farm.nodes) == 1


async def test_one_cycle_waits_no_longer_than_it_may() -> None:
    clock = StageClock()
    sources = [StageSource(clock, [seen()], takes_s=30.0), cloud(clock)]
    feed = Feed(CONFIG, sources=sources, clock=clock)
    task = asyncio.ensure_future(feed.one_cycle(10.0))
    await clock.advance(10.0)
    farm = await task
    late, prompt = farm.sources
    assert (late.freshness, prompt.freshness) == (Freshness.NEVER, Freshness.LIVE)
    assert late.failure is not None
    assert (late.failure.kind, late.failure.what) == (FailureKind.TIMEOUT, "prometheus: no answer within 10 s")


async def test_no_source_at_all_is_a_farm_too() -> None:
    farm = await Feed(CONFIG, sources=[]).one_cycle(1.0)
    assert (farm.nodes, farm.sources) == ((), ())


class CountingThreads(ThreadPoolExecutor):
    """Threads that count what is given to them."""

    def __init__(self) -> None:
        super().__init__(2)
        self.jobs = 0

    def submit(self, *args: Any, **more: Any) -> Any:
        """One more."""
        self.jobs += 1
        return super().submit(*args, **more)


@pytest.mark.parametrize(("count", "in_thread"), [(600, True), (30, False)])
async def test_a_big_farm_is_assembled_off_the_loop_and_the_newest_wins(count: int, in_thread: bool) -> None:
    clock, threads = StageClock(), CountingThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    source = StageSource(clock, [seen(1.0, count=count), seen(2.0, count=count)])
    async with playing(clock, source) as (_, audience):
        loads: set[float | None] = set()
        while loads != {2.0}:
            await clock.advance(1)
            if in_thread:
                await asyncio.wait_for(asyncio.sleep(0.01), 5)  # the thread's own time, which no clock of ours moves
            loads = {node.metrics.load1 for node in audience.last.nodes}
        assert (threads.jobs > 0) is in_thread
        loads_in_turn = [farm.nodes[0].metrics.load1 for farm in audience.farms if farm.nodes]
        assert loads_in_turn == sorted(loads_in_turn, key=lambda load: load or 0.0)


def configured(**sections: Any) -> Config:
    """A config with these sections."""
    return Config.model_validate(sections)


def names(config: Config) -> Sequence[str]:
    """The sources of a config."""
    return [source.name for source in build_sources(config)]


def test_only_what_is_configured_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_TOKEN", "hunter2-hunter2")
    assert names(configured()) == []
    assert names(configured(prometheus={"url": "http://p.example"})) == [
        "prometheus", "prometheus trends", "prometheus sites",
    ]  # fmt: skip
    everything = configured(
        prometheus={"url": "http://p.example"},
        alertmanager={"urls": ["http://a.example"]},
        proxmox=[{"name": "main", "hosts": ["pve-1"], "token_id": "a@pve!b", "token_secret": "env:STAGE_TOKEN"}],
        digitalocean={"token": "env:STAGE_TOKEN"},
    )
    assert names(everything) == [
        "prometheus", "prometheus trends", "prometheus sites", "alertmanager", "proxmox main", "digitalocean",
        "digitalocean bill",
    ]  # fmt: skip


def test_polling_imports_no_screen_and_no_client() -> None:
    code = (
        "import sys, farmtui.polling\n"
        "heavy = ('textual', 'rich', 'pydo', 'proxmoxer', 'prometheus_api_client', 'aiohttp')\n"
        "print([module for module in heavy if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
