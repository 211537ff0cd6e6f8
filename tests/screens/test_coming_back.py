"""A console that is opened again begins where it was left."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from farmtui.coming_back import ReturningApp
from farmtui.config.salvage import salvage_file
from farmtui.keys import misfits
from farmtui.opened import already_known
from farmtui.resuming import session_file
from screens.places import Place, Subject
from tests.screens.host import text_of
from tests.screens.test_config_screen import ended, said, status, until
from tests.screens.whole import whole_farm
from widgets.live_table import LiveTable


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A farm without sources."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "farmtui.yaml"
    path.write_text("farm: {name: shop}\n")
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)


@asynccontextmanager
async def console(path: Path, **options: Any) -> AsyncIterator[tuple[ReturningApp, Pilot[int]]]:
    app = ReturningApp(already_known, config_file=path, salvaged=salvage_file(path, misfits), **options)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.farm is not None)
        app.publish(whole_farm())
        await pilot.pause()
        yield app, pilot
        await ended(app)


async def leave_somewhere(path: Path) -> None:
    async with console(path) as (app, pilot):
        app.go(Place("topology"))
        await pilot.pause()
        await pilot.press("slash", *"cache", "enter")
        app.screen.query(LiveTable).first().focus()
        await pilot.press("C")
        await pilot.pause()
        await app._note_down()
        app.go(Place("topology", (Subject("node", "cache-2", "cache-2"),)))
        await pilot.press("ctrl+z")
        await pilot.pause()


async def test_place_history_filter_and_order_are_as_they_were(config: Path) -> None:
    await leave_somewhere(config)
    async with console(config) as (app, pilot):
        assert app.history.here == Place("topology", (Subject("node", "cache-2", "cache-2"),))
        assert "cache-2" in "\n".join(text_of(app))
        assert app.faults_only
        assert "back at topology / cache-2" in said(app)
        await pilot.press("escape", "ctrl+z")
        await pilot.pause()
        assert "/cache" in status(app)
        table = app.focused if isinstance(app.focused, LiveTable) else app.screen.query(LiveTable).first()
        assert isinstance(table, LiveTable)
        assert table.sorted_by[0] == "cpu"
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert app.current_mode == "topology"


def machines(app: ReturningApp) -> LiveTable[Any]:
    return app.get_screen_stack("compute")[0].query_one("#machines", LiveTable)


async def on_a_row(app: ReturningApp, pilot: Pilot[int], moves: int) -> str:
    app.go(Place("compute"))
    await pilot.pause()
    machines(app).focus()
    await pilot.press(*"j" * moves)
    await app._note_down()
    return str(machines(app).cursor_key)


async def test_the_cursor_is_on_its_row_once_that_is_there(config: Path) -> None:
    async with console(config) as (app, pilot):
        key = await on_a_row(app, pilot, 7)
    async with console(config) as (app, pilot):
        await until(pilot, lambda: str(machines(app).cursor_key) == key)
        await pilot.press("home")
        await app._note_down()
    async with console(config) as (app, pilot):
        await until(pilot, lambda: machines(app).cursor_key is not None)
        assert str(machines(app).cursor_key) != key, "it was put back at the top"


async def test_a_session_of_before_there_were_rows_is_read(config: Path) -> None:
    await leave_somewhere(config)
    kept = json.loads(session_file(config).read_text())
    del kept["rows"]
    session_file(config).write_text(json.dumps(kept))
    async with console(config) as (app, _):
        assert app.history.here == Place("topology", (Subject("node", "cache-2", "cache-2"),))


async def test_another_farm_and_back_is_where_one_was(config: Path, tmp_path: Path) -> None:
    farms = tmp_path / "farmtui" / "farms"
    farms.mkdir(parents=True)
    (farms / "shop.yaml").write_text("farm: {name: shop}\n")
    (farms / "blog.yaml").write_text("farm: {name: blog}\nui: {screen: sources}\n")

    async def to(name: str) -> None:
        await until(pilot, lambda: app.farm_name == name and app.farm is not None)
        app.publish(whole_farm())
        await pilot.pause()

    async with console(farms / "shop.yaml", first_screen="compute") as (app, pilot):
        await on_a_row(app, pilot, 0)
        await pilot.press("slash", *"worker|mgr", "enter")
        key = await on_a_row(app, pilot, 5)
        app.action_farm("blog")
        await to("blog")
        assert app.history.here == Place("sources"), "nobody was there before"
        app.go(Place("storage"))
        await pilot.pause()
        app.action_farm("shop")
        await to("shop")
        assert app.history.here == Place("compute")
        assert "/worker|mgr" in status(app)
        await until(pilot, lambda: str(machines(app).cursor_key) == key)
        assert "back at compute, as you left it" in said(app)
        assert "--fresh" not in said(app)
        app.action_farm("blog")
        await to("blog")
        assert app.history.places == (Place("sources"), Place("storage"))
        assert app.current_mode == "storage"


async def test_it_can_be_told_not_to(config: Path) -> None:
    await leave_somewhere(config)
    async with console(config, restore=False) as (app, _):
        assert app.history.here == Place("overview")
    await leave_somewhere(config)
    async with console(config, first_screen="cost") as (app, _):
        assert app.history.here == Place("cost"), "a screen was asked for"
    await leave_somewhere(config)
    write(config, "farm: {name: shop}\nui: {restore: false, screen: sources}\n")
    async with console(config, usual_screen="sources") as (app, _):
        assert app.history.here == Place("sources")


async def test_a_file_that_is_none_is_told_and_replaced(config: Path) -> None:
    path = session_file(config)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    async with console(config) as (app, _):
        assert app.history.here == Place("overview")
        assert "is no JSON" in said(app)
    assert '"version": 1' in path.read_text()


async def test_where_it_cannot_be_written_the_console_goes_on(config: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    async with console(config) as (app, _):
        await app._note_down()
        assert app.history.here == Place("overview")
