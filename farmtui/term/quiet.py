"""Garbage is looked for while nobody types.

A full collection looks at every object there is: a tenth of a second with the objects of a large farm, and Python
begins one whenever enough has been made, be it between a key and its effect. Pictures of the farm hold no cycles and go
without it; what is left are the few cycles of exceptions and closed screens, and those can wait for a quiet moment.
"""

from __future__ import annotations

import gc
import time
from typing import Final

SETTLED_S: Final = 8.0
"""So long after its start a console has imported and shown all that it begins with."""
EVERY_S: Final = 30.0
"""How often a quiet moment is looked for."""
QUIET_S: Final = 3.0
"""Nobody has typed for so long."""
LONGEST_S: Final = 600.0
"""After so long it is done all the same: somebody may hold a key down."""

_YOUNG, _MIDDLE, _NEVER = 10_000, 20, 1_000_000


class QuietCollector:
    """Takes the full collections from Python; `look` is to be called every `EVERY_S` seconds."""

    def __init__(self) -> None:
        self._collected_at = time.monotonic()

    def begin(self) -> None:
        """From now on. Everything that is there (modules, classes, stylesheets) stays, and is looked at no more."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        self._collected_at = time.monotonic()

    def look(self, typed_at: float) -> bool:
        """Collect if nobody has typed for `QUIET_S`; `typed_at` is of `time.monotonic()`. Gives whether it did."""
        now = time.monotonic()
        if now - typed_at < QUIET_S and now - self._collected_at < LONGEST_S:
            return False
        gc.collect()
        self._collected_at = now
        return True
