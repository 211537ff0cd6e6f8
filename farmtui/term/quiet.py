"""Garbage is looked for while nobody types.

A full collection looks at every object there is: a tenth of a second with the objects of a large farm, in which no
thread of Python goes on, and Python begins one whenever enough has been made, be it between a key and its effect.
Pictures of the farm hold no cycles and go without it; what is left are the few cycles of exceptions and closed screens,
and those can wait until nobody is at the keyboard.
"""

from __future__ import annotations

import gc
import time
from typing import Final

STARTED_S: Final = 3.0
"""So long after its first frame a console has imported most of what it works with."""
EVERY_S: Final = 30.0
"""How often a quiet moment is looked for."""
QUIET_S: Final = 30.0
"""Nobody has typed for so long. Who only reads for a few seconds is about to type again."""
LONGEST_S: Final = 600.0
"""After so long it is done all the same: somebody may hold a key down."""

_YOUNG, _MIDDLE, _NEVER = 2_000, 5, 1_000_000
"""The young generations look at each new object once or twice, however often they begin: seldom is as much work in all,
in longer pieces. With these a piece is a few ms while a picture of 10,000 machines is made."""


def hold() -> None:
    """Look for no garbage at all while a console starts: it makes none, and to look takes a fifth of that time.

    It begins again with `QuietCollector.go_on`.
    """
    gc.disable()


class QuietCollector:
    """Takes the full collections from Python; `look` is to be called every `EVERY_S` seconds."""

    def __init__(self) -> None:
        self._collected_at = time.monotonic()
        self._settled = False

    def begin(self) -> None:
        """From now on, before the first picture is made; `go_on` is to be called `STARTED_S` later."""
        hold()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        self._collected_at = time.monotonic()

    def go_on(self) -> None:
        """Look among what is new again. What is imported already is looked at no more."""
        gc.freeze()
        gc.enable()

    def look(self, typed_at: float) -> bool:
        """Collect if nobody has typed for `QUIET_S`; `typed_at` is of `time.monotonic()`. Gives whether it did.

        By the first time all that a console begins with is imported and shown. It stays, and is looked at no more.
        """
        now = time.monotonic()
        if now - typed_at < QUIET_S and now - self._collected_at < LONGEST_S:
            return False
        gc.collect()
        if not self._settled:
            gc.freeze()
            self._settled = True
        self._collected_at = now
        return True
