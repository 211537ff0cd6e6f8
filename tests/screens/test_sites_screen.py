"""The sites screen: the worst first with why, noisy neighbours, gaps that look like gaps, and the services instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from farmtui.farm.farm import Farm
from farmtui.farm.reading import Failure, FailureKind
from farmtui.farm.sites import SiteBook
from farmtui.farm.state import Freshness
from farmtui.insight.sites import SOURCE
from screens.sites import SitesScreen
from tests.screens.farms import HOSTILE, make_source
from tests.screens.host import SIZES, HostApp, lines_of, text_of
from tests.screens.site_farms import book, crowd, site, sites_farm
from tests.screens.swarm_farms import service, swarm
from widgets import live_table
from widgets.live_table import LiveTable

FAILING = site("broken.example", errors_per_s=6.0)
PARTLY = site("ailing.example", errors_per_s=0.2)
SLOW = site("slow.example", latency_p95_s=4.2)
HUNGRY = site("hungry.example", db_busy=9.0)
SPENT = site("spent.example", spent_ratio=0.002)
SICK = (FAILING, PARTLY, SLOW, HUNGRY, SPENT)


async def lines(farm: Farm, size: tuple[int, int] = (120, 40), *keys: str) -> list[str]:
    """What the screen shows of a farm."""
    return await lines_of(SitesScreen, farm, size, *keys)


def row(shown: Sequence[str], name: str) -> int:
    """The line of a row of the table, below its header; -1 where it is not shown."""
    head = next(n for n, line in enumerate(shown) if " why" in line)
    return next((n for n, line in enumerate(shown) if n > head and name[:9] in line), -1)


@pytest.mark.parametrize("size", [*SIZES, (40, 10)])
async def test_the_worst_stand_on_top_with_why(size: tuple[int, int]) -> None:
    shown = await lines(sites_farm(book(*crowd(), *SICK)), size)
    if size[1] < 24:
        assert row(shown, "broken") > 0
        return
    order = [row(shown, each.name) for each in (FAILING, HUNGRY, PARTLY, SLOW, SPENT)]
    assert order == sorted(order)
    assert order[0] > 0
    assert "60 % are 5xx" in shown[order[0]]
    assert "eats 69 % of d" in shown[order[1]]
    assert "2.0 % are 5xx" in shown[order[2]]
    assert "p95 4.2 s" in shown[order[3]]
    assert "budget spent" in shown[order[4]]
    assert row(shown, "site-00006.example") > order[4]


@pytest.mark.parametrize("size", SIZES)
async def test_the_tiles_tell_it_in_two_seconds(size: tuple[int, int]) -> None:
    text = "\n".join(await lines(sites_farm(book(*crowd(), *SICK)), size))
    for words in ("1 failing", "error bud", "takes most"):
        assert words in text
    assert ("4 hurt" in text) is (size[1] == 24), "as big digits where there is room"


async def test_only_what_hurts_and_enter_and_filters() -> None:
    app = HostApp(SitesScreen, sites_farm(book(*crowd(), *SICK)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert [(s.kind, s.key, s.title) for s in app.opened] == [("site", "broken-example@file", "broken.example")]
        app.only_faults()
        await pilot.pause()
        table = app.shown.query_one("#sites", LiveTable)
        assert {each.name for each in table.shown_rows} == {each.name for each in SICK} - {"spent.example"}
        app.only_faults(False)
        for text, names in (
            ("hungry", {"hungry.example"}),
            ("-l noisy=yes", {"hungry.example"}),
            ("5xx", {"broken.example", "ailing.example"}),
        ):
            assert not app.shown.set_filter(text)
            await table.settled()
            assert {each.name for each in table.shown_rows} == names


async def test_sorting_by_each_figure() -> None:
    app = HostApp(SitesScreen, sites_farm(book(*crowd(20), *SICK)))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        table = app.shown.query_one("#sites", LiveTable)
        for key, name in (
            ("E", "broken"),
            ("L", "slow"),
            ("B", "spent"),
            ("T", "hungry"),
            ("N", "ailing"),
            ("S", "broken"),
        ):
            await pilot.press(key)
            await pilot.pause()
            await table.settled()
            assert table.shown_rows[0].name == f"{name}.example", key


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_failed_missing_and_zero_never_look_alike(size: tuple[int, int]) -> None:
    sites = (site("a.example", hit_ratio=None, php_s=None, php_busy=None, errors_per_s=0.0),)
    told = book(*sites, problems={"site.hit_ratio": "no answer in time"}, missing=frozenset({"site.php_busy"}))
    shown = await lines(sites_farm(told), size)
    header = next(line for line in shown if "why" in line and "req/s" in line)
    line = shown[row(shown, "a.example")]
    assert " hit " in header
    assert " php " not in header
    assert " ? " in line
    assert " 0 % " in line
    text = "\n".join(shown)
    assert "? not to be had: hit ratio (no answer in time)" in text
    assert "nobody measures PHP time" in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_source_that_fell_silent_leaves_its_last_picture(size: tuple[int, int]) -> None:
    shown = await lines(sites_farm(book(*crowd(), FAILING), Freshness.STALE), size)
    assert "░broken" in shown[row(shown, "broken.example")]
    assert "▒" in "\n".join(shown[2:5])


@pytest.mark.parametrize("size", SIZES)
async def test_nobody_counts_and_the_services_stand_instead(size: tuple[int, int]) -> None:
    down = swarm(services=(service(0), service(4, id="s2", name="other"))).swarm_cluster
    farm = sites_farm(SiteBook(), Freshness.EMPTY, swarm_cluster=down)
    farm = dataclasses.replace(farm, sources=(*farm.sources, make_source("swarm")))
    shown = await lines(farm, size)
    text = "\n".join(shown)
    assert "addRoutersLabels is off" in text
    assert "1 down" in text
    assert "CRIT" in shown[row(shown, "wordpress")]
    app = HostApp(SitesScreen, farm)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert [(s.kind, s.key) for s in app.opened] == [("swarm-service", "s1")]
        # The sites come as soon as somebody counts them, and take the keys.
        app.publish(sites_farm(book(FAILING)))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert app.opened[-1].key == "broken-example@file"


@pytest.mark.parametrize("size", SIZES)
async def test_never_failed_and_nothing_are_told_apart(size: tuple[int, int]) -> None:
    never = "\n".join(await lines(sites_farm(None, Freshness.NEVER), size))
    assert "have not been counted" in never
    failure = Failure(FailureKind.SERVER, "the server has an error", "look at its log")
    farm = sites_farm(None, Freshness.NEVER)
    broken = make_source("prometheus", Freshness.NEVER, name=SOURCE, failure=failure)
    failed = "\n".join(await lines(dataclasses.replace(farm, sources=(farm.sources[0], broken)), size))
    assert "the server has an error" in failed
    empty = "\n".join(await lines(sites_farm(SiteBook(), Freshness.EMPTY), size))
    assert "addRoutersLabels" in empty
    without = "\n".join(await lines(dataclasses.replace(farm, sources=()), size))
    assert "configure prometheus" in without


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_and_long_names(size: tuple[int, int]) -> None:
    shown = await lines(sites_farm(book(site(HOSTILE, errors_per_s=9.0), site("x" * 300, errors_per_s=8.0))), size)
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(shown))
    assert any("90 % are 5xx" in line for line in shown)


async def test_50_000_sites_are_read_in_slices_and_only_what_is_seen_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_table, "SLICE_S", 0.0)
    drawn: list[str] = []
    many = book(*crowd(50_000), FAILING)
    app = HostApp(SitesScreen, sites_farm(many))
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.shown.query_one("#sites", LiveTable)
        assert table.busy, "the view is not worked out in one go"
        await table.settled()
        await pilot.pause()
        assert table.shown_rows[0].name == "broken.example"
        whole = table._painter.row

        def counted(*given: object, **named: object) -> object:
            drawn.append("row")
            return whole(*given, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(table._painter, "row", counted)
        await pilot.press("j")
        await pilot.pause()
        assert len(drawn) <= 80
        drawn.clear()
        app.publish(sites_farm(many, edge=None))
        await pilot.pause()
        assert not drawn, "the same sites are not worked out anew"
        assert any("broken.example" in line for line in text_of(app))
