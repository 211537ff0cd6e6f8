"""What is said of backups: in a cell, in a line, on a tile, on the page of a site or guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import NOT_MEASURED, age, data_size, percent
from farmtui.insight.backups import counted, trusted_sources
from screens.describe import Block, Field
from widgets import ink
from widgets.glyphs import glyphs
from widgets.status_mark import status_mark
from widgets.tile import TileState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.backups import Backup, BackupBook, Stored
    from farmtui.farm.farm import Farm
    from farmtui.farm.reading import SourceState


def sources(farm: Farm) -> tuple[SourceState, ...]:
    """Those that tell of backups."""
    return tuple(source for source in farm.sources if source.kind == "backups")


def freshness(farm: Farm) -> Freshness:
    """The best of their freshnesses: while one answers there is something to show."""
    order = (Freshness.LIVE, Freshness.AGEING, Freshness.STALE, Freshness.EMPTY, Freshness.FORBIDDEN, Freshness.NEVER)
    return min((source.freshness for source in sources(farm)), key=order.index, default=Freshness.ABSENT)


def change(stored: Stored | None) -> float | None:
    """By how much the newest is larger than the one before, as a ratio; None where there is none before."""
    if stored is None or not stored.before_bytes:
        return None
    return stored.size_bytes / stored.before_bytes - 1.0


def change_words(stored: Stored | None) -> str:
    """`+1.2 %`, `-82 %`; `first` for one that has none before it."""
    if stored is None:
        return NOT_MEASURED
    ratio = change(stored)
    if ratio is None:
        return "first" if stored.before_at is None else NOT_MEASURED
    if abs(ratio) < 0.0005:
        return "same"
    return f"{'+' if ratio > 0 else ''}{percent(ratio)}"


def old(row: Backup, now: float) -> str:
    """How old the newest is."""
    return age(max(0.0, now - row.stored.at)) if row.stored is not None else "none"


def blocks(farm: Farm, kind: str, key: str) -> Iterator[Block]:
    """The backups of a site or guest, for its page; nothing where no backups are configured."""
    book = farm.backups
    if book is None or not sources(farm):
        return
    trusted, now = trusted_sources(farm), farm.at.timestamp()
    fields = [field(row, now, trusted=row.source in trusted) for row in book.of(kind, key)]
    yield Block("Backups", tuple(fields) or (Field("", "nothing is known of any: see :backups"),))


def field(row: Backup, now: float, *, trusted: bool) -> Field:
    """One backup in a line."""
    severity, word = row.state(now, trusted=trusted)
    bad = severity if severity >= Severity.WARNING else None
    if row.stored is None:
        return Field(row.kind, f"none in {row.store}" + (f" ({row.excused})" if row.excused else ""), bad)
    told = "" if word == "ok" else f", {word}"
    words = (
        f"{old(row, now)} old{told}, {data_size(row.stored.size_bytes)} ({change_words(row.stored)}), in {row.store}"
    )
    return Field(row.kind, words, bad)


def line(farm: Farm) -> Content | None:
    """The overview's line of backups; None where none are configured."""
    book, told = farm.backups, sources(farm)
    if book is None or not told:
        return None
    found = counted(farm, book)
    silent = [source for source in told if source.name not in trusted_sources(farm)]
    now = farm.at.timestamp()
    parts: list[Content | str | tuple[str, str]] = [("backups  ", ink.MUTED)]
    sign = glyphs().severity[Severity.OK]
    whole = (f"{sign} {found.fresh:,} fresh", ink.SEVERITY[Severity.OK])
    parts.append(whole if found.whole else ("none known", ink.MUTED))
    if found.overdue:
        oldest = min(found.overdue, key=_made_at)
        worst = oldest.state(now)[0]
        parts += ["   ", status_mark(worst, f"{len(found.overdue):,} overdue"),
                  (f", {oldest.thing} {old(oldest, now)} old", ink.MUTED)]  # fmt: skip
    for number, words in ((found.never, "have none"), (found.doubted, "doubtful")):
        if number:
            parts += ["   ", status_mark(Severity.WARNING, f"{number:,} {words}")]
    if silent:
        names = ", ".join(source.name.removeprefix("backups ") for source in silent)
        many = f"{found.unknown:,} unknown: " if found.unknown else "unknown: "
        parts += ["   ", status_mark(Severity.UNKNOWN, f"{many}{names} {silent[0].freshness.value}")]
    return Content.assemble(*parts, ("   :backups shows them", ink.MUTED))


def tiles(farm: Farm, book: BackupBook) -> dict[str, TileState]:
    """The tiles of the screen, by their names."""
    found, told = counted(farm, book), sources(farm)
    trusted, now = trusted_sources(farm), farm.at.timestamp()
    fresh = freshness(farm)
    oldest = min(found.overdue, key=_made_at, default=None)
    silent = [source for source in told if source.name not in trusted]
    known = bool(book.rows)
    # While one store is silent, "none" would be said of what nobody knows.
    nothing = "that is known of" if silent else ""
    least = Severity.UNKNOWN if silent else Severity.OK
    return {
        "fresh": TileState(
            f"{found.fresh:,}" if known else "–",
            f"of {found.whole:,}" + (f", {found.unknown:,} unknown" if found.unknown else ""),
            Severity.UNKNOWN if found.unknown else least, fresh,
        ),
        "overdue": TileState(
            f"{len(found.overdue):,}" if known else "–",
            f"{old(oldest, now)}: {oldest.thing}" if oldest is not None else nothing or "none is",
            max((row.state(now)[0] for row in found.overdue), default=least), fresh,
        ),
        "never": TileState(
            f"{found.never:,}" if known else "–", book.never[0].thing if found.never else nothing or "all have one",
            Severity.WARNING if found.never else least, fresh,
        ),
        "doubted": TileState(
            f"{found.doubted:,}" if known else "–", book.doubted[0].thing if found.doubted else nothing or "none is",
            Severity.WARNING if found.doubted else least, fresh,
        ),
        "stores": TileState(
            f"{len(told) - len(silent)} of {len(told)}",
            f"{silent[0].name.removeprefix('backups ')} {silent[0].freshness.value}" if silent else "answer",
            Severity.UNKNOWN if silent else Severity.OK, Freshness.LIVE,
        ),
    }  # fmt: skip


def note(farm: Farm, book: BackupBook) -> Content:
    """One line of what the table cannot show: what a store does not tell, else what was listed."""
    for source in sources(farm):
        if source.failure is not None:
            return Content.assemble(status_mark(Severity.UNKNOWN, source.failure.what))
    if book.unmatched:
        first = book.unmatched[0]
        words = f"{first.store}: none of its keys names a site of this farm; check backups.stores.layout"
        return Content.assemble(status_mark(Severity.WARNING, words))
    for source in sources(farm):
        if source.warnings:
            words = f"{source.name}: {source.warnings[0]}"
            return Content.assemble(status_mark(Severity.WARNING, words))
    told = [
        f"{one.store}: {one.objects:,} objects" + (f", {one.unread:,} fit no layout" if one.unread else "")
        for one in book.listings
    ]
    told += [f"{one.cluster}: {', '.join(one.storages) or 'no storage for backups'}" for one in book.clusters]
    return Content.styled("   ".join(told), ink.MUTED)


def _made_at(row: Backup) -> int:
    return row.stored.at if row.stored is not None else 0
