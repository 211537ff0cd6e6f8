"""What is known of a runbook and of a run, as blocks of named values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import duration
from farmtui.runbooks.picture import standing
from farmtui.runbooks.story import plan_lines
from farmtui.runbooks.wording import written
from screens.describe import Block, Detail, Field, Link
from screens.places import Subject
from widgets.dialog import RISK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from farmtui.runbooks.book import Book, Input
    from farmtui.runbooks.loading import Shelved
    from farmtui.runbooks.picture import Picture
    from farmtui.runbooks.state import RunState

RUNS_LISTED = 20
"""Runs of a book that its page lists, the newest first."""


def run_subject(state: RunState) -> Subject:
    """The subject of a run."""
    return Subject("run", state.run, run_title(state))


def run_title(state: RunState) -> str:
    """What a run is called: its book and what it works on."""
    return f"{state.plan.book} {target_names(state)}"


def target_names(state: RunState) -> str:
    """What a run works on, without the kinds; nothing where it is only the book itself."""
    # A guest's run holds the machine that it is, by the same name.
    return ", ".join(dict.fromkeys(t.partition(":")[2] for t in state.plan.targets if not t.startswith("book:")))


def book_subject(name: str) -> Subject:
    """The subject of a runbook."""
    return Subject("book", name, name)


def describe_book(picture: Picture, name: str) -> Detail | None:
    """A runbook: what it is for, what it asks, requires and does, and how its last runs ended."""
    broken = next((one for one in picture.shelf.broken if one.name == name), None)
    shelved = picture.shelf.books.get(name)
    if shelved is None:
        if broken is None:
            return None
        lines = tuple(Field("", line) for line in broken.why.splitlines())
        raw = {"name": name, "path": str(broken.path), "why": broken.why}
        return Detail(name, Severity.WARNING, ("It cannot be used.",), (Block("What is wrong", lines),), raw=raw)
    book = shelved.book
    blocks = [
        Block("Runbook", tuple(_facts(shelved))),
        Block("Asks for", tuple(Field(key, _asked(one)) for key, one in book.inputs.items())),
        Block("Requires", tuple(Field("", written(one)) for one in book.require)),
        Block("Does", tuple(_steps(book))),
        Block("In the end", tuple(Field("", written(one)) for one in book.verify)),
    ]
    runs = [state for state in picture.runs if state.plan.book == name][:RUNS_LISTED]
    return Detail(
        book.title,
        None,
        tuple(" ".join(part.split()) for part in book.about.strip().split("\n\n")),
        tuple(block for block in blocks if block.fields),
        tuple(_run_link(picture, state) for state in runs),
        raw={"name": name, **book.model_dump(mode="json", exclude_none=True, exclude_defaults=True)},
    )


def _facts(shelved: Shelved) -> Iterable[Field]:
    book = shelved.book
    word, severity = RISK[book.risk]
    yield Field("risk", f"{book.risk}, {word}", severity if severity >= Severity.WARNING else None)
    if book.alerts:
        yield Field("alerts", ", ".join(book.alerts))
    if book.tags:
        yield Field("tags", ", ".join(book.tags))
    yield Field("file", str(shelved.path) if shelved.own else f"{shelved.path.name}, of the library")
    if shelved.replaces:
        yield Field("", "it stands in the place of the library's")


def _asked(one: Input) -> str:
    kind = f"{one.type} of tier {one.tier}" if one.tier else one.type
    default = f", else {one.default}" if one.default is not None else ""
    return f"{kind}{default}{f': {one.help}' if one.help else ''}"


def _steps(book: Book) -> Iterable[Field]:
    for number, step in enumerate(book.steps, 1):
        yield Field(f"{number}. {step.kind}", f"{step.name}{', can be undone' if step.undo else ''}")


def _run_link(picture: Picture, state: RunState) -> Link:
    now = datetime.now(UTC)
    how = standing(state, now, picture.holders.get(state.run, ""))
    words = f"{state.planned_at:%Y-%m-%d %H:%M}Z  {target_names(state)}  {how.text}, by {state.author.user}"
    return Link("run", run_subject(state), words, how.severity)


def describe_run(picture: Picture, ident: str) -> Detail | None:
    """A run: its plan and how it stands, for who wants all of it; its own screen shows it at work."""
    state = picture.run(ident)
    if state is None:
        return None
    how = standing(state, datetime.now(UTC), picture.holders.get(ident, ""))
    took = (state.ended_at - state.planned_at).total_seconds() if state.ended_at else None
    facts = (
        Field("state", how.text, how.severity),
        Field("by", state.author.user),
        Field("because", state.reason or "not said"),
        Field("took", duration(took)),
    )
    plan = tuple(Field("", line) for line in plan_lines(state.plan))
    raw = {"run": ident, "plan": state.plan.model_dump(mode="json"), "hash": state.hash, "steps": state.steps}
    return Detail(run_title(state), how.severity, (), (Block("Run", facts), Block("Plan", plan)), raw=raw)
