"""What a run prints and says, on its screen: followed, kept in place, never markup, and not sent twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from screens.places import Place
from screens.remedy_details import run_subject
from screens.run import RunScreen
from tests.screens.farms import HOSTILE
from tests.screens.host import HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    FakeDesk,
    Written,
    make_picture,
    talkative,
)
from widgets.live_log import LiveLog

pytestmark = pytest.mark.usefixtures("still")


def host(run: Written, desk: FakeDesk | None = None) -> HostApp:
    place = Place("runbooks", (run_subject(run.state),))
    return HostApp(lambda: RunScreen(place), whole_farm(), remedies=desk or FakeDesk(run))


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


async def test_the_story_is_followed_and_kept_where_somebody_reads() -> None:
    run = talkative(200, lambda n: f"line {n}")
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        log = app.shown.query_one(LiveLog)
        assert "line 199" in seen(app)
        run.output("line 200\n")
        desk.picture = make_picture(run)
        app.shown.repaint()
        await pilot.pause()
        assert "line 200" in seen(app)
        log.focus()
        await pilot.press("pageup", "pageup")
        before = text_of(app)[-8:-3]
        run.output("line 201\n")
        desk.picture = make_picture(run)
        app.shown.repaint()
        await pilot.pause()
        assert text_of(app)[-8:-3] == before
        assert len(log.lines) == len(run.story.lines)


async def test_what_is_dropped_from_a_long_story_moves_nobody() -> None:
    run = talkative(300, lambda n: f"line {n}")
    whole = run.story
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.shown.query_one(LiveLog).focus()
        await pilot.press("pageup", "pageup", "pageup")
        before = text_of(app)[-8:-3]
        assert "| line" in before[0]
        cut = replace(whole, lines=whole.lines[50:], dropped=50)
        desk.picture = make_picture(run, stories=False)
        desk.picture = replace(desk.picture, stories={run.run: cut})
        app.shown.repaint()
        await pilot.pause()
        assert text_of(app)[-8:-3] == before


async def test_what_commands_print_is_never_markup_nor_control() -> None:
    run = talkative(3, lambda n: f"{n} {HOSTILE}").asks("failed", f"{HOSTILE}", "stop")
    run.plan = run.plan.model_copy(update={"title": "[b][@click=app.quit]Restart"})
    run.entries.clear()
    run.planned(HOSTILE).confirmed().begun().effect().output(f"{HOSTILE}\n", stream="err")
    run.part_ended(outcome="failed", why=HOSTILE).step_ended(outcome="failed", why=HOSTILE, held=())
    run.asks("failed", HOSTILE, "stop")
    app = host(run)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        for where in ("because: [/x]", "[restart on cache-2] ! [/x]", "[@click=app.quit]boo[/]"):
            assert where in text, where
        await pilot.press("a")
        await pilot.pause()
        dialog = "\n".join(text_of(app))
        assert "[@click=app.quit]boo[/]" in dialog
        assert not {"\x1b", "\x07", "\u202e"} & set(dialog)
        await pilot.press("tab", "escape")
        assert app.is_running


async def test_nothing_is_sent_again_when_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = talkative(100, lambda n: f"line {n}")
    desk = FakeDesk(run)
    app = host(run, desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = app.shown
        assert isinstance(screen, RunScreen)
        screen._tick()
        await pilot.pause()
        sent: list[object] = []
        display = app._display

        def counted(where: object, renderable: object) -> None:
            sent.append(renderable)
            display(where, renderable)  # type: ignore[arg-type]

        monkeypatch.setattr(app, "_display", counted)
        desk.picture = make_picture(run)
        screen.repaint()
        screen._tick()
        await pilot.pause()
        await pilot.pause()
        assert sent == []
