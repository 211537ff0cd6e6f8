"""A walk through a bucket, page by page and over several polls if need be, that keeps the newest of each thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from farmtui.farm.backups import Stored
from farmtui.farm.text import clean_text
from farmtui.sources.errors import bad_answer
from farmtui.sources.s3_client import Page, S3Object
from farmtui.sources.s3_layout import Layout

KEPT: Final = 2
"""Backups of a thing that are remembered: the newest, and the one before."""
KEPT_IN_PARTS: Final = 3
"""And one more where several objects are one backup: its parts may still come in while it is the oldest."""
THINGS_MAX: Final = 500_000
"""Things (a site's kind) that are remembered of one store: a layout that takes anything for a site must not cost all
memory."""
SKEW_S: Final = 5.0
"""Clocks that differ by less agree: HTTP tells whole seconds, and an answer takes its time."""


@dataclass(slots=True)
class _Made:
    """One backup: all objects of it that were met."""

    backup: str
    at: int
    size_bytes: int

    def order(self) -> tuple[int, str]:
        """Later is larger; of the same second the one whose name comes later."""
        return self.at, self.backup


@dataclass(slots=True)
class Found:
    """What one walk has found so far."""

    things: dict[tuple[str, str], list[_Made]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Each site's name once, however many kinds of it there are."""
    objects: int = 0
    unread: int = 0
    left_out: int = 0
    """Objects of things beyond `THINGS_MAX`."""

    def take(self, layout: Layout, item: S3Object, ahead_s: int) -> None:
        """Take one object. `ahead_s` is by how much our clock is ahead of the store's."""
        if item.key.endswith("/"):
            # A folder, as some clients make them.
            return
        self.objects += 1
        read = layout.read(item.key)
        if read is None:
            self.unread += 1
            return
        made = self.things.get((read.kind, read.site))
        if made is None:
            if len(self.things) >= THINGS_MAX:
                self.left_out += 1
                return
            made = self.things[read.kind, self.names.setdefault(read.site, read.site)] = []
        at = item.at + ahead_s
        for one in made:
            if one.backup == read.backup:
                one.size_bytes += item.size_bytes
                one.at = max(one.at, at)
                return
        made.append(_Made(read.backup, at, item.size_bytes))
        if len(made) > (KEPT_IN_PARTS if layout.in_parts else KEPT):
            made.remove(min(made, key=_Made.order))

    def stored(self, bucket: str, *, drain: bool = False) -> Iterator[Stored]:
        """Everything found, as the farm knows it; `drain` lets each go as it is told, so that no two are held."""
        for kind, site in tuple(self.things):
            made = self.things.pop((kind, site)) if drain else self.things[kind, site]
            newest, *earlier = sorted(made, key=_Made.order, reverse=True)
            before = earlier[0] if earlier else None
            yield Stored(
                kind, site, newest.at, newest.size_bytes, clean_text(newest.backup), bucket,
                before.at if before else None, before.size_bytes if before else None,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of a bucket."""

    stored: tuple[Stored, ...]
    whole: bool
    """Whether it was listed to its end at least once."""
    objects: int
    unread: int
    left_out: int


class Walk:
    """A store's listing: always the same few requests a poll, however large the bucket."""

    def __init__(self, layout: Layout, bucket: str) -> None:
        self._layout = layout
        self._bucket = bucket
        self._now = Found()
        self._root = 0
        self._after = ""
        self._token = ""
        self._whole: Listed | None = None

    @property
    def at(self) -> tuple[str, str, str]:
        """What to ask for next: prefix, the key behind which, and the token where a page of this poll has ended."""
        return self._layout.prefixes[self._root], self._after, self._token

    def begin(self) -> None:
        """A poll begins: a token of the last one may have died meanwhile, the last key has not."""
        self._token = ""

    def take(self, page: Page) -> bool:
        """Take a page; whether the walk has come to its end. Raises SourceError where the listing does not go on."""
        ahead_s = round(page.clock_ahead_s) if abs(page.clock_ahead_s) >= SKEW_S else 0
        if page.token and (not page.objects or page.objects[-1].key <= self._after):
            # An end that never comes: the same page again, or one of nothing.
            raise bad_answer("the listing does not go forward: its pages come again")
        for item in page.objects:
            self._now.take(self._layout, item, ahead_s)
        if page.objects:
            self._after = page.objects[-1].key
        self._token = page.token
        if page.token:
            return False
        self._after = ""
        self._root += 1
        if self._root < len(self._layout.prefixes):
            return False
        found = self._now
        self._whole = _listed(tuple(found.stored(self._bucket, drain=True)), found, whole=True)
        self._now, self._root = Found(), 0
        return True

    def result(self) -> Listed:
        """What is known: of the last whole walk, and what this one has already seen anew."""
        before = self._whole
        if before is None:
            return _listed(tuple(self._now.stored(self._bucket)), self._now, whole=False)
        if not self._now.things:
            return before
        anew = {(stored.kind, stored.of): stored for stored in self._now.stored(self._bucket)}
        return replace(before, stored=tuple(_newer(before.stored, anew)))


def _listed(stored: tuple[Stored, ...], found: Found, *, whole: bool) -> Listed:
    return Listed(stored, whole, found.objects, found.unread, found.left_out)


def _newer(old: Iterable[Stored], anew: dict[tuple[str, str], Stored]) -> Iterator[Stored]:
    for stored in old:
        found = anew.pop((stored.kind, stored.of), None)
        # A thing of which the walk has not met the newest yet is not older for that.
        yield stored if found is None or found.at < stored.at else found
    yield from anew.values()
