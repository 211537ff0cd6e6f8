"""The manners that all screens share, driven by keys as a person would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from farmtui.app import FarmApp
from farmtui.commands import keymap_problems
from farmtui.config import Config, parse_config
from farmtui.farm.state import Freshness
from farmtui.keys import GLOBAL, key_scopes
from screens.alerts import AlertsScreen
from screens.cache import CacheScreen
from screens.console import SCREENS
from screens.detail import DetailScreen
from screens.help import HelpScreen
from screens.lines import Line
from screens.overview import OverviewScreen
from screens.places import Place, Subject
from screens.raw import RawScreen
from screens.topology import TopologyScreen
from tests.screens.whole import whole_farm
from widgets.live_table import LiveTable
from widgets.prompt import Prompt


async def never() -> Config:
    """A start that never ends: the test publishes its own pictures."""
    await asyncio.sleep(3600)
    raise AssertionError("the test has ended long ago")


@asynccontextmanager
async def console(
    size: tuple[int, int] = (120, 40), config: Config | None = None
) -> AsyncIterator[tuple[FarmApp, Pilot[int]]]:
    """The console on the whole farm, without any source."""
    asked = asyncio.Event()

    async def start() -> Config:
        asked.set()
        return await never()

    app = FarmApp(start, read_only="a test")
    async with app.run_test(size=size) as pilot:
        # A config that is known before the feed asks for it would be polled.
        await asked.wait()
        if config is not None:
            app.take(config, ())
        app.publish(whole_farm())
        await pilot.pause()
        yield app, pilot


def status(app: FarmApp) -> str:
    """The status line's text."""
    return app.screen.query_one("#status", Line).text


@pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.name)
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)], ids=str)
async def test_every_screen_shows_at_every_size(entry: object, size: tuple[int, int]) -> None:
    name = getattr(entry, "name", "")
    async with console(size) as (app, pilot):
        app.go(Place(name))
        await pilot.pause()
        assert name == app.screen.NAME  # type: ignore[attr-defined]
        for table in app.screen.query(LiveTable):
            if table.display:
                await table.settled()


async def test_digits_choose_screens_and_minus_goes_back() -> None:
    async with console() as (app, pilot):
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("3")
        assert isinstance(app.screen, CacheScreen)
        await pilot.press("5")
        assert isinstance(app.screen, AlertsScreen)
        await pilot.press("minus")
        assert isinstance(app.screen, CacheScreen)
        await pilot.press("left_square_bracket", "left_square_bracket")
        await pilot.pause()
        assert isinstance(app.screen, CacheScreen | OverviewScreen)


async def test_escape_closes_in_a_fixed_order() -> None:
    async with console() as (app, pilot):
        await pilot.press("2", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("slash", *"tier", "enter")
        await pilot.press("slash")
        assert app.screen.query_one(Prompt).display
        await pilot.press("escape")
        assert not app.screen.query_one(Prompt).display, "first the prompt"
        assert app.screen.row_filter, "and not yet the filter"
        await pilot.press("escape")
        assert not app.screen.row_filter, "then the filter"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, TopologyScreen), "then the view"
        await pilot.press("escape")
        assert isinstance(app.screen, TopologyScreen), "and a screen stays"


async def test_the_filter_acts_while_it_is_typed_and_escape_brings_the_former_back() -> None:
    async with console() as (app, pilot):
        await pilot.press("2")
        table = app.screen.query_one("#machines", LiveTable)
        await table.settled()
        everything = len(table.shown_rows)
        await pilot.press("slash", *"cache")
        await table.settled()
        assert 0 < len(table.shown_rows) < everything
        await pilot.press("escape")
        await table.settled()
        assert len(table.shown_rows) == everything
        await pilot.press("slash", *"-l tier=database", "enter")
        await table.settled()
        assert {node.name for node in table.shown_rows} == {"db-1", "db-2", "db-3"}
        assert "/-l tier=database" in status(app)


async def test_a_wrong_filter_is_said_and_changes_nothing() -> None:
    async with console() as (app, pilot):
        await pilot.press("2", "slash", *"cache", "enter", "slash", *"(")
        assert app.screen.row_filter.text == "cache"  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert app.screen.query_one(Prompt).display, "it stays to be mended"


async def test_commands_by_name_with_what_was_meant() -> None:
    async with console() as (app, pilot):
        await pilot.press("colon", *"topo", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TopologyScreen)
        await pilot.press("colon", *"stroage", "enter")
        await pilot.pause()
        prompt = app.screen.query_one(Prompt)
        assert prompt.display
        assert isinstance(app.screen, TopologyScreen)
        await pilot.press("escape")
        await pilot.press("colon", *"theme farm-light", "enter")
        await pilot.pause()
        assert app.theme == "farm-light"
        await pilot.press("colon", *"theme nope", "enter")
        await pilot.pause()
        assert app.theme == "farm-light"


async def test_faults_only_hides_what_is_well() -> None:
    async with console() as (app, pilot):
        await pilot.press("2")
        table = app.screen.query_one("#machines", LiveTable)
        await table.settled()
        everything = len(table.shown_rows)
        await pilot.press("ctrl+z")
        await table.settled()
        assert {node.name for node in table.shown_rows} == {"cache-2", "worker-07"}
        assert "FAULTS ONLY" in status(app)
        await pilot.press("ctrl+z")
        await table.settled()
        assert len(table.shown_rows) == everything


async def test_raw_and_help_open_over_the_screen_and_close() -> None:
    async with console() as (app, pilot):
        await pilot.press("2", "y")
        await pilot.pause()
        assert isinstance(app.screen, RawScreen)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        texts = {row.ident for row in app.screen.query_one(LiveTable).shown_rows}
        assert {"topology.view", "topology.sort.cpu", "filter", "go.cache", "table.down", "theme"} <= texts
        await pilot.press("escape")
        assert isinstance(app.screen, TopologyScreen)


async def test_drilling_in_and_the_history_of_it() -> None:
    async with console() as (app, pilot):
        app.open(Subject("node", "cache-2", "cache-2"))
        await pilot.pause()
        app.open(Subject("node", "worker-07", "worker-07"))
        await pilot.pause()
        assert "overview › cache-2 › worker-07" in status(app)
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.subject.key == "cache-2"
        await pilot.press("1")
        await pilot.pause()
        assert isinstance(app.screen, OverviewScreen)
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)


async def test_something_that_is_gone_is_said_to_be_gone() -> None:
    async with console() as (app, pilot):
        app.open(Subject("node", "no-such-machine", "no-such-machine"))
        await pilot.pause()
        assert "does not know this node any more" in str(app.screen.query_one("#facts-text", Static).content)


async def test_keys_can_be_moved_and_taken_off() -> None:
    config = parse_config("ui: {keys: {raw: Y, go.cache: ''}}", Path("farmtui.yaml"))
    async with console(config=config) as (app, pilot):
        await pilot.press("2", "y")
        assert isinstance(app.screen, TopologyScreen)
        await pilot.press("Y")
        assert isinstance(app.screen, RawScreen)
        await pilot.press("escape", "3")
        assert isinstance(app.screen, TopologyScreen), "3 was taken off its key"


async def test_a_command_may_be_typed_as_far_as_it_is_alone() -> None:
    async with console() as (app, pilot):
        await pilot.press("colon", *"sto", "enter")
        await pilot.pause()
        assert app.screen.NAME == "storage"  # type: ignore[attr-defined]
        await pilot.press("colon", *"ex", "enter")
        await pilot.pause()
        assert app.is_running
        assert app.screen.query_one(Prompt).display, "it stays open, with what is wrong"


def test_our_own_keys_do_not_conflict() -> None:
    """Two commands on one key in one place: one of them would be dead."""
    scopes = key_scopes()
    idents = [binding.id for bindings in scopes.values() for binding in bindings]
    everything = {ident: "" for ident in idents if ident}
    for scope, bindings in scopes.items():
        around = list(bindings) if scope == "everywhere" else [*bindings, *scopes["everywhere"]]
        keys: dict[str, str] = {}
        for binding in around:
            for key in binding.key.split(","):
                other = keys.setdefault(key.strip(), binding.id or binding.action)
                assert other == (binding.id or binding.action), f"{scope}: {other} and {binding.id} are both on {key}"
    assert keymap_problems(everything, scopes) == [], "everything can be taken off its key"


def test_no_key_sits_on_a_multiplexer_chord() -> None:
    """ctrl+a, ctrl+b of screen and tmux; ctrl+w and ctrl+[ of vim; b is tmux's own only for paging, which it sends."""
    for command in GLOBAL:
        for key in command.keys.split(","):
            assert key.strip() not in {"ctrl+a", "ctrl+b", "ctrl+w", "ctrl+o", "ctrl+left_square_bracket"}


async def test_a_stale_source_is_seen_on_every_screen() -> None:
    async with console() as (app, pilot):
        for entry in SCREENS:
            app.go(Place(entry.name))
            await pilot.pause()
            assert f"digitalocean {Freshness.STALE.value}" in status(app)
