"""Which networks a farm has, and who is in them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.network_join import Surroundings, interconnects, networks
from farmtui.farm.networks import Hop, Interface, Network, NetworkKind, NetworkPlan, ProbedBy, Tunnel, Wires
from farmtui.farm.swarm import SwarmCluster, SwarmNetwork, SwarmService, SwarmTask
from farmtui.farm.traffic import Backend
from tests.unit.network_farms import CACHES, CEPH, EDGE, NOW, STOR, eth, ping, seats

NODES = Surroundings((*STOR, *CACHES, EDGE))
ALONE = Surroundings(STOR)


def named(found: tuple[Network, ...], name: str) -> Network:
    return next(network for network in found if network.name == name)


def test_a_farm_that_tells_of_no_network_has_none() -> None:
    assert networks((), Wires(), Surroundings()) == ()
    assert networks((), Wires(), ALONE) == ()


def test_a_hybrid_farm_has_an_interconnect_even_where_nothing_measures_it() -> None:
    found = named(networks((), Wires(), NODES), "interconnect")
    assert (found.hops, found.members, found.latency_s, found.loss_ratio) == ((), (), None, None)
    assert found.why == "machines at two providers"


def test_cephs_networks_are_found_by_its_metadata() -> None:
    public, cluster = networks((), CEPH, ALONE)
    assert [net.kind for net in (public, cluster)] == [NetworkKind.CEPH_PUBLIC, NetworkKind.CEPH_CLUSTER]
    assert cluster.cidrs == ("10.21.5.0/24",)
    assert [member.machine for member in cluster.members] == ["stor-1", "stor-2", "stor-3"]
    assert cluster.members[0].roles == ("osd.2", "osd.3")
    assert cluster.members[0].interface == eth(1)
    assert (cluster.mtus, cluster.bytes_per_s) == ((9000,), 3e6)
    # Its node exporters tell nothing of eth0.
    assert (public.cidrs, public.interfaces, public.bytes_per_s) == ((), (), None)


def test_a_ceph_without_a_cluster_network_has_one_network() -> None:
    assert [net.name for net in networks((), Wires(ceph=seats(cluster=False)), ALONE)] == ["ceph-public"]


def test_interfaces_are_found_by_address_where_ceph_does_not_name_them() -> None:
    wires = replace(CEPH, ceph=seats(devices=False))
    assert named(networks((), wires, ALONE), "ceph-cluster").mtus == (9000,)


def test_one_that_has_lost_its_interface_is_at_fault_and_one_that_is_down_is_not_to_blame() -> None:
    lost = Wires(interfaces=(eth(1), eth(2), eth(3, "eth0", network=20)), ceph=seats())
    member = named(networks((), lost, ALONE), "ceph-cluster").members[0]
    assert (member.machine, member.fault) == ("stor-3", "has no interface eth1 any more")
    unplugged = replace(CEPH, interfaces=(eth(1), eth(2), replace(eth(3), carrier=False)))
    assert named(networks((), unplugged, ALONE), "ceph-cluster").members[0].fault == "eth1 has no link"
    dark = Surroundings((*STOR[:2], replace(STOR[2], serving=False)))
    assert [m.serving for m in named(networks((), unplugged, dark), "ceph-cluster").members] == [False, True, True]


def test_the_best_prober_speaks_for_a_network() -> None:
    probes = (ping(), ping("pve-gw", by=ProbedBy.SMOKEPING, job="smokeping", target="10.99.0.2", latency_s=0.011))
    tunnel = Interface("10.20.1.11:9100", "wg0", ("10.99.0.1/30",), mtu_bytes=1420.0)
    found = networks((), Wires(hops=probes, interfaces=(tunnel,)), NODES)
    net = named(found, "interconnect")
    assert (net.cidrs, len(net.hops), net.measured, net.latency_s) == (("10.99.0.0/30",), 2, probes[1:], 0.011)
    assert interconnects(found) == probes[1:]
    assert [member.machine for member in net.members] == ["mgr-1"]
    # A ping to nowhere in particular is no network's.
    stray = ping("8.8.8.8", by=ProbedBy.SMOKEPING, job="smokeping")
    assert all(stray not in each.hops for each in networks((), Wires(hops=(*probes, stray)), NODES))


def test_what_goes_through_a_tunnel_of_which_one_end_is_known_counts_both_ways() -> None:
    one = Interface("10.20.1.11:9100", "wg0", receive_bytes_per_s=7e6, transmit_bytes_per_s=2e6)
    wires = Wires(interfaces=(one,), tunnels=(Tunnel("10.20.1.11:9586", "wg0", "pve", 60.0, NOW),))
    net = named(networks((), wires, NODES), "interconnect")
    assert (net.bytes_per_s, net.members[0].roles, len(net.tunnels)) == (9e6, ("end",), 1)


def test_the_cache_net_is_the_swarms_overlay_with_all_that_is_attached() -> None:
    swarm = SwarmCluster(
        "swarm", "mgr-1",
        services=(SwarmService("s1", "traefik", "replicated", "traefik:3", 1, 1, networks=("farm_cache-net",)),),
        tasks=(SwarmTask("t1", "s1", "traefik", 1, "n7", "worker-07", "running", "running"),),
        networks=(SwarmNetwork("n1", "farm_cache-net", "overlay", "swarm", ("10.0.3.0/24",), encrypted=True),),
    )  # fmt: skip
    found = networks((), Wires(), replace(NODES, swarm=swarm))
    net = named(found, "farm_cache-net")
    assert (net.cidrs, net.why) == (("10.0.3.0/24",), "the Swarm")
    assert net.overlay is not None
    assert net.overlay.encrypted
    assert {member.machine: member.roles for member in net.members} == {
        "cache-1": ("cache",),
        "cache-2": ("cache",),
        "cache-3": ("cache",),
        "mgr-1": ("edge",),
        "worker-07": ("tasks",),
    }


def test_whether_a_cache_answers_is_told_by_probes_and_by_the_edge() -> None:
    hops = (ping("10.20.2.11", job="cache-net", latency_s=0.0012), ping("10.20.2.12", job="cache-net", up=False))
    backends = (Backend("s", "http://10.20.2.11:6081", up=True), Backend("s", "http://10.20.2.13:6081", up=False))
    net = named(networks((), Wires(hops=hops), replace(NODES, backends=backends)), "cache-net")
    answers = {member.machine: (member.answers, member.fault) for member in net.members}
    assert answers == {
        "cache-1": (True, ""),
        "cache-2": (False, "no probe of it gets through"),
        "cache-3": (False, "the edge's health check does not reach it"),
        "mgr-1": (None, ""),
    }
    assert net.members[0].machine == "cache-2", "what is wrong stands first"


def test_what_the_config_says_goes_before_what_is_found() -> None:
    plan = NetworkPlan(
        "backnet",
        NetworkKind.CEPH_CLUSTER,
        ("10.21.5.0/24",),
        jobs=("ceph pings",),
        members=("stor-*", "db-*"),
        slow_s=0.001,
    )
    pings = (ping("10.21.5.12", job="ceph pings"), ping("10.21.5.13", job="ceph-cluster"))
    wires = Wires(hops=pings, interfaces=(eth(1), eth(2)), ceph=seats()[:4])
    found = networks((plan,), wires, ALONE)
    assert [net.name for net in found] == ["ceph-public", "backnet"]
    net = named(found, "backnet")
    assert (net.declared, net.slow_s, net.hops) == (True, 0.001, pings[:1])
    assert [(m.machine, m.fault) for m in net.members][:2] == [("stor-3", "has no address in it"), ("stor-1", "")]


def test_an_other_network_is_made_of_its_interfaces_or_its_addresses() -> None:
    by_name = NetworkPlan("backup", NetworkKind.OTHER, devices=("eth9*",))
    by_address = NetworkPlan("vpc", NetworkKind.OTHER, ("10.20.5.0/30", "10.20.5.8/29"))
    wires = Wires(interfaces=(replace(eth(2, address=False), device="eth9"),))
    backup, vpc = networks((by_name, by_address), wires, ALONE)
    assert [member.machine for member in backup.members] == ["stor-2"]
    assert [member.machine for member in vpc.members] == ["stor-1", "stor-2", "stor-3"]


TEXT = st.text(max_size=12)
HOPS = st.builds(
    Hop, TEXT, st.booleans(), st.none() | st.floats(), st.none() | st.floats(), st.none(), st.none() | st.floats(),
    st.sampled_from(ProbedBy), st.sampled_from(["interconnect", "cache-net", "smokeping", "x"]), TEXT,
)  # fmt: skip
FACES = st.builds(Interface, TEXT, TEXT, st.lists(TEXT, max_size=2).map(tuple), st.none() | st.floats(1, 9e3))


@given(st.lists(HOPS, max_size=4), st.lists(FACES, max_size=4), st.lists(TEXT, max_size=2))
def test_no_text_and_no_number_breaks_it(hops: list[Hop], faces: list[Interface], cidrs: list[str]) -> None:
    wires = Wires(tuple(hops), tuple(faces), (Tunnel("a", "wg0", "b", None),), seats())
    plan = NetworkPlan("n", NetworkKind.OTHER, tuple(cidrs), ("*",))
    for net in networks((plan,), wires, NODES):
        assert net.latency_s is None or isinstance(net.latency_s, float)
        assert len({member.machine for member in net.members}) == len(net.members)
