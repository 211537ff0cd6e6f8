"""What is found with Ceph's own word: quorum lost, silence, refusal, and each check in Ceph's own words."""

from __future__ import annotations

import dataclasses

import pytest

from farmtui.farm.ceph_detail import CephDetail, CheckDetail, MonQuorum
from farmtui.farm.cluster import HealthCheck
from farmtui.farm.farm import Farm
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.insight.health import components, overall
from tests.screens.farms import ago, make_alert, make_book, make_failure, make_farm, make_source
from tests.screens.whole import whole_farm

WHY = "quorum lost: mon.a sees state probing; ceph status reaches no mon within 5 s (on stor-1)"


def farm_with(detail: CephDetail | None, **more: object) -> Farm:
    """A farm of Ceph alone: its metrics are live and say HEALTH_WARN."""
    sources = (make_source("prometheus"), make_source("ceph", warnings=detail.problems if detail else ()))
    farm = make_farm(sources=sources)
    return dataclasses.replace(farm, ceph=whole_farm().ceph, ceph_detail=detail, **more)  # type: ignore[arg-type]


def found(farm: Farm) -> dict[str, Finding]:
    """The findings by key."""
    return {finding.key: finding for finding in findings(farm)}


def silent(lost: bool) -> CephDetail:
    """Ceph does not answer."""
    quorum = MonQuorum(("a", "b", "c"), lost=lost, why=WHY)
    return CephDetail("stor-1", quorum=quorum, problems=(WHY,))


def test_quorum_lost_is_critical_and_all_that_is_said_of_ceph() -> None:
    farm = farm_with(silent(lost=True))
    told = found(farm)
    assert list(told) == ["ceph/quorum"]
    finding = told["ceph/quorum"]
    assert (finding.severity, finding.title, finding.screen) == (Severity.CRITICAL, "Ceph has no quorum", "storage")
    assert finding.evidence == (
        WHY,
        "the mgr still serves the figures of before",
        "first: 2 of 3 mons must run and see each other: systemctl start ceph-mon@ID on their hosts",
    )
    [part] = [part for part in components(farm, findings(farm)) if part.name == "storage"]
    assert part.severity is Severity.CRITICAL
    assert part.summary.startswith("Ceph has no quorum, before that 5 of 6 OSDs up")
    assert overall(farm, findings(farm)) is Severity.CRITICAL


def test_a_ceph_that_does_not_answer_is_unknown_and_no_more_is_claimed() -> None:
    told = found(farm_with(silent(lost=False)))
    assert list(told) == ["ceph/silent"]
    assert (told["ceph/silent"].severity, told["ceph/silent"].title) == (Severity.UNKNOWN, "Ceph does not answer")
    assert WHY in told["ceph/silent"].evidence


def test_without_the_mgr_s_figures_nothing_is_said_of_them() -> None:
    farm = farm_with(silent(lost=True))
    assert farm.ceph is not None
    gone = dataclasses.replace(farm.ceph, seen_at=ago(10))
    for ceph in (None, gone):
        evidence = found(dataclasses.replace(farm, ceph=ceph))["ceph/quorum"].evidence
        assert "the mgr still serves the figures of before" not in evidence
    stalled = dataclasses.replace(gone, stalled=True)
    evidence = found(dataclasses.replace(farm, ceph=stalled))["ceph/quorum"].evidence
    assert "the mgr still serves the figures of before" in evidence, "it repeats them"


def test_an_alert_of_the_mons_belongs_to_the_lost_quorum() -> None:
    book = make_book(make_alert("CephMonQuorumAtRisk", runbook="https://runbooks.example/mon"))
    told = found(farm_with(silent(lost=True), book=book))
    assert list(told) == ["ceph/quorum"]
    assert told["ceph/quorum"].runbook == "https://runbooks.example/mon"


def test_a_source_that_is_refused_is_told_and_the_metrics_go_on() -> None:
    failure = make_failure(FailureKind.FORBIDDEN, "ceph at stor-1: ceph status: client.x is not let in", "ceph auth")
    sources = (make_source("prometheus"), make_source("ceph", Freshness.FORBIDDEN, answered=None, failure=failure))
    told = found(dataclasses.replace(farm_with(None), sources=sources))
    refused = told["source/ceph"]
    assert (refused.severity, refused.title) == (Severity.WARNING, "ceph refuses us")
    assert refused.cause == failure.what
    assert "→ ceph auth" in refused.evidence
    assert told["ceph/OSD_DOWN"].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("left", "words"), [(40, "and 43 lines more"), (0, "and 3 lines more"), (-2, "and 1 line more")]
)
def test_a_check_is_told_in_ceph_s_own_words(left: int, words: str) -> None:
    lines = tuple(f"osd.{n} (root=default,host=stor-2) is down" for n in range(5 + min(left, 0)))
    own = CheckDetail("OSD_DOWN", Severity.WARNING, "5 osds down", lines, lines_left=max(left, 0))
    told = found(farm_with(CephDetail("stor-1", health=Severity.WARNING, checks=(own,))))
    evidence = told["ceph/OSD_DOWN"].evidence
    assert evidence[0] == "5 osds down"
    assert evidence[1] == f"{lines[0]}; {lines[1]}; {words}"


def test_a_mgr_that_is_gone_is_told_before_ceph_complains_of_it_and_once() -> None:
    own = CephDetail("stor-1", health=Severity.OK, mgr="")
    told = found(farm_with(own))
    assert (told["ceph/mgr"].severity, told["ceph/mgr"].title) == (Severity.WARNING, "Ceph has no active mgr")
    complains = dataclasses.replace(own, checks=(CheckDetail("MGR_DOWN", Severity.WARNING, "no active mgr"),))
    assert "ceph/mgr" not in found(farm_with(complains))
    assert "ceph/mgr" not in found(farm_with(dataclasses.replace(own, mgr=None)))
    assert "ceph/mgr" not in found(farm_with(dataclasses.replace(own, mgr="x")))


def test_a_muted_check_is_no_fault() -> None:
    farm = farm_with(CephDetail("stor-1", health=Severity.OK))
    assert farm.ceph is not None
    muted = (HealthCheck("OSD_DOWN", Severity.WARNING, muted=True),)
    farm = dataclasses.replace(farm, ceph=dataclasses.replace(farm.ceph, health=Severity.OK, checks=muted))
    assert found(farm) == {}
