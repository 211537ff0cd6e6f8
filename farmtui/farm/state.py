"""The two scales every value of the farm is read on: how bad it is, and how fresh it is."""

from __future__ import annotations

from enum import Enum, IntEnum


class Severity(IntEnum):
    """How bad something is; a larger number is worse, so `max()` gives the worst of many.

    UNKNOWN stands between WARNING and CRITICAL: not knowing is worse than a known small fault, and a known
    outage is worse than not knowing.
    """

    OK = 0
    INFO = 1
    WARNING = 2
    UNKNOWN = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The word that stands beside the colour, for eyes and terminals without colours."""
        return _WORDS[self]


_WORDS = {
    Severity.OK: "ok",
    Severity.INFO: "info",
    Severity.WARNING: "warn",
    Severity.UNKNOWN: "unknown",
    Severity.CRITICAL: "CRIT",
}


class Freshness(Enum):
    """What is known of a value's age. "No data", "failed", "not allowed" and "zero" never look alike."""

    LIVE = "live"
    """Younger than two polling intervals."""
    AGEING = "ageing"
    """Two to five intervals old: shown dimmed, with its age."""
    STALE = "stale"
    """Older than five intervals: shown hatched, with its age."""
    NEVER = "never"
    """No answer has come since the console started."""
    FORBIDDEN = "forbidden"
    """The source refuses our credentials."""
    EMPTY = "empty"
    """The source answered, and has nothing to say."""
    ABSENT = "absent"
    """There is no such source in the config."""

    @property
    def readable(self) -> bool:
        """Whether there is a value to show at all."""
        return self in (Freshness.LIVE, Freshness.AGEING, Freshness.STALE)


AGEING_AFTER_INTERVALS = 2.0
STALE_AFTER_INTERVALS = 5.0


def freshness_of(age_s: float | None, interval_s: float) -> Freshness:
    """The freshness of a value `age_s` seconds old (None: never seen) from a source polled every `interval_s`."""
    if age_s is None:
        return Freshness.NEVER
    if age_s < AGEING_AFTER_INTERVALS * interval_s:
        return Freshness.LIVE
    if age_s < STALE_AFTER_INTERVALS * interval_s:
        return Freshness.AGEING
    return Freshness.STALE
