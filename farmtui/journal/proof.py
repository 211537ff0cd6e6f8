"""Proving that a journal is whole: every hash, every link, its end, and what this machine has seen of it before."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import RowMapping

from farmtui.journal.entry import GENESIS, Author, chained
from farmtui.journal.store import Head, Journal


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found."""

    entries: int
    """Entries that were read and are whole."""
    head: Head
    broken_at: int | None = None
    """The number of the first entry that is not as it was written, or is missing."""
    why: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return self.broken_at is None


class Witness:
    """What this machine has seen of its journals: who shortens one, or writes it anew, has not been here.

    A file of its own, away from the database: `{journal: [number, hash]}`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def seen(self, journal: str) -> tuple[int, str] | None:
        """The latest entry that was seen, by number and hash."""
        return self._all().get(journal)

    def saw(self, head: Head) -> None:
        """Remember a journal's end, where it is later than the one that is remembered."""
        known = self._all()
        if head.journal in known and known[head.journal][0] >= head.seq:
            return
        known[head.journal] = (head.seq, head.hash)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(known), encoding="utf-8")
        unfinished.replace(self._path)

    def _all(self) -> dict[str, tuple[int, str]]:
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(journal): (int(seq), str(digest)) for journal, (seq, digest) in found.items()}
        return {}


def prove(journal: Journal, witness: Witness | None = None) -> Proof:
    """Read the whole journal and prove it. Raises UnavailableError."""
    head = journal.head()
    seen = witness.seen(head.journal) if witness else None
    previous, count = GENESIS, 0
    for row in journal.walk():
        if row["seq"] > head.seq:
            # Written while we read: the head is of before. What was begun is proved to its own end.
            break
        why = _wrong(row, count + 1, previous)
        if not why and seen and seen[0] == row["seq"] and seen[1] != row["hash"]:
            why = "it is not the one that this machine has seen under this number: the journal was written anew"
        if why:
            return Proof(count, head, count + 1, why)
        previous, count = row["hash"], count + 1
    if count < head.seq:
        return Proof(count, head, count + 1, f"entries {count + 1} to {head.seq} are missing at the end")
    if previous != head.hash:
        return Proof(count, head, count, "the journal's own note of its end names another hash")
    if seen and seen[0] > count:
        return Proof(count, head, count + 1, f"this machine has seen {seen[0]} entries: the end was cut off")
    return Proof(count, head)


def _wrong(row: RowMapping, expected: int, previous: str) -> str:
    if row["seq"] != expected:
        return f"entry {expected} is missing: entry {row['seq']} follows on {expected - 1}"
    if row["previous"] != previous:
        return "it does not follow on the entry before: one of the two was changed or exchanged"
    found = chained(
        previous, seq=row["seq"], at=row["at"], run=row["run"], kind=row["kind"],
        author=Author(row["who"], row["origin"]), epoch=row["epoch"], body=row["body"], nonce=row["nonce"],
    )  # fmt: skip
    return "" if found == row["hash"] else "its content is not what was written: its hash says otherwise"
