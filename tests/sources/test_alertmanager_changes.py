"""Silences made and ended: asked once, and where nobody knows what came of it, that is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import Auth
from farmtui.farm.alerts import Matcher
from farmtui.farm.matchers import parse_matchers
from farmtui.farm.reading import FailureKind
from farmtui.secrets import SecretError
from farmtui.sources.alertmanager import AlertmanagerSource, UnknownOutcomeError
from farmtui.sources.errors import SourceError
from farmtui.sources.failures import causes
from tests.sources.alertmanager_fakes import (
    AT,
    REAL,
    SHORT_S,
    Desk,
    FakeAlertmanager,
    desk,
    good,
    silence,
)
from tests.sources.conftest import Certificates, Serve
from tests.sources.prometheus.fakes import Fault, cut_short, for_ever, reset, status, text

__all__ = ["desk"]

END = AT + timedelta(hours=2)
MATCHERS = parse_matchers(r'alertname=TargetDown, instance=~"10\.0\..*", tier!=edge, job!~"node|\"x\""')


async def made(source: AlertmanagerSource, **more: Any) -> str:
    """A silence made with the tests' usual words."""
    given: dict[str, Any] = {
        "matchers": MATCHERS,
        "starts_at": AT,
        "ends_at": END,
        "created_by": "ops",
        "comment": "ticket 7",
        **more,
    }
    return await source.create_silence(**given)


Change = Callable[[AlertmanagerSource], Awaitable[Any]]
CHANGES: dict[str, Change] = {"create": made, "expire": lambda source: source.expire_silence("s")}


def lost(fake: FakeAlertmanager, fault: Fault) -> Fault:
    """The request has its effect, and its answer is lost."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        fake._well(request.method, request.path.removeprefix("/api/v2/"))
        return await fault(request)

    return answer


# -- what is asked


async def test_a_silence_is_asked_for_once_in_alertmanager_s_words(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager()
    fake.faults["POST"] = text('{"silenceID":"1ae49131-8139-42bb-934d-1acf9cf9b5ef"}')
    local = timezone(timedelta(hours=1))
    ident = await made(desk.source(await serve(fake)), starts_at=AT.astimezone(local))
    assert ident == REAL["created"]["silenceID"]
    assert fake.asked == ["POST silences"]
    assert fake.headers[0]["Content-Type"] == "application/json"
    assert fake.bodies == [
        {
            "matchers": [
                {"name": "alertname", "value": "TargetDown", "isRegex": False, "isEqual": True},
                {"name": "instance", "value": r"10\.0\..*", "isRegex": True, "isEqual": True},
                {"name": "tier", "value": "edge", "isRegex": False, "isEqual": False},
                {"name": "job", "value": 'node|"x"', "isRegex": True, "isEqual": False},
            ],
            "startsAt": "2026-11-23T08:50:40.000Z",
            "endsAt": "2026-11-23T10:50:40.000Z",
            "createdBy": "ops",
            "comment": "ticket 7",
        }
    ]


async def test_what_is_made_is_read_again_as_it_was(serve: Serve, desk: Desk) -> None:
    source = desk.source(await serve(FakeAlertmanager()))
    ident = await made(source)
    [held] = good(await source.poll()).silences
    assert (held.id, held.matchers, held.created_by, held.comment) == (ident, MATCHERS, "ops", "ticket 7")
    assert (held.starts_at, held.ends_at) == (AT, END)


async def test_a_silence_is_changed_by_its_id(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager((), (silence("s"),))
    assert await made(desk.source(await serve(fake)), id="s") == "s"
    assert fake.bodies[0]["id"] == "s"


async def test_a_silence_is_ended(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager((), (silence("s"),))
    source = desk.source(await serve(fake))
    await source.expire_silence("s")
    await source.expire_silence("s")
    assert fake.asked == ["DELETE silence/s"] * 2
    assert good(await source.poll()).silences[0].state == "expired"


async def test_an_odd_id_stays_in_its_place_in_the_address(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager((), (silence("s"),))
    await desk.source(await serve(fake)).expire_silence("../silence/s?x#y")
    assert good(await desk.source(await serve(fake)).poll()).silences[0].state == "active"


async def test_the_login_goes_along(serve: Serve, desk: Desk, planted: str) -> None:
    fake = FakeAlertmanager((), (silence("s"),))
    source = desk.source(await serve(fake), auth=Auth(bearer="env:FARMTUI_TEST_SECRET"))
    await made(source)
    await source.expire_silence("s")
    assert {headers["Authorization"] for headers in fake.headers} == {f"Bearer {planted}"}


# -- which replica


async def test_one_replica_is_asked_and_tells_the_others(serve: Serve, desk: Desk) -> None:
    fakes = [FakeAlertmanager(), FakeAlertmanager()]
    source = desk.source(*[await serve(fake) for fake in fakes])
    await source.poll()
    await made(source)
    assert [fake.changes() for fake in fakes] == [["POST silences"], []]


async def test_one_that_the_last_poll_found_down_is_not_asked(serve: Serve, desk: Desk) -> None:
    fakes = [FakeAlertmanager(), FakeAlertmanager()]
    fakes[0].faults["GET"] = status(503, "starting")
    source = desk.source(*[await serve(fake) for fake in fakes])
    await source.poll()
    await made(source)
    assert [fake.changes() for fake in fakes] == [[], ["POST silences"]]


@pytest.mark.parametrize("change", CHANGES)
async def test_where_nobody_listens_the_next_is_asked(
    serve: Serve, desk: Desk, unused_tcp_port: int, change: str
) -> None:
    fake = FakeAlertmanager((), (silence("s"),))
    source = desk.source(
        f"http://127.0.0.1:{unused_tcp_port}", "http://alertmanager.farm.invalid:9093", await serve(fake)
    )
    await CHANGES[change](source)
    assert len(fake.changes()) == 1


async def test_where_the_certificate_is_bad_the_next_is_asked(
    serve: Serve, desk: Desk, certificates: Certificates
) -> None:
    bad, well = FakeAlertmanager(), FakeAlertmanager()
    urls = [await serve(bad, certificates.server(expired=True)), await serve(well, certificates.server())]
    await made(desk.source(*urls, ca_file=certificates.ca_file))
    assert (bad.changes(), well.changes()) == ([], ["POST silences"])


@pytest.mark.parametrize("change", CHANGES)
async def test_where_nobody_listens_at_all_it_is_certain_that_nothing_was_changed(
    desk: Desk, unused_tcp_port: int, change: str
) -> None:
    with pytest.raises(OSError, match=r"Cannot connect") as error:
        await CHANGES[change](desk.source(f"http://127.0.0.1:{unused_tcp_port}"))
    assert any(isinstance(cause, ConnectionRefusedError) for cause in causes(error.value))


# -- refused


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, FailureKind.BAD_ANSWER),
        (401, FailureKind.FORBIDDEN),
        (403, FailureKind.FORBIDDEN),
        (404, FailureKind.BAD_ANSWER),
        (405, FailureKind.BAD_ANSWER),
        (422, FailureKind.BAD_ANSWER),
        (429, FailureKind.RATE_LIMITED),
    ],
)
async def test_what_is_refused_is_not_asked_of_another(
    serve: Serve, desk: Desk, change: str, code: int, kind: FailureKind
) -> None:
    refusing, other = FakeAlertmanager(), FakeAlertmanager((), (silence("s"),))
    refusing.faults[""] = status(code, "no")
    with pytest.raises(SourceError) as error:
        await CHANGES[change](desk.source(await serve(refusing), await serve(other)))
    assert not isinstance(error.value, UnknownOutcomeError)
    assert (error.value.status, error.value.kind) == (code, kind)
    assert (len(refusing.asked), other.asked) == (1, [])


@pytest.mark.parametrize(
    ("code", "body", "words"),
    [
        (400, '"Failed to create silence: start time must be before end time"\n', "start time must be before end"),
        (400, '"silence invalid: invalid label matcher 0: invalid label name \\"a.b\\""\n', 'invalid label name "a.b"'),
        (404, '"silence not found"\n', "silence not found"),
        (422, '{"code":602,"message":"comment in body is required"}', "comment in body is required"),
    ],
)
async def test_alertmanager_s_own_words_are_passed_on(
    serve: Serve, desk: Desk, code: int, body: str, words: str
) -> None:
    """These are what 0.25 really answers."""
    fake = FakeAlertmanager()
    fake.faults["POST"] = text(body, code=code)
    with pytest.raises(SourceError) as error:
        await made(desk.source(await serve(fake)))
    assert words in error.value.what


@pytest.mark.parametrize("change", CHANGES)
async def test_without_our_login_nothing_is_sent(
    serve: Serve, desk: Desk, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.delenv("FARMTUI_TEST_SECRET", raising=False)
    fake = FakeAlertmanager()
    source = desk.source(await serve(fake), auth=Auth(bearer="env:FARMTUI_TEST_SECRET"))
    with pytest.raises(SecretError, match="FARMTUI_TEST_SECRET"):
        await CHANGES[change](source)
    assert fake.asked == []


# -- unknown

UNKNOWN: dict[str, tuple[Fault, FailureKind]] = {
    "hung": (for_ever, FailureKind.TIMEOUT),
    "reset": (reset, FailureKind.UNREACHABLE),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "500": (status(500, "broken"), FailureKind.SERVER),
    "502 page": (text("<html>bad gateway</html>", "text/html", 502), FailureKind.SERVER),
    "504": (status(504), FailureKind.SERVER),
    "garbage": (text("}{"), FailureKind.BAD_ANSWER),
}


@pytest.mark.parametrize("case", UNKNOWN)
@pytest.mark.parametrize("change", CHANGES)
async def test_what_nobody_knows_is_said_and_never_asked_again(
    serve: Serve, desk: Desk, change: str, case: str
) -> None:
    fault, kind = UNKNOWN[case]
    fakes = [FakeAlertmanager((), (silence("s"),)), FakeAlertmanager((), (silence("s"),))]
    fakes[0].faults["POST"] = fakes[0].faults["DELETE"] = fault
    source = desk.source(*[await serve(fake) for fake in fakes], deadline_s=SHORT_S if case == "hung" else 60)
    with pytest.raises(UnknownOutcomeError) as error:
        await CHANGES[change](source)
    assert error.value.kind is kind
    assert error.value.what.startswith("alertmanager at 127.0.0.1:")
    changes = [changed.partition("/")[0] for fake in fakes for changed in fake.changes()]
    # aiohttp itself sends a DELETE again on a connection that was closed under it; a POST never.
    assert set(changes) == {"POST silences" if change == "create" else "DELETE silence"}
    assert fakes[1].changes() == []
    if change == "create":
        assert len(changes) == 1


@pytest.mark.parametrize("case", [case for case in UNKNOWN if case != "hung"])
async def test_a_silence_whose_answer_was_lost_is_found(serve: Serve, desk: Desk, case: str) -> None:
    fake = FakeAlertmanager()
    fake.faults["POST"] = lost(fake, UNKNOWN[case][0])
    assert await made(desk.source(await serve(fake))) == "made-1"
    assert fake.changes() == ["POST silences"]


async def test_a_silence_whose_answer_was_lost_is_found_at_another_replica(serve: Serve, desk: Desk) -> None:
    first, second = FakeAlertmanager(), FakeAlertmanager()

    async def told(request: web.Request) -> web.StreamResponse | None:
        second.hold(first.bodies[-1])
        return await status(502)(request)

    first.faults = {"POST": told, "GET": status(502)}
    assert await made(desk.source(await serve(first), await serve(second))) == second.silences[0]["id"]
    assert second.changes() == []


@pytest.mark.parametrize(
    "other",
    [
        {"comment": "ticket 6"},
        {"createdBy": "somebody else"},
        {"endsAt": "2026-11-23T10:50:42.000Z"},
        {"status": {"state": "expired"}},
        {"matchers": [{"name": "alertname", "value": "TargetDown", "isRegex": False, "isEqual": True}]},
    ],
    ids=str,
)
async def test_another_silence_is_not_taken_for_ours(serve: Serve, desk: Desk, other: dict[str, Any]) -> None:
    fake = FakeAlertmanager()

    async def another(request: web.Request) -> web.StreamResponse | None:
        fake.hold(fake.bodies[-1])
        fake.silences[0] |= other
        return await reset(request)

    fake.faults["POST"] = another
    with pytest.raises(UnknownOutcomeError):
        await made(desk.source(await serve(fake)))


async def test_a_silence_that_ended_though_the_answer_was_lost(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager((), (silence("s"),))
    fake.faults["DELETE"] = lost(fake, status(502))
    await desk.source(await serve(fake)).expire_silence("s")
    assert fake.changes() == ["DELETE silence/s"]


async def test_a_silence_that_nobody_holds_any_more_has_ended(serve: Serve, desk: Desk) -> None:
    """To Alertmanager that is an error 500."""
    fake = FakeAlertmanager()
    await desk.source(await serve(fake)).expire_silence("gone")
    assert fake.changes() == ["DELETE silence/gone"]


async def test_a_silence_that_one_replica_cannot_tell_of_may_go_on(
    serve: Serve, desk: Desk, unused_tcp_port: int
) -> None:
    fake = FakeAlertmanager()
    with pytest.raises(UnknownOutcomeError, match="HTTP 500"):
        await desk.source(await serve(fake), f"http://127.0.0.1:{unused_tcp_port}").expire_silence("s")


@pytest.mark.parametrize("body", ["{}", "null", "", "[]", '{"silenceID": 7}', '"ok"'])
async def test_a_silence_that_was_taken_without_a_name(serve: Serve, desk: Desk, body: str) -> None:
    fake = FakeAlertmanager()
    fake.faults["POST"] = text(body)
    with pytest.raises(SourceError, match="was taken, but the answer does not name it") as error:
        await made(desk.source(await serve(fake)))
    assert error.value.kind is FailureKind.BAD_ANSWER


async def test_an_id_is_cleaned(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager()
    fake.faults["POST"] = text('{"silenceID": "\\u001b[31mx"}')
    assert "\x1b" not in await made(desk.source(await serve(fake)))


async def test_an_end_is_told_to_the_millisecond(serve: Serve, desk: Desk) -> None:
    fake = FakeAlertmanager()
    late = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    await made(desk.source(await serve(fake)), ends_at=late, matchers=[Matcher("a", "b")])
    assert fake.bodies[0]["endsAt"] == "9999-12-31T23:59:59.999Z"


# -- alerts of our own

LABELS, ANNOTATIONS = {"alertname": "X", "severity": "critical"}, {"summary": "it is so"}


async def raised(source: AlertmanagerSource) -> int:
    return await source.raise_alert(LABELS, ANNOTATIONS, AT, END)


async def test_every_replica_is_told_of_an_alert_of_ours(serve: Serve, desk: Desk) -> None:
    fakes = [FakeAlertmanager(), FakeAlertmanager()]
    for fake in fakes:
        fake.faults["POST"] = text("")
    assert await raised(desk.source(*[await serve(fake) for fake in fakes])) == 2
    for fake in fakes:
        assert fake.asked == ["POST alerts"]
        assert fake.bodies == [[{
            "labels": LABELS, "annotations": ANNOTATIONS,
            "startsAt": "2026-11-23T08:50:40.000Z", "endsAt": "2026-11-23T10:50:40.000Z",
        }]]  # fmt: skip


async def test_one_that_takes_it_is_enough_and_none_is_an_error(serve: Serve, desk: Desk) -> None:
    good_one, refusing_one = FakeAlertmanager(), FakeAlertmanager()
    good_one.faults["POST"] = text("")
    refusing_one.faults["POST"] = status(400)
    assert await raised(desk.source("http://127.0.0.1:1", await serve(refusing_one), await serve(good_one))) == 1
    with pytest.raises(SourceError, match="HTTP 400"):
        await raised(desk.source(await serve(refusing_one)))
