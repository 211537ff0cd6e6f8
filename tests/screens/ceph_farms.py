"""Farms whose Ceph has been asked itself: as it answers, without quorum, refused, without a mgr."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

from farmtui.farm.ceph_detail import CephDetail, CheckDetail, MdsRank, MonQuorum, OsdPlace, PgSummary, ProgressEvent
from farmtui.farm.ceph_picture import Told, one_ceph
from farmtui.farm.farm import Farm
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.text import clean_text
from tests.screens.farms import HOSTILE, NOW, make_failure, make_source
from tests.screens.whole import whole_farm

W = Severity.WARNING
WHY = (
    "quorum lost: mon.a sees state probing, mon.b sees state electing; ceph status reaches no mon within 5 s"
    " (on stor-1 and stor-2)"
)
DEGRADED = "Degraded data redundancy: 43000/2100000 objects degraded (2.048%)"
LINES = tuple(f"pg 1.{n:x} is active+undersized+degraded, acting [{n % 5},{n % 3}]" for n in range(50))


def detail() -> CephDetail:
    """The cluster of the whole farm by its own word: osd.3 is down, mds.a laggy, one check muted."""
    tree = [OsdPlace("default", "root", 0, crush_weight=6.0)]
    for host in range(3):
        tree.append(OsdPlace(f"stor-{host + 1}", "host", 1, crush_weight=2.0))
        for n in (2 * host, 2 * host + 1):
            status = {3: "down", 5: "destroyed"}.get(n, "up")
            tree.append(OsdPlace(f"osd.{n}", "osd", 2, status, 1.0, 1.0, "ssd", is_in=True, pgs=96))
    return CephDetail(
        asked="stor-1",
        health=W,
        checks=(
            CheckDetail("OSD_DOWN", W, "1 osds down", ("osd.3 (root=default,host=stor-2) is down",)),
            CheckDetail("PG_DEGRADED", W, DEGRADED, LINES, lines_left=12),
            CheckDetail("OSDMAP_FLAGS", W, "noout flag(s) set", muted=True),
        ),
        quorum=MonQuorum(("a", "b", "c"), ("a", "b", "c"), "a", since=NOW - timedelta(days=3)),
        mgr="a",
        mgr_standbys=("b",),
        tree=tuple(tree),
        ranks=(MdsRank("cephfs", 0, "a", "active (laggy)", 12), MdsRank("", None, "b", "standby")),
        filesystems=("cephfs",),
        flags=("noout",),
        pgs=PgSummary(192, (("active", 192), ("clean", 180), ("degraded", 12)), 43_000.0, 1_900.0, total_bytes=6e12,
                      used_bytes=3.1e12, recovering_objects_per_s=120.0),
        events=(ProgressEvent("Rebalancing after osd.5 marked in (5s) (remaining: 16s)", 0.23),),
        hosts=(("mds.a", "stor-1"), ("mds.b", "stor-2"), ("mgr.a", "stor-1"), ("mgr.b", "stor-2")),
        versions=(("18.2.4", 14), ("18.2.2", 1)),
    )  # fmt: skip


def told(own: CephDetail | None = None, *, metrics: bool = True) -> Farm:
    """The whole farm with Ceph's own word; without `metrics` there is no Prometheus to tell of it."""
    own = own or detail()
    farm = whole_farm()
    at = NOW - timedelta(seconds=4)
    source = make_source("ceph", answered=4 / 60, warnings=own.problems)
    sources = (*(s for s in farm.sources if metrics or s.kind != "prometheus"), source)
    ceph = one_ceph(farm.ceph if metrics else None, Told(own, at), trusted=metrics)
    return dataclasses.replace(farm, sources=sources, ceph=ceph, ceph_detail=own)


def lost(*, metrics: bool = True, certain: bool = True) -> Farm:
    """Quorum is lost since nine minutes; or Ceph only does not answer."""
    quorum = MonQuorum(("a", "b", "c"), lost=certain, why=WHY, states=(("a", "probing"), ("b", "electing")))
    before = NOW - timedelta(minutes=9)
    own = dataclasses.replace(
        detail(), health=None, checks=(), quorum=quorum, mgr=None, mgr_standbys=(), events=(), problems=(WHY,),
        known_at=before,
    )  # fmt: skip
    return told(own, metrics=metrics)


def refused() -> Farm:
    """Ceph itself refuses us: the mgr's figures are all there is."""
    farm = whole_farm()
    failure = make_failure(
        FailureKind.FORBIDDEN, "ceph at stor-1: ceph status: client.farmtui is not let in", "make the user"
    )
    source = make_source("ceph", Freshness.FORBIDDEN, answered=None, failure=failure)
    return dataclasses.replace(farm, sources=(*farm.sources, source))


def without_mgr() -> Farm:
    """No mgr runs: no metrics, and of Ceph only what the mons know."""
    checks = (CheckDetail("MGR_DOWN", W, "no active mgr"), *detail().checks)
    own = dataclasses.replace(detail(), mgr="", mgr_standbys=(), pgs=None, events=(), checks=checks)
    return told(own, metrics=False)


def hostile() -> Farm:
    """Ceph's words mean harm; they have been cleaned where they entered, and are no markup here either."""
    text = clean_text(HOSTILE)
    bad = CheckDetail(text[:30], W, text, (text, "[/]", "[@click=app.quit]x[/]"))
    return told(dataclasses.replace(detail(), checks=(bad,), events=(ProgressEvent("[/x] [bold", 0.5),)))


CEPH_FARMS: dict[str, Callable[[], Farm]] = {
    "metrics alone": whole_farm,
    "told": told,
    "own alone": lambda: told(metrics=False),
    "lost": lost,
    "lost alone": lambda: lost(metrics=False),
    "silent": lambda: lost(certain=False),
    "refused": refused,
    "without mgr": without_mgr,
    "hostile": hostile,
}
"""Every way in which a farm may know of its Ceph, by name."""
