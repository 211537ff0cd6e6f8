"""The served page in a headless Chromium: click, type, resize, and what it says when it shows nothing of now."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.chromium import PROGRAM, Chromium
from tests.web.serving import TOKEN, serving

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="there is no chromium on this machine; on Debian: apt-get install chromium (make lab does)"
)


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Chromium]:
    """A browser with a page of 1280 by 720."""
    async with Chromium(tmp_path / "profile") as running:
        yield running


def place(browser: Chromium, text: str, width: int = 1280, height: int = 720) -> tuple[float, float]:
    """Where a text stands in the page, in pixels: the terminal fills it, but for a rest of a cell."""
    for y, line in enumerate(browser.text.splitlines()):
        x = line.find(text)
        if x >= 0:
            return (x + 1) * width / browser.screen.columns, (y + 0.5) * height / browser.screen.lines
    raise AssertionError(f"{text!r} is not in:\n{browser.text}")


async def test_a_console_is_clicked_typed_into_and_resized(browser: Chromium, tmp_path: Path) -> None:
    async with serving(tmp_path, "--token", "env:THE_TOKEN") as server:
        await browser.go(f"{server.address}/?token={TOKEN}")
        await browser.state("live")
        await browser.shows("1 overv")
        assert await browser.value("location.href") == f"{server.address}/", "the token does not stay in the address"
        await browser.shows("READ-ONLY")
        await browser.click(*place(browser, "8 datab"))
        await browser.until(lambda: "databases" in browser.text)
        await browser.type(":sources\r")
        await browser.shows("127.0.0.1:1")
        before = browser.screen.columns
        await browser.size(800, 500)
        await browser.until(lambda: browser.screen.columns < before)
        await browser.until(lambda: max(len(line) for line in browser.text.splitlines()) <= browser.screen.columns)
        await browser.shows("1 ov")  # of ten tabs no more is left at 88 columns
        # All of it is from this server: a farm's network may know no other.
        assert {re.sub(r"^(?:http|ws)://([^/]*)/.*", r"\1", one) for one in browser.asked if "://" in one} == {
            f"127.0.0.1:{server.port}"
        }
        assert browser.said == []


async def test_a_console_that_is_left_is_ended_and_another_is_begun_by_hand(browser: Chromium, tmp_path: Path) -> None:
    async with serving(tmp_path, "--token", "env:THE_TOKEN") as server:
        await browser.go(f"{server.address}/?token={TOKEN}")
        await browser.state("live")
        await browser.shows("1 overv")
        await browser.type(":quit\r")
        await browser.state("ended")
        assert "ended" in await browser.value("document.getElementById('band').innerText")
        where = json.loads(
            await browser.value("JSON.stringify(document.getElementById('again').getBoundingClientRect())")
        )
        await browser.click(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
        await browser.state("live")
        await browser.shows("1 overv")


async def test_a_wall_survives_a_restart_of_its_server_and_says_so_meanwhile(browser: Chromium, tmp_path: Path) -> None:
    async with serving(tmp_path, "--wall", "--token", "env:THE_TOKEN") as server:
        await browser.go(f"{server.address}/?token={TOKEN}")
        await browser.state("live")
        await browser.shows("██████")
        port = server.port
        await server.end()
        await browser.state("lost")
        said = await browser.value("document.getElementById('band').innerText")
        assert "DISCONNECTED" in said
        assert re.search(r"since \d\d:\d\d:\d\d", said)
        # It counts: a page that has died itself would not.
        why = "document.getElementById('why').textContent"
        first = await browser.value(why)

        async def counted() -> bool:
            return bool(await browser.value(why) != first)

        await browser.until(counted)
    async with serving(tmp_path, "--wall", "--token", "env:THE_TOKEN", port=port):
        await browser.state("live")
        await browser.shows("██████")
        assert browser.said == []


async def test_a_wall_that_stands_still_is_called_frozen_and_taken_again_when_it_goes_on(
    browser: Chromium, tmp_path: Path
) -> None:
    async with serving(tmp_path, "--wall", "--token", "env:THE_TOKEN") as server:
        await browser.go(f"{server.address}/?token={TOKEN}")
        await browser.state("live")
        await browser.shows("██████")
        [session] = server.sessions()
        os.kill(session, signal.SIGSTOP)
        await browser.state("still")
        assert "FROZEN" in await browser.value("document.getElementById('band').innerText")
        os.kill(session, signal.SIGCONT)
        await browser.state("live")
        os.kill(session, signal.SIGKILL)
        await browser.until(lambda: bool(server.sessions()) and server.sessions() != [session])
        await browser.state("live")
        await browser.shows("██████")


async def test_another_token_is_said_to_be_wanted(browser: Chromium, tmp_path: Path) -> None:
    async with serving(tmp_path, "--wall", "--token", "env:THE_TOKEN") as server:
        await browser.go(f"{server.address}/?token={TOKEN}")
        await browser.state("live")
        port = server.port
    async with serving(
        tmp_path, "--wall", "--token", "env:OTHER", port=port, environ={"OTHER": "another-token-0123456789"}
    ):
        await browser.state("lost")

        async def told() -> bool:
            return "wants its token" in str(await browser.value("document.getElementById('why').textContent"))

        await browser.until(told)
