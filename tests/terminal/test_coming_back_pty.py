"""The whole console on a terminal: a wrong config starts, and a connection that drops costs no place."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.terminal.pty_harness import PtySession

QUIET = "farm: {name: lab}\nalertmanager: {urls: ['http://127.0.0.1:1']}\n"


def console(folder: Path, *options: str) -> PtySession:
    environment = {"HOME": str(folder), "COLORTERM": "truecolor", "TZ": "UTC"}
    words = ["-m", "farmtui", "--config", str(folder / "farmtui.yaml"), *options]
    return PtySession(words, environment=environment, columns=100, lines=30)


def test_who_comes_back_after_the_connection_was_lost_is_where_they_were(tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text(QUIET)
    with console(tmp_path) as session:
        session.wait_for("alertmanager never")
        session.send(":sources\r")
        session.wait_for("requests a cycle")
        session.send("/alert\r")
        session.wait_for("/alert")
        session.pump(2.5)  # it is written down every two seconds, and at the end
        session.hang_up()
        assert session.finish() == 128 + signal.SIGHUP
    [kept] = (tmp_path / ".local" / "state" / "farmtui" / "sessions").iterdir()
    assert "sources" in kept.read_text()
    with console(tmp_path) as session:
        session.wait_for("back at sources")
        session.wait_for("requests a cycle")
        session.wait_for("/alert")
        session.send("\x03")
        assert session.finish() == 0
    with console(tmp_path, "--fresh") as session:
        session.wait_for("alertmanager never")
        session.pump(0.5)
        assert "requests a cycle" not in session.text
        session.send("\x03")
        assert session.finish() == 0


def test_a_wrong_config_starts_and_is_mended_under_the_console(tmp_path: Path) -> None:
    path = tmp_path / "farmtui.yaml"
    path.write_text(f"{QUIET}ui: {{mouze: true, screen: nowhere}}\n")
    with console(tmp_path) as session:
        session.wait_for("config ✖ 2")
        session.send(":config\r")
        session.wait_for("did you mean mouse?")
        new = tmp_path / "new"
        new.write_text(QUIET)
        new.rename(path)
        session.wait_for("nothing is wrong in")
        assert "config ✖" not in session.text
        session.send("\x03")
        assert session.finish() == 0
