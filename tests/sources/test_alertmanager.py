"""The poll of Alertmanager: what its replicas hold, merged, and what is left when some of them fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from farmtui.farm.alerts import Matcher
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Severity
from tests.sources.alertmanager_fakes import (
    AT,
    PATIENT_S,
    REAL,
    SHORT_S,
    Desk,
    FakeAlertmanager,
    alert,
    desk,
    good,
    silence,
    stamp,
)
from tests.sources.conftest import Certificates, Serve, beating
from tests.sources.prometheus.fakes import Fault, for_ever, status

__all__ = ["desk"]


# -- one replica


async def test_a_real_alertmanager_s_answers(serve: Serve, desk: Desk) -> None:
    url = await serve(FakeAlertmanager(REAL["alerts"], REAL["silences"]))
    reading = await desk.source(url).poll()
    book = good(reading)
    assert (reading.taken_at, reading.warnings, reading.requests) == (AT, (), 3)
    down, slow, beat = book.alerts
    assert [one.name for one in book.alerts] == ["TargetDown", "SlowEdge", "LabHeartbeat"]
    assert [one.severity for one in book.alerts] == [Severity.CRITICAL, Severity.WARNING, Severity.INFO]
    assert down.fingerprint == "c3c0c5d84c297e55"
    assert dict(down.labels) == REAL["alerts"][0]["labels"]
    assert down.labels == tuple(sorted(down.labels))
    assert down.annotation("summary") == "node 127.0.0.1:19100 is down"
    assert down.generator_url == "http://vm:19090/graph?g0.expr=up+%3D%3D+0&g0.tab=1"
    assert down.starts_at == datetime(2026, 11, 23, 8, 50, 33, 810_000, UTC)
    assert down.ends_at == datetime(2026, 11, 23, 8, 50, 53, 810_000, UTC)
    assert (down.state, down.receivers, down.suppressed) == ("active", ("pager",), False)
    assert (slow.state, slow.inhibited_by, slow.suppressed) == ("suppressed", (down.fingerprint,), True)
    assert beat.receivers == ("log",)
    [ours] = book.silences
    assert (ours.id, ours.state, ours.created_by, ours.comment) == (
        "1ae49131-8139-42bb-934d-1acf9cf9b5ef",
        "active",
        "lab",
        "why, ticket 1",
    )
    assert ours.matchers == (Matcher("alertname", "TargetDown"),)
    assert ours.ends_at == datetime(2026, 11, 23, 9, 0, 36, tzinfo=UTC)
    [replica] = book.replicas
    assert (replica.url, replica.up, replica.version, replica.cluster, replica.peers) == (
        url,
        True,
        "0.25.0",
        "disabled",
        0,
    )


async def test_an_alertmanager_that_holds_nothing_is_well(serve: Serve, desk: Desk) -> None:
    book = good(await desk.source(await serve(FakeAlertmanager())).poll())
    assert (book.alerts, book.silences) == ((), ())
    assert [one.up for one in book.replicas] == [True]


async def test_what_a_newer_alertmanager_tells_more_is_passed_over(serve: Serve, desk: Desk) -> None:
    new = alert("Muted") | {"generation": 7}
    new["status"]["mutedBy"] = ["nights"]
    fake = FakeAlertmanager([new], [silence("s", annotations={"x": "y"})])
    fake.status["features"] = ["utf8"]
    book = good(await desk.source(await serve(fake)).poll())
    assert [one.name for one in book.alerts] == ["Muted"]
    assert [one.id for one in book.silences] == ["s"]


async def test_an_alertmanager_from_before_negative_matchers(serve: Serve, desk: Desk) -> None:
    matchers = [{"name": "a", "value": "b|c", "isRegex": True}]
    book = good(await desk.source(await serve(FakeAlertmanager((), [silence("s", matchers=matchers)]))).poll())
    assert book.silences[0].matchers == (Matcher("a", "b|c", is_regex=True),)


async def test_all_four_kinds_of_matcher(serve: Serve, desk: Desk) -> None:
    kinds = [(False, True), (False, False), (True, True), (True, False)]
    matchers = [{"name": "a", "value": "b", "isRegex": regex, "isEqual": equal} for regex, equal in kinds]
    book = good(await desk.source(await serve(FakeAlertmanager((), [silence("s", matchers=matchers)]))).poll())
    assert book.silences[0].matchers == tuple(Matcher("a", "b", regex, equal) for regex, equal in kinds)


async def test_the_worst_is_first_and_then_the_oldest(serve: Serve, desk: Desk) -> None:
    alerts = []
    for number in range(5_000):
        one = alert(f"A{number}") | {"startsAt": stamp(-(number * 7 % 5_000))}
        one["labels"]["severity"] = ("info", "critical", "warning")[number % 3]
        alerts.append(one)
    book = good(await desk.source(await serve(FakeAlertmanager(alerts))).poll())
    ranks = [(-one.severity, one.starts_at) for one in book.alerts]
    assert len(ranks) == 5_000
    assert ranks == sorted(ranks)


async def test_a_base_address_may_have_a_path(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager([alert("Down")])

    async def behind_a_proxy(request: web.Request) -> web.StreamResponse:
        assert request.path.startswith("/am/api/v2/")
        return await fake(request.clone(rel_url=request.path.removeprefix("/am")))

    assert [one.name for one in good(await desk.source(f"{await serve(behind_a_proxy)}/am").poll()).alerts] == ["Down"]


# -- replicas merged


async def test_what_several_hold_is_there_once(serve: Serve, desk: Desk) -> None:
    shared = alert("Shared")
    a = FakeAlertmanager([shared, alert("OnlyA")], [silence("both"), silence("a")])
    b = FakeAlertmanager([alert("OnlyB"), shared | {"receivers": [{"name": "chat"}]}], [silence("both"), silence("b")])
    urls = [await serve(a), await serve(b)]
    hosts = tuple(url.removeprefix("http://") for url in urls)
    book = good(await desk.source(*urls).poll())
    found = {one.name: one for one in book.alerts}
    assert sorted(found) == ["OnlyA", "OnlyB", "Shared"]
    assert found["Shared"].replicas == hosts
    assert found["Shared"].receivers == ("pager", "chat")
    assert (found["OnlyA"].replicas, found["OnlyB"].replicas) == (hosts[:1], hosts[1:])
    silences = {one.id: one.replicas for one in book.silences}
    assert silences == {"both": hosts, "a": hosts[:1], "b": hosts[1:]}


@pytest.mark.parametrize("newer", [0, 1])
async def test_of_two_answers_the_newer_holds(serve: Serve, desk: Desk, newer: int) -> None:
    old, new = alert("Down", updated_s=-30), alert("Down", updated_s=-1)
    old["annotations"], new["annotations"] = {"summary": "10 % left"}, {"summary": "2 % left"}
    new["status"] = {"state": "suppressed", "silencedBy": ["s"], "inhibitedBy": []}
    before = silence("s", state="active", updated_s=-30, comment="old")
    after = silence("s", state="expired", updated_s=-1, comment="new")
    fakes = [FakeAlertmanager([old], [before]), FakeAlertmanager([new], [after])]
    if newer == 0:
        fakes.reverse()
    book = good(await desk.source(*[await serve(fake) for fake in fakes]).poll())
    [one], [held] = book.alerts, book.silences
    assert (one.annotation("summary"), one.silenced_by) == ("2 % left", ("s",))
    assert (held.state, held.comment) == ("expired", "new")
    assert len(one.replicas) == len(held.replicas) == 2


async def test_an_alert_without_a_fingerprint_is_told_by_its_labels(serve: Serve, desk: Desk) -> None:
    nameless = [{**alert("A"), "fingerprint": None}, {**alert("B"), "fingerprint": ""}]
    urls = [await serve(FakeAlertmanager(nameless)), await serve(FakeAlertmanager(nameless[:1]))]
    book = good(await desk.source(*urls).poll())
    assert {one.name: len(one.replicas) for one in book.alerts} == {"A": 2, "B": 1}


async def test_one_that_is_down_is_a_warning_and_the_others_are_shown(
    serve: Serve, desk: Desk, unused_tcp_port: int
) -> None:
    up, down = await serve(FakeAlertmanager([alert("Down")])), f"http://127.0.0.1:{unused_tcp_port}"
    reading = await desk.source(down, up).poll()
    book = good(reading)
    assert [one.name for one in book.alerts] == ["Down"]
    states = {one.url: one for one in book.replicas}
    assert (states[up].up, states[up].problem) == (True, "")
    assert (states[down].up, states[down].version) == (False, "")
    assert "connection refused" in states[down].problem
    [warning] = reading.warnings
    assert warning.startswith(states[down].problem)
    assert "check that the service runs there" in warning


async def test_all_down_is_a_failure(serve: Serve, desk: Desk, unused_tcp_port: int) -> None:
    fake = FakeAlertmanager()
    fake.faults[""] = status(401, "who are you")
    reading = await desk.source(f"http://127.0.0.1:{unused_tcp_port}", await serve(fake)).poll()
    assert reading.value is None
    assert reading.failure is not None
    # A login that is refused wants a person; that the other is down may pass.
    assert reading.failure.kind is FailureKind.FORBIDDEN


@pytest.mark.parametrize("part", ["alerts", "silences", "status"])
async def test_a_hung_replica_costs_its_deadline_and_hides_no_other(serve: Serve, desk: Desk, part: str) -> None:
    hung, well = FakeAlertmanager([alert("Old")]), FakeAlertmanager([alert("Down")])
    hung.faults[part] = for_ever
    source = desk.source(await serve(hung), await serve(well), deadline_s=SHORT_S)
    async with beating() as beat:
        reading = await source.poll()
    book = good(reading)
    assert [one.name for one in book.alerts] == ["Down"]
    assert ["no answer within 0.4 s" in warning for warning in reading.warnings] == [True]
    assert reading.duration_s < PATIENT_S / 2
    assert beat.count > 5, "the loop went on"


@pytest.mark.parametrize("part", ["alerts", "silences", "status"])
async def test_one_part_that_fails_gives_up_the_others(serve: Serve, desk: Desk, part: str) -> None:
    """The deadline is a minute: a poll that waited for the hung parts would end in the test's time limit."""
    fake = FakeAlertmanager()
    fake.faults = {other: for_ever for other in ("alerts", "silences", "status") if other != part}
    fake.faults[part] = status(500, "broken")
    reading = await desk.source(await serve(fake)).poll()
    assert reading.failure is not None
    assert (reading.failure.kind, "HTTP 500: broken" in reading.failure.what) == (FailureKind.SERVER, True)
    assert reading.duration_s < PATIENT_S / 2


async def test_what_was_asked_is_counted(serve: Serve, desk: Desk) -> None:
    fakes = [FakeAlertmanager(), FakeAlertmanager()]
    source = desk.source(*[await serve(fake) for fake in fakes])
    assert [(await source.poll()).requests for _ in range(3)] == [6, 6, 6]
    assert [len(fake.asked) for fake in fakes] == [9, 9]
    assert sorted(set(fakes[0].asked)) == ["GET alerts", "GET silences", "GET status"]


async def test_it_recovers(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager([alert("Down")])
    source = desk.source(await serve(fake))
    fake.faults[""] = status(503, "starting")
    assert (await source.poll()).failure is not None
    fake.faults.clear()
    assert [one.name for one in good(await source.poll()).alerts] == ["Down"]


# -- doors


async def test_tls_is_verified(serve: Serve, desk: Desk, certificates: Certificates) -> None:
    url = await serve(FakeAlertmanager(), certificates.server())
    assert good(await desk.source(url, ca_file=certificates.ca_file).poll()).alerts == ()
    failure = (await desk.source(url).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.TLS


async def test_an_expired_certificate(serve: Serve, desk: Desk, certificates: Certificates) -> None:
    fake = FakeAlertmanager()
    url = await serve(fake, certificates.server(expired=True))
    failure = (await desk.source(url, ca_file=certificates.ca_file).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.TLS
    assert "renew" in failure.remedy
    assert fake.asked == []


async def test_no_redirect_is_followed(serve: Serve, desk: Desk) -> None:
    elsewhere = FakeAlertmanager()
    away = await serve(elsewhere)

    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{away}/login?token=abc"})

    fake = FakeAlertmanager()
    fake.faults[""] = redirect
    failure = (await desk.source(await serve(fake)).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.BAD_ANSWER
    assert "token" not in failure.what
    assert elsewhere.asked == []


async def test_the_patience_that_a_server_asks_for(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager()
    limit: Fault = status(429, "slower", **{"Retry-After": "77"})
    fake.faults[""] = limit
    failure = (await desk.source(await serve(fake)).poll()).failure
    assert failure is not None
    assert (failure.kind, failure.retry_after_s) == (FailureKind.RATE_LIMITED, 77)


async def test_moments_are_told_in_utc(serve: Serve, desk: Desk) -> None:
    one = alert("A") | {"startsAt": "2026-11-23T09:50:40.123456789+01:00", "endsAt": "2026-11-23t08:50:41z"}
    [read] = good(await desk.source(await serve(FakeAlertmanager([one]))).poll()).alerts
    assert read.starts_at == AT + timedelta(microseconds=123_456)
    assert read.starts_at.utcoffset() == timedelta(0)
    assert read.ends_at == AT + timedelta(seconds=1)
