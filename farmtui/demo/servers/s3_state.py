"""What is in the bucket of backups: each night a dump and an archive of every site, of the last nights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

from farmtui.demo.observed import Observed
from farmtui.demo.world.day import BACKUP_ENDS_S
from farmtui.demo.world.world import World

BUCKET: Final = "farm-backups"
NIGHTS, NIGHTS_OF_MANY = 7, 2
"""Backups that are kept of each site; of a farm of very many sites fewer, for the simulation's sake."""
_MANY: Final = 2_000
_BEGINS_S = 1.5 * 3600
_DAY = 86_400.0
_ANEW_S = 60.0
_DUMP_BYTES, _FILES_BYTES = 42e6, 1.9e9
_LEFT = 0.18
"""What is left of a site's archive when its uploads are missing."""


@dataclass(frozen=True, slots=True, order=True)
class Stored:
    """One object."""

    key: str
    size: int
    at: float


@dataclass(slots=True)
class Bucket:
    """The bucket's objects by key, made anew when something may have changed. Asked in the world's thread only."""

    _made_for: tuple[object, ...] = ()
    _objects: list[Stored] = field(default_factory=list)

    def objects(self, observed: Observed) -> list[Stored]:
        """All objects, in the order of their keys."""
        world = observed.world
        now = world.advance()
        wanted = (world.timeline.last.condition, now // _ANEW_S)
        if len(self._made_for) != 2 or self._made_for[0] is not wanted[0] or self._made_for[1] != wanted[1]:
            self._objects = sorted(_made(world, now))
            self._made_for = wanted
        return self._objects


def _made(world: World, now: float) -> Iterator[Stored]:
    sites, condition = world.farm.sites, world.timeline.last.condition
    nights = NIGHTS if len(sites) <= _MANY else NIGHTS_OF_MANY
    each_s = (BACKUP_ENDS_S - _BEGINS_S) / len(sites)
    tonight = math.floor(now / _DAY) * _DAY
    good = [
        night
        for night in (tonight - back * _DAY for back in range(nights + 2))
        if not world.timeline.at(max(world.origin, night + BACKUP_ENDS_S)).condition.backup_failing
    ]
    for index, site in enumerate(sites):
        times = [night + _BEGINS_S + (index + 1) * each_s for night in good]
        if condition.backed_up_at:
            # By hand, all sites at once.
            times.insert(0, condition.backed_up_at)
        stopped = condition.dumps_stopped.get(index, math.inf)
        missing = condition.files_missing.get(index, math.inf)
        random = Random(f"{world.seed}:backup:{index}")
        dump, files = _DUMP_BYTES * random.lognormvariate(0, 0.8), _FILES_BYTES * random.lognormvariate(0, 0.9)
        # What stopped dumping has kept its last ones: what is old is deleted when something newer has come.
        dumped = [at for at in times if at <= min(now, stopped)]
        for at in dumped[:nights]:
            yield Stored(f"db/{site}/{_named(at)}.sql.gz", int(dump * _grown(world, at)), at)
        for at in [at for at in times if at <= now][:nights]:
            size = files * _grown(world, at) * (_LEFT if at > missing else 1.0)
            yield Stored(f"files/{site}/{_named(at)}.tar.zst", int(size), at + each_s / 2)


def _named(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H%M%SZ")


def _grown(world: World, at: float) -> float:
    """A site grows by a tenth of a percent a day."""
    return float(1.0 + 0.001 * (at - world.origin) / _DAY)
