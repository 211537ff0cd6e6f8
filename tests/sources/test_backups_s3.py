"""Listing a bucket through botocore: pages, layouts, clocks, refusals, and stores that hang, lie or never end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from farmtui.farm.backups import Stored, StoreListing
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.sources.s3_walk import THINGS_MAX
from tests.sources.conftest import PLANTED, Certificates, ServeRaw, beating
from tests.sources.prometheus.fakes import for_ever, reset
from tests.sources.s3_fakes import AT, BUCKET, S3, FakeS3, listing, refusal, s3, xml

__all__ = ["s3"]

HOUR = timedelta(hours=1)
SHORT_S = 0.4
_HEAD = "<ListBucketResult><Name>x</Name><IsTruncated>false</IsTruncated>"


def good(reading: Reading[StoreListing]) -> StoreListing:
    """What a poll that went well has read."""
    assert reading.failure is None
    assert reading.value is not None
    return reading.value


def failed(reading: Reading[StoreListing]) -> Failure:
    """Why a poll has read nothing."""
    assert reading.value is None
    assert reading.failure is not None
    return reading.failure


def by_thing(value: StoreListing) -> dict[tuple[str, str], Stored]:
    """Each thing's backups."""
    return {(stored.kind, stored.of): stored for stored in value.stored}


# -- what is listed


async def test_the_newest_of_each_kind_and_site_is_known_and_the_one_before(s3: S3) -> None:
    store = FakeS3(
        [
            ("db/shop.example/a.sql.gz", 100, AT - 26 * HOUR),
            ("db/shop.example/b.sql.gz", 120, AT - 2 * HOUR),
            ("db/shop.example/0-older-than-its-name.sql.gz", 90, AT - 50 * HOUR),
            ("files/shop.example/b/part-1", 1_000, AT - 3 * HOUR),
            ("files/shop.example/b/part-2", 500, AT - 2 * HOUR),
            ("files/shop.example/a/part-1", 1_400, AT - 27 * HOUR),
            ("files/shop.example/", 0, AT),
            ("notes.txt", 1, AT),
            ("db/readme", 1, AT),
        ]
    )
    reading = await s3.source(await s3.store(store)).poll()
    value = good(reading)
    assert (value.store, value.bucket, value.kinds) == ("spaces", BUCKET, ("database", "files"))
    assert (value.whole, value.objects, value.unread, value.problems) == (True, 7, 1, ())
    found = by_thing(value)
    dump, files = found["database", "shop.example"], found["files", "shop.example"]
    assert dump.at == int((AT - 2 * HOUR).timestamp())
    assert (dump.size_bytes, dump.name, dump.before_bytes) == (120, "db/shop.example/b.sql.gz", 100)
    assert dump.before_at == int((AT - 26 * HOUR).timestamp())
    assert (files.at, files.size_bytes, files.before_bytes) == (int((AT - 2 * HOUR).timestamp()), 1_500, 1_400)
    assert reading.requests == len(store.asked) == 2
    assert {asked["prefix"] for asked in store.asked} == {"db/", "files/"}, "only what the layout names is listed"


async def test_it_is_signed_and_the_keys_are_nowhere(s3: S3) -> None:
    store = FakeS3([("db/a/1", 1, AT)])
    source = s3.source(await s3.store(store), region="ams3")
    good(await source.poll())
    login = store.headers[0]["Authorization"]
    assert login.startswith("AWS4-HMAC-SHA256 Credential=AKPLANTEDACCESSKEY/")
    assert "/ams3/s3/aws4_request" in login
    assert PLANTED not in str(store.headers) + str(store.asked) + repr(vars(source))


async def test_the_environment_says_neither_whom_to_ask_nor_as_whom(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_PROFILE": "none-such", "AWS_ACCESS_KEY_ID": "OTHER", "AWS_SECRET_ACCESS_KEY": "other",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/none", "HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    store = FakeS3([("db/a/1", 1, AT)])
    good(await s3.source(await s3.store(store)).poll())
    assert "OTHER" not in store.headers[0]["Authorization"]


async def test_a_layout_of_ones_own(s3: S3) -> None:
    store = FakeS3(
        [
            ("b/shop/mysql/2026-11-23/dump.sql", 5, AT),
            ("b/shop/mysql/2026-11-23/users.sql", 6, AT),
            ("b/shop/uploads/2026-11-23.tar", 7, AT),
        ]
    )
    layout = [{"key": "b/{site}/{kind}/{time}/**"}, {"key": "b/{site}/{kind}/{time}.tar"}]
    value = good(await s3.source(await s3.store(store), layout=layout).poll())
    assert {(s.kind, s.of): s.size_bytes for s in value.stored} == {("mysql", "shop"): 11, ("uploads", "shop"): 7}
    assert value.kinds == (), "what only keys name is expected of nobody"


async def test_virtual_hosts_have_the_bucket_in_the_name(s3: S3) -> None:
    store = FakeS3([("db/a/1", 1, AT)])
    port = (await s3.store(store)).rpartition(":")[2]
    await s3.source(f"http://localhost:{port}", addressing="virtual").poll()
    # Where no resolver knows names below localhost nothing arrives, and that is no fault of ours.
    assert all(path.startswith(f"{BUCKET}.localhost") for path in store.paths)
    await s3.source(f"http://127.0.0.1:{port}").poll()
    assert store.paths[-1].endswith(f"/{BUCKET}")


async def test_hostile_names_are_cleaned_and_harm_nothing(s3: S3) -> None:
    names = ["\x1b[31mred", "[@click=app.quit]x[b]", "a&<>\"'", "\u202egnp", "n\nl", "é"]
    store = FakeS3([(f"db/{name}/1", 1, AT) for name in names])
    value = good(await s3.source(await s3.store(store)).poll())
    assert len(value.stored) == len(names)
    told = "".join(stored.of + stored.name for stored in value.stored)
    assert not any(bad in told for bad in ("\x1b", "\n", "\u202e"))


async def test_a_clock_that_differs_is_said_and_reckoned_with(s3: S3) -> None:
    now = datetime.now(UTC)
    store = FakeS3([("db/a/1", 1, now - 100 * HOUR)], date=format_datetime(now - 90 * HOUR, usegmt=True))
    value = good(await s3.source(await s3.store(store)).poll())
    # By the store's own clock it is ten hours old, and so it is by ours.
    assert abs(value.stored[0].at - (now - 10 * HOUR).timestamp()) < 60
    assert "clock" in value.problems[0]


# -- large buckets


async def test_pages_follow_each_other(s3: S3) -> None:
    store = FakeS3([(f"db/s{n:03}/1", n, AT) for n in range(25)], page=10)
    reading = await s3.source(await s3.store(store)).poll()
    assert len(good(reading).stored) == 25
    assert reading.requests == 4


async def test_a_bucket_that_is_too_large_for_one_poll_is_listed_over_several(s3: S3) -> None:
    store = FakeS3([(f"db/s{n:03}/1", n, AT - HOUR) for n in range(25)], page=10)
    source = s3.source(await s3.store(store), pages=2)
    first = await source.poll()
    value = good(first)
    assert (value.whole, len(value.stored), first.requests) == (False, 20, 2)
    assert "cut after 20 objects" in value.problems[0]
    second = await source.poll()
    assert (good(second).whole, len(good(second).stored), second.requests) == (True, 25, 2)
    assert store.asked[2]["start-after"] == "db/s019/1", (
        "it goes on behind the last key, by no token that may have died"
    )
    # Meanwhile one is made anew, and one is deleted: the first is known as soon as the walk meets it.
    store.objects = [("db/s000/2", 7, AT), *store.objects[:24]]
    third = by_thing(good(await source.poll()))
    assert third["database", "s000"].size_bytes == 7
    assert len(third) == 25
    assert len(good(await source.poll()).stored) == 24


async def test_a_failure_in_the_middle_loses_nothing(s3: S3) -> None:
    store = FakeS3([(f"db/s{n:03}/1", n, AT) for n in range(25)], page=10)
    source = s3.source(await s3.store(store), pages=1)
    good(await source.poll())
    store.fault = refusal(503, "ServiceUnavailable")
    assert failed(await source.poll()).kind is FailureKind.SERVER
    store.fault = None
    for _ in range(3):
        value = good(await source.poll())
    assert (value.whole, len(value.stored)) == (True, 25)


async def test_a_listing_that_never_ends_is_no_listing(s3: S3) -> None:
    async def again(_: web.Request) -> web.StreamResponse:
        return listing([("db/a/1", 1, AT)], token="again")

    store = FakeS3(fault=again)
    failure = failed(await s3.source(await s3.store(store)).poll())
    assert (failure.kind, "does not go forward" in failure.what) == (FailureKind.BAD_ANSWER, True)
    assert len(store.asked) == 2


@pytest.mark.parametrize("empty", [True, False])
async def test_a_listing_that_goes_on_without_saying_how(s3: S3, empty: bool) -> None:
    async def lost(_: web.Request) -> web.StreamResponse:
        return listing([] if empty else [("db/a/1", 1, AT)], truncated=True)

    failure = failed(await s3.source(await s3.store(FakeS3(fault=lost))).poll())
    assert failure.kind is FailureKind.BAD_ANSWER


async def test_the_loop_goes_on_while_fifty_thousand_objects_are_read(s3: S3) -> None:
    store = FakeS3([(f"db/site-{n:06}.example/1.sql.gz", n, AT) for n in range(50_000)])
    ready = [listing(store.objects[at : at + 1_000], token=f"t{at}" if at < 49_000 else "").text or ""
             for at in range(0, 50_000, 1_000)]  # fmt: skip
    bodies = iter(ready)

    async def quickly(request: web.Request) -> web.StreamResponse:
        return xml(next(bodies)) if request.query["prefix"] == "db/" else listing([])

    store.fault = quickly
    source = s3.source(await s3.store(store))
    async with beating() as beat:
        value = good(await source.poll())
    assert len(value.stored) == 50_000
    assert beat.busiest_s < 0.25
    assert beat.count > 20
    assert THINGS_MAX > 50_000 * 3


# -- refusals


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (403, "SignatureDoesNotMatch", FailureKind.FORBIDDEN, "signature is not accepted"),
        (403, "InvalidAccessKeyId", FailureKind.FORBIDDEN, "no such access key"),
        (403, "AccessDenied", FailureKind.FORBIDDEN, f"may not list bucket {BUCKET}"),
        (404, "NoSuchBucket", FailureKind.CONFIG, f"no bucket {BUCKET}"),
        (403, "RequestTimeTooSkewed", FailureKind.CONFIG, "clock"),
        (503, "SlowDown", FailureKind.RATE_LIMITED, "slow down"),
        (500, "InternalError", FailureKind.SERVER, "InternalError"),
        (501, "NotImplemented", FailureKind.SERVER, "NotImplemented"),
        (400, "InvalidArgument", FailureKind.BAD_ANSWER, "InvalidArgument"),
    ],
)
async def test_refusals_are_told_apart(s3: S3, status: int, code: str, kind: FailureKind, words: str) -> None:
    store = FakeS3(fault=refusal(status, code, f"key {PLANTED}"))
    reading = await s3.source(await s3.store(store)).poll()
    failure = failed(reading)
    assert failure.kind is kind
    assert words in failure.what
    assert failure.remedy
    assert PLANTED not in failure.what
    assert len(store.asked) == 1, "nothing is asked twice"


async def test_rotated_keys_are_picked_up(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeS3([("db/a/1", 1, AT)], fault=refusal(403, "InvalidAccessKeyId"))
    source = s3.source(await s3.store(store))
    failed(await source.poll())
    monkeypatch.setenv("FARMTUI_TEST_ACCESS", "ROTATED")
    store.fault = None
    good(await source.poll())
    assert "Credential=ROTATED/" in store.headers[-1]["Authorization"]


async def test_a_key_that_is_not_there_is_a_fault_of_the_config(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FARMTUI_TEST_ACCESS")
    store = FakeS3()
    failure = failed(await s3.source(await s3.store(store)).poll())
    assert failure.kind is FailureKind.CONFIG
    assert "FARMTUI_TEST_ACCESS" in failure.what
    assert store.asked == []


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>Login</body></html>",
        "<ListBucketResult><Name>",
        "not XML at all",
        "",
        "<ListBucketResult><Name>x</Name></ListBucketResult>",
        f"{_HEAD}<Contents><Key>db/a/1</Key></Contents></ListBucketResult>",
        f"{_HEAD}<Contents><Key>db/a/1</Key><Size>many</Size></Contents></ListBucketResult>",
        f"{_HEAD}<Contents><Key>db/a/1</Key><LastModified>yesterday</LastModified></Contents></ListBucketResult>",
    ],
)
async def test_what_is_no_listing_is_never_an_empty_bucket(s3: S3, body: str) -> None:
    async def odd(_: web.Request) -> web.StreamResponse:
        return xml(body)

    failure = failed(await s3.source(await s3.store(FakeS3(fault=odd))).poll())
    assert failure.kind is FailureKind.BAD_ANSWER


async def test_an_answer_that_grows_without_end_is_not_read(s3: S3) -> None:
    async def bomb(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/xml"})
        await answer.prepare(request)
        for _ in range(40):
            await answer.write(b"<a>" + b"x" * 1_000_000)
        return answer

    failure = failed(await s3.source(await s3.store(FakeS3(fault=bomb))).poll())
    assert "longer than" in failure.what


async def test_no_redirect_is_followed(s3: S3) -> None:
    elsewhere = FakeS3([("db/a/1", 1, AT)])
    there = await s3.store(elsewhere)

    async def away(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": there})

    failure = failed(await s3.source(await s3.store(FakeS3(fault=away))).poll())
    assert "sends us elsewhere" in failure.what
    assert elsewhere.asked == []


async def test_a_store_that_hangs_is_given_up(s3: S3) -> None:
    source = s3.source(await s3.store(FakeS3(fault=for_ever)), request_deadline_s=SHORT_S)
    async with asyncio.timeout(30):
        failure = failed(await source.poll())
    assert failure.kind is FailureKind.TIMEOUT


async def test_a_connection_that_is_cut(s3: S3) -> None:
    failure = failed(await s3.source(await s3.store(FakeS3(fault=reset))).poll())
    assert failure.kind in (FailureKind.UNREACHABLE, FailureKind.BAD_ANSWER)


async def test_garbage_is_no_http(s3: S3, serve_raw: ServeRaw) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x00\xff\x00 nothing of it\r\n\r\n")
        await writer.drain()

    assert failed(await s3.source(await serve_raw(garbage)).poll()).kind in (
        FailureKind.BAD_ANSWER,
        FailureKind.UNREACHABLE,
    )


async def test_certificates_are_verified(
    s3: S3, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = FakeS3([("db/a/1", 1, AT)])
    good(await s3.source(await s3.store(store, certificates.server())).poll())
    stranger = Certificates(tmp_path_factory.mktemp("stranger"))
    failure = failed(await s3.source(await s3.store(store, stranger.server())).poll())
    assert failure.kind is FailureKind.TLS
