"""Bad answers of every kind from Alertmanager: none is a crash, and none takes more with it than it must."""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from farmtui.config import Auth
from farmtui.farm.alerts import AlertBook
from farmtui.farm.reading import FailureKind, Reading
from farmtui.farm.text import PLACEHOLDER
from farmtui.sources.alertmanager_decode import Held, alert_rows, decode_status, merge, moment, silence_rows
from farmtui.sources.errors import SourceError
from tests.sources.alertmanager_fakes import (
    AT,
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
from tests.sources.conftest import Serve, ServeRaw, beating
from tests.sources.prometheus.fakes import Fault, cut_short, drip, for_ever, reset, status, text

__all__ = ["desk"]

WHOLE: dict[str, tuple[Fault, FailureKind]] = {
    "401": (status(401, "who are you"), FailureKind.FORBIDDEN),
    "403": (status(403, "not for you"), FailureKind.FORBIDDEN),
    "404": (status(404), FailureKind.BAD_ANSWER),
    "429": (status(429, "slower"), FailureKind.RATE_LIMITED),
    "500": (status(500, "broken"), FailureKind.SERVER),
    "502 page": (text("<html>bad gateway</html>", "text/html", 502), FailureKind.SERVER),
    "503": (status(503, "starting"), FailureKind.SERVER),
    "login page": (text("<!doctype html><title>Sign in</title>", "text/html"), FailureKind.BAD_ANSWER),
    "garbage": (text("\x00\x01{]"), FailureKind.BAD_ANSWER),
    "empty": (text(""), FailureKind.BAD_ANSWER),
    "deep": (text("[" * 100_000), FailureKind.BAD_ANSWER),
    "deep and long": (text(f"[{'[' * 100_000}]"), FailureKind.BAD_ANSWER),
    "another service": (text('{"status": "success", "data": []}'), FailureKind.BAD_ANSWER),
    "an object": (text('{"alerts": []}'), FailureKind.BAD_ANSWER),
    "a number": (text("3"), FailureKind.BAD_ANSWER),
    "null": (text("null"), FailureKind.BAD_ANSWER),
    "numbers": (text("[1, 2, 3]"), FailureKind.BAD_ANSWER),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "reset": (reset, FailureKind.UNREACHABLE),
}


@pytest.mark.parametrize("case", WHOLE)
@pytest.mark.parametrize("part", ["", "alerts", "silences"])
async def test_an_answer_that_cannot_be_read(serve: Serve, desk: Desk, case: str, part: str) -> None:
    fault, kind = WHOLE[case]
    bad, well = FakeAlertmanager([alert("Old")]), FakeAlertmanager([alert("Down")])
    bad.faults[part] = fault
    url = await serve(bad)
    alone = await desk.source(url).poll()
    assert alone.value is None
    assert alone.failure is not None
    assert alone.failure.kind is kind
    assert alone.failure.what.startswith(f"alertmanager at {url.removeprefix('http://')}: ")
    assert alone.failure.remedy
    beside = await desk.source(url, await serve(well)).poll()
    assert [one.name for one in good(beside).alerts] == ["Down"]
    assert len(beside.warnings) == 1


@pytest.mark.parametrize("case", [case for case in WHOLE if case != "numbers"])
async def test_a_status_that_cannot_be_read(serve: Serve, desk: Desk, case: str) -> None:
    fault, kind = WHOLE[case]
    fake = FakeAlertmanager([alert("Down")])
    fake.faults["status"] = fault
    failure = (await desk.source(await serve(fake)).poll()).failure
    assert failure is not None
    assert failure.kind is kind


@pytest.mark.parametrize("fault", [for_ever, drip], ids=["hung", "dripping"])
async def test_a_replica_that_hangs_costs_the_deadline(serve: Serve, desk: Desk, fault: Fault) -> None:
    fake = FakeAlertmanager()
    fake.faults[""] = fault
    source = desk.source(await serve(fake), deadline_s=SHORT_S)
    async with beating() as beat:
        readings = [await source.poll() for _ in range(3)]
    assert [reading.failure.kind for reading in readings if reading.failure] == [FailureKind.TIMEOUT] * 3
    assert beat.count > 5, "the loop went on"


@pytest.mark.parametrize(
    "spoken",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff" * 5_000, b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n{", b""],
    ids=["ssh", "noise", "bad header", "nothing"],
)
async def test_what_does_not_speak_http(serve_raw: ServeRaw, desk: Desk, spoken: bytes) -> None:
    async def speak(reader: Any, writer: Any) -> None:
        await reader.read(100)
        writer.write(spoken)
        await writer.drain()

    failure = (await desk.source(await serve_raw(speak)).poll()).failure
    assert failure is not None
    assert failure.kind in (FailureKind.BAD_ANSWER, FailureKind.UNREACHABLE)


async def test_answers_that_are_too_big_are_not_read(serve: Serve, desk: Desk) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        chunk = b"[" + b" " * 4_000_000
        try:
            while True:
                await response.write(chunk)
        except ConnectionError:
            return response

    fake = FakeAlertmanager()
    fake.faults["alerts"] = flood
    failure = (await desk.source(await serve(fake)).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.BAD_ANSWER
    assert "longer than 64 MB" in failure.what


async def test_a_hundred_thousand_alerts_do_not_hold_up_the_loop(serve: Serve, desk: Desk) -> None:
    alerts = [alert(f"A{n}", fingerprint=f"{n:016x}", instance=f"10.0.{n % 250}.7:9100") for n in range(100_000)]
    body = json.dumps(alerts, separators=(",", ":"))
    fakes = [FakeAlertmanager(), FakeAlertmanager()]
    for fake in fakes:
        fake.faults["alerts"] = text(body)
    source = desk.source(*[await serve(fake) for fake in fakes])
    async with beating() as beat:
        book = good(await source.poll())
    assert len(book.alerts) == 100_000
    assert {len(one.replicas) for one in book.alerts} == {2}
    # On the loop, reading and merging took nearly half of the poll.
    assert beat.busiest_s < beat.spent_s / 10


# -- parts that are wrong


async def read(serve: Serve, desk: Desk, alerts: Any = (), silences: Any = ()) -> Reading[AlertBook]:
    return await desk.source(await serve(FakeAlertmanager(alerts, silences))).poll()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        "alert",
        [],
        {},
        alert("A") | {"labels": ["alertname", "A"]},
        alert("A") | {"labels": None},
        alert("A") | {"labels": "A"},
        alert("A") | {"annotations": ["x"]},
        alert("A") | {"startsAt": "yesterday"},
        alert("A") | {"startsAt": 1_800_000_000},
        alert("A") | {"startsAt": "2026-13-45T99:99:99Z"},
        alert("A") | {"startsAt": "٢٠٢٦-١١-٢٣T08:00:00Z"},
        alert("A") | {"endsAt": {"seconds": 3}},
        alert("A") | {"endsAt": "0001-01-01T00:00:00+02:00"},
        alert("A") | {"updatedAt": "never"},
    ],
    ids=repr,
)
async def test_an_alert_that_cannot_be_read_is_said_and_the_others_are_shown(
    serve: Serve, desk: Desk, wrong: Any
) -> None:
    reading = await read(serve, desk, [alert("Before"), wrong, alert("After")])
    assert sorted(one.name for one in good(reading).alerts) == ["After", "Before"]
    [warning] = reading.warnings
    assert warning.startswith("1 of the alerts of 127.0.0.1:")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "silence",
        silence("s") | {"id": None, "matchers": None},
        silence("s") | {"matchers": None},
        silence("s") | {"matchers": ["a=b"]},
        silence("s") | {"matchers": [{"name": "a"}]},
        silence("s") | {"matchers": [{"name": "a", "value": None}]},
        silence("s") | {"matchers": [{"name": 3, "value": "x"}]},
        silence("s") | {"startsAt": None},
        silence("s") | {"endsAt": "later"},
    ],
    ids=repr,
)
async def test_a_silence_that_cannot_be_read_is_said_and_the_others_are_shown(
    serve: Serve, desk: Desk, wrong: Any
) -> None:
    reading = await read(serve, desk, (), [silence("before"), wrong, silence("after")])
    assert [one.id for one in good(reading).silences] == ["before", "after"]
    [warning] = reading.warnings
    assert warning.startswith("1 of the silences of 127.0.0.1:")


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        ({"endsAt": None}, {"ends_at": None}),
        ({"endsAt": "0001-01-01T00:00:00.000Z"}, {"ends_at": None}),
        ({"startsAt": None}, {"starts_at": AT - timedelta(seconds=5)}),
        ({"startsAt": "0001-01-01T00:00:00Z"}, {"starts_at": AT - timedelta(seconds=5)}),
        ({"annotations": None}, {"annotations": ()}),
        ({"status": None}, {"state": "unprocessed", "silenced_by": ()}),
        ({"status": "active"}, {"state": "unprocessed"}),
        ({"status": {"state": 3, "silencedBy": "s", "inhibitedBy": [None, 3, ""]}}, {"inhibited_by": ()}),
        ({"receivers": None}, {"receivers": ()}),
        ({"receivers": "pager"}, {"receivers": ()}),
        ({"receivers": ["pager", {"name": 3}, {"name": "chat"}]}, {"receivers": ("chat",)}),
        ({"generatorURL": ["x"]}, {"generator_url": ""}),
        ({"labels": {"alertname": "A", "n": 3}}, {"labels": (("alertname", "A"), ("n", "3"))}),
        ({"labels": {}}, {"labels": ()}),
    ],
    ids=repr,
)  # fmt: skip
async def test_an_odd_part_of_an_alert_takes_nothing_else_with_it(
    serve: Serve, desk: Desk, odd: dict[str, Any], shown: dict[str, Any]
) -> None:
    reading = await read(serve, desk, [alert("A", updated_s=-5) | odd])
    [one] = good(reading).alerts
    assert {name: getattr(one, name) for name in shown} == shown
    assert one.annotation("summary") == ("" if "annotations" in odd else "A it is")
    assert reading.warnings == ()
    assert not one.suppressed


async def test_when_nothing_at_all_can_be_read_there_is_no_claim_that_nothing_fires(serve: Serve, desk: Desk) -> None:
    reading = await read(serve, desk, [{"labels": ["A"]}] * 3)
    assert reading.value is None
    assert reading.failure is not None
    assert "nothing in /api/v2/alerts could be read" in reading.failure.what


HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e\u200b[@click=app.quit]x[/]"


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        yield from itertools.chain.from_iterable(map(texts, value))
    elif dataclasses.is_dataclass(value):
        yield from texts(tuple(getattr(value, field.name) for field in dataclasses.fields(value)))


async def test_control_characters_are_seen_and_do_nothing(serve: Serve, desk: Desk) -> None:
    one = alert("A")
    one["labels"] = {"alertname": HOSTILE, f"na{HOSTILE}me": "x"}
    one["annotations"] = {"summary": f"two\nlines\r\n{HOSTILE}"}
    one["receivers"] = [{"name": HOSTILE}]
    one["status"] = {"state": HOSTILE, "silencedBy": [HOSTILE], "inhibitedBy": [HOSTILE]}
    one["fingerprint"] = one["generatorURL"] = HOSTILE
    quiet = silence(HOSTILE, state=HOSTILE, comment=HOSTILE, createdBy=HOSTILE)
    quiet["matchers"][0] |= {"name": HOSTILE, "value": HOSTILE}
    fake = FakeAlertmanager([one], [quiet])
    fake.status = {"cluster": {"status": HOSTILE, "peers": []}, "versionInfo": {"version": HOSTILE}}
    book = good(await desk.source(await serve(fake)).poll())
    seen = list(texts(book))
    assert len([one for one in seen if PLACEHOLDER in one]) >= 15
    assert not [one for one in seen if any(sign in one for sign in "\x1b\x07\x9b\u202e\u200b\r")]
    assert [one for one in seen if "\n" in one] == [book.alerts[0].annotation("summary")]
    assert book.alerts[0].annotation("summary").startswith("two\nlines\n")


# -- secrets


@pytest.mark.parametrize("case", ["401", "500", "login page", "half a body", "reset", "garbage"])
async def test_a_secret_shows_up_nowhere(
    serve: Serve, desk: Desk, planted: str, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, _ = WHOLE[case]

    async def echo(request: web.Request) -> web.StreamResponse | None:
        if case == "401":
            return await status(401, f"bad token {request.headers['Authorization']}")(request)
        return await answer(request)

    fake = FakeAlertmanager()
    fake.faults[""] = echo
    source = desk.source(
        await serve(fake),
        auth=Auth(bearer="env:FARMTUI_TEST_SECRET"),
        headers={"X-Scope-OrgID": "farm", "X-Api-Key": "env:FARMTUI_TEST_SECRET"},
    )
    reading = await source.poll()
    assert reading.failure is not None
    assert fake.headers[0]["Authorization"] == f"Bearer {planted}"
    assert (fake.headers[0]["X-Api-Key"], fake.headers[0]["X-Scope-OrgID"]) == (planted, "farm")
    with pytest.raises(SourceError) as error:
        await source.expire_silence("s")
    seen = " ".join([repr(reading), repr(error.value), str(error.value.remedy), repr(vars(source)), caplog.text])
    assert planted not in seen


async def test_a_secret_that_cannot_be_had_is_said(serve: Serve, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FARMTUI_TEST_SECRET", raising=False)
    fake = FakeAlertmanager()
    failure = (await desk.source(await serve(fake), auth=Auth(bearer="env:FARMTUI_TEST_SECRET")).poll()).failure
    assert failure is not None
    assert failure.kind is FailureKind.CONFIG
    assert "FARMTUI_TEST_SECRET" in failure.what
    assert fake.asked == []


# -- whatever it is

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("0001-01-01T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_no_part_of_an_answer_whatever_it_is_raises(data: st.DataObject) -> None:
    def spoilt(item: dict[str, Any]) -> dict[str, Any]:
        keys = data.draw(st.sets(st.sampled_from(sorted(item)), max_size=4))
        return item | {key: data.draw(JSON) for key in keys}

    alerts, silences = alert_rows("am-1"), silence_rows("am-1")
    read_alerts = [alerts(one) for one in (*map(spoilt, REAL["alerts"]), data.draw(JSON))]
    read_silences = [silences(one) for one in (*map(spoilt, REAL["silences"]), data.draw(JSON))]
    held = Held(
        decode_status(REAL["status"], "http://am-1:9093"),
        tuple(one for one in read_alerts if one),
        tuple(one for one in read_silences if one),
    )
    book = merge([held, held], [])
    assert len(book.alerts) <= len(read_alerts)
    for one in book.alerts:
        assert one.starts_at.tzinfo is not None
        assert one.starts_at.year > 1


@given(JSON)
def test_a_status_is_read_or_refused(value: Any) -> None:
    try:
        state = decode_status(value, "http://am-1:9093")
    except SourceError:
        return
    assert state.up


@pytest.mark.parametrize(
    "text_", ["", "now", "2026-11-23", "2026-11-23T08:50:40", "2026-11-23T08:50:40+25:00", stamp()[:-1]]
)
def test_what_is_no_moment(text_: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text_)
