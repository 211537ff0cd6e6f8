"""Runs and books as they are known at a moment: what screens show, and nothing that they would have to ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from farmtui.farm.state import Severity
from farmtui.runbooks.decide import Finish, Rest, decide
from farmtui.runbooks.loading import Shelf
from farmtui.runbooks.people import Rights
from farmtui.runbooks.state import Outcome, RunState

ALONE_S: Final = 20.0
"""How long a run may want a runner and have none, before somebody should look."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run's story."""

    at: datetime
    kind: str
    """The kind of the entry that tells it."""
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """What a run's entries tell, from the first one on; of a very long one the end."""

    lines: tuple[Line, ...] = ()
    dropped: int = 0
    """Lines before these that are not kept: the journal has them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands, for who looks at it."""

    severity: Severity
    word: str
    """One or two words: `running`, `asks`, `failed`."""
    text: str
    """What it is at, or waits for; what it asks is in its question."""


@dataclass(frozen=True, slots=True)
class Picture:
    """See the module."""

    shelf: Shelf = field(default_factory=Shelf)
    runs: tuple[RunState, ...] = ()
    """The newest first: all that have not ended, and the latest of those that have."""
    holders: Mapping[str, str] = field(default_factory=dict)
    """Who executes a run that has not ended."""
    stories: Mapping[str, Story] = field(default_factory=dict)
    """Of the runs that somebody looks at."""
    rights: Rights = field(default_factory=Rights)
    place: str = ""
    """Where the journal is."""
    trouble: str = ""
    """Why the journal cannot be read now, and what to do; the rest is then as it was last known."""

    def run(self, ident: str) -> RunState | None:
        """A run by its id."""
        return next((state for state in self.runs if state.run == ident), None)

    @property
    def under_way(self) -> tuple[RunState, ...]:
        """Runs that have not ended, the newest first."""
        return tuple(state for state in self.runs if state.outcome is None)

    def last_of(self, book: str) -> RunState | None:
        """The newest run of a book."""
        return next((state for state in self.runs if state.plan.book == book), None)


_ENDED: Final[Mapping[Outcome, Severity]] = {
    Outcome.OK: Severity.OK, Outcome.UNDONE: Severity.INFO, Outcome.CANCELLED: Severity.INFO,
    Outcome.EXPIRED: Severity.INFO, Outcome.REFUSED: Severity.WARNING,
}  # fmt: skip


def standing(state: RunState, at: datetime, holder: str = "") -> Standing:
    """How a run stands at a moment; `holder` is who executes it, empty when nobody does."""
    if state.outcome is not None:
        return Standing(_ENDED.get(state.outcome, Severity.CRITICAL), str(state.outcome), str(state.outcome))
    needed = decide(state, at)
    if isinstance(needed, Rest):
        word = {"an answer": "asks", "being resumed": "paused"}.get(needed.waits_for, "waits")
        return Standing(Severity.WARNING, word, f"waits for {needed.waits_for}")
    if isinstance(needed, Finish) and state.begun_at is None:
        # It is over, whether or not a runner has come by to write that down.
        return Standing(_ENDED.get(needed.outcome, Severity.CRITICAL), str(needed.outcome), str(needed.outcome))
    doing = f"{'undoing' if state.undoing else 'at'} {state.current.step.name}" if state.current else "verifying"
    if state.begun_at is None:
        doing = "about to begin"
    if not holder and (at - (state.begun_at or state.planned_at)).total_seconds() > ALONE_S:
        return Standing(Severity.WARNING, "alone", f"{doing}; no runner has it now")
    return Standing(Severity.INFO, "undoing" if state.undoing else "running", doing)


def progress(state: RunState) -> tuple[int, int]:
    """Steps that have ended, and all of them; of the undoing where it is under way."""
    steps = state.undone if state.undoing else state.steps
    return sum(step.outcome is not None for step in steps.values()), len(steps)
