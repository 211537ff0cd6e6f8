"""The silence dialog: prefilled, previewed live, refused in words, and done only by its button."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static, TextArea

from farmtui.farm.alerts import Alert, Matcher
from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness
from screens.alert_draft import Draft, draft_for, draft_of
from screens.alerts import AlertsScreen
from screens.silence import SilenceScreen
from tests.screens.farms import HOSTILE, NOW, incident, make_alert, make_book, make_farm, make_silence, make_source
from tests.screens.host import SIZES, Desk, HostApp, text_of

DOWN = tuple(make_alert("Down", instance=f"{name}:9100", job="node") for name in "abc")
ELSE = make_alert("Else", "warning", instance="d:9100")


def seen(app: HostApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


async def opened(
    pilot: Pilot[None], app: HostApp, draft: Draft, *, author: str = "anna"
) -> tuple[SilenceScreen, list[str | None]]:
    """The dialog over a draft at a fixed time, and what it gives when it closes."""
    results: list[str | None] = []
    dialog = SilenceScreen(draft, clock=lambda: NOW, author=author)
    await pilot.pause()
    app.push_screen(dialog, results.append)
    await pilot.pause()
    return dialog, results


def host(*alerts: Alert, desk: Desk | None = None, read_only: str = "", farm: Farm | None = None) -> HostApp:
    return HostApp(
        AlertsScreen,
        farm or make_farm(make_book(*(alerts or (*DOWN, ELSE)))),
        desk=desk if desk is not None else Desk(),
        read_only=read_only,
    )


def set_matchers(dialog: SilenceScreen, *lines: str) -> None:
    dialog.query_one("#matchers", TextArea).text = "\n".join(lines)


def shown(dialog: SilenceScreen, where: str) -> str:
    static = dialog.query_one(where, Static)
    return str(static.content) if static.display else ""


@pytest.mark.parametrize("size", SIZES)
async def test_it_begins_with_the_labels_an_end_and_who_asks(size: tuple[int, int]) -> None:
    app = host()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, app, draft_for(DOWN[:1]))
        text = seen(app)
        for words in (
            "Silence Down",
            'alertname="Down"',
            'instance="a:9100"',
            "ends 12:00Z, in 2h by anna",
            "would cover 1 of 4 alerts",
            "chosen",
            "Create silence",
            "Cancel",
        ):
            assert words in text, words


async def test_the_preview_follows_what_is_typed() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, app, draft_for(DOWN[:1]))
        set_matchers(dialog, 'alertname="Down"')
        await pilot.pause()
        assert len(dialog.coverage.covered) == 3
        text = seen(app)
        assert "would cover 3 of 4 alerts" in text
        assert "2 CRITICAL beyond the chosen: Down" in text
        assert text.count("also covered") == 2
        set_matchers(dialog, 'alertname=~"Down|Else"')
        await pilot.pause()
        assert "covers EVERY alert there is now, all 4" in seen(app)
        set_matchers(dialog, 'alertname="Gone"')
        await pilot.pause()
        assert "covers none of the present alerts" in seen(app)


async def test_a_matcher_that_cannot_be_read_says_where() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, draft_for(DOWN[:1]))
        set_matchers(dialog, 'alertname="Down"', "instance a")
        await pilot.pause()
        assert shown(dialog, "#matchers-problem").startswith("✖ line 2: ")
        assert dialog.coverage.covered == ()
        set_matchers(dialog, "")
        await pilot.pause()
        assert "no matcher: write one a line" in shown(dialog, "#matchers-problem")
        set_matchers(dialog, 'team!="x"')
        await pilot.pause()
        assert "every alert would match" in shown(dialog, "#matchers-problem")
        set_matchers(dialog, 'alertname=~"("')
        await pilot.pause()
        assert "line 1" in shown(dialog, "#matchers-problem")
        set_matchers(dialog, 'alertname="Down"')
        await pilot.pause()
        assert shown(dialog, "#matchers-problem") == ""


async def test_the_end_is_read_as_it_is_typed_and_presets_are_at_hand() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, app, draft_for(DOWN[:1]))
        until = dialog.query_one("#until", Input)
        until.focus()
        await pilot.press("up")
        assert until.value == "4h"
        await pilot.press("down", "down", "down", "down")
        assert until.value == "1h"
        until.value = "mon 09:00"
        await pilot.pause()
        assert "ends Mon 2026-11-30 09:00Z, in 6d 23h" in seen(app)
        assert "lasts 6 days" in seen(app)
        until.value = "soon"
        await pilot.pause()
        assert "neither a length nor a time" in seen(app)
        await pilot.click("#presets", offset=(3, 0))
        assert until.value == "1h"


async def test_enter_goes_on_and_only_the_button_creates() -> None:
    desk = Desk()
    app = host(desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, draft_for(DOWN[:1]))
        assert app.focused is dialog.query_one("#comment"), "what is missing has the cursor"
        await pilot.press(*"disk", "space", *"swap", "enter")
        assert desk.created == []
        assert app.focused is dialog.query_one("#create")
        await pilot.press("enter")
        await pilot.pause()
        ((matchers, duration_s, comment, replaces),) = desk.created
        assert matchers == tuple(
            Matcher(name, value)
            for name, value in (
                ("alertname", "Down"),
                ("instance", "a:9100"),
                ("job", "node"),
                ("severity", "critical"),
            )
        )
        assert (duration_s, comment, replaces) == (7200.0, "disk swap", "")
        assert results == ["new-1"]
        assert app.said[-1][0] == "silence new-1: 1 alert quiet until Mon 12:00Z"


async def test_a_reason_a_readable_matcher_and_an_end_are_required() -> None:
    desk = Desk()
    app = host(desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, draft_for(DOWN[:1]))
        create = dialog.query_one("#create", Button)
        create.press()
        await pilot.pause()
        assert "say why" in shown(dialog, "#outcome")
        assert app.focused is dialog.query_one("#comment")
        dialog.query_one("#comment", Input).value = "why"
        dialog.query_one("#until", Input).value = "90"
        create.press()
        await pilot.pause()
        assert "90 of what?" in shown(dialog, "#outcome")
        dialog.query_one("#until", Input).value = "90m"
        set_matchers(dialog, "nonsense here")
        await pilot.pause()
        create.press()
        await pilot.pause()
        assert "the matchers cannot be read" in shown(dialog, "#outcome")
        assert desk.created == []


async def test_what_reaches_further_than_was_chosen_is_asked_once_more() -> None:
    desk = Desk()
    app = host(desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, replace(draft_for(DOWN[:1]), comment="deploy"))
        set_matchers(dialog, 'job="node"')
        await pilot.pause()
        create = dialog.query_one("#create", Button)
        create.press()
        await pilot.pause()
        assert "Press once more if that is meant" in shown(dialog, "#outcome")
        assert str(create.label) == "[ Really silence 3 ]"
        assert desk.created == []
        set_matchers(dialog, 'job=~"node|x"')
        await pilot.pause()
        assert str(create.label) == "[ Create silence ]", "another scope is another question"
        create.press()
        await pilot.pause()
        assert desk.created == []
        create.press()
        await pilot.pause()
        assert len(desk.created) == 1
        assert results == ["new-1"]


async def test_a_refusal_stays_in_the_dialog_with_all_that_was_typed() -> None:
    desk = Desk(refuses="alertmanager at am-1:9093: HTTP 403, our login is not allowed; the silence was not made")
    app = host(desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, replace(draft_for(DOWN[:1]), comment="why"))
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        assert "HTTP 403" in shown(dialog, "#outcome")
        assert results == []
        assert dialog.query_one("#comment", Input).value == "why"
        desk.refuses = ""
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        assert results == ["new-1"]


class BrokenDesk(Desk):
    """A desk with a fault of its own."""

    async def create(self, matchers: Sequence[Matcher], duration_s: float, comment: str, *, replaces: str = "") -> str:
        raise KeyError("secret-token")


async def test_a_fault_of_ours_ends_nothing_and_shows_no_insides() -> None:
    app = host(desk=BrokenDesk())
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, replace(draft_for(DOWN[:1]), comment="why"))
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        assert "look at the silences before you try again" in shown(dialog, "#outcome")
        assert "secret-token" not in seen(app)


class SlowDesk(Desk):
    """A desk that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()

    async def create(self, matchers: Sequence[Matcher], duration_s: float, comment: str, *, replaces: str = "") -> str:
        await self.answer.wait()
        return await super().create(matchers, duration_s, comment, replaces=replaces)


async def test_while_an_answer_is_awaited_nothing_is_sent_twice_and_escape_waits() -> None:
    desk = SlowDesk()
    app = host(desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, results = await opened(pilot, app, replace(draft_for(DOWN[:1]), comment="why"))
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        dialog.query_one("#create", Button).press()
        await pilot.press("escape")
        assert app.screen is dialog
        assert "asking Alertmanager" in shown(dialog, "#outcome")
        desk.answer.set()
        await pilot.pause()
        assert len(desk.created) == 1
        assert results == ["new-1"]


async def test_escape_and_cancel_do_nothing_to_the_farm() -> None:
    desk = Desk()
    app = host(desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        _, results = await opened(pilot, app, draft_for(DOWN[:1]))
        await pilot.press("escape")
        await pilot.pause()
        dialog, more = await opened(pilot, app, draft_for(DOWN[:1]))
        dialog.query_one("#cancel", Button).press()
        await pilot.pause()
        assert (results, more, desk.created) == ([None], [None], [])


async def test_read_only_refuses_even_with_the_dialog_open() -> None:
    desk = Desk()
    app = host(desk=desk, read_only="--read-only was given")
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, replace(draft_for(DOWN[:1]), comment="why"))
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        assert "read-only: --read-only was given" in shown(dialog, "#outcome")
        assert desk.created == []


async def test_the_preview_is_of_the_newest_picture_and_says_when_that_is_old() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, app, draft_for(DOWN[:1]))
        old = make_source(freshness=Freshness.STALE, answered=4)
        app.farm = make_farm(make_book(*DOWN[:1], ELSE, make_alert("New")), sources=[old])
        dialog.follow()
        await pilot.pause()
        text = seen(app)
        assert "would cover 1 of 3 alerts" in text
        assert "this list of alerts is 4 min old" in text


async def test_changing_a_silence_keeps_its_id_end_and_reason() -> None:
    farm = incident()
    assert farm.book is not None
    desk = Desk()
    app = host(desk=desk, farm=farm)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog, _ = await opened(pilot, app, draft_of(farm.book.silences[0], NOW, farm.book.alerts))
        assert "ends 10:50Z, in 50m" in seen(app)
        assert "Change silence" in seen(app)
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        ((_, duration_s, comment, replaces),) = desk.created
        assert (duration_s, comment, replaces) == (3000.0, "disk swap, ticket 4711", farm.book.silences[0].id)


@pytest.mark.parametrize("size", SIZES)
async def test_the_buttons_are_in_sight_however_much_is_covered(size: tuple[int, int]) -> None:
    extra = tuple((f"label{m}", "x") for m in range(12))
    plain = (make_alert("Down", instance=f"node-{n}:9100") for n in range(60))
    many = tuple(replace(alert, labels=(*alert.labels, *extra)) for alert in plain)
    app = host(*many)
    async with app.run_test(size=size) as pilot:
        dialog, _ = await opened(pilot, app, draft_for(many))
        set_matchers(dialog, *(f'label{m}="x"' for m in range(12)), 'alertname="Down"')
        dialog.query_one("#create", Button).press()
        await pilot.pause()
        assert "Create silence" in seen(app)
        assert "Cancel" in seen(app)


async def test_hostile_labels_become_matchers_and_no_markup() -> None:
    alert = make_alert("[/x]", instance="[@click=app.quit]x[/]", owner=HOSTILE.replace("\x1b", "\ufffd"))
    app = host(alert, ELSE)
    async with app.run_test(size=(120, 40)) as pilot:
        dialog, _ = await opened(pilot, app, draft_for([alert]))
        assert [found.fingerprint for found in dialog.coverage.covered] == [alert.fingerprint]
        assert 'alertname="[/x]"' in seen(app)
        await opened(pilot, app, draft_of(make_silence(HOSTILE, comment=HOSTILE, by=HOSTILE), NOW, (alert,)))
        assert app.is_running
