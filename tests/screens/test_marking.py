"""Places are kept under names, and gone back to as they were looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from farmtui.config.salvage import salvage_file
from farmtui.keys import misfits
from farmtui.marking import MarkingApp
from farmtui.marks import Mark, change_marks, marks_file, read_marks
from farmtui.opened import already_known
from screens.marks_list import MarksDialog
from screens.places import Place, Subject
from tests.screens.host import text_of
from tests.screens.test_config_screen import ended, said, status, until
from tests.screens.whole import whole_farm


@asynccontextmanager
async def console(
    path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] = (120, 40), *, keep: bool = True
) -> AsyncIterator[tuple[MarkingApp, Pilot[int]]]:
    monkeypatch.setenv("XDG_STATE_HOME", str(path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path))
    file = path / "farmtui.yaml"
    file.write_text("farm: {name: shop}\n")
    app = MarkingApp(already_known, config_file=file, salvaged=salvage_file(file, misfits), keep=keep)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.farm is not None)
        app.publish(whole_farm())
        await pilot.pause()
        yield app, pilot
        await ended(app)


async def test_a_mark_leads_back_with_filter_and_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(tmp_path, monkeypatch) as (app, pilot):
        app.go(Place("topology"))
        await pilot.pause()
        await pilot.press("v", "slash", *"cache", "enter")
        view = app.screen.view  # type: ignore[attr-defined]
        await pilot.press("m", "a", "enter")
        await until(pilot, lambda: "a is kept" in said(app))
        await pilot.press("escape", "v", "1")
        await pilot.press("apostrophe", "a", "enter")
        await until(pilot, lambda: app.current_mode == "topology" and "/cache" in status(app))
        assert app.screen.view == view  # type: ignore[attr-defined]
        await pilot.press("1", "colon", *"marks", "enter")
        await until(pilot, lambda: "topology · view" in "\n".join(text_of(app)))
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "topology")
        await pilot.press("colon", *"unmark a", "enter")
        await until(pilot, lambda: "a is no mark any more" in said(app))
        assert read_marks(marks_file(tmp_path / "farmtui.yaml")) == ({}, "")


async def test_marks_of_a_simulated_farm_are_gone_with_the_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path, monkeypatch, keep=False) as (app, pilot):
        app.go(Place("topology"))
        await pilot.pause()
        await pilot.press("m", "a", "enter")
        await until(pilot, lambda: "a is kept" in said(app))
        await pilot.press("1", "apostrophe", "a", "enter")
        await until(pilot, lambda: app.current_mode == "topology")
        await pilot.press("colon", *"unmark a", "enter")
        await until(pilot, lambda: "a is no mark any more" in said(app))
    assert [kept for name in ("marks", "sessions") for kept in (tmp_path / "state").rglob(name)] == []


async def test_a_mark_of_a_thing_that_is_gone_leads_to_its_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path, monkeypatch) as (app, pilot):
        app.go(Place("topology", (Subject("node", "nowhere", "nowhere"),)))
        await pilot.pause()
        app.action_mark("gone")
        await until(pilot, lambda: "gone is kept" in said(app))
        app.go(Place("overview"))
        app.action_goto("gone")
        await until(pilot, lambda: "nowhere is gone" in said(app))
        assert app.history.here == Place("topology")


async def test_a_browser_has_no_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MarkingApp, "is_web", property(lambda _: True))
    async with console(tmp_path, monkeypatch) as (app, pilot):
        app.action_mark("a")
        await until(pilot, lambda: "no marks in a browser" in said(app))
        assert not marks_file(tmp_path / "farmtui.yaml").exists()


async def kept(app: MarkingApp, pilot: Pilot[int], *names: str) -> None:
    for name in names:
        app.action_mark(name)
        await until(pilot, lambda: f"{name} is kept" in said(app))  # noqa: B023


async def listed(app: MarkingApp, pilot: Pilot[int]) -> MarksDialog:
    app.action_marks()
    await until(pilot, lambda: isinstance(app.screen, MarksDialog))
    await pilot.pause()
    assert isinstance(app.screen, MarksDialog)
    return app.screen


@pytest.mark.parametrize("key", ["d", "delete"])
async def test_a_mark_is_forgotten_in_the_list_and_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    async with console(tmp_path, monkeypatch) as (app, pilot):
        file = marks_file(tmp_path / "farmtui.yaml")
        await kept(app, pilot, "a", "b", "c")
        before = read_marks(file)[0]
        dialog = await listed(app, pilot)
        assert "MARK" in "\n".join(text_of(app))
        assert "ACTION" not in "\n".join(text_of(app))
        await pilot.press("j", key, key)
        await until(pilot, lambda: set(read_marks(file)[0]) == {"a"})
        await until(pilot, lambda: "undo c" in "\n".join(text_of(app)))
        assert [choice.key for choice in dialog.choices] == ["a"]
        await pilot.press(key)
        await until(pilot, lambda: "no marks" in "\n".join(text_of(app)))
        await pilot.press("u", "u", "u", "u")
        await until(pilot, lambda: read_marks(file)[0] == before)
        await until(pilot, lambda: "undo" not in "\n".join(text_of(app)))
        assert dialog.table.cursor_key == "b"
        await pilot.press("escape")


async def test_what_another_console_kept_meanwhile_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path, monkeypatch) as (app, pilot):
        file = marks_file(tmp_path / "farmtui.yaml")
        await kept(app, pilot, "a", "b")
        dialog = await listed(app, pilot)
        await pilot.press("d")
        await until(pilot, lambda: [choice.key for choice in dialog.choices] == ["b"])
        theirs = Mark(Place("cost"))
        change_marks(file, lambda marks: marks.update(a=theirs))
        await pilot.press("u")
        await until(pilot, lambda: "another mark 'a'" in said(app))
        assert read_marks(file)[0]["a"] == theirs
        change_marks(file, lambda marks: marks.clear())
        await pilot.press("d")
        await until(pilot, lambda: "there is no mark 'b'" in said(app))
        await pilot.press("escape")
