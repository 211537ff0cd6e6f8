"""The poll of Prometheus at its doors: redirects, TLS, logins and secrets; and what is asked beside the figures."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import Auth, ConfigError, PrometheusConfig
from farmtui.farm.reading import FailureKind
from farmtui.sources.prometheus import PrometheusSource
from tests.sources.conftest import Certificates, Serve, ServeRaw
from tests.sources.prometheus.fakes import (
    FakePrometheus,
    Fault,
    cut_short,
    for_ever,
    series,
    status,
    success,
    text,
    vector_answer,
)
from tests.sources.prometheus.polls import AT, FIGURES, WHOLE_FAULTS, Polls, but, good, only, polls

__all__ = ["polls"]


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
