"""What is allowed in a book and yet unwise: steps whose outcome nobody could tell, inputs that nobody uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from farmtui.runbooks.book import Book, Step
from farmtui.runbooks.inputs import THINGS
from farmtui.runbooks.recorded import Recorded
from farmtui.runbooks.template import Context, names_in
from farmtui.runbooks.written import Where

_EFFECTS: Final = ("ssh", "local", "pve", "do", "http")
_NEEDS_SHELL: Final = re.compile(r"[|&;<>()$`*?\[\]\n]")
"""What only a shell understands: pipes, redirections, substitutions, loops."""
_LOSES: Final = ("rebuild", "restore")
"""Actions on a droplet after which its disk is another one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unwise, where it is, and what would be better."""

    where: Where
    words: str


def findings(book: Book, recorded: Recorded | None = None) -> Iterator[Finding]:
    """All that is unwise in a book; with recorded data, what of it the farm does not know, too."""
    for number, step in enumerate(book.steps):
        yield from _in_step(book, step, ("steps", number))
    if book.risk == 3 and not book.require and all(step.undo is None for step in book.steps):
        words = "may lose data, requires nothing and takes nothing back: give `require`, or an `undo` to a step"
        yield Finding(("risk",), words)
    yield from _unused(book)
    if recorded is not None:
        yield from _unknown(book, recorded)


def _in_step(book: Book, step: Step, at: Where) -> Iterator[Finding]:
    if step.ssh is not None and step.ssh.shell is not None and not _NEEDS_SHELL.search(step.ssh.shell):
        yield Finding((*at, "ssh", "shell"), "a shell reads it: `argv` needs no quoting and says plainly what runs")
    if step.ssh is not None and step.ssh.long and "timeout" not in step.model_fields_set:
        words = f"is stopped after {step.timeout:g} s, the timeout where none is given: give its own `timeout`"
        yield Finding((*at, "ssh", "long"), words)
    judged = bool(step.expect or step.verify or book.verify or step.idempotent)
    if step.kind in _EFFECTS and book.risk >= 2 and not judged:
        words = (
            "nothing says whether it has had its effect, and a person is asked when that is not known: give `expect`,"
            " `verify` or `idempotent: true`"
        )
        yield Finding(at, words)
    if step.do is not None and step.do.action in _LOSES and book.risk < 3:
        yield Finding((*at, "do", "action"), f"{step.do.action} loses what is on the disk: that is risk 3")


def _unused(book: Book) -> Iterator[Finding]:
    used = {name for _, text, _ in book.texts() for name, *_ in names_in(text)}
    used |= {step.ssh.hosts for step in book.steps if step.ssh is not None and step.ssh.hosts is not None}
    counted = any(condition.quorum is not None for condition in (*book.require, *book.verify))
    for name, given in book.inputs.items():
        is_target = given.type in THINGS if given.target is None else given.target
        # One that is declared to be what is worked on is held by the run, whether or not a step names it.
        if name not in used and given.target is not True and not (is_target and counted):
            yield Finding(("inputs", name), "is asked for, and nothing uses it")


def _unknown(book: Book, recorded: Recorded) -> Iterator[Finding]:
    if recorded.has_series:
        for where, text, context in book.texts():
            if context is Context.PROMQL:
                yield from (Finding(where, f"{words} in the recorded data") for words in recorded.missing(text))
    if recorded.has_alerts:
        yield from unmatched(book, recorded.alerts)


def unmatched(book: Book, alerts: Iterable[str]) -> Iterator[Finding]:
    """Patterns of alerts that no rule's name matches."""
    names = tuple(alerts)
    for number, pattern in enumerate(book.alerts):
        if not any(fnmatchcase(name, pattern) for name in names):
            yield Finding(("alerts", number), f"no rule raises an alert {pattern!r}")
