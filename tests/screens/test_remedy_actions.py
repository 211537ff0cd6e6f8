"""`x`: which books are offered for what, what may be said to a run, and that what is said arrives, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding
from farmtui.runbooks.loading import Shelf
from farmtui.runbooks.people import Rights
from screens.actions import ActionMenu, Scene, actions_for, perform
from screens.alerts import AlertsScreen
from screens.console import Console
from screens.describe import Detail
from screens.known import known_of
from screens.places import Subject
from screens.remedy_details import run_subject
from screens.run_dialogs import AnswerDialog
from screens.runbooks import RunbooksScreen
from screens.start_run import StartScreen
from tests.screens.farms import HOSTILE, make_alert
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    BERT,
    BROKEN,
    FakeDesk,
    Written,
    asks_failed,
    ended,
    glass_broken,
    library,
    make_picture,
    paused,
    running,
    undoing,
    waits_for_approval,
)
from widgets.dialog import ConfirmDialog

pytestmark = pytest.mark.usefixtures("still")

NODE = Subject("node", "cache-2", "cache-2")
NO_OPERATOR = Rights("carl is no operator (roles.operators in the config)", "carl is no approver (roles.approvers)")
DOWN = make_alert("VarnishDown", instance="10.20.4.1:9100")
CRASHED = Finding(
    "varnish cache-2", Severity.CRITICAL, "Varnish on cache-2 is down", "its child died", subject=("node", "cache-2"),
    topics=("varnish",),
)  # fmt: skip


def farm() -> Farm:
    made = whole_farm()
    assert made.book is not None
    return replace(made, book=replace(made.book, alerts=(*made.book.alerts, DOWN)))


def host(desk: FakeDesk | None, *, read_only: str = "", findings: Sequence[Finding] = ()) -> HostApp:
    return HostApp(RunbooksScreen, farm(), remedies=desk, read_only=read_only, findings=tuple(findings))


def refusals(app: HostApp, *subjects: Subject) -> dict[str, str]:
    assert app.farm is not None
    scene = Scene(app, app.farm, subjects)
    return {item.id: item.refusal(scene) for item in actions_for(scene)}


def books(app: HostApp, *subjects: Subject) -> list[str]:
    return [ident.removeprefix("book.") for ident in refusals(app, *subjects) if ident.startswith("book.")]


def known(app: HostApp, subject: Subject) -> Detail | None:
    return known_of(cast("Console", app), subject)


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


async def do(pilot: Pilot[None], app: HostApp, ident: str, subject: Subject, *keys: str) -> None:
    """Do an action as the menu would, and press keys in what it opens."""
    await pilot.pause()
    perform(app, ident, subject)
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()
    await pilot.pause()


# -- books that fit -------------------------------------------------------------------------------


def test_the_books_that_fit_are_offered_on_top() -> None:
    app = host(FakeDesk(), findings=[CRASHED])
    assert "varnish-restart" in books(app, NODE)
    osd = books(app, Subject("osd", "osd.3", "osd.3"))
    assert {"ceph-osd-out", "ceph-osd-restart", "ceph-osd-return"} <= set(osd)
    assert "varnish-restart" not in osd
    assert books(app, Subject("alert", DOWN.fingerprint, "VarnishDown"))[0] == "varnish-restart"
    assert books(app, Subject("finding", CRASHED.key, CRASHED.title))[0] == "varnish-restart"
    assert "varnish-restart" not in books(app, Subject("node", "db-1", "db-1"))
    assert books(app, Subject("alert", "gone", "Gone")) == []
    first = next(iter(refusals(app, NODE)))
    assert first.startswith("book.")


def test_books_are_for_one_thing_and_not_for_runs_and_books() -> None:
    run = running()
    app = host(FakeDesk(run))
    assert books(app, NODE, Subject("node", "cache-1", "cache-1")) == []
    assert books(app, run_subject(run.state)) == []
    assert books(app, Subject("book", "varnish-restart", "varnish-restart")) == ["run"]
    assert books(host(None), NODE) == [], "without a journal there is nothing to offer"


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_the_menu_of_a_node_names_the_book_and_starts_it_with_the_node(size: tuple[int, int]) -> None:
    app = host(FakeDesk())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.push_screen(ActionMenu(NODE))
        await pilot.pause()
        if size[1] >= 24:
            assert "varnish-restart" in seen(app)
            assert "risk 2" in seen(app)
        await pilot.press("v", "enter")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, StartScreen)
        assert app.screen.query_one("#input-node", Input).value == "cache-2"
        assert app.screen.query_one("#reason", Input).value == ""


async def test_an_alert_that_offers_a_book_is_its_reason() -> None:
    app = host(FakeDesk())
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "book.varnish-restart", Subject("alert", DOWN.fingerprint, "VarnishDown"))
        assert isinstance(app.screen, StartScreen)
        assert app.screen.query_one("#input-node", Input).value == "cache-2"
        assert app.screen.query_one("#reason", Input).value == "VarnishDown: "


async def test_what_is_started_is_opened() -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "book.varnish-restart", NODE, *"hung", "enter", "enter")
        await pilot.press(*"cache-2", "enter")
        for _ in range(3):
            await pilot.pause()
        assert [words[0] for words in desk.said] == ["start"]
        assert [(subject.kind, subject.key) for subject in app.opened] == [("run", "new-run")]


async def test_a_book_of_the_library_is_run_from_screen_9() -> None:
    app = host(FakeDesk())
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "book.run", Subject("book", "varnish-restart", "varnish-restart"))
        assert isinstance(app.screen, StartScreen)
        assert app.screen.query_one("#input-node", Input).value == ""


def test_a_broken_book_and_one_that_is_gone_are_not_run() -> None:
    app = host(FakeDesk(picture=make_picture(shelf=Shelf(library().books, (BROKEN,)))))
    assert refusals(app, Subject("book", "half-a-book", "half-a-book"))["book.run"] == "it is broken: Enter says why"
    assert refusals(app, Subject("book", "gone", "gone"))["book.run"]
    assert refusals(app, Subject("book", "varnish-restart", ""))["book.run"] == ""


# -- who may not ----------------------------------------------------------------------------------

RUN_ACTIONS = ("answer", "approve", "reject", "pause", "resume", "end", "undo", "again")


@pytest.mark.parametrize(
    ("given", "read_only", "why"),
    [
        ({"rights": NO_OPERATOR}, "", NO_OPERATOR.operate),
        ({"trouble": "the journal does not answer"}, "", "the journal does not answer"),
        ({}, "--read-only was given", "read-only: --read-only was given"),
    ],
    ids=["viewer", "trouble", "read-only"],
)
async def test_who_may_not_reads_why(given: dict[str, Any], read_only: str, why: str) -> None:
    run, over = asks_failed(), ended(run="run-over")
    desk = FakeDesk(picture=make_picture(run, over, **given))
    app = host(desk, read_only=read_only)
    subject = run_subject(run.state)
    found = refusals(app, subject)
    for ident in ("answer", "pause", "end"):
        assert found[f"run.{ident}"] == why, ident
    assert refusals(app, run_subject(over.state))["run.again"] == why
    assert refusals(app, NODE)["book.varnish-restart"] == why
    assert refusals(app, Subject("book", "varnish-restart", ""))["book.run"] == why
    assert found["run.copy"] == "", "reading is free"
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.push_screen(ActionMenu(subject))
        await pilot.pause()
        assert f"not now: {why}"[:40] in seen(app)
        for ident in RUN_ACTIONS:
            perform(app, f"run.{ident}", subject)
        for ident in ("book.run", "book.varnish-restart"):
            perform(app, ident, Subject("book", "varnish-restart", "varnish-restart"))
        await pilot.pause()
        assert isinstance(app.screen, ActionMenu), "nothing was opened"
        assert desk.said == []
        assert all(severity is Severity.WARNING for _, severity in app.said)


def test_before_the_journal_is_open_all_is_refused() -> None:
    app = host(None)
    found = refusals(app, Subject("run", "x", "x"))
    assert all(found[f"run.{ident}"] for ident in RUN_ACTIONS)
    assert refusals(app, Subject("book", "x", "x"))["book.run"] == "the journal is being opened"


# -- what may be said to a run --------------------------------------------------------------------

POSSIBLE: dict[str, tuple[Callable[[], Written], set[str]]] = {
    "running": (running, {"pause", "end"}),
    "asks": (asks_failed, {"answer", "pause", "end"}),
    "paused": (paused, {"resume", "end"}),
    "of another": (lambda: waits_for_approval(by=BERT), {"approve", "reject", "pause", "end"}),
    "my own": (waits_for_approval, {"pause", "end"}),
    "glass": (glass_broken, {"pause", "end"}),
    "undoing": (undoing, {"pause", "end"}),
    "ended": (ended, {"again"}),
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_is_possible_follows_from_how_it_stands(name: str) -> None:
    make, possible = POSSIBLE[name]
    run = make()
    app = host(FakeDesk(run))
    found = refusals(app, run_subject(run.state))
    assert {ident for ident in RUN_ACTIONS if not found[f"run.{ident}"]} == possible
    assert all(len(found[f"run.{ident}"]) > 5 for ident in set(RUN_ACTIONS) - possible), "and each says why not"


def test_nobody_approves_their_own_nor_what_they_confirmed() -> None:
    mine = waits_for_approval()
    assert "another user must" in refusals(host(FakeDesk(mine)), run_subject(mine.state))["run.approve"]
    both = Written(mine.plan, "run-both").planned(by=BERT).confirmed()
    assert "another user must" in refusals(host(FakeDesk(both)), run_subject(both.state))["run.approve"]
    theirs = waits_for_approval(by=BERT)
    may_not = FakeDesk(picture=make_picture(theirs, rights=Rights("", "anna is no approver")))
    assert refusals(host(may_not), run_subject(theirs.state))["run.approve"] == "anna is no approver"


async def test_an_approval_shows_the_plan_wants_its_target_and_is_of_its_hash() -> None:
    run = waits_for_approval(by=BERT)
    desk = FakeDesk(run)
    app = host(desk)
    async with app.run_test(size=(120, 60)) as pilot:
        await do(pilot, app, "run.approve", run_subject(run.state), "y", "enter")
        assert isinstance(app.screen, ConfirmDialog)
        text = seen(app)
        assert "asked for by bert, because: its child died three times" in text
        assert "ssh cache-2: sudo systemctl restart" in text
        assert desk.said == []
        await pilot.press("backspace", *"cache-2", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [("approve", run.run, run.state.hash)]
        assert app.said[-1] == ("approved", Severity.OK)


@pytest.mark.parametrize(
    ("ident", "make", "said"),
    [
        ("reject", lambda: waits_for_approval(by=BERT), ("reject", "not tonight")),
        ("pause", running, ("pause", "not tonight")),
        ("end", running, ("cancel", "not tonight")),
    ],
)
async def test_a_reason_arrives(ident: str, make: Callable[[], Written], said: tuple[str, str]) -> None:
    run = make()
    desk = FakeDesk(run)
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, f"run.{ident}", run_subject(run.state), "enter")
        assert desk.said == []
        await pilot.press(*"not", "space", *"tonight", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [(said[0], run.run, said[1])]
        assert app.screen is app.shown


@pytest.mark.parametrize("ident", ["reject", "pause", "end", "undo", "resume", "answer", "approve"])
async def test_escape_says_nothing(ident: str) -> None:
    make = {
        "reject": lambda: waits_for_approval(by=BERT), "approve": lambda: waits_for_approval(by=BERT),
        "resume": paused, "answer": asks_failed, "undo": undoable,
    }.get(ident, running)  # fmt: skip
    run = make()
    desk = FakeDesk(run)
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        perform(app, f"run.{ident}", run_subject(run.state))
        await pilot.pause()
        assert app.screen is not app.shown
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.shown
        assert (desk.said, app.said) == ([], [])


def undoable() -> Written:
    """Two steps were done, and could be taken back."""
    run = undoing()
    cancelled = next(number for number, entry in enumerate(run.entries) if entry.kind == "cancelled")
    del run.entries[cancelled:]
    return run


async def test_an_undoing_shows_what_it_takes_back_the_last_first() -> None:
    run = undoable()
    desk = FakeDesk(run)
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "run.undo", run_subject(run.state))
        text = seen(app)
        assert text.index("ssh cache-2: undo stop") < text.index("ssh cache-2: undo drain")
        await pilot.press(*"wrong", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [("undo", run.run, "wrong")]


async def test_a_paused_run_is_resumed_by_y_and_says_by_whom_it_was_paused() -> None:
    run = paused()
    desk = FakeDesk(run)
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "run.resume", run_subject(run.state), "enter")
        assert "paused by bert: lunch" in seen(app)
        assert desk.said == []
        await pilot.press("y")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [("resume", run.run)]


async def test_an_answer_is_to_the_question_that_was_seen() -> None:
    run = asks_failed()
    desk = FakeDesk(run)
    app = host(desk)
    question = run.state.question
    assert question is not None
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "run.answer", run_subject(run.state))
        assert isinstance(app.screen, AnswerDialog)
        run.add("answered", {"question": question.seq, "choice": "repeat"}, BERT)
        run.asks("failed", "another question", "stop", "skip")
        desk.picture = make_picture(run)
        await pilot.press("s", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [("answer", run.run, question.seq, "skip", "")], "the desk refuses it, by its number"


async def test_an_answer_may_be_clicked() -> None:
    run = asks_failed()
    desk = FakeDesk(run)
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "run.answer", run_subject(run.state))
        for _ in range(2):
            if isinstance(app.screen, AnswerDialog):
                await pilot.click("LiveTable", offset=(4, 2))
                await pilot.pause()
        await pilot.pause()
        assert [words[3] for words in desk.said] == ["again"]


@pytest.mark.parametrize(
    ("ident", "make", "keys"),
    [
        ("answer", asks_failed, ["s", "enter"]),
        ("pause", running, [*"why", "enter"]),
        ("end", running, [*"why", "enter"]),
        ("resume", paused, ["y"]),
        ("undo", undoable, [*"why", "enter"]),
        ("approve", lambda: waits_for_approval(by=BERT), [*"cache-2", "enter"]),
        ("reject", lambda: waits_for_approval(by=BERT), [*"why", "enter"]),
    ],
)
async def test_a_refusal_is_said_in_words(ident: str, make: Callable[[], Written], keys: list[str]) -> None:
    run = make()
    desk = FakeDesk(run, refuses=f"run {run.run}: it has ended: ok")
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, f"run.{ident}", run_subject(run.state), *keys)
        assert app.said == [(desk.refuses, Severity.CRITICAL)]
        assert app.screen is app.shown


async def test_planning_again_takes_its_inputs_and_its_reason() -> None:
    run = ended("failed", "no use")
    app = host(FakeDesk(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "run.again", run_subject(run.state))
        assert isinstance(app.screen, StartScreen)
        assert app.screen.query_one("#input-node", Input).value == "cache-2"
        assert app.screen.query_one("#reason", Input).value == "its child died three times"
    gone = FakeDesk(picture=make_picture(run, shelf=Shelf({})))
    assert refusals(host(gone), run_subject(run.state))["run.again"] == "its book is gone"


async def test_its_id_is_copied() -> None:
    run = running()
    app = host(FakeDesk(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, app, "run.copy", run_subject(run.state))
        assert app.clipped == [run.run]


# -- what is known of them ------------------------------------------------------------------------


def test_a_book_and_a_run_are_described() -> None:
    run = ended("failed", "no use")
    app = host(FakeDesk(run))
    book = known(app, Subject("book", "varnish-restart", ""))
    assert book is not None
    assert [link.subject.key for link in book.links] == [run.run], "how it ended last, and the way there"
    facts = {field.label: field.text for block in book.blocks for field in block.fields}
    assert (facts["risk"], facts["alerts"], facts["node"]) == (
        "2, affects service", "Varnish*", "node of tier cache: the cache node"
    )  # fmt: skip
    detail = known(app, run_subject(run.state))
    assert detail is not None
    assert detail.severity is Severity.CRITICAL
    facts = {field.label: field.text for block in detail.blocks for field in block.fields if field.label}
    assert (facts["state"], facts["by"], facts["because"]) == ("failed", "anna", "its child died three times")
    assert known(app, Subject("book", "gone", "")) is None
    assert known(app, Subject("run", "gone", "")) is None
    assert known(host(None), run_subject(run.state)) is None


def test_a_broken_book_says_what_is_wrong_with_it() -> None:
    app = host(FakeDesk(picture=make_picture(shelf=Shelf({}, (BROKEN,)))))
    detail = known(app, Subject("book", "half-a-book", ""))
    assert detail is not None
    assert [field.text for block in detail.blocks for field in block.fields] == [BROKEN.why]


async def test_hostile_titles_and_reasons_are_only_text() -> None:
    theirs = waits_for_approval(by=BERT)
    theirs.entries.clear()
    theirs.planned(HOSTILE, BERT).confirmed(BERT)
    app = HostApp(AlertsScreen, farm(), remedies=FakeDesk(theirs))
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.pause()
        app.push_screen(ActionMenu(replace(run_subject(theirs.state), title="[/x] [@click=app.quit]boo[/]")))
        await pilot.pause()
        assert "[@click=app.quit]boo[/]" in seen(app)
        await pilot.press("escape")
        await do(pilot, app, "run.approve", run_subject(theirs.state))
        text = "\n".join(text_of(app))
        assert "[@click=app.quit]boo[/]" in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
