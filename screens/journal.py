"""The record of what was done: who, from where, what to what, and when; and whether the record is whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.actions import ActionError
from farmtui.farm.state import Freshness, Severity
from farmtui.runbooks import kinds
from farmtui.runbooks.story import lines_of
from screens.frame import FarmScreen
from screens.places import Subject
from widgets import ink
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from textual.app import ComposeResult

    from farmtui.journal.entry import Entry
    from farmtui.journal.proof import Proof
    from farmtui.runbooks.picture import Picture

PAGE = 2_000
"""Entries that are read at a time."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry. Its texts are what `-l` matches: `-l who=ina`, `-l target=cache-2`, `-l kind=approved`."""

    seq: int
    at: datetime
    run: str
    kind: str
    who: str
    origin: str
    book: str
    target: str
    """What its run works on, commas between."""
    said: str


class JournalScreen(FarmScreen):
    """The newest entry is on top."""

    NAME = "journal"
    CSS_PATH = "journal.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("journal.older", "o", "older", "Older", "Read further back", ("older",), shown=True),
        Command("journal.verify", "v", "verify", "Verify", "Prove the whole journal now", ("verify",), shown=True),
        Command("journal.sort.time", "T", "sort('at')", "By time", "Sort by time", group="list"),
        Command("journal.sort.who", "P", "sort('who')", "By person", "Sort by person", group="list"),
        Command("journal.sort.run", "R", "sort('run')", "By run", "Sort by run", group="list"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[EntryRow, ...] = ()
        self._plans: dict[str, tuple[str, str]] = {}
        """Book and targets by run."""
        self._read = False
        """Whether it was read at all."""
        self._whole = False
        """Whether the first entry is among the rows."""
        self._turn = asyncio.Lock()
        """One reads at a time: what is read is put beside what is there."""
        self._wanted = False
        """Somebody waits for a turn to read what is new: one is enough."""
        self._proof: Proof | None = None
        self._proving = False
        self._trouble = ""
        self._unproved = ""
        """Why it could not be proved now."""
        self._told = Content()

    def compose_body(self) -> ComposeResult:
        """Whether it is whole, then the entries."""
        yield Static(id="proof", markup=False)
        yield LiveTable[EntryRow](
            (
                Column("seq", "#", lambda r: str(r.seq), width=6, align="right", priority=3),
                Column("at", "time (UTC)", lambda r: f"{r.at:%Y-%m-%d %H:%M:%S}", width=19, priority=0,
                       sort=lambda r: r.seq, descending=True),
                Column("who", "who", lambda r: r.who, width=10, priority=1, sort=lambda r: r.who),
                Column("origin", "from", lambda r: r.origin, width=22, priority=4),
                Column("run", "run", lambda r: r.run, width=20, min_width=16, priority=2, sort=lambda r: r.run),
                Column("target", "on", lambda r: r.target, width=12, flex=1, priority=3),
                Column("said", "what", _said, width=44, min_width=30, flex=4, priority=0),
            ),
            key=lambda row: row.seq,
            severity=_severity,
            search=lambda r: f"{r.at:%Y-%m-%d %H:%M:%S} {r.who} {r.origin} {r.run} {r.target} {r.kind} {r.said}",
            noun="entries: nothing was done yet",
            id="entries",
        )  # fmt: skip

    def on_mount(self) -> None:
        """It is proved when it is opened."""
        super().on_mount()
        self._show_rows()

    def show_remedies(self, picture: Picture) -> None:
        """Something was written: read what is new."""
        self._trouble = picture.trouble
        self._tell()
        if not self._rows:
            self._show_rows()
        if not self._wanted:
            self._wanted = True
            self.run_worker(self._read_new(), group="journal")
        if self._proof is None:
            self.action_verify()

    async def _read_new(self) -> None:
        async with self._turn:
            # From here on more may have been written than this reads.
            self._wanted = False
            remedies = self.console.remedies
            if remedies is None:
                return
            try:
                found = await remedies.record(limit=PAGE)
            except ActionError as error:
                self._trouble = str(error)
                self._tell()
                self._show_rows()
                return
            newest = self._rows[0].seq if self._rows else 0
            fresh = [entry for entry in found if entry.seq > newest]
            if self._rows and len(fresh) == len(found) == PAGE:
                # More came in between than one page: what was read before has a gap now.
                self._rows, self._whole = (), False
            self._whole = self._whole or len(found) < PAGE
            self._rows = (*self._as_rows(fresh), *self._rows)
            self._read = True
            # What was wrong with reading is over.
            self._trouble = remedies.picture.trouble
            self._tell()
            self._show_rows()

    def action_older(self) -> None:
        """Read further back."""
        if self._whole:
            self.console.say("this is all: the first entry is among them", Severity.INFO)
        elif self._rows:
            self.run_worker(self._read_older(), group="journal")

    async def _read_older(self) -> None:
        async with self._turn:
            remedies = self.console.remedies
            if remedies is None or self._whole or not self._rows:
                return
            try:
                found = await remedies.record(before=self._rows[-1].seq, limit=PAGE)
            except ActionError as error:
                self.console.say(str(error), Severity.WARNING)
                return
            self._whole = len(found) < PAGE
            older = self._as_rows(found)
            # The plan of a run may stand on the page that was read now, and its other entries on the one before.
            self._rows = (*map(self._with_plan, self._rows), *older)
            self._show_rows()

    def _as_rows(self, entries: Sequence[Entry]) -> list[EntryRow]:
        """Rows, the newest first."""
        for entry in entries:
            if entry.kind == kinds.PLANNED:
                plan = entry.body["plan"]
                names = ", ".join(target.partition(":")[2] for target in plan["targets"])
                self._plans[entry.run] = (plan["book"], names)
        return [self._row(entry) for entry in reversed(entries)]

    def _row(self, entry: Entry) -> EntryRow:
        book, target = self._plans.get(entry.run, ("", ""))
        if not book and self.console.remedies is not None:
            state = self.console.remedies.picture.run(entry.run)
            if state is not None:
                book = state.plan.book
                target = ", ".join(name.partition(":")[2] for name in state.plan.targets)
        said = " / ".join(line.strip() for line in lines_of(entry))
        return EntryRow(
            entry.seq, entry.at, entry.run, entry.kind, entry.author.user, entry.author.origin, book, target, said
        )

    def _with_plan(self, row: EntryRow) -> EntryRow:
        book, target = self._plans.get(row.run, ("", ""))
        return row if row.book or not book else replace(row, book=book, target=target)

    def _show_rows(self) -> None:
        freshness = Freshness.LIVE if self._read else Freshness.NEVER
        reason = "" if self._read else self._trouble or "opening the journal"
        self.query_one("#entries", LiveTable).set_rows(self._rows, freshness=freshness, reason=reason)

    # -- the proof ------------------------------------------------------------------------------

    def action_verify(self) -> None:
        """Prove it whole, from its first entry on. It takes as long as it takes: one proof at a time."""
        if not self._proving:
            self._proving = True
            self.run_worker(self._prove(), group="proof")

    async def _prove(self) -> None:
        remedies = self.console.remedies
        try:
            if remedies is not None:
                self._proof, self._unproved = await remedies.prove(), ""
        except ActionError as error:
            self._unproved = str(error)
        finally:
            self._proving = False
        self._tell()

    def _tell(self) -> None:
        text = proof_text(self._proof, self._trouble or self._unproved, self._place())
        if not text.is_same(self._told):
            self._told = text
            self.query_one("#proof", Static).update(text)

    def _place(self) -> str:
        remedies = self.console.remedies
        return remedies.picture.place if remedies is not None else ""

    # -- what is selected -----------------------------------------------------------------------

    def labels_of(self, row: object) -> Mapping[str, str]:
        """By `-l`: who, origin, run, kind, book, target, and day."""
        labels = dict(super().labels_of(row))
        return {**labels, "day": f"{row.at:%Y-%m-%d}"} if isinstance(row, EntryRow) else labels

    def selected(self) -> Subject | None:
        """The run of the entry under the cursor."""
        row: EntryRow | None = self.query_one("#entries", LiveTable).cursor_row
        return _run_of(row) if row is not None and row.run else None

    @on(LiveTable.RowSelected, "#entries")
    def _open(self, message: LiveTable.RowSelected) -> None:
        row: EntryRow = message.row
        if row.run:
            self.console.open(_run_of(row))


def proof_text(proof: Proof | None, trouble: str, place: str) -> Content:
    """Whether the journal is whole, in a line."""
    if trouble:
        return status_mark(Severity.CRITICAL, trouble)
    if proof is None:
        return Content.styled(f"{place}: being proved", ink.MUTED)
    if not proof.whole:
        where = f"BROKEN at entry {proof.broken_at}: {proof.why}; entries 1 to {proof.entries} are whole  {place}"
        return status_mark(Severity.CRITICAL, where)
    return Content.assemble(
        status_mark(Severity.OK, "whole"),
        (f"  {proof.entries} entries, the last hash is {proof.head.hash[:16]}  {place}", ink.MUTED),
    )


def _run_of(row: EntryRow) -> Subject:
    return Subject("run", row.run, f"{row.book} {row.target}".strip() or row.run)


_LOUD = {kinds.TROUBLE: Severity.CRITICAL, kinds.EFFECT_UNKNOWN: Severity.WARNING, kinds.ASKED: Severity.WARNING}


def _severity(row: EntryRow) -> Severity:
    if "GLASS BROKEN" in row.said and row.kind == kinds.CONFIRMED:
        return Severity.CRITICAL
    if row.kind == kinds.ENDED:
        return Severity.WARNING if row.said.startswith(("ENDED: failed", "ENDED: refused")) else Severity.OK
    return _LOUD.get(row.kind, Severity.OK)


def _said(row: EntryRow) -> str:
    return row.said
