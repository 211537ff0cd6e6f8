"""The script under which commands run on machines: begun once, found again, followed from any place, and ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farmtui.runbooks.steps.script import Mode, wrapped

END = re.compile(rb"\nfarmtui-end (\S+) (.*)\n$")


class Machine:
    """A home folder of its own, on which commands are begun."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.steps = home / ".cache" / "farmtui" / "steps"
        self.children: list[subprocess.Popen[bytes]] = []

    def call(self, mode: Mode, *argv: str, key: str = "r1.step.1", **options: object) -> subprocess.Popen[bytes]:
        """Call the script, and do not wait."""
        child = subprocess.Popen(
            wrapped(mode, key, argv, **options),  # type: ignore[arg-type]
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.children.append(child)
        return child

    def run(self, mode: Mode, *argv: str, **options: object) -> tuple[str, bytes, bytes]:
        """Call it to its end: how it stands, and both streams."""
        return ended(self.call(mode, *argv, **options))  # type: ignore[arg-type]


def ended(child: subprocess.Popen[bytes]) -> tuple[str, bytes, bytes]:
    out, err = child.communicate(timeout=60)
    found = END.search(err)
    assert found, err
    return found[2].decode(), out, err[: found.start()]


def until(true: Callable[[], object]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    made.home.mkdir()
    yield made
    for child in made.children:
        child.kill()
        child.communicate()
    for file in made.steps.glob("*/pid"):
        with contextlib.suppress(OSError, ValueError):
            os.killpg(int(file.read_text()), signal.SIGKILL)


def counting(file: Path, rest: str = "") -> tuple[str, ...]:
    """A command that leaves a mark each time it is begun."""
    return ("sh", "-c", f'echo begun >>"$1"; {rest}', "x", str(file))


def test_what_a_command_prints_and_how_it_ends(machine: Machine) -> None:
    how, out, err = machine.run("start", "sh", "-c", "printf 'a\\nb'; printf 'oh\\377' >&2; exit 7")
    assert (how, out, err) == ("code 7", b"a\nb", b"oh\xff")


def test_each_word_arrives_as_one(machine: Machine) -> None:
    words = ["", "a b", "$(touch /tmp/x)", "'\"", "*", "-n", "\n", "ü", "`id`", "a;b", "\\"]
    how, out, _ = machine.run("start", "printf", "<%s>", *words)
    assert (how, out.decode()) == ("code 0", "".join(f"<{word}>" for word in words))


def test_a_command_that_is_not_there(machine: Machine) -> None:
    how, _, err = machine.run("start", "no-such-command")
    assert how == "code 127"
    assert b"not found" in err


def test_begun_twice_it_runs_once_and_both_follow(machine: Machine, tmp_path: Path) -> None:
    command = counting(tmp_path / "marks", "sleep 1; echo done")
    children = [machine.call("start", *command) for _ in range(5)]
    assert [ended(child) for child in children] == [("code 0", b"done\n", b"")] * 5
    assert (tmp_path / "marks").read_text() == "begun\n"


def test_it_goes_on_without_who_began_it_and_is_followed_from_any_place(machine: Machine, tmp_path: Path) -> None:
    go = tmp_path / "go"
    command = ("sh", "-c", f"echo one; echo first >&2; while [ ! -e {go} ]; do sleep 0.05; done; echo two; exit 3")
    child = machine.call("start", *command)
    assert child.stdout is not None
    assert child.stdout.readline() == b"one\n"
    child.kill()
    go.touch()
    assert machine.run("attach", *command) == ("code 3", b"one\ntwo\n", b"first\n")
    assert machine.run("attach", read=(4, 6)) == ("code 3", b"two\n", b"")
    assert machine.run("start", *command, read=(8, 6)) == ("code 3", b"", b"")


def test_what_was_never_begun_is_absent_and_stays_so(machine: Machine, tmp_path: Path) -> None:
    command = counting(tmp_path / "marks")
    assert machine.run("attach", *command)[0] == "absent"
    # A late call of who was thought dead.
    assert machine.run("start", *command)[0] == "absent"
    assert machine.run("stop", *command)[0] == "absent"
    assert not (tmp_path / "marks").exists()
    assert machine.run("start", *command, key="r1.step.2")[0] == "code 0"


def test_to_begin_and_to_give_up_at_the_same_moment_is_one_or_the_other(machine: Machine, tmp_path: Path) -> None:
    for number in range(10):
        marks = tmp_path / f"marks{number}"
        command = counting(marks)
        calls = [machine.call(mode, *command, key=f"r1.step.{number}") for mode in ("start", "attach")]
        told = {ended(child)[0] for child in calls}
        assert told in ({"absent"}, {"code 0"})
        assert marks.exists() == (told == {"code 0"})


def test_a_stop_is_answered_when_it_is_gone(machine: Machine, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = ("sh", "-c", f"echo $$ >{pids}; sleep 300 & echo $! >>{pids}; echo up; wait")
    child = machine.call("start", *command)
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    assert machine.run("stop")[0] == "code 143"
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    assert ended(child)[0] == "code 143"


def test_what_does_not_end_by_term_ends_by_kill(machine: Machine) -> None:
    child = machine.call("start", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done")
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    assert machine.run("stop", grace_s=1)[0] == "code 137"


def test_a_stop_that_comes_too_late_gives_its_own_end(machine: Machine) -> None:
    assert machine.run("start", "false")[0] == "code 1"
    assert machine.run("stop")[0] == "code 1"


def test_what_it_prints_is_kept_to_a_limit_and_never_holds_it_up(machine: Machine) -> None:
    how, out, _ = machine.run("start", "sh", "-c", "yes | head -c 3000000; exit 4", limit=5_000)
    assert how == "code 4"
    assert len(out) == 5_000


def test_a_child_that_is_left_behind_with_its_output_open_does_not_hold_up_the_end(machine: Machine) -> None:
    how, out, _ = machine.run("start", "sh", "-c", "sleep 300 & echo up")
    assert (how, out) == ("code 0", b"up\n")


def test_a_machine_that_was_started_anew_meanwhile_has_lost_it(machine: Machine) -> None:
    child = machine.call("start", "sh", "-c", "echo up; exec sleep 300")
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    (machine.steps / "r1.step.1" / "boot").write_text("another-boot\n")
    how, out, _ = machine.run("attach")
    assert how == "lost the machine was started anew meanwhile"
    assert out == b"up\n"


def test_a_process_that_is_killed_with_its_shell_is_lost(machine: Machine) -> None:
    child = machine.call("start", "sh", "-c", "echo up; exec sleep 300")
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    os.killpg(int((machine.steps / "r1.step.1" / "pid").read_text()), signal.SIGKILL)
    assert ended(child)[0] == "lost the process has ended without a trace"


def test_where_no_folder_can_be_made_nothing_is_begun(machine: Machine, tmp_path: Path) -> None:
    (machine.home / ".cache").write_text("a file")
    how, _, _ = machine.run("start", *counting(tmp_path / "marks"))
    assert how.startswith("refused the folder")
    assert not (tmp_path / "marks").exists()


def test_a_long_step_is_a_unit_of_systemd_where_that_is_there(machine: Machine, tmp_path: Path) -> None:
    """With a systemd-run of our own in the path; `/run/systemd/system` is looked for first."""
    if Path("/run/systemd/system").is_dir():
        pytest.skip("a real systemd is here: the lab's business")
    how, out, _ = machine.run("start", "echo", "hello", long=True)
    assert (how, out) == ("code 0", b"hello\n")
