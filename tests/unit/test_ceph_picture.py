"""One picture of Ceph from two views: the fresher and more certain wins, and nothing old is shown as fresh."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from farmtui.config import Config
from farmtui.farm.ceph_detail import CephDetail, CheckDetail, MdsRank, MonQuorum, OsdPlace, PgSummary
from farmtui.farm.ceph_picture import MGR_LAG, Told, ceph_of, one_ceph
from farmtui.farm.cluster import Ceph, CephDaemon, HealthCheck, Osd, Pool
from farmtui.farm.farm import PrometheusView
from farmtui.farm.state import Severity
from farmtui.polling.assemble import assemble, assembly, differs
from farmtui.polling.report import Report
from tests.screens.farms import NOW
from tests.screens.whole import whole_farm

W, C = Severity.WARNING, Severity.CRITICAL


def metrics(**changes: Any) -> Ceph:
    """The mgr's figures of now: OSD_DOWN and PG_DEGRADED, osd.3 down, three mons."""
    ceph = whole_farm().ceph
    assert ceph is not None
    return dataclasses.replace(ceph, **changes)


def detail(**changes: Any) -> CephDetail:
    """The same cluster by its own word."""
    places = [OsdPlace("default", "root", 0)]
    for host in range(3):
        places.append(OsdPlace(f"stor-{host + 1}", "host", 1))
        for n in (2 * host, 2 * host + 1):
            status = "down" if n == 3 else "up"
            places.append(OsdPlace(f"osd.{n}", "osd", 2, status, 1.0, 1.0, "ssd", is_in=True))
    made = CephDetail(
        asked="stor-1",
        health=W,
        checks=(CheckDetail("OSD_DOWN", W, "1 osds down"), CheckDetail("PG_DEGRADED", W, "12 pgs degraded")),
        quorum=MonQuorum(("a", "b", "c"), ("a", "b", "c"), "a"),
        mgr="a",
        tree=tuple(places),
        ranks=(MdsRank("cephfs", 0, "a", "active", 12), MdsRank("", None, "b", "standby")),
        pgs=PgSummary(192, (("active", 192), ("clean", 181)), 40_000.0, total_bytes=6e12, used_bytes=3.2e12),
        hosts=(("mon.a", "stor-1"), ("mds.a", "stor-1")),
    )
    return dataclasses.replace(made, **changes)


def joined(
    own: CephDetail, figures: Ceph | None, *, age_s: float = 2.0, told: bool = True, trusted: bool = True
) -> Ceph:
    """The picture; the detail was told `age_s` ago."""
    found = one_ceph(figures, Told(own, NOW - timedelta(seconds=age_s), told), trusted=trusted)
    assert found is not None
    return found


LOST = MonQuorum(("a", "b", "c"), lost=True, why="quorum lost: mon.a sees state probing", states=(("a", "probing"),))


# -- one view


def test_without_ceph_there_is_none() -> None:
    assert one_ceph(None, None, trusted=True) is None


def test_the_metrics_alone_are_the_picture() -> None:
    figures = metrics()
    assert one_ceph(figures, None, trusted=True) is figures
    assert one_ceph(figures, None, trusted=False) is figures


def test_ceph_s_own_word_alone_is_a_whole_picture() -> None:
    found = joined(detail(), None, trusted=False)
    assert found.health is W
    assert found.checks == (HealthCheck("OSD_DOWN", W), HealthCheck("PG_DEGRADED", W))
    assert [(mon.name, mon.host, mon.state, mon.well) for mon in found.mons] == [
        ("mon.a", "stor-1", "quorum leader", True),
        ("mon.b", "", "quorum", True),
        ("mon.c", "", "quorum", True),
    ]
    assert [(osd.id, osd.host, osd.up, osd.is_in) for osd in found.osds][3] == ("osd.3", "stor-2", False, True)
    assert [(mds.name, mds.state) for mds in found.mdss] == [("mds.a", "rank 0 active"), ("mds.b", "standby")]
    assert (found.pgs_total, found.used_bytes, found.total_bytes, found.mds_clients) == (192, 3.2e12, 6e12, 12)
    assert (found.seen_at, found.told_at) == (None, NOW - timedelta(seconds=2))
    assert (found.growth_bytes_per_s, found.slow_ops) == (None, None)


def test_an_mds_that_is_laggy_and_a_mon_that_is_out_are_not_well() -> None:
    found = joined(
        detail(
            ranks=(MdsRank("cephfs", 0, "a", "active (laggy)"), MdsRank("cephfs", 1, "", "failed")),
            quorum=MonQuorum(("a", "b", "c"), ("a", "b"), "a"),
        ),
        metrics(),
    )
    assert [(mds.name, mds.state, mds.well) for mds in found.mdss] == [
        ("mds.a", "laggy, rank 0 active", False),
        ("mds.?", "rank 1 failed", False),
    ]
    assert [(mon.state, mon.well) for mon in found.mons] == [("quorum leader", True), ("quorum", True), ("out", False)]


def test_a_cluster_without_a_mgr_says_that_in_a_row_and_counts_nothing() -> None:
    own = detail(mgr="", pgs=None, pools=())
    found = joined(own, metrics(), trusted=False)
    assert found.mgrs == (CephDaemon("mgr", "", "none active", well=False),)
    assert (found.pgs_counted, found.used_ratio, found.objects_degraded) == (False, None, None)
    assert joined(dataclasses.replace(own, mgr=None), None).mgrs == ()


# -- two views


def test_both_together_are_one_cluster_with_what_only_one_of_them_knows() -> None:
    figures = metrics()
    found = joined(detail(), figures)
    assert found.differences == ()
    assert [osd.id for osd in found.osds] == [osd.id for osd in figures.osds]
    # Measured by the mgr only.
    assert found.osds[0].apply_latency_s == figures.osds[0].apply_latency_s
    assert found.osds[0].used_bytes == figures.osds[0].used_bytes
    assert found.growth_bytes_per_s == figures.growth_bytes_per_s
    assert found.pools == figures.pools
    # Known by Ceph itself, and the host by the mgr.
    assert [(mon.state, mon.host) for mon in found.mons][:2] == [("quorum leader", "stor-1"), ("quorum", "stor-2")]
    assert (found.seen_at, found.told_at) == (NOW, NOW - timedelta(seconds=2))


@pytest.mark.parametrize(("age_s", "newer"), [(2.0, True), (MGR_LAG.total_seconds() + 1, False)])
def test_of_what_both_know_the_fresher_counts(age_s: float, newer: bool) -> None:
    up = tuple(dataclasses.replace(place, status="up" if place.kind == "osd" else "") for place in detail().tree)
    found = joined(detail(tree=up), metrics(), age_s=age_s)
    assert found.osds[3].up is newer
    assert found.used_bytes == (3.2e12 if newer else 3.1e12)
    assert found.objects_degraded == (40_000.0 if newer else 43_000.0)
    assert dict(found.pg_states)["clean"] == (181 if newer else 180)


def test_a_check_that_is_gone_stays_gone_and_one_that_came_since_is_added() -> None:
    figures = metrics(health=C, checks=(HealthCheck("OSD_DOWN", W), HealthCheck("PG_DAMAGED", C)))
    own = detail(checks=(CheckDetail("OSD_DOWN", W, "1 osds down"),))
    just_now = joined(own, figures)
    assert (just_now.health, [check.name for check in just_now.checks]) == (W, ["OSD_DOWN"])
    before = joined(own, figures, age_s=20)
    assert (before.health, [check.name for check in before.checks]) == (C, ["PG_DAMAGED", "OSD_DOWN"])


def test_a_check_that_is_muted_is_kept_and_told_apart() -> None:
    found = joined(
        detail(health=Severity.OK, checks=(CheckDetail("OSD_DOWN", W, "1 osds down", muted=True),)), metrics()
    )
    assert (found.health, found.checks) == (Severity.OK, (HealthCheck("OSD_DOWN", W, muted=True),))


def test_where_they_do_not_agree_that_is_told() -> None:
    figures = metrics(health=Severity.OK, checks=(HealthCheck("OSD_DOWN", W), HealthCheck("SLOW_OPS", W)))
    own = detail(
        quorum=MonQuorum(("a", "b", "c"), ("a", "b"), "a"),
        tree=tuple(p for p in detail().tree if p.name != "osd.5"),
        pgs=PgSummary(200, (("active", 200),)),
    )
    assert joined(own, figures).differences == (
        "health: Ceph says HEALTH_WARN, its metrics HEALTH_OK",
        "not in the metrics: PG_DEGRADED",
        "only in the metrics: SLOW_OPS",
        "OSDs up: Ceph says 4 of 5, its metrics 5",
        "OSDs in: Ceph says 5 of 5, its metrics 6",
        "mons in quorum: Ceph says 2, its metrics 3",
        "placement groups: Ceph says 200, its metrics 192",
    )


def test_a_muted_check_is_no_difference() -> None:
    own = detail(checks=(*detail().checks, CheckDetail("OSDMAP_FLAGS", W, "noout", muted=True)))
    assert joined(own, metrics()).differences == ()


def test_an_osd_or_pool_that_only_one_view_knows_is_shown() -> None:
    own = detail(
        tree=(*detail().tree, OsdPlace("osd.9", "osd", 0, "destroyed", is_in=False)),
        pools=(Pool("77", "new", "", None, None, stored_bytes=5.0),),
    )
    found = joined(own, metrics())
    assert found.osds[-1] == Osd("osd.9", "", "", up=False, is_in=False)
    assert found.pools[-1].name == "new"
    assert found.pools[-1].unclean is None


# -- age


def test_a_view_that_is_too_old_is_left_out_while_the_other_is_not() -> None:
    figures = metrics()
    assert joined(detail(), figures, age_s=900, told=False) is figures
    own_alone = joined(detail(), figures, trusted=False)
    assert (own_alone.seen_at, own_alone.growth_bytes_per_s) == (None, None)
    assert {osd.apply_latency_s for osd in own_alone.osds} == {None}


def test_where_both_are_too_old_the_newer_counts() -> None:
    figures = metrics(health=C)
    assert joined(detail(), figures, age_s=900, told=False, trusted=False) is figures
    newer = joined(detail(), dataclasses.replace(figures, seen_at=NOW - timedelta(hours=1)), told=False, trusted=False)
    assert newer.health is W


# -- silence


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("told", [True, False])
def test_without_quorum_no_green_is_shown_however_fresh_the_mgr_looks(trusted: bool, told: bool) -> None:
    green = metrics(health=Severity.OK, checks=())
    found = joined(detail(health=None, checks=(), quorum=LOST), green, trusted=trusted, told=told)
    assert found.health is None
    assert [(mon.name, mon.state, mon.well) for mon in found.mons] == [
        ("mon.a", "probing", False),
        ("mon.b", "unknown", False),
        ("mon.c", "unknown", False),
    ]
    # The last picture stays readable.
    assert len(found.osds) == 6


def test_without_quorum_and_without_metrics_what_was_known_before_is_of_before() -> None:
    before = NOW - timedelta(minutes=9)
    found = joined(detail(health=None, checks=(), quorum=LOST, known_at=before), None)
    assert (found.health, found.told_at, len(found.osds)) == (None, before, 6)
    nothing = joined(CephDetail("stor-1", quorum=LOST), None)
    assert (nothing.health, nothing.osds, len(nothing.mons)) == (None, (), 3)


# -- assembling

CONFIG = Config()


def report(kind: str, value: Any, age_s: float, interval_s: float = 15.0) -> Report:
    """A source that answered so long ago."""
    return Report(kind, kind, f"{kind}.example", interval_s, value=value, taken_at=NOW - timedelta(seconds=age_s))


def test_the_farm_has_the_picture_and_the_detail() -> None:
    own = detail()
    farm = assemble(CONFIG, [report("prometheus", PrometheusView(ceph=metrics()), 1), report("ceph", own, 2)], NOW)
    assert farm.ceph_detail is own
    assert farm.ceph == joined(own, metrics())


def test_a_mgr_that_has_fallen_silent_is_old_though_prometheus_is_fresh() -> None:
    old = metrics(seen_at=NOW - timedelta(minutes=5))
    farm = assemble(CONFIG, [report("prometheus", PrometheusView(ceph=old), 1), report("ceph", detail(), 2)], NOW)
    assert farm.ceph is not None
    assert farm.ceph.seen_at is None


def test_a_detail_that_is_old_gives_way() -> None:
    figures = metrics()
    reports = [report("prometheus", PrometheusView(ceph=figures), 1), report("ceph", detail(), 4_000)]
    assert assemble(CONFIG, reports, NOW).ceph == figures


def test_an_equal_picture_is_the_same_object() -> None:
    def reports(age_s: float) -> list[Report]:
        return [report("prometheus", PrometheusView(ceph=metrics()), 1), report("ceph", detail(), age_s)]

    first = assembly(CONFIG, reports(2), NOW)
    again = assembly(CONFIG, reports(2), NOW, first)
    assert again.farm.ceph is first.farm.ceph
    assert again.farm.ceph_detail is first.farm.ceph_detail
    assert not differs(first.farm, again.farm)


def test_an_osd_in_two_trees_is_one_osd() -> None:
    twice = (*detail().tree, OsdPlace("ssds", "root", 0), OsdPlace("osd.0", "osd", 1, "up", is_in=True))
    assert len(ceph_of(Told(detail(tree=twice), NOW)).osds) == 6
