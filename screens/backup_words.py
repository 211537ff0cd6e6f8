"""What is said of backups: in a cell, in a line, on a tile, on the page of a site or guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import NOT_MEASURED, age, data_size, percent
from farmtui.insight.backups import trusted_sources
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
    return min((source.freshness for source in sources(farm)), key=order.index, default=Freshness.NEVER)


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


def late(book: BackupBook, farm: Farm) -> list[Backup]:
    """Those that are overdue, by sources that are to be trusted."""
    trusted = trusted_sources(farm)
    return [row for row in book.overdue(farm.at.timestamp()) if row.source in trusted]


def counts(farm: Farm, book: BackupBook) -> tuple[int, list[Backup], int, int, int]:
    """How many should be there, which are overdue, and how many things have none, are doubted, or are not known."""
    trusted = trusted_sources(farm)
    unknown = sum(number for source, number in book.missed.items() if source not in trusted)
    never = sum(row.source in trusted for row in book.never)
    now = farm.at.timestamp()
    doubted = sum(row.source in trusted and now < row.overdue_at for row in book.doubted)
    return sum(book.missed.values()), late(book, farm), never, doubted, unknown


def line(farm: Farm) -> Content | None:
    """The overview's line of backups; None where none are configured."""
    book, told = farm.backups, sources(farm)
    if book is None or not told:
        return None
    whole, overdue, never, doubted, unknown = counts(farm, book)
    silent = [source for source in told if source.name not in trusted_sources(farm)]
    fresh = whole - len(overdue) - never - doubted - unknown
    now = farm.at.timestamp()
    parts: list[Content | str | tuple[str, str]] = [("backups  ", ink.MUTED)]
    sign = glyphs().severity[Severity.OK]
    parts.append((f"{sign} {fresh:,} fresh", ink.SEVERITY[Severity.OK]) if whole else ("none known", ink.MUTED))
    if overdue:
        oldest = min(overdue, key=lambda row: row.stored.at if row.stored else 0)
        worst = oldest.state(now)[0]
        parts += ["   ", status_mark(worst, f"{len(overdue):,} overdue"),
                  (f", {oldest.thing} {old(oldest, now)} old", ink.MUTED)]  # fmt: skip
    for number, words in ((never, "have none"), (doubted, "doubtful")):
        if number:
            parts += ["   ", status_mark(Severity.WARNING, f"{number:,} {words}")]
    if silent:
        names = ", ".join(source.name.removeprefix("backups ") for source in silent)
        many = f"{unknown:,} unknown: " if unknown else "unknown: "
        parts += ["   ", status_mark(Severity.UNKNOWN, f"{many}{names} {silent[0].freshness.value}")]
    return Content.assemble(*parts, ("   :backups shows them", ink.MUTED))


def tiles(farm: Farm, book: BackupBook) -> dict[str, TileState]:
    """The tiles of the screen, by their names."""
    whole, overdue, never, doubted, unknown = counts(farm, book)
    told, trusted, now = sources(farm), trusted_sources(farm), farm.at.timestamp()
    fresh = freshness(farm)
    oldest = min(overdue, key=lambda row: row.stored.at if row.stored else 0, default=None)
    silent = [source for source in told if source.name not in trusted]
    good = whole - len(overdue) - never - doubted - unknown
    known = bool(book.rows)
    return {
        "fresh": TileState(
            f"{good:,}" if known else "–", f"of {whole:,}" + (f", {unknown:,} unknown" if unknown else ""),
            Severity.UNKNOWN if unknown else Severity.OK, fresh,
        ),
        "overdue": TileState(
            f"{len(overdue):,}" if known else "–",
            f"{old(oldest, now)}: {oldest.thing}" if oldest is not None else "none is",
            max((row.state(now)[0] for row in overdue), default=Severity.OK), fresh,
        ),
        "never": TileState(
            f"{never:,}" if known else "–", book.never[0].thing if never else "all have one",
            Severity.WARNING if never else Severity.OK, fresh,
        ),
        "doubted": TileState(
            f"{doubted:,}" if known else "–", book.doubted[0].thing if doubted else "none is",
            Severity.WARNING if doubted else Severity.OK, fresh,
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
