"""Lines that come in at the end: followed there, left alone elsewhere."""

from __future__ import annotations

from textual.content import Content

from tests.widgets.stage import Stage, lines
from widgets.live_log import LiveLog


def made(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last)]


def top(log: LiveLog) -> str:
    return lines(log)[0].rstrip()


async def test_the_end_is_followed_until_one_reads_back_and_again_from_the_end_on() -> None:
    log = LiveLog()
    async with Stage(lambda: [log]).run_test(size=(40, 10)) as pilot:
        log.show(made(0, 100))
        await pilot.pause()
        height = log.size.height
        assert top(log) == f"line {100 - height}"
        log.show(made(0, 101))
        await pilot.pause()
        assert top(log) == f"line {101 - height}"
        log.focus()
        await pilot.press("g")
        log.show(made(0, 150))
        await pilot.pause()
        assert (top(log), log.following) == ("line 0", False)
        await pilot.press("G")
        log.show(made(0, 160))
        await pilot.pause()
        assert (top(log), log.following) == (f"line {160 - height}", True)


async def test_who_reads_back_stays_at_their_line_when_old_ones_are_dropped() -> None:
    log = LiveLog()
    async with Stage(lambda: [log]).run_test(size=(40, 10)) as pilot:
        log.show(made(0, 100))
        log.focus()
        await pilot.press("g", *["down"] * 40)
        assert top(log) == "line 40"
        log.show(made(30, 130), dropped=30)
        await pilot.pause()
        assert top(log) == "line 40"
        log.show(made(60, 160), dropped=60)
        await pilot.pause()
        assert top(log) == "line 60", "what it was at is gone: the oldest that is left"


async def test_pages_and_long_lines() -> None:
    log = LiveLog()
    async with Stage(lambda: [log]).run_test(size=(20, 10)) as pilot:
        log.show([Content.styled("x" * 50 + "end", "bold"), *made(1, 60)])
        log.focus()
        await pilot.press("home")
        assert top(log).startswith("xxx")
        await pilot.press("l", "l", "l")
        await pilot.pause()
        assert "end" in top(log)
        await pilot.press("h", "h", "h", "pagedown")
        assert top(log) == f"line {log.size.height - 1}"
        await pilot.press("pageup")
        assert top(log).startswith("xxx")


async def test_what_is_shorter_than_the_widget_leaves_the_rest_blank() -> None:
    log = LiveLog()
    async with Stage(lambda: [log]).run_test(size=(20, 10)) as pilot:
        log.show(["only", "\x1b[31mred"])
        await pilot.pause()
        shown = lines(log)
        assert shown[0].rstrip() == "only"
        assert "\x1b" not in shown[1]
        assert {line.strip() for line in shown[2:]} == {""}
