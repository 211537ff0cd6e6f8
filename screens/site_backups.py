"""Of each site the backup that is worst, for the table of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from farmtui.farm.backups import BackupBook
from farmtui.farm.state import Severity
from farmtui.farm.units import NOT_MEASURED
from farmtui.insight.backups import trusted_sources
from farmtui.insight.newest import of_newest
from screens.backup_words import old, sources
from widgets import ink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farmtui.farm.backups import Backup
    from farmtui.farm.farm import Farm
    from farmtui.farm.sites import Site


_NOTHING: Final = BackupBook()


@of_newest
def _by_site(book: BackupBook) -> Mapping[str, list[Backup]]:
    """The backups of each site, by its key. Of 50,000 sites they are gone through for each new book only."""
    found: dict[str, list[Backup]] = {}
    for row in book.rows:
        if row.subject[0] == "site":
            found.setdefault(row.subject[1], []).append(row)
    return found


def backups_by_site(farm: Farm) -> Mapping[str, list[Backup]]:
    """The same of a picture; of one that knows of no backups, nothing."""
    return _by_site(farm.backups if farm.backups is not None and sources(farm) else _NOTHING)


class SiteBackups:
    """What the column shows."""

    def __init__(self) -> None:
        self._rows: Mapping[str, list[Backup]] = {}
        self._now = 0.0
        self._trusted: frozenset[str] = frozenset()

    def show(self, farm: Farm) -> bool:
        """Take the newest picture; whether it tells of any site's backups."""
        self._now, self._trusted = farm.at.timestamp(), trusted_sources(farm)
        self._rows = backups_by_site(farm)
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
