"""Which quorums machines are in, by whichever name, and whether each would hold without them."""

from __future__ import annotations

import dataclasses

import pytest

from farmtui.farm.cluster import Galera, SwarmCounts
from farmtui.farm.farm import Farm
from farmtui.farm.identity import DIGITALOCEAN, PROXMOX
from farmtui.farm.node import CloudAccount, Droplet, Guest, Node, PveCluster, Sighting
from farmtui.farm.reading import SourceState
from farmtui.farm.state import Freshness
from farmtui.farm.swarm import SwarmCluster, SwarmNode
from farmtui.insight.quorums import without
from tests.screens.whole import whole_farm


def source(kind: str, freshness: Freshness) -> SourceState:
    return SourceState(kind, kind, "http://127.0.0.1:1", 5.0, freshness)


def manager(name: str, reachability: str = "reachable") -> SwarmNode:
    known = {field.name for field in dataclasses.fields(SwarmNode)}
    given = {"id": name, "hostname": name, "role": "manager", "reachability": reachability, "state": "ready"}
    blank = {field.name: "" for field in dataclasses.fields(SwarmNode) if field.default is dataclasses.MISSING}
    return SwarmNode(**{**blank, **{key: value for key, value in given.items() if key in known}})  # type: ignore[arg-type]


def farm_of(*live: str, **parts: object) -> Farm:
    """The whole farm, with these sources live."""
    sources = tuple(source(kind, Freshness.LIVE) for kind in live)
    return dataclasses.replace(whole_farm(), sources=sources, swarm=None, **parts)  # type: ignore[arg-type]


def renamed(farm: Farm, change: str, **parts: object) -> Farm:
    nodes = tuple(dataclasses.replace(node, **parts) if node.name == change else node for node in farm.nodes)  # type: ignore[arg-type]
    return dataclasses.replace(farm, nodes=nodes)


def node(farm: Farm, name: str) -> Node:
    return next(one for one in farm.nodes if one.name == name)


def test_in_no_quorum_it_holds_and_says_so() -> None:
    bearing = without(farm_of("prometheus"), ("cache-1",))
    assert (bearing.holds, bearing.words) == (True, "cache-1: in no quorum")


def test_galera_bears_one_and_not_two() -> None:
    farm = farm_of("prometheus")
    one, two = without(farm, ("db-1",)), without(farm, ("db-1", "db-2"))
    assert (one.holds, two.holds) == (True, False)
    assert "galera quorum without db-1, db-2: 1 stay, 2 are needed" in two.words


def test_swarm_managers_are_counted_and_without_a_leader_nothing_holds() -> None:
    three = SwarmCluster("main", "mgr-1", tuple(map(manager, ("mgr-1", "mgr-2", "mgr-3"))))
    assert without(farm_of("prometheus", "swarm", swarm_cluster=three), ("mgr-1",)).holds
    lost = dataclasses.replace(three, quorum=False)
    assert not without(farm_of("prometheus", "swarm", swarm_cluster=lost), ("mgr-1",)).holds
    one_gone = dataclasses.replace(three, nodes=(manager("mgr-1"), manager("mgr-2"), manager("mgr-3", "unreachable")))
    farm = farm_of("prometheus", "swarm", swarm_cluster=one_gone)
    assert not without(farm, ("mgr-1",)).holds
    assert without(farm, ("mgr-3",)).holds, "who cannot be reached is not counted either way"
    assert without(farm, ("worker-01",)).words == "worker-01: in no quorum"


def test_mons_are_counted_by_their_hosts() -> None:
    farm = farm_of("prometheus")
    assert farm.ceph is not None
    hosts = [mon.host for mon in farm.ceph.mons]
    assert "ceph quorum without" in without(farm, hosts[:1]).words
    assert not without(farm, hosts[:2]).holds


@pytest.mark.parametrize("freshness", [Freshness.AGEING, Freshness.STALE, Freshness.NEVER, Freshness.FORBIDDEN])
def test_it_does_not_hold_while_nobody_knows(freshness: Freshness) -> None:
    farm = dataclasses.replace(farm_of(), sources=(source("prometheus", freshness), source("swarm", Freshness.LIVE)))
    bearing = without(farm, ("cache-1",))
    assert not bearing.holds
    assert f"galera: not known who is a member, since prometheus is {freshness.value}" in bearing.words
    assert not without(farm_of("prometheus"), ("nowhere",)).holds
    assert "no machine that the farm knows" in without(farm_of("prometheus"), ("nowhere",)).words


def test_a_manager_that_only_the_metrics_tell_of_is_not_taken_offline() -> None:
    farm = farm_of("prometheus")
    [instance] = list(node(farm, "mgr-1").instances)[:1]
    counts = SwarmCounts(instance, (instance,), (), (), 1, None)
    farm = dataclasses.replace(farm, swarm=counts, swarm_cluster=None)
    assert "no swarm in the config" in without(farm, ("mgr-1",)).words
    assert not without(farm, ("mgr-1",)).holds
    assert without(farm, ("worker-01",)).holds


def test_guests_and_droplets_are_the_machines_that_they_are() -> None:
    guest = Guest("main", 101, "vm-database", "qemu", "pve-2", "running")
    droplet = Droplet(7, "frontend", "active", "fra1", "s", None, 1, 1e9, 1e9)
    stray = Guest("main", 102, "stray", "qemu", "pve-2", "running")
    farm = farm_of(
        "prometheus",
        pve=(PveCluster("main", quorate=True, guests=(guest, stray)),),
        cloud=CloudAccount((droplet,)),
    )
    farm = renamed(farm, "db-1", sightings=(Sighting(PROXMOX, guest.ident),))
    farm = renamed(farm, "cache-1", sightings=(Sighting(DIGITALOCEAN, droplet.ident),))
    assert "galera quorum without db-1: 2 stay" in without(farm, ("vm-database",)).words
    assert without(farm, ("vm-database", "db-1")) == without(farm, ("db-1",))
    assert without(farm, ("frontend",)).words == "cache-1: in no quorum"
    assert not without(farm, ("stray",)).holds, "which machine it is nobody knows"


def test_who_is_down_already_takes_nothing_away() -> None:
    farm = farm_of("prometheus")
    assert farm.galera is not None
    members = tuple(
        dataclasses.replace(one, local_state=None)
        if one.instance in node(farm, "db-1").instances | node(farm, "db-2").instances
        else one
        for one in farm.galera.nodes
    )
    farm = dataclasses.replace(farm, galera=dataclasses.replace(farm.galera, nodes=members))
    assert not without(farm, ("db-2",)).holds, "it answers, and may be about to join"
    down = renamed(farm, "db-2", serving=False)
    bearing = without(down, ("db-2",))
    assert bearing.holds
    assert "galera quorum: db-2 is down already, and 1 of 2 needed are there" in bearing.words


def test_a_member_that_nobody_sees_is_not_taken_for_none() -> None:
    farm = farm_of("prometheus")
    assert farm.galera is not None
    hidden = node(farm, "db-3").instances
    seen = tuple(dataclasses.replace(one, cluster_size=3) for one in farm.galera.nodes if one.instance not in hidden)
    farm = dataclasses.replace(farm, galera=Galera(seen))
    bearing = without(farm, ("db-3",))
    assert not bearing.holds
    assert "galera: db-3: its database's exporter is silent" in bearing.words
    assert without(renamed(farm, "db-3", serving=False), ("db-3",)).holds
    smaller = tuple(dataclasses.replace(one, cluster_size=2) for one in seen)
    farm = dataclasses.replace(farm, galera=Galera(smaller))
    assert without(farm, ("db-3",)).words == "db-3: in no quorum", "an asynchronous replica"


def test_a_database_that_is_alone_is_no_quorum() -> None:
    farm = farm_of("prometheus")
    assert farm.galera is not None
    alone = dataclasses.replace(farm.galera.nodes[0], up=True, cluster_size=None, local_state=None, primary=None)
    farm = dataclasses.replace(farm, galera=dataclasses.replace(farm.galera, nodes=(alone,)))
    assert "galera" not in without(farm, ("db-1",)).words
