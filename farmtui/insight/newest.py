"""What is worked out of a picture once, whoever asks for it, and in whichever thread first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from farmtui.farm.farm import Farm

T = TypeVar("T")


def of_newest(work: Callable[[Farm], T]) -> Callable[[Farm], T]:
    """`work`, a pure function of a picture, that is not done again for the picture that was asked for last.

    For what takes longer than a frame with a big farm: a thread can do it before the loop asks.
    """
    newest: deque[tuple[Farm, T]] = deque(maxlen=1)

    @wraps(work)
    def known(farm: Farm) -> T:
        for picture, found in tuple(newest):
            if picture is farm:
                return found
        found = work(farm)
        newest.append((farm, found))
        return found

    return known
