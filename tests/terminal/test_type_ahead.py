"""Keys typed ahead on a busy machine: a letter that comes late still waits for the line that it is meant for."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Button, Input

from farmtui.term import type_ahead
from farmtui.terminal import TerminalApp

LONGER_THAN_A_HAND_S = 0.4


class Filtering(TerminalApp[None]):
    """A slash opens a line; the letters are commands until it is open."""

    BINDINGS = [Binding("slash", "filter"), Binding("e", "command")]  # noqa: RUF012 - as Textual reads it

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()
        self.commands = 0

    def compose(self) -> ComposeResult:
        yield Button("table")
        yield Input()

    async def action_filter(self) -> None:
        await self.opened.wait()
        self.query_one(Input).focus()

    def action_command(self) -> None:
        self.commands += 1


async def test_a_letter_that_comes_late_waits_for_the_line_that_the_slash_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type_ahead, "PATIENCE_S", 60.0)
    app = Filtering()
    async with app.run_test() as pilot:
        app.query_one(Button).focus()
        await pilot.pause()
        app.simulate_key("slash")
        await asyncio.sleep(LONGER_THAN_A_HAND_S)
        app.simulate_key("e")
        await asyncio.sleep(0.05)
        app.opened.set()
        await pilot.pause(0.2)
        assert (app.query_one(Input).value, app.commands) == ("e", 0)


async def test_a_widget_that_is_stuck_holds_no_key_back_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type_ahead, "PATIENCE_S", 0.1)
    app = Filtering()
    async with app.run_test() as pilot:
        app.query_one(Input).focus()
        await pilot.pause()
        stuck = app.query_one(Button)
        stuck.focus()
        await pilot.pause()
        stuck.call_later(app.opened.wait)
        app.simulate_key("a")
        app.query_one(Input).focus()
        app.simulate_key("e")
        for _ in range(100):
            await asyncio.sleep(0.05)
            if app.query_one(Input).value:
                break
        assert app.query_one(Input).value == "e"
        app.opened.set()


@pytest.mark.parametrize("forwarded", [False, True], ids=["typed", "handed up"])
async def test_a_key_that_comes_when_the_last_screen_has_gone_is_nobody_s(forwarded: bool) -> None:
    app = Filtering()
    async with app.run_test() as pilot:
        await pilot.pause()
        stack = app._screen_stacks[app._current_mode]
        screens = list(stack)
        key = events.Key("e", "e")
        if forwarded:
            key._set_forwarded()
        stack.clear()
        try:
            await app.on_event(key)
        finally:
            stack.extend(screens)
        assert app.commands == 0
