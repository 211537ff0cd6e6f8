"""A wrong config starts loudly, is mended while the console runs, and never leaves it with less than it had."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static
from textual.worker import WorkerCancelled, WorkerFailed

import farmtui.opened
import themes
from farmtui.app import FarmApp
from farmtui.config.salvage import salvage_file
from farmtui.farm.actions import ActionError
from farmtui.farm.state import Severity
from farmtui.keys import misfits
from farmtui.opened import already_known
from farmtui.wall import WallApp
from screens.config import ConfigScreen
from screens.lines import Line
from tests.screens.whole import whole_farm
from widgets.live_table import LiveTable

GOOD = "farm: {name: shop}\nalertmanager: {urls: ['http://127.0.0.1:9']}\n"
WRONG = "farm: {name: shop}\nalertmanager: {urls: ['http://127.0.0.1:9']}\nprometheus: {}\nui: {mouze: true}\n"
LOCKING = GOOD + "rolse: {operators: [ina]}\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file is looked at often; the journal is the test's own."""
    monkeypatch.setattr(farmtui.opened, "LOOK_S", 0.02)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def save(path: Path, text: str) -> None:
    """As an editor does: another file takes the place of this one."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.rename(path)


@asynccontextmanager
async def console(
    path: Path, size: tuple[int, int] = (120, 40), read_only: str = ""
) -> AsyncIterator[tuple[FarmApp, Pilot[int]]]:
    app = FarmApp(already_known, config_file=path, salvaged=salvage_file(path, misfits), read_only=read_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.farm is not None)
        yield app, pilot
        await ended(app)


async def ended(app: FarmApp) -> None:
    """Let go of what polls while there is a loop to do it in."""
    workers = list(app.workers)
    app.workers.cancel_all()
    for worker in workers:
        with contextlib.suppress(WorkerCancelled, WorkerFailed):
            await worker.wait()


async def until(pilot: Pilot[int], true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        await pilot.pause(0.02)
    raise AssertionError("it has not come about")


def status(app: FarmApp) -> str:
    return app.screen.query_one("#status", Line).text


def said(app: FarmApp) -> str:
    return "\n".join(notification.message for notification in app._notifications)


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "farmtui.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("size", "chip"), [((80, 24), "config ✖ 2"), ((120, 40), "config ✖ 2 mistakes")])
async def test_a_wrong_config_is_in_the_header_and_on_the_overview(
    size: tuple[int, int], chip: str, tmp_path: Path
) -> None:
    async with console(config(tmp_path, WRONG), size) as (app, pilot):
        assert chip in status(app)
        assert app.overall >= Severity.UNKNOWN, "what is left out is not seen"
        [found] = [finding for finding in app.findings if finding.key == "config"]
        assert "prometheus.url: is missing" in found.cause
        assert "left out: prometheus" in found.cause
        table = app.screen.query_one("#findings", LiveTable)
        table.focus()
        while table.cursor_row != found:
            await pilot.press("down")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfigScreen)
        assert [row.key for row in app.screen.query_one("#mistakes", LiveTable).shown_rows] == [
            "prometheus.url",
            "ui.mouze",
        ]
        about = str(app.screen.query_one("#about", Static).render())
        assert "prometheus:" in about
        assert app.read_only == "", "neither of them is a limit"


async def test_it_is_reached_by_name_and_mended_while_it_runs(tmp_path: Path) -> None:
    path = config(tmp_path, WRONG)
    async with console(path) as (app, pilot):
        await pilot.press("colon", *"config", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfigScreen)
        save(path, GOOD)
        await until(pilot, lambda: not app.config_state.mistakes)
        await pilot.pause()
        assert "config ✖" not in status(app)
        assert "no mistakes any more" in said(app)
        assert [finding for finding in app.findings if finding.key == "config"] == []


async def test_what_may_have_been_a_limit_locks_until_it_is_mended(tmp_path: Path) -> None:
    path = config(tmp_path, LOCKING)
    async with console(path) as (app, pilot):
        assert "rolse, line 3" in app.read_only
        assert "READ-ONLY" in status(app)
        await until(pilot, lambda: app.silences is not None)
        assert app.silences is not None
        with pytest.raises(ActionError, match="rolse"):
            await app.silences.expire("x")
        save(path, GOOD)
        await until(pilot, lambda: app.read_only == "")


async def test_what_cannot_be_read_at_all_starts_and_is_taken_when_it_is_mended(tmp_path: Path) -> None:
    path = config(tmp_path, "alertmanager: [\n")
    async with console(path, (80, 24)) as (app, pilot):
        assert "cannot be read" in app.read_only
        assert app.farm is not None
        assert app.farm.sources == ()
        save(path, GOOD)
        await until(pilot, lambda: app.farm is not None and len(app.farm.sources) == 1)
        await until(pilot, lambda: app.read_only == "")
        assert app.farm_name == "shop"


async def test_no_run_begins_on_a_config_with_mistakes(tmp_path: Path) -> None:
    async with console(config(tmp_path, WRONG)) as (app, pilot):
        await until(pilot, lambda: app.remedies is not None and bool(app.remedies.picture.shelf.books))
        assert app.remedies is not None
        with pytest.raises(ActionError, match="2 mistakes"):
            await app.remedies.plan("cache-drain", {})


async def test_a_good_change_holds_and_is_named_and_what_it_does_not_touch_goes_on(tmp_path: Path) -> None:
    both = GOOD + "prometheus: {url: 'http://127.0.0.1:9'}\n"
    path = config(tmp_path, both)
    async with console(path) as (app, pilot):
        await until(pilot, lambda: app._opened.feed is not None)
        feed = app._opened.feed
        assert feed is not None
        before = {source.name: source for source in feed.sources}
        save(
            path, both.replace("urls: [", "urls: ['http://127.0.0.1:11', ") + "ui: {theme: farm-light, keys: {raw: Y}}"
        )
        await until(pilot, lambda: app.theme == "farm-light")
        await until(pilot, lambda: feed.sources[-1] is not before["alertmanager"])
        after = {source.name: source for source in feed.sources}
        assert after["prometheus"] is before["prometheus"]
        assert after["prometheus trends"] is before["prometheus trends"]
        await until(pilot, lambda: "config reloaded" in said(app))
        assert "config reloaded: alertmanager.urls, ui.theme, ui.keys.raw" in said(app)
        assert (
            app.get_key_display(next(b.binding for b in app.screen.active_bindings.values() if b.binding.id == "raw"))
            == "Y"
        )


async def test_a_bad_change_leaves_it_as_it_was_and_says_so(tmp_path: Path) -> None:
    path = config(tmp_path, GOOD)
    async with console(path) as (app, pilot):
        save(path, "farm: {name: other}\nui: {mouze: true}\n")
        await until(pilot, lambda: bool(app.config_state.mistakes))
        await pilot.pause()
        assert app.config_state.kept
        assert app.farm_name == "shop"
        assert app.farm is not None
        assert [source.name for source in app.farm.sources] == ["alertmanager"]
        assert "config ✖ 1 mistake" in status(app)
        assert "the one of before goes on" in said(app)
        # Back as it was: nothing is said to have changed.
        save(path, GOOD)
        await until(pilot, lambda: not app.config_state.mistakes)
        assert "it has no mistakes any more" in said(app)


@pytest.mark.parametrize(
    "change", ["farm: {name: shop, read_only: true}\n", "roles: {operators: [nobody]}\n"], ids=["read-only", "roles"]
)
async def test_what_a_bad_change_forbids_is_forbidden_at_once(change: str, tmp_path: Path) -> None:
    path = config(tmp_path, "ui: {mouse: true}\n")
    async with console(path) as (app, pilot):
        assert app.read_only == ""
        save(path, f"{change}ui: {{mouze: true}}\n")
        await until(pilot, lambda: app.read_only != "")
        save(path, "ui: {mouse: true}\n")
        await until(pilot, lambda: app.read_only == "")


async def test_a_limit_holds_for_the_desk_that_is_there(tmp_path: Path) -> None:
    path = config(tmp_path, GOOD)
    async with console(path) as (app, pilot):
        await until(pilot, lambda: app.remedies is not None)
        save(path, GOOD + "roles: {operators: [nobody]}\n")
        await until(pilot, lambda: "roles.operators" in said(app))
        assert app.remedies is not None
        assert "no operator" in app.remedies.picture.rights.operate
        save(path, GOOD.replace("shop", "shop, read_only: true"))
        await until(pilot, lambda: "read_only" in app.read_only)
        assert app.silences is not None
        with pytest.raises(ActionError, match="read_only"):
            await app.silences.expire("x")


async def test_what_the_command_line_forbids_no_config_allows(tmp_path: Path) -> None:
    path = config(tmp_path, GOOD)
    async with console(path, read_only="started so") as (app, pilot):
        save(path, GOOD.replace("shop", "shop2, read_only: false"))
        await until(pilot, lambda: app.farm_name == "shop2")
        assert app.read_only == "started so"


async def test_part_of_the_mistakes_mended_is_a_good_change(tmp_path: Path) -> None:
    path = config(tmp_path, WRONG)
    async with console(path) as (app, pilot):
        save(path, WRONG.replace("prometheus: {}", "prometheus: {url: 'http://127.0.0.1:9'}"))
        await until(pilot, lambda: app.farm is not None and len(app.farm.sources) == 4)
        assert len(app.config_state.mistakes) == 1
        assert not app.config_state.kept
        assert "1 mistake left" in said(app)


async def test_by_hand_it_says_that_nothing_has_changed_and_a_file_that_is_gone_is_a_mistake(tmp_path: Path) -> None:
    path = config(tmp_path, GOOD)
    async with console(path) as (app, pilot):
        await pilot.press("colon", *"reload", "enter")
        await until(pilot, lambda: "nothing has changed" in said(app))
        path.unlink()
        await until(pilot, lambda: bool(app.config_state.mistakes))
        assert app.farm_name == "shop"
        assert "cannot be read" in app.read_only, "runners cannot read it either"


async def test_a_theme_that_somebody_has_chosen_stays_when_something_else_changes(tmp_path: Path) -> None:
    path = config(tmp_path, GOOD)
    async with console(path) as (app, pilot):
        app.action_theme("farm-light")
        save(path, GOOD + "slo: {target: 0.99}\n")
        await until(pilot, lambda: "slo.target" in said(app))
        assert app.theme == "farm-light"


async def test_a_theme_of_the_users_is_shown_as_soon_as_its_file_is_saved(tmp_path: Path) -> None:
    folder = tmp_path / "themes"
    folder.mkdir()
    ours = (Path(themes.__file__).parent / "farm-dark.yaml").read_text()
    path = config(tmp_path, GOOD + "ui: {theme: mine}\n")
    app = FarmApp(already_known, config_file=path, salvaged=salvage_file(path, misfits), themes_dir=folder)
    async with app.run_test(notifications=True) as pilot:
        await until(pilot, lambda: app.farm is not None)
        assert app.theme != "mine"
        (folder / "mine.yaml").write_text(ours.replace("name: farm-dark", "name: mine"))
        await until(pilot, lambda: app.theme == "mine")
        before = app.theme_variables["accent"]
        (folder / "mine.yaml").write_text(
            re.sub(r"accent: .*", 'accent: "#123456"', ours.replace("name: farm-dark", "name: mine"))
        )
        await until(pilot, lambda: app.theme_variables["accent"] != before)
        (folder / "mine.yaml").write_text("nonsense: true\n")
        await until(pilot, lambda: "theme skipped" in said(app))
        assert app.theme != "mine"
        await ended(app)


async def test_a_wall_tells_it_too(tmp_path: Path) -> None:
    path = config(tmp_path, WRONG)
    app = WallApp(already_known, config_file=path, salvaged=salvage_file(path, misfits))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.farm is not None)
        app.publish(whole_farm())
        assert any(finding.key == "config" for finding in app.findings)
        assert app.remedies is None
        await ended(app)
