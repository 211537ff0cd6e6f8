"""What is wrong, worst first: a cause stands for what follows from it, and nothing is told twice."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.alerts import Alert, AlertBook
from farmtui.farm.cluster import Galera, GaleraNode, HealthCheck, SwarmCounts
from farmtui.farm.farm import Farm
from farmtui.farm.node import (
    Guest,
    PveCluster,
    PveHost,
    Sighting,
    Tier,
    TierSummary,
)
from farmtui.farm.state import Freshness, Severity
from farmtui.insight.findings import findings
from farmtui.insight.health import components, overall
from farmtui.status_document import alert_counts
from screens.overview import tiles
from screens.statusline import status_texts
from tests.screens.farms import (
    NOW,
    ago,
    incident,
    make_alert,
    make_book,
    make_farm,
    make_node,
    make_rule,
    make_source,
    many_alerts,
    troubled,
)
from tests.screens.whole import whole_farm
from tests.unit.faulty import down, found, quiet_edge

CRITICAL, WARNING, UNKNOWN, INFO = Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN, Severity.INFO


def test_a_farm_that_is_well_has_no_findings() -> None:
    farm = make_farm(make_book(), nodes=[make_node("cache-1")])
    assert findings(farm) == ()
    assert overall(farm, ()) is Severity.OK


def test_the_worst_comes_first_and_of_equals_the_oldest() -> None:
    book = make_book(
        make_alert("NewCritical", minutes=1),
        make_alert("OldWarning", "warning", minutes=900),
        make_alert("OldCritical", minutes=60),
        make_alert("Note", "info", minutes=5),
    )
    told = [finding.title for finding in findings(make_farm(book))]
    assert told == ["OldCritical", "NewCritical", "OldWarning", "Note"]


def test_watchdogs_silenced_and_inhibited_alerts_are_no_faults() -> None:
    book = make_book(
        make_alert("Watchdog", "none"),
        make_alert("DiskFull", silenced_by=["x"]),
        make_alert("SlowEdge", inhibited_by=["y"]),
    )
    assert findings(make_farm(book)) == ()


def test_what_always_fires_is_counted_nowhere_as_wanting_attention() -> None:
    beats = [
        make_alert("Watchdog", "none"),
        make_alert("Watchdog", "info", replica="b"),
        make_alert("Inhibits", "none"),
    ]
    farm = make_farm(make_book(*beats))
    assert farm.book is not None
    assert set(alert_counts(farm.book).values()) == {0}
    left, _ = status_texts(farm, (), Severity.OK, name="lab", flags=(), crumbs=())
    assert "alerts 0" in left.plain
    assert {part.name: part.summary for part in components(farm, ())}["alerts"].startswith("0 fire")
    assert dict(tiles(farm))["alerts"].value == "0"
    # One of that name that is critical is no heartbeat, and one that informs is counted.
    loud = make_book(make_alert("Watchdog", "critical"), make_alert("Note", "info"), make_alert(silenced_by=["x"]))
    assert alert_counts(loud) == {"critical": 1, "warning": 0, "info": 1, "suppressed": 1}


@pytest.mark.parametrize(
    ("alerts", "state", "fresh", "missed"),
    [
        ([], "firing", Freshness.LIVE, True),
        ([make_alert("Watchdog", "none")], "firing", Freshness.LIVE, False),
        ([make_alert("Watchdog", "none", silenced_by=["x"])], "firing", Freshness.LIVE, False),
        ([], "inactive", Freshness.LIVE, False),
        ([], "firing", Freshness.STALE, False),
    ],
)
def test_a_watchdog_that_does_not_arrive_is_told(
    alerts: list[Alert], state: str, fresh: Freshness, missed: bool
) -> None:
    farm = make_farm(
        make_book(*alerts),
        sources=[make_source("prometheus"), make_source("alertmanager", fresh)],
        rules=[make_rule("Watchdog", state, severity="none"), make_rule("TargetDown")],
    )
    assert ("heartbeat/farm/Watchdog" in found(farm)) is missed
    tile = dict(tiles(farm))["alerts"]
    assert (tile.severity is Severity.WARNING, tile.sub.startswith("no Watchdog, ")) == (missed, missed)


def test_alerts_of_one_name_are_one_finding_however_many() -> None:
    told = findings(many_alerts(5000))
    assert len(told) == 40
    assert {f.title for f in told} == {f"Alert{n:02d} ×125" for n in range(40)}


# -- machines


def test_a_machine_that_is_gone_says_why_since_when_and_where_it_ran() -> None:
    finding = found(make_farm(nodes=[down("cache-2")]))["node/cache-2"]
    assert (finding.severity, finding.title) == (CRITICAL, "cache-2 is down")
    assert finding.cause == "all 2 exporters do not answer"
    assert finding.since == ago(7)
    assert "it runs on pve-1" in finding.evidence
    assert finding.subject == ("node", "cache-2")
    assert finding.screen == "topology"


def test_a_machine_with_a_full_disk_is_not_called_down() -> None:
    node = make_node("db-1", Tier.DATABASE, state=WARNING, why="its fullest disk is 91 % full")
    assert found(make_farm(nodes=[node]))["node/db-1"].title == "db-1 is not well"


def test_an_alert_about_a_machine_that_is_down_becomes_its_evidence_and_brings_the_runbook() -> None:
    book = make_book(
        make_alert("NodeDown", minutes=9, instance="10.0.0.7:9100", runbook="https://runbooks.example/node-down"),
        make_alert("VarnishDown", minutes=8, node="cache-2"),
    )
    farm = make_farm(book, nodes=[down("cache-2", address="10.0.0.7")])
    told = found(farm)
    assert list(told) == ["node/cache-2"]
    finding = told["node/cache-2"]
    assert finding.evidence[-1] == "alerts: NodeDown, VarnishDown"
    assert finding.runbook == "https://runbooks.example/node-down"
    assert finding.since == ago(9)


def test_an_alert_makes_a_milder_finding_as_bad_as_itself() -> None:
    node = make_node("db-1", Tier.DATABASE, address="10.0.0.9", state=WARNING, why="its fullest disk is 91 % full")
    book = make_book(make_alert("DiskFull", "critical", instance="10.0.0.9:9100"))
    assert [f.severity for f in findings(make_farm(book, nodes=[node]))] == [CRITICAL]


def test_a_pve_host_that_is_gone_stands_for_its_guests_and_their_alerts() -> None:
    lost = [down(f"worker-{n}", Tier.APP, address=f"10.0.1.{n}") for n in (1, 2)]
    lost = [
        dataclasses.replace(node, sightings=(*node.sightings, Sighting("proxmox", f"main/{101 + n}", node.name)))
        for n, node in enumerate(lost)
    ]
    guests = tuple(Guest("main", 101 + n, node.name, "qemu", "pve-2", "unknown") for n, node in enumerate(lost))
    hosts = (PveHost("main", "pve-1", "online"), PveHost("main", "pve-2", "offline"))
    farm = dataclasses.replace(
        make_farm(make_book(make_alert("NodeDown", instance="10.0.1.1:9100")), nodes=lost),
        pve=(PveCluster("main", True, hosts, guests),),
        tiers=(TierSummary(Tier.APP, 4, 4, 2, CRITICAL, serving=2),),
    )
    told = found(farm)
    assert list(told) == ["pve-host/main/pve-2"]
    finding = told["pve-host/main/pve-2"]
    assert finding.severity is CRITICAL
    assert "with it: worker-1, worker-2" in finding.evidence
    assert "so WordPress: 2 of 4 serve" in finding.evidence
    assert "alerts: NodeDown" in finding.evidence
    assert finding.subject == ("pve-host", "main/pve-2")


def test_a_pve_cluster_without_quorum_is_critical() -> None:
    farm = dataclasses.replace(make_farm(), pve=(PveCluster("main", False),))
    assert found(farm)["pve-quorum/main"].severity is CRITICAL


def test_many_machines_with_one_trouble_are_one_finding() -> None:
    nodes = [
        make_node(f"worker-{n:02d}", Tier.APP, address=f"10.0.1.{n}", state=WARNING, why="memory 95 % used")
        for n in range(30)
    ]
    told = findings(make_farm(nodes=nodes))
    assert [f.title for f in told] == ["30 WordPress machines are not well"]
    assert told[0].cause == "worker-00, worker-01, worker-02, worker-03, worker-04, worker-05 and 24 more"
    assert told[0].evidence == ("30 of them: memory 95 % used",)


def test_a_tier_that_has_lost_several_machines_is_one_finding() -> None:
    nodes = [down("cache-1"), down("cache-2"), make_node("cache-3")]
    tier = TierSummary(Tier.CACHE, 3, 3, 1, CRITICAL, serving=1)
    farm = dataclasses.replace(make_farm(nodes=nodes), tiers=(tier,))
    told = found(farm)
    assert list(told) == ["tier/cache"]
    assert told["tier/cache"].title == "Cache: 1 of 3 serve"
    assert told["tier/cache"].cause == "down: cache-1, cache-2"


def test_a_machine_that_the_config_expects_and_nobody_has_seen_is_told() -> None:
    tier = TierSummary(Tier.DATABASE, 3, 2, 2, WARNING, serving=2)
    farm = dataclasses.replace(make_farm(), tiers=(tier,))
    assert found(farm)["tier/database"].cause == "1 that the config expects has been seen by no source"


# -- clusters


def galera(*nodes: GaleraNode) -> Farm:
    """A farm that is its database."""
    return dataclasses.replace(make_farm(), galera=Galera(nodes))


def synced(number: int, size: int = 3, **changes: Any) -> GaleraNode:
    """A database node that is well but for the changes."""
    node = GaleraNode(f"db-{number}:9104", True, size, 4, True, True, 0.0, 0, 0.0, 500, 0.0, 40, 400, NOW)
    return dataclasses.replace(node, **changes)


def test_a_galera_that_is_whole_is_no_finding() -> None:
    assert findings(galera(synced(1), synced(2), synced(3))) == ()


def test_a_lost_galera_node_is_one_finding_that_names_the_margin() -> None:
    gone = GaleraNode("db-3:9104", up=False)
    told = found(galera(synced(1, 2), synced(2, 2), gone))
    assert list(told) == ["galera/down/db-3:9104"]
    finding = told["galera/down/db-3:9104"]
    assert finding.severity is CRITICAL
    assert "so Galera has 2 of 3 nodes: one more loss stops every write" in finding.evidence


def test_a_database_node_that_died_before_anybody_looked_is_missed_all_the_same() -> None:
    tier = TierSummary(Tier.DATABASE, 3, 3, 2, WARNING, serving=2)
    farm = dataclasses.replace(galera(synced(1, 2), synced(2, 2)), tiers=(tier,), nodes=(down("db-3", Tier.DATABASE),))
    told = found(farm)
    assert list(told) == ["node/db-3"]
    assert "so Galera has 2 of 3 nodes: one more loss stops every write" in told["node/db-3"].evidence


def test_a_galera_without_a_primary_component_is_an_outage() -> None:
    nodes = (synced(1, 1, primary=False), synced(2, 1, primary=False))
    assert found(galera(*nodes))["galera/quorum"].severity is CRITICAL


def test_a_split_galera_is_told_with_what_each_node_sees() -> None:
    finding = found(galera(synced(1, 2), synced(2, 2), synced(3, 1, primary=False)))["galera/split"]
    assert "db-3:9104 is not in it" in finding.cause
    assert finding.evidence == ("db-1:9104 sees 2", "db-2:9104 sees 2", "db-3:9104 sees 1")


@pytest.mark.parametrize(
    ("changes", "key", "severity"),
    [
        ({"local_state": 2}, "galera/state/db-1:9104", WARNING),
        ({"ready": False}, "galera/ready/db-1:9104", CRITICAL),
        ({"cert_failures_per_s": 3.0}, "galera/certify/db-1:9104", WARNING),
        ({"connections": 390.0}, "galera/connections/db-1:9104", CRITICAL),
    ],
)
def test_troubles_of_a_galera_node(changes: dict[str, Any], key: str, severity: Severity) -> None:
    told = found(galera(synced(1, **changes), synced(2), synced(3)))
    assert {k: f.severity for k, f in told.items()} == {key: severity}


def test_flow_control_is_one_fault_and_names_the_node_that_asks_for_it() -> None:
    # As measured on a real cluster: all nodes are paused alike, and only the slow ones send.
    sent = {1: 0.0, 2: 2.0, 3: 5.0}
    nodes = [synced(n, flow_control_ratio=0.4, flow_control_sent_per_s=rate) for n, rate in sent.items()]
    told = found(galera(*nodes))
    assert list(told) == ["galera/flow"]
    assert told["galera/flow"].severity is CRITICAL
    assert told["galera/flow"].title == "MariaDB on db-3:9104 slows the cluster"
    assert "waits 40 % of the time for db-3:9104 and db-2:9104 to catch up" in told["galera/flow"].cause
    unmeasured = found(galera(*(synced(n, flow_control_ratio=0.1) for n in (1, 2, 3))))["galera/flow"]
    assert unmeasured.severity is WARNING
    assert "not measured" in unmeasured.cause


def test_a_swarm_without_a_leader_is_an_outage_and_lost_nodes_are_counted() -> None:
    leaderless = SwarmCounts("", ("m1",), (), (), None, NOW)
    assert found(dataclasses.replace(make_farm(), swarm=leaderless))["swarm/leader"].severity is CRITICAL
    lost = SwarmCounts("m1", ("m1",), (("ready", 21), ("down", 2)), (("running", 900), ("pending", 7)), 500, NOW)
    told = found(dataclasses.replace(make_farm(), swarm=lost))
    assert told["swarm/nodes"].title == "Swarm has lost 2 of 23 nodes"
    assert told["swarm/pending"].title == "7 Swarm tasks find no node"


# -- the parts


def test_the_parts_name_how_they_are_and_only_what_exists() -> None:
    farm = whole_farm()
    parts = {part.name: part for part in components(farm, findings(farm))}
    assert list(parts) == [
        "edge", "cache", "wordpress", "database", "storage", "network", "monitoring", "alerts", "sources"
    ]  # fmt: skip
    assert parts["edge"].summary.startswith("2.4k/s, 0.4 % errors, p95 380 ms, 3 of 3 machines")
    assert parts["cache"].severity is CRITICAL
    assert parts["database"].severity is Severity.OK
    assert parts["storage"].screen == "storage"
    assert components(make_farm(), ())[0].name == "sources"


def test_every_finding_belongs_to_a_part_that_is_at_least_as_bad() -> None:
    for farm in (whole_farm(), incident(), troubled()):
        told = findings(farm)
        parts = {part.name: part.severity for part in components(farm, told)}
        assert all(parts[finding.part] >= finding.severity for finding in told)
        assert overall(farm, told) >= max(finding.severity for finding in told)


def _with(farm: Farm, part: str, value: Any) -> Farm:
    changes: dict[str, Any] = {part: value}
    return dataclasses.replace(farm, **changes)


_PARTS = ("edge", "cache", "galera", "ceph", "cloud", "book")


@given(st.data())
def test_whatever_is_not_measured_or_missing_breaks_nothing(data: st.DataObject) -> None:
    farm = whole_farm()
    for part in _PARTS:
        value = getattr(farm, part)
        if value is None or isinstance(value, AlertBook):
            continue
        absent = {
            field.name: data.draw(st.sampled_from((None, math.nan)))
            for field in dataclasses.fields(value)
            if isinstance(getattr(value, field.name), float) and data.draw(st.booleans())
        }
        kept = None if data.draw(st.booleans()) else dataclasses.replace(value, **absent)
        farm = _with(farm, part, kept)
    told = findings(farm)
    assert components(farm, told)
    for finding in told:
        assert finding.title
        assert finding.cause
        assert "None" not in " ".join((finding.title, finding.cause, *finding.evidence))


def test_an_alert_belongs_to_the_finding_that_its_name_says_most_of() -> None:
    ceph = whole_farm().ceph
    assert ceph is not None
    checks = (HealthCheck("OSD_DOWN", WARNING), HealthCheck("PG_DAMAGED", CRITICAL))
    book = make_book(make_alert("CephPgDamaged"), make_alert("CephOsdDown"), make_alert("RaidErrors"))
    farm = dataclasses.replace(
        make_farm(book), ceph=dataclasses.replace(ceph, checks=checks), edge=quiet_edge(error_ratio=0.06)
    )
    told = found(farm)
    assert told["ceph/PG_DAMAGED"].evidence[-1] == "alerts: CephPgDamaged"
    assert told["ceph/OSD_DOWN"].evidence[-1] == "alerts: CephOsdDown"
    assert "alert/RaidErrors" in told, "not every error is one of the edge"
