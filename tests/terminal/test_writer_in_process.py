"""A running app's every update through both writers, into two terminals, compared cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable

from tests.terminal.probe import WriterProbe
from tests.terminal.tour_app import Tour

ENVIRONMENTS = {
    "truecolor": {"COLORTERM": "truecolor", "TERM": "xterm-256color"},
    "256": {"TERM": "xterm-256color"},
    "16": {"TERM": "screen"},
    "linux": {"TERM": "linux"},
    "no-color": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}


@pytest.fixture(params=ENVIRONMENTS)
def colours(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each depth of colours, as the environment says it."""
    for name in ("COLORTERM", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENTS[request.param].items():
        monkeypatch.setenv(name, value)
    return str(request.param)


async def settle(pilot: Pilot[Any]) -> None:
    """Until nothing is left to paint."""
    for _ in range(3):
        await pilot.pause()


@pytest.mark.usefixtures("colours")
async def test_each_step_of_a_tour_shows_what_textual_renders(tmp_path: Path) -> None:
    app = Tour(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        probe = WriterProbe(app, plain_pyte=True)
        await settle(pilot)
        probe.check()
        for key in ["s", "n", "e", "e", "e", "e", "d", "escape", "t", "s", "d", "a", "b", "escape", "t", "t", "t", "n"]:
            if key == "e":
                app.with_emoji = True  # the next is text that pyte can show
            await pilot.press(key)
            await settle(pilot)
            probe.check()
        for size in [(60, 20), (131, 41), (80, 24), (20, 6), (100, 30)]:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            probe.check()


async def test_emoji_and_combining_marks_leave_their_neighbours_alone(tmp_path: Path) -> None:
    app = Tour(tmp_path)
    async with app.run_test(size=(90, 24)) as pilot:
        probe = WriterProbe(app)
        for key in ["e", "s", "n", "e", "e", "d", "escape", "t", "e"]:
            await pilot.press(key)
            await settle(pilot)
            probe.check(stock=False)


async def test_a_wide_character_beside_a_changed_region_stays_whole(tmp_path: Path) -> None:
    app = Tour(tmp_path)
    async with app.run_test(size=(70, 24)) as pilot:
        probe = WriterProbe(app, plain_pyte=True)
        await settle(pilot)
        table = app.query_one(DataTable)
        for row in range(12):
            table.update_cell(str(row), "note", "x漢y字" * (row % 4), update_width=row % 2 == 0)
            await settle(pilot)
            probe.check(stock=False)


async def test_few_bytes_where_the_stock_writer_sends_the_whole_table(tmp_path: Path) -> None:
    app = Tour(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        probe = WriterProbe(app)
        await settle(pilot)
        probe.forget_counts()
        for number in range(1, 11):
            app.set_figures(number)
            await settle(pilot)
        assert probe.frames
        assert probe.ours * 10 < probe.stock
        probe.check()


async def test_nothing_is_sent_when_widgets_repaint_the_same(tmp_path: Path) -> None:
    app = Tour(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        probe = WriterProbe(app)
        app.set_figures(3)
        await settle(pilot)
        probe.forget_counts()
        app.query_one(DataTable).refresh()
        app.set_figures(app.figures)
        app.refresh(layout=True)
        await settle(pilot)
        assert probe.frames
        assert probe.stock
        assert probe.ours == 0
