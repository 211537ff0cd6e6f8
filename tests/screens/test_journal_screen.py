"""The journal's screen: who did what, to what, when; whether it is whole; and what it says when it cannot be read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.widgets import Static

import screens.journal
from farmtui.farm.actions import ActionError
from farmtui.farm.state import Severity
from farmtui.journal.entry import Entry
from farmtui.journal.proof import Proof
from farmtui.runbooks import kinds
from screens.journal import EntryRow, JournalScreen
from tests.screens.farms import HOSTILE
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    BERT,
    HEAD,
    FakeDesk,
    Written,
    ended,
    glass_broken,
    make_picture,
    make_plan,
    ssh_step,
    waits_for_approval,
)
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures("still")


def record() -> FakeDesk:
    """Three runs: one of yesterday, one of the glass, one that bert approved."""
    yesterday = ended("failed", "anna said so", run="run-old", minutes=1_440, seq=1)
    step = ssh_step("restart", "Restart", "db-1")
    other = make_plan(step, book="galera-restart", targets=("node:db-1",), confirm="db-1", risk=3)
    glass = glass_broken(run="run-glass", minutes=60, seq=20)
    third = Written(other, "run-third", minutes=5, seq=40).planned("it hangs", BERT).confirmed(BERT)
    return FakeDesk(third, glass, yesterday)


def host(desk: FakeDesk | None = None) -> HostApp:
    return HostApp(JournalScreen, whole_farm(), remedies=desk)


def table(app: HostApp) -> LiveTable[EntryRow]:
    return app.shown.query_one("#entries", LiveTable)


def proof(app: HostApp) -> str:
    return str(app.shown.query_one("#proof", Static).content)


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_the_newest_is_on_top_with_time_person_and_deed(size: tuple[int, int]) -> None:
    app = host(record())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert len(text_of(app)) == size[1]
        seqs = [row.seq for row in table(app).shown_rows]
        assert seqs == sorted(seqs, reverse=True)
        assert seqs[0] == 41
        if size[0] >= 80:
            first = next(line for line in text_of(app) if "confirmed by bert" in line)
            assert "2026-11-23 09:55:01" in first
            assert " bert " in first
        for key in ("j", "G", "P", "R", "T", "o", "v", "escape"):
            await pilot.press(key)
        await pilot.pause()
        assert app.is_running


async def test_what_was_done_has_more_room_than_the_name_of_its_run() -> None:
    app = host(record())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        planned = next(line for line in text_of(app) if "planned by" in line)
        assert len(planned[planned.index("planned by") :].split("…")[0].strip()) >= 35


async def test_what_commands_print_is_not_in_the_record() -> None:
    app = host(record())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        assert kinds.OUTPUT not in {row.kind for row in table(app).shown_rows}


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [
        ("who=bert", {"run-third"}),
        ("target=db-1", {"run-third"}),
        ("target=cache-2", {"run-old", "run-glass"}),
        ("kind=confirmed", {"run-old", "run-glass", "run-third"}),
        ("kind=ended", {"run-old"}),
        ("day=2026-11-22", {"run-old"}),
        ("day=2026-11-23", {"run-glass", "run-third"}),
        ("book=galera-restart", {"run-third"}),
    ],
)
async def test_it_is_filtered_by_person_target_kind_and_day(wanted: str, runs: set[str]) -> None:
    app = host(record())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("slash", *"-l ", *wanted, "enter")
        await table(app).settled()
        rows = table(app).shown_rows
        assert {row.run for row in rows} == runs
        name, value = wanted.split("=")
        if name == "kind":
            assert {row.kind for row in rows} == {value}
        await pilot.press("escape")
        await table(app).settled()
        assert len(table(app).shown_rows) > len(rows)


async def test_what_is_loud_is_marked() -> None:
    app = host(record())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        lines = text_of(app)
        glass = next(line for line in lines if "GLASS BROKEN, without a second person" in line)
        assert "✖" in glass
        assert "nobody answers th" in glass
        assert "▲" in next(line for line in lines if "ENDED: failed" in line)
        assert "✖" not in next(line for line in lines if "confirmed by bert" in line)


async def test_older_pages_are_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens.journal, "PAGE", 5)
    desk = record()
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        newest = [row.seq for row in table(app).shown_rows]
        assert len(newest) == 5
        await pilot.press("o")
        await pilot.pause()
        assert desk.read[-1] == (newest[-1], 5)
        rows = [row.seq for row in table(app).shown_rows]
        assert len(rows) == 10
        assert rows[:5] == newest
        for _ in range(5):
            await pilot.press("o")
            await pilot.pause()
        assert [row.seq for row in table(app).shown_rows][-1] == 1
        assert app.said[-1] == ("this is all: the first entry is among them", Severity.INFO)
        reads = len(desk.read)
        await pilot.press("o")
        await pilot.pause()
        assert len(desk.read) == reads


async def test_a_plan_on_an_older_page_names_the_target_of_newer_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens.journal, "PAGE", 3)
    desk = FakeDesk(ended("ok"))
    desk.picture = make_picture()
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert {row.target for row in table(app).shown_rows} == {""}
        for _ in range(6):
            await pilot.press("o")
            await pilot.pause()
        assert {row.target for row in table(app).shown_rows} == {"cache-2"}


async def test_older_pages_that_cannot_be_read_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens.journal, "PAGE", 5)
    desk = record()
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        desk.refuses = "the journal does not answer"
        await pilot.press("o")
        await pilot.pause()
        assert app.said[-1] == ("the journal does not answer", Severity.WARNING)
        assert len(table(app).shown_rows) == 5
        desk.refuses = ""
        await pilot.press("o")
        await pilot.pause()
        assert len(table(app).shown_rows) == 10


async def test_what_is_written_meanwhile_comes_on_top_and_nothing_comes_twice() -> None:
    desk = record()
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        before = [row.seq for row in table(app).shown_rows]
        more = waits_for_approval(run="run-new", minutes=1, seq=50)
        desk.entries += more.entries
        desk.picture = make_picture(more)
        app.shown.repaint()
        await pilot.pause()
        assert [row.seq for row in table(app).shown_rows] == [51, 50, *before]


async def test_when_more_came_than_a_page_there_is_no_hidden_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens.journal, "PAGE", 100)
    desk = FakeDesk(waits_for_approval())
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        monkeypatch.setattr(screens.journal, "PAGE", 4)
        for number in range(5):
            desk.entries += waits_for_approval(run=f"run-{number}", minutes=5, seq=10 + 2 * number).entries
        desk.picture = make_picture()
        app.shown.repaint()
        await pilot.pause()
        assert [row.seq for row in table(app).shown_rows] == [19, 18, 17, 16]
        for _ in range(3):
            await pilot.press("o")
            await pilot.pause()
        assert [row.seq for row in table(app).shown_rows] == [*range(19, 9, -1), 2, 1], "and it can be read back"


class SlowDesk(FakeDesk):
    """A desk that answers when it is told to."""

    def __init__(self, *runs: Written) -> None:
        super().__init__(*runs)
        self.answers = asyncio.Event()
        self.fails = ""
        """What one reading fails with."""
        self.failed = 0

    async def record(self, *, before: int | None = None, limit: int = 2_000) -> list[Entry]:
        found = await super().record(before=before, limit=limit)
        await self.answers.wait()
        if self.fails:
            words, self.fails = self.fails, ""
            self.failed += 1
            raise ActionError(words)
        return found

    async def prove(self) -> Proof:
        proof = await super().prove()
        await self.answers.wait()
        return proof


async def test_a_busy_journal_is_read_and_proved_all_the_same() -> None:
    """Pictures that come faster than the journal answers must not begin it all again and again."""
    desk = SlowDesk(ended("ok"))
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for _ in range(10):
            desk.picture = replace(desk.picture, runs=tuple(desk.picture.runs[:]), place=desk.picture.place + "!")
            app.shown.repaint()
            await pilot.pause()
        assert "being proved" in proof(app)
        assert (desk.proved, len(desk.read)) == (1, 1)
        desk.answers.set()
        await pilot.pause()
        await pilot.pause()
        assert "whole" in proof(app)
        assert len(desk.read) == 2, "once more for what has come meanwhile"
        assert len({row.seq for row in table(app).shown_rows}) == len(table(app).shown_rows) > 0


async def test_a_reading_that_failed_is_over_when_the_next_has_come_through() -> None:
    desk = SlowDesk(ended("ok"))
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        desk.picture = replace(desk.picture, place="elsewhere")
        app.shown.repaint()
        await pilot.pause()
        desk.fails = "the journal does not answer"
        desk.answers.set()
        await pilot.pause()
        await pilot.pause()
        assert desk.failed == 1, "the first; the second waited for its turn"
        assert "whole" in proof(app)
        assert table(app).shown_rows


async def test_it_is_proved_when_it_is_opened_and_on_demand() -> None:
    desk = record()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert desk.proved == 1
        assert "● whole  17 entries, the last hash is abababababababab" in " ".join(text_of(app)).replace(" ok", "")
        await pilot.press("v")
        await pilot.pause()
        assert desk.proved == 2


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_a_broken_proof_is_loud_and_says_where(size: tuple[int, int]) -> None:
    desk = record()
    desk.proof = Proof(6, HEAD, 7, "its content is not what was written: its hash says otherwise")
    desk.picture = replace(desk.picture, place="postgresql://farmtui@journal.internal.example.org:5432/farmtui")
    app = host(desk)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = seen(app)
        assert "✖" in text
        assert "BROKEN at entry 7" in text
        assert "its content is not what was written" in text or size[0] < 80
        assert "entries 1 to 6 are whole" in proof(app)
        assert table(app).shown_rows, "and it can be read"


async def test_without_the_journal_the_trouble_is_said_and_what_was_read_stays() -> None:
    desk = record()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        rows = len(table(app).shown_rows)
        desk.refuses = "the journal does not answer: connection refused"
        desk.picture = replace(desk.picture, trouble=desk.refuses)
        app.shown.repaint()
        await pilot.pause()
        assert "✖" in proof(app)
        assert "connection refused" in seen(app)
        assert len(table(app).shown_rows) == rows
        desk.refuses = ""
        desk.picture = replace(desk.picture, trouble="")
        app.shown.repaint()
        await pilot.pause()
        assert "whole" in proof(app), "and that is over when it answers again"


async def test_a_journal_that_never_answered_is_not_an_empty_one() -> None:
    desk = FakeDesk(refuses="no such host: journal.example.org")
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "no such host" in proof(app)
        assert "nothing was done yet" not in seen(app)
        assert "opening the journal" not in seen(app)
        desk.refuses = ""
        desk.picture = replace(desk.picture, place="elsewhere")
        app.shown.repaint()
        await pilot.pause()
        assert "no such host" not in seen(app)
        assert "nothing was done yet" in seen(app)


async def test_a_proof_that_failed_once_is_not_held_against_it() -> None:
    desk = record()
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        desk.refuses = "the journal does not answer"
        await pilot.press("v")
        await pilot.pause()
        assert "does not answer" in proof(app)
        desk.refuses = ""
        await pilot.press("v")
        await pilot.pause()
        assert "whole" in proof(app)


async def test_before_the_journal_is_open_it_says_so() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o", "v", "x", "enter")
        await pilot.pause()
        assert "opening the journal" in seen(app)
        app.remedies = record()
        app.shown.repaint()
        await pilot.pause()
        assert "confirmed by bert" in seen(app)


async def test_enter_opens_the_run_of_an_entry() -> None:
    app = host(record())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        (subject,) = app.opened
        assert (subject.kind, subject.key, subject.title) == ("run", "run-third", "galera-restart db-1")


async def test_hostile_words_are_only_text() -> None:
    run = Written().planned(HOSTILE).confirmed(broken=HOSTILE).begun().asks("failed", HOSTILE, "stop")
    run.add(kinds.ANSWERED, {"question": 4, "choice": "stop", "note": HOSTILE}, BERT)
    app = host(FakeDesk(run.ended("failed", HOSTILE)))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert text.count("[/x]") == 5
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
