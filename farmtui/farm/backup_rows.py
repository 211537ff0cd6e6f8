"""Which backups should be there, and which are: the sites and guests of the farm joined with what stores hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from farmtui.farm.backups import GUEST, HOUR_S, Backup, BackupBook, PveBackups, Stored, StoreListing
from farmtui.farm.node import Guest
from farmtui.farm.site_names import slug
from farmtui.farm.units import data_size, percent

Limits = Callable[[str], tuple[int, int]]
"""Of a kind: seconds from which on its newest backup is overdue, and critical."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the config says of backups."""

    limits: Limits
    shrunk_below: float
    smallest_bytes: int
    exempt: tuple[str, ...]

    def doubt(self, stored: Stored) -> str:
        """What is wrong with the newest backup, judged by its size alone."""
        if stored.size_bytes < self.smallest_bytes:
            return "empty" if stored.size_bytes == 0 else "too small"
        before = stored.before_bytes
        return "shrunk" if before and stored.size_bytes < before * self.shrunk_below else ""

    def exempts(self, *names: str) -> bool:
        """Whether a thing of these names needs no backup."""
        return any(fnmatchcase(name, pattern) for pattern in self.exempt for name in names)


SiteNames = tuple[tuple[str, str], ...]
"""Key and name of every site that the farm knows."""


def shrink_words(stored: Stored) -> str:
    """What is wrong with a newest one that is doubted: its size against the one before."""
    if not stored.before_bytes:
        return data_size(stored.size_bytes)
    share = percent(stored.size_bytes / stored.before_bytes)
    return f"{data_size(stored.size_bytes)}, {share} of the one before"


def backup_book(
    listings: Sequence[StoreListing],
    clusters: Sequence[PveBackups],
    sites: SiteNames,
    guests: Mapping[str, Sequence[Guest]],
    rules: Rules,
) -> BackupBook:
    """All that should be there. `sites` empty: the farm's sites are not known, and nothing of them is missed; `guests`
    by cluster, likewise. For 50,000 sites it is long work: not for the event loop."""
    rows: list[Backup] = []
    unmatched: list[StoreListing] = []
    known = _by_name(sites)
    for listing in listings:
        found = list(_of_store(listing, sites, known, rules))
        if sites and listing.stored and not any(row.subject[1] and row.stored for row in found):
            # Not one of its names is a site's: that the layout is wrong is likelier than that all backups are missing.
            unmatched.append(listing)
            found = [row for row in found if row.stored is not None]
        rows += found
    for cluster in clusters:
        rows += _of_cluster(cluster, guests.get(cluster.cluster), rules)
    due: dict[int, list[Backup]] = {}
    for row in rows:
        if row.stored is not None and not row.excused:
            due.setdefault(row.overdue_at // HOUR_S, []).append(row)
    missed = Counter(row.source for row in rows if not row.excused)
    return BackupBook(
        rows=tuple(rows),
        due={hour: tuple(found) for hour, found in due.items()},
        never=tuple(row for row in rows if row.stored is None and not row.excused),
        doubted=tuple(row for row in rows if row.doubt and not row.excused),
        unmatched=tuple(unmatched),
        missed=missed,
        listings=tuple(listings),
        clusters=tuple(clusters),
        uncovered=tuple(_uncovered(clusters, guests, rules)),
    )


def store_source(store: str) -> str:
    """The name of the source that lists a store."""
    return f"backups {store}"


def pve_source(cluster: str) -> str:
    """The name of the source that looks at a cluster's backups."""
    return f"pve backups {cluster}"


_NOBODY: Final = ("", "")


def _by_name(sites: SiteNames) -> dict[str, int]:
    """Sites by each of their names as labels have them; a name that two of them have is neither's."""
    found: dict[str, int] = {}
    for place, names in enumerate(sites):
        for name in {slug(name) for name in names}:
            if found.setdefault(name, place) != place:
                found[name] = -1
    return found


def _of_store(listing: StoreListing, sites: SiteNames, known: Mapping[str, int], rules: Rules) -> Iterator[Backup]:
    source = store_source(listing.store)
    # Each once, however many kinds of it there are: of 50,000 sites that counts.
    subjects = [("site", key) for key, _ in sites]
    seen: dict[str, set[int]] = {kind: set() for kind in listing.kinds}
    for stored in listing.stored:
        place = known.get(slug(stored.of), -1)
        if place >= 0:
            seen.setdefault(stored.kind, set()).add(place)
            key, name = sites[place]
            yield _row(stored, name, subjects[place], listing.store, source, rules, rules.exempts(key, name))
        else:
            exempt = rules.exempts(stored.of)
            yield _row(stored, stored.of, _NOBODY, listing.store, source, rules, exempt, strange=bool(sites))
    if not listing.whole:
        return
    for kind in listing.kinds:
        there = seen[kind]
        for place, (key, name) in enumerate(sites):
            if place not in there:
                excused = "exempt" if rules.exempts(key, name) else ""
                yield Backup(kind, name, subjects[place], listing.store, source, excused=excused)


def _of_cluster(cluster: PveBackups, guests: Sequence[Guest] | None, rules: Rules) -> Iterator[Backup]:
    source = pve_source(cluster.cluster)
    names = {guest.ident: guest for guest in guests or ()}
    uncovered = {f"{cluster.cluster}/{vmid}" for vmid in cluster.uncovered or ()}
    there = set()
    for stored in cluster.stored:
        guest = names.get(stored.of)
        there.add(stored.of)
        name = guest.name if guest else stored.of
        subject = ("guest", stored.of) if guest else _NOBODY
        exempt = rules.exempts(name) or bool(guest and guest.template)
        yield _row(stored, name, subject, cluster.cluster, source, rules, exempt, strange=guests is not None)
    if not cluster.whole:
        return
    for guest in guests or ():
        if guest.ident in there or guest.template:
            continue
        # Told once, and there: that no job makes one.
        excused = "exempt" if rules.exempts(guest.name) else "no job" if guest.ident in uncovered else ""
        yield Backup(GUEST, guest.name, ("guest", guest.ident), cluster.cluster, source, excused=excused)


def _row(
    stored: Stored,
    name: str,
    subject: tuple[str, str],
    store: str,
    source: str,
    rules: Rules,
    exempt: bool,
    *,
    strange: bool = False,
) -> Backup:
    excused = "exempt" if exempt else "no such site" if strange and subject == _NOBODY else ""
    if excused == "no such site" and stored.kind == GUEST:
        excused = "no such guest"
    return Backup(
        stored.kind, name, subject, store, source, stored, rules.limits(stored.kind), rules.doubt(stored), excused,
    )  # fmt: skip


def _uncovered(
    clusters: Iterable[PveBackups], guests: Mapping[str, Sequence[Guest]], rules: Rules
) -> Iterator[tuple[str, str]]:
    for cluster in clusters:
        known = {guest.vmid: guest for guest in guests.get(cluster.cluster, ())}
        for vmid in cluster.uncovered or ():
            guest = known.get(vmid)
            name = guest.name if guest else str(vmid)
            if not rules.exempts(name) and not (guest and guest.template):
                yield f"{cluster.cluster}/{vmid}", name
