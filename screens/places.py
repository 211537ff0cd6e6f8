"""Places: where somebody is in the console, and the history that `-`, `[` and `]` walk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

LOGS: Final = "logs"
"""The kind of a subject that is a log; what it is of is in screens/log_targets."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing of the farm that can be selected, opened, copied and acted on.

    `kind` names its describer in screens/describe (`node`, `alert`, `osd`, ...); `key` finds it again in the
    next Farm, since a screen holds no data of its own.
    """

    kind: str
    key: str
    title: str
    """What the crumbs and dialogs call it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A screen and the trail of things opened on it, outermost first."""

    screen: str
    trail: tuple[Subject, ...] = ()

    def into(self, subject: Subject) -> Place:
        """One level deeper."""
        return Place(self.screen, (*self.trail, subject))

    def out(self) -> Place:
        """One level up; the screen itself stays where it is."""
        return Place(self.screen, self.trail[:-1])

    @property
    def crumbs(self) -> tuple[str, ...]:
        """What the crumb line shows."""
        return (self.screen, *(subject.title for subject in self.trail))


@dataclass(slots=True)
class History:
    """Visited places, like a browser's; `-` goes to the one before and back again."""

    limit: int = 100
    _places: list[Place] = field(default_factory=list)
    _index: int = -1
    _last: Place | None = None

    @property
    def here(self) -> Place | None:
        """The present place."""
        return self._places[self._index] if self._places else None

    @property
    def places(self) -> tuple[Place, ...]:
        """The way here, the present place last."""
        return tuple(self._places[: self._index + 1])

    def visit(self, place: Place) -> None:
        """Come to a place by choice: what lay ahead is forgotten."""
        if place == self.here:
            return
        self._last = self.here
        del self._places[self._index + 1 :]
        self._places.append(place)
        del self._places[: -self.limit]
        self._index = len(self._places) - 1

    def back(self) -> Place | None:
        """The place before, or None at the beginning."""
        return self._step(-1)

    def forward(self) -> Place | None:
        """The place after, or None at the end."""
        return self._step(+1)

    def last(self) -> Place | None:
        """The place somebody was at before this one, however they came here."""
        return self._last

    def _step(self, by: int) -> Place | None:
        if not 0 <= self._index + by < len(self._places):
            return None
        self._last = self.here
        self._index += by
        return self._places[self._index]
