"""What every kind of step has in common: an effect with a name of its own, and what can become of it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from farmtui.runbooks.planned import Call, PlannedStep
from farmtui.runbooks.state import Outcome


@dataclass(frozen=True, slots=True)
class Effect:
    """One attempt at one part of a step."""

    run: str
    step: PlannedStep
    part: str
    attempt: int
    read: tuple[int, int] = (0, 0)
    """Bytes of its output and of its errors that the journal has."""
    machine: str = ""
    """Where the runner was that announced it."""
    notes: tuple[str, ...] = ()
    """What earlier runners have noted of it: the name of a task at the other side."""

    @property
    def call(self) -> Call:
        """What is done."""
        return self.step.call

    @property
    def key(self) -> str:
        """Its name on the other side: the same for this attempt always, and for no other. A file's name."""
        part = hashlib.sha256(self.part.encode()).hexdigest()[:8]
        return f"{self.run}.{self.step.id[:40]}.{part}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class Done:
    """It has ended, and this is how."""

    outcome: Outcome
    code: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Whether it has happened cannot be found out; `why` in words."""

    why: str


Told = Done | Lost
"""ABSENT in a Done says: it has certainly not happened, and will not."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something to be written down of an effect on its way."""

    stream: str
    """out, err, or note for what a later runner must know."""
    text: str
    end: int = 0
    """Bytes of the stream until here."""


Tell = Callable[[Said], Awaitable[None]]
"""Writes down, and returns when it is written: what comes faster waits at its source."""


class Performer(Protocol):
    """One kind of step."""

    def perform(self, effect: Effect, tell: Tell) -> Awaitable[Told]:
        """Do it, now that it is announced. A lost connection is followed up until it is known, or Lost."""
        ...

    def recover(self, effect: Effect, tell: Tell) -> Awaitable[Told]:
        """Find out what became of an effect that another runner has announced; it is carried on, never begun."""
        ...

    def stop(self, effect: Effect, tell: Tell) -> Awaitable[Told]:
        """End it, and say how it stands then."""
        ...
