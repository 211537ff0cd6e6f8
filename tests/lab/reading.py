"""What the console shows, read from its terminal: rows by their first cell, figures as the console writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.lab.daemons import wait_until
from tests.terminal.pty_harness import PtySession


def row(screen: PtySession, name: str, *, after: str = "") -> str:
    """The first line with a name as a word of its own (below a line that has `after`); empty where there is none."""
    lines = screen.text.splitlines()
    start = next((number for number, line in enumerate(lines) if after in line), len(lines)) if after else 0
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    return next((line for line in lines[start:] if word.search(line)), "")


def cells(line: str) -> list[str]:
    """A row's cells: what two or more blanks part."""
    return [cell for cell in re.split(r"\s{2,}", line.strip(" ▌●▲✖◆")) if cell]


def agrees(screen: PtySession, what: str, *wanted: tuple[Callable[[], str], Callable[[], str]]) -> None:
    """Wait until each pair of what the console shows and what the daemon's own tool says is the same at one moment.

    Both are read again each time: the console polls each second, and what is asked goes on.
    """
    last = ""

    def same() -> bool:
        nonlocal last
        screen.pump(0.2)
        pairs = [(shown(), told()) for shown, told in wanted]
        last = ", ".join(f"shown {shown!r}, told {told!r}" for shown, told in pairs if told not in shown)
        return not last

    try:
        wait_until(what, same, 40.0)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {last}\n{screen.text}") from None


def shows(screen: PtySession, *texts: str) -> None:
    """Wait until all of these are on the screen at once."""
    screen.wait_for(lambda: all(text in screen.text for text in texts))


def causes(screen: PtySession, back: str, *texts: str) -> None:
    """Wait until the overview tells these, then go back to a screen by its key.

    The list is filtered by the first text: other parts of the lab may be ill at the same time, and worse.
    """
    screen.send("1")
    screen.wait_for("what  ")
    words = re.sub(r"[^\w -]", ".", texts[0])
    screen.send(f"/{words}\r")
    shows(screen, *texts)
    # An Esc and a key behind it would be one key with Alt.
    screen.send("\x1b")
    screen.pump(0.5)
    screen.send(back)


@contextmanager
def undone(*undo: Callable[[], object]) -> Iterator[None]:
    """Undo a fault, in this order, whatever becomes of the test."""
    try:
        yield
    finally:
        for step in undo:
            step()
