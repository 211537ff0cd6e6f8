"""What is wrong with Ceph: causes before consequences, and never well where nobody knows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from farmtui.farm.cluster import Ceph, CephDaemon, HealthCheck, Osd
from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.ceph_recovery import pace_words
from tests.screens.farms import ago, make_alert, make_book, make_farm, make_source
from tests.screens.whole import whole_farm
from tests.unit.faulty import down, found

CRITICAL, WARNING, UNKNOWN, INFO = Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN, Severity.INFO


def ceph(**changes: Any) -> Ceph:
    """A cluster of which an OSD is down, with changes."""
    whole = whole_farm().ceph
    assert whole is not None
    return dataclasses.replace(whole, **changes)


def farm_of(cluster: Ceph, **parts: Any) -> Farm:
    """A farm of nothing but Ceph."""
    return dataclasses.replace(make_farm(**parts), ceph=cluster)


def checks(*names: str) -> tuple[HealthCheck, ...]:
    """Checks that are raised as warnings."""
    return tuple(HealthCheck(name, WARNING) for name in names)


def well(**changes: Any) -> Ceph:
    """A cluster of which nothing is wrong, with changes."""
    osds = tuple(dataclasses.replace(osd, up=True) for osd in ceph().osds)
    return ceph(health=Severity.OK, checks=(), osds=osds, flags=(), **changes)


def test_of_cephs_checks_the_cause_stands_for_its_consequences() -> None:
    farm = dataclasses.replace(make_farm(), ceph=whole_farm().ceph)
    told = found(farm)
    assert list(told) == ["ceph/OSD_DOWN"]
    evidence = " | ".join(told["ceph/OSD_DOWN"].evidence)
    assert "osd.3 on stor-2" in evidence
    assert "43k degraded" in evidence
    assert "at 120/s, 6m 14s left" in evidence
    assert "so Ceph PG_DEGRADED" in evidence


def test_osds_of_a_machine_that_is_gone_are_the_machines_finding() -> None:
    farm = dataclasses.replace(make_farm(nodes=[down("stor-2", Tier.STORAGE)]), ceph=whole_farm().ceph)
    told = found(farm)
    assert list(told) == ["node/stor-2"]
    assert "so Ceph OSD_DOWN" in told["node/stor-2"].evidence


def test_a_ceph_check_that_nobody_has_heard_of_is_told_all_the_same() -> None:
    ceph = whole_farm().ceph
    assert ceph is not None
    strange = dataclasses.replace(ceph, checks=(HealthCheck("FROBNICATOR_STUCK", CRITICAL),))
    finding = found(dataclasses.replace(make_farm(), ceph=strange))["ceph/FROBNICATOR_STUCK"]
    assert finding.severity is CRITICAL
    assert finding.cause


def test_a_ceph_that_nobody_hears_is_unknown_and_never_well() -> None:
    ceph = whole_farm().ceph
    assert ceph is not None
    farm = dataclasses.replace(make_farm(), ceph=dataclasses.replace(ceph, health=None, checks=(), seen_at=ago(12)))
    finding = found(farm)["ceph/unknown"]
    assert (finding.severity, finding.evidence) == (UNKNOWN, ("last heard 12 min ago",))


@pytest.mark.parametrize(
    ("used", "growth", "severity"),
    [(0.5, 1e5, None), (0.86, 0.0, WARNING), (0.96, 0.0, CRITICAL), (0.5, 1e7, CRITICAL)],
)
def test_capacity_is_told_before_it_is_used_up(used: float, growth: float, severity: Severity | None) -> None:
    ceph = whole_farm().ceph
    assert ceph is not None
    ceph = dataclasses.replace(
        ceph, health=Severity.OK, checks=(), total_bytes=5e12, used_bytes=used * 5e12, growth_bytes_per_s=growth
    )
    told = found(dataclasses.replace(make_farm(), ceph=ceph))
    assert (told["ceph/capacity"].severity if told else None) is severity


def test_a_host_stands_for_its_osds_its_mon_and_what_their_data_lacks() -> None:
    osds = tuple(Osd(f"osd.{n}", f"stor-{n // 2 + 1}.example", "ssd", up=n // 2 != 1, is_in=True) for n in range(6))
    mons = tuple(
        CephDaemon(f"mon.{n}", f"stor-{n}.example", "quorum" if n != 2 else "out", well=n != 2) for n in (1, 2, 3)
    )
    raised = checks("MON_DOWN", "OSD_DOWN", "OSD_HOST_DOWN", "PG_DEGRADED")
    told = found(farm_of(ceph(checks=raised, osds=osds, mons=mons)))
    assert list(told) == ["ceph/OSD_HOST_DOWN"]
    follow = {piece for piece in told["ceph/OSD_HOST_DOWN"].evidence if piece.startswith("so ")}
    assert follow == {"so Ceph MON_DOWN", "so Ceph OSD_DOWN", "so Ceph PG_DEGRADED"}
    # Another mon is another fault.
    mons = (*mons[1:], dataclasses.replace(mons[0], state="out", well=False))
    told = found(farm_of(ceph(checks=raised, osds=osds, mons=mons)))
    assert set(told) == {"ceph/OSD_HOST_DOWN", "ceph/MON_DOWN"}


def test_any_kind_of_bucket_that_is_down_names_its_osds() -> None:
    finding = found(farm_of(ceph(checks=checks("OSD_POD_DOWN"))))["ceph/OSD_POD_DOWN"]
    assert "osd.3 on stor-2" in finding.evidence


def test_an_osd_that_is_down_and_out_is_told_though_ceph_is_well() -> None:
    osds = tuple(dataclasses.replace(osd, up=osd.id != "osd.3", is_in=osd.id != "osd.3") for osd in ceph().osds)
    cluster = dataclasses.replace(well(), osds=osds)
    told = found(farm_of(cluster))
    assert {key: (finding.severity, finding.title) for key, finding in told.items()} == {
        "ceph/out": (INFO, "1 OSD is down and out")
    }
    assert "osd.3 on stor-2" in told["ceph/out"].evidence
    # Of a machine that is gone it is no news.
    gone = farm_of(cluster, nodes=[down("stor-2", Tier.STORAGE)])
    assert list(found(gone)) == ["node/stor-2"]


@pytest.mark.parametrize("name", ["OSD_NEARFULL", "OSD_BACKFILLFULL", "OSD_FULL"])
def test_the_fullest_osds_are_named(name: str) -> None:
    finding = found(farm_of(ceph(checks=checks(name))))[f"ceph/{name}"]
    assert "osd.5 on stor-3 75 %, osd.4 on stor-3 70 %, osd.3 on stor-2 65 % and 3 more" in finding.evidence


@pytest.mark.parametrize("name", ["OSD_NEARFULL", "OSD_BACKFILLFULL", "OSD_FULL"])
def test_full_osds_and_a_full_cluster_are_one_finding(name: str) -> None:
    book = make_book(make_alert("CephCapacity"), make_alert("CephHealthError"))
    full = ceph(checks=checks(name, "POOL_FULL"), used_bytes=93.0, total_bytes=100.0, osds=())
    told = found(farm_of(full, book=book))
    assert "ceph/capacity" not in told
    one = told[f"ceph/{name}"]
    # As bad as the worse of the two, and all alerts of both are of it.
    assert (one.severity, set(one.alerts)) == (CRITICAL, {"CephCapacity", "CephHealthError"})
    assert "Ceph is 93 % full: " in one.evidence[0]
    assert set(told) <= {f"ceph/{name}", "ceph/POOL_FULL"}


def test_a_check_that_is_muted_hides_no_capacity() -> None:
    muted = (HealthCheck("OSD_FULL", WARNING, muted=True),)
    assert "ceph/capacity" in found(farm_of(ceph(checks=muted, used_bytes=93.0, total_bytes=100.0, osds=())))


def test_pools_with_damaged_groups_and_daemons_with_slow_operations_are_named() -> None:
    first, *others = ceph().pools
    broken = dataclasses.replace(first, pg_states=(("clean", 64), ("inconsistent", 2)))
    cluster = ceph(
        checks=checks("OSD_SCRUB_ERRORS", "PG_DAMAGED", "SLOW_OPS"),
        pools=(broken, *others),
        slow_ops=10.0,
        slow_daemons=(("osd.4", 7), ("osd.1", 3)),
    )
    told = found(farm_of(cluster))
    assert set(told) == {"ceph/OSD_SCRUB_ERRORS", "ceph/SLOW_OPS"}
    assert "2 inconsistent in pool cephfs.data" in told["ceph/OSD_SCRUB_ERRORS"].evidence
    slow = told["ceph/SLOW_OPS"].evidence
    assert "they wait in osd.4 (7), osd.1 (3), perhaps for an OSD that is not among these" in slow


def test_mons_that_decide_nothing_are_an_outage_whatever_the_mgr_says() -> None:
    told = found(farm_of(dataclasses.replace(well(), health=None, stalled=True, seen_at=ago(3))))
    assert list(told) == ["ceph/stalled"]
    assert told["ceph/stalled"].severity is CRITICAL
    assert "no mon has committed anything for 3 min or longer" in told["ceph/stalled"].evidence[0]


def test_a_mgr_that_is_gone_leaves_the_health_unknown_though_the_last_was_ok() -> None:
    gone = dataclasses.replace(well(), seen_at=ago(4))
    told = found(farm_of(gone))
    assert list(told) == ["ceph/unknown"]
    assert (told["ceph/unknown"].severity, told["ceph/unknown"].evidence) == (UNKNOWN, ("last heard 4 min ago: ok",))
    # Where Prometheus itself is silent, that is what is wrong.
    silent = make_source("prometheus", Freshness.STALE, answered=4.0)
    assert "ceph/unknown" not in found(farm_of(gone, sources=[silent]))
    # A poll that was missed is no fault.
    assert found(farm_of(dataclasses.replace(well(), seen_at=ago(0.6)))) == {}


def mds(name: str, state: str, *, is_well: bool = True) -> CephDaemon:
    """An MDS."""
    return CephDaemon(name, "stor-1", state, well=is_well)


def test_a_silent_mds_that_nobody_replaces_is_an_outage() -> None:
    silent = mds("mds.a", "silent, rank 0", is_well=False)
    raised = checks("MDS_INSUFFICIENT_STANDBY")
    told = found(farm_of(dataclasses.replace(well(), checks=raised, health=WARNING, mdss=(silent,))))
    assert list(told) == ["ceph/mds-silent"]
    finding = told["ceph/mds-silent"]
    assert (finding.severity, finding.title) == (CRITICAL, "CephFS: mds.a is silent")
    assert "12 clients have not been heard for two minutes; Ceph goes on calling it active" in finding.evidence
    assert "so Ceph MDS_INSUFFICIENT_STANDBY" in finding.evidence
    # With a standby the mons replace it, in seconds: neither of them is heard, or there is nobody to hear.
    told = found(farm_of(dataclasses.replace(well(), mdss=(silent, mds("mds.b", "standby")))))
    assert {key: finding.severity for key, finding in told.items()} == {"ceph/mds-silent": UNKNOWN}


def test_a_file_system_without_any_mds_is_one_finding() -> None:
    raised = (HealthCheck("MDS_ALL_DOWN", CRITICAL),
              *checks("FS_DEGRADED", "FS_WITH_FAILED_MDS", "MDS_INSUFFICIENT_STANDBY"))  # fmt: skip
    told = found(farm_of(dataclasses.replace(well(), checks=raised, health=CRITICAL, mdss=())))
    assert list(told) == ["ceph/MDS_ALL_DOWN"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "at 120/s, 6m 14s left"),
        ({"objects_left_slope_per_s": -44_900.0 / 60}, "at 748/s, 1m left"),
        ({"objects_left_slope_per_s": -1e6}, "at 1.0M/s, 1.0 s left"),
        ({"objects_left_slope_per_s": -0.001}, "at <0.01/s, over 30 d left"),
        ({"objects_left_slope_per_s": 5.0}, "recovering, no ETA yet"),
        ({"objects_left_slope_per_s": -44.9, "recovering_objects_per_s": 0.0}, "standing still"),
        (
            {"objects_left_slope_per_s": -44.9, "recovering_objects_per_s": 0.0, "pg_states": (("backfilling", 1),)},
            "at 45/s, 16m 40s left",
        ),
    ],
)
def test_the_pace_of_a_recovery_in_words(changes: dict[str, Any], words: str) -> None:
    assert pace_words(ceph(**changes)) == words
