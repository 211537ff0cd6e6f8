"""Runs on real things: the journal on PostgreSQL, steps over sshd and through its bastion; each dies at times."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from farmtui.journal.store import UnavailableError
from farmtui.runbooks import kinds
from farmtui.runbooks.state import Outcome
from tests.lab.services.postgresql import PostgreSQL
from tests.lab.services.ssh import SshHosts
from tests.runbooks.rig import Kill, Moment, Rig, ok, typical

MATRIX: list[tuple[int, Moment]] = [(n, "after" if n % 2 else "before") for n in range(1, 21)]
NAMES = ("one", "two", "three")


@pytest.fixture
def database(postgresql: PostgreSQL) -> Iterator[str]:
    """The address of an empty database."""
    name = f"farmtui_{uuid4().hex[:8]}"
    postgresql.sql(f"CREATE DATABASE {name}")
    yield postgresql.url.rpartition("/")[0] + f"/{name}"
    postgresql.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def run() -> Iterator[str]:
    """A run whose traces on the machines are taken away."""
    name = f"lab-{uuid4().hex[:8]}"
    yield name
    for folder in (Path.home() / ".cache/farmtui/steps").glob(f"{name}.*"):
        with contextlib.suppress(OSError, ValueError):
            os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
        shutil.rmtree(folder)


@pytest.fixture
def rig(database: str, ssh: SshHosts, tmp_path: Path) -> Iterator[Rig]:
    """Runners on PostgreSQL that can log in to the lab's machines."""
    made = Rig(database, tmp_path, ssh.config()["ssh"])
    yield made
    made.close()


@pytest.mark.parametrize(("entries", "moment"), MATRIX)
def test_killed_at_any_entry_on_postgresql_and_through_the_bastion(
    rig: Rig, run: str, entries: int, moment: Moment
) -> None:
    rig.start(typical(rig, on=["inner"]), run)
    rig.killed(Kill(entries, moment))
    state = rig.finish(run)
    assert ok(state), state
    assert [rig.count(name) for name in NAMES] == [1, 1, 1]
    rig.is_whole()


def test_postgresql_stops_in_the_middle_of_a_step_and_nothing_is_lost(
    rig: Rig, run: str, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    rig.start(rig.plan(rig.step("long", f"while [ ! -e {go} ]; do sleep 0.05; done; echo end", on=["plain"]),
                       rig.step("next", on=["plain"])), run)  # fmt: skip
    rig.runner(idle_s=60)
    rig.until(lambda state: state.steps["long"].begun, run)
    postgresql.daemon.stop()
    try:
        with pytest.raises(UnavailableError):
            rig.journal.head()
        # The step ends while nobody can write that down; the lease ends too.
        go.touch()
        time.sleep(5.0)
    finally:
        postgresql.daemon.start()
    state = rig.until(lambda state: state.outcome is not None, run)
    assert ok(state), state
    assert rig.count("long") == rig.count("next") == 1
    text = "".join(
        e.body["text"] for e in rig.journal.entries(run=run, kinds=[kinds.OUTPUT]) if e.body["step"] == "long"
    )
    assert text == "begun\nend\n"
    rig.is_whole()


def test_a_second_bastion_takes_over_from_one_that_is_dead(rig: Rig, run: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    long = rig.step("long", f"while [ ! -e {go} ]; do sleep 0.05; done; echo end", on=["inner"])
    rig.start(rig.plan(long, rig.step("next", on=["inner"])), run)
    first = rig.runner(idle_s=60, name="bastion-1")
    rig.until(lambda state: state.steps["long"].parts["inner"].read[0] > 0, run)
    second = rig.runner(idle_s=60, name="bastion-2")
    first.kill()
    first.join()
    rig.until(lambda state: state.epoch == 2, run)
    go.touch()
    state = rig.until(lambda state: state.outcome is not None, run)
    assert ok(state), state
    assert rig.count("long") == rig.count("next") == 1
    assert state.steps["next"].parts["inner"].machine != ""
    assert second.is_alive()


def test_what_ran_on_a_dead_bastion_itself_is_asked_about(rig: Rig, run: str) -> None:
    rig.start(rig.plan(rig.step("here", "sleep 300")), run)
    first = rig.runner(idle_s=60, name="bastion-1")
    # Its intent is in the journal before the command has begun: what is asked about here is one that did.
    rig.until(lambda state: state.steps["here"].begun and rig.count("here") == 1, run)
    first.kill()
    first.join()
    rig.runner(idle_s=60, name="bastion-2")
    state = rig.until(lambda state: state.question is not None, run)
    assert state.question is not None
    assert state.question.about == "unknown"
    assert "bastion-2" in state.question.text
    rig.say(kinds.ANSWERED, run, question=state.question.seq, choice="done", note="I have looked")
    state = rig.until(lambda state: state.outcome is not None, run)
    assert ok(state), state
    assert rig.count("here") == 1
    with contextlib.suppress(OSError, ValueError):
        [folder] = Path(rig.bastion.steps).iterdir()
        os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)


def connections(ssh: SshHosts, name: str) -> list[psutil.Process]:
    """The processes of a host's sshd that serve connections."""
    master = ssh.hosts[name].daemon.pid
    return psutil.Process(master).children(recursive=False)


def test_the_connection_is_cut_in_the_middle_of_a_step(rig: Rig, run: str, ssh: SshHosts, tmp_path: Path) -> None:
    go = tmp_path / "go"
    lines = f"echo a; while [ ! -e {go} ]; do sleep 0.05; done; echo b; echo c >&2; exit 0"
    rig.start(rig.plan(rig.step("long", lines, on=["inner"])), run)
    rig.runner(idle_s=60)
    rig.until(lambda state: state.steps["long"].parts["inner"].read[0] > 0, run)
    cut = connections(ssh, "inner")
    assert cut
    for process in cut:
        process.kill()
    go.touch()
    state = rig.until(lambda state: state.outcome is not None, run)
    assert ok(state), state
    assert rig.count("long") == 1
    texts = {stream: "".join(e.body["text"] for e in rig.journal.entries(run=run, kinds=[kinds.OUTPUT])
                             if e.body["stream"] == stream) for stream in ("out", "err")}  # fmt: skip
    assert texts == {"out": "begun\na\nb\n", "err": "c\n"}


def test_cancelled_over_ssh_it_is_really_gone(rig: Rig, run: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    rig.start(rig.plan(rig.step("one", f"echo $$ >{pids}; sleep 300", on=["inner"])), run)
    rig.runner(idle_s=60)
    rig.until(lambda state: pids.exists() and pids.read_text().strip(), run)
    rig.say(kinds.CANCELLED, run, why="enough")
    state = rig.until(lambda state: state.outcome is not None, run)
    assert state.outcome is Outcome.CANCELLED
    assert not psutil.pid_exists(int(pids.read_text()))


def test_a_host_that_cannot_be_reached_costs_its_own_time_alone(rig: Rig, run: str, ssh: SshHosts) -> None:
    hosts = ["plain", "signed", "inner"]
    step = rig.step("all", on=[*hosts, "nowhere.invalid"], parallel=4, stop_at=1.0)
    rig.start(rig.plan(step), run)
    rig.runner(idle_s=60)
    state = rig.until(lambda state: state.question is not None, run)
    parts = state.steps["all"].parts
    assert {name: part.outcome for name, part in parts.items()} == {
        **dict.fromkeys(hosts, Outcome.OK), "nowhere.invalid": Outcome.FAILED
    }  # fmt: skip
    assert "1 of 4 failed: nowhere.invalid: it was not begun" in state.steps["all"].why
    assert rig.count("all") == 3


def test_the_others_wait_for_the_canary(rig: Rig, run: str) -> None:
    hosts = ["plain", "signed", "inner"]
    rig.start(rig.plan(rig.step("all", "exit 4", on=hosts, parallel=3, canary=1, stop_at=1.0)), run)
    rig.runner(idle_s=60)
    state = rig.until(lambda state: state.question is not None, run)
    assert state.steps["all"].why == "1 of 3 failed, 2 not begun: plain: it ended with 4"
    assert rig.count("all") == 1
