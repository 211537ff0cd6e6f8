"""Starting a run: what is known is filled in, what is wrong is said, and nothing begins by accident."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from farmtui.farm.actions import ActionError
from farmtui.runbooks.book import Book
from farmtui.runbooks.loading import Shelved
from farmtui.runbooks.people import Rights
from farmtui.runbooks.planned import Plan
from screens.run_dialogs import PlanDialog
from screens.runbooks import RunbooksScreen
from screens.start_run import StartScreen
from tests.screens.farms import HOSTILE
from tests.screens.host import SIZES, HostApp, text_of
from tests.screens.whole import whole_farm
from tests.screens.written import (
    BROKEN,
    FakeDesk,
    library,
    make_plan,
    ssh_step,
)

pytestmark = pytest.mark.usefixtures("still")
EVERY_SIZE = [*SIZES, (40, 10)]


def host(desk: FakeDesk | None = None) -> HostApp:
    return HostApp(RunbooksScreen, whole_farm(), remedies=desk or FakeDesk())


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


def book(**given: object) -> Shelved:
    """A book with inputs of several types."""
    made = Book.model_validate({
        "title": "Do something", "about": "For tests.", "risk": 2, "steps": [{"name": "Do it", "manual": "do it"}],
        "inputs": {
            "node": {"type": "node", "tier": "cache", "help": "the cache node"},
            "how": {"type": "choice", "of": ["soft", "hard"], "default": "soft"},
            "ask": {"type": "node", "tier": "edge", "target": False},
        },
        **given,
    })  # fmt: skip
    return Shelved("do-something", made, BROKEN.path, own=True)


async def opened(
    pilot: Pilot[None], app: HostApp, known: Mapping[str, str] | None = None, shelved: Shelved | None = None,
    reason: str = "",
) -> tuple[StartScreen, list[str | None]]:  # fmt: skip
    results: list[str | None] = []
    dialog = StartScreen(shelved or library().books["varnish-restart"], known or {}, reason)
    await pilot.pause()
    app.push_screen(dialog, results.append)
    await pilot.pause()
    return dialog, results


def value(dialog: StartScreen, name: str) -> str:
    return dialog.query_one(f"#{name}", Input).value


def said(dialog: StartScreen, where: str = "#outcome") -> str:
    static = dialog.query_one(where, Static)
    return str(static.content) if static.display else ""


async def press_plan(pilot: Pilot[None], dialog: StartScreen) -> None:
    dialog.query_one("#plan", Button).press()
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", EVERY_SIZE, ids=str)
@pytest.mark.parametrize("name", sorted(library().books))
async def test_every_book_at_every_size(name: str, size: tuple[int, int]) -> None:
    app = host()
    async with app.run_test(size=size) as pilot:
        dialog, results = await opened(pilot, app, shelved=library().books[name])
        text = seen(app)
        assert name in text
        if size[1] >= 24:
            assert "Show the plan" in text, "the button is in sight, however much is asked"
            assert "because" in text
        for key in ("tab", "down", "up", "enter", "tab"):
            await pilot.press(key)
        await pilot.press("escape")
        await pilot.pause()
        assert results == [None]
        assert dialog.is_attached is False


async def test_what_is_known_is_filled_in_and_the_cursor_is_where_something_is_missing() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, {"node": "cache-3"}, book(), "VarnishDown: ")
        assert (value(dialog, "input-node"), value(dialog, "input-how")) == ("cache-3", "soft")
        assert value(dialog, "input-ask") == "mgr-1", "a command runs on a machine that is well"
        assert value(dialog, "reason") == "VarnishDown: "
        assert app.focused is dialog.query_one("#reason")
        await pilot.press("escape")
        dialog, _ = await opened(pilot, app, {}, book())
        assert app.focused is dialog.query_one("#input-node")
        assert "the cache node; cache-1, cache-2, cache-3" in said(dialog, "#hint-node"), "nothing is wrong yet"


async def test_what_is_wrong_is_said_as_it_is_typed() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, {}, book())
        await pilot.press(*"cache-9")
        await pilot.pause()
        assert "there is no node of tier cache 'cache-9'" in said(dialog, "#hint-node")
        await pilot.press("backspace", "2")
        await pilot.pause()
        assert "no node" not in said(dialog, "#hint-node")


async def test_up_and_down_go_through_what_may_be_given() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, {}, book())
        for key, expected in (("down", "cache-1"), ("down", "cache-2"), ("up", "cache-1"), ("up", "cache-3")):
            await pilot.press(key)
            assert value(dialog, "input-node") == expected


async def test_of_several_nodes_the_last_is_changed() -> None:
    app = host()
    several = book(inputs={"nodes": {"type": "nodes", "tier": "cache"}})
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, {"nodes": "cache-3,"}, several)
        dialog.query_one("#input-nodes").focus()
        await pilot.press("down")
        assert value(dialog, "input-nodes") == "cache-3,cache-1"


async def test_enter_goes_on_and_only_the_button_plans() -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app)
        await pilot.press(*"cache-2", "enter", *"hung", "enter")
        assert desk.planned == []
        assert app.focused is dialog.query_one("#plan")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.planned == [("varnish-restart", {"node": "cache-2"})]
        assert isinstance(app.screen, PlanDialog)
        assert desk.said == [], "a plan is not a run"


async def test_nothing_is_planned_without_all_inputs_and_a_reason() -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app)
        await press_plan(pilot, dialog)
        assert "say why" in said(dialog)
        dialog.query_one("#reason", Input).value = "  "
        dialog.query_one("#input-node", Input).value = "cache-2"
        await press_plan(pilot, dialog)
        assert "say why" in said(dialog)
        dialog.query_one("#reason", Input).value = "hung"
        dialog.query_one("#input-node", Input).value = "db-1"
        await press_plan(pilot, dialog)
        assert "look at node" in said(dialog)
        assert app.focused is dialog.query_one("#input-node")
        assert desk.planned == []


async def test_a_plan_that_cannot_be_made_is_said_and_nothing_is_lost() -> None:
    desk = FakeDesk(refuses="node: there is no node 'cache-2' any more")
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        await press_plan(pilot, dialog)
        assert "✖ node: there is no node 'cache-2' any more" in said(dialog)
        assert (value(dialog, "input-node"), value(dialog, "reason"), results) == ("cache-2", "hung", [])
        desk.refuses = ""
        await press_plan(pilot, dialog)
        assert isinstance(app.screen, PlanDialog)


async def test_a_confirmed_plan_is_started_with_its_reason_and_gives_the_run() -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, {"node": "cache-2"}, reason=" hung ")
        await press_plan(pilot, dialog)
        await pilot.press(*"cache-2", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [("start", desk.made.hash, "hung", "cache-2", "")]
        assert results == ["new-run"]


async def test_a_start_that_is_refused_is_said_and_nothing_is_lost() -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        await press_plan(pilot, dialog)
        desk.refuses = "another run works on node:cache-2"
        await pilot.press(*"cache-2", "enter")
        await pilot.pause()
        await pilot.pause()
        assert app.screen is dialog
        assert "another run works on node:cache-2" in said(dialog)
        assert (value(dialog, "input-node"), value(dialog, "reason"), results) == ("cache-2", "hung", [])


async def test_a_plan_that_is_not_confirmed_leads_back_to_the_form() -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        await press_plan(pilot, dialog)
        await pilot.press("escape")
        await pilot.pause()
        assert [type(screen) for screen in app.screen_stack[2:]] == [StartScreen]
        assert (desk.said, results) == ([], [])
        await press_plan(pilot, dialog)
        assert isinstance(app.screen, PlanDialog), "and it can be planned again"


class SlowDesk(FakeDesk):
    """A desk that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.fails = ""

    async def plan(self, book: str, texts: Mapping[str, str]) -> Plan:
        plan = await super().plan(book, texts)
        await self.answers.wait()
        return plan

    async def start(self, plan: Plan, reason: str, *, typed: str = "", break_glass: str = "") -> str:
        run = await super().start(plan, reason, typed=typed, break_glass=break_glass)
        await self.answers.wait()
        if self.fails:
            raise ActionError(self.fails)
        return run


async def test_while_it_is_planned_it_is_not_planned_twice_and_may_be_left() -> None:
    desk = SlowDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        await press_plan(pilot, dialog)
        await press_plan(pilot, dialog)
        assert len(desk.planned) == 1
        assert "measuring what is required" in said(dialog)
        await pilot.press("escape")
        await pilot.pause()
        desk.answers.set()
        await pilot.pause()
        assert results == [None]
        assert not isinstance(app.screen, PlanDialog), "a plan that nobody waits for does not pop up"


@pytest.mark.parametrize("fails", ["", "the journal does not answer"])
async def test_while_it_is_written_down_nobody_is_told_that_nothing_was_done(fails: str) -> None:
    desk = SlowDesk()
    desk.answers.set()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        await press_plan(pilot, dialog)
        desk.answers.clear()
        desk.fails = fails
        await pilot.press(*"cache-2", "enter")
        await pilot.pause()
        await press_plan(pilot, dialog)
        await pilot.press("escape")
        await pilot.pause()
        assert results == []
        assert "writing it down" in said(dialog)
        desk.answers.set()
        await pilot.pause()
        await pilot.pause()
        assert results == ([] if fails else ["new-run"])
        assert len(desk.said) == 1
        if fails:
            assert fails in said(dialog)
            await pilot.press("escape")
            await pilot.pause()
            assert results == [None], "and then it may be left"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trouble": "the journal does not answer"}, "the journal does not answer"),
        ({"rights": Rights("anna is no operator", "x")}, "anna is no operator"),
    ],
)
async def test_what_forbids_it_meanwhile_is_said(changed: dict[str, object], words: str) -> None:
    desk = FakeDesk()
    app = host(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        desk.picture = replace(desk.picture, **changed)  # type: ignore[arg-type]
        await press_plan(pilot, dialog)
        assert words in said(dialog)
        assert desk.planned == []


async def test_the_reason_for_the_glass_arrives() -> None:
    desk = FakeDesk()
    desk.made = make_plan(risk=3)
    app = host(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, app, {"node": "cache-2"}, reason="hung")
        await press_plan(pilot, dialog)
        await pilot.press(*"cache-2", "tab", *"alone", "enter")
        await pilot.pause()
        await pilot.pause()
        assert desk.said == [("start", desk.made.hash, "hung", "cache-2", "alone")]


async def test_hostile_books_and_inputs_are_only_text() -> None:
    app = host()
    markup = "[/x] [@click=app.quit]boo[/]"
    given = {"node": {"type": "node", "help": markup}}
    async with app.run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(
            pilot, app, {"node": HOSTILE}, book(title=markup, about=markup, inputs=given), reason=markup
        )
        assert seen(app).count("[@click=app.quit]boo[/]") >= 3
        await press_plan(pilot, dialog)
        text = "\n".join(text_of(app))
        assert "[/x]" in text
        app.push_screen(PlanDialog(make_plan(ssh_step(name=markup), title=markup, confirm=markup), "lab"))
        await pilot.pause()
        assert seen(app).count("[@click=app.quit]boo[/]") >= 3
