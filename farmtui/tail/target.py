"""Whose log is read, and what of it: a machine's journal or a unit's part of it, or what a Swarm service prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

KERNEL: Final = "kernel"
"""Stands for the kernel's messages, which no unit prints."""
WINDOWS_S: Final = (300, 900, 3_600, 21_600, 86_400)
"""5 min, 15 min, 1 h, 6 h, 24 h."""
LEVELS: Final = (7, 4, 3)
"""Priorities to choose from: all, warnings and worse, errors and worse."""
FIELDS: Final = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID,_SYSTEMD_UNIT"


@dataclass(frozen=True, slots=True)
class MachineLog:
    """The journal of a machine, named as ssh_config names it; `unit` empty: all of it."""

    host: str
    unit: str = ""

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.unit or 'journal'} on {self.host}"


@dataclass(frozen=True, slots=True)
class ServiceLog:
    """What the tasks of a Swarm service, or one task, print. `ident` is a name or an id."""

    ident: str
    name: str
    what: str = "service"
    """`service` or `task`."""

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.what} {self.name}"


LogTarget = MachineLog | ServiceLog


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a log is read."""

    since_s: int = 3_600
    level: int = LEVELS[0]
    """The highest syslog number that is shown: 7 is all. A service's lines have none."""
    follow: bool = True


@dataclass(frozen=True, slots=True)
class Docker:
    """How docker is run on a manager."""

    sudo: bool = False
    socket: str = ""
    """The engine's socket; empty: docker's own default."""

    def argv(self) -> list[str]:
        """The words before those of the command."""
        return [
            *(["sudo", "-n"] if self.sudo else []),
            "docker",
            *(["-H", f"unix://{self.socket}"] if self.socket else []),
        ]


def _journalctl(target: MachineLog, wanted: Wanted) -> list[str]:
    argv = ["journalctl", "--no-pager", "--output=json", f"--output-fields={FIELDS}"]
    if target.unit == KERNEL:
        argv.append("_TRANSPORT=kernel")
    elif target.unit:
        argv.append(f"--unit={target.unit}")
    if wanted.level < LEVELS[0]:
        argv.append(f"--priority={wanted.level}")
    return argv


def history_argv(target: MachineLog, wanted: Wanted, most: int) -> list[str]:
    """The newest `most` entries of the window, the newest first: the machine's own clock says when it begins."""
    return [*_journalctl(target, wanted), "--reverse", f"--lines={most}", f"--since=-{wanted.since_s}s"]


def follow_argv(target: MachineLog, wanted: Wanted, cursor: str) -> list[str]:
    """What comes after an entry; without one, what the window holds by then, and what comes."""
    after = f"--after-cursor={cursor}" if cursor else f"--since=-{wanted.since_s}s"
    return [*_journalctl(target, wanted), "--follow", "--no-tail", after]


def service_argv(target: ServiceLog, wanted: Wanted, docker: Docker, since: str, most: int) -> list[str]:
    """A service's lines. `since` is the time of the last that is known, as docker has told it; empty: the window."""
    follow = ["--follow"] if wanted.follow else []
    since = since or f"{wanted.since_s}s"
    options: Sequence[str] = ("--timestamps", f"--since={since}", f"--tail={most}")
    return [*docker.argv(), "service", "logs", *options, *follow, "--", target.ident]


def unit_state_argv(unit: str) -> list[str]:
    """Whether systemd knows a unit."""
    return ["systemctl", "show", "--property=LoadState", "--value", "--", unit]


def window_word(since_s: int) -> str:
    """`5 min`, `24 h`."""
    return f"{since_s // 60} min" if since_s < 3_600 else f"{since_s // 3_600} h"
