"""What is known of one source at a moment: its last good value, and how asking it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from farmtui.farm.alerts import AlertBook
from farmtui.farm.backups import PveBackups, StoreListing
from farmtui.farm.cost import CloudBill
from farmtui.farm.farm import PrometheusView
from farmtui.farm.gluster import GlusterPool
from farmtui.farm.node import CloudAccount, PveCluster
from farmtui.farm.reading import Failure, FailureKind, SourceState
from farmtui.farm.sites import SiteBook
from farmtui.farm.state import AGEING_AFTER_INTERVALS, STALE_AFTER_INTERVALS, Freshness, freshness_of
from farmtui.farm.swarm import SwarmCluster
from farmtui.farm.units import age

AGE_STEP_S: Final = 5.0
"""Below a minute a growing age is shown anew at most this often."""


@dataclass(frozen=True, slots=True)
class Report:
    """One source. `value` is the last good one, taken at `taken_at`; `refused` that the last poll was not allowed."""

    name: str
    kind: str
    endpoint: str
    interval_s: float
    value: Any = None
    taken_at: datetime | None = None
    attempted_at: datetime | None = None
    next_at: datetime | None = None
    duration_s: float | None = None
    failure: Failure | None = None
    failures_in_a_row: int = 0
    warnings: tuple[str, ...] = ()
    requests: int = 0
    polls: int = 0

    @property
    def refused(self) -> bool:
        """Whether our credentials are refused altogether (a partial answer is none of that)."""
        failure = self.failure
        return failure is not None and failure.kind is FailureKind.FORBIDDEN and self.taken_at != self.attempted_at

    def age_s(self, now: datetime) -> float | None:
        """Seconds since the last good value was taken; None: never."""
        return None if self.taken_at is None else (now - self.taken_at).total_seconds()

    def trusted(self, now: datetime) -> bool:
        """Whether the value is young enough to judge the present by."""
        return freshness_of(self.age_s(now), self.interval_s) in (Freshness.LIVE, Freshness.AGEING)


def freshness_at(report: Report, now: datetime) -> Freshness:
    """The freshness that the console shows for a source."""
    if report.refused:
        return Freshness.FORBIDDEN
    found = freshness_of(report.age_s(now), report.interval_s)
    return Freshness.EMPTY if found is Freshness.LIVE and _says_nothing(report.value) else found


def _says_nothing(value: object) -> bool:
    """An answer without content. No alert is a content: the best there is."""
    match value:
        case PrometheusView():
            return value == PrometheusView(figure_problems=value.figure_problems, rules=value.rules)
        case PveCluster():
            return not value.hosts and not value.guests
        case CloudAccount():
            return not value.droplets
        case SwarmCluster():
            return not value.nodes and value.quorum is not False
        case GlusterPool():
            return not value.peers
        case SiteBook():
            return not value.sites
        case StoreListing():
            return value.whole and not value.stored
        case PveBackups():
            return value.whole and not value.stored
        case AlertBook() | CloudBill():
            return False
    try:
        return len(value) == 0  # type: ignore[arg-type]
    except TypeError:
        return False


def source_state(report: Report, now: datetime) -> SourceState:
    """The source as the screens show it at `now`."""
    return SourceState(
        name=report.name,
        kind=report.kind,
        endpoint=report.endpoint,
        interval_s=report.interval_s,
        freshness=freshness_at(report, now),
        last_success_at=report.taken_at,
        last_attempt_at=report.attempted_at,
        next_attempt_at=report.next_at,
        duration_s=report.duration_s,
        failure=report.failure,
        failures_in_a_row=report.failures_in_a_row,
        warnings=report.warnings,
        requests_per_cycle=report.requests,
        polls=report.polls,
    )


def shown(state: SourceState, now: datetime) -> tuple[object, ...]:
    """What somebody can see of a source: while this is the same, there is nothing to paint."""
    return (
        state.name,
        state.freshness,
        state.failure,
        state.failures_in_a_row,
        state.warnings,
        shown_age(state.freshness, state.last_success_at, now),
    )


def shown_age(freshness: Freshness, taken_at: datetime | None, now: datetime) -> str:
    """The age as it is worth painting: none while live, in steps of five seconds, then as `units.age` says it."""
    if taken_at is None or freshness in (Freshness.LIVE, Freshness.EMPTY, Freshness.NEVER):
        return ""
    age_s = max(0.0, (now - taken_at).total_seconds())
    return f"{int(age_s // AGE_STEP_S * AGE_STEP_S)} s" if age_s < 60 else age(age_s)


def next_change_s(report: Report, now: datetime) -> float:
    """Seconds until what is shown of a source changes by the mere passing of time; infinity if it never does."""
    age_s = report.age_s(now)
    if age_s is None:
        return float("inf")
    ages = [AGEING_AFTER_INTERVALS * report.interval_s, STALE_AFTER_INTERVALS * report.interval_s]
    if freshness_at(report, now) not in (Freshness.LIVE, Freshness.EMPTY):
        step_s = AGE_STEP_S if age_s < 60 else 60.0 if age_s < 3600 else 3600.0
        ages.append((max(0.0, age_s) // step_s + 1) * step_s)
    return min((a - age_s for a in ages if a > age_s), default=float("inf"))
