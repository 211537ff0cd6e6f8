"""What Ceph's own word adds to what is wrong: that nobody answers for it, and each check in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.cluster import Ceph
from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness, Severity, freshness_of
from farmtui.farm.units import plural
from farmtui.insight.finding import Finding

LINES: Final = 2
"""Lines of a check's detail that are told as evidence."""


def ceph_silence(farm: Farm) -> Iterator[Finding]:
    """Ceph without quorum, or one that does not answer: all else that is known of it then is of before. And one
    without a mgr, of which nobody counts anything, before it says so itself."""
    detail = farm.ceph_detail
    if detail is None:
        return
    if not detail.silent:
        if detail.mgr == "" and detail.check("MGR_DOWN") is None:
            yield Finding(
                "ceph/mgr", Severity.WARNING, "Ceph has no active mgr",
                "nobody counts placement groups and what is stored, and its metrics stop; data is still served",
                ("first: systemctl start ceph-mgr@ID on its host",), screen="storage", part="storage",
                topics=("cephmgr",),
            )  # fmt: skip
        return
    quorum = detail.quorum
    stale = ("the mgr still serves the figures of before",) if mgr_serves(farm) else ()
    if quorum.lost:
        need = len(quorum.mons) // 2 + 1
        mend = f"{need} of {len(quorum.mons)} mons must run and see each other" if quorum.mons else "start the mons"
        yield Finding(
            "ceph/quorum", Severity.CRITICAL, "Ceph has no quorum",
            "no majority of its mons agrees: clients go on until anything changes, then reads and writes hang",
            (quorum.why, *stale, f"first: {mend}: systemctl start ceph-mon@ID on their hosts"),
            screen="storage", part="storage", covers=frozenset({("source", "ceph")}),
            topics=("cephmon", "cephquorum", "cephhealth"),
        )  # fmt: skip
        return
    yield Finding(
        "ceph/silent", Severity.UNKNOWN, "Ceph does not answer",
        "whether the cluster is well is not known", (quorum.why, *stale),
        screen="storage", part="storage", covers=frozenset({("source", "ceph")}),
        topics=("cephmon", "cephquorum", "cephhealth"),
    )  # fmt: skip


def mgr_serves(farm: Farm) -> bool:
    """Whether the mgr still serves metrics, whatever they are worth."""
    figures, ceph = farm.source("prometheus"), farm.ceph
    if figures is None or ceph is None:
        return False
    return ceph.stalled or _fresh(farm, ceph.seen_at, figures.interval_s)


def own_words(detail: CephDetail | None, name: str) -> Iterator[str]:
    """A check's own summary, and the first lines of its detail; nothing where Ceph itself was not asked."""
    check = detail.check(name) if detail else None
    if check is None:
        return
    if check.summary:
        yield check.summary
    more = len(check.lines) + check.lines_left - LINES
    if check.lines:
        yield "; ".join(check.lines[:LINES]) + (f"; and {plural(more, 'line')} more" if more > 0 else "")


def unheard(farm: Farm, ceph: Ceph) -> bool:
    """Whether the last that Ceph has told is old while Prometheus goes on: its mgr is gone, or tells nothing new."""
    own, figures = farm.source("ceph"), farm.source("prometheus")
    if ceph.told_at is not None and own is not None and _fresh(farm, ceph.told_at, own.interval_s):
        return False
    # Where Prometheus is silent itself, that is what is wrong.
    goes_on = figures is not None and farm.freshness("prometheus") in (Freshness.LIVE, Freshness.AGEING)
    return goes_on and figures is not None and not _fresh(farm, ceph.seen_at, figures.interval_s)


def _fresh(farm: Farm, at: datetime | None, interval_s: float) -> bool:
    age_s = (farm.at - at).total_seconds() if at else None
    return freshness_of(age_s, interval_s) in (Freshness.LIVE, Freshness.AGEING)


def ceph_health_words(farm: Farm) -> str:
    """The cluster's health in a few words, for a summary."""
    detail = farm.ceph_detail
    if detail is not None and detail.silent:
        return "has no quorum" if detail.quorum.lost else "does not answer"
    if farm.ceph is None or farm.ceph.health is None:
        return "unknown"
    return f"{'was ' if unheard(farm, farm.ceph) else ''}{farm.ceph.health.word}"
