"""The simulated DigitalOcean: what it tells of the world, whom it refuses, and what the console's own source reads."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from farmtui.demo.servers.digitalocean import HOURLY_LIMIT, DigitalOceanServer
from farmtui.demo.servers.listening import Listening
from farmtui.demo.world.changes import CloudApi, MachineOff
from farmtui.farm.reading import FailureKind
from farmtui.sources.digitalocean import DigitalOceanSource
from tests.demo.stage import NOON, Clock, Stage, stage


class Api:
    """The API, asked without the console's client."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, ca: bytes) -> None:
        self._session = session
        self.url = url
        self._token = token
        self._tls = ssl.create_default_context(cadata=ca.decode())

    async def ask(self, path: str, *, login: str | None = None, method: str = "GET") -> tuple[int, dict[str, str], Any]:
        """Status, headers (names in lower case) and JSON."""
        given = f"Bearer {self._token}" if login is None else login
        headers = {"Authorization": given} if given else {}
        async with self._session.request(method, f"{self.url}{path}", headers=headers, ssl=self._tls) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, told, await answer.json()

    async def get(self, path: str) -> Any:
        """The JSON of an answer that must be 200."""
        status, _, body = await self.ask(path)
        assert status == 200, body
        return body


@asynccontextmanager
async def api(*faults: str, clock: Clock | None = None) -> AsyncIterator[tuple[Stage, Api]]:
    """A farm that serves, and its account's API."""
    async with stage(*faults, clock=clock) as farm, aiohttp.ClientSession() as session:
        doors = farm.running.doors
        yield farm, Api(session, doors.digitalocean, doors.digitalocean_token, doors.ca)


@asynccontextmanager
async def source(farm: Stage, folder: Path) -> AsyncIterator[DigitalOceanSource]:
    """The console's own source, as the demo's config makes it."""
    config = farm.config(folder).digitalocean
    assert config is not None
    made = DigitalOceanSource(config, clock=farm.clock.moment)
    try:
        yield made
    finally:
        await made.close()


# -- as the API


async def test_the_droplets_are_the_farm_s_machines_there() -> None:
    async with api() as (farm, cloud):
        body = await cloud.get("/v2/droplets?per_page=200")
        machines = [machine for machine in farm.running.farm.machines if machine.droplet]
        assert [d["id"] for d in body["droplets"]] == [m.droplet_id for m in machines]
        assert (body["meta"], body["links"]) == ({"total": len(machines)}, {})
        for droplet, machine in zip(body["droplets"], machines, strict=True):
            assert (droplet["name"], droplet["status"]) == (machine.name, "active")
            assert droplet["region"]["slug"] == machine.region
            assert Decimal(str(droplet["size"]["price_monthly"])) == Decimal(machine.size.price_monthly)
            assert [n["ip_address"] for n in droplet["networks"]["v4"]] == [machine.address, machine.public_address]
        one = await cloud.get(f"/v2/droplets/{machines[0].droplet_id}")
        assert one["droplet"]["name"] == machines[0].name


async def test_a_listing_comes_in_pages_with_the_address_of_the_next() -> None:
    async with api() as (_, cloud):
        everything = (await cloud.get("/v2/droplets?per_page=200"))["droplets"]
        found: list[Any] = []
        path = "/v2/droplets?per_page=3&tag_name=farm"
        for page in range(1, 4):
            body = await cloud.get(path)
            found += body["droplets"]
            pages = body["links"]["pages"]
            assert ("prev" in pages, "next" in pages) == (page > 1, page < 3)
            if page < 3:
                assert pages["next"].startswith(f"{cloud.url}/v2/droplets?")
                assert "tag_name=farm" in pages["next"]
                parts = urlsplit(pages["next"])
                path = f"{parts.path}?{parts.query}"
        assert found == everything
        beyond = await cloud.get("/v2/droplets?per_page=3&page=9")
        assert (beyond["droplets"], beyond["meta"]["total"]) == ([], len(everything))


async def test_a_tag_or_a_name_chooses() -> None:
    async with api() as (_, cloud):
        caches = await cloud.get("/v2/droplets?tag_name=tier-cache")
        assert [d["name"] for d in caches["droplets"]] == ["cache-1", "cache-2", "cache-3"]
        named = await cloud.get("/v2/droplets?name=mon-1")
        assert [d["name"] for d in named["droplets"]] == ["mon-1"]


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=0", "per_page=201", "page=-1", "page=99999999999"])
async def test_a_page_that_cannot_be(query: str) -> None:
    async with api() as (_, cloud):
        status, _, body = await cloud.ask(f"/v2/droplets?{query}")
    assert (status, body["id"]) == (400, "bad_request")


@pytest.mark.parametrize("login", ["", "Bearer x", "Basic x", "x"])
@pytest.mark.parametrize("path", ["/v2/droplets", "/v2/nothing"])
async def test_without_the_token_nothing_is_told(path: str, login: str) -> None:
    async with api() as (_, cloud):
        status, headers, body = await cloud.ask(path, login=login)
    assert (status, body) == (401, {"id": "Unauthorized", "message": "Unable to authenticate you"})
    assert "ratelimit-limit" not in headers


async def test_what_is_not_there() -> None:
    async with api() as (_, cloud):
        for path in ("/v2/nothing", "/v2/droplets/5", "/v2/droplets/x"):
            status, _, body = await cloud.ask(path)
            assert (status, body["id"]) == (404, "not_found")
        assert (await cloud.ask("/v2/droplets", method="POST"))[0] == 404


async def test_what_the_month_has_cost_grows_to_what_everything_costs() -> None:
    clock = Clock(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    async with api(clock=clock) as (farm, cloud):
        machines = sum(Decimal(m.size.price_monthly) for m in farm.running.farm.machines if m.droplet)
        volumes = (await cloud.get("/v2/volumes"))["volumes"]
        monthly = machines + sum(v["size_gigabytes"] for v in volumes) * Decimal("0.10") + 12
        snapshots = (await cloud.get("/v2/snapshots"))["snapshots"]
        monthly += sum(Decimal(str(s["size_gigabytes"])) for s in snapshots) * Decimal("0.06")
        addresses = (await cloud.get("/v2/reserved_ips"))["reserved_ips"]
        monthly += 5 * sum(address["droplet"] is None for address in addresses)
        usage = []
        for day in (0, 14, 28, 29):
            clock.at = datetime(2026, 11, 1 + day, tzinfo=UTC).timestamp()
            balance = await cloud.get("/v2/customers/my/balance")
            usage.append(Decimal(balance["month_to_date_usage"]))
        assert usage == [0, (monthly / 2).quantize(Decimal("0.01")), round(monthly, 2), round(monthly, 2)]


async def test_the_rest_of_the_account() -> None:
    async with api() as (farm, cloud):
        known = {m.droplet_id for m in farm.running.farm.machines if m.droplet}
        volumes = (await cloud.get("/v2/volumes"))["volumes"]
        assert {ident for volume in volumes for ident in volume["droplet_ids"]} <= known
        # One is paid for and used by nobody.
        assert [v["name"] for v in volumes if not v["droplet_ids"]] == ["uploads-before-ceph"]
        [balancer] = (await cloud.get("/v2/load_balancers"))["load_balancers"]
        assert balancer["droplet_ids"] == [m.droplet_id for m in farm.running.farm.tiers["edge"]]
        assert (await cloud.get("/v2/account"))["account"]["status"] == "active"
        slugs = {d["size_slug"] for d in (await cloud.get("/v2/droplets"))["droplets"]}
        assert {size["slug"] for size in (await cloud.get("/v2/sizes"))["sizes"]} > slugs
        assert {r["slug"] for r in (await cloud.get("/v2/regions"))["regions"]} == {"fra1", "ams3"}


async def test_the_hour_s_requests_are_counted_and_told() -> None:
    async with api() as (farm, cloud):
        _, first, _ = await cloud.ask("/v2/account")
        _, second, _ = await cloud.ask("/v2/nothing")
        assert first["ratelimit-limit"] == str(HOURLY_LIMIT)
        assert int(first["ratelimit-remaining"]) - int(second["ratelimit-remaining"]) == 1
        assert int(second["ratelimit-reset"]) == NOON + 3600
        farm.clock.at += 3600.0
        _, later, _ = await cloud.ask("/v2/account")
        assert later["ratelimit-remaining"] == str(HOURLY_LIMIT - 1)
        assert int(later["ratelimit-reset"]) == NOON + 7200


async def test_one_request_too_many_is_refused_until_the_hour_is_over() -> None:
    async with stage() as farm, aiohttp.ClientSession() as session:
        listening = await Listening.start(
            DigitalOceanServer(farm.running.keeper, token="t0ken", hourly_limit=3).application()
        )
        cloud = Api(session, listening.url, "t0ken", farm.running.doors.ca)
        assert [(await cloud.ask("/v2/account"))[0] for _ in range(4)] == [200, 200, 200, 429]
        farm.clock.at += 3599.0
        status, headers, body = await cloud.ask("/v2/account")
        assert (status, body["id"], headers["retry-after"]) == (429, "too_many_requests", "1")
        assert headers["ratelimit-remaining"] == "0"
        farm.clock.at += 1.0
        assert (await cloud.ask("/v2/account"))[0] == 200
        await listening.stop()


# -- as the world changes, read by the console's own source


async def test_the_console_reads_the_account(tmp_path: Path) -> None:
    async with stage() as farm, source(farm, tmp_path) as cloud:
        reading = await cloud.poll()
        assert (reading.failure, reading.warnings, reading.requests) == (None, (), 4)
        assert reading.value is not None
        machines = [m for m in farm.running.farm.machines if m.droplet]
        assert [(d.name, d.addresses) for d in reading.value.droplets] == [
            (m.name, (m.address, m.public_address)) for m in machines
        ]
        monthly = sum(d.price_monthly or 0 for d in reading.value.droplets)
        assert monthly == sum(Decimal(m.size.price_monthly) for m in machines)
        assert reading.value.month_to_date_usd is not None
        assert reading.value.month_to_date_usd > 0
        assert reading.value.rate_limit == HOURLY_LIMIT


async def test_a_droplet_that_is_off(tmp_path: Path) -> None:
    async with stage() as farm, source(farm, tmp_path) as cloud:
        await farm.running.keeper.ask(lambda o: o.happen(MachineOff("cache-2")))
        reading = await cloud.poll()
        assert reading.value is not None
        assert [d.name for d in reading.value.droplets if d.status == "off"] == ["cache-2"]


async def test_an_api_that_refuses_and_then_does_not(tmp_path: Path) -> None:
    async with stage("do-api-refusing") as farm, source(farm, tmp_path) as cloud:
        reading = await cloud.poll()
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.FORBIDDEN
        assert "Unable to authenticate you" in reading.failure.what
        assert farm.running.doors.digitalocean_token not in repr(reading)
        await farm.running.keeper.ask(lambda o: o.happen(CloudApi("ok")))
        assert (await cloud.poll()).failure is None


async def test_an_api_that_has_had_enough_is_left_alone_until_it_allows_it(tmp_path: Path) -> None:
    async with stage("do-api-limited") as farm, source(farm, tmp_path) as cloud:
        reading = await cloud.poll()
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.RATE_LIMITED
        assert reading.failure.retry_after_s == 3600.0
        await farm.running.keeper.ask(lambda o: o.happen(CloudApi("ok")))
        farm.clock.at += 3599.0
        early = await cloud.poll()
        assert early.failure is not None
        assert early.requests == 0
        farm.clock.at += 1.0
        assert (await cloud.poll()).failure is None
