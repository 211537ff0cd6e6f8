"""The console on a real journal, with a real runner: a run is begun by keys, outlives its console, and is finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from farmtui.app import FarmApp
from farmtui.config import Config, load_config
from farmtui.runbooks.state import Outcome, RunState
from screens.places import Place
from screens.run import RunScreen
from screens.run_dialogs import AnswerDialog, PlanDialog
from screens.start_run import StartScreen
from tests.cli.run import farmtui
from tests.cli.test_runs import HELLO, OK, runners
from tests.screens.host import text_of
from widgets.live_log import LiveLog


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's home, for this process too, with two books and no runner left behind."""
    books = tmp_path / ".config/farmtui/runbooks"
    books.mkdir(parents=True)
    for risk in (2, 3):
        (books / f"hello-{risk}.yaml").write_text(HELLO.format(risk=risk))
    (tmp_path / "farmtui.yaml").write_text("farm: {name: test}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    for process in runners(tmp_path):
        process.kill()
        process.wait(10)


@asynccontextmanager
async def console(home: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[FarmApp, Pilot[int]]]:
    config = load_config(home / "farmtui.yaml")

    async def start() -> Config:
        return config

    app = FarmApp(start, config=config, config_file=home / "farmtui.yaml")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.remedies and "hello-2" in app.remedies.picture.shelf.books)
        yield app, pilot


async def until(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    """Until it is so; the test's own timeout is what ends a wait in vain."""
    while not holds():  # noqa: ASYNC110 - what is waited for comes from other processes
        await asyncio.sleep(0.02)
    await pilot.pause()


def shown(app: FarmApp) -> str:
    return " ".join(" ".join(text_of(app)).split())


def only_run(app: FarmApp) -> RunState:
    assert app.remedies is not None
    [state] = app.remedies.picture.runs
    return state


async def begin(app: FarmApp, pilot: Pilot[int], book: str) -> None:
    """From the library to the run's own screen, by keys alone."""
    app.go(Place("runbooks"))
    await pilot.pause()
    await pilot.press("slash", *("minus" if letter == "-" else letter for letter in book), "enter")
    await pilot.press("x", "enter")
    await until(pilot, lambda: isinstance(app.screen, StartScreen))
    await pilot.press(*"anna", "enter", *"try", "enter", "enter")
    await until(pilot, lambda: isinstance(app.screen, PlanDialog))


async def test_a_run_is_begun_by_keys_answered_and_seen_to_its_end(home: Path) -> None:
    async with console(home) as (app, pilot):
        await begin(app, pilot, "hello-2")
        assert "here: sh -c 'echo \"hello $1\"' x anna" in shown(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PlanDialog), "Enter alone starts nothing"
        assert "that is not hello-2: nothing was done" in shown(app)
        await pilot.press(*"hello", "minus", "2", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: only_run(app).question)
        await until(pilot, lambda: "Look at anna." in shown(app))
        await until(pilot, lambda: "[greet] | hello anna" in shown(app))
        assert "because: try" in shown(app)
        assert "asks hello-2" in shown(app), "the header says so wherever one is"
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AnswerDialog))
        await pilot.press("enter")
        await pilot.pause()
        assert only_run(app).question, "Enter alone answers nothing"
        await pilot.press("d", "tab", *"seen", "enter", "enter")
        await until(pilot, lambda: only_run(app).outcome is Outcome.OK)
        await until(pilot, lambda: any("ENDED: ok" in str(line) for line in app.screen.query_one(LiveLog).lines))
        assert "answers: done (seen)" in shown(app)
        await pilot.press("escape", "9", "e")
        await until(pilot, lambda: "hello-2 hello-2 3/3" in shown(app) or "3/3" in shown(app))


async def test_a_run_outlives_its_console_and_is_finished_from_another_terminal(home: Path) -> None:
    async with console(home) as (app, pilot):
        await begin(app, pilot, "hello-2")
        await pilot.press(*"hello", "minus", "2", "enter")
        await until(pilot, lambda: app.remedies and app.remedies.picture.runs and only_run(app).question)
        run = only_run(app).run
    assert (await asyncio.to_thread(farmtui, "answer", run, "done", home=home)).code == OK
    ended = await asyncio.to_thread(farmtui, "attach", run, home=home)
    assert ended.code == OK
    async with console(home, (80, 24)) as (app, pilot):
        await until(pilot, lambda: app.remedies and app.remedies.picture.runs)
        assert only_run(app).outcome is Outcome.OK
        app.go(Place("journal"))
        await until(pilot, lambda: "whole" in shown(app))
        await until(pilot, lambda: "ENDED: ok" in shown(app))


async def test_risk_3_waits_for_another_person_and_is_undone_by_nobody_alone(home: Path) -> None:
    async with console(home) as (app, pilot):
        await begin(app, pilot, "hello-3")
        await pilot.press(*"hello", "minus", "3", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: "waits for a second person's approval" in shown(app))
        await pilot.press("x")
        await pilot.pause()
        assert "nobody approves their own run" in shown(app)
        await pilot.press("e", "enter")
        await pilot.pause()
        await pilot.press(*"enough", "enter")
        await until(pilot, lambda: only_run(app).outcome is Outcome.CANCELLED)
        await until(pilot, lambda: "enough" in shown(app))
