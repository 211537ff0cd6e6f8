"""What Ceph itself says, on the storage screen: its health in words, notes above the tables, and its checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.ceph_detail import CheckDetail
from farmtui.farm.ceph_picture import WORDS
from farmtui.farm.cluster import CephDaemon, HealthCheck
from farmtui.farm.state import Freshness, Severity, freshness_of
from farmtui.farm.units import percent
from farmtui.insight.ceph_checks import explain
from farmtui.insight.ceph_own import mgr_serves
from screens.columns import row_freshness
from widgets import ink
from widgets.glyphs import glyphs
from widgets.table_columns import Column

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm
    from farmtui.farm.reading import SourceState

EVENTS = 2
_WORST = (
    Freshness.LIVE, Freshness.AGEING, Freshness.STALE, Freshness.EMPTY, Freshness.FORBIDDEN, Freshness.NEVER,
    Freshness.ABSENT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A row of the checks' table: a check, and what Ceph itself says of it."""

    check: HealthCheck
    own: CheckDetail | None = None


def daemon_severity(daemon: CephDaemon) -> Severity:
    """A daemon's: that one is not known to be well is not that it is down."""
    if daemon.well:
        return Severity.OK
    return Severity.UNKNOWN if daemon.state == "unknown" else Severity.CRITICAL


def check_rows(farm: Farm) -> tuple[CheckRow, ...]:
    """Every check that is raised, those that are muted last."""
    detail = farm.ceph_detail
    checks = farm.ceph.checks if farm.ceph else ()
    return tuple(CheckRow(check, detail.check(check.name) if detail else None) for check in checks)


def why_no_checks(farm: Farm) -> str:
    """Why there may be none to show, where that does not follow from the freshness."""
    silent = farm.ceph_detail is not None and farm.ceph_detail.silent
    return "Ceph does not answer: what it would complain of is not known" if silent else ""


def check_severity(row: CheckRow) -> Severity:
    """A check's severity; one that somebody has muted does not count."""
    return Severity.INFO if row.check.muted else row.check.severity


def check_columns() -> tuple[Column[CheckRow], ...]:
    """The columns of the checks' table."""
    return (
        Column("state", "state", _state, width=7, priority=0),
        Column("name", "check", lambda row: row.check.name, width=26, min_width=16, priority=0),
        Column("meaning", "what is wrong", _what, width=30, flex=3, priority=0),
        Column("remedy", "what to do", lambda row: explain(row.check.name).remedy, width=30, flex=2, priority=3),
    )  # fmt: skip


def _state(row: CheckRow) -> str:
    return "muted" if row.check.muted else row.check.severity.word


def _what(row: CheckRow) -> Content | str:
    """Ceph's own summary, where it was asked, then what it means."""
    meaning = explain(row.check.name).meaning
    if row.own is None or not row.own.summary:
        return meaning
    return Content.assemble((row.own.summary, ink.TEXT), (f"  {meaning}", ink.MUTED))


def ceph_freshness(farm: Farm) -> Freshness:
    """The freshness of Ceph's figures: that of the older of the views that they are made of.

    While Ceph does not answer they are of before, however fresh the mgr that goes on serving them looks.
    """
    ceph, detail = farm.ceph, farm.ceph_detail
    if (detail is not None and detail.silent) or (ceph is not None and ceph.stalled):
        return Freshness.STALE
    views = []
    own = farm.source("ceph")
    if ceph is not None and ceph.told_at is not None and own is not None:
        views.append(freshness_of((farm.at - ceph.told_at).total_seconds(), own.interval_s))
    if ceph is None or ceph.seen_at is not None or not views:
        views.append(_figures_freshness(farm))
    return max(views, key=_WORST.index)


def _figures_freshness(farm: Farm) -> Freshness:
    """The mgr's own, which may stop while Prometheus goes on."""
    source = farm.freshness("prometheus")
    if farm.ceph is None or source is not Freshness.LIVE:
        return source
    return row_freshness(farm, farm.ceph.seen_at)


def ceph_age_s(farm: Farm) -> float | None:
    """Seconds since Ceph was last heard of; None where it never was."""
    heard_at = farm.ceph.heard_at if farm.ceph else None
    return (farm.at - heard_at).total_seconds() if heard_at else None


def ceph_health(farm: Farm) -> tuple[str, Severity]:
    """Ceph's own word for its health, and how bad that is; not known without fresh figures, and never OK then."""
    ceph, detail, fresh = farm.ceph, farm.ceph_detail, ceph_freshness(farm)
    if detail is not None and detail.silent:
        return ("no quorum", Severity.CRITICAL) if detail.quorum.lost else ("no answer", Severity.UNKNOWN)
    if ceph is None or ceph.health is None:
        return "unknown", Severity.UNKNOWN
    word = WORDS.get(ceph.health, "unknown")
    if fresh in (Freshness.LIVE, Freshness.AGEING):
        return word, ceph.health
    return f"was {word}", max(ceph.health, Severity.UNKNOWN)


def health_freshness(farm: Farm) -> Freshness:
    """The freshness of the health itself: that nobody answers is known as freshly as it was asked."""
    silent = farm.ceph_detail is not None and farm.ceph_detail.silent
    return farm.freshness("ceph") if silent else ceph_freshness(farm)


def notes(farm: Farm) -> tuple[tuple[Severity, str], ...]:
    """What stands above the checks, the most urgent first: why Ceph does not answer, that it cannot be asked, where
    it and its metrics do not agree, and what it is at."""
    ceph, detail, source = farm.ceph, farm.ceph_detail, farm.source("ceph")
    found: list[tuple[Severity, str]] = []
    if detail is not None and detail.silent:
        served = "; the mgr still serves the figures of before" if mgr_serves(farm) else ""
        found.append((Severity.CRITICAL if detail.quorum.lost else Severity.UNKNOWN, f"{detail.quorum.why}{served}"))
    elif ceph is not None and ceph.stalled:
        found.append((Severity.CRITICAL, "quorum lost? Its mons decide nothing; the mgr repeats what was true before"))
    elif source is not None and source.failure is not None:
        found.append((Severity.WARNING, _unasked(source, figures=mgr_serves(farm))))
    if ceph is not None and ceph.differences:
        found.append((Severity.INFO, f"Ceph and its metrics do not agree: {'; '.join(ceph.differences)}"))
    for event in detail.events[:EVENTS] if detail else ():
        done = "" if event.ratio is None else f", {percent(event.ratio)} done"
        found.append((Severity.INFO, f"{event.message}{done}"))
    return tuple(found)


def _unasked(source: SourceState, *, figures: bool) -> str:
    assert source.failure is not None
    refused = source.freshness is Freshness.FORBIDDEN
    instead = "; what is here are the mgr's figures" if figures else ""
    return f"Ceph itself {'refuses us' if refused else 'cannot be asked'}: {source.failure.what}{instead}"


def notes_text(farm: Farm) -> Content:
    """The notes, a line each."""
    lines = [
        Content.styled(f"{glyphs().severity[severity]} {text}", ink.SEVERITY[severity])
        for severity, text in notes(farm)
    ]
    return Content("\n").join(lines)
