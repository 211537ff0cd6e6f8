"""Of each site the backup that is worst, for the table of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Severity
from farmtui.farm.units import NOT_MEASURED
from farmtui.insight.backups import trusted_sources
from screens.backup_words import old, sources
from widgets import ink

if TYPE_CHECKING:
    from farmtui.farm.backups import Backup, BackupBook
    from farmtui.farm.farm import Farm
    from farmtui.farm.sites import Site


class SiteBackups:
    """What the column shows. The sites are gone through once for each new book, not for each picture."""

    def __init__(self) -> None:
        self._book: BackupBook | None = None
        self._rows: dict[str, list[Backup]] = {}
        self._now = 0.0
        self._trusted: frozenset[str] = frozenset()

    def show(self, farm: Farm) -> bool:
        """Take the newest picture; whether it tells of any site's backups."""
        self._now, self._trusted = farm.at.timestamp(), trusted_sources(farm)
        book = farm.backups if sources(farm) else None
        if book is not self._book:
            self._book, self._rows = book, {}
            for row in book.rows if book is not None else ():
                if row.subject[0] == "site":
                    self._rows.setdefault(row.subject[1], []).append(row)
        return bool(self._rows)

    def cell(self, site: Site) -> tuple[float | None, Content | str]:
        """The age of a site's worst backup in seconds (None: not known), and the cell."""
        rows = self._rows.get(site.key)
        if not rows:
            return None, NOT_MEASURED
        row = max(rows, key=lambda row: (self._state(row)[0], -(row.stored.at if row.stored else 0)))
        severity, word = self._state(row)
        age_s = self._now - row.stored.at if row.stored else float("inf")
        if severity < Severity.WARNING:
            return age_s, old(row, self._now) if not row.excused else row.excused
        words = f"{word} {old(row, self._now)}" if word == "overdue" else word
        return age_s, Content.styled(words, ink.SEVERITY[severity])

    def _state(self, row: Backup) -> tuple[Severity, str]:
        return row.state(self._now, trusted=row.source in self._trusted)
