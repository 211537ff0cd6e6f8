"""The poll of Prometheus against a server that fails in every way: it never raises, never blocks, never leaks."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from aiohttp import web

from farmtui.farm.reading import FailureKind
from farmtui.sources.prometheus.batches import FIGURES_LIMIT
from farmtui.sources.prometheus.catalogue import catalogue
from farmtui.sources.prometheus.decode import VectorReader
from tests.sources.conftest import Serve, beating
from tests.sources.prometheus.fakes import (
    FakePrometheus,
    Fault,
    drip,
    for_ever,
    series,
    status,
    text,
)
from tests.sources.prometheus.polls import AT, FIGURES, WHOLE_FAULTS, Polls, but, good, only, polls

__all__ = ["polls"]


async def test_everything_is_asked_once_and_read(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus(
        {
            "up": [series(1, instance="10.0.0.1:9131", job="varnish", tier="cache")],
            FIGURES["cache.uptime_s"].promql: [series(3600, instance="10.0.0.1:9131")],
            FIGURES["cache.hit_ratio"].promql: [series(0.93, instance="10.0.0.1:9131")],
            FIGURES["cache.tier_hit_ratio"].promql: [series(0.93)],
        }
    )
    reading = await polls.source(await serve(fake)).poll()
    view = good(reading)
    assert view.cache is not None
    assert view.cache.hit_ratio == 0.93
    assert [(node.instance, node.uptime_s, node.seen_at) for node in view.cache.nodes] == [("10.0.0.1:9131", 3600, AT)]
    assert [(host.host, host.tier_hint) for host in view.hosts] == [("10.0.0.1", "cache")]
    assert view.figure_problems == ()
    assert (view.edge, view.galera, view.swarm, view.ceph) == (None, None, None, None)
    asked = [figure.promql for figure in catalogue().asked]
    assert {query: fake.asked[query] for query in asked} == dict.fromkeys(asked, 1)
    assert fake.asked["rules"] == fake.asked["targets"] == 1
    assert reading.requests == fake.requests
    assert len(asked) / FIGURES_LIMIT < reading.requests - 2 <= 1 + len(asked) / (FIGURES_LIMIT / 2)
    assert reading.taken_at == AT


@pytest.mark.parametrize(
    ("ahead_s", "told_s"), [(1.2, 0.04), (-2.9, 0.04), (600.0, 600.0), (-30.0, -30.0), (None, 0.04)]
)
async def test_a_machines_clock_is_the_kernels_word_until_its_time_says_otherwise(
    serve: Serve, polls: Polls, ahead_s: float | None, told_s: float
) -> None:
    """The kernel says 0 where nothing keeps its time; a scrape's own duration is no offset."""
    at = "10.0.0.1:9100"
    fake = FakePrometheus(
        {
            "up": [series(1, instance=at, job="node")],
            FIGURES["node.uptime_s"].promql: [series(3600, instance=at)],
            FIGURES["node.cpu_ratio"].promql: [series(0.1, instance=at)],
            FIGURES["node.clock_offset_s"].promql: [series(0.04, instance=at)],
            FIGURES["node.clock_ahead_s"].promql: [] if ahead_s is None else [series(ahead_s, instance=at)],
        }
    )
    [host] = good(await polls.source(await serve(fake)).poll()).hosts
    assert host.metrics.clock_offset_s == told_s


async def test_slow_figures_are_spread_over_four_polls_and_known_between(serve: Serve, polls: Polls) -> None:
    node_info = FIGURES["node.info"].promql
    fake = FakePrometheus({node_info: [series(1, instance="a:9100", nodename="cache-1", release="6")]})
    source = polls.source(await serve(fake))
    await source.poll()
    fake.asked.clear()
    counts = []
    for _ in range(4):
        polls.clock.forward(15)
        reading = await source.poll()
        assert [host.name for host in good(reading).hosts] == ["cache-1"]
        counts.append(reading.requests)
    slow = [figure.promql for figure in catalogue().asked if figure.slow]
    fast = [figure.promql for figure in catalogue().asked if not figure.slow]
    assert {fake.asked[query] for query in slow} == {1}
    assert {fake.asked[query] for query in fast} == {4}
    assert fake.asked["rules"] == fake.asked["targets"] == 1
    assert max(counts) - min(counts) <= 3


async def test_the_number_of_requests_does_not_grow_with_nodes_and_sites(serve: Serve, polls: Polls) -> None:
    def farm(nodes: int, sites: int) -> FakePrometheus:
        names = [f"10.{n // 250}.{n % 250}.9:9100" for n in range(nodes)]
        vectors: dict[str, Any] = {
            figure.promql: [series(0.5, instance=name) for name in names]
            for figure in catalogue().asked
            if figure.labels == ("instance",)
        }
        vectors["up"] = [series(1, instance=name, job="node") for name in names]
        vectors[FIGURES["edge.server_up"].promql] = [series(1, service=f"s{n}", url="http://x") for n in range(sites)]
        return FakePrometheus(vectors)

    small, large = await serve(farm(34, 500)), await serve(farm(1_000, 5_000))
    first, second = await polls.source(small).poll(), await polls.source(large).poll()
    assert first.requests == second.requests
    assert len(good(first).hosts) == 34
    assert len(good(second).hosts) == 1_000


async def test_queries_run_side_by_side_and_never_more_than_the_pool_allows(serve: Serve, polls: Polls) -> None:
    enough = asyncio.Event()

    async def wait_for_three(request: web.Request) -> web.StreamResponse | None:
        # The probe comes alone; then no query is answered until three are there at once.
        if request.query.get("query", "up") != "up":
            if fake.in_flight >= 3:
                enough.set()
            await enough.wait()
        return None

    fake = FakePrometheus()
    fake.fault = wait_for_three
    source = polls.source(await serve(fake), pool_size=3)
    good(await source.poll())
    # Targets and rules have two connections of their own beside the pool.
    assert 3 <= fake.most_in_flight <= 5


@pytest.mark.parametrize("fault", WHOLE_FAULTS)
async def test_a_server_that_fails_is_told_in_words_and_not_hammered(serve: Serve, polls: Polls, fault: str) -> None:
    answer, kind = WHOLE_FAULTS[fault]
    fake = FakePrometheus()
    fake.fault = answer
    url = await serve(fake)
    reading = await polls.source(url).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert reading.failure.what.startswith(f"prometheus at {url.removeprefix('http://')}: ")
    assert reading.failure.remedy
    # The probe, six in a row, and what the other threads had begun by then: not one for each figure.
    assert fake.requests <= 16
    if kind in (FailureKind.FORBIDDEN, FailureKind.RATE_LIMITED):
        assert fake.requests == 1


async def test_a_server_that_has_died_is_probed_and_then_read_again(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    source = polls.source(await serve(fake))
    good(await source.poll())
    fake.fault = status(500, "broken")
    assert (await source.poll()).failure is not None
    fake.asked.clear()
    fake.fault = status(401)
    assert (await source.poll()).failure is not None
    assert fake.asked == {"up": 1}
    fake.fault = None
    good(await source.poll())


async def test_retry_after_is_passed_on(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    fake.fault = status(429, "slower", **{"Retry-After": "77"})
    failure = (await polls.source(await serve(fake)).poll()).failure
    assert failure is not None
    assert failure.retry_after_s == 77


async def test_nobody_listens(polls: Polls, unused_tcp_port: int) -> None:
    failure = (await polls.source(f"http://127.0.0.1:{unused_tcp_port}").poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.UNREACHABLE
    assert "connection refused" in failure.what


async def test_a_name_that_does_not_exist(polls: Polls) -> None:
    failure = (await polls.source("http://prometheus.farm.invalid:9090").poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.UNREACHABLE
    assert "resolved" in failure.what


@pytest.mark.parametrize("fault", [for_ever, drip], ids=["hung", "dripping"])
async def test_a_server_that_hangs_costs_the_deadline_and_never_the_loop(
    serve: Serve, polls: Polls, fault: Fault
) -> None:
    fake = FakePrometheus()
    fake.fault = fault
    source = polls.source(await serve(fake), deadline_s=0.3, pool_size=2)
    async with beating() as beat:
        readings = [await source.poll() for _ in range(6)]
    assert {reading.failure.kind for reading in readings if reading.failure} == {FailureKind.TIMEOUT}
    assert len([reading for reading in readings if reading.failure]) == 6
    assert all(reading.duration_s < 5 for reading in readings)
    assert beat.count > 5, "the loop went on"
    # Threads that hung in it are free again: more calls than threads, and it is read when it is back.
    fake.fault = None
    recovered = polls.source(source.endpoint, pool_size=2)
    good(await recovered.poll())


async def test_a_server_that_hung_is_read_again_by_the_same_threads(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    fake.fault = for_ever
    # One thread, which the first poll leaves hanging until its own socket gives up.
    source = polls.source(await serve(fake), deadline_s=1.0, pool_size=1)
    assert (await source.poll()).failure is not None
    fake.fault = None
    answered = False
    for _ in range(20):
        answered = answered or (await source.poll()).value is not None
    assert answered


async def test_one_hung_query_leaves_the_others_and_is_asked_less_often(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus({FIGURES["db.up"].promql: [series(1, instance="db-1:9104")]})
    fake.fault = only("ceph.pg_states", for_ever)
    source = polls.source(await serve(fake), deadline_s=2.0, queries=but("up", "db.up", "ceph.pg_states"))
    async with beating() as beat:
        # It is in a batch with the other: which of them hangs is known once they are asked alone.
        first = good(await source.poll())
        assert [name for name, _ in first.figure_problems] == ["ceph.pg_states", "db.up"]
        reading = await source.poll()
    view = good(reading)
    assert view.galera is not None
    assert [name for name, _ in view.figure_problems] == ["ceph.pg_states"]
    assert "no answer within 2 s" in view.figure_problems[0][1]
    assert beat.count > 5, "the loop went on"
    fake.asked.clear()
    for _ in range(4):
        await source.poll()
    assert fake.asked[FIGURES["ceph.pg_states"].promql] == 1
    assert fake.asked["up"] == 4


async def test_a_refused_query_is_a_problem_of_its_figure_alone(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus({FIGURES["db.up"].promql: [series(1, instance="db-1:9104")]})
    fake.fault = only("edge.error_ratio", status(422, "many-to-many matching"))
    source = polls.source(await serve(fake))
    view = good(await source.poll())
    assert view.galera is not None
    assert [name for name, _ in view.figure_problems] == ["edge.error_ratio"]
    assert "many-to-many matching" in view.figure_problems[0][1]
    fake.fault = None
    assert good(await source.poll()).figure_problems == ()


async def test_the_probe_itself_may_be_refused(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus({FIGURES["db.up"].promql: [series(1, instance="db-1:9104")]})
    fake.fault = only("up", status(422, "limit"))
    view = good(await polls.source(await serve(fake)).poll())
    assert view.galera is not None
    assert [name for name, _ in view.figure_problems] == ["up"]


async def test_giving_up_half_way_gives_what_was_had(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus({FIGURES["node.load1"].promql: [series(0.5, instance="a:9100")]})
    source = polls.source(await serve(fake))
    good(await source.poll())
    fake.fault = only("swarm.leader", status(429, "slower"))
    reading = await source.poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.RATE_LIMITED
    assert reading.value is not None
    assert [host.metrics.load1 for host in reading.value.hosts] == [0.5]


async def test_warnings_of_thanos_are_passed_on(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    fake.warnings = ["store 10.0.0.9:10901 did not answer\x1b[2J"]
    reading = await polls.source(await serve(fake)).poll()
    good(reading)
    assert reading.warnings == ("store 10.0.0.9:10901 did not answer\ufffd[2J",)


async def test_a_partial_answer_of_victoriametrics_is_a_warning(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    body = json.dumps({"status": "success", "isPartial": True, "data": {"resultType": "vector", "result": []}})
    fake.fault = only("node.load1", text(body))
    reading = await polls.source(await serve(fake)).poll()
    good(reading)
    assert reading.warnings == ("the answer is partial: a storage node did not answer",)


async def test_answers_that_are_too_big_are_not_read(serve: Serve, polls: Polls) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 1_000_000)
        except ConnectionError:
            return response

    fake = FakePrometheus()
    fake.fault = only("node.load1", flood)
    async with beating() as beat:
        view = good(await polls.source(await serve(fake)).poll())
    assert [name for name, _ in view.figure_problems] == ["node.load1"]
    assert "longer than 64 MB" in view.figure_problems[0][1]
    assert beat.count > 5, "the loop went on"


async def test_fifty_thousand_series_are_read_beside_the_loop(
    serve: Serve, polls: Polls, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: set[str] = set()
    read = VectorReader.read

    def noted(self: VectorReader, element: Any) -> None:
        readers.add(threading.current_thread().name)
        read(self, element)

    monkeypatch.setattr(VectorReader, "read", noted)
    body = json.dumps(
        {
            "status": "success",
            "data": {
                "resultType": "vector",
                "result": [series(n % 2, service=f"site-{n}@swarm", url=f"http://10.0.0.1:{n}") for n in range(50_000)],
            },
        }
    )
    fake = FakePrometheus()
    fake.fault = only("edge.server_up", text(body))
    source = polls.source(await serve(fake))
    await source.poll()
    view = good(await source.poll())
    assert view.edge is not None
    assert len(view.edge.backends) == 50_000
    assert readers
    assert threading.main_thread().name not in readers


WRONG_RESULTS: dict[str, Any] = {
    "null": None,
    "text": "up",
    "number": 7,
    "object": {"metric": {}},
    "numbers": [1, 2, 3],
    "nulls": [None, None, None],
    "no metric": [{"value": [1, "1"]}],
    "no value": [{"metric": {"instance": "a"}}],
    "value is text": [{"metric": {"instance": "a"}, "value": "1"}],
    "value is short": [{"metric": {"instance": "a"}, "value": [1]}],
    "value is no number": [{"metric": {"instance": "a"}, "value": [1, "one"]}],
    "labels are numbers": [{"metric": {"instance": 7}, "value": [1, "1"]}],
    "a range": [{"metric": {"instance": "a"}, "values": [[1, "1"]]}],
    "a histogram": [{"metric": {"instance": "a"}, "histogram": [1, {}]}],
    "scalar": [1_700_000_000, "1"],
}


@pytest.mark.parametrize("wrong", WRONG_RESULTS)
async def test_results_of_the_wrong_type_are_problems_of_their_figure(serve: Serve, polls: Polls, wrong: str) -> None:
    fake = FakePrometheus({FIGURES["db.up"].promql: [series(1, instance="db-1:9104")]})
    fake.vectors[FIGURES["db.recv_queue"].promql] = WRONG_RESULTS[wrong]
    view = good(await polls.source(await serve(fake)).poll())
    assert view.galera is not None
    assert [node.recv_queue for node in view.galera.nodes] == [None]
    assert [name for name, _ in view.figure_problems] == ["db.recv_queue"]


async def test_labels_are_cleaned(serve: Serve, polls: Polls) -> None:
    evil = "\x1b]0;owned\x07db-1\u202e:9104"
    fake = FakePrometheus({FIGURES["db.up"].promql: [series(1, instance=evil)]})
    view = good(await polls.source(await serve(fake)).poll())
    assert view.galera is not None
    assert [node.instance for node in view.galera.nodes] == ["\ufffd]0;owned\ufffddb-1\ufffd:9104"]
