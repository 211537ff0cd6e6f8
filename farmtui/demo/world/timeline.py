"""The farm's history: epochs of unchanging condition, one after the other, and what is due next.

The past never changes; a change is applied at the end of the last epoch. What is due later waits in a queue and
is applied when time passes it, in the order of time.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

from farmtui.demo.world.changes import Change
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory
from farmtui.demo.world.settling import settle


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of time during which the condition is the same. It ends where the next one starts."""

    start: float
    condition: Condition
    cause: Change | None
    """What began it; None for the first."""


@dataclass(slots=True)
class Timeline:
    """All epochs so far. Not thread-safe."""

    farm: Inventory
    epochs: list[Epoch]
    _starts: list[float] = field(default_factory=list)
    _due: list[tuple[float, int, Change]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    @classmethod
    def begin(cls, farm: Inventory, condition: Condition, at: float) -> Timeline:
        """A timeline whose first epoch begins at `at`."""
        return cls(farm, [Epoch(at, condition, None)], [at])

    def plan(self, changes: Iterable[tuple[float, Change]]) -> None:
        """Let changes happen at given times, not before the last epoch's start."""
        for at, change in changes:
            heapq.heappush(self._due, (at, next(self._order), change))

    def advance(self, now: float) -> None:
        """Apply all that is due up to now."""
        while self._due and self._due[0][0] <= now:
            at, _, change = heapq.heappop(self._due)
            self._apply(change, max(at, self.epochs[-1].start))

    def happen(self, change: Change, now: float) -> bool:
        """Apply a change now. Returns whether it has changed anything."""
        self.advance(now)
        return self._apply(change, max(now, self.epochs[-1].start))

    def at(self, t: float) -> Epoch:
        """The epoch at t; the first one before the beginning."""
        return self.epochs[max(0, bisect_right(self._starts, t) - 1)]

    def since(self, start: float) -> Sequence[Epoch]:
        """The epochs that overlap the time from `start` on."""
        return self.epochs[max(0, bisect_right(self._starts, start) - 1) :]

    @property
    def last(self) -> Epoch:
        """The present epoch."""
        return self.epochs[-1]

    @property
    def next_due(self) -> float | None:
        """When the next planned change happens."""
        return self._due[0][0] if self._due else None

    def _apply(self, change: Change, at: float) -> bool:
        before = self.last.condition
        after = change.apply(before, self.farm, at)
        if after is before:
            return False
        after, later = settle(before, after, self.farm, at)
        self.plan((at + delay, due) for delay, due in later)
        # Two changes of one moment leave an epoch of no length between them, which nothing ever sees.
        self.epochs.append(Epoch(at, after, change))
        self._starts.append(at)
        return True
