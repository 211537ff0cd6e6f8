"""The screen of one run: what it is at, what it asks, what it prints; and that looking at it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Input, Static

from farmtui.farm.state import Severity
from farmtui.runbooks.people import Rights
from screens.lines import Line
from screens.places import Place
from screens.raw import RawScreen
from screens.remedy_details import run_subject
from screens.run import RunScreen
from screens.run_dialogs import AnswerDialog
from tests.screens.farms import HOSTILE, NOW
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    HOLDER,
    FakeDesk,
    Still,
    Written,
    asks_failed,
    asks_manual,
    asks_unknown,
    ended,
    fanned_out,
    glass_broken,
    make_picture,
    paused,
    running,
    talkative,
    undoing,
    waits_for_approval,
)
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures("still")

EVERY: dict[str, Callable[[], Written]] = {
    "running": running, "manual": asks_manual, "failed": asks_failed, "unknown": asks_unknown,
    "approval": waits_for_approval, "glass": glass_broken, "paused": paused, "fan-out": fanned_out,
    "undoing": undoing, "ok": ended, "ended badly": lambda: ended("failed", "bert said so: no use"),
    "refused": lambda: ended("refused"),
    "long": lambda: talkative(3_000, lambda n: f"line {n} {HOSTILE} 漢字の出力 " + "x" * (n % 300)),
}  # fmt: skip


def host(run: Written, desk: FakeDesk | None = None) -> HostApp:
    place = Place("runbooks", (run_subject(run.state),))
    return HostApp(lambda: RunScreen(place), whole_farm(), remedies=desk or FakeDesk(run))


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


def part(app: HostApp, where: str) -> str:
    static = app.shown.query_one(where, Static)
    return str(static.content) if static.display else ""


def head(app: HostApp) -> str:
    return app.shown.query_one("#head", Line).text


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
@pytest.mark.parametrize("name", EVERY)
async def test_every_run_at_every_size(name: str, size: tuple[int, int]) -> None:
    run = EVERY[name]()
    app = host(run)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = text_of(app)
        assert len(shown) == size[1]
        assert "\x1b" not in "".join(shown)
        assert "\u202e" not in "".join(shown)
        assert run.state.outcome is not None or "Answer" in seen(app), "its keys are in sight"
        assert app.shown.query_one("#head").region.y == 2, "and how it stands, above all"
        for key in ("j", "G", "g", "tab", "g", "G", "escape"):
            await pilot.press(key)
        assert app.is_running


@pytest.mark.parametrize(
    ("name", "word", "words"),
    [
        ("running", "running", "cache-2 Restart Varnish on one cache node 0 of 2 steps"),
        ("manual", "asks", "1 of 2 steps"),
        ("approval", "waits", "0 of 2 steps"),
        ("paused", "paused", "1 of 2 steps"),
        ("undoing", "undoing", "1 of 2 undone"),
        ("ok", "ok", "2 of 2 steps"),
        ("ended badly", "failed", "1 of 2 steps"),
        ("refused", "refused", "0 of 2 steps"),
    ],
)
async def test_the_head_says_how_it_stands(name: str, word: str, words: str) -> None:
    app = host(EVERY[name]())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = " ".join(head(app).split())
        assert text.split()[1] == word
        assert words in text


async def test_it_says_who_asked_for_it_why_and_who_executes_it() -> None:
    run = glass_broken()
    app = host(run)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        people = app.shown.query_one("#people", Line).text
        assert "risk 3 may lose data" in people
        assert "by anna, because: its child died three times" in people
        assert people.endswith(f"runner {HOLDER}")


async def test_what_it_asks_is_said_with_the_answers() -> None:
    app = host(asks_failed())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "▲ Restart Varnish: failed: ended with 1" in part(app, "#ask")
        assert "a answers: repeat, again, skip, stop" in part(app, "#ask")
        assert "a answers: repeat" in seen(app)


async def test_a_run_that_waits_says_for_whom_and_what_to_do() -> None:
    run = waits_for_approval()
    app = host(run)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "waits for a second person's approval" in part(app, "#ask")
        assert f"farmtui approve {run.run}" in part(app, "#ask")
    app = host(paused())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "waits for being resumed\n  bert: lunch; x resumes it" in part(app, "#ask")


async def test_an_approval_is_told_until_it_is_over(still: type[Still]) -> None:
    run = waits_for_approval().approved(minutes=5)
    app = host(run)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "approved by bert" in app.shown.query_one("#people", Line).text
        assert part(app, "#ask") == ""
        assert "running" in head(app)


async def test_a_broken_glass_is_loud_from_begin_to_end() -> None:
    for run in (glass_broken(), glass_broken().ended("ok")):
        app = host(run)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "✖ glass broken, without a second person: nobody answers the pager" in part(app, "#ask")
            assert app.shown.query_one("#ask").has_class("-critical")


async def test_why_it_ended_badly_is_said() -> None:
    app = host(ended("failed", "bert said so: no use"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "✖ bert said so: no use" in part(app, "#ask")
    app = host(ended("ok"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert part(app, "#ask") == ""


async def test_a_run_without_a_runner_is_told_after_a_while(still: type[Still]) -> None:
    run = running()
    desk = FakeDesk(picture=make_picture(run, holders=False))
    app = host(run, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "no runner has it now" in part(app, "#ask")
        begun_at = run.state.begun_at
        assert begun_at is not None
        still.moment = begun_at + timedelta(seconds=5)
        desk.picture = replace(desk.picture)
        app.shown.repaint()
        await pilot.pause()
        assert "running" in head(app), "a runner takes a moment to come"


async def test_the_step_at_work_is_looked_at_with_what_is_measured_and_what_is_wanted() -> None:
    app = host(running())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        now = part(app, "#now")
        assert "ssh cache-2: sudo systemctl restart" in now
        assert "● ok its exporter reaches it: 1 (== 1)" in now, "what holds"
        assert "p95 of its answers: 0.8 (< 0.5)" in now, "and what does not yet"
        assert "left" in now
        assert now.index("p95 of its answers: 0.8") < now.index("left"), "what is waited for has its time beside it"
        table = app.shown.query_one("#steps", LiveTable)
        assert [(row.name, row.word) for row in table.shown_rows] == [
            ("Restart Varnish", "running"), ("Look at the disk", ""), ("In the end", "")
        ]  # fmt: skip
        await pilot.press("j")
        await pilot.pause()
        assert "Look whether it blinks" in part(app, "#now")
        await pilot.press("j")
        await pilot.pause()
        assert "it answers requests > 0, within 5m" in part(app, "#now")


async def test_the_cursor_goes_with_the_run_and_stays_where_somebody_reads() -> None:
    run = running()
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.shown.query_one("#steps", LiveTable)
        await pilot.pause()
        assert str(table.cursor_key) == "restart"
        await pilot.press("G")
        run.output("more\n")
        desk.picture = make_picture(run)
        app.shown.repaint()
        await pilot.pause()
        assert str(table.cursor_key) == ":verify", "nothing has changed: who reads elsewhere is left there"
        run.step_ended().effect("look", "")
        desk.picture = make_picture(run)
        app.shown.repaint()
        await pilot.pause()
        assert str(table.cursor_key) == "look"


async def test_a_fan_out_counts_and_names_what_is_not_well() -> None:
    app = host(fanned_out())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        now = part(app, "#now")
        assert "12 of 20 hosts, 6 not well; at worker-14, worker-15, worker-16" in now
        assert "✖ worker-03: worker-03 has no space" in now
        assert "and 2 more" in now
        table = app.shown.query_one("#steps", LiveTable)
        assert table.shown_rows[0].word == "unknown", "one lost host is not 'running'"
        assert table.shown_rows[0].severity is Severity.UNKNOWN


async def test_an_undoing_shows_what_is_taken_back() -> None:
    app = host(undoing())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        table = app.shown.query_one("#steps", LiveTable)
        assert [(row.name, row.word) for row in table.shown_rows][-2:] == [
            ("Undo: Stop it", "ok"), ("Undo: Drain it", "running")
        ]  # fmt: skip
        assert table.cursor_key == "undo-drain"
        assert "ssh cache-2: undo drain" in part(app, "#now")


async def test_everything_of_a_step_can_be_had() -> None:
    app = host(fanned_out())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, RawScreen)
        assert "worker-03 has no space" in seen(app) or "worker-01" in seen(app)


async def test_an_answer_with_its_note_arrives() -> None:
    run = asks_failed()
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, AnswerDialog)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, AnswerDialog), "Enter alone answers nothing"
        assert "choose first" in seen(app)
        assert desk.said == []
        await pilot.press("tab", *"disk", "space", *"freed", "enter")
        await pilot.press("s", "enter")
        await pilot.pause()
        question = run.state.question
        assert question is not None
        assert desk.said == [("answer", run.run, question.seq, "skip", "disk freed")]
        assert app.said[-1] == ("answered: skip", Severity.OK)


async def test_a_refused_answer_is_said_and_the_question_stays() -> None:
    run = asks_failed()
    desk = FakeDesk(run, refuses="run x: it asks nothing now: somebody has answered, or it has gone on")
    app = host(run, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "down", "enter")
        await pilot.pause()
        assert app.said[-1] == (desk.refuses, Severity.CRITICAL)
        assert "a answers: repeat" in part(app, "#ask")


async def test_a_viewer_reads_and_answers_nothing() -> None:
    run = asks_failed()
    why = "carl is no operator (roles.operators in the config)"
    desk = FakeDesk(picture=make_picture(run, rights=Rights(why, why)))
    app = host(run, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert app.screen is app.shown
        assert app.said[-1] == (why, Severity.WARNING)


async def test_where_nothing_is_asked_a_says_so() -> None:
    app = host(running())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert app.said[-1] == ("it asks nothing now", Severity.WARNING)


async def test_it_is_followed_while_it_is_looked_at() -> None:
    run = running()
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert (desk.followed, desk.left) == ([run.run], [])
        app.pop_screen()
        await pilot.pause()
        assert desk.left == [run.run]
        assert desk.said == [], "to leave it says nothing to it"


async def test_it_is_followed_though_the_journal_is_opened_later() -> None:
    run = running()
    app = host(run)
    desk, app.remedies = app.remedies, None
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.remedies = desk
        app.shown.repaint()
        await pilot.pause()
        assert isinstance(desk, FakeDesk)
        assert desk.followed == [run.run]
        assert "running" in head(app)


async def test_without_the_journal_the_last_picture_stays_and_says_that_it_is_old() -> None:
    run = running()
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        desk.picture = replace(desk.picture, trouble="the journal does not answer: connection refused")
        app.shown.repaint()
        await pilot.pause()
        assert "✖ what is shown may be old: the journal does not answer: connection refused" in part(app, "#ask")
        assert "running" in head(app)
        assert app.shown.query_one("#steps", LiveTable).shown_rows[0].word == "running"
        desk.picture = make_picture(run)
        app.shown.repaint()
        await pilot.pause()
        assert part(app, "#ask") == "", "and that is over when it answers again"


async def test_a_run_that_nobody_knows_is_said_to_be_unknown() -> None:
    app = host(running(), FakeDesk())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "The journal does not know the run varnish-restart-1123-0950-aa11." in head(app)
        for key in ("a", "s", "x", "y", "j"):
            await pilot.press(key)
            await pilot.pause()
        assert app.is_running


async def test_typing_a_note_with_letters_chooses_nothing() -> None:
    app = host(asks_failed())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "tab", *"stop")
        dialog = app.screen
        assert dialog.query_one("#note", Input).value == "stop"
        assert dialog.query_one(LiveTable).cursor_key == "repeat"


def test_no_run_is_of_the_future() -> None:
    for make in EVERY.values():
        assert make().entries[-1].at < NOW, "or its times would be negative"
