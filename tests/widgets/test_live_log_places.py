"""Lines that come in at the end: followed at the end, left alone elsewhere, and only what differs is painted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from rich.cells import cell_len
from textual.content import Content
from textual.events import MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tests.widgets.stage import SIZES, Stage, lines, segments
from widgets import ink
from widgets.live_log import LiveLog

HOSTILE = "[/x] \x1b[31mred\x1b]52;c;aGk=\x07 \u202egnp.exe [@click=app.quit]boo[/]"


def texts(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last)]


def on_stage(*shown: str | Content) -> tuple[Stage, LiveLog]:
    log = LiveLog()

    def widgets() -> Iterator[Widget]:
        yield log

    log.show(list(shown))
    return Stage(widgets), log


def wheel(log: LiveLog, *, up: bool) -> Message:
    kind = MouseScrollUp if up else MouseScrollDown
    return kind(log, 1, 1, 0, -1 if up else 1, 0, False, False, False, 1, 1)


def follows(log: LiveLog) -> bool:
    return log.following


def painted(log: LiveLog) -> list[str]:
    return [line.rstrip(" ▁▂▃▄▅▆▇█").rstrip() for line in lines(log)]


async def show(pilot: Pilot[None], log: LiveLog, given: Sequence[str | Content], dropped: int = 0) -> None:
    log.show(given, dropped)
    await pilot.pause()


@pytest.mark.parametrize("size", [*SIZES, (40, 10), (3, 2), (1, 1)], ids=str)
async def test_it_begins_at_its_end_whatever_the_size(size: tuple[int, int]) -> None:
    app, log = on_stage(*texts(0, 500))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert log.scroll_y == log.max_scroll_y > 0
        if size[0] > 20:
            assert painted(log) == texts(500 - size[1], 500)
        for key in ("g", "l", "h", "G", "pageup", "j", "k", "space"):
            await pilot.press(key)
        await pilot.resize_terminal(50, 5)
        await pilot.pause()
        assert len(lines(log)) == 5


async def test_few_lines_stand_at_the_top() -> None:
    app, log = on_stage("one", "two")
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        assert painted(log) == ["one", "two", "", "", ""]
        await show(pilot, log, [])
        assert painted(log) == [""] * 5


async def test_at_its_end_it_stays_at_its_end() -> None:
    app, log = on_stage(*texts(0, 30))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await show(pilot, log, texts(0, 33))
        assert painted(log) == texts(23, 33)
        assert follows(log)
        await pilot.resize_terminal(40, 6)
        await pilot.pause()
        assert painted(log) == texts(27, 33), "a smaller terminal shows the end, too"


@pytest.mark.parametrize("key", ["k", "up", "pageup", "g", "home"])
async def test_who_goes_back_is_left_there_until_the_end_is_asked_for(key: str) -> None:
    app, log = on_stage(*texts(0, 50))
    async with app.run_test(size=(40, 10)) as pilot:
        log.focus()
        await pilot.press(key)
        before = painted(log)
        assert not follows(log)
        await show(pilot, log, texts(0, 70))
        assert painted(log) == before
        await pilot.press("G")
        assert follows(log)
        assert painted(log) == texts(60, 70)
        await show(pilot, log, texts(0, 71))
        assert painted(log)[-1] == "line 70"


async def test_going_down_to_the_end_follows_it_again() -> None:
    app, log = on_stage(*texts(0, 30))
    async with app.run_test(size=(40, 10)) as pilot:
        log.focus()
        await pilot.press("k", "k", "j")
        assert not follows(log)
        await pilot.press("j")
        assert follows(log)


async def test_the_wheel_leaves_the_end_and_comes_back_to_it() -> None:
    app, log = on_stage(*texts(0, 100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        log.post_message(wheel(log, up=True))
        await pilot.pause()
        await pilot.pause(0.4)
        assert not follows(log)
        top = painted(log)[0]
        await show(pilot, log, texts(0, 120))
        assert painted(log)[0] == top
        for _ in range(20):
            log.post_message(wheel(log, up=False))
            await pilot.pause()
        await pilot.pause(0.4)
        assert follows(log)


async def test_when_old_lines_are_dropped_who_reads_keeps_the_place() -> None:
    app, log = on_stage(*texts(0, 100))
    async with app.run_test(size=(40, 10)) as pilot:
        log.focus()
        await pilot.press("pageup", "pageup", "pageup")
        before = painted(log)
        await show(pilot, log, texts(20, 120), 20)
        assert painted(log) == before
        await show(pilot, log, texts(25, 125), 25)
        assert painted(log) == before
        await show(pilot, log, texts(100, 200), 100)
        assert painted(log) == texts(100, 110), "what is gone is gone: then the oldest that there is"


async def test_when_old_lines_are_dropped_who_follows_sees_the_end() -> None:
    app, log = on_stage(*texts(0, 100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await show(pilot, log, texts(50, 150), 50)
        assert painted(log) == texts(140, 150)


async def test_another_story_begins_anew() -> None:
    app, log = on_stage(*texts(0, 100))
    async with app.run_test(size=(40, 10)) as pilot:
        await show(pilot, log, ["short"])
        assert painted(log)[0] == "short"


async def test_long_lines_are_read_by_going_right() -> None:
    app, log = on_stage("漢字" * 40 + "END", "x" * 10)
    async with app.run_test(size=(40, 5)) as pilot:
        log.focus()
        await pilot.pause()
        assert {cell_len(line) for line in (strip.text for strip in map(log.render_line, range(4)))} == {40}
        for _ in range(12):
            await pilot.press("l")
        await pilot.pause()
        assert painted(log)[0].endswith("END")
        for _ in range(12):
            await pilot.press("h")
        await pilot.pause()
        assert painted(log)[0].startswith("漢字")


async def test_what_is_printed_is_neither_markup_nor_control() -> None:
    app, log = on_stage(HOSTILE, Content(HOSTILE), Content.styled(HOSTILE, ink.WARNING))
    async with app.run_test(size=(120, 5)) as pilot:
        await pilot.pause()
        painted_text = painted(log)
        assert all("[/x]" in line and "[@click=app.quit]boo[/]" in line for line in painted_text[:3])
        assert not {"\x1b", "\x07", "\u202e"} & set("".join(painted_text))
        assert all("@click" not in (segment.style.meta if segment.style else {}) for segment in segments(log))


async def test_only_lines_that_differ_are_painted_again() -> None:
    app, log = on_stage(*texts(0, 5))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert log.repaint() == 0
        log._lines = [*texts(0, 3), "other", "line 4"]
        assert log.repaint() == 1


async def test_a_hundred_thousand_lines_cost_what_is_in_sight() -> None:
    app, log = on_stage(*texts(0, 100_000))
    drawn: list[int] = []
    draw = log.draw_line

    def counted(y: int, width: int):  # type: ignore[no-untyped-def]
        drawn.append(y)
        return draw(y, width)

    log.draw_line = counted  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        drawn.clear()
        await show(pilot, log, texts(0, 100_001))
        assert len(drawn) <= 4 * 24
        assert painted(log)[-1] == "line 100000"
