"""Appending and reading: the chain, its order, what is refused, leases and their fencing."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from farmtui import secrets
from farmtui.journal.entry import GENESIS, Author, Note
from farmtui.journal.proof import prove
from farmtui.journal.store import FencedError, Journal, JournalError, Reader, RefusedError, UnavailableError
from tests.journal.conftest import ANNA, note

ROOT = Path(__file__).parents[2]


def test_entries_come_back_as_they_were_written_in_one_chain(journal: Journal) -> None:
    first, second = journal.append(note("planned", plan={"steps": [1, "zwei", None]}), note("output", text="\0\ud800é"))
    assert journal.entries() == [first, second]
    assert (first.seq, second.seq) == (1, 2)
    assert (first.previous, second.previous) == (GENESIS, first.hash)
    assert first.body == {"plan": {"steps": [1, "zwei", None]}}
    assert second.body == {"text": "\0\ud800é"}
    assert first.author == ANNA
    assert first.at.utcoffset() is not None
    assert prove(journal).whole


def test_entries_are_found_by_run_kind_and_place(journal: Journal) -> None:
    journal.append(note("a", "r1"), note("b", "r2"), note("a", "r2"), note("c", "r1"))
    assert [e.seq for e in journal.entries(run="r1")] == [1, 4]
    assert [e.seq for e in journal.entries(kinds=["a"])] == [1, 3]
    assert [e.seq for e in journal.entries(run="r2", after=2)] == [3]
    assert [e.seq for e in journal.entries(limit=2)] == [1, 2]


def test_a_note_is_written_once_however_often_it_is_tried(journal: Journal) -> None:
    said = note(text="once")
    [first] = journal.append(said)
    assert journal.append(said) == (first,)
    assert journal.head().seq == 1


def test_all_notes_are_written_or_none(journal: Journal) -> None:
    def refuse(_: Reader) -> None:
        raise RefusedError("not now")

    with pytest.raises(RefusedError):
        journal.append(note(), note(), guard=refuse)
    with pytest.raises(TypeError):
        journal.append(note(), note(thing=object()))
    assert journal.head().seq == 0
    journal.append(note())
    assert prove(journal).entries == 1


def test_a_guard_reads_what_is_there_with_the_lock_held(journal: Journal) -> None:
    """Two who each want to be the only one: one of them is."""
    done: list[str] = []

    def alone(reader: Reader) -> None:
        if reader.entries(kinds=["begun"]):
            raise RefusedError("somebody has begun")

    def begin(run: str) -> None:
        try:
            journal.append(note("begun", run), guard=alone)
            done.append(run)
        except RefusedError:
            pass

    threads = [threading.Thread(target=begin, args=(f"r{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(journal.entries()) == 1


def test_six_processes_append_and_none_is_lost_or_twice(journal: Journal, url: str) -> None:
    script = (
        "import sys\nfrom farmtui.journal.store import Journal\nfrom farmtui.journal.entry import Author, Note\n"
        "journal = Journal.open(sys.argv[1])\n"
        "for n in range(20): journal.append(Note('said', Author('x', 'y'), sys.argv[2], {'n': n}))\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script, url, f"r{number}"], cwd=ROOT, stderr=subprocess.PIPE)
        for number in range(6)
    ]
    assert [child.communicate()[1].decode() for child in children] == [""] * 6
    assert prove(journal).entries == 120
    for number in range(6):
        assert [entry.body["n"] for entry in journal.entries(run=f"r{number}")] == list(range(20))


def test_secrets_do_not_reach_it(journal: Journal) -> None:
    secrets.register("hunter2-of-the-farm")
    [entry] = journal.append(
        note(argv=["login", "hunter2-of-the-farm"], said={"hunter2-of-the-farm": "at hunter2-of-the-farm!"})
    )
    assert "hunter2" not in str(entry.body)
    assert "hunter2" not in str(dict(next(journal.walk())))


def test_only_one_holds_a_run_and_a_later_one_fences_the_earlier(journal: Journal) -> None:
    mine = journal.take("r1", "bastion-1[1]", 30.0)
    assert mine is not None
    assert journal.take("r1", "bastion-2[1]", 30.0) is None
    assert journal.read(lambda reader: reader.holder("r1")) == "bastion-1[1]"
    journal.append(note("step"), lease=mine)
    # It has not been heard of for too long.
    journal.renew(mine, 0.0)
    theirs = journal.take("r1", "bastion-2[1]", 30.0)
    assert theirs is not None
    assert theirs.epoch == mine.epoch + 1
    with pytest.raises(FencedError):
        journal.append(note("step"), lease=mine)
    with pytest.raises(FencedError):
        journal.renew(mine, 30.0)
    journal.release(mine)
    assert journal.read(lambda reader: reader.holder("r1")) == "bastion-2[1]"
    [entry] = journal.append(note("step"), lease=theirs)
    assert entry.epoch == theirs.epoch
    assert [e.epoch for e in journal.entries()] == [mine.epoch, theirs.epoch]


def test_a_lease_that_has_ended_goes_on_while_nobody_took_it(journal: Journal) -> None:
    mine = journal.take("r1", "a", 0.0)
    assert mine is not None
    journal.append(note("step"), lease=mine)
    journal.renew(mine, 30.0)
    assert journal.take("r1", "b", 30.0) is None
    journal.release(mine)
    later = journal.take("r1", "b", 30.0)
    assert later is not None
    assert later.epoch > mine.epoch


def test_it_is_for_its_owner_alone(journal: Journal, tmp_path: Path) -> None:
    journal.append(note())
    files = list((tmp_path / "state").iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_newer_journal_is_refused_and_left_alone(journal: Journal, url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("update farmtui_head set version = 99"))
    engine.dispose()
    with pytest.raises(JournalError, match="newer farmtui"):
        Journal.open(url)


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql", "sqlite:////proc/nowhere/j.db"]
)
def test_a_place_that_cannot_be_is_said(url: str) -> None:
    with pytest.raises(JournalError, match="journal"):
        Journal.open(url)


def test_a_database_that_does_not_answer_is_said_without_its_password() -> None:
    with pytest.raises(UnavailableError) as caught:
        Journal.open("postgresql://farmtui:hunter2-of-the-farm@127.0.0.1:1/farmtui")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


def test_a_file_that_is_no_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_text("not a database, surely" * 100)
    with pytest.raises(JournalError, match=r"j\.db"):
        Journal.open(f"sqlite:///{tmp_path / 'j.db'}")


def test_an_author_is_part_of_what_is_proved(journal: Journal) -> None:
    [one] = journal.append(Note("said", Author("anna", "x")))
    [two] = journal.append(Note("said", Author("bert", "x")))
    assert one.hash != two.hash


def test_a_journal_that_was_taken_away_is_not_begun_anew(journal: Journal, url: str, tmp_path: Path) -> None:
    journal.append(note())
    path = Path(url.removeprefix("sqlite:///"))
    path.rename(tmp_path / "away.db")
    for work in (journal.head, lambda: journal.append(note())):
        with pytest.raises(JournalError, match="is gone: it was moved or removed") as caught:
            work()
        # A runner tries one that does not answer again and again.
        assert not isinstance(caught.value, UnavailableError)
    assert not path.exists()
