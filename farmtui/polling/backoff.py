"""When a source is asked again: at its interval while it answers, ever more rarely while it fails."""

from __future__ import annotations

from typing import Final

from farmtui.farm.reading import Failure, FailureKind

CAP_S: Final = 60.0
"""A source that fails is asked at least so often (or at its own interval, if that is longer)."""
REFUSED_FIRST_S, REFUSED_CAP_S = 120.0, 600.0
"""What refuses us needs a person to mend it: asking often only fills its log, and may lock the account."""
REFUSED: Final = frozenset({FailureKind.FORBIDDEN, FailureKind.HOST_KEY, FailureKind.CONFIG})
JITTER: Final = 0.2
"""Share by which a delay is lengthened or shortened, so that bastions which failed together do not ask together."""


def plain_delay_s(interval_s: float, failure: Failure | None, failures_in_a_row: int, *, partial: bool) -> float:
    """Seconds until the next poll, before jitter. `partial`: there was an answer beside the failure."""
    if failure is None:
        return interval_s
    wanted = failure.retry_after_s or 0.0
    if partial:
        return max(interval_s, wanted)
    doublings = min(max(0, failures_in_a_row - 1), 16)
    if failure.kind in REFUSED:
        delay = min(REFUSED_FIRST_S * 2.0**doublings, REFUSED_CAP_S)
    else:
        delay = min(interval_s * 2.0**doublings, max(CAP_S, interval_s))
    return max(interval_s, delay, wanted)


def jittered(delay_s: float, failure: Failure | None, chance: float) -> float:
    """The delay with jitter; `chance` is 0-1. What the server asked for is never undercut."""
    if failure is None:
        return delay_s
    if failure.retry_after_s:
        return delay_s * (1.0 + JITTER / 2.0 * chance)
    return delay_s * (1.0 + JITTER * (2.0 * chance - 1.0))
