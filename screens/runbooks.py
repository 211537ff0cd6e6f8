"""Screen 9: the runs that are under way, and the library with what each book is for and how it ended last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.content import Content
from textual.css.scalar import Scalar
from textual.widgets import Static

from farmtui.commands import Command
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age
from farmtui.runbooks.picture import Standing, progress, standing
from screens.frame import FarmScreen
from screens.remedy_details import book_subject, run_subject, target_names
from widgets import ink
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.runbooks.loading import Broken, Shelved
    from farmtui.runbooks.picture import Picture
    from farmtui.runbooks.state import RunState
    from screens.places import Subject

MOST_RUNS = 8
"""Lines that the runs take at most while the library is shown beside them."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the table."""

    state: RunState
    how: Standing

    @property
    def run(self) -> str:
        """Its id."""
        return self.state.run

    @property
    def book(self) -> str:
        """Its book."""
        return self.state.plan.book

    @property
    def by(self) -> str:
        """Who asked for it."""
        return self.state.author.user


@dataclass(frozen=True, slots=True)
class BookRow:
    """One file of the shelf."""

    name: str
    shelved: Shelved | None
    broken: Broken | None
    last: RunState | None

    @property
    def risk(self) -> int:
        """1 to 3; 0 for a file that is no book."""
        return self.shelved.book.risk if self.shelved else 0

    @property
    def title(self) -> str:
        """What it does; of a broken one what is wrong."""
        return self.shelved.book.title if self.shelved else self.broken.why.splitlines()[0] if self.broken else ""


class RunbooksScreen(FarmScreen):
    """Runs above, books below."""

    NAME = "runbooks"
    CSS_PATH = "runbooks.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("runbooks.ended", "e", "ended", "Ended", "Runs that have ended, too", ("ended",), shown=True),
        Command("runbooks.sort.name", "N", "sort('name')", "By name", "Sort books by name", group="list"),
        Command("runbooks.sort.risk", "R", "sort('risk')", "By risk", "Sort books by risk", group="list"),
        Command("runbooks.sort.last", "L", "sort('last')", "By last run", "Sort books by their last run", group="list"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._ended = False
        self._about = Content()

    def compose_body(self) -> ComposeResult:
        """What is wrong with the journal, the runs, the books, and what the book under the cursor is for."""
        yield Static(id="trouble", markup=False)
        yield LiveTable[RunRow](
            (
                Column("state", "state", lambda r: r.how.word, width=9, priority=0),
                Column("book", "run of", lambda r: Content.styled(r.book, ink.STRONG), width=18, flex=1, priority=0),
                Column(
                    "target", "on", lambda r: target_names(r.state) or "–", width=12, min_width=8, flex=1, priority=0
                ),
                Column("step", "step", _step, width=20, min_width=12, flex=2, priority=1),
                Column("since", "since", _since, width=7, align="right", priority=1),
                Column("by", "by", lambda r: r.by, width=10, priority=2),
                Column("why", "because", lambda r: r.state.reason or "–", width=20, min_width=12, flex=1, priority=4),
            ),
            key=lambda row: row.run,
            severity=lambda row: row.how.severity,
            noun="runs under way: x on anything that is wrong offers what mends it",
            id="runs",
        )
        yield LiveTable[BookRow](
            (
                Column("name", "runbook", lambda b: Content.styled(b.name, ink.STRONG), width=20, min_width=18,
                       priority=0, sort=lambda b: b.name),
                Column("risk", "risk", _risk, width=11, priority=0, sort=lambda b: b.risk, descending=True,
                       help="1 harmless, 2 affects service, 3 may lose data"),
                Column("title", "does", lambda b: b.title, width=40, min_width=26, flex=3, priority=0),
                Column("last", "last run", _last, width=16, priority=1, sort=_last_at, descending=True),
                Column("alerts", "offered by", _alerts, width=24, min_width=16, flex=1, priority=3),
                Column("tags", "tags", _tags, width=24, priority=5),
            ),
            key=lambda row: row.name,
            severity=lambda row: Severity.OK if row.shelved else Severity.WARNING,
            search=_searched,
            noun="runbooks",
            id="books",
        )  # fmt: skip
        yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        """The library has the focus; ages go on by themselves."""
        super().on_mount()
        self.query_one("#books", LiveTable).focus()
        self.set_interval(1.0, self._tick)
        if self.console.remedies is None:
            self._wait()

    def _wait(self) -> None:
        """The journal is looked at after the first picture of the farm."""
        for name in ("#runs", "#books"):
            self.query_one(name, LiveTable).set_rows((), freshness=Freshness.NEVER, reason="opening the journal")

    def _tick(self) -> None:
        """Ages, and what a run that goes on is at."""
        remedies = self.console.remedies
        if remedies is not None and self.app.screen is self:
            self._show_runs(remedies.picture)

    def show_remedies(self, picture: Picture) -> None:
        """Everything from the newest picture."""
        trouble = self.query_one("#trouble", Static)
        trouble.display = bool(picture.trouble)
        if picture.trouble:
            trouble.update(status_mark(Severity.CRITICAL, picture.trouble))
        self._show_runs(picture)
        books = [BookRow(name, one, None, picture.last_of(name)) for name, one in picture.shelf.books.items()]
        broken = [BookRow(one.name, None, one, None) for one in picture.shelf.broken]
        table = self.query_one("#books", LiveTable)
        table.set_rows((*broken, *books))
        self._show_about()

    def _show_runs(self, picture: Picture) -> None:
        now = datetime.now(UTC)
        runs = picture.runs if self._ended else picture.under_way
        rows = tuple(RunRow(state, standing(state, now, picture.holders.get(state.run, ""))) for state in runs)
        if self.console.faults_only:
            rows = tuple(row for row in rows if row.how.severity >= Severity.WARNING)
        table = self.query_one("#runs", LiveTable)
        # What waits for somebody is on top.
        table.set_rows(tuple(sorted(rows, key=lambda row: row.how.severity < Severity.WARNING)))
        height = min(max(len(rows), 1), MOST_RUNS if not self._ended else MOST_RUNS * 2) + 1
        if table.styles.inline.height != Scalar.from_number(height):
            table.styles.height = height
        table.refresh_cells()

    def action_ended(self) -> None:
        """Show the runs that have ended, too, or only those under way."""
        self._ended = not self._ended
        remedies = self.console.remedies
        if remedies is not None:
            self._show_runs(remedies.picture)
            self.query_one("#runs" if self._ended else "#books", LiveTable).focus()

    @on(LiveTable.RowHighlighted, "#books")
    def _show_about(self) -> None:
        """What the table has no room for."""
        row: BookRow | None = self.query_one("#books", LiveTable).cursor_row
        text = about_text(row) if row is not None else Content()
        if not text.is_same(self._about):
            self._about = text
            self.query_one("#about", Static).update(text)

    def selected(self) -> Subject | None:
        """The run or the book under the cursor."""
        table: LiveTable[Any] | None = self.focused_table()
        return _subject(table.cursor_row) if table is not None else None

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        subject = _subject(message.row)
        if subject is not None:
            self.console.open(subject)


def _subject(row: object) -> Subject | None:
    if isinstance(row, RunRow):
        return run_subject(row.state)
    return book_subject(row.name) if isinstance(row, BookRow) else None


def about_text(row: BookRow) -> Content:
    """What a book is for, what it asks, and which alerts offer it."""
    if row.shelved is None:
        why = row.broken.why if row.broken else ""
        return Content.assemble(("no runbook: ", ink.WARNING), (why, ink.TEXT))
    book = row.shelved.book
    parts: list[tuple[str, str]] = [(f"{book.title}. ", ink.STRONG), (" ".join(book.about.split()), ink.TEXT)]
    asked = ", ".join(book.inputs) or "nothing"
    parts.append((f"\nasks for {asked}; {len(book.steps)} step{'s' * (len(book.steps) != 1)}", ink.MUTED))
    if book.alerts:
        parts.append((f"; offered by {', '.join(book.alerts)}", ink.MUTED))
    return Content.assemble(*parts)


def _step(row: RunRow) -> str:
    done, steps = progress(row.state)
    if row.state.outcome is not None:
        return row.state.why or f"{done}/{steps}"
    question = row.state.question
    return f"{done}/{steps} {question.text if question else row.how.text}"


def _since(row: RunRow) -> str:
    state = row.state
    return age((datetime.now(UTC) - (state.ended_at or state.begun_at or state.planned_at)).total_seconds())


def _risk(row: BookRow) -> Content | str:
    if row.shelved is None:
        return status_mark(Severity.WARNING, "broken")
    text = f"{row.risk} {_RISKED[row.risk]}"
    # Colour is kept for what may not be taken back.
    return Content.styled(text, f"{ink.STRONG} {ink.CRITICAL}") if row.risk == 3 else Content.styled(text, ink.MUTED)


_RISKED = {1: "harmless", 2: "service", 3: "data"}
"""What is at risk, in a word."""


def _last(row: BookRow) -> Content | str:
    if row.last is None:
        return Content.styled("never", ink.MUTED)
    now = datetime.now(UTC)
    how = standing(row.last, now, "somebody")
    when = age((now - (row.last.ended_at or row.last.planned_at)).total_seconds())
    return Content.assemble(status_mark(how.severity, how.word), (f"  {when}", ink.MUTED))


def _last_at(row: BookRow) -> float | None:
    return row.last.planned_at.timestamp() if row.last else None


def _alerts(row: BookRow) -> str:
    return ", ".join(row.shelved.book.alerts) if row.shelved else ""


def _tags(row: BookRow) -> str:
    return " ".join(row.shelved.book.tags) if row.shelved else ""


def _searched(row: BookRow) -> str:
    """What a filter looks at: all that one would remember of a book."""
    if row.shelved is None:
        return f"{row.name} {row.title}"
    book = row.shelved.book
    return " ".join((row.name, book.title, book.about, *book.tags, *book.alerts, *book.inputs))
