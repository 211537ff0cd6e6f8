"""What a lab has started, on disk: whoever ends it, and whenever, ends exactly that and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

TERM_S: Final = 10.0
"""How long a process gets to end in good order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was made. `kind` is `process`, `netns`, `link` or `mount`."""

    kind: str
    name: str
    """A process's label; else the name or path that the kernel knows it by."""
    pid: int = 0
    hard: bool = False
    """A process that only SIGKILL ends, such as the first one of namespaces of its own."""
    began: int = 0
    """A process's start time in clock ticks since boot: with it, a pid that was given out again is not ours."""


class Ledger:
    """A file of JSON lines, appended to before anything is used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def process(self, name: str, pid: int, *, hard: bool = False) -> None:
        """Write down a process that was just started."""
        self._append(Entry("process", name, pid, hard, started_at(pid)))

    def netns(self, name: str) -> None:
        """Write down a network namespace that is about to be added with `ip netns add`."""
        self._append(Entry("netns", name))

    def link(self, name: str) -> None:
        """Write down a network link (a bridge, an end of a veth pair) that is about to be added."""
        self._append(Entry("link", name))

    def mount(self, path: Path) -> None:
        """Write down a mount that is about to be made in the machine's own mount namespace."""
        self._append(Entry("mount", str(path)))

    def _append(self, entry: Entry) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")

    def entries(self) -> Iterator[Entry]:
        """What was started, in that order; a last line that was cut short is none."""
        if not self._path.is_file():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                yield Entry(**json.loads(line))

    def running(self) -> list[Entry]:
        """The processes that still run."""
        return [entry for entry in self.entries() if entry.kind == "process" and runs(entry)]

    def undo(self) -> list[str]:
        """End and remove everything, the newest first; gives what it ended. What is gone already is no error."""
        ended = []
        entries = list(self.entries())
        alive = [entry for entry in reversed(entries) if entry.kind == "process" and runs(entry)]
        for entry in alive:
            end(entry)
            ended.append(f"{entry.name} (pid {entry.pid})")
        for entry in reversed(entries):
            match entry.kind:
                case "mount":
                    command = ["umount", "--lazy", entry.name]
                case "link":
                    command = ["ip", "link", "delete", entry.name]
                case "netns":
                    command = ["ip", "netns", "delete", entry.name]
                case _:
                    continue
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                ended.append(f"{entry.kind} {entry.name}")
        self._path.unlink(missing_ok=True)
        return ended


def started_at(pid: int) -> int:
    """A process's start time in clock ticks since boot; 0 where there is no such process, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


def runs(entry: Entry) -> bool:
    """Whether this very process still runs."""
    return entry.began != 0 and started_at(entry.pid) == entry.began


def end(entry: Entry) -> None:
    """End a process as an operator would, and by force if it does not end. One that is stopped goes on first."""
    for signum, wait_s in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, TERM_S))[entry.hard :]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, signum)
            os.kill(entry.pid, signal.SIGCONT)
        until = time.monotonic() + wait_s
        while runs(entry) and time.monotonic() < until:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(entry.pid, os.WNOHANG)
            time.sleep(0.05)
        if not runs(entry):
            return
