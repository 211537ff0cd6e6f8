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

EVERY_S: Final = 30.0
"""How often a quiet moment is looked for."""
QUIET_S: Final = 30.0
"""Nobody has typed for so long. Who only reads for a few seconds is about to type again."""
LONGEST_S: Final = 600.0
"""After so long it is done all the same: somebody may hold a key down."""

_YOUNG, _MIDDLE, _NEVER = 2_000, 5, 1_000_000
"""The young generations look at each new object once or twice, however often they begin: seldom is as much work in all,
in longer pieces. With these a piece is a few ms while a picture of 10,000 machines is made."""


class QuietCollector:
    """Takes the full collections from Python; `look` is to be called every `EVERY_S` seconds."""

    def __init__(self) -> None:
        self._collected_at = time.monotonic()
        self._settled = False

    def begin(self) -> None:
        """From now on, before the first picture is made. What is imported already is looked at no more."""
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        self._collected_at = time.monotonic()

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
