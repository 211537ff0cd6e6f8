"""Faults of networks, and how bad a network is: what is not measured is never well."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from farmtui.farm.cluster import Ceph, HealthCheck
from farmtui.farm.farm import Farm
from farmtui.farm.network_join import Surroundings, interconnects, networks
from farmtui.farm.networks import Hop, Interface, NetworkPlan, Tunnel, Wires
from farmtui.farm.state import Severity
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.insight.networks import flaws, network_state
from tests.unit.network_farms import CACHES, CEPH, EDGE, NOW, STOR, eth, ping
from tests.unit.test_findings_ceph import ceph as ceph_of

OK, WARNING, CRITICAL, UNKNOWN = Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN
NODES = (*STOR, *CACHES, EDGE)


def farm_of(wires: Wires, *plans: NetworkPlan, nodes: Any = NODES, ceph: Ceph | None = None) -> Farm:
    """A farm with what these wires tell."""
    nets = networks(plans, wires, Surroundings(nodes))
    return Farm("lab", NOW, nodes=nodes, networks=nets, interconnects=interconnects(nets), ceph=ceph)


def told(farm: Farm) -> dict[str, Finding]:
    """The findings about networks, by key."""
    return {f.key: f for f in findings(farm) if f.part == "network"}


def state(farm: Farm, name: str) -> Severity:
    return network_state(farm, next(net for net in farm.networks if net.name == name))


def probed(*hops: Hop, **more: Any) -> Farm:
    return farm_of(Wires(hops=hops, **more))


def test_a_farm_whose_networks_are_well_has_no_finding() -> None:
    farm = farm_of(replace(CEPH, hops=(ping(), ping("10.20.2.11", job="cache-net", latency_s=0.001))))
    assert told(farm) == {}
    assert {net.name: network_state(farm, net) for net in farm.networks} == {
        "interconnect": OK, "cache-net": OK, "ceph-public": UNKNOWN, "ceph-cluster": OK,
    }  # fmt: skip


def test_an_interconnect_that_nothing_measures_is_not_known_to_be_well_and_no_alarm() -> None:
    farm = farm_of(Wires())
    assert (state(farm, "interconnect"), told(farm)) == (UNKNOWN, {})
    # Its interface is as well as ever while nothing gets through.
    only = farm_of(Wires(interfaces=(Interface("10.20.1.11:9100", "wg0", (), 1420.0),)))
    assert state(only, "interconnect") is UNKNOWN


@pytest.mark.parametrize(
    ("latency_s", "severity"), [(0.0299, OK), (0.03, WARNING), (0.149, WARNING), (0.15, CRITICAL), (None, OK)]
)
def test_a_slow_interconnect(latency_s: float | None, severity: Severity) -> None:
    farm = probed(ping(latency_s=latency_s, worst_s=0.2))
    assert state(farm, "interconnect") is severity
    found = told(farm).get("network/slow/interconnect")
    assert (found.severity if found else OK) is severity
    if found:
        assert found.title.startswith("the interconnect takes ")
        assert found.evidence == ("the slow ones take 200 ms", "on it: 3 machines at PVE | 4 machines at DO")


def test_what_is_slow_can_be_said_in_the_config() -> None:
    kind = networks((), Wires(), Surroundings(NODES))[0].kind
    far = NetworkPlan("sea-cable", kind, jobs=("interconnect",), slow_s=0.2)
    assert told(farm_of(Wires(hops=(ping(latency_s=0.19),)), far)) == {}
    found = told(farm_of(Wires(hops=(ping(latency_s=1.1),)), far))
    assert found["network/slow/sea-cable"].severity is CRITICAL


@pytest.mark.parametrize(("loss", "severity"), [(0.009, OK), (0.01, WARNING), (0.2, CRITICAL), (None, OK)])
def test_a_lossy_interconnect(loss: float | None, severity: Severity) -> None:
    found = told(probed(ping(loss_ratio=loss))).get("network/loss/interconnect")
    assert (found.severity if found else OK) is severity


@pytest.mark.parametrize(
    ("loss", "now", "severity", "recovering"),
    [
        (0.43, 0.0, WARNING, True),
        (0.43, 0.009, WARNING, True),
        (0.43, 0.01, CRITICAL, False),
        # What is not measured proves nothing, nor does a minute without a loss where few are lost.
        (0.43, None, CRITICAL, False),
        (0.43, math.nan, CRITICAL, False),
        (0.1, 0.0, WARNING, False),
        (0.0, 0.0, OK, False),
    ],
)
def test_a_line_that_has_lost_nothing_for_a_minute_recovers(
    loss: float, now: float | None, severity: Severity, recovering: bool
) -> None:
    found = told(probed(ping(loss_ratio=loss, loss_now_ratio=now))).get("network/loss/interconnect")
    assert (found.severity if found else OK) is severity
    assert (found is not None and "recovers" in found.title) is recovering
    if recovering and found is not None:
        assert "lost now, 43 % in 5 min" in found.title
        assert "43 % of those of five minutes" in found.cause


def test_a_path_that_recovers_hides_none_that_does_not() -> None:
    back = ping("vpn-1", loss_ratio=0.6, loss_now_ratio=0.0)
    found = told(probed(back, ping("vpn-2", loss_ratio=0.3, loss_now_ratio=0.3)))["network/loss/interconnect"]
    assert (found.severity, found.title) == (CRITICAL, "the interconnect loses 30 %")


def test_one_that_is_down_is_told_once_with_what_is_behind_it() -> None:
    dark = tuple(replace(node, serving=False) for node in STOR)
    wires = Wires(hops=(ping(up=False, loss_ratio=1.0),), tunnels=(Tunnel("10.20.1.11:9586", "wg0", "pve", 900.0),))
    found = told(farm_of(wires, nodes=(*dark, *CACHES, EDGE)))
    assert list(found) == ["interconnect/down"]
    assert found["interconnect/down"].evidence[-1] == "behind it: stor-1, stor-2, stor-3"


@pytest.mark.parametrize(
    ("age_s", "text"), [(299.0, ""), (301.0, "no handshake for 5m 1s"), (None, "no handshake ever")]
)
def test_handshakes(age_s: float | None, text: str) -> None:
    farm = probed(ping(), tunnels=(Tunnel("10.20.1.11:9586", "wg0", "pve", age_s, NOW),))
    found = told(farm).get("network/handshake/interconnect")
    assert (found.title if found else "") == (f"the interconnect: {text}" if text else "")
    assert state(farm, "interconnect") is (WARNING if text else OK)


def test_machines_of_one_network_with_different_mtus() -> None:
    wires = replace(CEPH, interfaces=(eth(1), eth(2, mtu_bytes=1500.0), eth(3)))
    found = told(farm_of(wires))["network/mtu/ceph-cluster"]
    assert (found.severity, found.title) == (WARNING, "ceph-cluster: MTU 1500 and 9000")
    assert found.cause.startswith("stor-2 has not the MTU of the others (9000)")
    assert found.evidence == ("MTU 1500: stor-2", "MTU 9000: stor-1, stor-3", "on it: 2 of 6 OSDs (stor-2)")


def test_a_machine_that_is_down_does_not_count() -> None:
    wires = replace(CEPH, interfaces=(eth(1), eth(2, mtu_bytes=1500.0, errors_per_s=9.0), eth(3)))
    nodes = (STOR[0], replace(STOR[1], serving=False), STOR[2])
    assert told(farm_of(wires, nodes=nodes)) == {}


def test_a_link_that_is_slower_than_the_others() -> None:
    wires = replace(CEPH, interfaces=(eth(1), eth(2, speed_bytes_per_s=1.25e8), eth(3)))
    assert told(farm_of(wires))["network/speed/ceph-cluster"].cause.startswith("stor-2: the link has negotiated less")


@pytest.mark.parametrize(
    ("errors", "drops", "keys"),
    [(0.05, 5.0, []), (0.2, 5.0, ["errors"]), (0.0, 25.0, ["drops"]), (150.0, 3e3, ["errors", "drops"])],
)
def test_interfaces_that_wear_out(errors: float, drops: float, keys: list[str]) -> None:
    wires = replace(CEPH, interfaces=(eth(1), eth(2), eth(3, errors_per_s=errors, drops_per_s=drops)))
    found = told(farm_of(wires))
    assert sorted(found) == sorted(f"network/{kind}/ceph-cluster" for kind in keys)
    assert all(f.severity is (CRITICAL if errors > 100 else WARNING) for f in found.values())


def test_a_machine_that_is_missing_from_its_network_while_it_runs() -> None:
    wires = replace(CEPH, interfaces=(eth(1), eth(2), replace(eth(3), carrier=False)))
    found = told(farm_of(wires))["network/missing/ceph-cluster"]
    assert (found.title, found.subject) == ("ceph-cluster: stor-3 missing", ("node", "stor-3"))
    assert found.cause == "stor-3: eth1 has no link; the machine itself runs"


def test_a_cache_that_the_edge_does_not_reach() -> None:
    hops = tuple(ping(f"10.20.2.1{n}", job="cache-net", up=n != 2, latency_s=0.001) for n in (1, 2, 3))
    found = told(probed(*hops))["network/unreachable/cache-net"]
    assert (found.severity, found.title) == (WARNING, "cache-net: cache-2 not reached")
    assert found.evidence == ("on it: 1 of 3 cache nodes",)
    none = told(probed(*(replace(hop, up=False) for hop in hops)))
    assert none["network/down/cache-net"].severity is CRITICAL


def test_cephs_own_word_colours_its_network_and_is_not_told_twice() -> None:
    check = HealthCheck("OSD_SLOW_PING_TIME_BACK", WARNING)
    ceph = ceph_of(health=WARNING, checks=(check,))
    farm = farm_of(CEPH, ceph=ceph)
    assert state(farm, "ceph-cluster") is WARNING
    assert [flaw.text for flaw in flaws(farm, farm.networks[-1])] == ["slow heartbeats"]
    assert told(farm) == {}
