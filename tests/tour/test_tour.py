"""The scripted tour: every screen, dialog and theme, resizes and new pictures, through both writers and on a pty."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from textual.pilot import Pilot

from farmtui.app import FarmApp
from farmtui.config import Config
from screens.console import SCREENS
from screens.places import Place, Subject
from tests.screens.whole import whole_farm
from tests.terminal.probe import WriterProbe
from tests.terminal.pty_harness import PtySession
from tests.terminal.tour_session import agree
from tests.tour.console_app import later

REPORT = "\x1b[24~"
"""F12."""
THEMES = ("farm-dark", "farm-light", "farm-safe", "farm-16", "farm-wall")


async def never() -> Config:
    """A start that never ends."""
    await asyncio.sleep(3600)
    raise AssertionError("the test has ended long ago")


async def agreed(pilot: Pilot[int], probe: WriterProbe) -> None:
    """Wait until the app has come to rest, and hold every cell against Textual's rendering.

    A screen that was chosen just now is painted some messages later: until then the terminal shows the one before.
    """
    for _ in range(1_000):
        await pilot.pause()
        with contextlib.suppress(AssertionError):
            probe.check()
            return
        await asyncio.sleep(0.02)
    probe.check()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
async def test_both_writers_show_what_was_rendered(theme: str, size: tuple[int, int]) -> None:
    app = FarmApp(never, read_only="a test")
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        app.publish(whole_farm())
        await pilot.pause()
        probe = WriterProbe(app)
        for entry in SCREENS:
            app.go(Place(entry.name))
            await agreed(pilot, probe)
            app.publish(later(whole_farm(), 7))
            await agreed(pilot, probe)
            await pilot.press("j", "slash", *"o", "escape")
            await agreed(pilot, probe)
        for keys in (
            ["colon", *"the"],
            ["escape"],
            ["question_mark"],
            ["escape"],
            ["2", "y"],
            ["escape"],
            ["x"],
            ["escape"],
        ):
            await pilot.press(*keys)
            await agreed(pilot, probe)
        app.open(Subject("node", "cache-2", "cache-2"))
        await agreed(pilot, probe)
        for columns, lines in [(60, 20), (size[0] + 7, size[1] + 3), size]:
            await pilot.resize_terminal(columns, lines)
            await agreed(pilot, probe)
        assert probe.ours < probe.stock


@pytest.mark.parametrize(
    ("term", "environment"),
    [
        pytest.param("xterm-256color", {"COLORTERM": "truecolor"}, id="truecolor"),
        pytest.param("tmux-256color", {"TMUX": "/tmp/tmux-0/default,1,0"}, id="tmux-256"),
        pytest.param("linux", {}, id="linux-16-ascii"),
        pytest.param("xterm-256color", {"NO_COLOR": "1"}, id="no-color"),
    ],
)
def test_on_a_pty(term: str, environment: dict[str, str], tmp_path: Path) -> None:
    arguments = ["-m", "tests.tour.console_app", "--report", str(tmp_path)]
    with PtySession(arguments, columns=100, lines=30, term=term, environment=environment) as session:
        session.wait_for("cache-2")
        for keys, shown in STEPS:
            session.send(keys)
            session.wait_for(shown)
            agree(session, tmp_path, key=REPORT)
            if "NO_COLOR" in environment:
                # What Textual rendered may itself be black on black: here every cell has the terminal's own two.
                seen = {(cell.foreground, cell.background) for row in session.cells for cell in row}
                assert seen == {("default", "default")}
        for columns, lines in [(80, 24), (130, 45), (100, 30)]:
            session.resize(columns, lines)
            session.wait_for(lambda: session.pump(0.2) == 0)
            agree(session, tmp_path, key=REPORT)
        for _ in range(5):
            session.send("\x1b[23~")
        agree(session, tmp_path, key=REPORT)
        assert session.finish("\x03") == 0


STEPS: tuple[tuple[str, str], ...] = (
    ("2", "WordPress"),
    ("3", "varnish"),
    ("4", "OSD_DOWN"),
    ("5", "NodeDown"),
    (":sources\r", "digitalocean"),
    ("1", "why"),
    ("?", "what it does"),
    ("\x1b", "why"),
    ("2/cache\r", "/cache"),
)
