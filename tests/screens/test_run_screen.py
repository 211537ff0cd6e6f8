"""A run at work on screen: its steps, what is measured, what it asks, and what can be said to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from farmtui.farm.state import Severity
from farmtui.runbooks import kinds
from farmtui.runbooks.picture import Picture, Story, standing
from screens.actions import Scene, actions_for
from screens.places import Place, Subject
from screens.run import RunScreen
from screens.run_dialogs import AnswerDialog, WhyDialog
from tests.screens.farms import incident
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.remedies import (
    BERTA,
    RUNNER,
    VIEWER,
    FakeDesk,
    Told,
    asking,
    ended,
    hostile,
    make_plan,
    measuring,
    picture,
)
from widgets.live_log import LiveLog
from widgets.live_table import LiveTable


@asynccontextmanager
async def looking(
    told: Told, size: tuple[int, int] = (120, 40), *, desk: FakeDesk | None = None, shown: Picture | None = None
) -> AsyncIterator[tuple[HostApp, Pilot[None], FakeDesk]]:
    desk = desk or FakeDesk(shown or picture(told))
    subject = Subject("run", told.run, "varnish-restart cache-2")
    app = HostApp(lambda: RunScreen(Place("runbooks", (subject,))), incident(), remedies=desk)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot, desk


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
@pytest.mark.parametrize(
    "told", [asking(), measuring(), ended("failed", "it broke"), hostile()], ids=["asks", "measures", "ended", "evil"]
)
async def test_it_shows_at_every_size(told: Told, size: tuple[int, int]) -> None:
    async with looking(told, size) as (app, _, desk):
        text = "\n".join(text_of(app))
        assert "cache-" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert desk.followed == [told.run]


async def test_what_it_asks_is_seen_at_once_even_on_the_smallest_terminal() -> None:
    async with looking(asking("Look at the disk of cache-2."), (80, 24)) as (app, _, _):
        text = seen(app)
        for words in ("▲ asks", "cache-2", "Look at the disk of cache-2.", "a answers: done, failed, stop",
                      "1 of 3 steps", "by anna, because: threads hang", "[drain on cache-2] | drained"):  # fmt: skip
            assert words in text, words
        table = app.screen.query_one("#steps", LiveTable)
        assert table.cursor_key == "look", "the cursor is on the step that wants somebody"


async def test_conditions_have_their_value_their_target_and_the_time_that_is_left() -> None:
    async with looking(measuring()) as (app, _, _):
        text = seen(app)
        assert "→ cache nodes that serve: 1 (>= 2)" in text
        assert "left" in text
        assert "20 of 20 hosts, 2 not well" in text
        assert "✖ app-03: code failed" in text
        assert "2 of 3 steps" in text


async def test_a_condition_that_held_and_one_that_was_not_measured_look_different() -> None:
    told = measuring().say(kinds.MEASURED, RUNNER, step="ban", values=["cache nodes that serve: 3 (>= 2)"], held=[True])
    async with looking(told) as (app, pilot, _):
        assert "● ok cache nodes that serve: 3 (>= 2)" in seen(app)
        await pilot.press("down")
        await pilot.pause()
        assert "· cache nodes that serve >= 2, within 2m" in seen(app), "the book's own end is not measured yet"


async def test_enter_alone_answers_nothing_and_a_note_goes_with_the_answer() -> None:
    told = asking()
    async with looking(told) as (app, pilot, desk):
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, AnswerDialog)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, AnswerDialog)
        assert "choose first: by its letter" in seen(app)
        await pilot.press("f", "tab", *"worn", "enter", "enter")
        await pilot.pause()
        question = told.state.question
        assert question is not None
        assert desk.said == [("answer", told.run, question.seq, "failed", "worn")]


async def test_what_the_desk_refuses_is_said() -> None:
    async with looking(asking()) as (app, pilot, desk):
        desk.refuses = "run x: it asks nothing now: somebody has answered, or it has gone on"
        await pilot.press("a", "s", "enter")
        await pilot.pause()
        assert app.said == [(desk.refuses, Severity.CRITICAL)]


@pytest.mark.parametrize(
    ("letter", "title", "expected"),
    [("p", "Pause", ("pause",)), ("e", "End", ("cancel", False)), ("u", "Undo", ("cancel", True))],
)
async def test_what_ends_or_stops_it_wants_a_reason(letter: str, title: str, expected: tuple[object, ...]) -> None:
    told = asking()
    async with looking(told) as (app, pilot, desk):
        await pilot.press("x", letter, "enter")
        await pilot.pause()
        assert isinstance(app.screen, WhyDialog)
        assert title in seen(app)
        await pilot.press("enter")
        await pilot.pause()
        assert desk.said == [], "an empty reason does not do"
        assert "say why: it is written down" in seen(app)
        await pilot.press(*"enough", "enter")
        await pilot.pause()
        assert [(what[0], *what[3:]) for what in desk.said] == [expected]
        assert desk.said[0][1:3] == (told.run, "enough")


async def test_before_it_is_undone_one_sees_what_is_taken_back() -> None:
    async with looking(asking()) as (app, pilot, _):
        await pilot.press("x", "u", "enter")
        await pilot.pause()
        assert "ssh cache-2: rm /x" in seen(app)


def refusals(desk: FakeDesk, told: Told) -> dict[str, str]:
    app = HostApp(lambda: RunScreen(Place("runbooks")), incident(), remedies=desk)
    assert app.farm is not None
    scene = Scene(app, app.farm, (Subject("run", told.run, "t"),))
    return {item.id: item.refusal(scene) for item in actions_for(scene)}


def test_what_is_possible_depends_on_how_it_stands_and_on_who_asks() -> None:
    told = asking()
    found = refusals(FakeDesk(picture(told)), told)
    assert found["run.answer"] == found["run.pause"] == found["run.end"] == found["run.undo"] == ""
    assert found["run.resume"] == "it is not paused"
    assert found["run.approve"] == "a run of risk 2 needs no approval"
    assert found["run.again"] == "it has not ended"
    paused = asking().say(kinds.PAUSED, why="wait")
    assert refusals(FakeDesk(picture(paused)), paused)["run.resume"] == ""
    over = ended()
    found = refusals(FakeDesk(picture(over)), over)
    assert found["run.end"] == found["run.answer"] == "it has ended: ok"
    assert found["run.again"] == ""
    viewer = refusals(FakeDesk(picture(told, rights=VIEWER)), told)
    assert viewer["run.answer"] == viewer["run.end"] == VIEWER.operate
    assert viewer["run.copy"] == ""


def test_nobody_approves_their_own_run_and_another_may() -> None:
    told = Told(make_plan(3)).say(kinds.CONFIRMED, hash=make_plan(3).hash, how="typed", why="")
    assert refusals(FakeDesk(picture(told), user="anna"), told)["run.approve"].startswith("nobody approves their own")
    assert refusals(FakeDesk(picture(told), user="berta"), told)["run.approve"] == ""
    assert refusals(FakeDesk(picture(told, rights=VIEWER), user="berta"), told)["run.approve"] == VIEWER.approve


async def test_who_approves_sees_the_plan_and_types_its_target() -> None:
    told = Told(make_plan(3)).say(kinds.CONFIRMED, hash=make_plan(3).hash, how="typed", why="")
    desk = FakeDesk(picture(told), user="berta")
    async with looking(told, desk=desk) as (app, pilot, _):
        assert "waits for a second person's approval" in seen(app)
        assert f"farmtui approve {told.run}" in seen(app)
        await pilot.press("x", "enter")
        await pilot.pause()
        assert "asked for by anna, because: threads hang" in seen(app)
        assert "ssh cache-2: touch /x" in seen(app)
        await pilot.press(*"cache-3".replace("-", ""), "enter")
        await pilot.pause()
        assert desk.said == []
        app.screen.query_one("#typed", Input).value = "cache-2"
        await pilot.press("enter")
        await pilot.pause()
        assert desk.said == [("approve", told.run, make_plan(3).hash)]


async def test_a_broken_glass_is_never_out_of_sight() -> None:
    plan = make_plan(3)
    told = (
        Told(plan)
        .say(kinds.CONFIRMED, hash=plan.hash, how="break-glass", why="nobody answers")
        .say(kinds.BEGUN, RUNNER, hash=plan.hash, targets=[], values=[])
    )
    async with looking(told, (80, 24)) as (app, _, _):
        assert "glass broken, without a second person: nobody answers" in seen(app)


async def test_why_it_ended_is_on_top() -> None:
    async with looking(ended("refused", "required: cache nodes that serve: 1 (>= 2)"), (80, 24)) as (app, _, _):
        assert "required: cache nodes that serve: 1 (>= 2)" in seen(app)
        assert app.screen.query_one("#steps", LiveTable).cursor_key == ":verify", "of one that has ended its end"


async def test_a_journal_that_does_not_answer_leaves_the_last_picture_and_says_so() -> None:
    told = asking()
    async with looking(told) as (app, pilot, desk):
        desk.picture = replace(desk.picture, trouble="the journal postgresql://db does not answer: refused")
        app.shown.repaint()
        await pilot.pause()
        assert "what is shown may be old: the journal postgresql://db does not answer" in seen(app)
        assert "Look." in seen(app)


async def test_a_run_that_nobody_knows_is_said() -> None:
    async with looking(asking(), shown=picture()) as (app, _, _):
        assert "The journal does not know the run" in seen(app)


async def test_a_long_story_goes_on_and_its_end_is_followed_until_one_reads_back() -> None:
    told = asking()
    part = {"step": "drain", "part": "cache-2", "attempt": 1}
    for number in range(300):
        told.say(kinds.OUTPUT, RUNNER, **part, stream="err", text=f"line {number}\n", end=number)
    async with looking(told) as (app, pilot, desk):
        log = app.screen.query_one(LiveLog)
        assert "line 299" in seen(app)
        told.say(kinds.OUTPUT, RUNNER, **part, stream="out", text="one more\n", end=301)
        desk.picture = picture(told)
        app.shown.repaint()
        await pilot.pause()
        assert "one more" in seen(app)
        log.focus()
        await pilot.press("home")
        story = told.story
        told.say(kinds.OUTPUT, RUNNER, **part, stream="out", text="and more\n", end=302)
        dropped = Story(told.story.lines[50:], 50)
        desk.picture = replace(picture(told), stories={told.run: dropped})
        app.shown.repaint()
        await pilot.pause()
        assert "and more" not in seen(app)
        assert len(log.lines) == len(story.lines) + 1 - 50
        await pilot.press("end")
        await pilot.pause()
        assert "and more" in seen(app)


async def test_hostile_texts_are_shown_as_they_are() -> None:
    async with looking(hostile(), (200, 60)) as (app, _, _):
        text = seen(app)
        assert "[/x]" in text
        assert "[@click=app.quit]boo[/]" in text
        assert "\x1b" not in text


async def test_leaving_it_does_not_stop_it() -> None:
    told = asking()
    async with looking(told) as (app, pilot, desk):
        await app.pop_screen()
        await pilot.pause()
        assert desk.followed == []
        assert desk.said == []


def test_how_a_run_stands() -> None:
    now = datetime.now(UTC)
    assert standing(asking().state, now, "r").word == "asks"
    assert standing(measuring().state, now, "r").word == "running"
    assert standing(measuring().state, now, "").word == "alone", "nobody executes it"
    fresh = Told(make_plan(), minutes=0.0).confirmed()
    assert standing(fresh.state, now, "").word == "running", "one that has just begun is about to get its runner"
    assert standing(Told(make_plan()).state, now).text == "waits for being confirmed"
    paused = asking().say(kinds.ANSWERED, BERTA, question=0, choice="x").say(kinds.PAUSED, why="")
    assert standing(paused.state, now, "r").severity is Severity.WARNING
    assert standing(Told(make_plan(), minutes=300).state, now).word == "expired", "whoever writes that down"
    for outcome, severity in (("ok", Severity.OK), ("failed", Severity.CRITICAL), ("refused", Severity.WARNING),
                              ("cancelled", Severity.INFO), ("undone", Severity.INFO)):  # fmt: skip
        assert standing(ended(outcome).state, now + timedelta(days=1)).severity is severity
