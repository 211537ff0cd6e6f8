"""The wall: a screen that nobody types on. The state over all, then pages in turn, pinned by what is critical."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, cast

from textual.containers import Grid, Vertical
from textual.content import Content
from textual.geometry import Size, Spacing
from textual.screen import Screen

from farmtui.farm.state import Freshness, Severity
from farmtui.insight.health import components
from screens import wall_paper as paper
from screens import wall_view as view
from screens.overview import TRENDS
from screens.trends import show_trend
from widgets import ink
from widgets.big_text import height_of
from widgets.painting import LineWidget
from widgets.tile import TileState
from widgets.trend_chart import TrendChart
from widgets.wall_tile import Profile, WallTile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.strip import Strip

    from farmtui.farm.farm import Farm
    from farmtui.farm.reading import SourceState
    from screens.console import Console

TILES_MOST = 12
"""Tiles on one page."""
SHIFT_EVERY_S = 60.0
"""After so long the picture moves by a cell."""
FROZEN_S = 3.0
"""A tick that comes so late says that this process stood still: the terminal may show something else by now."""
_GRIDS = ((1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (4, 2), (3, 3), (4, 3))
"""Columns and rows, from few to many tiles; the first tile is wider where they leave a hole."""


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


class Paper(LineWidget):
    """Lines that somebody else has written."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: Sequence[Content] = ()

    def show(self, lines: Sequence[Content]) -> None:
        """Show these; only lines that differ are painted."""
        resized = len(lines) != len(self._lines)
        self._lines = lines
        if resized:
            self.refresh(layout=True)
        self.repaint()

    @property
    def text(self) -> str:
        """What is on it."""
        return "\n".join(line.plain for line in self._lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are."""
        return len(self._lines)

    def draw_line(self, y: int, width: int) -> Strip:
        """One of them."""
        return self.content_strip(self._lines[y] if y < len(self._lines) else "", width)


class WallScreen(Screen[None], inherit_bindings=False):
    """The whole of a wall. It asks the console for the newest picture, and its own clock for everything else."""

    CSS_PATH = "wall.tcss"

    def __init__(
        self,
        *,
        every_s: float = 15.0,
        clock: Callable[[], datetime] = _now,
        passing: Callable[[], float] = monotonic,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """A page has `every_s` seconds. `clock` is the time of day, `passing` seconds that only grow.

        `beat` is called each second, from the loop that paints.
        """
        super().__init__()
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall"), (52, "-high")]
        self._clock = clock
        self._passing = passing
        self._beat = beat
        self._ticked_s: float | None = None
        self.rotation = view.Rotation(every_s)
        self._shown: tuple[object, ...] = ()
        self.words = "waiting for the first answers"
        """What keeps the first picture from coming."""

    def compose(self) -> ComposeResult:
        """Banner, page, foot, heartbeat."""
        yield Paper(id="banner")
        with Vertical(id="page"):
            yield Paper(id="paper")
            with Grid(id="tiles"):
                for number in range(TILES_MOST):
                    yield WallTile(id=f"tile-{number}")
            with Grid(id="charts"):
                for name, _, axis, _ in TRENDS:
                    with Vertical(id=f"chart-{name}"):
                        yield WallTile()
                        yield TrendChart("", axis)
        yield Paper(id="foot")
        yield Paper(id="sweep")

    def on_mount(self) -> None:
        """Paint, then once a second."""
        self.tick()
        self.set_interval(1.0, self.tick)

    def on_resize(self) -> None:
        """Everything has another size."""
        self._shown = ()
        self.repaint()

    @property
    def console(self) -> Console:
        """The application that holds the picture."""
        return cast("Console", self.app)

    @property
    def profile(self) -> Profile:
        """How large things are here; what the picture wanders over is not used."""
        columns, lines = view.SHIFT_ROOM
        return Profile(max(20, self.app.size.width - columns), max(10, self.app.size.height - lines))

    def tick(self) -> None:
        """A second has passed. Where it was more, this process stood still, and paints all of it anew."""
        self._beat()
        at_s = self._passing()
        if self._ticked_s is not None and at_s - self._ticked_s > FROZEN_S:
            self.app.call_later(self.app.run_action, "app.redraw")
        self._ticked_s = at_s
        self.repaint()

    def repaint(self) -> None:
        """The newest picture as it is to be seen now; what time alone has not changed is not painted again."""
        if not self.is_mounted:
            return
        now, at_s, profile = self._clock(), self._passing(), self.profile
        console = self.console
        farm = view.judged(console.farm, now) if console.farm is not None else None
        overall = self._overall(farm)
        among = view.pages(farm, console.findings, faults_a_page=self._faults_a_page(profile))
        page = self.rotation.turn(among, at_s)
        self._wander(at_s)
        lit = ink.UNKNOWN if farm is None or view.blind(farm) else ink.OK
        lines = max(1, round(profile.height * 0.03))
        self.query_one("#sweep", Paper).show(paper.sweep(profile.width, lines, int(at_s), lit))
        notes = self._notes(farm)
        colours = not self.app.no_color
        self.query_one("#banner", Paper).show(paper.banner(profile, overall, notes, now, colours=colours))
        place = f"{among.index(page) + 1}/{len(among)} {page.kind}" if len(among) > 1 else page.kind
        self.query_one("#foot", Paper).show(paper.foot(profile, console.farm_name, place, farm, now))
        shown = (page, among, profile, self.words, view.seen(console.farm, now) if console.farm else None)
        if shown != self._shown:
            self._shown = shown
            self._show(page, farm, profile)

    def _overall(self, farm: Farm | None) -> Severity:
        """What the findings say; a farm that nobody tells of is unknown, however well it was."""
        if farm is None or view.blind(farm):
            return Severity.UNKNOWN
        return self.console.overall

    def _notes(self, farm: Farm | None) -> list[str]:
        if farm is not None and view.blind(farm):
            last = max((source.last_success_at for source in farm.sources if source.last_success_at), default=None)
            return ["no answer", *([f"since {last.astimezone(self._clock().tzinfo):%H:%M}"] if last else [])]
        found = paper.counted(self.console.findings)
        if self.console.overall is Severity.UNKNOWN and not found:
            found = ["not all is seen"]
        return found

    def _page_lines(self, profile: Profile) -> int:
        sweep = max(1, round(profile.height * 0.03))
        return max(3, profile.height - profile.banner_lines - sweep - height_of(profile.label) - 1)

    def _faults_a_page(self, profile: Profile) -> int:
        return max(1, self._page_lines(profile) // paper.fault_lines(profile))

    def _wander(self, at_s: float) -> None:
        x, y = view.shift(at_s, SHIFT_EVERY_S)
        columns, lines = view.SHIFT_ROOM
        spacing = Spacing(y, columns - x, lines - y, x)
        if self.styles.padding != spacing:
            self.styles.padding = spacing

    def _show(self, page: view.Page, farm: Farm | None, profile: Profile) -> None:
        tiled = page.kind in ("figures", "parts", "sources")
        self.query_one("#tiles").display = tiled
        self.query_one("#charts").display = page.kind == "trends"
        sheet = self.query_one("#paper", Paper)
        sheet.display = not tiled and page.kind != "trends"
        height = self._page_lines(profile)
        if farm is None:
            sheet.show(paper.starting(profile, self.console.farm_name, height, self.words))
        elif page.kind == "figures":
            figures = view.parts_of(farm)
            self._show_tiles([(title, state) for _, title, state in figures], page.part, view.FIGURES_A_PAGE, profile)
        elif page.kind == "parts":
            self._show_tiles(self._parts(farm), 0, TILES_MOST, profile, profile.title)
        elif page.kind == "sources":
            sources = [_source_tile(farm, source) for source in farm.sources]
            self._show_tiles(sources, 0, TILES_MOST, profile, profile.title)
        elif page.kind == "trends":
            self._show_charts(farm, profile)
        else:
            findings = self.console.findings
            found = view.criticals(findings) if page.kind == "critical" else view.worrying(findings)
            here = found[view.share(len(found), self._faults_a_page(profile), page.part)]
            sheet.show([Content(""), *paper.faults(here, farm, profile, height - 1, stale=view.blind(farm))])

    def _parts(self, farm: Farm) -> list[tuple[str, TileState]]:
        found = []
        for part in components(farm, self.console.findings):
            kinds = {"alerts": ("alertmanager",), "compute": ("proxmox", "digitalocean"), "sources": ()}
            late = [
                source
                for source in farm.sources
                if source.kind in kinds.get(part.name, ("prometheus",)) and view.is_late(source)
            ]
            fresh = late[0].freshness if late and late[0].freshness.readable else Freshness.LIVE
            old = late[0].last_success_at if late else None
            age_s = (farm.at - old).total_seconds() if old else None
            found.append((part.name, TileState(part.severity.word, part.summary, part.severity, fresh, age_s)))
        return found[:TILES_MOST]

    def _show_tiles(
        self, tiles: Sequence[tuple[str, TileState]], part: int, most: int, profile: Profile, largest: int | None = None
    ) -> None:
        here = tiles[view.share(len(tiles), most, part)][:TILES_MOST]
        columns, rows = next((c, r) for c, r in _GRIDS if len(here) <= c * r)
        grid = self.query_one("#tiles", Grid)
        if (grid.styles.grid_size_columns, grid.styles.grid_size_rows) != (columns, rows):
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
        for number, tile in enumerate(self.query("#tiles WallTile").results(WallTile)):
            tile.display = number < len(here)
            if number < len(here):
                title, state = here[number]
                tile.styles.column_span = 1 + (columns * rows - len(here) if number == 0 else 0)
                tile.shape(title, profile, largest)
                tile.show(state)

    def _show_charts(self, farm: Farm, profile: Profile) -> None:
        states = {name: (title, state) for name, title, state in view.wall_tiles(farm)}
        # Four charts on a low terminal are none.
        there = view.charts(farm)[: 2 if profile.height < 32 else 4]
        scale = profile.scale(0.8)
        for name, title, _, lines in TRENDS:
            place = self.query_one(f"#chart-{name}")
            place.display = name in there
            if name in there:
                tile = place.query_one(WallTile)
                tile.styles.height = height_of(profile.label) + height_of(scale) + (1 if profile.label else 0)
                known = states.get(name, (title, TileState("–", freshness=Freshness.NEVER)))
                tile.shape(known[0], profile, scale)
                tile.show(replace(known[1], sub="", trend=()))
                show_trend(place.query_one(TrendChart), farm, lines)


def _source_tile(farm: Farm, source: SourceState) -> tuple[str, TileState]:
    late = view.is_late(source)
    old_s = (farm.at - source.last_success_at).total_seconds() if source.last_success_at else None
    what = source.failure.what if source.failure else f"every {source.interval_s:g} s"
    if not late:
        return source.name, TileState("live", what)
    word = "late" if source.freshness is Freshness.AGEING else source.freshness.value
    return source.name, TileState(word, what, Severity.UNKNOWN, source.freshness, old_s)
