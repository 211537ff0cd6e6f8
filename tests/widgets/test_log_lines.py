"""A log's lines: the cursor leaves the end and comes back to it, what comes leaves a reader alone, long lines wrap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.content import Content
from textual.widget import Widget

from tests.widgets.stage import SIZES, Stage, lines
from widgets.log_lines import LogLines, wrapped


def texts(first: int, last: int, long: str = "") -> list[Content]:
    return [Content(f"line {number} {long}".rstrip()) for number in range(first, last)]


def on_stage(shown: list[Content]) -> tuple[Stage, LogLines]:
    log = LogLines()

    def widgets() -> Iterator[Widget]:
        yield log

    log.show_lines(shown, 0)
    return Stage(widgets), log


def painted(log: LogLines) -> list[str]:
    return [line.rstrip(" ▁▂▃▄▅▆▇█▐").rstrip() for line in lines(log)]


def follows(log: LogLines) -> bool:
    return log.following


@pytest.mark.parametrize("size", [*SIZES, (30, 8)], ids=str)
async def test_up_leaves_the_end_and_down_comes_back_to_it(size: tuple[int, int]) -> None:
    app, log = on_stage(texts(0, 300))
    async with app.run_test(size=size) as pilot:
        log.focus()
        await pilot.pause()
        assert (log.cursor, follows(log)) == (299, True)
        await pilot.press("up", "k")
        assert (log.cursor, follows(log)) == (297, False)
        await pilot.press("down", "j")
        assert follows(log)
        await pilot.press("home")
        assert (log.cursor, follows(log)) == (0, False)
        assert painted(log)[0] == "line 0"
        await pilot.press("pagedown")
        assert 0 < log.cursor < size[1]
        await pilot.press("end")
        await pilot.pause()
        assert follows(log)
        assert painted(log)[-1] == "line 299"


@pytest.mark.parametrize("wraps", [False, True])
async def test_who_reads_back_stays_at_their_line_while_others_come_and_go(wraps: bool) -> None:
    long = "word " * 30
    app, log = on_stage(texts(0, 300, long))
    async with app.run_test(size=(80, 24)) as pilot:
        log.focus()
        await pilot.pause()
        if wraps:
            log.toggle_wrap()
        await pilot.press("pageup", "pageup")
        await pilot.pause()
        here, place = painted(log), log.cursor
        log.show_lines(texts(0, 400, long), 0)
        await pilot.pause()
        assert (painted(log), log.cursor) == (here, place)
        log.show_lines(texts(100, 450, long), 100)
        await pilot.pause()
        assert painted(log) == here
        assert log.cursor == place - 100, "it is the same line, of which fewer stand before"
        log.follow()
        await pilot.pause()
        assert log.cursor == 349


async def test_a_line_goes_on_in_the_next_row_and_is_one_to_the_cursor() -> None:
    app, log = on_stage([Content("x" * 200), Content("short"), Content("y" * 200)])
    async with app.run_test(size=(60, 20)) as pilot:
        log.focus()
        log.toggle_wrap()
        await pilot.pause()
        shown = [line for line in painted(log) if line]
        assert "".join(shown) == "x" * 200 + "short" + "y" * 200
        await pilot.press("up")
        assert log.cursor == 1
        await pilot.press("up")
        assert log.cursor == 0
        log.toggle_wrap()
        await pilot.pause()
        assert log.cursor == 0
        assert painted(log)[1] == "short"


async def test_another_width_wraps_otherwise() -> None:
    app, log = on_stage(texts(0, 3, "z" * 150))
    async with app.run_test(size=(60, 20)) as pilot:
        log.toggle_wrap()
        await pilot.pause()
        narrow = len([line for line in painted(log) if line])
        await pilot.resize_terminal(120, 20)
        await pilot.pause()
        assert len([line for line in painted(log) if line]) < narrow


async def test_nothing_and_fewer_lines_are_shown_too() -> None:
    app, log = on_stage(texts(0, 50))
    async with app.run_test(size=(40, 10)) as pilot:
        log.focus()
        log.toggle_wrap()
        log.show_lines([], 0)
        await pilot.press("up", "down", "home", "end", "pageup")
        assert log.cursor == 0
        assert not any(painted(log))
        log.show_lines(texts(0, 2), 0)
        await pilot.pause()
        assert painted(log)[:2] == ["line 0", "line 1"]


async def test_a_click_puts_the_cursor_there() -> None:
    app, log = on_stage(texts(0, 5))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.click(LogLines, offset=(3, 2))
        assert (log.cursor, follows(log)) == (2, False)


@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_pieces_are_the_whole_and_none_is_wider(width: int) -> None:
    for plain in ("", "abc" * 30, "日本語のログ" * 9, "a日b" * 20, "e\u0301" * 50):
        parts = wrapped(Content(plain), max(width, 2))
        assert "".join(part.plain for part in parts) == plain
        assert all(part.cell_length <= max(width, 2) for part in parts)
