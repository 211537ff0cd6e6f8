"""The wall at the sizes of walls, over farms that are well, broken, late and silent; its clock is the test's."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from farmtui.config import Config
from farmtui.farm.farm import Farm
from farmtui.farm.reading import SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.findings import findings
from farmtui.wall import KEYS, WallApp
from screens import wall_view as view
from screens.wall import FROZEN_S, SHIFT_EVERY_S, Paper, WallScreen
from screens.wall_paper import first_of
from screens.wall_view import Page
from tests.screens.farms import NOW
from tests.screens.host import text_of
from tests.screens.wall_farms import FARMS, failing, healthy, warning
from tests.screens.whole import whole_farm
from widgets.big_text import big
from widgets.glyphs import glyphs, set_ascii
from widgets.wall_tile import WallTile

SIZES = ((80, 24), (120, 40), (200, 60), (400, 100))
HATCH = glyphs().freshness[Freshness.STALE]


async def never() -> Config:
    """A start that never ends."""
    await asyncio.sleep(3600)
    raise AssertionError("the test has ended long ago")


class Stage:
    """A wall with a clock of its own."""

    def __init__(self, app: WallApp, later_s: float) -> None:
        self.app = app
        self.pilot: Pilot[int]
        self.at_s = 0.0
        self.later_s = later_s

    def pass_(self, seconds: float) -> None:
        """Time passes, and the wall ticks once."""
        self.at_s += seconds
        self.app.wall.tick()

    @property
    def page(self) -> Page:
        """Whose turn it is."""
        return self.app.wall.rotation.page

    def paper(self, name: str) -> str:
        """What is written on a part."""
        return self.app.wall.query_one(f"#{name}", Paper).text

    @property
    def tiles(self) -> dict[str, WallTile]:
        """The tiles that are shown, by title."""
        return {tile._title: tile for tile in self.app.wall.query("#tiles WallTile").results(WallTile) if tile.display}

    async def text(self) -> str:
        """All that is shown."""
        await self.pilot.pause()
        return "\n".join(text_of(self.app))


@asynccontextmanager
async def wall(
    farm: Farm | None, size: tuple[int, int] = (80, 24), later_s: float = 0.0, every_s: float = 10.0
) -> AsyncIterator[Stage]:
    """A wall over a farm."""
    stage: Stage
    screen = WallScreen(
        every_s=every_s,
        clock=lambda: NOW + timedelta(seconds=stage.later_s + stage.at_s),
        passing=lambda: stage.at_s,
    )
    app = WallApp(never, screen=screen)
    app.farm_name = "lab"
    stage = Stage(app, later_s)
    async with app.run_test(size=size) as pilot:
        stage.pilot = pilot
        await pilot.pause()
        if farm is not None:
            app.publish(farm)
        await pilot.pause()
        yield stage


def shown_big(text: str, shown: str, scales: range = range(1, 12)) -> bool:
    """Whether a text stands there in large letters of any size."""
    return any(all(line.plain.rstrip() in shown for line in big(text, scale)) for scale in scales)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", FARMS)
async def test_the_state_is_a_large_word_at_any_size(name: str, size: tuple[int, int]) -> None:
    make, later_s = FARMS[name]
    word = {"healthy": "OK", "warning": "WARNING", "critical": "CRITICAL"}.get(name, "UNKNOWN")
    async with wall(make(), size, later_s) as stage:
        assert shown_big(word, stage.paper("banner"))
        lines = await stage.text()
        assert shown_big(word, lines)
        assert len(lines.splitlines()) == size[1]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("make", [healthy, warning, whole_farm], ids=lambda m: m.__name__)
async def test_every_page_fits(make: object, size: tuple[int, int]) -> None:
    assert callable(make)
    async with wall(make(), size) as stage:
        seen = set()
        for _ in range(12):
            seen.add(stage.page.kind)
            for line in (stage.paper(part) for part in ("banner", "foot", "sweep")):
                assert max((len(row) for row in line.splitlines()), default=0) <= size[0]
            await stage.text()
            stage.later_s -= 10.0  # the sources stay as young as they are
            stage.pass_(10.0)
        assert seen == {"critical"} if make is whole_farm else {"figures", "parts", "trends"} <= seen


async def test_pages_have_their_turn_by_the_clock_alone() -> None:
    async with wall(healthy(), every_s=1000.0) as stage:
        first = stage.page
        for _ in range(200):
            stage.app.wall.tick()
        assert stage.page == first
    async with wall(healthy(), every_s=2.0) as stage:
        pages = []
        for _ in range(8):
            pages.append(stage.page)
            stage.pass_(2.0)
        assert pages[:4] == pages[4:]
        assert len(set(pages)) == 4


def test_a_page_stays_its_time_and_one_that_is_gone_gives_way_at_once() -> None:
    turns = view.Rotation(10.0)
    a, b, critical = Page("figures"), Page("parts"), Page("critical")
    assert [turns.turn((a, b), at) for at in (0, 9.9, 10, 19, 20)] == [a, a, b, b, a]
    assert turns.turn((critical,), 20.1) == critical
    assert [turns.turn((critical,), at) for at in (31, 500)] == [critical, critical]
    assert turns.turn((a, b), 501) == a


async def test_something_critical_pins_the_wall_and_its_end_lets_it_go() -> None:
    async with wall(healthy()) as stage:
        assert stage.page.kind == "figures"
        stage.app.publish(whole_farm())
        assert stage.page.kind == "critical"
        shown = await stage.text()
        for _ in range(5):
            stage.later_s -= 10.0
            stage.pass_(10.0)
            assert stage.page.kind == "critical"
        assert shown_big("cache-2 is not well", shown)
        stage.app.publish(healthy())
        assert stage.page.kind != "critical"


def test_more_that_is_critical_than_fits_has_its_turns_among_itself() -> None:
    farm = whole_farm()
    found = findings(farm)
    worst = list(view.criticals(found))
    assert len(worst) == 2
    assert view.pages(farm, found, faults_a_page=1) == (Page("critical", 0), Page("critical", 1))
    assert worst[view.share(2, 1, 0)] == worst[:1]
    assert worst[view.share(2, 1, 1)] == worst[1:]
    assert [view.share(9, 6, part) for part in (0, 1)] == [slice(0, 5), slice(5, 10)]


async def test_the_heart_goes_on_by_a_place_each_second() -> None:
    async with wall(healthy()) as stage:
        places = []
        for _ in range(4):
            places.append(stage.paper("sweep").splitlines()[0].index(glyphs().block))
            stage.pass_(1.0)
        steps = {after - before for before, after in itertools.pairwise(places)}
        assert len(steps) == 1
        assert steps.pop() >= 3
        assert shown_big("10:00:04", stage.paper("banner"))


async def test_a_source_that_is_late_is_hatched_at_once() -> None:
    async with wall(healthy()) as stage:
        assert HATCH not in await stage.text()
        interval_s = next(s.interval_s for s in healthy().sources if s.name == "prometheus")
        stage.pass_(2 * interval_s - 1)
        assert HATCH not in await stage.text()
        # Nothing is published: it is the wall that looks at the clock.
        stage.pass_(1.0)
        assert stage.page.kind == "figures"
        assert all(tile.state.freshness is Freshness.AGEING for tile in stage.tiles.values())
        assert HATCH in await stage.text()


async def test_an_answer_that_failed_is_late_before_it_is_old() -> None:
    async with wall(failing()) as stage:
        assert stage.tiles["requests"].state.freshness is Freshness.AGEING
        assert "prometheus late" in stage.paper("foot")
        # What another source says is not of its making.
        stage.pass_(10.0)
        assert stage.tiles["alerts"].state.freshness is Freshness.LIVE
        assert stage.tiles["machines"].state.freshness is Freshness.AGEING


@pytest.mark.parametrize("make", [healthy, whole_farm], ids=lambda m: m.__name__)
async def test_a_farm_that_nobody_tells_of_is_unknown_whatever_it_was(make: object) -> None:
    assert callable(make)
    async with wall(make(), later_s=1900.0) as stage:
        assert shown_big("UNKNOWN", stage.paper("banner"))
        assert re.search(r"since (10:00|09:59)", stage.paper("banner"))
        assert "no source of 4 is live" in stage.paper("foot")
        assert HATCH in await stage.text()


async def test_before_the_first_picture_it_says_what_it_waits_for() -> None:
    async with wall(None) as stage:
        assert shown_big("UNKNOWN", stage.paper("banner"))
        assert "waiting for the first answers" in await stage.text()
        stage.app.say("cannot start: no room", Severity.CRITICAL)
        assert "cannot start: no room" in await stage.text()


def without(farm: Farm, part: str) -> Farm:
    """A farm that has not got a part, or nothing at all."""
    if part == "everything":
        return Farm(name="bare", at=NOW)
    if part == "nodes":
        return dataclasses.replace(farm, nodes=(), tiers=())
    nothing: Any = {} if part == "trends" else () if part == "sources" else None
    return dataclasses.replace(farm, **{part: nothing})


@pytest.mark.parametrize(
    "part", ["edge", "cache", "ceph", "galera", "book", "nodes", "trends", "sources", "everything"]
)
@pytest.mark.parametrize("size", [(80, 24), (200, 60), (30, 10)], ids=str)
async def test_what_a_farm_has_not_got_leaves_no_hole(part: str, size: tuple[int, int]) -> None:
    async with wall(without(healthy(), part), size) as stage:
        for _ in range(6):
            assert (await stage.text()).strip()
            stage.later_s -= 10.0
            stage.pass_(10.0)


@pytest.mark.parametrize("name", FARMS)
async def test_a_terminal_of_ascii_alone_shows_the_same(name: str) -> None:
    make, later_s = FARMS[name]
    word = {"healthy": "OK", "warning": "WARNING", "critical": "CRITICAL"}.get(name, "UNKNOWN")
    block = glyphs_of_ascii()
    try:
        async with wall(make(), (80, 24), later_s) as stage:
            for _ in range(5):
                assert block in stage.paper("sweep")
                assert shown_big(word, stage.paper("banner"), range(2, 12))
                stage.later_s -= 10.0
                stage.pass_(10.0)
    finally:
        set_ascii(None)


def glyphs_of_ascii() -> str:
    """Let the terminal have no other signs; gives its block."""
    set_ascii(True)
    return glyphs().block


@pytest.mark.parametrize("fresh", [one for one in Freshness if one is not Freshness.ABSENT], ids=lambda f: f.value)
async def test_each_way_in_which_a_source_gives_nothing_is_named(fresh: Freshness) -> None:
    def other(source: SourceState) -> SourceState:
        answered = None if fresh is Freshness.NEVER else NOW - timedelta(seconds=45 if fresh is Freshness.AGEING else 0)
        if fresh is Freshness.STALE:
            answered = NOW - timedelta(hours=1)
        return dataclasses.replace(source, freshness=fresh, last_success_at=answered)

    farm = healthy()
    sources = tuple(other(s) if s.name == "alertmanager" else s for s in farm.sources)
    async with wall(dataclasses.replace(farm, sources=sources)) as stage:
        foot = stage.paper("foot")
        word = {Freshness.AGEING: "late"}.get(fresh, fresh.value)
        assert ("alertmanager" in foot) is (fresh not in (Freshness.LIVE, Freshness.EMPTY))
        assert "4 sources live" in foot or f"alertmanager {word}" in foot


async def test_nothing_that_is_typed_does_anything_but_ctrl_c() -> None:
    assert [command.keys for command in KEYS] == ["ctrl+c"]
    async with wall(healthy()) as stage:
        async with asyncio.timeout(30):
            before = await stage.text()
            for key in ("q", "escape", "colon", "1", "5", "x", "enter", "ctrl+z", "ctrl+q", "f1", "tab", "ctrl+p"):
                await stage.app._press_keys([key])
            assert await stage.text() == before
            assert stage.app.is_running
            assert len(stage.app.screen_stack) == 2
            assert stage.app.read_only
            assert stage.app.remedies is None
            await stage.app._press_keys(["ctrl+c"])
            assert stage.app._exit


async def test_the_picture_wanders_and_never_leaves_the_display() -> None:
    async with wall(healthy(), (80, 24)) as stage:
        places = set()
        for _ in range(8):
            padding = stage.app.wall.styles.padding
            places.add(padding)
            assert (padding.left + padding.right, padding.top + padding.bottom) == view.SHIFT_ROOM
            stage.later_s -= SHIFT_EVERY_S
            stage.pass_(SHIFT_EVERY_S)
        assert len(places) == 6


async def test_after_it_stood_still_all_is_painted_anew() -> None:
    async with wall(healthy()) as stage:
        painted = []
        stage.app.action_redraw = lambda: painted.append(stage.at_s)  # type: ignore[method-assign]
        stage.pass_(1.0)
        await asyncio.sleep(0.05)
        assert painted == []
        stage.pass_(FROZEN_S + 1)
        for _ in range(50):
            await asyncio.sleep(0.01)
            if painted:
                break
        assert len(painted) == 1


async def test_it_beats_with_each_tick() -> None:
    beats: list[int] = []
    app = WallApp(never, screen=WallScreen(beat=lambda: beats.append(1)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        before = len(beats)
        app.wall.tick()
        assert len(beats) == before + 1 >= 2


async def test_what_does_not_change_is_not_painted_again() -> None:
    async with wall(healthy()) as stage:
        painted: list[str] = []
        for name in ("banner", "foot", "sweep", "paper"):
            part = stage.app.wall.query_one(f"#{name}", Paper)
            refresh = part.refresh

            def noted(*regions: object, _name: str = name, _refresh: object = refresh, **more: object) -> object:
                painted.append(_name)
                assert callable(_refresh)
                return _refresh(*regions, **more)

            part.refresh = noted  # type: ignore[assignment]
        stage.pass_(1.0)
        assert set(painted) == {"banner", "sweep"}


@pytest.mark.parametrize(("scale", "end"), [(0, "b …"), (1, "b.."), (3, "b..")])
def test_what_is_cut_off_says_that_it_goes_on(scale: int, end: str) -> None:
    assert list(first_of(["a", "b", "c"], 2, scale, 60)) == ["a", end]
    assert list(first_of(["a", "b", "c"], 3, scale, 60)) == ["a", "b", "c"]
    assert list(first_of(["a", "b", "c"], 0, scale, 60)) == []
