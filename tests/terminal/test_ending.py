"""However the console is ended, it ends in good order: its shutdown runs, the terminal is given back, nothing spins."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.pty_harness import ROOT, PtySession
from tests.terminal.tour_session import FLOOD, TOUR


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_app_in_good_order(signum: signal.Signals, tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)]) as session:
        session.wait_for("step 0.")
        session.kill(signum)
        assert session.finish() == 128 + signum
        assert (tmp_path / "end.json").exists()
        raw = bytes(session.raw)
        for restored in (b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?1004l", b"\x1b[?25h", b"\x1b[?7h"):
            assert raw.count(restored) == 1
        assert b"Traceback" not in raw


def test_the_signals_of_a_lost_connection_come_in_a_bunch(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)]) as session:
        session.wait_for("step 0.")
        for signum in (signal.SIGHUP, signal.SIGCONT, signal.SIGTERM, signal.SIGHUP, signal.SIGTERM, signal.SIGCONT):
            session.kill(signum)
        # A signal that is pending is delivered by number, whatever was sent first.
        assert session.finish() in {128 + signal.SIGHUP, 128 + signal.SIGTERM}
        assert (tmp_path / "end.json").exists()
        assert session.raw.count(b"\x1b[?1049h") == session.raw.count(b"\x1b[?1049l") == 1


@pytest.mark.parametrize(
    "how", [{}, {"controlling": False}, {"deaf_to_hangup": True}], ids=["hang-up", "no-signal", "signal-ignored"]
)
def test_a_terminal_that_is_gone_ends_the_app(how: dict[str, bool], tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)], **how) as session:  # type: ignore[arg-type]
        session.wait_for("step 0.")
        session.hang_up()
        assert session.finish() == 128 + signal.SIGHUP
        assert (tmp_path / "end.json").exists()


def test_a_display_without_a_keyboard_stays_up_and_idle(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)], nobody_types=True) as session:
        session.wait_for("step 0.")
        before_s = session.cpu_s()
        session.pump(1.5)
        assert session.process.poll() is None
        assert session.cpu_s() - before_s < 0.5
        session.kill(signal.SIGTERM)
        assert session.finish() == 128 + signal.SIGTERM


def test_a_terminal_that_hangs_up_while_it_is_flooded(tmp_path: Path) -> None:
    with PtySession([*FLOOD, str(tmp_path)]) as session:
        session.wait_for("moment")
        session.hang_up()
        assert session.finish() == 128 + signal.SIGHUP
        assert (tmp_path / "end.json").exists()


def test_a_crash_gives_the_terminal_back_and_tells_no_values(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)]) as session:
        session.wait_for("step 0.")
        session.send("x")
        assert session.finish() == 1
        _, _, after = bytes(session.raw).partition(b"\x1b[?1049l")
        assert b"RuntimeError" in after
        assert b"boom" in after
        assert b"hun0ter2" not in session.raw
        assert b"\x1b]0;" not in session.raw


FAREWELL = """
import signal, time
from farmtui.term import signals
signals.LAST_RESORT_S, signals.IMPATIENCE_S = {last_resort_s}, 0.0
def say(*words):
    print(*words, flush=True)
farewell = signals.Farewell(lambda signum: say("told", int(signum)), lambda: say("given back"))
farewell.end(signal.SIGHUP)
farewell.end(signal.SIGHUP)
{then}
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("last_resort_s", "then", "status", "said"),
    [
        (0.1, "", 129, "told 1\n"),
        (60, "time.sleep(0.05); farewell.end(signal.SIGTERM)", 143, "told 1\ngiven back\n"),
        (0.1, "farewell.ended(); time.sleep(0.3); raise SystemExit(7)", 7, "told 1\n"),
    ],
    ids=["shutdown-hangs", "second-sigterm", "shutdown-works"],
)
def test_an_end_comes_once_and_does_come(last_resort_s: float, then: str, status: int, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FAREWELL.format(last_resort_s=last_resort_s, then=then)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (status, said), ended.stderr
