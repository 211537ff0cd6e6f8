"""The tour on a pty, and its terminal compared with what Textual rendered in that process."""

from __future__ import annotations

from pathlib import Path

from tests.terminal.emulator import Cell, difference
from tests.terminal.probe import load_cells
from tests.terminal.pty_harness import PtySession

TOUR = ["-m", "tests.terminal.tour_app", "--report"]
FLOOD = ["-m", "tests.terminal.tour_app", "--flood", "--report"]


def rendered(session: PtySession, report: Path, key: str) -> list[list[Cell]]:
    """What Textual has rendered by now, written by the app into `report` at this key."""
    path = report / f"cells-{len(list(report.glob('cells-*.json')))}.json"
    session.send(key)
    session.wait_for(path.exists)
    return load_cells(path)


def agree(session: PtySession, report: Path, attempts: int = 8, *, key: str = "w") -> None:
    """Wait until the terminal shows what Textual rendered.

    A rendering that was taken in the middle of a change is taken again. Raises AssertionError with the cells that
    differ to the end.
    """
    found = ""
    for _ in range(attempts):
        expected = rendered(session, report, key)
        session.wait_for(lambda: session.pump(0.2) == 0)
        found = difference(session.cells, expected)
        if not found:
            return
    raise AssertionError(f"the terminal does not show what was rendered:\n{found}")
