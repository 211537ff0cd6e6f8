"""How a log that is read stands: what is known of it at once, without what it is read by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from farmtui.tail.target import LEVELS, LogTarget, Wanted, window_word


class State(Enum):
    """How a tail stands."""

    BEGINS = "connecting"
    READS = "reading"
    FOLLOWS = "following"
    LOST = "not connected"
    ENDED = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tail stands, and in words why where it is not well."""

    state: State
    why: str = ""
    remedy: str = ""
    retry_s: float = 0.0
    """Of LOST: how long until it is tried again."""


def empty_words(target: LogTarget, wanted: Wanted) -> str:
    """What is said where a window holds nothing."""
    level = "" if wanted.level == LEVELS[0] else " so bad"
    return f"nothing{level} was logged by {target.title} in the last {window_word(wanted.since_s)}"
