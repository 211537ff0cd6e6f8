"""Actions: found by themselves, greyed with a reason, and nothing done by the menu alone."""

from __future__ import annotations

import pytest
from textual.app import App

from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity
from screens import actions
from screens.actions import Action, ActionMenu, Scene, actions_for, all_actions, perform
from screens.alerts import AlertsScreen
from screens.describe import kinds
from screens.known import REMEDY_KINDS
from screens.places import Subject
from screens.silence import SilenceScreen
from screens.sources import SourcesScreen
from tests.screens.farms import HOSTILE, incident, make_alert, make_book, make_farm, make_silence, troubled
from tests.screens.host import SIZES, Desk, HostApp, text_of
from widgets.dialog import ChoiceDialog, ConfirmDialog
from widgets.live_table import LiveTable


def host(
    farm: Farm | None = None, *, desk: Desk | None = None, read_only: str = "", configured: bool = True
) -> HostApp:
    given = (desk or Desk()) if configured else None
    return HostApp(AlertsScreen, farm or incident(), desk=given, read_only=read_only)


def seen(app: App[None]) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


def subject_of(farm: Farm, name: str) -> Subject:
    assert farm.book is not None
    return next(Subject("alert", a.fingerprint, a.name) for a in farm.book.alerts if a.name == name)


def refusals(app: HostApp, *subjects: Subject) -> dict[str, str]:
    assert app.farm is not None
    scene = Scene(app, app.farm, subjects)
    return {item.id: item.refusal(scene) for item in actions_for(scene)}


@pytest.mark.parametrize("item", all_actions(), ids=lambda item: item.id)
def test_every_action_can_be_found_and_read(item: Action) -> None:
    assert item.help[0].isupper()
    assert len(item.title) <= 17, "the menu's column"
    assert item.title[0].lower() not in "hjkgw", "keys that move in the menu"
    assert set(item.kinds) <= {*kinds(), *REMEDY_KINDS}, "only what can be described can be acted on"


def test_what_is_possible_on_an_alert_depends_on_the_alert() -> None:
    farm = incident()
    app = host(farm)
    firing, silenced = subject_of(farm, "TargetDown"), subject_of(farm, "DiskFull")
    assert refusals(app, firing)["silence"] == ""
    assert refusals(app, firing)["silence.expire"] == "no silence covers it"
    assert refusals(app, silenced)["silence.expire"] == ""
    assert refusals(app, firing)["machine"] == ""
    assert "no machine" in refusals(app, subject_of(farm, "PveHostDown"))["machine"]
    assert refusals(app, subject_of(farm, "DiskFull"))["runbook.copy"] == "its rule names no runbook_url"
    assert refusals(app, Subject("alert", "gone", "Gone"))["silence"] == "the alert is gone"


def test_read_only_and_no_alertmanager_refuse_only_what_has_an_effect() -> None:
    farm = incident()
    silenced = subject_of(farm, "DiskFull")
    locked = refusals(host(farm, read_only="the config says farm.read_only: true"), silenced)
    assert locked["silence"] == locked["silence.expire"] == "read-only: the config says farm.read_only: true"
    assert locked["copy.key"] == locked["machine"] == ""
    without = refusals(host(farm, configured=False), silenced)
    assert without["silence"] == without["silence.expire"] == "no Alertmanager is configured"
    assert without["copy.key"] == ""


@pytest.mark.parametrize("size", SIZES)
async def test_the_menu_shows_what_is_possible_and_why_the_rest_is_not(size: tuple[int, int]) -> None:
    app = host()
    async with app.run_test(size=size) as pilot:
        await pilot.press("down", "x")
        await pilot.pause()
        text = seen(app)
        for words in ("Silence", "not now: no silence covers it", "Machine", "Copy labels", "Enter choose"):
            assert words in text, words
        table = app.screen.query_one(LiveTable)
        assert table.cursor_key == "silence"
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, ActionMenu)


async def test_what_is_refused_does_nothing_when_chosen() -> None:
    desk = Desk()
    app = host(desk=desk, read_only="--read-only")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "x", "home", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ActionMenu), "it stays, with the reason"
        assert desk.created == []


async def test_letters_move_and_only_enter_chooses() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "x")
        await pilot.pause()
        for keys, expected in (("c", "copy.name"), ("cc", "copy.labels"), ("m", "machine")):
            await pilot.press(*keys)
            assert app.screen.query_one(LiveTable).cursor_key == expected
        assert app.clipped == []
        assert app.opened == []
        await pilot.press("enter")
        await pilot.pause()
        assert [subject.key for subject in app.opened] == ["worker-9"]


async def test_books_are_found_by_their_letters_and_do_not_take_those_of_what_is_always_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    titles = ("swarm-drain", "galera-restart", "guest-start", "galera-bootstrap", "machine-look")
    books = [
        Action(f"book.{title}", title, "a runbook", (), True, -1, lambda _: "", lambda _: None) for title in titles
    ]
    monkeypatch.setattr(actions, "_OFFERS", [lambda _: books])
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "x")
        await pilot.pause()
        for keys, expected in (
            ("s", "silence"),
            ("s", "shell"),
            ("g", "book.galera-bootstrap"),
            ("uest", "book.guest-start"),
            ("galera-r", "book.galera-restart"),
            ("m", "machine"),
            ("m", "book.machine-look"),
            ("z", "book.machine-look"),
            ("j", "book.swarm-drain"),
        ):
            await pilot.press(*("minus" if key == "-" else key for key in keys))
            assert app.screen.query_one(LiveTable).cursor_key == expected, keys


async def test_copying_is_of_all_that_is_marked() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("x", "c", "c", "c", "enter")
        await pilot.pause()
        assert app.clipped[-1].count('alertname="TargetDown"') == 3
        await pilot.press("x", "r", "enter")
        await pilot.pause()
        assert app.clipped[-1] == "https://runbooks.example/target-down"
        await pilot.press("x", "c", "c", "c", "c", "enter")
        await pilot.pause()
        assert app.clipped[-1] == "up == 0"


async def test_silence_is_a_dialog_over_all_that_is_marked() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "space", "down", "space", "x", "s", "enter")
        await pilot.pause()
        assert isinstance(app.screen, SilenceScreen)
        assert len(app.screen.coverage.covered) == 2
        assert len(app.screen.coverage.chosen) == 2


async def test_related_things_are_chosen_from_a_list() -> None:
    farm = incident()
    app = host(farm)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        perform(app, "related", subject_of(farm, "DiskFull"))
        await pilot.pause()
        assert isinstance(app.screen, ChoiceDialog)
        assert "silenced by" in seen(app)
        await pilot.press("enter")
        await pilot.pause()
        assert app.opened[-1].kind == "silence"


async def test_ending_a_silence_is_asked_first_and_says_what_fires_again() -> None:
    farm = incident()
    desk = Desk()
    app = host(farm, desk=desk)
    assert farm.book is not None
    ident = farm.book.silences[0].id
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        perform(app, "silence.expire", subject_of(farm, "DiskFull"))
        await pilot.pause()
        assert isinstance(app.screen, ConfirmDialog)
        text = seen(app)
        for words in (
            'alertname="DiskFull"',
            "anna, 10 min ago",
            "in 50m",
            "1 fires again at once",
            "CRIT DiskFull db-1",
        ):
            assert words in text, words
        await pilot.press("n")
        await pilot.pause()
        assert desk.expired == []
        perform(app, "silence.expire", subject_of(farm, "DiskFull"))
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert desk.expired == [ident]
        assert app.said[-1] == ("silence 1ae49131 has ended", Severity.OK)


async def test_a_silence_that_cannot_be_ended_says_why() -> None:
    farm = incident()
    app = host(farm, desk=Desk(refuses="alertmanager: no answer within 10 s; the silence goes on"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        perform(app, "silence.expire", subject_of(farm, "DiskFull"))
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert app.said[-1] == ("alertmanager: no answer within 10 s; the silence goes on", Severity.CRITICAL)


async def test_of_several_silences_one_is_chosen() -> None:
    first, second = make_silence("aaaaaaaaa"), make_silence("bbbbbbbbb", by="bert", comment="deploy")
    alert = make_alert("DiskFull", silenced_by=("aaaaaaaaa", "bbbbbbbbb"))
    farm = make_farm(make_book(alert, silences=(first, second)))
    desk = Desk()
    app = host(farm, desk=desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        perform(app, "silence.expire", subject_of(farm, "DiskFull"))
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmDialog)
        assert "no present alert fires again" in seen(app), "the other silence still covers it"
        await pilot.press("y")
        await pilot.pause()
        assert desk.expired == ["bbbbbbbbb"]


async def test_the_silences_view_offers_to_end_and_to_change() -> None:
    app = host()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v", "x")
        await pilot.pause()
        assert "Alter silence" in seen(app)
        await pilot.press("a", "enter")
        await pilot.pause()
        assert isinstance(app.screen, SilenceScreen)
        assert "Change silence 1ae49131" in seen(app)


async def test_the_command_says_what_refuses_it() -> None:
    app = host(read_only="--read-only")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.shown.action_silence()  # type: ignore[attr-defined]
        assert app.said[-1] == ("read-only: --read-only", Severity.WARNING)
        perform(app, "silence")
        assert app.said[-1] == ("nothing is selected", Severity.INFO)
        perform(app, "poll", subject_of(incident(), "DiskFull"))
        assert app.said[-1][0] == "not possible on DiskFull"


async def test_a_source_can_be_polled() -> None:
    app = HostApp(SourcesScreen, troubled(), desk=Desk())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x", "p", "enter")
        await pilot.pause()
        assert app.polled == 1


async def test_hostile_titles_are_only_text() -> None:
    farm = make_farm(make_book(make_alert("[/x]", instance=HOSTILE, owner="[@click=app.quit]")))
    app = host(farm)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        await pilot.pause()
        assert "[/x]" in seen(app)
        perform(app, "related", Subject("alert", HOSTILE, HOSTILE))
        assert app.is_running
