"""A farm without Prometheus, or whose section on it is wrong: nobody has looked, which is not that nothing serves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from farmtui.config.salvage import salvage
from farmtui.farm.farm import Farm, PrometheusView
from farmtui.farm.node import CloudAccount, Droplet
from farmtui.farm.reading import Failure, FailureKind
from farmtui.farm.state import Severity
from farmtui.insight.findings import findings
from farmtui.insight.health import components
from farmtui.polling.assemble import assemble
from farmtui.polling.report import Report
from screens.overview import tiles
from tests.unit.polling_stage import START

TIERS = "tiers: {edge: {match: ['edge-*'], expect: 3}, cache: {match: ['cache-*'], expect: 3}}\n"


def droplets(*names: str, status: str = "active") -> Report:
    """DigitalOcean's list, just asked for."""
    listed = tuple(
        Droplet(n, name, status, "fra1", "s-8", Decimal(96), 8, 1.6e10, 1e11) for n, name in enumerate(names)
    )
    return Report(
        "digitalocean", "digitalocean", "http://api", 60.0, CloudAccount(droplets=listed), START, attempted_at=START
    )


def farm_of(*reports: Report, prometheus: str = "") -> Farm:
    """The farm of a config in which there is whatever of Prometheus."""
    found = salvage(f"{prometheus}digitalocean: {{token: env:T}}\n{TIERS}", Path("farmtui.yaml"))
    assert bool(found.mistakes) == bool(prometheus)
    return assemble(found.config, reports, START)


@pytest.mark.parametrize("prometheus", ["", "prometheus: {url: ftp://p}\n"])
def test_what_only_prometheus_could_see_is_unknown_without_it(prometheus: str) -> None:
    farm = farm_of(droplets("box-1", "box-2"), prometheus=prometheus)
    told = {finding.key: finding for finding in findings(farm)}
    assert [key for key in told if told[key].severity > Severity.INFO] == ["unwatched"]
    one = told["unwatched"]
    assert (one.severity, one.title) == (Severity.UNKNOWN, "Prometheus is not configured")
    assert one.cause == "nobody has looked at 6 machines that the config expects"
    assert {"so Cache: 3 of 3 not seen", "so Edge: 3 of 3 not seen"} < set(one.evidence)
    parts = {part.name: part for part in components(farm, findings(farm))}
    assert dict(tiles(farm))["machines"].value == "–"
    assert (parts["cache"].severity, parts["cache"].summary) == (Severity.UNKNOWN, "none of 3 machines seen")


def test_what_is_left_out_of_a_tier_that_is_half_seen_is_unknown_too() -> None:
    farm = farm_of(droplets("cache-1", "edge-1", "edge-2", "edge-3"))
    told = {finding.key: finding for finding in findings(farm)}
    assert list(told) == ["unwatched"]
    assert "so Cache: 2 of 3 not seen" in told["unwatched"].evidence


def test_what_a_provider_says_is_off_is_critical_all_the_same() -> None:
    names = ("edge-1", "edge-2", "edge-3", "cache-1", "cache-2", "cache-3")
    told = {finding.key: finding for finding in findings(farm_of(droplets(*names, status="off")))}
    assert told["tier/cache"].severity is Severity.CRITICAL
    assert told["tier/cache"].title == "Cache: 0 of 3 serve"


def test_where_prometheus_looks_and_sees_nothing_the_tier_is_gone() -> None:
    looked = Report("prometheus", "prometheus", "http://p", 15.0, PrometheusView(), START, attempted_at=START)
    found = salvage(f"prometheus: {{url: http://p}}\n{TIERS}", Path("farmtui.yaml"))
    told = {finding.key: finding for finding in findings(assemble(found.config, [looked], START))}
    assert told["tier/cache"].severity is Severity.CRITICAL


FAILS = Failure(FailureKind.UNREACHABLE, "connection refused", "check that the service runs there")
SOURCES = ("prometheus", "prometheus trends", "prometheus sites")


@pytest.mark.parametrize("age_s", [None, 5, 4_000])
def test_a_dead_prometheus_is_one_finding(age_s: float | None) -> None:
    found = salvage(f"prometheus: {{url: http://p}}\n{TIERS}", Path("farmtui.yaml"))
    taken = None if age_s is None else START - timedelta(seconds=age_s)
    value = None if age_s is None else PrometheusView()
    silent = [
        Report(name, "prometheus", "http://p", 15.0, value if name == "prometheus" else None, taken,
               attempted_at=START, failure=FAILS, failures_in_a_row=3)
        for name in SOURCES
    ]  # fmt: skip
    farm = assemble(found.config, silent, START)
    told = {finding.key: finding for finding in findings(farm)}
    if age_s == 5:
        # Its last picture is young: that the machines were not in it is known.
        assert {key for key in told if told[key].severity > Severity.INFO} - {"tier/edge", "tier/cache"} == {
            "source/prometheus"
        }
        return
    assert list(told) == ["source/prometheus"]
    assert told["source/prometheus"].severity is Severity.UNKNOWN
    assert {"so prometheus trends does not answer", "so prometheus sites does not answer"} < set(
        told["source/prometheus"].evidence
    )


def test_a_source_that_fails_alone_is_told_alone() -> None:
    found = salvage("prometheus: {url: http://p}\n", Path("farmtui.yaml"))
    reports = [
        Report("prometheus", "prometheus", "http://p", 15.0, PrometheusView(), START, attempted_at=START),
        Report("prometheus sites", "prometheus", "http://p", 15.0, None, None, attempted_at=START, failure=FAILS,
               failures_in_a_row=3),
    ]  # fmt: skip
    keys = [finding.key for finding in findings(assemble(found.config, reports, START))]
    assert "source/prometheus sites" in keys
