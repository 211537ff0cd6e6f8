"""Steps that run as units of systemd, on a real one.

It is started in namespaces of its own, over a view of this machine of which nothing is kept.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farmtui.runbooks.steps.script import Mode, wrapped
from tests.runbooks.test_script import ended

BOOT = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
mount -t sysfs sys sys 2>/dev/null || mount --rbind /sys sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd,xattr cgroup sys/fs/cgroup/systemd
fi
export container=other
exec chroot . /lib/systemd/systemd --unit=basic.target
"""


class Booted:
    """A machine with systemd as its first process."""

    def __init__(self, folder: Path) -> None:
        self._boot = subprocess.Popen(
            ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child", "sh", "-c", BOOT,
             "x", str(folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        until(lambda: self.first_process)
        until(lambda: "running" in self.told("systemctl", "is-system-running"))

    @property
    def first_process(self) -> str:
        """Its number out here."""
        if self._boot.poll() is not None:
            assert self._boot.stderr is not None
            raise AssertionError(f"systemd has not begun: {self._boot.stderr.read().decode()}")
        children = Path(f"/proc/{self._boot.pid}/task/{self._boot.pid}/children").read_text().split()
        return children[0] if children and "systemd" in Path(f"/proc/{children[0]}/comm").read_text() else ""

    def inside(self, *argv: str) -> list[str]:
        """A command, inside."""
        return ["nsenter", "-t", self.first_process, "-m", "-p", "-u", "-i", "-C", "-r", "-w", *argv]

    def told(self, *argv: str) -> str:
        """What a command prints, however it ends."""
        return subprocess.run(self.inside(*argv), capture_output=True, text=True, check=False).stdout

    def call(
        self, mode: Mode, *argv: str, key: str = "r1.step.1", read: tuple[int, int] = (0, 0)
    ) -> subprocess.Popen[bytes]:
        """Call the script in a session of its own, as an SSH connection would."""
        return subprocess.Popen(
            self.inside(*wrapped(mode, key, argv, long=True, read=read, grace_s=2)),
            env={"HOME": "/tmp", "PATH": os.environ["PATH"]}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def unit(self, key: str = "r1.step.1") -> str:
        """How its unit is: `active`, `inactive` ..."""
        return self.told("systemctl", "is-active", f"farmtui-{key}").strip()

    def close(self) -> None:
        """End it, with all that runs in it."""
        self._boot.kill()
        self._boot.wait()
        assert self._boot.stderr is not None
        self._boot.stderr.close()


def until(true: Callable[[], object]) -> None:
    """Wait for it; the test's own timeout is what ends a wait in vain."""
    while not true():
        time.sleep(0.1)


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    assert shutil.which("systemd-run"), "tests/lab/install brings it"
    made = Booted(tmp_path_factory.mktemp("booted"))
    yield made
    made.close()


def test_a_long_step_is_a_unit_and_is_followed_to_its_end(booted: Booted) -> None:
    child = booted.call("start", "sh", "-c", "echo one; echo two >&2; cat /proc/self/cgroup; exit 4", key="a.1")
    how, out, err = ended(child)
    assert (how, err) == ("code 4", b"two\n")
    assert out.startswith(b"one\n")
    assert b"farmtui-a.1.service" in out, "it runs in the unit's own group of processes"


def test_it_outlives_the_session_that_began_it(booted: Booted) -> None:
    child = booted.call("start", "sh", "-c", "echo one; until [ -e /tmp/go ]; do sleep 0.1; done; echo two", key="b.1")
    assert child.stdout is not None
    assert child.stdout.readline() == b"one\n"
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    assert booted.unit("b.1") == "active"
    booted.told("touch", "/tmp/go")
    assert ended(booted.call("attach", key="b.1")) == ("code 0", b"one\ntwo\n", b"")
    assert ended(booted.call("attach", key="b.1", read=(4, 0))) == ("code 0", b"two\n", b"")


def test_it_is_begun_once_however_many_begin_it(booted: Booted) -> None:
    command = ("sh", "-c", "echo begun >> /tmp/marks; sleep 1")
    children = [booted.call("start", *command, key="c.1") for _ in range(4)]
    assert [ended(child)[0] for child in children] == ["code 0"] * 4
    assert booted.told("cat", "/tmp/marks") == "begun\n"


def test_stopped_nothing_of_it_is_left(booted: Booted) -> None:
    child = booted.call("start", "sh", "-c", "sleep 4711 & echo on; wait", key="d.1")
    assert child.stdout is not None
    assert child.stdout.readline() == b"on\n"
    how, _, _ = ended(booted.call("stop", key="d.1"))
    assert how != "code 0"
    child.communicate(timeout=30)
    assert booted.unit("d.1") in ("inactive", "failed", "unknown")
    assert "4711" not in booted.told("ps", "ax")
