"""What is asked of an upstream about one thing, only while somebody looks at it: never a part of the Farm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TaskLog:
    """The end of a Proxmox VE task's log."""

    lines: tuple[str, ...]
    before: int = 0
    """Lines before these that were not asked for."""


@dataclass(frozen=True, slots=True)
class GuestSnapshot:
    """A snapshot of a guest of Proxmox VE."""

    name: str
    taken_at: datetime | None = None
    about: str = ""
    with_memory: bool = False


@dataclass(frozen=True, slots=True)
class GuestLook:
    """A guest's config and its snapshots, the newest first. A part that could not be had is None."""

    config: tuple[tuple[str, str], ...] | None = None
    snapshots: tuple[GuestSnapshot, ...] | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DropletAction:
    """Something that DigitalOcean was told to do with a droplet."""

    kind: str
    """`resize`, `snapshot`, `power_cycle`, ..."""
    status: str
    """`in-progress`, `completed` or `errored`."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DropletLook:
    """A droplet's newest actions, the newest first."""

    actions: tuple[DropletAction, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, or in words why not."""

    at: datetime
    found: TaskLog | GuestLook | DropletLook | None = None
    problem: str = ""
