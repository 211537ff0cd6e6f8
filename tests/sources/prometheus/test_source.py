"""The poll of Prometheus against a server that fails in every way: it never raises, never blocks, never leaks."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import Auth, ConfigError, PrometheusConfig
from farmtui.farm.farm import PrometheusView
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.prometheus import PrometheusSource
from farmtui.sources.prometheus.catalogue import catalogue
from tests.sources.conftest import Certificates, Serve, ServeRaw, beating
from tests.sources.prometheus.fakes import (
    FakePrometheus,
    Fault,
    cut_short,
    drip,
    for_ever,
    reset,
    series,
    status,
    success,
    text,
    vector_answer,
)

PATIENT_S = 60.0
"""A deadline that no working answer ever meets, however loaded the machine is."""

FIGURES = catalogue().figures
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Polls:
    """Sources that are closed when the test is over."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._sources: list[PrometheusSource] = []

    def source(self, url: str, deadline_s: float = PATIENT_S, **options: Any) -> PrometheusSource:
        config = PrometheusConfig(url=url, deadline_s=deadline_s, **options)
        made = PrometheusSource(config, clock=self.clock)
        self._sources.append(made)
        return made

    async def close(self) -> None:
        for source in self._sources:
            await source.close()


@pytest.fixture
async def polls() -> AsyncIterator[Polls]:
    made = Polls()
    yield made
    await made.close()


def good(reading: Reading[PrometheusView]) -> PrometheusView:
    """The view of a reading without a failure."""
    assert reading.failure is None
    assert reading.value is not None
    return reading.value


def only(figure: str, fault: Fault) -> Fault:
    """A fault in the answer to one figure's query."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        return await fault(request) if request.query.get("query") == FIGURES[figure].promql else None

    return answer


def but(*figures: str) -> dict[str, str]:
    """The config's overrides that switch every other figure off: few queries, for tests whose deadline is short."""
    return {name: "" for name in FIGURES if name not in figures}


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
    assert reading.requests == len(asked) + 2
    assert reading.taken_at == AT


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


WHOLE_FAULTS: dict[str, tuple[Fault, FailureKind]] = {
    "401": (status(401, "who are you"), FailureKind.FORBIDDEN),
    "403": (status(403, "not for you"), FailureKind.FORBIDDEN),
    "429": (status(429, "slower"), FailureKind.RATE_LIMITED),
    "500": (status(500, "broken"), FailureKind.SERVER),
    "502 page": (text("<html>bad gateway</html>", "text/html", 502), FailureKind.SERVER),
    "503": (status(503, "starting"), FailureKind.SERVER),
    "404": (status(404), FailureKind.BAD_ANSWER),
    "login page": (text("<!doctype html><title>Sign in</title>", "text/html"), FailureKind.BAD_ANSWER),
    "garbage": (text("\x00\x01{]"), FailureKind.BAD_ANSWER),
    "empty": (text(""), FailureKind.BAD_ANSWER),
    "deep": (text("[" * 100_000), FailureKind.BAD_ANSWER),
    "another service": (text('{"hello": "world"}'), FailureKind.BAD_ANSWER),
    "a list": (text("[1, 2, 3]"), FailureKind.BAD_ANSWER),
    "a number": (text("3"), FailureKind.BAD_ANSWER),
    "error with 200": (text('{"status": "error", "error": "boom"}'), FailureKind.BAD_ANSWER),
    "data of no kind": (text('{"status": "success", "data": 3}'), FailureKind.BAD_ANSWER),
    "no result": (text('{"status": "success", "data": {"resultType": "vector"}}'), FailureKind.BAD_ANSWER),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "reset": (reset, FailureKind.UNREACHABLE),
}


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
    # The probe, six in a row, and what the other threads had begun by then: not a hundred.
    assert sum(fake.asked.values()) <= 16
    if kind in (FailureKind.FORBIDDEN, FailureKind.RATE_LIMITED):
        assert sum(fake.asked.values()) == 1


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
    assert beat.longest_s < 1
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
        reading = await source.poll()
    view = good(reading)
    assert view.galera is not None
    assert [name for name, _ in view.figure_problems] == ["ceph.pg_states"]
    assert "no answer within 2 s" in view.figure_problems[0][1]
    assert beat.longest_s < 1
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
    assert beat.longest_s < 2


async def test_fifty_thousand_series_are_read_without_stopping_the_loop(serve: Serve, polls: Polls) -> None:
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
    async with beating() as beat:
        view = good(await source.poll())
    assert view.edge is not None
    assert len(view.edge.backends) == 50_000
    assert beat.longest_s < 1


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


async def test_a_redirect_is_not_followed(serve: Serve, polls: Polls) -> None:
    elsewhere = FakePrometheus()
    away = await serve(elsewhere)

    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{away}/login?token=abc"})

    fake = FakePrometheus()
    fake.fault = redirect
    failure = (await polls.source(await serve(fake)).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.BAD_ANSWER
    assert f"{away}/login)" in failure.what
    assert "token" not in failure.what
    assert elsewhere.asked == {}


async def test_tls_is_verified_against_the_ca_of_the_config(
    serve: Serve, polls: Polls, certificates: Certificates
) -> None:
    url = await serve(FakePrometheus(), certificates.server())
    good(await polls.source(url, ca_file=certificates.ca_file).poll())


async def test_an_expired_certificate_is_refused(serve: Serve, polls: Polls, certificates: Certificates) -> None:
    fake = FakePrometheus()
    url = await serve(fake, certificates.server(expired=True))
    failure = (await polls.source(url, ca_file=certificates.ca_file).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.TLS
    assert "expired" in failure.what
    assert "renew" in failure.remedy
    assert fake.asked == {}


async def test_a_certificate_of_an_unknown_ca_is_refused(
    serve: Serve, polls: Polls, certificates: Certificates
) -> None:
    url = await serve(FakePrometheus(), certificates.server())
    failure = (await polls.source(url).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.TLS
    assert "ca_file" in failure.remedy


async def test_a_certificate_for_another_host_is_refused(
    serve: Serve, polls: Polls, certificates: Certificates
) -> None:
    url = await serve(FakePrometheus(), certificates.server("prometheus.farm.example"))
    failure = (await polls.source(url, ca_file=certificates.ca_file).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.TLS
    assert "name in the config that the certificate holds" in failure.remedy


async def test_plain_http_on_a_tls_address_is_said_to_be_that(serve: Serve, polls: Polls) -> None:
    url = await serve(FakePrometheus())
    failure = (await polls.source(url.replace("http:", "https:")).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.TLS


@pytest.mark.parametrize(
    "spoken",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff" * 5_000, b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n{", b""],
    ids=["ssh", "noise", "bad header", "nothing"],
)
async def test_what_does_not_speak_http(serve_raw: ServeRaw, polls: Polls, spoken: bytes) -> None:
    async def speak(reader: Any, writer: Any) -> None:
        await reader.read(100)
        writer.write(spoken)
        await writer.drain()

    reading = await polls.source(await serve_raw(speak), deadline_s=5).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind in (FailureKind.BAD_ANSWER, FailureKind.UNREACHABLE)


@pytest.mark.parametrize("fault", ["401", "500", "login page", "half a body", "reset", "garbage"])
async def test_a_secret_shows_up_nowhere(
    serve: Serve, polls: Polls, planted: str, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, _ = WHOLE_FAULTS[fault]

    async def echo(request: web.Request) -> web.StreamResponse | None:
        if fault == "401":
            return await status(401, f"bad token {request.headers['Authorization']}")(request)
        return await answer(request)

    fake = FakePrometheus()
    fake.fault = echo
    source = polls.source(
        await serve(fake),
        auth=Auth(bearer="env:FARMTUI_TEST_SECRET"),
        headers={"X-Scope-OrgID": "farm", "X-Api-Key": "env:FARMTUI_TEST_SECRET"},
    )
    reading = await source.poll()
    assert fake.headers[0]["Authorization"] == f"Bearer {planted}"
    assert fake.headers[0]["X-Scope-OrgID"] == "farm"
    assert fake.headers[0]["X-Api-Key"] == planted
    reports = await source.explain()
    seen = " ".join([repr(reading), str(reading), repr(reports), repr(vars(source)), caplog.text])
    assert planted not in seen


async def test_basic_authentication(serve: Serve, polls: Polls, planted: str) -> None:
    fake = FakePrometheus()
    source = polls.source(await serve(fake), auth=Auth(username="farm", password="env:FARMTUI_TEST_SECRET"))
    good(await source.poll())
    sent = {headers["Authorization"] for headers in fake.headers}
    assert len(sent) == 1
    assert sent.pop().startswith("Basic ")
    assert planted not in repr(fake.headers)


async def test_a_secret_that_is_not_there_is_a_fault_of_the_config(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    source = polls.source(await serve(fake), auth=Auth(bearer="env:FARMTUI_NO_SUCH_VARIABLE"))
    failure = (await source.poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.CONFIG
    assert "FARMTUI_NO_SUCH_VARIABLE" in failure.what
    assert fake.asked == {}


async def test_a_rotated_secret_is_picked_up(
    serve: Serve, polls: Polls, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def picky(request: web.Request) -> web.StreamResponse | None:
        known = request.headers["Authorization"] == "Bearer another-s3cret"
        return None if known else await status(401)(request)

    fake = FakePrometheus()
    fake.fault = picky
    source = polls.source(await serve(fake), auth=Auth(bearer="env:FARMTUI_TEST_SECRET"))
    assert (await source.poll()).failure is not None
    monkeypatch.setenv("FARMTUI_TEST_SECRET", "another-s3cret")
    good(await source.poll())


async def test_logins_and_proxies_of_the_environment_are_not_used(
    serve: Serve, polls: Polls, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fake = FakePrometheus()
    good(await polls.source(await serve(fake)).poll())
    assert not any("Authorization" in headers for headers in fake.headers)


async def test_targets_and_rules(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus()
    fake.targets = {
        "activeTargets": [{"labels": {"instance": "a:9100", "job": "node"}, "health": "down", "lastError": "refused"}]
    }
    fake.rules = {"groups": [{"name": "g", "rules": [{"type": "alerting", "name": "Down", "state": "firing"}]}]}
    view = good(await polls.source(await serve(fake)).poll())
    assert [(target.instance, target.up, target.last_error) for target in view.targets] == [
        ("a:9100", False, "refused")
    ]
    assert [(rule.group, rule.name, rule.state) for rule in view.rules] == [("g", "Down", "firing")]
    assert {"state": "active"} in fake.parameters
    assert {"type": "alert"} in fake.parameters


@pytest.mark.parametrize("code", [404, 405, 501])
async def test_a_server_without_targets_and_rules_is_no_fault(serve: Serve, polls: Polls, code: int) -> None:
    async def queries_only(request: web.Request) -> web.StreamResponse | None:
        return await status(code)(request) if request.path.endswith(("/targets", "/rules")) else None

    fake = FakePrometheus()
    fake.fault = queries_only
    assert good(await polls.source(await serve(fake)).poll()).figure_problems == ()


@pytest.mark.parametrize(
    "fault", [status(500, "broken"), text("<html>"), text('{"data": []}'), text('{"data": {"groups": 3}}'), cut_short]
)
async def test_targets_and_rules_that_fail_are_problems_and_stay_as_they_were(
    serve: Serve, polls: Polls, fault: Fault
) -> None:
    async def in_part(request: web.Request) -> web.StreamResponse | None:
        return await fault(request) if request.path.endswith(("/targets", "/rules")) else None

    fake = FakePrometheus()
    fake.rules = {"groups": [{"name": "g", "rules": [{"type": "alerting", "name": "Down"}]}]}
    source = polls.source(await serve(fake))
    good(await source.poll())
    fake.fault = in_part
    views = [good(await source.poll()) for _ in range(4)]
    assert [name for name, _ in views[-1].figure_problems] == ["rules", "targets"]
    assert [rule.name for rule in views[-1].rules] == ["Down"]


async def test_hung_targets_do_not_hold_the_figures(serve: Serve, polls: Polls) -> None:
    async def in_part(request: web.Request) -> web.StreamResponse | None:
        return await for_ever(request) if request.path.endswith("/targets") else None

    fake = FakePrometheus({FIGURES["db.up"].promql: [series(1, instance="db-1:9104")]})
    fake.fault = in_part
    source = polls.source(await serve(fake), deadline_s=2.0, queries=but("up", "db.up"))
    view = good(await source.poll())
    assert view.galera is not None
    assert [name for name, _ in view.figure_problems] == ["targets"]


async def test_a_figure_of_ones_own_is_asked_instead(serve: Serve, polls: Polls) -> None:
    fake = FakePrometheus({"my_open": [series(7, instance="edge-1:8080")]})
    source = polls.source(await serve(fake), queries={"edge.open_connections": "my_open", "db.up": ""})
    view = good(await source.poll())
    assert view.edge is not None
    assert [node.open_connections for node in view.edge.nodes] == [7]
    assert fake.asked["my_open"] == 1
    assert fake.asked["mysql_up"] == 0


def test_an_override_of_a_figure_that_there_is_not_is_an_error_of_the_config() -> None:
    config = PrometheusConfig(url="http://127.0.0.1:1", queries={"cache.hit_ration": "x"})
    with pytest.raises(ConfigError, match=r"cache\.hit_ratio"):
        PrometheusSource(config)


async def test_closing_twice_and_polling_after(serve: Serve) -> None:
    source = PrometheusSource(PrometheusConfig(url=await serve(FakePrometheus())))
    good(await source.poll())
    await source.close()
    await source.close()
    reading = await source.poll()
    assert reading.value is None
    assert reading.failure is not None


async def test_an_exporter_that_goes_grows_old_and_does_not_vanish(serve: Serve, polls: Polls) -> None:
    plain, rate = FIGURES["cache.threads"].promql, FIGURES["cache.hit_per_s"].promql
    fake = FakePrometheus(
        {
            "up": [series(1, instance="a:9131", job="varnish"), series(1, instance="b:9131", job="varnish")],
            plain: [series(10, instance="a:9131"), series(12, instance="b:9131")],
            rate: [series(100, instance="a:9131"), series(120, instance="b:9131")],
        }
    )
    source = polls.source(await serve(fake))
    good(await source.poll())
    polls.clock.forward(15)
    fake.vectors["up"] = [series(1, instance="a:9131", job="varnish"), series(0, instance="b:9131", job="varnish")]
    # The gauge goes at once; the rate lives on its window for some minutes.
    fake.vectors[plain] = [series(11, instance="a:9131")]
    fake.vectors[rate] = [series(100, instance="a:9131"), series(80, instance="b:9131")]
    view = good(await source.poll())
    assert view.cache is not None
    assert [(n.instance, n.threads, n.hit_per_s, n.seen_at) for n in view.cache.nodes] == [
        ("a:9131", 11, 100, AT + timedelta(seconds=15)),
        ("b:9131", 12, 80, AT),
    ]
    polls.clock.forward(3_700)
    view = good(await source.poll())
    assert view.cache is not None
    assert [node.instance for node in view.cache.nodes] == ["a:9131"]


async def test_unknown_parts_of_the_envelope_are_no_matter(serve: Serve, polls: Polls) -> None:
    async def more(_: web.Request) -> web.StreamResponse:
        return success({"resultType": "vector", "result": [], "stats": {"x": 1}}, infos=["a hint"], trace=None)

    fake = FakePrometheus()
    fake.fault = only("node.load1", more)
    reading = await polls.source(await serve(fake)).poll()
    assert good(reading).figure_problems == ()
    assert reading.warnings == ("a hint",)


async def test_duplicates_of_undeduplicated_replicas_give_one_row(serve: Serve, polls: Polls) -> None:
    twice = [series(1, instance="db-1:9104", replica="a"), series(1, instance="db-1:9104", replica="b")]

    async def answer(_: web.Request) -> web.StreamResponse:
        return vector_answer(twice)

    fake = FakePrometheus()
    fake.fault = only("db.up", answer)
    view = good(await polls.source(await serve(fake)).poll())
    assert view.galera is not None
    assert [(node.instance, node.up) for node in view.galera.nodes] == [("db-1:9104", True)]
