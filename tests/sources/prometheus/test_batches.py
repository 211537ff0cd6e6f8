"""Many figures by one query: nothing is lost by it, whatever the server does with such a query."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from urllib.parse import quote_plus

import pytest
from aiohttp import web

from farmtui.sources.prometheus.batches import FIGURES_LIMIT, QUERY_LIMIT, batched, fitting
from farmtui.sources.prometheus.catalogue import Figure, catalogue
from farmtui.sources.prometheus.source import APART_POLLS
from tests.sources.conftest import Serve
from tests.sources.prometheus.fakes import FakePrometheus, Fault, for_ever, parts, series, status, vector_answer
from tests.sources.prometheus.polls import FIGURES, Polls, but, good, only, polls

__all__ = ["polls"]

ASKED = catalogue().over(30).asked


def whole_farm() -> FakePrometheus:
    """A server on which every figure has one series, with a number of its own."""
    return FakePrometheus(
        {
            figure.promql: [{**series(number), "metric": {label: f"{label}-{number}" for label in figure.labels}}]
            for number, figure in enumerate(ASKED, 1)
        }
    )


def batches_alone(fault: Fault) -> Fault:
    """A fault in the answers to batches."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        return await fault(request) if "" not in parts(request.query.get("query", "")) else None

    return answer


@pytest.mark.parametrize("most", [1, 2, 7, FIGURES_LIMIT])
def test_every_figure_is_in_one_batch_and_none_is_too_long(most: int) -> None:
    apart = {"node.load1", "up"}
    made = batched(ASKED, apart, most)
    assert sorted(name for batch in made for name in batch.names) == sorted(figure.name for figure in ASKED)
    assert max(len(batch.figures) for batch in made) == most
    assert {batch.names for batch in made} >= {("node.load1",), ("up",)}
    for batch in made:
        if len(batch.figures) > 1:
            assert len(quote_plus(batch.promql)) <= QUERY_LIMIT + 40 * len(batch.figures)
            assert parts(batch.promql) == {figure.name: figure.promql for figure in batch.figures}
            assert batch.promql.count("\nor ") == len(batch.figures) - 1


def test_one_that_is_longer_than_a_batch_may_be_is_asked_by_itself() -> None:
    long = dataclasses.replace(ASKED[3], promql=" or ".join(["up"] * 2_000))
    figures = (*ASKED[:3], long, *ASKED[4:6])
    assert (long.name,) in {batch.names for batch in batched(figures, ())}


@pytest.mark.parametrize(
    ("probe_s", "most"), [(0.0, FIGURES_LIMIT), (0.1, FIGURES_LIMIT), (0.25, 8), (0.8, 2), (2.5, 1), (60.0, 1)]
)
def test_a_slow_server_gets_small_batches(probe_s: float, most: int) -> None:
    assert fitting(probe_s, deadline_s=10.0) == most


def bad_requests() -> Iterator[tuple[str, Fault]]:
    yield "no such function", status(400, "unknown function label_replace")
    yield "too much", status(422, "query processing would load too many samples into memory")
    yield "too long an address", status(414)
    yield "a proxy's limit", status(502)

    async def bare(request: web.Request) -> web.StreamResponse:
        """A server that gives the labels, and drops the one that we ask for."""
        return vector_answer([series(1, instance="a:9100")])

    yield "without the label", bare


@pytest.mark.parametrize("fault", [fault for _, fault in bad_requests()], ids=[name for name, _ in bad_requests()])
async def test_a_server_that_takes_no_batches_is_asked_one_by_one(serve: Serve, polls: Polls, fault: Fault) -> None:
    plain, wrong = whole_farm(), whole_farm()
    wrong.fault = batches_alone(fault)
    source = polls.source(await serve(wrong), pool_size=1)
    wanted = good(await polls.source(await serve(plain)).poll())
    assert good(await source.poll()) == wanted
    assert not wanted.figure_problems
    # From then on it is asked for each by itself at once, for a while.
    before = wrong.requests
    good(await source.poll())
    fast = [figure for figure in ASKED if not figure.slow]
    assert wrong.requests - before > len(fast)
    assert max(wrong.asked.values()) <= 3


async def test_a_server_is_asked_for_batches_again_after_a_while(serve: Serve, polls: Polls) -> None:
    fake = whole_farm()
    fake.fault = batches_alone(status(422, "too many samples"))
    queries = but("up", "node.load1", "node.cpu_ratio")
    source = polls.source(await serve(fake), pool_size=1, queries=queries)
    for _ in range(2):
        good(await source.poll())
    fake.fault = None
    for wanted in (*[3] * (APART_POLLS - 2), 2, 2):
        before = fake.requests - fake.asked["targets"] - fake.asked["rules"]
        good(await source.poll())
        assert fake.requests - fake.asked["targets"] - fake.asked["rules"] - before == wanted


async def test_the_one_that_is_refused_is_asked_alone_and_the_others_stay_together(serve: Serve, polls: Polls) -> None:
    fake = whole_farm()
    fake.fault = only("edge.error_ratio", status(422, "many-to-many matching"))
    source = polls.source(await serve(fake))
    for poll in range(3):
        before = fake.requests
        view = good(await source.poll())
        assert [name for name, _ in view.figure_problems] == ["edge.error_ratio"]
        # In the first, all of its batch are asked again.
        assert fake.requests - before <= (2 * FIGURES_LIMIT + 20 if poll == 0 else 20)


async def test_what_hangs_in_a_batch_hides_its_neighbours_for_one_poll(serve: Serve, polls: Polls) -> None:
    fake = whole_farm()
    fake.fault = only("node.cpu_ratio", for_ever)
    queries = but("up", "node.load1", "node.cpu_ratio", "db.up")
    source = polls.source(await serve(fake), deadline_s=2.0, queries=queries)
    told = [{name for name, _ in good(await source.poll()).figure_problems} for _ in range(3)]
    assert told == [{"node.cpu_ratio", "node.load1", "db.up"}, {"node.cpu_ratio"}, {"node.cpu_ratio"}]


async def test_a_query_of_the_config_is_never_in_a_batch(serve: Serve, polls: Polls) -> None:
    own = 'sum by (instance) (my_load) # mine, and "unfinished'
    fake = whole_farm()
    fake.vectors[own] = [series(7, instance="a:9100")]
    seen: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse | None:
        seen.append(request.query.get("query", ""))
        return None

    fake.fault = note
    good(await polls.source(await serve(fake), queries={"node.load1": own}).poll())
    assert seen.count(own) == 1
    assert not any(own in query for query in seen if query != own)


def test_a_comment_at_a_query_s_end_ends_with_it() -> None:
    first, second = (dataclasses.replace(figure, promql=f"{figure.promql} # so") for figure in _two())
    [batch] = batched((first, second), ())
    assert all(not line.endswith("# so),") and "# so)" not in line for line in batch.promql.splitlines())


def _two() -> tuple[Figure, Figure]:
    return FIGURES["node.load1"], FIGURES["node.memory_bytes"]
