"""A terminal that stops reading: the loop goes on, frames are dropped, and the newest is shown when it reads again."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

from tests.terminal.pty_harness import DEADLINE_S, PtySession
from tests.terminal.tour_session import FLOOD, agree


def wait_without_reading(path: Path) -> None:
    """Until the app has made a file, its terminal not read."""
    until = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} was not reached: the app waits for its terminal"
        time.sleep(0.02)


def test_the_loop_goes_on_and_the_terminal_catches_up_from_the_newest(tmp_path: Path) -> None:
    with PtySession([*FLOOD, str(tmp_path)], columns=100, lines=30, sync=True) as session:
        session.wait_for("moment")
        session.send("bb")
        stopped_at = time.monotonic()
        wait_without_reading(tmp_path / "moment-300")
        stopped_s = time.monotonic() - stopped_at
        # Keys work while nothing can be shown, and what is no frame waits its turn and is not lost.
        session.send("cb")
        (tmp_path / "stop").touch()
        session.send("w")
        wait_without_reading(tmp_path / "cells-0.json")
        before = len(session.raw)
        agree(session, tmp_path)
        late = len(session.raw) - before
        assert session.finish("q") == 0
    assert re.sub(rb"\x1b\][^\x07]*\x07", b"", session.raw).count(b"\x07") == 3
    assert session.raw.count(b"\x1b]52;c;") == 1
    end = json.loads((tmp_path / "end.json").read_text())
    assert end["dropped"] > 100
    assert end["stall_s"] < stopped_s / 4
    # A pty holds back 64 KiB at most; beyond that, a frame or two.
    assert late < 150_000


def test_an_app_whose_terminal_does_not_read_can_be_ended(tmp_path: Path) -> None:
    with PtySession([*FLOOD, str(tmp_path)], columns=100, lines=30) as session:
        session.wait_for("moment")
        wait_without_reading(tmp_path / "moment-200")
        session.kill(signal.SIGTERM)
        until = time.monotonic() + DEADLINE_S
        while session.process.poll() is None:
            assert time.monotonic() < until, "it waits for a terminal that does not read"
            time.sleep(0.02)
        assert session.process.returncode == 128 + signal.SIGTERM
        assert (tmp_path / "end.json").exists()
