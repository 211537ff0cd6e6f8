"""Runs and books as a console keeps them in sight: over a real journal, with runners that are only noted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from farmtui.config import Config, parse_config
from farmtui.farm.actions import ActionError
from farmtui.farm.farm import Farm
from farmtui.journal.entry import Author, Note
from farmtui.journal.store import Journal
from farmtui.runbooks import kinds, remedies
from farmtui.runbooks.desk import Desk
from farmtui.runbooks.people import Rights
from farmtui.runbooks.picture import Picture
from farmtui.runbooks.remedies import Remedies
from farmtui.runbooks.state import Outcome, RunState
from tests.runbooks.test_decide import plan
from tests.screens.whole import whole_farm

BOOK = """\
title: A book
risk: 2
inputs:
  node: {type: node, tier: cache}
steps:
  - name: Look
    manual: Look at {{ node.name }}.
"""


class Bench:
    """A console's remedies over a journal that the test writes to."""

    def __init__(self, made: Remedies, journal: Journal, folder: Path, started: list[Path], changes: list[int]) -> None:
        self.remedies = made
        self.journal = journal
        self.folder = folder
        self.started = started
        """Configs that runners were started on."""
        self.changes = changes

    async def until(self, holds: Callable[[], object]) -> None:
        """Until the picture is as it should be; the test's own timeout is what ends a wait in vain."""
        while not holds():  # noqa: ASYNC110 - what is waited for is written by threads
            await asyncio.sleep(0.01)

    def picture(self) -> Picture:
        """Runs and books as they are known now."""
        return self.remedies.picture

    def state(self, run: str) -> RunState:
        """A run that is in the picture."""
        found = self.picture().run(run)
        assert found is not None
        return found

    def say(self, run: str, kind: str, **body: object) -> None:
        """Write an entry, as a runner would."""
        self.journal.append(Note(kind, Author("anna", "bastion[1]"), run, body))

    def planned(self, user: str = "anna", risk: int = 1) -> str:
        """A plan of somebody's, by its run's id."""
        return Desk(self.journal, Author(user, "bastion[1]"), Rights()).plan(plan(risk), "a try")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looking often; and nothing of this user's own is looked at."""
    for name in ("LOOK_S", "FOLLOW_S", "SHELF_S"):
        monkeypatch.setattr(remedies, name, 0.01)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@asynccontextmanager
async def bench(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, more: str = "", read_only: str = "", farm: Farm | None = None
) -> AsyncIterator[Bench]:
    (folder / "books").mkdir()
    (folder / "books/look.yaml").write_text(BOOK)
    url = f"sqlite:///{folder / 'journal.db'}"
    config: Config = parse_config(
        f"farm: {{name: test}}\njournal: {{url: '{url}'}}\nrunbooks: {{folders: [{folder / 'books'}]}}\n{more}",
        folder / "farmtui.yaml",
    )
    started: list[Path] = []

    def start(path: Path) -> int:
        started.append(path)
        return os.posix_spawn("/bin/true", ["true"], {})

    monkeypatch.setattr(remedies, "start_runner", start)
    changes: list[int] = []
    made = Remedies(
        config, folder / "farmtui.yaml", farm=lambda: farm, on_change=lambda: changes.append(1), read_only=read_only
    )
    journal = Journal.open(url)
    watching = asyncio.create_task(made.watch())
    try:
        yield Bench(made, journal, folder, started, changes)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for runner in made._runners:
            await asyncio.to_thread(os.waitpid, runner, 0)
        journal.close()


async def test_runs_come_into_the_picture_and_go_on_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        picture = table.picture
        await table.until(lambda: "look" in picture().shelf.books)
        first = table.planned()
        await table.until(lambda: picture().run(first))
        second = table.planned()
        await table.until(lambda: picture().run(second))
        assert [state.run for state in picture().runs] == [second, first], "the newest is first"
        table.say(first, kinds.ENDED, outcome=Outcome.OK)
        await table.until(lambda: picture().under_way == (picture().run(second),))
        ended = picture().run(first)
        assert ended is not None
        assert ended.outcome is Outcome.OK
        assert picture().last_of("book") == picture().run(second)
        assert table.changes


async def test_a_quiet_journal_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        run = table.planned()
        await table.until(lambda: table.picture().run(run))
        looks = 0
        look = table.remedies._look

        def counted() -> object:
            nonlocal looks
            looks += 1
            return look()

        monkeypatch.setattr(table.remedies, "_look", counted)
        before = len(table.changes)
        await table.until(lambda: looks > 5)
        assert len(table.changes) == before


async def test_a_story_is_told_from_the_first_entry_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remedies, "PAGE", 3)
    async with bench(tmp_path, monkeypatch) as table:
        run = table.planned()
        part = {"step": "one", "part": "", "attempt": 1}
        table.say(run, kinds.BEGUN, hash="", targets=[])
        table.say(run, kinds.EFFECT, **part, machine="bastion")
        for number in range(7):
            table.say(run, kinds.OUTPUT, **part, stream="out", text=f"line {number}\n", end=number)
        table.remedies.follow(run)

        def last() -> str:
            story = table.picture().stories.get(run)
            return story.lines[-1].text if story and story.lines else ""

        await table.until(lambda: last() == "[one] | line 6")
        told = table.picture().stories[run]
        assert told.lines[0].text.startswith("planned by anna")
        assert [line.text for line in told.lines if line.kind == kinds.OUTPUT] == [
            f"[one] | line {n}" for n in range(7)
        ]
        table.say(run, kinds.OUTPUT, **part, stream="out", text="more\n", end=9)
        await table.until(lambda: last() == "[one] | more")
        table.remedies.leave(run)
        await table.until(lambda: run not in table.picture().stories)


async def test_of_a_long_story_the_end_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remedies, "LINES_KEPT", 4)
    async with bench(tmp_path, monkeypatch) as table:
        run = table.planned()
        part = {"step": "one", "part": "", "attempt": 1}
        table.say(run, kinds.EFFECT, **part, machine="bastion")
        table.say(run, kinds.OUTPUT, **part, stream="out", text="a\nb\nc\nd\ne\n", end=10)
        table.remedies.follow(run)
        await table.until(lambda: run in table.picture().stories)
        story = table.picture().stories[run]
        assert ([line.text for line in story.lines], story.dropped) == (
            ["[one] | b", "[one] | c", "[one] | d", "[one] | e"],
            3,
        )


async def test_of_runs_that_have_ended_the_latest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remedies, "ENDED_KEPT", 2)
    async with bench(tmp_path, monkeypatch) as table:
        waiting = table.planned()
        ended = [table.planned() for _ in range(4)]
        for run in ended:
            table.say(run, kinds.ENDED, outcome=Outcome.OK)
        await table.until(lambda: len(table.picture().runs) == 3)
        assert {state.run for state in table.picture().runs} == {waiting, *ended[-2:]}


async def test_books_are_read_again_when_their_files_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        picture = table.picture
        await table.until(lambda: "look" in picture().shelf.books)
        (tmp_path / "books/wrong.yaml").write_text("title: Wrong\nrisk: 9\n")
        await table.until(lambda: picture().shelf.broken)
        assert "risk" in picture().shelf.broken[0].why
        (tmp_path / "books/wrong.yaml").unlink()
        (tmp_path / "books/look.yaml").write_text(BOOK.replace("A book", "Another title"))
        await table.until(lambda: not picture().shelf.broken)
        assert picture().shelf.books["look"].book.title == "Another title"


async def test_a_journal_that_is_gone_is_told_and_the_last_picture_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        run = table.planned()
        await table.until(lambda: table.picture().run(run))
        away = tmp_path / "away.db"
        (tmp_path / "journal.db").rename(away)
        await table.until(lambda: table.picture().trouble)
        assert "is gone: it was moved or removed" in table.picture().trouble
        assert table.picture().run(run)
        with pytest.raises(ActionError, match="is gone"):
            await table.remedies.cancel(run, "why")
        assert not (tmp_path / "journal.db").exists(), "no new one is begun in its place"
        away.rename(tmp_path / "journal.db")
        await table.until(lambda: not table.picture().trouble)


async def test_a_run_is_planned_and_started_and_a_runner_is_seen_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path, monkeypatch, farm=whole_farm()) as table:
        await table.until(lambda: "look" in table.picture().shelf.books)
        with pytest.raises(ActionError, match="there is no node of tier cache 'cache-9'"):
            await table.remedies.plan("look", {"node": "cache-9"})
        made = await table.remedies.plan("look", {"node": "cache-1"})
        with pytest.raises(ActionError, match="type the target's name: cache-1"):
            await table.remedies.start(made, "a try", typed="cache-2")
        assert table.started == []
        run = await table.remedies.start(made, "a try", typed="cache-1")
        assert table.started == [tmp_path / "farmtui.yaml"]
        await table.until(lambda: table.picture().run(run))
        refused = [state for state in table.picture().runs if state.run != run]
        assert [state.outcome for state in refused] == [Outcome.CANCELLED], "the plan is not left behind"


async def test_before_the_first_picture_nothing_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch, farm=None) as table:
        with pytest.raises(ActionError, match="no source has told of the farm yet"):
            await table.remedies.plan("look", {"node": "cache-1"})


async def test_what_people_say_is_written_or_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        run = table.planned("anna", risk=3)
        await table.until(lambda: table.picture().run(run))
        await table.remedies.pause(run, "wait")
        await table.until(lambda: table.state(run).paused)
        with pytest.raises(ActionError, match="paused already"):
            await table.remedies.pause(run)
        await table.remedies.resume(run)
        with pytest.raises(ActionError, match="asks nothing now"):
            await table.remedies.answer(run, 1, "done")
        await table.remedies.approve(run, plan(3).hash)
        await table.until(lambda: table.state(run).approved_by)
        await table.remedies.reject(run, "not today")
        await table.until(lambda: table.state(run).outcome)
        assert [entry.kind for entry in await table.remedies.record()][-2:] == [kinds.REJECTED, kinds.ENDED]


@pytest.mark.parametrize(
    ("more", "read_only", "why"),
    [
        ("", "the console was started with --read-only", "--read-only"),
        ("roles: {operators: [nobody-else], approvers: [nobody-else]}", "", "is no operator"),
    ],
)
async def test_who_may_not_says_nothing_and_starts_no_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, read_only: str, why: str
) -> None:
    monkeypatch.setattr(remedies, "ALONE_S", -1.0)
    async with bench(tmp_path, monkeypatch, more=more, read_only=read_only) as table:
        run = table.planned()
        table.say(run, kinds.CONFIRMED, hash=plan().hash, how="key", why="")
        await table.until(lambda: table.picture().run(run) and table.state(run).confirmed_by)
        with pytest.raises(ActionError, match=why):
            await table.remedies.cancel(run, "why")
        looks = len(table.changes)
        table.planned()
        await table.until(lambda: len(table.changes) > looks)
        assert table.started == []


async def test_a_run_that_no_runner_has_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remedies, "ALONE_S", -1.0)
    async with bench(tmp_path, monkeypatch) as table:
        waiting = table.planned()
        await table.until(lambda: table.picture().run(waiting))
        assert table.started == [], "it waits for a person: no runner could do anything"
        table.say(waiting, kinds.CONFIRMED, hash=plan().hash, how="key", why="")
        await table.until(lambda: table.started)


async def test_a_runner_that_cannot_be_started_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        run = table.planned()
        await table.until(lambda: table.picture().run(run))

        def refuse(_: Path) -> int:
            raise OSError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(remedies, "start_runner", refuse)
        with pytest.raises(ActionError, match="written down, and no runner could be started: Resource temporarily"):
            await table.remedies.pause(run, "wait")
        await table.until(lambda: table.state(run).paused)


async def test_the_record_is_read_in_pages_and_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as table:
        runs = [table.planned() for _ in range(5)]
        await table.until(lambda: len(table.picture().runs) == 5)
        last = await table.remedies.record(limit=2)
        assert [entry.run for entry in last] == runs[3:]
        assert [entry.run for entry in await table.remedies.record(before=last[0].seq, limit=2)] == runs[1:3]
        proof = await table.remedies.prove()
        assert proof.whole
        assert proof.entries == 5


async def test_a_picture_that_cannot_be_shown_does_not_end_the_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(tmp_path, monkeypatch) as table:

        def fail() -> None:
            table.changes.append(1)
            raise RuntimeError

        table.remedies._on_change = fail
        first = table.planned()
        await table.until(lambda: table.picture().run(first))
        second = table.planned()
        await table.until(lambda: table.picture().run(second))
        assert "a picture of the runs could not be shown" in caplog.text
