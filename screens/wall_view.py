"""What a wall shows and when: how late each source is at this very moment, the pages, and which one has its turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from farmtui.farm.state import Freshness, Severity, freshness_of
from farmtui.farm.units import age
from screens.overview import TILES, TRENDS, tiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from farmtui.farm.farm import Farm
    from farmtui.farm.reading import SourceState
    from farmtui.insight.finding import Finding
    from widgets.tile import TileState

FIGURES_A_PAGE = 6
"""More would be too small for five metres."""
AGE_STEP_S = 5
"""An age below a minute is shown in such steps."""
_LATE = (Freshness.AGEING, Freshness.STALE, Freshness.NEVER, Freshness.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Page:
    """One picture of the rotation: its kind, and which part of it where one is not enough."""

    kind: str
    part: int = 0


STARTING = Page("starting")


def judged(farm: Farm, now: datetime) -> Farm:
    """The farm with each source as fresh as it is at `now`, by the wall's own clock and whether or not one polls.

    A source whose newest answer has failed is late at once, though what it said before is young.
    """
    return replace(farm, at=max(farm.at, now), sources=tuple(_judged(source, now) for source in farm.sources))


def _judged(source: SourceState, now: datetime) -> SourceState:
    answered, asked = source.last_success_at, source.last_attempt_at
    if source.freshness is Freshness.FORBIDDEN or answered is None:
        return source
    fresh = freshness_of((now - answered).total_seconds(), source.interval_s)
    if fresh is Freshness.LIVE:
        fresh = Freshness.EMPTY if source.freshness is Freshness.EMPTY else Freshness.LIVE
        if source.failures_in_a_row and asked is not None and asked > answered:
            fresh = Freshness.AGEING
    return replace(source, freshness=fresh)


def is_late(source: SourceState) -> bool:
    """Whether what a source says is not of now."""
    return source.freshness in _LATE


def source_age(source: SourceState, now: datetime) -> str:
    """How old a late source's word is, in steps that are worth painting; empty while it is live."""
    if not is_late(source) or source.last_success_at is None:
        return ""
    old_s = max(0.0, (now - source.last_success_at).total_seconds())
    return f"{int(old_s // AGE_STEP_S * AGE_STEP_S)} s" if old_s < 60 else age(old_s)


def seen(farm: Farm, now: datetime) -> tuple[object, ...]:
    """While this is the same, time alone has changed nothing that a wall shows of a farm."""
    sources = (_judged(source, now) for source in farm.sources)
    return (id(farm), *((source.freshness, source_age(source, now)) for source in sources))


def blind(farm: Farm) -> bool:
    """Whether not one source tells of now."""
    return all(is_late(source) for source in farm.sources)


def wall_tiles(farm: Farm) -> tuple[tuple[str, str, TileState], ...]:
    """The overview's tiles: name, title, state. One that several sources answer for is as late as the main one."""
    titles = {name: title for name, title, _ in TILES}
    found = []
    for name, state in tiles(farm):
        shown = state
        if name == "machines" and shown.freshness is Freshness.LIVE:
            main = farm.source("prometheus") or next((s for s in farm.sources if is_late(s)), None)
            if main is not None and is_late(main):
                old = main.last_success_at
                age_s = (farm.at - old).total_seconds() if old else None
                shown = replace(shown, freshness=main.freshness, age_s=age_s)
        found.append((name, titles[name], shown))
    return tuple(found)


def parts_of(farm: Farm) -> tuple[tuple[str, str, TileState], ...]:
    """The farm's figures, without what was never answered: an empty tile is a hole in a wall."""
    return tuple(tile for tile in wall_tiles(farm) if tile[2].freshness.readable)


def criticals(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What pins the wall."""
    return tuple(finding for finding in findings if finding.severity is Severity.CRITICAL)


def worrying(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What is worth a page of its own, the worst first."""
    return tuple(finding for finding in findings if finding.severity >= Severity.WARNING)


def pages(farm: Farm | None, findings: Sequence[Finding], *, faults_a_page: int) -> tuple[Page, ...]:
    """The pages of a rotation. Something critical pins it: then there is nothing but what is critical."""
    if farm is None:
        return (STARTING,)
    if found := criticals(findings):
        return tuple(Page("critical", part) for part in range(_parts(len(found), faults_a_page)))
    return tuple(_usual(farm, findings, faults_a_page)) or (Page("sources"),)


def _usual(farm: Farm, findings: Sequence[Finding], faults_a_page: int) -> Iterator[Page]:
    for part in range(_parts(len(worrying(findings)), faults_a_page)):
        yield Page("faults", part)
    for part in range(_parts(len(parts_of(farm)), FIGURES_A_PAGE)):
        yield Page("figures", part)
    if farm.tiers or farm.edge or farm.ceph:
        yield Page("parts")
    if charts(farm):
        yield Page("trends")
    if any(is_late(source) for source in farm.sources):
        yield Page("sources")


def charts(farm: Farm) -> tuple[str, ...]:
    """The overview's charts that have something to show."""
    return tuple(
        name
        for name, _, _, lines in TRENDS
        if any(trend in farm.trends and farm.trends[trend].series for trend, _, _ in lines)
    )


def share(count: int, a_page: int, part: int) -> slice:
    """Which of `count` things stand on a part: as many on each as can be."""
    parts = _parts(count, a_page)
    each = -(-count // parts) if parts else 0
    return slice(part * each, (part + 1) * each)


def _parts(count: int, a_page: int) -> int:
    return -(-count // max(1, a_page))


class Rotation:
    """Gives each page its turn; it knows no clock but the one it is told."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._page = STARTING
        self._since_s = 0.0
        self.turns = 0
        """How often the page has changed."""

    @property
    def page(self) -> Page:
        """Whose turn it is."""
        return self._page

    def turn(self, among: Sequence[Page], at_s: float) -> Page:
        """The page at a moment (seconds of any clock that only grows). One that is gone gives way at once."""
        if self._page not in among:
            self._go(among[0], at_s)
        elif len(among) > 1 and at_s - self._since_s >= self._every_s:
            self._go(among[(among.index(self._page) + 1) % len(among)], at_s)
        return self._page

    def _go(self, page: Page, at_s: float) -> None:
        self._page, self._since_s = page, at_s
        self.turns += 1


_SHIFTS = ((0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1))
SHIFT_ROOM = (2, 1)
"""Columns and lines that the picture wanders over."""


def shift(at_s: float, every_s: float) -> tuple[int, int]:
    """Columns and lines by which the picture stands off its corner, so that nothing burns in."""
    return _SHIFTS[int(at_s // every_s) % len(_SHIFTS)]
