"""The poll of DigitalOcean, through pydo, against an API that serves, refuses, limits, hangs and lies."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiohttp import web

from farmtui.farm.reading import FailureKind
from farmtui.sources.digitalocean import SLOW_EVERY
from farmtui.sources.digitalocean_api import LONGEST_HOLD_S, PER_PAGE
from tests.sources.cloud_fakes import AT, Cloud, FakeCloud, cloud, droplet, refusing
from tests.sources.conftest import beating
from tests.sources.prometheus.fakes import for_ever

__all__ = ["cloud"]

SHORT_S = 0.4
SLOW = ("volumes", "load_balancers", "customers/my/balance")


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
    assert beat.count > 5, "the loop went on"


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
