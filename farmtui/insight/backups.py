"""Faults of backups: overdue ones, none at all, doubtful ones, and guests that no job covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest

from farmtui.farm.backup_rows import pve_source, shrink_words, store_source
from farmtui.farm.backups import GUEST, Backup, BackupBook
from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age
from farmtui.insight.finding import Finding, Thing

PART = "backups"
SCREEN = "backups"
RUNBOOK = "backup-run"
"""The library's book for a backup that is overdue."""
_NAMED = 3
_TRUSTED = (Freshness.LIVE, Freshness.AGEING, Freshness.EMPTY)
_TOPICS = ("backup",)


def trusted_sources(farm: Farm) -> frozenset[str]:
    """Names of the sources whose word on backups is young enough to judge by."""
    return frozenset(
        source.name for source in farm.sources if source.kind == "backups" and source.freshness in _TRUSTED
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How the backups are that should be there; what is not told by a trusted source is `unknown`, and nothing else."""

    whole: int
    overdue: tuple[Backup, ...]
    never: int
    doubted: int
    unknown: int

    @property
    def fresh(self) -> int:
        """Those of which nothing is wrong."""
        return self.whole - len(self.overdue) - self.never - self.doubted - self.unknown


def counted(farm: Farm, book: BackupBook) -> Counts:
    """The counts now. Cheap while few are overdue, however many there are."""
    trusted, now = trusted_sources(farm), farm.at.timestamp()
    return Counts(
        sum(book.missed.values()),
        tuple(row for row in book.overdue(now) if row.source in trusted),
        sum(row.source in trusted for row in book.never),
        sum(row.source in trusted and now < row.overdue_at for row in book.doubted),
        sum(number for name, number in book.missed.items() if name not in trusted),
    )


def kind_words(kind: str) -> str:
    """What a backup of a kind is called."""
    return "guest backup" if kind == GUEST else f"{kind} backup"


def backup_faults(farm: Farm) -> Iterator[Finding]:
    """Each sort of fault once, with a count. A store that does not answer is told of by its source: what it holds is
    unknown then, not overdue."""
    book = farm.backups
    if book is None:
        return
    trusted, now = trusted_sources(farm), farm.at.timestamp()
    yield from _overdue(farm, [row for row in book.overdue(now) if row.source in trusted])
    yield from _never([row for row in book.never if row.source in trusted])
    yield from _doubted([row for row in book.doubted if row.source in trusted and now < row.overdue_at])
    yield from _unmatched(book, trusted)
    yield from _uncovered(book, trusted)


def _overdue(farm: Farm, late: Sequence[Backup]) -> Iterator[Finding]:
    by_kind: defaultdict[str, list[Backup]] = defaultdict(list)
    for row in late:
        by_kind[row.kind].append(row)
    now = farm.at.timestamp()
    for kind, rows in sorted(by_kind.items()):
        oldest = nsmallest(_NAMED, rows, key=_made_at)
        severity = max(row.state(now)[0] for row in oldest)
        first, words = oldest[0], kind_words(kind)
        old = age(now - _made_at(first))
        one = len(rows) == 1
        yield Finding(
            f"backups/overdue/{kind}", severity,
            f"{first.thing}: no {words} for {old}" if one
            else f"{_counted(rows)} have no fresh {words}",
            "if it were lost now, all since then would be lost with it" if one
            else f"the oldest is {old} old: if one were lost now, all since its last backup would be lost with it",
            (
                _listed(rows, [f"{row.thing} ({age(now - _made_at(row))})" for row in oldest]),
                *_failed_tasks(farm, kind, now),
                f"where it should be: {', '.join(sorted({row.store for row in rows}))}",
            ),
            _subject(rows), SCREEN, PART, RUNBOOK if kind != GUEST else "",
            since=datetime.fromtimestamp(first.overdue_at, UTC), topics=_TOPICS,
        )  # fmt: skip


def _failed_tasks(farm: Farm, kind: str, now: float) -> Iterator[str]:
    """What vzdump said last, where guests' backups are overdue."""
    book = farm.backups
    if kind != GUEST or book is None:
        return
    for cluster in book.clusters:
        failed = next((task for task in cluster.tasks if task.failed), None)
        if failed is not None:
            yield f"vzdump on {failed.host} failed {age(now - failed.ended_at)} ago: {failed.status}"


def _never(rows: Sequence[Backup]) -> Iterator[Finding]:
    by_kind: defaultdict[str, list[Backup]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    for kind, none in sorted(by_kind.items()):
        words = kind_words(kind)
        yield Finding(
            f"backups/never/{kind}", Severity.WARNING,
            f"{none[0].thing}: no {words} at all" if len(none) == 1 else f"{_counted(none)} have no {words} at all",
            "nothing of it could be restored; a new one is backed up for the first time tonight" if len(none) == 1
            else "nothing of them could be restored; new ones are backed up for the first time tonight",
            (_listed(none, [row.thing for row in none[:_NAMED]]),),
            _subject(none), SCREEN, PART, RUNBOOK if kind != GUEST else "", topics=_TOPICS,
        )  # fmt: skip


def _doubted(rows: Sequence[Backup]) -> Iterator[Finding]:
    if not rows:
        return
    first = rows[0]
    told = [f"{row.thing} {row.kind}: {shrink_words(row.stored)}" for row in rows[:_NAMED] if row.stored]
    yield Finding(
        "backups/doubted", Severity.WARNING,
        f"{first.thing}: {kind_words(first.kind)} is {first.doubt}" if len(rows) == 1
        else f"{len(rows)} newest backups are much smaller than those before",
        "it came in time, and may hold only a part: a dump that was cut off, a disk that was not mounted",
        (_listed(rows, told), "before it is trusted: restore it elsewhere and look"),
        _subject(rows), SCREEN, PART, topics=("backupsize", "backupsmall"),
    )  # fmt: skip


def _unmatched(book: BackupBook, trusted: frozenset[str]) -> Iterator[Finding]:
    for listing in book.unmatched:
        if store_source(listing.store) in trusted:
            names = ", ".join(stored.of for stored in listing.stored[:_NAMED])
            yield Finding(
                f"backups/unmatched/{listing.store}", Severity.WARNING,
                f"no backup in {listing.store} is of a site of this farm",
                "its keys name sites that the farm does not have: whether the sites have backups is not known",
                (f"it names {names}", "→ check backups.stores.layout in the config"),
                ("source", store_source(listing.store)), SCREEN, PART,
            )  # fmt: skip


def _uncovered(book: BackupBook, trusted: frozenset[str]) -> Iterator[Finding]:
    for cluster in book.clusters:
        found = [one for one in book.uncovered if one[0].rpartition("/")[0] == cluster.cluster]
        if not found or pve_source(cluster.cluster) not in trusted:
            continue
        names = ", ".join(name for _, name in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        yield Finding(
            f"backups/uncovered/{cluster.cluster}", Severity.WARNING,
            f"no backup job covers guest {names}" if len(found) == 1
            else f"no backup job covers {len(found)} guests of {cluster.cluster}",
            "Proxmox VE backs them up in no job of the datacenter's",
            (f"{names}{more}", "→ add them to a job, or name them under backups.exempt if they need none"),
            ("guest", found[0][0]) if len(found) == 1 else ("", ""), SCREEN, PART, topics=("notbackedup",),
        )  # fmt: skip


def _made_at(row: Backup) -> int:
    """When its newest was made, Unix seconds."""
    return row.stored.at if row.stored is not None else 0


def _subject(rows: Sequence[Backup]) -> Thing:
    return rows[0].subject if len(rows) == 1 else ("", "")


def _counted(rows: Sequence[Backup]) -> str:
    return f"{len(rows)} {'guests' if rows[0].kind == GUEST else 'sites'}"


def _listed(rows: Sequence[Backup], told: Sequence[str]) -> str:
    return ", ".join(told) + (f" and {len(rows) - len(told)} more" if len(rows) > len(told) else "")
