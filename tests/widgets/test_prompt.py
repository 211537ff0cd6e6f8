"""The prompt: typing, suggestions, history, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.widgets.stage import Stage, screen_lines
from widgets.live_table import LiveTable
from widgets.prompt import History, Prompt, Suggestion
from widgets.table_columns import Column

KNOWN = ("topology", "tokens", "theme", "overview")


def complete(typed: str) -> Sequence[Suggestion]:
    return [Suggestion(name, f"about {name}") for name in KNOWN if name.startswith(typed)]


def stage() -> tuple[Stage, Prompt, LiveTable[str]]:
    prompt = Prompt()
    table: LiveTable[str] = LiveTable([Column("name", "NAME", str)], key=str)
    table.set_rows(["a", "b"])
    return Stage(lambda: [table, prompt]), prompt, table


async def typed(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if character == " " else character for character in text))


async def test_it_asks_says_each_change_and_gives_the_focus_back() -> None:
    app, prompt, table = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        assert not prompt.display
        table.focus()
        await pilot.pause()
        prompt.ask("/", value="ca")
        await pilot.pause()
        assert prompt.entry.has_focus
        await typed(pilot, "che")
        await pilot.press("enter")
        await pilot.pause()
        assert [message.text for message in app.heard_of(Prompt.Changed)] == ["cac", "cach", "cache"]
        assert [(message.kind, message.text) for message in app.heard_of(Prompt.Submitted)] == [("/", "cache")]
        assert not prompt.display
        assert table.has_focus


async def test_escape_cancels() -> None:
    app, prompt, table = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        table.focus()
        prompt.ask(":")
        await pilot.pause()
        await typed(pilot, "x")
        await pilot.press("escape")
        await pilot.pause()
        assert [message.kind for message in app.heard_of(Prompt.Cancelled)] == [":"]
        assert not app.heard_of(Prompt.Submitted)
        assert table.has_focus


async def test_keys_typed_into_it_reach_nothing_else() -> None:
    app, prompt, table = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        table.focus()
        prompt.ask("/")
        await pilot.pause()
        await typed(pilot, "jjG x")
        assert prompt.value == "jjG x"
        assert table.cursor_key == "a"
        assert not table.marks


async def test_tab_completes_and_the_arrows_choose() -> None:
    app, prompt, _ = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        prompt.ask(":", complete=complete)
        await pilot.pause()
        await typed(pilot, "to")
        shown = "\n".join(screen_lines(app))
        assert "topology  about topology" in shown
        assert "tokens    about tokens" in shown
        assert "overview" not in shown
        await pilot.press("tab")
        assert prompt.value == "topology"
        await pilot.press("backspace", "backspace", "backspace", "backspace", "backspace", "backspace")
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert [message.text for message in app.heard_of(Prompt.Submitted)] == ["tokens"]


async def test_the_arrows_leave_the_suggestions_again() -> None:
    app, prompt, _ = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        prompt.ask(":", complete=complete)
        await pilot.pause()
        await typed(pilot, "to")
        await pilot.press("down", "up", "enter")
        await pilot.pause()
        assert [message.text for message in app.heard_of(Prompt.Submitted)] == ["to"]


async def test_history_by_kind() -> None:
    app, prompt, _ = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        for kind, text in ((":", "alerts"), (":", "cache"), ("/", "edge")):
            prompt.ask(kind)
            await pilot.pause()
            await typed(pilot, text)
            await pilot.press("enter")
        prompt.ask(":")
        await pilot.pause()
        await pilot.press("up")
        assert prompt.value == "cache"
        await pilot.press("up", "up")
        assert prompt.value == "alerts"
        await pilot.press("down", "down")
        assert prompt.value == ""
        await pilot.press("ctrl+p")
        assert prompt.value == "cache"
        await pilot.press("ctrl+n")
        assert prompt.value == ""


async def test_a_history_can_be_shared() -> None:
    shared = History()
    shared.add("from another screen")
    app, prompt, _ = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        prompt.ask(":", history=shared)
        await pilot.pause()
        await pilot.press("up")
        assert prompt.value == "from another screen"


async def test_it_complains_below_and_keeps_what_was_typed() -> None:
    app, prompt, _ = stage()
    async with app.run_test(size=(60, 12)) as pilot:
        prompt.ask("/")
        await pilot.pause()
        await typed(pilot, "a(")
        await pilot.press("enter")
        await pilot.pause()
        prompt.complain("not a regular expression: [missing] )")
        await pilot.pause()
        assert prompt.display
        assert prompt.value == "a("
        assert "▲ not a regular expression: [missing] )" in "\n".join(screen_lines(app))
        await typed(pilot, ")")
        assert "not a regular" not in "\n".join(screen_lines(app))


@given(texts=st.lists(st.text(max_size=5), max_size=30), limit=st.integers(1, 10))
def test_history_keeps_the_newest_without_repetitions(texts: list[str], limit: int) -> None:
    history = History(limit)
    for text in texts:
        history.add(text)
    kept: list[str] = []
    for text in texts:
        if text and kept[-1:] != [text]:
            kept.append(text)
    found = [history.step(-1, "typed") for _ in range(limit)]
    expected = kept[-limit:][::-1]
    assert found[: len(expected)] == expected
    back = [history.step(1, "ignored") for _ in expected]
    assert back[-1:] == (["typed"] if expected else [])
