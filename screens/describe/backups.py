"""The describer of a backup: the newest, the one before, what is allowed, and whose it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import data_size, duration
from farmtui.insight.backups import trusted_sources
from screens.backup_words import change_words, old
from screens.describe import Block, Detail, Field, Link, describer
from screens.places import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.backups import Backup
    from farmtui.farm.farm import Farm


@describer("backup")
def describe_backup(farm: Farm, key: str) -> Detail | None:
    """One thing's backups of one kind in one store."""
    row = next((row for row in farm.backups.rows if row.key == key), None) if farm.backups is not None else None
    if row is None:
        return None
    now = farm.at.timestamp()
    severity, word = row.state(now, trusted=row.source in trusted_sources(farm))
    blocks = (Block("Newest", tuple(_newest(row, now, severity))), Block("Allowed", tuple(_allowed(row))))
    return Detail(
        f"{row.thing} {row.kind}", severity, tuple(_reasons(row, severity, word)), blocks, tuple(_links(farm, row)),
        raw=row, labels=(("thing", row.thing), ("kind", row.kind), ("store", row.store), ("state", word)),
    )  # fmt: skip


def _reasons(row: Backup, severity: Severity, word: str) -> Iterator[str]:
    match word:
        case "unknown":
            yield f"{row.source} does not answer: this is what it said before, and no more is known"
        case "overdue":
            yield "it is older than its kind may be: if it were needed now, all since then would be lost"
        case "never":
            yield f"{row.store} has none: nothing of it could be restored"
        case "ok":
            return
        case _ if severity is Severity.INFO:
            yield f"nobody misses it: {word}"
        case _:
            yield f"it came in time and is {word}: restore it elsewhere and look before it is trusted"


def _newest(row: Backup, now: float, severity: Severity) -> Iterator[Field]:
    stored = row.stored
    bad = severity if severity >= Severity.WARNING else None
    if stored is None:
        yield Field("newest", "none", bad)
        return
    yield Field("finished", f"{_moment(stored.at)}, {old(row, now)} ago", None if row.doubt and bad else bad)
    yield Field("size", data_size(stored.size_bytes), Severity.WARNING if row.doubt else None)
    yield Field("change", change_words(stored))
    yield Field("name", stored.name or "–")
    yield Field("kept in", f"{stored.where or '–'} ({row.store})")
    if stored.before_at is not None and stored.before_bytes is not None:
        yield Field("the one before", f"{_moment(stored.before_at)}, {data_size(stored.before_bytes)}")


def _allowed(row: Backup) -> Iterator[Field]:
    if row.stored is None:
        yield Field("age", "any would do")
        return
    yield Field("overdue after", duration(row.overdue_at - row.stored.at))
    yield Field("critical after", duration(row.critical_at - row.stored.at))
    yield Field("overdue from", _moment(row.overdue_at))


def _links(farm: Farm, row: Backup) -> Iterator[Link]:
    kind, key = row.subject
    if key:
        yield Link(kind, Subject(kind, key, row.thing), row.thing)
    source = farm.source_named(row.source)
    if source is not None:
        severity = Severity.UNKNOWN if source.failure is not None else Severity.OK
        yield Link(
            "told by", Subject("source", row.source, row.source), f"{row.source} {source.freshness.value}", severity
        )


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
