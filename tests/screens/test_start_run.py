"""Starting a run: inputs against the farm, the plan, the confirmation; and where books are offered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from farmtui.runbooks.planned import Requirement, SourcesFresh
from screens.actions import Scene, actions_for, perform
from screens.overview import OverviewScreen
from screens.places import Subject
from screens.run_dialogs import PlanDialog
from screens.start_run import StartScreen
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.remedies import LIBRARY, VIEWER, FakeDesk, asking, make_plan, picture
from tests.screens.whole import whole_farm


@asynccontextmanager
async def form(
    book: str = "varnish-restart", size: tuple[int, int] = (120, 40), *, desk: FakeDesk | None = None, **known: str
) -> AsyncIterator[tuple[HostApp, Pilot[None], FakeDesk]]:
    desk = desk or FakeDesk()
    app = HostApp(OverviewScreen, whole_farm(), remedies=desk)
    async with app.run_test(size=size) as pilot:
        app.push_screen(StartScreen(LIBRARY.books[book], known))
        await pilot.pause()
        yield app, pilot, desk


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


@pytest.mark.parametrize("size", [*SIZES, (40, 10)], ids=str)
async def test_it_shows_at_every_size(size: tuple[int, int]) -> None:
    async with form(size=size, node="cache-2") as (app, _, _):
        assert "varnish-restart" in seen(app)
        assert "cache-2" in seen(app) or size == (40, 10)


async def test_what_is_known_is_filled_in_and_what_is_missing_has_the_focus() -> None:
    async with form(node="cache-2") as (app, _, _):
        assert app.screen.query_one("#input-node", Input).value == "cache-2"
        assert app.focused is app.screen.query_one("#reason")
    async with form("swarm-drain") as (app, _, _):
        assert app.screen.query_one("#input-manager", Input).value == "mgr-1", "a machine to run a command on"
        assert app.focused is app.screen.query_one("#input-node")


async def test_the_arrows_go_through_what_may_be_given() -> None:
    async with form() as (app, pilot, _):
        field = app.screen.query_one("#input-node", Input)
        values = []
        for _ in range(4):
            await pilot.press("down")
            values.append(field.value)
        assert values == ["cache-1", "cache-2", "cache-3", "cache-1"]
        await pilot.press("up")
        assert field.value == "cache-3"


async def test_what_cannot_be_given_is_said_and_nothing_is_planned() -> None:
    async with form() as (app, pilot, desk):
        assert "▲" not in seen(app).replace("risk 2: ▲", ""), "what nobody has touched is no mistake yet"
        await pilot.press(*"db", "minus", "1", "tab", *"why", "tab", "enter")
        await pilot.pause()
        assert "there is no node of tier cache 'db-1' in the farm" in seen(app)
        assert "look at node" in seen(app)
        assert desk.said == []
        assert app.focused is app.screen.query_one("#input-node")


async def test_it_wants_a_reason() -> None:
    async with form(node="cache-2") as (app, pilot, desk):
        app.screen.query_one("#plan", Button).press()
        await pilot.pause()
        assert "say why: it is written down" in seen(app)
        assert desk.said == []


async def planned(app: HostApp, pilot: Pilot[None]) -> PlanDialog:
    await pilot.press(*"why", "tab", "enter")
    await pilot.pause()
    await pilot.pause()
    assert isinstance(app.screen, PlanDialog)
    return app.screen


async def test_the_plan_is_shown_whole_and_started_by_its_target() -> None:
    async with form(node="cache-2") as (app, pilot, desk):
        await planned(app, pilot)
        assert desk.said == [("plan", "varnish-restart", {"node": "cache-2"})]
        text = seen(app)
        for words in ("ssh cache-2: touch /x", "undo: ssh cache-2: rm /x", "you do this, and say so: Look.",
                      "expects cache nodes that serve >= 2, within 2m", "● ok prometheus: live",
                      "cache tier 2 of 3 go on serving", "type cache-2 to start it"):  # fmt: skip
            assert words in text, words
        await pilot.press("enter")
        await pilot.pause()
        assert "that is not cache-2: nothing was done" in seen(app)
        await pilot.press(*"cache", "minus", "2", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said[-1] == ("start", make_plan().hash, "why", "cache-2", "")


async def test_a_reason_to_which_nothing_was_added_ends_without_its_colon() -> None:
    desk = FakeDesk(plan=make_plan())
    async with form(node="cache-2", desk=desk) as (app, pilot, _):
        await planned(app, pilot)
        app.screen_stack[-2].query_one("#reason", Input).value = "Varnish on cache-2 is down: "
        await pilot.press(*"cache", "minus", "2", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said[-1][2] == "Varnish on cache-2 is down"


async def test_what_is_required_and_missing_cannot_be_started_whatever_is_typed() -> None:
    missing = Requirement(condition=SourcesFresh(sources=("ceph",)), value="ceph is stale", holds=False)
    desk = FakeDesk(plan=make_plan(requires=(missing,)))
    async with form(node="cache-2", desk=desk) as (app, pilot, _):
        dialog = await planned(app, pilot)
        assert "it cannot be started: ceph is stale" in seen(app)
        assert not dialog.query(Input)
        await pilot.press(*"cache", "minus", "2", "enter", "y")
        await pilot.pause()
        assert [what[0] for what in desk.said] == ["plan"]
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, StartScreen), "what was typed is not lost"
        assert app.screen.query_one("#reason", Input).value == "why"


@pytest.mark.parametrize("glass", ["", "nobody answers"])
async def test_at_risk_3_the_second_person_is_waited_for_unless_the_glass_is_broken(glass: str) -> None:
    desk = FakeDesk(plan=make_plan(3))
    async with form(node="cache-2", desk=desk) as (app, pilot, _):
        dialog = await planned(app, pilot)
        assert "a second person approves it" in seen(app)
        dialog.query_one("#glass", Input).value = glass
        await pilot.press(*"cache", "minus", "2", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said[-1] == ("start", make_plan(3).hash, "why", "cache-2", glass)


async def test_at_risk_1_a_key_does() -> None:
    desk = FakeDesk(plan=make_plan(1))
    async with form(node="cache-2", desk=desk) as (app, pilot, _):
        await planned(app, pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PlanDialog), "Enter is often still on its way"
        await pilot.press("y")
        await pilot.pause()
        await pilot.pause()
        assert desk.said[-1] == ("start", make_plan(1).hash, "why", "", "")


async def test_what_the_desk_refuses_stays_on_the_form() -> None:
    desk = FakeDesk()
    async with form(node="cache-2", desk=desk) as (app, pilot, _):
        desk.refuses = "node: there is no node of tier cache 'cache-2' in the farm"
        await pilot.press(*"why", "tab", "enter")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, StartScreen)
        assert desk.refuses in seen(app)


async def test_who_may_not_is_told_so() -> None:
    desk = FakeDesk(picture(rights=VIEWER))
    async with form(node="cache-2", desk=desk) as (app, pilot, _):
        await pilot.press(*"why", "tab", "enter")
        await pilot.pause()
        assert "anna is no operator" in seen(app)
        assert desk.said == []


async def test_a_plan_longer_than_the_terminal_can_be_read_to_its_end() -> None:
    async with form(size=(80, 18), node="cache-2") as (app, pilot, _):
        await planned(app, pilot)
        assert "PgDn read on" in seen(app)
        assert "go on serving" not in seen(app)
        await pilot.press("pagedown", "pagedown")
        await pilot.pause()
        assert "go on serving" in seen(app)
        assert "type cache-2 to start it" in seen(app), "what is asked stays in sight"


# -- where books are offered ----------------------------------------------------------------------


def offered(desk: FakeDesk | None, subject: Subject, **more: str) -> dict[str, str]:
    app = HostApp(OverviewScreen, whole_farm(), remedies=desk, **more)  # type: ignore[arg-type]
    assert app.farm is not None
    scene = Scene(app, app.farm, (subject,))
    return {item.title: item.refusal(scene) for item in actions_for(scene) if item.id.startswith("book.")}


def test_a_thing_offers_its_books_and_an_alert_the_book_that_names_it() -> None:
    desk = FakeDesk()
    assert "varnish-restart" in offered(desk, Subject("node", "cache-2", "cache-2"))
    assert "ceph-osd-out" in offered(desk, Subject("osd", "osd.3", "osd.3"))
    book = whole_farm().book
    assert book is not None
    down = next(alert for alert in book.alerts if alert.name == "NodeDown")
    assert "droplet-start" in offered(desk, Subject("alert", down.fingerprint, "NodeDown"))


def test_where_nothing_may_be_done_the_books_are_greyed_with_why() -> None:
    node = Subject("node", "cache-2", "cache-2")
    assert set(offered(FakeDesk(), node, read_only="--read-only").values()) == {"read-only: --read-only"}
    assert set(offered(FakeDesk(picture(rights=VIEWER)), node).values()) == {VIEWER.operate}
    trouble = FakeDesk(picture(trouble="the journal does not answer"))
    assert set(offered(trouble, node).values()) == {"the journal does not answer"}
    assert offered(None, node) == {}


async def test_from_a_thing_to_its_run_in_four_keys() -> None:
    desk = FakeDesk(picture(asking()))
    app = HostApp(OverviewScreen, whole_farm(), remedies=desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        perform(app, "book.varnish-restart", Subject("node", "cache-2", "cache-2"))
        await pilot.pause()
        assert isinstance(app.screen, StartScreen)
        assert app.screen.query_one("#input-node", Input).value == "cache-2"
        await planned(app, pilot)
        await pilot.press(*"cache", "minus", "2", "enter")
        for _ in range(4):
            await pilot.pause()
        assert [subject.key for subject in app.opened] == ["new-run"]
