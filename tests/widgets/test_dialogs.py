"""Dialogs: nothing is done by accident."""

from __future__ import annotations

from typing import Literal

import pytest
from rich.text import Text
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tests.widgets.stage import SIZES, THEMES, Stage, screen_lines
from widgets.dialog import Choice, ChoiceDialog, ConfirmDialog, MessageDialog


class Results:
    """What a dialog was dismissed with."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def __call__(self, result: object) -> None:
        self.given.append(result)


def stage(theme: str = "farm-dark") -> Stage:
    return Stage(lambda: [Static("below", markup=False)], theme)


async def outcome(dialog: ModalScreen[object], *keys: str) -> tuple[list[object], str]:
    app, results = stage(), Results()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(dialog, results)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return results.given, "\n".join(screen_lines(app))


def confirm(risk: Literal[1, 2, 3]) -> ModalScreen[object]:
    target = "cache-02" if risk > 1 else ""
    return ConfirmDialog("Ban [all]", ["first [line]", "second"], risk=risk, target=target, verb="ban")  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("risk", "keys", "expected"),
    [
        (1, ["y"], [True]),
        (1, ["n"], [None]),
        (1, ["escape"], [None]),
        (1, ["enter"], []),
        (1, ["space"], []),
        (2, ["y"], []),
        (2, ["enter"], []),
        (2, [*"cache-02", "enter"], [True]),
        (2, [*"cache-0", "enter"], []),
        (2, [*"CACHE-02", "enter"], []),
        (2, [*"cache-0", "enter", "2", "enter"], [True]),
        (2, [*"cache-02", "escape"], [None]),
        (3, [*"cache-02", "enter"], [True]),
        (3, ["y", "enter"], []),
    ],
)
async def test_what_confirms(risk: Literal[1, 2, 3], keys: list[str], expected: list[object]) -> None:
    given, _ = await outcome(confirm(risk), *keys)
    assert given == expected


@pytest.mark.parametrize(
    ("risk", "words"), [(1, "1: ◆ harmless"), (2, "2: ▲ affects service"), (3, "3: ✖ may lose data")]
)
async def test_the_risk_is_said_in_words(risk: Literal[1, 2, 3], words: str) -> None:
    _, shown = await outcome(confirm(risk))
    assert f"risk {words}" in shown
    assert "Ban [all]" in shown
    assert "first [line]" in shown


async def test_a_wrong_name_is_said() -> None:
    _, shown = await outcome(confirm(2), *"edge", "enter")
    assert "that is not cache-02: nothing was done" in shown


def test_a_risk_without_a_target_is_refused() -> None:
    with pytest.raises(ValueError, match="target"):
        ConfirmDialog("Ban", "body", risk=2)


@pytest.mark.parametrize("key", ["enter", "escape", "space", "q"])
async def test_a_message_closes(key: str) -> None:
    given, shown = await outcome(MessageDialog("Raw", [Text("[red]rich"), Content("[b]content")]), key)  # type: ignore[arg-type]
    assert given == [None]
    assert "below" in shown


CHOICES = [
    Choice("ban", "Ban"),
    Choice("drain", "Drain", "take it out", refused="the figures are [stale]"),
    Choice("restart", "Restart", "start it again"),
]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(["enter"], ["ban"]), (["j", "enter"], []), (["j", "j", "enter"], ["restart"]), (["escape"], [None])],
)
async def test_choosing(keys: list[str], expected: list[object]) -> None:
    given, shown = await outcome(ChoiceDialog("Actions", CHOICES), *keys)  # type: ignore[arg-type]
    assert given == expected
    if not expected:
        assert "not now: the figures are [stale]" in shown


async def test_the_choices_are_called_what_they_are() -> None:
    _, shown = await outcome(ChoiceDialog("Unit on web-1", CHOICES, heading="UNIT"))  # type: ignore[arg-type]
    assert "UNIT" in shown
    assert "ACTION" not in shown


@pytest.mark.parametrize("size", [(40, 12), *SIZES])
@pytest.mark.parametrize("theme", THEMES)
async def test_a_long_body_leaves_question_and_keys_in_sight(size: tuple[int, int], theme: str) -> None:
    app = stage(theme)
    async with app.run_test(size=size) as pilot:
        dialog = ConfirmDialog("Ban", [f"line {index}" for index in range(200)], risk=2, target="cache-02", verb="ban")
        app.push_screen(dialog)
        # Its size is known after one turn, and what fits into it after another.
        await pilot.pause()
        await pilot.pause()
        shown = "\n".join(screen_lines(app))
        assert "type cache-02 to ban" in shown
        assert "Esc close" in shown
        assert "line 0" in shown
