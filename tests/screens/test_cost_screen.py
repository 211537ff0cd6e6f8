"""The cost screen: the spend against the plan, scenarios, what if, waste; and what it says where a part is missing."""

from __future__ import annotations

import dataclasses

import pytest
from textual.widgets import Input

from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness, Severity
from screens.cost import VIEWS, CostScreen
from screens.describe import describe
from screens.places import Subject
from tests.screens.cost_farms import cost_farm, forbidden_farm
from tests.screens.farms import HOSTILE, make_farm, make_source
from tests.screens.host import SIZES, HostApp, lines_of, text_of
from widgets.tile import Tile


async def shown(farm: Farm, size: tuple[int, int] = (120, 40), view: str = "spend", *keys: str) -> str:
    """What a view shows, blanks drawn together."""
    presses = ["v"] * VIEWS.index(view)
    return " ".join(" ".join(await lines_of(CostScreen, farm, size, *presses, *keys)).split())


@pytest.mark.parametrize("size", SIZES)
async def test_the_spend_at_a_glance(size: tuple[int, int]) -> None:
    text = await shown(cost_farm(), size)
    # 446 of hardware and 273.20 of DigitalOcean; B is planned at 4,033.
    assert "82 % below" in text
    assert "500 sites" in text
    assert "6 things" in text
    assert "198.22" in text
    assert "digitalocean" in text
    assert "$150.00 billed this month" in text
    assert "▲" in text


@pytest.mark.parametrize("size", SIZES)
async def test_what_nobody_has_looked_at_is_not_well(size: tuple[int, int]) -> None:
    app = HostApp(CostScreen, cost_farm(cloud=False, pve=False))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        tiles = {name: app.screen.query_one(f"#tile-{name}", Tile).state for name in ("spend", "site", "most", "waste")}
        assert {tile.severity for tile in tiles.values()} == {Severity.UNKNOWN}
        assert tiles["spend"].sub == "not configured"
        text = " ".join(" ".join(text_of(app)).split())
    assert "digitalocean.token" in text
    assert "cost.hardware" in text


@pytest.mark.parametrize("size", SIZES)
async def test_scenarios_and_where_the_document_departs(size: tuple[int, int]) -> None:
    text = await shown(cost_farm(), size, "scenarios")
    # At the present size, seven machines, nothing beats A; of a farm of which nothing is seen the plan's own is told.
    assert "▲ never" in text
    assert "▲ 72.7 mo of 60" in await shown(cost_farm(cloud=False, pve=False), size, "scenarios")
    assert "3,757" in text
    assert "least" in text
    assert "54.8" in text
    assert ("paid in all" in text) is (size[1] > 24)


@pytest.mark.parametrize("size", SIZES)
async def test_what_if_is_marked_and_only_here(size: tuple[int, int]) -> None:
    text = await shown(cost_farm(follows="A"), size, "what-if", "down", "full_stop", "full_stop")
    assert "WHAT IF" in text
    assert "3 → 5" in text
    assert "+192.00" in text
    assert "$3,949 a month" in text
    assert "sent nowhere" in text


@pytest.mark.parametrize("size", SIZES)
async def test_waste_with_its_command(size: tuple[int, int]) -> None:
    text = await shown(cost_farm(), size, "waste")
    assert "attached to no droplet" in text
    assert "50.00" in text
    if size[0] > 80:
        assert "doctl compute volume" in text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_breaks_on_any_farm(size: tuple[int, int], view: str) -> None:
    for farm in (cost_farm(), cost_farm(cloud=False, pve=False, follows="A"), forbidden_farm()):
        assert view in await shown(farm, size, view)


async def test_a_row_is_typed_over_in_place() -> None:
    app = HostApp(CostScreen, cost_farm(follows="A"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v", "v", "v", "v", "down", "down", "e")
        entry = app.screen.query_one("Prompt Input", Input)
        assert entry.value == "20 16gb-8vcpu"
        entry.value = "24 huge"
        await pilot.press("enter")
        await pilot.pause()
        assert "neither a price nor a size" in " ".join(text_of(app))
        entry.value = "24 @ 100"
        await pilot.press("enter")
        await pilot.pause()
        text = " ".join(" ".join(text_of(app)).split())
        assert "20 → 24" in text
        assert "+480.00" in text
        await pilot.press("u")
        await pilot.pause()
        assert "20 → 24" not in " ".join(text_of(app))
        # Another picture of the farm leaves what is changed as it is.
        await pilot.press("z")
        app.publish(dataclasses.replace(cost_farm(follows="A")))
        await pilot.pause()
        assert "32gb-8vcpu" in " ".join(text_of(app))


async def test_a_scenario_is_changed_from_its_row() -> None:
    app = HostApp(CostScreen, cost_farm(follows="A"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v", "v", "v", "end", "e")
        await pilot.pause()
        assert "made of the others" in app.said[-1][0]
        await pilot.press("up", "enter")
        await pilot.pause()
        text = " ".join(" ".join(text_of(app)).split())
        assert "B: $2,450 a month" in text
        assert "hardware's life" in text


async def test_no_plan_and_none_of_its_views() -> None:
    farm = cost_farm(plan="/nowhere/plan.yaml")
    text = await shown(farm)
    assert "/nowhere/plan.yaml" in text
    assert "scenarios" not in text


async def test_nothing_that_is_paid_for_says_what_to_add() -> None:
    text = await shown(cost_farm(cloud=False, pve=False, follows="A"))
    assert "nothing tells what the farm costs" in text
    assert "add digitalocean.token, cost.hardware (PVE) or cost.fixed" in text
    assert "$3,757" in text


async def test_what_is_forbidden_is_said_and_not_zero() -> None:
    text = await shown(forbidden_farm())
    assert "the token is refused (401)" in text
    assert "≥" in text
    assert "unknown" in text


async def test_old_figures_say_so() -> None:
    farm = cost_farm()
    source = make_source("digitalocean", Freshness.STALE, answered=30)
    text = await shown(dataclasses.replace(farm, sources=(source, *farm.sources[1:])))
    assert "DigitalOcean's figures are stale" in text


async def test_copy_takes_the_command_and_open_leads_on() -> None:
    app = HostApp(CostScreen, cost_farm())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*"vvvvv", "c", "enter")
        await pilot.pause()
        assert app.clipped == ["doctl compute volume delete v2"]
        assert app.opened == [Subject("cost", "volume/v2", "left")]
        await pilot.press("end", "up", "enter")
        await pilot.pause()
        assert app.opened[-1].kind in ("node", "cost")


async def test_a_group_opens_its_items() -> None:
    app = HostApp(CostScreen, cost_farm())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        text = " ".join(text_of(app))
        assert "worker-2" in text
        assert "mgr-1" not in text
        await pilot.press("escape")
        await pilot.pause()
        assert "mgr-1" in " ".join(text_of(app))


def test_an_item_is_described() -> None:
    farm = cost_farm()
    found = describe(farm, Subject("cost", "volume/v2", "left"))
    assert found is not None
    assert found.severity is Severity.WARNING
    assert "doctl" in found.blocks[0].fields[-1].text
    assert describe(farm, Subject("cost", "volume/none", "")) is None
    assert describe(make_farm(), Subject("cost", "volume/v2", "")) is None


@pytest.mark.parametrize("view", ["spend", "items", "sites", "waste", "assumptions"])
async def test_names_are_never_markup(view: str) -> None:
    farm = cost_farm(fixed=[{"name": HOSTILE, "per_month": 5, "provider": HOSTILE}])
    assert "a month" in await shown(farm, (200, 60), view)
