"""The screen of backups: whose newest one is how old and how large, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal

from farmtui.commands import Command
from farmtui.farm.backups import Backup, BackupBook
from farmtui.farm.state import Severity
from farmtui.farm.units import NOT_MEASURED, data_size
from farmtui.insight.backups import trusted_sources
from screens.backup_words import change, change_words, freshness, note, old, sources, tiles
from screens.columns import figure
from screens.frame import FarmScreen
from screens.lines import Line
from screens.places import Subject
from widgets.live_table import LiveTable
from widgets.status_mark import status_mark
from widgets.table_columns import Column
from widgets.tile import Tile, TileState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.content import Content

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

_TILES = (
    ("fresh", "fresh"),
    ("overdue", "overdue"),
    ("never", "none at all"),
    ("doubted", "doubtful"),
    ("stores", "stores"),
)
_AGE_STEP_S = 60
"""Ages are shown coarsely: the rows are looked at anew so often, and when something has changed."""
_LONGEST_S = 1e11


class BackupsScreen(FarmScreen):
    """Every backup that should be there."""

    NAME = "backups"
    CSS_PATH = "backups.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("backups.sort.thing", "N", "sort('thing')", "By name", "Sort by name", group="list"),
        Command("backups.sort.state", "S", "sort('state')", "Worst first", "Sort by state, worst first", group="list"),
        Command("backups.sort.age", "A", "sort('newest')", "By age", "Sort by age, oldest first", group="list"),
        Command("backups.sort.size", "Z", "sort('size')", "By size", "Sort by size", group="list"),
        Command("backups.sort.change", "C", "sort('change')", "By change", "Sort by change, most shrunk first",
                group="list"),
        Command("backups.sort.kind", "K", "sort('kind')", "By kind", "Sort by kind", group="list"),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._trusted: frozenset[str] = frozenset()
        self._book: BackupBook | None = None
        self._shown: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Summary, one line of what was listed, then the backups."""
        with Horizontal(id="tiles", classes="tiles"):
            for name, title in _TILES:
                yield Tile(title, id=f"tile-{name}")
        yield Line(id="note")
        yield LiveTable[Backup](
            self._columns(), key=lambda row: row.key, severity=self._severity,
            search=lambda row: f"{row.thing} {row.kind} {row.store} {self._state(row)[1]}",
            noun="backups", sort="state", id="backups",
        )  # fmt: skip

    def _columns(self) -> tuple[Column[Backup], ...]:
        return (
            Column("thing", "site or guest", lambda r: r.thing, width=28, min_width=18, flex=3, priority=0,
                   sort=lambda r: r.thing),
            Column("kind", "kind", lambda r: r.kind, width=9, priority=0, sort=lambda r: r.kind),
            Column("state", "state", self._state_cell, width=14, min_width=11, priority=0, sort=self._rank,
                   descending=True),
            Column("newest", "newest", lambda r: old(r, self._now), width=8, align="right", priority=0,
                   sort=lambda r: self._now - r.stored.at if r.stored else _LONGEST_S, descending=True,
                   help="how long ago the newest was finished, by the store's clock"),
            Column("size", "size", lambda r: data_size(r.stored.size_bytes) if r.stored else NOT_MEASURED, width=9,
                   align="right", priority=1, sort=lambda r: r.stored.size_bytes if r.stored else None,
                   descending=True),
            Column("change", "change", self._change_cell, width=9, align="right", priority=2,
                   sort=lambda r: change(r.stored), help="its size against that of the one before"),
            Column("store", "store", lambda r: r.store, width=10, flex=1, priority=1, sort=lambda r: r.store),
            Column("name", "newest is", lambda r: r.stored.name if r.stored else NOT_MEASURED, width=50, flex=4,
                   priority=5, sort=lambda r: r.stored.name if r.stored else ""),
        )  # fmt: skip

    def _state(self, row: Backup) -> tuple[Severity, str]:
        return row.state(self._now, trusted=row.source in self._trusted)

    def _severity(self, row: Backup) -> Severity:
        return self._state(row)[0]

    def _state_cell(self, row: Backup) -> Content:
        return status_mark(*self._state(row))

    def _change_cell(self, row: Backup) -> Content | str:
        return figure(change_words(row.stored), Severity.WARNING if row.doubt and not row.excused else Severity.OK)

    def _rank(self, row: Backup) -> float:
        """How bad it is, and among those that are alike the oldest first."""
        since = self._now - row.stored.at if row.stored is not None else 0.0
        return self._severity(row) * _LONGEST_S + since

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        """Everything from the newest picture."""
        book, told = farm.backups, sources(farm)
        fresh = freshness(farm)
        # Of 50,000 sites the rows are not looked through at every picture.
        trusted, minute = trusted_sources(farm), farm.at.timestamp() // _AGE_STEP_S
        wanted = (trusted, minute, self.console.faults_only, fresh, bool(told))
        if self._book is not book or self._shown != wanted:
            self._book, self._shown = book, wanted
            self._now, self._trusted = farm.at.timestamp(), trusted
            rows: Sequence[Backup] = book.rows if book is not None else ()
            if self.console.faults_only:
                rows = tuple(row for row in rows if self._severity(row) >= Severity.WARNING)
            reason = "" if told else "no backups are configured: give the config a section `backups`"
            self.query_one("#backups", LiveTable).set_rows(rows, freshness=fresh, reason=reason)
        self.query_one("#note", Line).show(note(farm, book if book is not None else BackupBook()))
        states = tiles(farm, book) if book is not None and told else {}
        for name, _ in _TILES:
            nothing = TileState("–", freshness=fresh)
            self.query_one(f"#tile-{name}", Tile).show(states.get(name, nothing))

    def labels_of(self, row: object) -> Mapping[str, str]:
        """What `-l` is matched against."""
        if not isinstance(row, Backup):
            return super().labels_of(row)
        return {"thing": row.thing, "kind": row.kind, "store": row.store, "state": self._state(row)[1]}

    def selected(self) -> Subject | None:
        """The backup under the cursor."""
        row = self.query_one("#backups", LiveTable).cursor_row
        return subject(row) if isinstance(row, Backup) else None

    @on(LiveTable.RowSelected)
    def _open(self, message: LiveTable.RowSelected) -> None:
        if isinstance(message.row, Backup):
            self.console.open(subject(message.row))


def subject(row: Backup) -> Subject:
    """The subject of a row."""
    return Subject("backup", row.key, f"{row.thing} {row.kind}")
