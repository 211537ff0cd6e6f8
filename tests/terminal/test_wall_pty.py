"""The wall on a terminal: its heart, its death, and the band that is then written over the picture of before."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farmtui.term.deadman import LATE_S, Watch, band
from tests.terminal.emulator import Emulator, Feed, cells
from tests.terminal.pty_harness import PtySession
from widgets.big_text import big

SILENT = "farm: {name: lab}\nprometheus: {url: 'http://127.0.0.1:1'}\n"
HEART = "██████"
COUNTED_S = 4


def wall(folder: Path, **more: object) -> PtySession:
    """A wall over a farm that does not answer."""
    config = folder / "farmtui.yaml"
    config.write_text(SILENT)
    environment = {"HOME": str(folder), "COLORTERM": "truecolor", "TZ": "UTC"}
    return PtySession(["-m", "farmtui", "wall", "--config", str(config)], environment=environment, **more)  # type: ignore[arg-type]


def heart(session: PtySession) -> str:
    """The line of the heartbeat."""
    return session.text.splitlines()[-1] if HEART in session.text.splitlines()[-1] else session.text.splitlines()[-2]


def shows_time(session: PtySession, at: datetime) -> bool:
    """Whether the clock on the wall shows this second, whose digits are of blocks."""
    return all(line.plain.strip() in session.text for line in big(f"{at:%H:%M:%S}", 1))


def clock_is_right(session: PtySession) -> bool:
    """Whether it shows now, or what was now a moment ago."""
    now = time.time()
    return any(shows_time(session, datetime.fromtimestamp(now - back, UTC)) for back in (0, 1))


def differ(session: PtySession, what: Callable[[], str], times: int) -> None:
    """Wait until something has looked so many different ways."""
    seen: set[str] = set()

    def enough() -> bool:
        seen.add(what())
        return len(seen) >= times

    session.wait_for(enough)


@pytest.fixture(autouse=True)
def _same_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_its_heart_goes_and_stops_with_the_process_and_the_clock_is_wrong_then(tmp_path: Path) -> None:
    with wall(tmp_path) as session:
        session.wait_for(HEART)
        session.wait_for(lambda: clock_is_right(session))
        differ(session, lambda: heart(session), 3)
        session.kill(signal.SIGSTOP)
        session.wait_for(lambda: session.stopped)
        session.pump(0.5)
        still = heart(session)
        stood = time.time()
        # Before anybody says so: nothing moves, and the clock is wrong.
        session.wait_for(lambda: time.time() > stood + 2.2)
        assert heart(session) == still
        assert not clock_is_right(session)
        # Then somebody says so, with seconds that pass.
        session.wait_for("nothing here is of now")
        assert all(line.plain.strip() in session.text for line in big("FROZEN", 3))
        differ(session, lambda: str(re.findall(r", (\d+) s;", session.text)), 2)
        session.kill(signal.SIGCONT)
        session.wait_for(lambda: "nothing here is of now" not in session.text and clock_is_right(session))
        assert session.finish("\x03") == 0


def test_a_wall_that_is_killed_is_said_to_have_ended(tmp_path: Path) -> None:
    """It led its session: the hangup that comes of its death must not take its watcher along."""
    with wall(tmp_path) as session:
        session.wait_for(HEART)
        session.wait_for(lambda: clock_is_right(session))
        session.kill(signal.SIGKILL)
        session.wait_for("this wall ended at")


def test_a_wall_that_is_killed_under_a_shell_is_said_to_have_ended(tmp_path: Path) -> None:
    """The shell has the terminal back by then; what stands on it is the wall's last picture."""
    config = tmp_path / "farmtui.yaml"
    config.write_text(SILENT)
    environment = {"HOME": str(tmp_path), "COLORTERM": "truecolor", "TZ": "UTC"}
    line = f"set -m; '{sys.executable}' -m farmtui wall --config '{config}'; sleep 60"
    with PtySession(["-c", line], environment=environment, program="/bin/bash") as session:
        session.wait_for(HEART)
        session.wait_for(lambda: clock_is_right(session))
        [child] = Path(f"/proc/{session.process.pid}/task/{session.process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        session.wait_for("this wall ended at")


def test_a_heartbeat_costs_a_few_bytes(tmp_path: Path) -> None:
    with wall(tmp_path) as session:
        session.wait_for(HEART)
        session.wait_for(lambda: clock_is_right(session))
        session.pump(1.0)
        # A minute may begin, or the picture wander; most seconds cost two places of the heart and a digit or two.
        costs = sorted(session.pump(1.0) for _ in range(2 * COUNTED_S))
        assert costs[COUNTED_S] < 400
        assert session.finish("\x03") == 0


def test_keys_do_nothing_and_signals_end_it_in_good_order(tmp_path: Path) -> None:
    with wall(tmp_path) as session:
        session.wait_for(HEART)
        session.send("q:q\r\x1b1x?\x1a\x11")
        session.wait_for(lambda: clock_is_right(session))
        session.pump(1.5)
        assert session.process.poll() is None
        assert "UNKNOWN" not in session.text  # large, and nothing else has come
        session.kill(signal.SIGTERM)
        assert session.finish() == 128 + signal.SIGTERM
        assert "nothing here is of now" not in session.text


def test_a_watch_is_late_only_after_a_first_beat_and_ends_with_the_farewell() -> None:
    watch = Watch(0.0)
    assert watch.silent_s(1000.0) == 0.0  # it has not begun: imports take their time
    watch.heard(b".", 1000.0)
    assert watch.silent_s(1000.0 + LATE_S) == 0.0
    assert watch.silent_s(1000.1 + LATE_S) > LATE_S
    watch.heard(b"..", 1010.0)
    assert watch.silent_s(1011.0) == 0.0
    watch.heard(b".q", 1012.0)
    assert watch.ended


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (400, 100), (20, 5), (6, 2)], ids=str)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_band_fits_whatever_the_program_was_stopped_in(size: tuple[int, int], ascii_only: bool) -> None:
    columns, lines = size
    screen = Emulator(columns, lines)
    feed = Feed(screen)
    feed(b"\x1b[3;1Hok\x1b[38;2;10")  # half of a colour
    written = band("FROZEN", "since 10:00", columns, lines, ascii_only=ascii_only)
    feed(written.encode())
    shown = "\n".join("".join(cell.text for cell in row) for row in cells(screen))
    assert ascii_only is False or written.replace("\x1b", "").replace("\x18", "").isascii()
    if size[0] >= 20:
        assert "since 10:00" in shown
    if ascii_only is False and columns >= 80:
        assert "█" in shown
