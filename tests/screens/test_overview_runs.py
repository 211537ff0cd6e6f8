"""What the overview and every screen's status line say of runs: what wants somebody, and what mends a finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.content import Content
from textual.widgets import Static

from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding
from farmtui.runbooks.loading import Shelf
from farmtui.runbooks.picture import Picture
from screens.console import SCREENS
from screens.frame import FarmScreen
from screens.lines import ClickableLine, Line
from screens.overview import OverviewScreen
from screens.places import Place
from screens.statusline import runs_text
from tests.screens.farms import HOSTILE, NOW
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    FakeDesk,
    Still,
    Written,
    asks_failed,
    ended,
    glass_broken,
    library,
    make_picture,
    paused,
    running,
    undoing,
    waits_for_approval,
)
from widgets.live_table import LiveTable

pytestmark = pytest.mark.usefixtures("still")

CRASHED = Finding(
    "varnish", Severity.CRITICAL, "Varnish on cache-2 is down", "its child died", subject=("node", "cache-2"),
    topics=("varnish",),
)  # fmt: skip
HOT = Finding("hot", Severity.WARNING, "Something is hot", "nobody knows why")


def host(desk: FakeDesk | None, *findings: Finding) -> HostApp:
    return HostApp(OverviewScreen, whole_farm(), remedies=desk, findings=findings)


def runs(app: HostApp) -> str:
    line = app.shown.query_one("#runs", ClickableLine)
    return line.text if line.display else ""


def cause(app: HostApp) -> str:
    return str(app.shown.query_one("#cause", Static).content)


def status(app: HostApp) -> str:
    return app.shown.query_one("#status", Line).text


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_the_run_that_wants_somebody_is_named_before_all_others(size: tuple[int, int]) -> None:
    app = host(FakeDesk(running(run="run-a"), asks_failed(run="run-b"), running(run="run-c")), CRASHED)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert runs(app).startswith("▲ asks  varnish-restart cache-2  1/2: Restart Varnish: failed: ended with 1")
        assert "and 2 more" in runs(app)
        if size[1] >= 24:
            assert any(line.strip().startswith("▲ asks  varnish-restart cache-2") for line in text_of(app))
        assert "▲ asks varnish-restart +2" in status(app)


async def test_without_a_run_there_is_no_line() -> None:
    for desk in (None, FakeDesk(), FakeDesk(ended("failed"))):
        app = host(desk, CRASHED)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert runs(app) == ""
            assert "varnish-restart" not in status(app)


async def test_the_line_goes_when_the_run_has_ended_and_a_click_leads_to_screen_9() -> None:
    desk = FakeDesk(running())
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.click("#runs", offset=(5, 0))
        await pilot.pause()
        assert app.went == [Place("runbooks")]
        desk.picture = make_picture(ended())
        app.shown.repaint()
        await pilot.pause()
        assert runs(app) == ""


async def test_a_run_that_has_lost_its_runner_is_told_with_the_next_picture_of_the_farm(still: type[Still]) -> None:
    """Nothing is written then, so there is no new picture of the runs."""
    run = running(minutes=1)
    desk = FakeDesk(picture=make_picture(run, holders=False))
    still.moment = run.entries[0].at + timedelta(seconds=5)
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "running" in runs(app)
        still.moment = NOW
        app.publish(replace(whole_farm()))
        await pilot.pause()
        assert "▲ alone varnish-restart" in status(app)
        assert runs(app).startswith("▲ alone")


async def test_what_mends_a_finding_is_named_below_it_and_x_offers_it() -> None:
    app = host(FakeDesk(), CRASHED, HOT)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "x offers: varnish-restart" in cause(app)
        await pilot.press("x")
        await pilot.pause()
        text = " ".join(text_of(app))
        assert "varnish-restart" in text
        assert "runbook, risk 2: Restart Varnish on" in text
        await pilot.press("escape", "j")
        await pilot.pause()
        assert "mends it" not in cause(app), "nothing fits this one"


@pytest.mark.parametrize("size", SIZES)
async def test_what_mends_it_is_seen_however_long_the_evidence_is(size: tuple[int, int]) -> None:
    evidence = tuple(
        f"so the thing number {number} behind it has lost every one of its backends" for number in range(20)
    )
    app = host(FakeDesk(), replace(CRASHED, evidence=evidence, runbook="https://runbooks.example/varnish-down"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = " ".join(text_of(app))
        assert "x offers: varnish-restart" in text
        assert "https://runbooks.example/varnish-down" in text
        assert "so the thing number 0 behind it" in text


async def test_what_mends_it_comes_when_the_library_is_read() -> None:
    app = host(None, CRASHED)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "mends it" not in cause(app)
        app.remedies = FakeDesk(picture=Picture())
        app.shown.repaint()
        await pilot.pause()
        assert "mends it" not in cause(app)
        app.remedies = FakeDesk()
        app.shown.repaint()
        await pilot.pause()
        assert "x offers: varnish-restart" in cause(app)


async def test_no_more_than_four_books_are_named() -> None:
    one = library().books["varnish-restart"]
    shelf = Shelf({f"book-{number}": replace(one, name=f"book-{number}") for number in range(9)})
    app = host(FakeDesk(picture=make_picture(shelf=shelf)), CRASHED)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert cause(app).endswith("x offers: book-0, book-1, book-2, book-3")


async def test_hostile_questions_are_only_text() -> None:
    run = Written().begun().effect().asks("failed", HOSTILE, "stop")
    app = host(FakeDesk(run), CRASHED)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert "[@click=app.quit]boo[/]" in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


async def test_nothing_is_sent_again_when_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = FakeDesk(asks_failed())
    app = host(desk, CRASHED)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await app.shown.query_one("#findings", LiveTable).settled()
        await pilot.pause()
        sent: list[object] = []
        display = app._display

        def counted(where: object, renderable: object) -> None:
            sent.append(renderable)
            display(where, renderable)  # type: ignore[arg-type]

        monkeypatch.setattr(app, "_display", counted)
        desk.picture = make_picture(asks_failed())
        app.shown.repaint()
        await pilot.pause()
        assert sent == []
        desk.picture = make_picture(paused())
        app.shown.repaint()
        await pilot.pause()
        assert sent, "and what has changed is sent"


# -- every screen's frame -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (running, "→ running 0/2 varnish-restart"),
        (undoing, "→ undoing 1/2 varnish-restart"),
        (asks_failed, "▲ asks varnish-restart"),
        (paused, "▲ paused varnish-restart"),
        (waits_for_approval, "▲ waits varnish-restart"),
        (glass_broken, "→ running 0/2 varnish-restart"),
    ],
)
def test_the_status_line_says_how_a_run_stands(make: type[Written], words: str) -> None:
    assert Content.assemble(*runs_text(make_picture(make()), NOW)).plain.strip() == words


def test_the_status_line_says_nothing_of_what_is_over() -> None:
    assert runs_text(make_picture(ended(), ended("failed", run="b")), NOW) == []
    assert runs_text(Picture(), NOW) == []


@pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.name)
async def test_every_screen_says_that_a_run_asks(entry: object) -> None:
    kind: type[FarmScreen] = entry.load()  # type: ignore[attr-defined]
    app = HostApp(kind, whole_farm(), remedies=FakeDesk(asks_failed()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "▲ asks" in text_of(app)[0]


class Counting(FarmScreen):
    """A screen that counts what it is given."""

    NAME = "cache"

    def __init__(self) -> None:
        super().__init__()
        self.farms: list[Farm] = []
        self.pictures: list[Picture] = []

    def show_farm(self, farm: Farm, findings: tuple[Finding, ...]) -> None:
        self.farms.append(farm)

    def show_remedies(self, picture: Picture) -> None:
        self.pictures.append(picture)


async def test_a_screen_is_given_only_what_is_new_to_it() -> None:
    desk = FakeDesk(running())
    app = HostApp(Counting, None, remedies=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = app.shown
        assert isinstance(screen, Counting)
        assert screen.farms == [], "runs are shown before there is a farm"
        assert screen.pictures[-1] is desk.picture
        app.farm = whole_farm()
        screen.pictures.clear()
        screen.repaint()
        screen.repaint()
        assert (len(screen.farms), len(screen.pictures)) == (1, 0)
        desk.picture = make_picture(asks_failed())
        screen.repaint()
        screen.repaint()
        assert (len(screen.farms), len(screen.pictures)) == (1, 1)
        app.only_faults()
        assert (len(screen.farms), len(screen.pictures)) == (2, 2)
