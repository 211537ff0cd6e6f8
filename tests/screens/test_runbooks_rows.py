"""Screen 9: what waits for somebody is on top and named; the library says what each book is for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Static

from farmtui.runbooks.loading import Shelf
from farmtui.runbooks.picture import Picture
from screens.places import Subject
from screens.runbooks import BookRow, RunbooksScreen, RunRow
from tests.screens.farms import HOSTILE, NOW
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    BERT,
    BROKEN,
    FakeDesk,
    Still,
    asks_failed,
    ended,
    fanned_out,
    glass_broken,
    library,
    make_picture,
    paused,
    running,
    waits_for_approval,
)
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures("still")


def some() -> FakeDesk:
    return FakeDesk(
        running(run="run-a", minutes=2), asks_failed(run="run-b", minutes=5), fanned_out(run="run-c", minutes=9),
        waits_for_approval(run="run-d", minutes=12, by=BERT), paused(run="run-e", minutes=30),
        ended("failed", "anna said so", run="run-f", minutes=60), ended("ok", run="run-g", minutes=90),
    )  # fmt: skip


def host(desk: FakeDesk | None = None) -> HostApp:
    return HostApp(RunbooksScreen, whole_farm(), remedies=desk)


def runs(app: HostApp) -> LiveTable[RunRow]:
    return app.shown.query_one("#runs", LiveTable)


def books(app: HostApp) -> LiveTable[BookRow]:
    return app.shown.query_one("#books", LiveTable)


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
@pytest.mark.parametrize("many", [0, 1, 30])
async def test_every_picture_at_every_size(size: tuple[int, int], many: int) -> None:
    made = [asks_failed(run=f"run-{number}", minutes=number + 1) for number in range(many)]
    app = host(FakeDesk(*made))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert len(text_of(app)) == size[1]
        for key in ("j", "G", "g", "tab", "j", "e", "e", "R", "L", "N", "ctrl+f"):
            await pilot.press(key)
        if size[1] >= 24:
            assert books(app).region.height >= 4, "however many runs there are, books are in sight"
            assert "restart" in seen(app)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_what_waits_for_somebody_is_on_top_and_says_for_whom(size: tuple[int, int]) -> None:
    app = host(some())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        rows = runs(app).shown_rows
        assert [row.run for row in rows] == ["run-b", "run-d", "run-e", "run-a", "run-c"]
        assert [row.how.word for row in rows] == ["asks", "waits", "paused", "running", "running"]
        lines = [line for line in text_of(app) if "varnish-restart" in line]
        asking = next(line for line in lines if "asks" in line and "cache-2" in line)
        assert "▲ asks" in asking
        assert "1/2 Restart" in asking
    assert "bert" in next(row for row in rows if row.run == "run-d").by


async def test_all_that_is_asked_is_named_where_there_is_room() -> None:
    app = host(some())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = seen(app)
        assert "1/2 Restart Varnish: failed: ended with 1" in text
        assert "waits for a second person's approval" in text
        assert "waits for being resumed" in text
        assert "its child died three times" in text


async def test_those_that_have_ended_are_shown_when_asked_for_with_why() -> None:
    app = host(some())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "anna said so" not in seen(app)
        assert app.focused is books(app)
        await pilot.press("e")
        await runs(app).settled()
        await pilot.pause()
        assert [row.run for row in runs(app).shown_rows] == [
            "run-b", "run-d", "run-e", "run-f", "run-a", "run-c", "run-g"
        ]  # fmt: skip
        assert "anna said so" in seen(app)
        assert app.focused is runs(app)
        await pilot.press("e")
        await runs(app).settled()
        assert len(runs(app).shown_rows) == 5
        assert app.focused is books(app)


async def test_without_runs_it_says_where_they_come_from() -> None:
    app = host(FakeDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "x on anything that is wrong offers what mends it" in seen(app)


async def test_a_run_that_loses_its_runner_rises_by_itself(still: type[Still]) -> None:
    run, other = running(run="run-a", minutes=1), running(run="run-b", minutes=0.2)
    desk = FakeDesk(picture=replace(make_picture(other, run), holders={"run-b": "bastion-1[1]"}))
    app = host(desk)
    still.moment = run.entries[0].at + timedelta(seconds=5)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert [row.how.word for row in runs(app).shown_rows] == ["running", "running"]
        still.moment = NOW
        screen = app.shown
        assert isinstance(screen, RunbooksScreen)
        screen._tick()
        await runs(app).settled()
        assert [(row.run, row.how.word) for row in runs(app).shown_rows] == [("run-a", "alone"), ("run-b", "running")]


async def test_the_library_says_risk_purpose_and_how_it_ended_last() -> None:
    app = host(some())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        rows = {row.name: row for row in books(app).shown_rows}
        assert set(rows) == set(library().books)
        line = next(
            line for line in text_of(app) if "Restart Varnish on one cache node" in line and "2 service" in line
        )
        assert "Varnish*" in line
        assert "running" in line, "the newest of its runs"
        assert "never" in next(line for line in text_of(app) if "ceph-noout" in line)


async def test_the_book_under_the_cursor_is_told_of() -> None:
    app = host(FakeDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        books(app).move_to("varnish-restart")
        await pilot.pause()
        about = str(app.shown.query_one("#about", Static).content)
        assert about.startswith("Restart Varnish on one cache node. When a cache node's child process dies")
        assert "asks for node; 1 step; offered by Varnish*" in about


async def test_a_broken_book_is_on_top_with_what_is_wrong_and_is_not_run() -> None:
    desk = FakeDesk(picture=make_picture(shelf=Shelf(library().books, (BROKEN,))))
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert books(app).shown_rows[0].name == "half-a-book"
        assert "half-a-book.yaml:3: steps: is missing" in seen(app)
        await pilot.press("x")
        await pilot.pause()
        assert "not now: it is broken: Enter says why" in seen(app)
        assert desk.planned == []


async def test_books_are_sorted_by_keys_and_found_by_what_they_are_for() -> None:
    app = host(FakeDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("R")
        await books(app).settled()
        risks = [row.risk for row in books(app).shown_rows]
        assert risks == sorted(risks, reverse=True)
        assert len(set(risks)) > 1
        await pilot.press("slash", *"varnish", "enter")
        await books(app).settled()
        assert [row.name for row in books(app).shown_rows] == ["varnish-restart"]


async def test_enter_opens_what_the_cursor_is_on() -> None:
    app = host(some())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        books(app).move_to("ceph-noout")
        await pilot.press("enter")
        runs(app).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert app.opened == [
            Subject("book", "ceph-noout", "ceph-noout"), Subject("run", "run-b", "varnish-restart cache-2")
        ]  # fmt: skip


async def test_faults_only_leaves_what_wants_somebody() -> None:
    app = host(some())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.only_faults()
        await runs(app).settled()
        assert [row.run for row in runs(app).shown_rows] == ["run-b", "run-d", "run-e"]


async def test_before_the_journal_is_open_it_says_so_and_then_it_shows() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert seen(app).count("opening the journal") == 2
        app.remedies = some()
        app.shown.repaint()
        await pilot.pause()
        assert "opening the journal" not in seen(app)
        assert len(runs(app).shown_rows) == 5


async def test_without_the_journal_the_trouble_is_said_and_the_last_picture_stays() -> None:
    desk = some()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        desk.picture = replace(desk.picture, trouble="the journal does not answer: no space left on the device")
        app.shown.repaint()
        await pilot.pause()
        assert "✖ the journal does not answer: no space left on the device" in seen(app)
        assert len(runs(app).shown_rows) == 5
        assert len(books(app).shown_rows) == len(library().books)
        desk.picture = replace(desk.picture, trouble="")
        app.shown.repaint()
        await pilot.pause()
        assert "does not answer" not in seen(app)


async def test_a_journal_that_never_answered_is_no_empty_journal() -> None:
    app = host(FakeDesk(picture=Picture(trouble="no such host: journal.example.org")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "✖ no such host: journal.example.org" in seen(app)


async def test_hostile_reasons_and_questions_are_only_text() -> None:
    run = running().step_ended(outcome="failed", why=HOSTILE).asks("failed", HOSTILE, "stop")
    other = glass_broken(run="run-b")
    other.entries.clear()
    other.planned(HOSTILE)
    app = host(FakeDesk(run, other))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert text.count("[/x]") >= 2
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


async def test_nothing_is_sent_again_when_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = some()
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = app.shown
        assert isinstance(screen, RunbooksScreen)
        screen._tick()
        await pilot.pause()
        sent: list[object] = []
        display = app._display

        def counted(where: object, renderable: object) -> None:
            sent.append(renderable)
            display(where, renderable)  # type: ignore[arg-type]

        monkeypatch.setattr(app, "_display", counted)
        desk.picture = replace(desk.picture, runs=tuple(desk.picture.runs))
        screen.repaint()
        screen._tick()
        await pilot.pause()
        await pilot.pause()
        assert sent == []
