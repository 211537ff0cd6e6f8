"""What the console shows, read from its terminal: rows by their first cell, figures as the console writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.lab.daemons import wait_until
from tests.terminal.pty_harness import DEADLINE_S, PtySession


def row(screen: PtySession, name: str, *, after: str = "", having: str = "") -> str:
    """The first line with a name as a word of its own (below a line that has `after`); empty where there is none.

    `having`: where several are called so (a task and those that it has replaced), the one that also has this.
    """
    lines = screen.text.splitlines()
    start = next((number for number, line in enumerate(lines) if after in line), len(lines)) if after else 0
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    return next((line for line in lines[start:] if word.search(line) and having in line), "")


def cells(line: str) -> list[str]:
    """A row's cells: what two or more blanks part."""
    return [cell for cell in re.split(r"\s{2,}", line.strip(" ▌●▲✖◆")) if cell]


def agrees(screen: PtySession, what: str, *wanted: tuple[Callable[[], str], Callable[[], str]]) -> None:
    """Wait until each pair of what the console shows and what the daemon's own tool says is the same at one moment.

    Both are read again each time: the console polls each second, and what is asked goes on.
    """
    until_agreed(
        screen,
        what,
        lambda: [
            f"shown {seen!r}, told {said!r}"
            for seen, said in ((shown(), told()) for shown, told in wanted)
            if said not in seen
        ],
    )


def until_agreed(screen: PtySession, what: str, wrong: Callable[[], Sequence[object]]) -> None:
    """Wait until nothing is wrong between the screen and what a daemon's own tool says; both go on changing."""
    last: Sequence[object] = ()

    def same() -> bool:
        nonlocal last
        screen.pump(0.2)
        last = wrong()
        return not last

    try:
        wait_until(what, same, DEADLINE_S)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {last}\n{screen.text}") from None


def shows(screen: PtySession, *texts: str | re.Pattern[str], deadline_s: float = DEADLINE_S) -> None:
    """Wait until all of these are on the screen at once."""

    def shown(text: str | re.Pattern[str]) -> bool:
        return text in screen.text if isinstance(text, str) else text.search(screen.text) is not None

    try:
        screen.wait_for(lambda: all(map(shown, texts)), deadline_s)
    except AssertionError as error:
        raise AssertionError(f"not shown: {[text for text in texts if not shown(text)]}\n{error}") from None


@contextmanager
def overview(screen: PtySession, back: str, about: str) -> Iterator[None]:
    """Be on the overview, its list filtered, then go back to a screen by its key.

    Other parts of the lab may be ill at the same time, and worse.
    """
    screen.send("1")
    screen.wait_for("what  ")
    words = re.sub(r"[^\w -]", ".", about)
    screen.send(f"/{words}\r")
    yield
    # An Esc and a key behind it would be one key with Alt.
    screen.send("\x1b")
    screen.pump(0.5)
    screen.send(back)


def causes(screen: PtySession, back: str, *texts: str | re.Pattern[str], deadline_s: float = DEADLINE_S) -> None:
    """Wait until the overview tells these of the fault whose title has the first text, then go back to a screen."""
    with overview(screen, back, str(texts[0])):
        shows(screen, *texts, deadline_s=deadline_s)


@contextmanager
def undone(*undo: Callable[[], object]) -> Iterator[None]:
    """Undo a fault, in this order, whatever becomes of the test or of a step before."""
    with ExitStack() as steps:
        for step in reversed(undo):
            steps.callback(step)
        yield
