"""The poll of DigitalOcean, through pydo, against an API that serves, refuses, limits, hangs and lies."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from farmtui.farm.reading import FailureKind
from farmtui.sources.digitalocean import LONGEST_HOLD_S, PER_PAGE, SLOW_EVERY
from tests.sources.cloud_fakes import AT, Cloud, FakeCloud, droplet, refusing
from tests.sources.conftest import Certificates, Serve, ServeRaw, beating
from tests.sources.prometheus.fakes import Fault, cut_short, drip, for_ever, reset, text

SHORT_S = 0.4
SLOW = ("volumes", "load_balancers", "customers/my/balance")


@pytest.fixture
async def cloud(serve: Serve, certificates: Certificates, planted: str) -> AsyncIterator[Cloud]:
    made = Cloud(serve, certificates)
    yield made
    await made.close()


def unix(seconds: float) -> str:
    """So many seconds after the tests' beginning, as a header gives it."""
    return str(int(AT.timestamp() + seconds))


# -- what is served


async def test_an_account_is_read_whole(cloud: Cloud, planted: str) -> None:
    api = FakeCloud()
    api.headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "4990", "ratelimit-reset": unix(900)}
    reading = await cloud.source(await cloud.api(api)).poll()
    assert (reading.failure, reading.warnings, reading.taken_at) == (None, (), AT)
    assert reading.value is not None
    account = reading.value
    first = account.droplets[0]
    assert (first.id, first.name, first.status, first.region) == (1, "cache-1", "active", "fra1")
    assert (first.size, first.price_monthly, first.vcpus) == ("s-8vcpu-16gb", Decimal(96), 8)
    assert (first.memory_bytes, first.disk_bytes) == (16 * 2**30, 100 * 2**30)
    # The private address first: the farm's machines know each other by it.
    assert first.addresses == ("10.0.0.1", "203.0.113.1")
    assert first.tags == ("farm", "tier-cache")
    assert first.created_at == datetime(2026, 8, 30, tzinfo=UTC)
    [volume] = account.volumes
    assert (volume.name, volume.size_bytes, volume.droplet_ids) == ("data", 10 * 2**30, (1,))
    [balancer] = account.load_balancers
    assert (balancer.name, balancer.status, balancer.address, balancer.droplet_ids) == (
        "edge",
        "active",
        "198.51.100.1",
        (1, 2),
    )
    assert account.month_to_date_usd == Decimal("123.45")
    assert (account.rate_limit, account.rate_remaining) == (5000, 4990)
    assert set(api.logins) == {f"Bearer {planted}"}
    assert reading.requests == sum(api.asked.values()) == 4


@pytest.mark.parametrize("count", [0, 1, PER_PAGE - 1, PER_PAGE, PER_PAGE + 1, 3 * PER_PAGE, 3 * PER_PAGE + 7])
async def test_all_pages_are_read(cloud: Cloud, count: int) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [droplet(n) for n in range(1, count + 1)]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    assert [d.id for d in reading.value.droplets] == list(range(1, count + 1))
    assert api.asked["droplets"] == max(1, -(-count // PER_PAGE))


async def test_without_links_a_short_page_is_the_last(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [droplet(n) for n in range(1, PER_PAGE + 6)]

    async def bare(request: web.Request) -> web.StreamResponse:
        return web.json_response({"droplets": api.page("droplets", request)["droplets"]})

    api.faults["droplets"] = bare
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    assert len(reading.value.droplets) == PER_PAGE + 5
    assert api.asked["droplets"] == 2


async def test_a_server_that_gives_less_than_asked_for_is_read_to_its_end(cloud: Cloud) -> None:
    api = FakeCloud()

    async def few(request: web.Request) -> web.StreamResponse:
        page = int(request.query["page"])
        links = {"pages": {"next": "x"}} if page < 4 else {}
        return web.json_response({"droplets": [droplet(page)], "links": links})

    api.faults["droplets"] = few
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    assert [d.id for d in reading.value.droplets] == [1, 2, 3, 4]


async def test_a_listing_that_goes_round_in_circles_is_left(cloud: Cloud) -> None:
    api = FakeCloud()

    async def circle(_: web.Request) -> web.StreamResponse:
        return web.json_response({"droplets": [droplet(1)], "links": {"pages": {"next": "x"}}})

    api.faults["droplets"] = circle
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER
    assert api.asked["droplets"] == 2


async def test_what_moved_to_the_next_page_meanwhile_is_there_once(cloud: Cloud) -> None:
    api = FakeCloud()

    async def moving(request: web.Request) -> web.StreamResponse:
        page = int(request.query["page"])
        items = [droplet(1), droplet(2)] if page == 1 else [droplet(2), droplet(3)]
        return web.json_response({"droplets": items, "links": {"pages": {"next": "x"}} if page == 1 else {}})

    api.faults["droplets"] = moving
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    assert [d.id for d in reading.value.droplets] == [1, 2, 3]


async def test_only_the_farm_s_droplets_are_asked_for(cloud: Cloud) -> None:
    api = FakeCloud()
    await cloud.source(await cloud.api(api), tag="farm").poll()
    assert api.queries[0] == {"tag_name": "farm", "per_page": str(PER_PAGE), "page": "1"}
    assert "tag_name" not in api.queries[1]


async def test_what_changes_slowly_is_asked_for_now_and_then(cloud: Cloud) -> None:
    api = FakeCloud()
    source = cloud.source(await cloud.api(api))
    for _ in range(SLOW_EVERY + 1):
        reading = await source.poll()
        assert reading.value is not None
        assert len(reading.value.volumes) == 1
    assert api.asked == {"droplets": SLOW_EVERY + 1, **dict.fromkeys(SLOW, 2)}


async def test_odd_but_real(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [
        droplet(1, name="twin"),
        droplet(2, name="twin", status="archive", locked=True, networks={"v4": [], "v6": []}, tags=None),
        droplet(3, image={"slug": None}, size={"slug": "gone", "price_monthly": None}, size_slug=None),
    ]
    api.lists["load_balancers"][0].update(status="errored", ip="", droplet_ids=None)
    api.balance = {"month_to_date_usage": "-12.00"}
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.warnings == ()
    assert reading.value is not None
    one, two, three = reading.value.droplets
    assert (one.name, two.name) == ("twin", "twin")
    assert (two.status, two.locked, two.addresses, two.tags) == ("archive", True, (), ())
    assert (three.size, three.price_monthly) == ("gone", None)
    assert reading.value.load_balancers[0].status == "errored"
    assert reading.value.month_to_date_usd == Decimal(-12)


# -- parts


async def test_a_part_that_may_not_be_read_leaves_the_rest(cloud: Cloud) -> None:
    api = FakeCloud()
    api.faults["customers/my/balance"] = refusing(403, "Forbidden", "You are not authorized to perform this operation")
    source = cloud.source(await cloud.api(api))
    reading = await source.poll()
    assert reading.failure is None
    assert reading.value is not None
    assert (len(reading.value.droplets), len(reading.value.volumes)) == (2, 1)
    assert reading.value.month_to_date_usd is None
    [warning] = reading.warnings
    assert "balance" in warning
    assert "not authorized" in warning
    assert warning in reading.value.problems


async def test_a_part_that_fails_keeps_its_last_answer_and_is_asked_again_soon(cloud: Cloud) -> None:
    api = FakeCloud()
    source = cloud.source(await cloud.api(api))
    await source.poll()
    api.faults["volumes"] = refusing(500, "server_error", "Unexpected server-side error")
    for _ in range(SLOW_EVERY):
        reading = await source.poll()
    assert reading.value is not None
    assert [volume.name for volume in reading.value.volumes] == ["data"]
    assert "HTTP 500" in reading.warnings[0]
    del api.faults["volumes"]
    reading = await source.poll()
    assert reading.warnings == ()


async def test_a_part_that_hangs_does_not_take_the_droplets_with_it(cloud: Cloud) -> None:
    api = FakeCloud()
    source = cloud.source(await cloud.api(api), deadline_s=5.0)
    for path in SLOW:
        api.faults[path] = for_ever
    async with beating() as beat:
        reading = await source.poll()
    assert reading.value is not None
    assert len(reading.value.droplets) == 2
    assert reading.failure is None
    assert any("no answer" in warning for warning in reading.warnings)
    assert beat.longest_s < 3.0


# -- the rate limit


async def test_nothing_is_asked_before_the_reset_when_few_requests_are_left(cloud: Cloud) -> None:
    api = FakeCloud()
    source = cloud.source(await cloud.api(api))
    await source.poll()
    api.headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "60", "ratelimit-reset": unix(600)}
    await source.poll()
    asked = api.asked.total()
    for wait in (600.0, 599.0):
        reading = await source.poll()
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.RATE_LIMITED
        assert reading.failure.retry_after_s == wait
        assert "60 of 5000" in reading.failure.what
        assert (reading.requests, api.asked.total()) == (0, asked)
        cloud.forward(1.0)
    cloud.forward(598.0)
    api.headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "4999", "ratelimit-reset": unix(4200)}
    assert (await source.poll()).failure is None


async def test_a_listing_stops_where_the_limit_is_reached(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [droplet(n) for n in range(1, 3 * PER_PAGE)]
    api.headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "10", "ratelimit-reset": unix(600)}
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.RATE_LIMITED
    assert api.asked == {"droplets": 1}


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry_After": "90"}, 90.0),
        ({"ratelimit_remaining": "0", "ratelimit_reset": unix(240), "ratelimit_limit": "5000"}, 240.0),
        ({"Retry_After": "90", "ratelimit_remaining": "0", "ratelimit_reset": unix(60)}, 90.0),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "99999999999"}, LONGEST_HOLD_S),
        ({"ratelimit_remaining": "²", "ratelimit_reset": "soon", "Retry_After": "33"}, 33.0),
    ],
)
async def test_after_too_many_requests_none_is_sent_before_its_time(
    cloud: Cloud, headers: dict[str, str], wait_s: float
) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(429, "too_many_requests", "API Rate limit exceeded.", **headers)
    source = cloud.source(await cloud.api(api))
    reading = await source.poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.RATE_LIMITED
    assert "API Rate limit exceeded." in reading.failure.what
    assert reading.failure.retry_after_s == wait_s
    # Once: the client would try again by itself, and sleep in the call.
    assert api.asked == {"droplets": 1}
    api.faults.clear()
    cloud.forward(wait_s - 1.0)
    early = await source.poll()
    assert early.failure is not None
    assert early.failure.retry_after_s == 1.0
    assert api.asked == {"droplets": 1}
    cloud.forward(1.0)
    assert (await source.poll()).failure is None


async def test_too_many_requests_for_a_part_hold_the_next_poll(cloud: Cloud) -> None:
    api = FakeCloud()
    api.faults["volumes"] = refusing(429, "too_many_requests", "API Rate limit exceeded.", Retry_After="50")
    source = cloud.source(await cloud.api(api))
    reading = await source.poll()
    assert reading.value is not None
    assert any("429" in warning for warning in reading.warnings)
    # The parts after it were not asked for any more.
    assert api.asked == {"droplets": 1, "volumes": 1}
    held = await source.poll()
    assert held.failure is not None
    assert held.failure.retry_after_s == 50.0


# -- faults


async def page_503(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="<html>maintenance</html>", content_type="text/html")


async def elsewhere(_: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "https://login.example/?ticket=x"})


async def no_content(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


async def lying_gzip(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})


async def latin(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"droplets": ["\xff"]}', content_type="application/json")


FAULTS: dict[str, tuple[Fault, FailureKind]] = {
    "400": (refusing(400, "bad_request", "no"), FailureKind.BAD_ANSWER),
    "401": (refusing(401, "Unauthorized", "Unable to authenticate you"), FailureKind.FORBIDDEN),
    "403": (refusing(403, "Forbidden", "You are not authorized"), FailureKind.FORBIDDEN),
    "404": (refusing(404, "not_found", "The resource you were accessing could not be found."), FailureKind.BAD_ANSWER),
    "422": (refusing(422, "unprocessable_entity", "no"), FailureKind.BAD_ANSWER),
    "429": (refusing(429, "too_many_requests", "slow down"), FailureKind.RATE_LIMITED),
    "500": (refusing(500, "server_error", "Unexpected server-side error"), FailureKind.SERVER),
    "503": (page_503, FailureKind.SERVER),
    "504": (refusing(504, "gateway", ""), FailureKind.SERVER),
    "reset": (reset, FailureKind.UNREACHABLE),
    "half a body": (cut_short, FailureKind.BAD_ANSWER),
    "redirect": (elsewhere, FailureKind.BAD_ANSWER),
    "204": (no_content, FailureKind.BAD_ANSWER),
    "lying encoding": (lying_gzip, FailureKind.BAD_ANSWER),
    "page": (text("<html>a router</html>", "text/html"), FailureKind.BAD_ANSWER),
    "empty": (text(""), FailureKind.BAD_ANSWER),
    "not JSON": (text('{"droplets": [}'), FailureKind.BAD_ANSWER),
    "not UTF-8": (latin, FailureKind.BAD_ANSWER),
    "deep": (text("[" * 100_000), FailureKind.BAD_ANSWER),
    "a list": (text("[]"), FailureKind.BAD_ANSWER),
    "null": (text("null"), FailureKind.BAD_ANSWER),
    "no droplets": (text('{"links": {}}'), FailureKind.BAD_ANSWER),
    "null droplets": (text('{"droplets": null}'), FailureKind.BAD_ANSWER),
    "an object for a list": (text('{"droplets": {"id": 1}}'), FailureKind.BAD_ANSWER),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_becomes_words(cloud: Cloud, planted: str, name: str) -> None:
    fault, kind = FAULTS[name]
    api = FakeCloud()
    api.faults[""] = fault
    source = cloud.source(url := await cloud.api(api))
    reading = await source.poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is kind, reading.failure
    assert reading.failure.what.startswith(f"digitalocean at {url.removeprefix('https://')}: ")
    assert reading.failure.remedy
    assert planted not in repr(reading)
    assert "<html" not in repr(reading)
    # Nothing is repeated inside a poll, and one refused login is enough.
    assert api.asked["droplets"] == 1
    api.faults.clear()
    assert (await source.poll()).failure is None


async def test_what_the_api_says_is_said(cloud: Cloud) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(404, "not_found", "The resource you were accessing could not be found.")
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert "could not be found" in reading.failure.what


@pytest.mark.parametrize("fault", [for_ever, drip], ids=["hangs", "drips"])
async def test_no_answer_in_time(cloud: Cloud, fault: Fault) -> None:
    api = FakeCloud()
    api.faults[""] = fault
    source = cloud.source(await cloud.api(api), deadline_s=SHORT_S)
    for _ in range(3):
        # There is one thread, and it is not lost to it.
        reading = await source.poll()
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TIMEOUT


async def test_nobody_listens(cloud: Cloud) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    reading = await cloud.source(f"https://127.0.0.1:{port}").poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.UNREACHABLE
    assert "refused" in reading.failure.what


async def test_a_huge_answer_is_not_swallowed(cloud: Cloud) -> None:
    body = gzip.compress(b'{"droplets": [' + b" " * 100_000_000 + b"]}", compresslevel=1)

    async def huge(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    api = FakeCloud()
    api.faults["droplets"] = huge
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER
    assert "longer than 64 MB" in reading.failure.what


async def test_what_is_not_tls(cloud: Cloud, serve_raw: ServeRaw) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        await writer.drain()
        await reader.read(4096)

    url = await serve_raw(greet)
    reading = await cloud.source(url.replace("http:", "https:")).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS


# -- TLS


@pytest.mark.parametrize("trouble", ["expired", "another host", "unknown CA"])
async def test_a_certificate_that_is_not_trusted_gets_no_token(
    cloud: Cloud, certificates: Certificates, trouble: str
) -> None:
    contexts = {
        "expired": certificates.server(expired=True),
        "another host": certificates.server("api.farm.example"),
        "unknown CA": certificates.server(),
    }
    api = FakeCloud()
    url = await cloud.api(api, contexts[trouble])
    ca_file = None if trouble == "unknown CA" else certificates.ca_file
    reading = await cloud.source(url, ca_file=ca_file).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.TLS
    assert not api.logins


async def test_a_token_does_not_travel_in_the_clear(cloud: Cloud) -> None:
    reading = await cloud.source("http://127.0.0.1:1").poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "https" in reading.failure.remedy


async def test_the_environment_has_no_say(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert (await cloud.source(await cloud.api(FakeCloud())).poll()).failure is None


async def test_a_ca_file_that_cannot_be_used_is_the_config_s_fault(cloud: Cloud, tmp_path: Path) -> None:
    reading = await cloud.source(await cloud.api(FakeCloud()), ca_file=tmp_path / "cloud-ca.pem").poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert "cloud-ca.pem" in reading.failure.what


# -- secrets


@pytest.mark.parametrize("secret", ["gehe1m-ü-n1cht", "with\ttab-s3cr3t"])
async def test_a_token_that_no_header_can_carry(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("FARMTUI_TEST_SECRET", secret)
    api = FakeCloud()
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONFIG
    assert secret not in repr(reading)
    assert not api.asked


async def test_a_token_that_was_changed_is_read_anew_after_a_refusal(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(401, "Unauthorized", "Unable to authenticate you")
    source = cloud.source(await cloud.api(api))
    reading = await source.poll()
    assert reading.failure is not None
    assert "digitalocean.token" in reading.failure.remedy
    api.faults.clear()
    monkeypatch.setenv("FARMTUI_TEST_SECRET", "another-Pl4nted-one")
    assert (await source.poll()).failure is None
    assert api.logins[-1] == "Bearer another-Pl4nted-one"


async def test_a_token_that_is_sent_back_is_not_shown(cloud: Cloud, planted: str, caplog: Any) -> None:
    api = FakeCloud()
    api.faults[""] = refusing(500, "server_error", f"what is Bearer {planted}?")
    with caplog.at_level("DEBUG"):
        reading = await cloud.source(await cloud.api(api)).poll()
    assert planted not in repr(reading)
    assert "•••" in repr(reading)
    assert planted not in "".join(record.getMessage() for record in caplog.records if record.levelname != "DEBUG")


# -- answers of the wrong shape

WRONG: list[Any] = [None, 7, "d", [], {}, {"id": None}, {"id": "x"}, {"id": [1]}, {"id": 5, "memory": 1e400}]


async def test_items_that_cannot_be_read_are_counted_and_the_others_go_on(cloud: Cloud) -> None:
    api = FakeCloud()
    body = json.dumps({"droplets": [*WRONG, droplet(1)], "links": {}}).encode()

    async def odd(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    api.faults["droplets"] = odd
    for path in ("volumes", "load_balancers"):
        api.lists[path] = [None, {"name": "x"}, *api.lists[path], {"id": "y", "droplet_ids": ["z"]}]
    api.balance = {"month_to_date_usage": {"a": 1}}
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.failure is None
    assert reading.value is not None
    assert [d.id for d in reading.value.droplets] == [1]
    assert [volume.id for volume in reading.value.volumes] == ["v-1"]
    assert reading.value.month_to_date_usd is None
    assert reading.warnings == (
        f"{len(WRONG)} of {len(WRONG) + 1} droplets could not be read",
        "3 of 4 volumes could not be read",
        "3 of 4 load balancers could not be read",
    )


async def test_droplets_that_cannot_be_read_are_no_empty_account(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [{"id": "x"}, None]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.BAD_ANSWER


async def test_figures_of_the_wrong_kind_are_nothing(cloud: Cloud) -> None:
    odd: dict[str, Any] = {
        "name": 5, "status": None, "memory": "much", "vcpus": True, "disk": [], "size": 7, "region": "fra1",
        "networks": [1], "tags": "farm", "created_at": "yesterday", "locked": None,
    }  # fmt: skip
    api = FakeCloud()
    api.lists["droplets"] = [droplet(1, **odd), droplet(2, networks={"v4": [5, {"ip_address": 4}], "v6": 3})]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    one, two = reading.value.droplets
    assert (one.name, one.status, one.memory_bytes, one.vcpus, one.region) == ("1", "unknown", 0.0, 0, "")
    assert (one.price_monthly, one.tags, one.addresses, one.created_at) == (None, (), (), None)
    assert two.addresses == ()


async def test_names_are_plain_text(cloud: Cloud) -> None:
    api = FakeCloud()
    api.lists["droplets"] = [droplet(1, name="\x1b]52;c;cHduZWQ=\x07evil\u202ename\n")]
    reading = await cloud.source(await cloud.api(api)).poll()
    assert reading.value is not None
    name = reading.value.droplets[0].name
    assert "evil" in name
    assert all(char.isprintable() for char in name)


# -- manners


async def test_the_client_is_imported_by_the_worker_alone() -> None:
    script = (
        "import sys\n"
        "from farmtui.config import DigitalOceanConfig\n"
        "from farmtui.sources.digitalocean import DigitalOceanSource\n"
        "DigitalOceanSource(DigitalOceanConfig(token='env:X'))\n"
        "print([n for n in ('pydo', 'azure.core', 'requests', 'textual') if n in sys.modules])\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_a_poll_that_is_cancelled_leaves_the_source_usable(cloud: Cloud) -> None:
    api = FakeCloud()
    arrived, leave = asyncio.Event(), asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await leave.wait()
        return web.json_response({"droplets": [], "links": {}})

    api.faults["droplets"] = hold
    source = cloud.source(await cloud.api(api))
    task = asyncio.create_task(source.poll())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    api.faults.clear()
    leave.set()
    reading = await source.poll()
    assert reading.value is not None
    assert len(reading.value.droplets) == 2


async def test_closing_twice(cloud: Cloud) -> None:
    source = cloud.source(await cloud.api(FakeCloud()))
    await source.poll()
    await source.close()
    await source.close()
    # A poll after that has no thread any more, and says so instead of raising.
    assert (await source.poll()).failure is not None
