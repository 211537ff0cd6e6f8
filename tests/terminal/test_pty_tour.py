"""The same tour on a real pty through Textual's driver and through ours, compared with what Textual rendered."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.terminal.emulator import difference
from tests.terminal.pty_harness import PtySession
from tests.terminal.tour_session import TOUR, agree

TERMINALS = [
    pytest.param("xterm-256color", {"COLORTERM": "truecolor"}, id="truecolor"),
    pytest.param("xterm-256color", {}, id="256"),
    pytest.param("tmux-256color", {"TMUX": "/tmp/tmux-0/default,1,0"}, id="tmux"),
    pytest.param("screen", {"STY": "1.pts-0.host"}, id="screen"),
    pytest.param("linux", {}, id="linux"),
    pytest.param("xterm-256color", {"NO_COLOR": "1"}, id="no-color"),
]


@pytest.mark.parametrize(("term", "environment"), TERMINALS)
def test_every_cell_is_what_the_stock_writer_shows(term: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stock").mkdir()
    (tmp_path / "ours").mkdir()
    with (
        PtySession([*TOUR, str(tmp_path / "stock"), "--stock"], term=term, environment=environment) as stock,
        PtySession([*TOUR, str(tmp_path / "ours")], term=term, environment=environment, sync=True) as ours,
    ):
        sessions = (stock, ours)
        for session in sessions:
            session.wait_for("step 0.")
        for step, keys in enumerate(["s", "n", "t", "d", "\x1b", "t", "s", "t"], 1):
            for session in sessions:
                if keys == "\x1b":
                    session.wait_for("Drain")
                session.send(keys)
                session.wait_for(lambda: "Drain" not in session.text if keys == "\x1b" else True)  # noqa: B023
                session.wait_for(f"step {step - (step > 4)}.")
            agree(ours, tmp_path / "ours")
            ours.wait_for(lambda: stock.pump(0.02) >= 0 and not difference(ours.cells, stock.cells))
        for columns, lines in [(60, 20), (110, 33), (80, 24)]:
            for session in sessions:
                session.resize(columns, lines)
                session.wait_for(lambda: session.pump(0.1) == 0)  # noqa: B023
            agree(ours, tmp_path / "ours")
            ours.wait_for(lambda: stock.pump(0.02) >= 0 and not difference(ours.cells, stock.cells))
        assert len(ours.raw) < len(stock.raw)
        assert [session.finish("q") for session in sessions] == [0, 0]


def test_emoji_resizes_and_garbage(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path), "--hostile"], columns=100, lines=30, sync=True) as session:
        session.wait_for("step 0.")
        for key in "enesd":
            session.send(key)
            if key == "d":
                session.wait_for("Drain")
                session.send("\x1b")
                session.wait_for(lambda: "Drain" not in session.text)
        for columns, lines in [(70, 22), (71, 22), (130, 40), (40, 10), (100, 30), (99, 29)]:
            session.resize(columns, lines)
        session.wait_for(lambda: session.pump(0.3) == 0)
        assert "\x1b]52;c;cm0=" not in session.raw.decode()
        session.send("e")
        session.wait_for(lambda: session.pump(0.3) == 0)
        # What another program writes over the screen stays until it is asked to go.
        session._feed("\x1b[H\x1b[41mBroadcast message from root@bastion\r\n\x1b[5;9Hrubbish")
        session.send("l")
        session.wait_for(lambda: "Broadcast" not in session.text and "rubbish" not in session.text)
        assert session.finish("q") == 0


def test_the_tour_looks_right_after_the_terminal_was_lent(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)], columns=100, lines=30) as session:
        session.wait_for("step 0.")
        session.send("u")
        session.wait_for("lent")
        session.wait_for(lambda: session.pump(0.2) == 0)
        lent = bytes(session.raw)
        assert lent.rindex(b"\x1b[?1049l") < lent.rindex(b"lent")
        assert lent.endswith(b"lent\r\n"), "something was painted over the other program"
        session.send("word\n")
        session.wait_for("step 1.")
        assert b"got word" in session.raw
        agree(session, tmp_path)
        assert session.finish("q") == 0


def test_the_tour_looks_right_after_the_process_was_stopped(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)], columns=100, lines=30) as session:
        session.wait_for("step 0.")
        session.send("z")
        session.wait_for(lambda: session.stopped)
        session.wait_for(lambda: session.pump(0.1) == 0)
        assert session.raw.endswith(b"\x1b[?7h\x1b[?25h"), "the shell would have had our modes"
        session._feed("\x1b[2J\x1b[Hshell$ fg")
        session.kill(signal.SIGCONT)
        session.wait_for("step 0.")
        agree(session, tmp_path)
        session.send("n")
        session.wait_for("step 1.")
        assert session.finish("q") == 0


def test_the_tour_looks_right_after_it_was_stopped_without_warning(tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)], columns=100, lines=30) as session:
        session.wait_for("step 0.")
        session.kill(signal.SIGSTOP)
        session.wait_for(lambda: session.stopped)
        session._feed("\x1b[m\x1b[2J\x1b[Hshell$ fg")
        session.kill(signal.SIGCONT)
        session.wait_for("step 0.")
        session.send("n")
        session.wait_for("step 1.")
        agree(session, tmp_path)
        assert session.finish("q") == 0


@pytest.mark.parametrize("term", ["linux", "vt220", "screen", "screen-256color"])
def test_no_sequence_goes_out_that_the_terminal_does_not_know(term: str, tmp_path: Path) -> None:
    with PtySession([*TOUR, str(tmp_path)], term=term) as session:
        session.wait_for("step 0.")
        session.send("\x1b[<35;10;10M")  # a mouse moves: Textual asks for another pointer
        for step, key in enumerate("nbc", 1):
            session.send(key)
            session.wait_for(f"step {step}.")
        assert session.finish("q") == 0
    raw = session.raw.decode()
    for refused in ("\x1b[>", "\x1b[<", "$p", "\x1b]22", *(["\x1b]", "\x1b[?1049"] if term[0] in "lv" else [])):
        assert refused not in raw, f"{refused!r} sent to {term}"
    assert "\x07" in raw
