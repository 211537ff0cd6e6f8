"""The poll of the sites: rows joined by their many names, failures of single figures, and a pace of its own."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from farmtui.config import PrometheusConfig, SloConfig
from farmtui.farm.reading import FailureKind
from farmtui.farm.sites import Resource, Site, SiteBook
from farmtui.farm.state import Severity
from farmtui.sources.prometheus import PrometheusSites
from farmtui.sources.prometheus import sites as module
from farmtui.sources.prometheus.catalogue import catalogue
from farmtui.sources.prometheus.site_rows import site_book
from tests.sources.conftest import Serve
from tests.sources.prometheus.fakes import FakePrometheus, reset, series, status

FIGURES = catalogue().over(30).figures
STACK: dict[str, Any] = {"container_label_com_docker_swarm_service_name": "stack_shop-example-com"}
Make = Callable[..., PrometheusSites]


def answers(**given: list[Any]) -> dict[str, Any]:
    """Vectors by the names of their figures."""
    return {FIGURES[f"site.{name}"].promql: rows for name, rows in given.items()}


def farm(count: int = 2, **more: list[Any]) -> FakePrometheus:
    """`count` sites of which Traefik counts requests, and more figures by name."""
    requests = [series(2.0 + n, router=f"s{n}-example@docker", service="v@file") for n in range(count)]
    return FakePrometheus(answers(requests_per_s=requests, **more))


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[PrometheusSites] = []

    def source(url: str, slo: SloConfig | None = None, **changes: Any) -> PrometheusSites:
        made.append(PrometheusSites(PrometheusConfig(url=url, **changes), slo))
        return made[-1]

    yield source
    for each in made:
        await each.close()


async def book_of(source: PrometheusSites) -> SiteBook:
    """What a poll that goes well gives."""
    reading = await source.poll()
    assert reading.failure is None, reading.failure
    assert reading.value is not None
    return reading.value


def site(book: SiteBook, key: str) -> Site:
    """A site that must be there."""
    found = book.found(key)
    assert found is not None
    return found


async def test_one_site_by_all_its_names(serve: Serve, make: Make) -> None:
    router = "shop-example-com@docker"
    fake = FakePrometheus(
        answers(
            requests_per_s=[series(10, router=router, service="v@file"), series(2, router="b@file", service="v@file")],
            errors_per_s=[series(1, router=router)],
            latency_p95_s=[series(0.4, router=router)],
            spent_ratio=[series(0.0005, router=router)],
            held_s=[series(86_400)],
            cache_requests_per_s=[series(9, host="Shop.example.com"), series(1, host="stranger.example")],
            hit_ratio=[series(0.9, host="shop.example.com")],
            php_busy=[series(3, pool="shop.example.com"), series(1, pool="www")],
            php_requests_per_s=[series(6, pool="shop.example.com")],
            db_busy=[series(1.5, user="wp_shop_example_com")],
            cpu_cores=[series(2, **STACK)],
            memory_bytes=[series(1e9, **STACK)],
        )
    )
    book = await book_of(make(await serve(fake)))
    shop = site(book, router)
    assert (shop.name, shop.service, shop.error_ratio, shop.latency_p95_s) == ("Shop.example.com", "v@file", 0.1, 0.4)
    assert (shop.hit_ratio, shop.php_busy, shop.php_s, shop.db_s) == (0.9, 3, 0.5, 0.25)
    assert (shop.cpu_cores, shop.memory_bytes) == (2, 1e9)
    assert (book.share(shop, Resource.PHP), book.share(shop, Resource.REQUESTS)) == (0.75, 10 / 12)
    assert book.left(shop) == pytest.approx(0.5)
    assert book.burn(shop) == pytest.approx(100)
    assert (book.held_s, book.budget_s) == (86_400, 86_400)
    quiet = site(book, "b@file")
    assert (quiet.name, quiet.errors_per_s, quiet.php_busy, quiet.hit_ratio) == ("b", 0.0, None, None)
    assert book.left(quiet) == 1.0, "a site without any 5xx has no such series"
    assert book.loose == {"site.php_busy": {"www": 1.0}}


async def test_a_name_that_two_sites_share_is_of_neither(serve: Serve, make: Make) -> None:
    rows = [series(1, router=router, service="") for router in ("shop-a@docker", "shop.a@file")]
    book = await book_of(
        make(await serve(FakePrometheus(answers(requests_per_s=rows, php_busy=[series(1, pool="shop_a")]))))
    )
    assert [each.php_busy for each in book.sites] == [None, None]


async def test_a_router_with_two_services_is_one_site(serve: Serve, make: Make) -> None:
    rows = [series(1, router="a@file", service="x"), series(2, router="a@file", service="y")]
    book = await book_of(make(await serve(FakePrometheus(answers(requests_per_s=rows)))))
    assert [(each.key, each.requests_per_s) for each in book.sites] == [("a@file", 3.0)]


async def test_the_caches_log_where_traefik_counts_nothing_per_router(serve: Serve, make: Make) -> None:
    fake = FakePrometheus(
        answers(
            cache_requests_per_s=[series(4, host="a.example"), series(1, host="b.example")],
            cache_errors_per_s=[series(2, host="a.example")],
            cache_spent_ratio=[series(0.002, host="a.example")],
            hit_ratio=[series("NaN", host="b.example")],
        )
    )
    book = await book_of(make(await serve(fake)))
    assert book.origin == "varnishncsa"
    a, b = site(book, "a.example"), site(book, "b.example")
    assert (a.error_ratio, a.severity) == (0.5, Severity.CRITICAL)
    assert book.left(a) == pytest.approx(-1.0)
    assert b.hit_ratio is not None
    assert math.isnan(b.hit_ratio)


async def test_nobody_counts_and_nothing_is_there(serve: Serve, make: Make) -> None:
    book = await book_of(make(await serve(FakePrometheus())))
    assert (book.sites, book.origin, dict(book.problems)) == ((), "", {})


async def test_a_figure_that_fails_is_not_zero_and_hides_no_other(serve: Serve, make: Make) -> None:
    fake = farm(hit_ratio=[series(0.5, host="s0.example")])
    broken = {FIGURES[name].promql for name in ("site.errors_per_s", "site.db_busy")}

    async def fault(request: web.Request) -> web.StreamResponse | None:
        return await status(500, "boom")(request) if request.query.get("query") in broken else None

    fake.fault = fault
    book = await book_of(make(await serve(fake)))
    assert set(book.problems) == {"site.errors_per_s", "site.db_busy"}
    assert [each.errors_per_s for each in book.sites] == [None, None]
    assert {each.hit_ratio for each in book.sites} == {0.5, None}
    assert "site.php_busy" in book.missing
    assert "site.db_busy" not in book.missing


@pytest.mark.parametrize("fault", [reset, status(401), status(503)])
async def test_without_requests_there_is_no_book_but_a_failure(serve: Serve, make: Make, fault: Any) -> None:
    fake = farm()
    source = make(await serve(fake))
    assert len((await book_of(source)).sites) == 2
    fake.fault = fault
    reading = await source.poll()
    assert reading.value is None
    assert reading.failure is not None
    assert reading.failure.kind in (FailureKind.UNREACHABLE, FailureKind.FORBIDDEN, FailureKind.SERVER)
    fake.fault = None
    assert len((await book_of(source)).sites) == 2


async def test_budgets_are_asked_at_each_tenth_poll_and_known_between(serve: Serve, make: Make) -> None:
    fake = farm(spent_ratio=[series(0.0005, router="s0-example@docker")])
    source = make(await serve(fake))
    for _ in range(module.BUDGET_EVERY):
        assert (await book_of(source)).left(site(await book_of(source), "s0-example@docker")) == pytest.approx(0.5)
    assert fake.asked[FIGURES["site.spent_ratio"].promql] == 2
    assert fake.asked[FIGURES["site.requests_per_s"].promql] == 2 * module.BUDGET_EVERY


async def test_a_slow_budget_holds_nothing_up(serve: Serve, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET_PATIENCE_S", 0.05)
    fake, spent = farm(spent_ratio=[series(0.0005, router="s0-example@docker")]), FIGURES["site.spent_ratio"].promql
    go = asyncio.Event()

    async def fault(request: web.Request) -> web.StreamResponse | None:
        if request.query.get("query") == spent:
            await go.wait()
        return None

    fake.fault = fault
    source = make(await serve(fake))
    book = await book_of(source)
    assert book.left(site(book, "s0-example@docker")) is None
    go.set()
    await asyncio.sleep(0.2)
    book = await book_of(source)
    assert book.left(site(book, "s0-example@docker")) == pytest.approx(0.5)
    assert fake.asked[spent] == 1


async def test_the_objective_of_the_config_is_what_is_asked_and_counted(serve: Serve, make: Make) -> None:
    query = catalogue().over(7).figures["site.spent_ratio"].promql
    assert "[7d]" in query
    fake = farm()
    fake.vectors[query] = [series(0.005, router="s1-example@docker")]
    book = await book_of(make(await serve(fake), SloConfig(target=0.99, window_days=7)))
    assert book.left(site(book, "s1-example@docker")) == pytest.approx(0.5)
    assert book.window_s == 7 * 86_400


async def test_hostile_labels_and_numbers(serve: Serve, make: Make) -> None:
    rows: list[Any] = [
        series(1, router="\x1b[31mred\u202e@file", service="\x07"),
        series("NaN", router="nan@file", service=""),
        series("+Inf", router="inf@file", service=""),
        series(1, router="", service="x"),
        {"metric": [], "value": []},
        7,
    ]
    book = await book_of(
        make(await serve(FakePrometheus(answers(requests_per_s=rows, php_busy=[series(1, pool="@@")]))))
    )
    assert len(book.sites) == 1
    assert not {"\x1b", "\u202e", "\x07"} & set(f"{book.sites[0].name}{book.sites[0].service}")


async def test_50_000_sites_take_as_many_requests_and_are_joined_off_the_loop(
    serve: Serve, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def watched(*given: Any, **named: Any) -> SiteBook:
        threads.append(threading.current_thread())
        return site_book(*given, **named)

    monkeypatch.setattr(module, "site_book", watched)
    small, large = make(await serve(farm(50))), make(await serve(farm(50_000)), deadline_s=60)
    first, second = await small.poll(), await large.poll()
    assert first.requests == second.requests
    assert threading.main_thread() not in threads
    assert second.value is not None
    assert len(second.value.sites) == 50_000
    assert second.value.busiest is not None
    assert second.value.busiest.requests_per_s == 50_001
