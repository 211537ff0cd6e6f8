"""What is worked out of a picture once, whoever asks for it, and in whichever thread first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

P = TypeVar("P")
T = TypeVar("T")


def of_newest(work: Callable[[P], T]) -> Callable[[P], T]:
    """`work`, a pure function of a picture or a part of it, that is not done again for the one that was asked for last.

    For what takes longer than a frame with a big farm: a thread can do it before the loop asks.
    """
    newest: deque[tuple[P, T]] = deque(maxlen=1)

    @wraps(work)
    def known(picture: P) -> T:
        for before, found in tuple(newest):
            if before is picture:
                return found
        found = work(picture)
        newest.append((picture, found))
        return found

    return known
