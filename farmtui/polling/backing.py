"""From the config and the sources' word on backups to the farm's book of them, made anew only where that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from farmtui.config import Config
from farmtui.config.backups import BackupsConfig
from farmtui.farm.backup_rows import Rules, SiteNames, backup_book
from farmtui.farm.backups import BackupBook, PveBackups, StoreListing
from farmtui.farm.node import Guest, PveCluster
from farmtui.farm.sites import SiteBook


@dataclass(frozen=True, slots=True)
class Backing:
    """A book, and what it was made of."""

    listings: tuple[StoreListing, ...] = ()
    clusters: tuple[PveBackups, ...] = ()
    sites: SiteNames = ()
    guests: tuple[tuple[str, tuple[tuple[int, str, bool], ...]], ...] = ()
    book: BackupBook | None = None


def backing(
    config: Config,
    listings: Sequence[StoreListing],
    clusters: Sequence[PveBackups],
    sites: SiteBook | None,
    pve: Sequence[PveCluster],
    before: Backing | None,
) -> Backing:
    """The book of backups; the one before where nothing that it is made of has changed."""
    if config.backups is None:
        return Backing()
    listings = tuple(sorted(listings, key=lambda listing: listing.store))
    clusters = tuple(sorted(clusters, key=lambda cluster: cluster.cluster))
    names = tuple([(site.key, site.name) for site in sites.sites]) if sites is not None and listings else ()
    told = tuple((cluster.name, tuple(map(_identity, cluster.guests))) for cluster in pve) if clusters else ()
    if (
        before is not None
        and before.book is not None
        and _same(before, listings, clusters)
        and ((before.sites, before.guests) == (names, told))
    ):
        return before
    guests = {cluster.name: cluster.guests for cluster in pve}
    return Backing(
        listings, clusters, names, told, backup_book(listings, clusters, names, guests, rules(config.backups))
    )


def _identity(guest: Guest) -> tuple[int, str, bool]:
    return guest.vmid, guest.name, guest.template


def _same(before: Backing, listings: Sequence[StoreListing], clusters: Sequence[PveBackups]) -> bool:
    """Whether the sources say what they said: by identity, for to compare them is as long as to join them."""
    pairs = (*zip(before.listings, listings, strict=False), *zip(before.clusters, clusters, strict=False))
    counts = len(before.listings) == len(listings) and len(before.clusters) == len(clusters)
    return counts and all(a is b for a, b in pairs)


def rules(config: BackupsConfig) -> Rules:
    """What the config says of ages and sizes."""

    @cache
    def limits(kind: str) -> tuple[int, int]:
        age = config.age(kind)
        return round(age.overdue_h * 3600), round(age.critical_h * 3600)

    return Rules(limits, config.shrunk_below, config.smallest_bytes, tuple(config.exempt))
