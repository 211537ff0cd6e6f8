"""The runner dies by SIGKILL, anywhere: no effect comes twice, none is lost, and every run can be finished."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farmtui.runbooks import kinds
from farmtui.runbooks.planned import PlannedStep
from farmtui.runbooks.state import Outcome
from tests.runbooks.rig import Kill, Moment, Rig, ok, typical, with_a_person


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(f"sqlite:///{tmp_path / 'journal.db'}", tmp_path)
    yield made
    made.close()


def test_a_run_that_nobody_disturbs(rig: Rig) -> None:
    rig.start(typical(rig))
    state = rig.finish()
    assert ok(state), state
    assert [rig.count(name) for name in ("one", "two", "three")] == [1, 1, 1]
    kinds_written = [entry.kind for entry in rig.journal.entries(run="r1")]
    assert kinds_written[:3] == ["planned", "confirmed", "begun"]
    assert kinds_written[-2:] == ["verified", "ended"]
    outputs = [e.body for e in rig.journal.entries(run="r1", kinds=[kinds.OUTPUT]) if e.body["step"] == "two"]
    assert "".join(o["text"] for o in outputs if o["stream"] == "out") == "begun\nfirst\nsecond\n"
    assert "".join(o["text"] for o in outputs if o["stream"] == "err") == "oh\n"
    rig.is_whole()


EVERYWHERE: list[tuple[int, Moment]] = [(n, "after") for n in range(1, 20)] + [(n, "before") for n in range(2, 20, 3)]
"""The lab goes through all of both, on PostgreSQL."""


@pytest.mark.parametrize(("entries", "moment"), EVERYWHERE)
def test_killed_at_any_entry(rig: Rig, entries: int, moment: Moment) -> None:
    rig.start(typical(rig))
    rig.killed(Kill(entries, moment))
    state = rig.finish()
    assert ok(state), state
    assert [rig.count(name) for name in ("one", "two", "three")] == [1, 1, 1]
    rig.is_whole()


def test_killed_again_and_again(rig: Rig) -> None:
    rig.start(typical(rig))
    deaths = 0
    while rig.state().outcome is None and deaths < 40:
        rig.until(lambda state: not rig.journal.read(lambda reader: reader.holder("r1")))
        deaths += rig.killed(Kill(4))
    assert deaths > 2
    assert ok(rig.finish())
    assert [rig.count(name) for name in ("one", "two", "three")] == [1, 1, 1]


@pytest.mark.parametrize("entries", [1, 4, 5, 6, 7, 9])
def test_killed_around_a_person_s_part(rig: Rig, entries: int) -> None:
    rig.start(with_a_person(rig))
    rig.killed(Kill(entries))
    state = rig.finish(answer="done")
    assert ok(state), state
    assert [rig.count(name) for name in ("one", "two")] == [1, 1]
    assert len(rig.journal.entries(kinds=[kinds.ASKED])) == 1


def test_killed_in_the_middle_of_a_step_it_is_followed_on(rig: Rig, tmp_path: Path) -> None:
    go = tmp_path / "go"
    rig.start(
        rig.plan(rig.step("long", f"while [ ! -e {go} ]; do sleep 0.05; done; echo end; exit 0"), rig.step("next"))
    )
    first = rig.runner(idle_s=60)
    rig.until(lambda state: state.steps["long"].parts[""].read[0] > 0)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    second = rig.runner(idle_s=3)
    rig.until(lambda state: state.epoch == 2)
    go.touch()
    second.join(60)
    state = rig.state()
    assert ok(state), state
    assert rig.count("long") == rig.count("next") == 1
    text = "".join(e.body["text"] for e in rig.journal.entries(kinds=[kinds.OUTPUT]) if e.body["step"] == "long")
    assert text == "begun\nend\n", "each line once, those of before and those of after"


def test_two_runners_started_at_once_never_both_act(rig: Rig) -> None:
    for number in range(4):
        rig.start(rig.plan(rig.step(f"only{number}", "sleep 0.1"), targets=(f"node:n{number}",)), f"r{number}")
    runners = [rig.runner(idle_s=1.0) for _ in range(3)]
    for runner in runners:
        runner.join(60)
    for number in range(4):
        assert ok(rig.state(f"r{number}"))
        assert rig.count(f"only{number}") == 1
        assert {entry.epoch for entry in rig.journal.entries(run=f"r{number}")} == {0, 1}
    rig.is_whole()


def put_to_sleep(pid: int, database: Path) -> None:
    """Stop a runner, but not while it holds SQLite's lock: then nobody could go on, and that is not the question."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        with contextlib.closing(sqlite3.connect(database, timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
            else:
                return


def test_a_runner_that_was_thought_dead_and_wakes_up_does_nothing_more(rig: Rig, tmp_path: Path) -> None:
    rig.start(rig.plan(rig.step("one", "sleep 0.3"), rig.step("two", "sleep 0.3"), rig.step("three")))
    sleeper = rig.runner(idle_s=60)
    rig.until(lambda state: state.steps["one"].begun)
    assert sleeper.pid is not None
    put_to_sleep(sleeper.pid, tmp_path / "journal.db")
    state = rig.finish()
    assert ok(state), state
    entries = rig.journal.head().seq
    os.kill(sleeper.pid, signal.SIGCONT)
    time.sleep(1.0)
    assert rig.journal.head().seq == entries
    assert sleeper.is_alive(), "it goes on, for other runs"
    assert [rig.count(name) for name in ("one", "two", "three")] == [1, 1, 1]


def test_the_same_target_is_worked_on_by_one_run_at_a_time(rig: Rig, tmp_path: Path) -> None:
    go = tmp_path / "go"
    rig.start(rig.plan(rig.step("first", f"while [ ! -e {go} ]; do sleep 0.05; done")), "r1")
    first = rig.runner(idle_s=60)
    rig.until(lambda state: state.holds_targets)
    rig.start(rig.plan(rig.step("second")), "r2")
    state = rig.until(lambda state: state.outcome is not None, "r2")
    assert state.outcome is Outcome.REFUSED
    assert state.why == "node:n1 is being worked on by run r1"
    go.touch()
    assert ok(rig.until(lambda state: state.outcome is not None, "r1"))
    rig.start(rig.plan(rig.step("third")), "r3")
    assert ok(rig.until(lambda state: state.outcome is not None, "r3"))
    assert rig.count("second") == 0
    first.terminate()


def test_cancelled_while_a_step_runs_it_is_really_gone(rig: Rig, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    rig.start(rig.plan(rig.step("one", f"echo $$ >{pids}; sleep 300"), rig.step("two")))
    rig.runner(idle_s=60)
    rig.until(lambda state: pids.exists() and pids.read_text().strip())
    rig.say(kinds.CANCELLED, why="enough")
    state = rig.until(lambda state: state.outcome is not None)
    assert state.outcome is Outcome.CANCELLED
    assert state.steps["one"].outcome is Outcome.CANCELLED
    with pytest.raises(ProcessLookupError):
        os.kill(int(pids.read_text()), 0)
    assert rig.count("two") == 0


def test_cancelled_with_the_wish_to_undo_what_was_done_is_undone_the_last_first(rig: Rig, tmp_path: Path) -> None:
    def undone(name: str) -> PlannedStep:
        undo = rig.step(f"undo-{name}", f"echo {name} >>{tmp_path}/order").call
        return rig.step(name, undo=undo, undo_text="undo")

    rig.start(rig.plan(undone("one"), undone("two"), rig.step("three", "sleep 300")))
    rig.runner(idle_s=60)
    rig.until(lambda state: state.steps["three"].begun)
    rig.say(kinds.CANCELLED, why="enough", undo=True)
    state = rig.until(lambda state: state.outcome is not None)
    assert state.outcome is Outcome.UNDONE
    assert (tmp_path / "order").read_text() == "two\none\n"


@pytest.mark.parametrize(
    ("answer", "outcome", "counts"),
    [("repeat", Outcome.OK, (1, 2, 1)), ("skip", Outcome.OK, (1, 1, 1)), ("stop", Outcome.FAILED, (1, 1, 0))],
)
def test_a_step_that_fails_is_asked_about(
    rig: Rig, tmp_path: Path, answer: str, outcome: Outcome, counts: tuple[int, int, int]
) -> None:
    rig.start(rig.plan(rig.step("one"), rig.step("two", f"[ -e {tmp_path}/mended ] || exit 3"), rig.step("three")))
    rig.runner().join(60)
    state = rig.state()
    assert state.question is not None
    assert state.question.about == "failed"
    assert "it ended with 3" in state.question.text
    (tmp_path / "mended").touch()
    state = rig.finish(answer=answer)
    assert state.outcome is outcome
    assert (rig.count("one"), rig.count("two"), rig.count("three")) == counts


def test_a_step_that_does_not_end_in_its_time_is_stopped(rig: Rig) -> None:
    rig.start(rig.plan(rig.step("one", "sleep 300", timeout_s=0.5)))
    rig.runner().join(60)
    state = rig.state()
    assert state.question is not None
    assert "no end within 0.5 s: it was stopped" in state.question.text
