"""Screen 9, and the record of what was done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from farmtui.farm.state import Severity
from farmtui.journal.entry import Entry
from farmtui.journal.proof import Proof
from farmtui.journal.store import Head
from screens import journal as journal_screen
from screens.detail import DetailScreen
from screens.journal import JournalScreen
from screens.lines import Line
from screens.overview import OverviewScreen
from screens.places import Place, Subject
from screens.runbooks import RunbooksScreen
from tests.screens.farms import incident
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.remedies import FakeDesk, Told, asking, broken_shelf, ended, hostile, make_plan, measuring, picture
from tests.screens.whole import whole_farm
from widgets.live_table import LiveTable


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


def rows(app: HostApp, table: str) -> list[object]:
    return list(app.screen.query_one(table, LiveTable).shown_rows)


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_it_shows_at_every_size(size: tuple[int, int]) -> None:
    app = HostApp(RunbooksScreen, incident(), remedies=FakeDesk(picture(asking(), measuring(), hostile())))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert "varnish" in text
        assert "\x1b" not in text


async def test_what_waits_for_somebody_is_on_top_and_says_what_it_asks() -> None:
    going = measuring()
    going.entries = [replace(entry, run="newer") for entry in going.entries]
    going.run = "newer"
    app = HostApp(RunbooksScreen, incident(), remedies=FakeDesk(picture(going, asking("Look at cache-2."))))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert [row.how.word for row in rows(app, "#runs")] == ["asks", "running"]  # type: ignore[attr-defined]
        text = seen(app)
        assert "1/3 Look at cache-2." in text
        assert "2/3 at Ban it" in text


async def test_runs_that_have_ended_are_shown_on_demand() -> None:
    app = HostApp(RunbooksScreen, incident(), remedies=FakeDesk(picture(ended("failed", "it broke"))))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert rows(app, "#runs") == []
        assert "no runs under way" in seen(app)
        app.shown.set_filter("varnish-restart")
        await pilot.pause()
        assert "✖ failed" in seen(app), "the book says how its last run ended"
        app.shown.set_filter("")
        await pilot.press("e")
        await pilot.pause()
        assert "it broke" in seen(app)
        await pilot.press("enter")
        assert [(subject.kind, subject.key) for subject in app.opened] == [("run", ended("failed").run)]


async def test_books_are_searched_by_all_that_one_remembers_of_them() -> None:
    app = HostApp(RunbooksScreen, incident(), remedies=FakeDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for typed, expected in (("noout", "ceph-noout"), ("GaleraNotPrimary", "galera-bootstrap")):
            app.shown.set_filter(typed)
            await pilot.pause()
            assert expected in [row.name for row in rows(app, "#books")]  # type: ignore[attr-defined]
            assert "swarm-scale" not in [row.name for row in rows(app, "#books")]  # type: ignore[attr-defined]


async def test_a_broken_book_is_on_top_with_why() -> None:
    app = HostApp(RunbooksScreen, incident(), remedies=FakeDesk(picture(books=broken_shelf())))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert rows(app, "#books")[0].name == "mine"  # type: ignore[attr-defined]
        assert "mine.yaml:3: risk: must be 1, 2 or 3" in seen(app)


async def test_a_journal_that_does_not_answer_is_said_over_the_last_picture() -> None:
    desk = FakeDesk(picture(asking(), trouble="the journal postgresql://db does not answer"))
    app = HostApp(RunbooksScreen, None, remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "✖ CRIT the journal postgresql://db does not answer" in seen(app).replace("CRIT  ", "CRIT ") or (
            "the journal postgresql://db does not answer" in seen(app)
        )
        assert "varnish-restart" in seen(app), "though no source has told of the farm yet"


async def test_before_the_journal_is_open_that_is_said() -> None:
    app = HostApp(RunbooksScreen, incident())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "opening the journal" in seen(app)


async def test_a_book_s_page_says_what_it_asks_does_and_requires() -> None:
    place = Place("runbooks", (Subject("book", "ceph-noout", "ceph-noout"),))
    app = HostApp(lambda: DetailScreen(place), None, remedies=FakeDesk(picture(asking())))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = seen(app)
        for words in ("Sets noout", "node of tier storage", "1. ssh Set noout, can be undone", "2. manual Do the work",
                      "ceph has a quorum without what is worked on", "2, affects service"):  # fmt: skip
            assert words in text, words


async def test_a_book_that_is_gone_is_said() -> None:
    place = Place("runbooks", (Subject("book", "gone", "gone"),))
    app = HostApp(lambda: DetailScreen(place), incident(), remedies=FakeDesk())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "There is no such runbook any more" in seen(app)


# -- seen from elsewhere --------------------------------------------------------------------------


async def test_the_header_and_the_overview_say_what_is_being_mended() -> None:
    desk = FakeDesk(picture(asking("Look at cache-2."), measuring()))
    app = HostApp(OverviewScreen, whole_farm(), remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "▲ asks varnish-restart +1" in app.screen.query_one("#status", Line).text
        assert "▲ asks varnish-restart cache-2 1/3: Look at cache-2. and 1 more" in seen(app)
        desk.picture = picture(ended())
        app.shown.repaint()
        await pilot.pause()
        assert "varnish-restart" not in app.screen.query_one("#status", Line).text


# -- the record -----------------------------------------------------------------------------------


def recorded(*runs: Told) -> list[Entry]:
    """Entries of runs, one after the other."""
    entries = [entry for told in runs for entry in told.entries]
    return [replace(entry, seq=seq) for seq, entry in enumerate(entries, 1)]


async def open_journal(desk: FakeDesk, pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_the_record_shows_at_every_size(size: tuple[int, int]) -> None:
    desk = FakeDesk(picture(asking()))
    desk.entries = recorded(asking(), hostile())
    app = HostApp(JournalScreen, incident(), remedies=desk)
    async with app.run_test(size=size) as pilot:
        await open_journal(desk, pilot)
        text = "\n".join(text_of(app))
        assert "anna" in text or size == (40, 10)
        assert "\x1b" not in text


async def test_the_newest_is_on_top_and_all_is_filtered_by_person_target_and_day() -> None:
    desk = FakeDesk(picture(asking()))
    other = Told(make_plan(targets=("node:db-1",), confirm="db-1"), run="other")
    desk.entries = recorded(asking(), measuring(), other)
    app = HostApp(JournalScreen, incident(), remedies=desk)
    async with app.run_test(size=(200, 60)) as pilot:
        await open_journal(desk, pilot)
        found = rows(app, "#entries")
        assert [row.seq for row in found] == [entry.seq for entry in reversed(desk.entries)]  # type: ignore[attr-defined]
        assert "● ok whole" in seen(app) or "whole 34 entries" in seen(app)
        for typed, count in (
            ("-l who=berta", 1),
            ("-l target=db-1", 1),
            ("-l kind=planned", 3),
            ("-l day=1999-01-01", 0),
        ):
            assert app.shown.set_filter(typed) == ""
            await pilot.pause()
            assert len(rows(app, "#entries")) == count, typed


async def test_what_is_new_comes_on_top_and_older_pages_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_screen, "PAGE", 4)
    desk = FakeDesk(picture(asking()))
    entries = recorded(asking(), measuring())
    desk.entries = entries[:-2]
    app = HostApp(JournalScreen, incident(), remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_journal(desk, pilot)
        assert len(rows(app, "#entries")) == 4
        await pilot.press("o")
        await open_journal(desk, pilot)
        assert len(rows(app, "#entries")) == 8
        desk.entries = entries
        desk.picture = picture(asking(), measuring())
        app.shown.repaint()
        await open_journal(desk, pilot)
        assert [row.seq for row in rows(app, "#entries")][:2] == [len(entries), len(entries) - 1]  # type: ignore[attr-defined]
        assert len(rows(app, "#entries")) == 10
        while len(rows(app, "#entries")) < len(entries):
            await pilot.press("o")
            await open_journal(desk, pilot)
        await pilot.press("o")
        await open_journal(desk, pilot)
        await pilot.press("o")
        await pilot.pause()
        assert app.said[-1] == ("this is all: the first entry is among them", Severity.INFO)


async def test_a_broken_record_is_loud_and_says_where() -> None:
    desk = FakeDesk(picture(asking()))
    desk.entries = recorded(asking())
    desk.proof = Proof(6, Head("j", 9, "h"), 7, "its content is not what was written: its hash says otherwise")
    app = HostApp(JournalScreen, incident(), remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_journal(desk, pilot)
        assert "BROKEN at entry 7: its content is not what was written" in seen(app)
        desk.proof = Proof(9, Head("j", 9, "h"))
        await pilot.press("v")
        await open_journal(desk, pilot)
        assert "BROKEN" not in seen(app)


async def test_a_record_that_cannot_be_read_says_why() -> None:
    desk = FakeDesk(picture(asking()))
    desk.refuses = "the journal /x/journal.db is gone: it was moved or removed"
    app = HostApp(JournalScreen, incident(), remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_journal(desk, pilot)
        assert desk.refuses in seen(app)


async def test_enter_opens_the_entry_s_run() -> None:
    desk = FakeDesk(picture(asking()))
    desk.entries = recorded(asking())
    app = HostApp(JournalScreen, incident(), remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_journal(desk, pilot)
        await pilot.press("enter")
        assert [(subject.kind, subject.key) for subject in app.opened] == [("run", asking().run)]
