"""Backups: what stores hold of each site and guest, and whether that is young and large enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from farmtui.farm.state import Severity

GUEST: Final = "guest"
"""The kind of a whole guest's backup, as Proxmox VE makes them."""
_NO_DUE: Final[Mapping[int, tuple[Backup, ...]]] = MappingProxyType({})
_NO_COUNTS: Final[Mapping[str, int]] = MappingProxyType({})
HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store holds of one thing: its newest backup, and the one before. Times are whole Unix seconds: of 50,000
    sites there are 150,000 of these."""

    kind: str
    """`database`, `files`, ...; `guest`."""
    of: str
    """Whose it is: a site as the key names it; a guest's `CLUSTER/VMID`."""
    at: int
    """When the newest was finished, by the store's clock, told by ours."""
    size_bytes: int
    name: str
    """The newest's key (up to its {time}, where several objects are one) or volume."""
    where: str = ""
    """The bucket or the storage."""
    before_at: int | None = None
    before_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StoreListing:
    """A bucket as far as it is listed."""

    store: str
    """The store's name in the config."""
    bucket: str
    kinds: tuple[str, ...]
    """What it should hold of every site."""
    stored: tuple[Stored, ...]
    whole: bool
    """Whether all of it has been listed at least once; else what is missing may be further on."""
    objects: int = 0
    """Objects that the last whole listing has met (or this one, so far)."""
    unread: int = 0
    """Of these, such as fit no layout."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupTask:
    """A vzdump task of Proxmox VE that has ended."""

    host: str
    guest: int | None
    """The guest's id, where it was about a single one."""
    ended_at: int
    status: str
    """`OK`, or PVE's words for what failed."""

    @property
    def failed(self) -> bool:
        """Whether it did not end well; warnings are no failure."""
        return self.status != "OK" and not self.status.startswith("WARNINGS")


@dataclass(frozen=True, slots=True)
class PveBackups:
    """What a cluster's storages hold of its guests."""

    cluster: str
    stored: tuple[Stored, ...]
    whole: bool
    """Whether every storage that holds backups was listed."""
    uncovered: tuple[int, ...] | None = None
    """Guests that no backup job covers; None where PVE does not tell."""
    storages: tuple[str, ...] = ()
    tasks: tuple[BackupTask, ...] = ()
    """The last vzdump tasks, the newest first."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backup:
    """One thing's backups of one kind in one store."""

    kind: str
    thing: str
    """The site's or guest's name."""
    subject: tuple[str, str]
    """`("site", KEY)` or `("guest", CLUSTER/VMID)`; empty where the farm knows no such thing (any more)."""
    store: str
    """The S3 store's or the PVE cluster's name."""
    source: str
    """The name of the source that tells it."""
    stored: Stored | None = None
    """None: it has none."""
    limits_s: tuple[int, int] = (0, 0)
    """Seconds from which on the newest is overdue, and critical."""
    doubt: str = ""
    """What is wrong with the newest one itself, in a few words: `shrunk`, `empty`, `too small`."""
    excused: str = ""
    """Why nobody misses it: `no such site`, `exempt`, `no job`."""

    @property
    def overdue_at(self) -> int:
        """Unix seconds from which on it is overdue; 0 where there is none."""
        return self.stored.at + self.limits_s[0] if self.stored is not None else 0

    @property
    def critical_at(self) -> int:
        """And from which on that is critical."""
        return self.stored.at + self.limits_s[1] if self.stored is not None else 0

    @property
    def key(self) -> str:
        """Unique, and the same from picture to picture."""
        return f"{self.kind}/{self.store}/{self.thing}"

    def state(self, now: float, *, trusted: bool = True) -> tuple[Severity, str]:
        """How it is at `now` (Unix seconds), in a word. What comes from a source that is not `trusted` is unknown."""
        if not trusted:
            return Severity.UNKNOWN, "unknown"
        if self.excused:
            return Severity.INFO, self.excused
        if self.stored is None:
            return Severity.WARNING, "never"
        if now >= self.critical_at:
            return Severity.CRITICAL, "overdue"
        if now >= self.overdue_at:
            return Severity.WARNING, "overdue"
        return (Severity.WARNING, self.doubt) if self.doubt else (Severity.OK, "ok")


@dataclass(frozen=True, slots=True)
class BackupBook:
    """All backups that should be there."""

    rows: tuple[Backup, ...] = ()
    due: Mapping[int, tuple[Backup, ...]] = field(default_factory=lambda: _NO_DUE)
    """Those that somebody would miss, by the hour (Unix hours) in which they are overdue."""
    never: tuple[Backup, ...] = ()
    """Things that have none."""
    doubted: tuple[Backup, ...] = ()
    """Those whose newest is doubted."""
    unmatched: tuple[StoreListing, ...] = ()
    """Listings of which no key names any site of the farm: the layout does not fit."""
    listings: tuple[StoreListing, ...] = ()
    clusters: tuple[PveBackups, ...] = ()
    missed: Mapping[str, int] = field(default_factory=lambda: _NO_COUNTS)
    """How many of the rows somebody would miss, by the source that tells of them."""
    uncovered: tuple[tuple[str, str], ...] = ()
    """`CLUSTER/VMID` and name of each guest that no job covers."""

    def overdue(self, now: float) -> list[Backup]:
        """Those that are overdue at `now`, in no order."""
        hour = int(now // HOUR_S)
        found = [row for at, rows in self.due.items() if at < hour for row in rows]
        return found + [row for row in self.due.get(hour, ()) if row.overdue_at <= now]

    def of(self, kind: str, key: str) -> tuple[Backup, ...]:
        """A thing's backups, by its kind and key as subjects have them."""
        return tuple(row for row in self.rows if row.subject == (kind, key))
