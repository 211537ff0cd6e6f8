"""Dialogs of runs: what confirms a plan, what answers a question, and that nothing does by accident."""

from __future__ import annotations

import pytest

from farmtui.runbooks.planned import Plan
from screens.run_dialogs import AnswerDialog, PlanDialog, WhyDialog
from screens.runbooks import RunbooksScreen
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    MISSING,
    FakeDesk,
    asks_failed,
    make_plan,
    manual_step,
    ssh_step,
)

pytestmark = pytest.mark.usefixtures("still")
EVERY_SIZE = [*SIZES, (40, 10)]


def host() -> HostApp:
    return HostApp(RunbooksScreen, whole_farm(), remedies=FakeDesk())


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


# -- the plan, to be confirmed --------------------------------------------------------------------


async def plan_answer(plan: Plan, *keys: str, size: tuple[int, int] = (80, 24)) -> tuple[list[object], PlanDialog, str]:
    app = host()
    async with app.run_test(size=size) as pilot:
        results: list[object] = []
        dialog = PlanDialog(plan, "lab")
        await pilot.pause()
        app.push_screen(dialog, results.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return results, dialog, seen(app)


@pytest.mark.parametrize(
    ("risk", "keys", "given"),
    [
        (1, ["enter"], []),
        (1, ["y"], [True]),
        (1, ["escape"], [None]),
        (2, ["y"], []),
        (2, ["enter"], []),
        (2, [*"cache-", "enter"], []),
        (2, [*"cache-1", "enter"], []),
        (2, [*"cache-2", "enter"], [True]),
        (3, ["y", "enter"], []),
        (3, [*"cache-2", "enter"], [True]),
        (3, ["tab", *"no time", "enter"], []),
    ],
)
async def test_what_confirms_a_plan(risk: int, keys: list[str], given: list[object]) -> None:
    results, dialog, _ = await plan_answer(make_plan(risk=risk), *keys)
    assert results == given
    if given == [True]:
        assert dialog.typed == ("" if risk == 1 else "cache-2")
        assert dialog.break_glass == "", "the glass is broken only by who says why"


async def test_the_glass_is_broken_by_a_reason_and_by_nothing_else() -> None:
    results, dialog, _ = await plan_answer(make_plan(risk=3), *"cache-2", "tab", "space", "enter")
    assert (results, dialog.break_glass) == ([True], "")
    results, dialog, _ = await plan_answer(make_plan(risk=3), *"cache-2", "tab", *"alone", "enter")
    assert (results, dialog.break_glass) == ([True], "alone")
    _, dialog, text = await plan_answer(make_plan(risk=2))
    assert not dialog.query("#glass")
    assert "second person" not in text
    assert "Then a second person approves it" in (await plan_answer(make_plan(risk=3), size=(120, 40)))[2]


@pytest.mark.parametrize("risk", [1, 2, 3])
@pytest.mark.parametrize("size", EVERY_SIZE, ids=str)
async def test_what_is_missing_cannot_be_confirmed(risk: int, size: tuple[int, int]) -> None:
    plan = make_plan(risk=risk, requires=MISSING)
    results, dialog, text = await plan_answer(plan, "y", *"cache-2", "enter", "enter", size=size)
    assert results == []
    assert dialog.missing == ["other cache nodes that serve: 0 (>= 1)"]
    assert "it cannot be started" in text
    assert "start it" not in text


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_plan_of_any_length_can_be_read_and_leaves_the_question_in_sight(size: tuple[int, int]) -> None:
    plan = make_plan(*(ssh_step(f"step-{number}", f"Step number {number}", undo=True) for number in range(40)), risk=3)
    app = host()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.push_screen(PlanDialog(plan, "lab"))
        await pilot.pause()
        await pilot.pause()
        text = seen(app)
        assert "Step number 0" in text
        assert "type cache-2 to start it" in text
        assert "PgDn read on" in text
        assert "hangs on it" not in text
        for _ in range(40):
            await pilot.press("pagedown")
        await pilot.pause()
        text = seen(app)
        assert "what runs is this, or nothing" in text
        assert "its sites are served by 2 others" in text
        assert "type cache-2 to start it" in text
        for _ in range(40):
            await pilot.press("pageup")
        await pilot.pause()
        assert "Step number 0" in seen(app)


async def test_the_plan_says_what_is_done_what_is_expected_and_what_takes_it_back() -> None:
    plan = make_plan(ssh_step(undo=True), manual_step())
    _, _, text = await plan_answer(plan, size=(200, 60))
    for words in (
        "1. Restart Varnish", "ssh cache-2: sudo systemctl restart", "expects its exporter reaches it == 1, within 2m",
        "at most 2m; undo: ssh cache-2: undo restart", "you do this, and say so: Look whether it blinks",
        "in the end it answers requests > 0", "● ok other cache nodes that serve: 2 (>= 1)", plan.hash[:16],
    ):  # fmt: skip
        assert words in text, words


# -- the other two --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", EVERY_SIZE, ids=str)
async def test_an_answer_is_never_given_by_the_enter_that_was_on_its_way(size: tuple[int, int]) -> None:
    question = asks_failed().state.question
    assert question is not None
    for keys, given in (
        (["enter"], []), (["enter", "enter", "enter"], []), (["escape"], [None]), (["s", "enter"], [("skip", "")]),
        (["down", "enter"], [("again", "")]), (["S", "enter"], [("skip", "")]), (["z", "enter"], [("repeat", "")]),
    ):  # fmt: skip
        app = host()
        async with app.run_test(size=size) as pilot:
            results: list[object] = []
            await pilot.pause()
            app.push_screen(AnswerDialog(question), results.append)
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()
            assert results == given, keys


@pytest.mark.parametrize("keys", [["tab", "enter", "enter"], ["tab", *"seen", "enter"]])
async def test_a_note_alone_answers_nothing(keys: list[str]) -> None:
    question = asks_failed().state.question
    assert question is not None
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        results: list[object] = []
        await pilot.pause()
        app.push_screen(AnswerDialog(question), results.append)
        await pilot.press(*keys)
        await pilot.pause()
        assert results == []


@pytest.mark.parametrize(
    ("keys", "given"),
    [(["enter"], []), (["space", "enter"], []), ([*"why", "enter"], ["why"]), ([*"w", "escape"], [None])],
)
async def test_a_reason_is_wanted(keys: list[str], given: list[object]) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        results: list[object] = []
        await pilot.pause()
        app.push_screen(WhyDialog("End [it]", ["[b]body"], "end it"), results.append)
        await pilot.press(*keys)
        await pilot.pause()
        assert results == given
        if not given:
            assert "say why" in seen(app)
            assert "End [it]" in seen(app)
