"""Marks on a real terminal: kept, listed, forgotten in the list, brought back and gone to."""

from __future__ import annotations

from pathlib import Path

from tests.terminal.pty_harness import PtySession


def test_marks_are_forgotten_and_brought_back_in_their_list(tmp_path: Path) -> None:
    config = tmp_path / "farmtui.yaml"
    config.write_text("farm: {name: early}\nprometheus: {url: 'http://127.0.0.1:9'}\n", encoding="utf-8")
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path)}
    with PtySession(["-m", "farmtui", "--config", str(config)], environment=home) as session:
        session.wait_for("1 over")
        session.send(":storage\r")
        session.wait_for("raw capacity")
        for name in ("disks", "other"):
            session.send(f":mark {name}\r")
            session.wait_for(f"{name} is kept")
        session.send("1:marks\r")
        session.wait_for("d forget")
        heading = next(row for row in session.text.splitlines() if "MARK " in row)
        assert "ACTION" not in heading
        session.send("d")
        session.wait_for("undo disks")
        session.send("\x1b[3~")
        session.wait_for("no marks")
        session.wait_for("undo other")
        session.send("uu")
        session.wait_for(lambda: "undo" not in session.text and "Enter go" in session.text)
        session.send("\r")
        session.wait_for("raw capacity")
        session.send(":quit\r")
        assert session.finish() == 0
