"""Several farms in one console: nothing of the one that was left stays, and what may not be changed there stays so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from farmtui.app import FarmApp
from farmtui.config.salvage import salvage_file
from farmtui.keys import misfits
from farmtui.opened import already_known
from screens.overview import OverviewScreen
from screens.places import Place, Subject
from screens.topology import TopologyScreen
from tests.screens.host import text_of
from tests.screens.test_config_screen import ended, said, status, until
from tests.screens.whole import whole_farm
from widgets.prompt import Prompt

SHOP = "farm: {name: the-shop, colour: 4}\nalertmanager: {urls: ['http://127.0.0.1:9']}\nui: {theme: farm-dark}\n"
BLOG = "farm: {read_only: true}\nprometheus: {url: 'http://127.0.0.1:9'}\nui: {theme: farm-light, screen: sources}\n"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user with two farms, and a config of before there were several."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    farms = tmp_path / "farmtui" / "farms"
    farms.mkdir(parents=True)
    (farms / "shop.yaml").write_text(SHOP)
    (farms / "blog.yaml").write_text(BLOG)
    (tmp_path / "farmtui" / "config.yaml").write_text("farm: {name: old}\n")
    return tmp_path / "farmtui"


@asynccontextmanager
async def console(path: Path, read_only: str = "") -> AsyncIterator[tuple[FarmApp, Pilot[int]]]:
    app = FarmApp(already_known, config_file=path, salvaged=salvage_file(path, misfits), read_only=read_only)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.farm is not None)
        yield app, pilot
        await ended(app)


async def typed(pilot: Pilot[int], words: str) -> None:
    await pilot.press("colon", *("space" if c == " " else c for c in words), "enter")
    await pilot.pause()


async def test_another_farm_is_opened_in_its_own_skin(home: Path) -> None:
    async with console(home / "farms" / "shop.yaml") as (app, pilot):
        assert status(app).startswith("the-shop")
        assert app.farm_colour == 4
        old = app._opened
        await typed(pilot, "farm blog")
        await until(pilot, lambda: app.farm_name == "blog" and app.farm is not None and len(app.farm.sources) == 3)
        await pilot.pause()
        assert app.theme == "farm-light"
        assert app.current_mode == "sources", "it says where it begins"
        assert status(app).startswith("blog")
        assert "READ-ONLY" in status(app)
        assert "read_only" in app.read_only
        assert app.silences is None
        assert "the-shop is left; this is blog" in said(app)
        # The sources of the one that was left have been let go of.
        await until(pilot, lambda: old.feed is not None and old.feed._coordinators is None)
        await typed(pilot, "farm shop")
        await until(pilot, lambda: app.farm_name == "the-shop" and app.silences is not None)
        assert app.read_only == ""
        assert app.theme == "farm-dark"


async def test_nothing_of_the_one_that_is_left_stays(home: Path) -> None:
    async with console(home / "farms" / "shop.yaml") as (app, pilot):
        app.publish(whole_farm())
        app.go(Place("topology", (Subject("node", "cache-2", "cache-2"),)))
        await pilot.pause()
        app.go(Place("overview"))
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
        assert not isinstance(app.screen, OverviewScreen), "a dialog is open"
        app.action_farm("blog")
        await until(pilot, lambda: app.farm_name == "blog" and app.farm is not None)
        for name in ("overview", "topology", "alerts"):
            app.go(Place(name))
            await pilot.pause()
            assert len(app.screen_stack) == 1
            assert "cache-2" not in "\n".join(text_of(app))
        assert app.history.last() is not None
        assert all(not place.trail for place in app.history._places)
        assert isinstance(app.get_screen_stack("topology")[0], TopologyScreen)


async def test_which_there_are_is_said_and_offered(home: Path) -> None:
    async with console(home / "farms" / "shop.yaml") as (app, pilot):
        await typed(pilot, "farm")
        await until(pilot, lambda: "this is the farm shop; others: blog" in said(app))
        await typed(pilot, "farm blgo")
        await until(pilot, lambda: "did you mean blog?" in said(app))
        await typed(pilot, "farm shop")
        await until(pilot, lambda: "the one that is open" in said(app))
        assert app.farm_name == "the-shop"
        await until(pilot, lambda: bool(app._farms))
        await pilot.press("colon", *"farm", "space", "b")
        await pilot.pause()
        assert app.screen.query_one(Prompt).display
        assert [one.text for one in app.complete("farm b")] == ["farm blog"]


async def test_the_config_of_before_is_a_farm_too_and_a_wrong_one_can_be_opened(home: Path) -> None:
    async with console(home / "config.yaml") as (app, pilot):
        (home / "farms" / "broken.yaml").write_text("farm: [\n")
        await typed(pilot, "farm broken")
        await until(pilot, lambda: app.farm_name == "broken" and bool(app.config_state.mistakes))
        assert "cannot be read" in app.read_only
        await typed(pilot, "farm default")
        await until(pilot, lambda: app.farm_name == "old")
        assert app.read_only == ""


async def test_what_the_command_line_forbids_is_forbidden_on_every_farm(home: Path) -> None:
    async with console(home / "config.yaml", read_only="started so") as (app, pilot):
        await typed(pilot, "farm shop")
        await until(pilot, lambda: app.farm_name == "the-shop")
        assert app.read_only == "started so"
