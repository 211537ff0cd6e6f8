"""What would be asked on machines: only hosts that ssh knows, managers before workers, the plainest way first."""

from __future__ import annotations

from farmtui.discovery.candidates import candidates, without_logins
from farmtui.discovery.found import Candidate, Found, PrometheusFound
from farmtui.discovery.ssh_names import SshNames
from farmtui.farm.cluster import SwarmCounts
from farmtui.farm.farm import PrometheusView
from farmtui.farm.node import Node, Tier
from tests.discovery.test_tiers import node

SSH = SshNames(hosts={"m-1": "m-1", "w-1": "w-1", "cache-1": "10.0.0.1", "gluster-1": "gluster-1"})


def by_section(nodes: list[Node], found: Found | None = None, *, pve: bool = False) -> dict[str, Candidate]:
    return {one.section: one for one in candidates(nodes, found or Found(), SSH, pve=pve)}


def test_the_managers_by_prometheus_then_by_tier_then_anybody() -> None:
    nodes = [node("w-1", Tier.APP, "docker"), node("m-1", Tier.EDGE, "docker")]
    counts = SwarmCounts("w-1:1", ("w-1:1",), (), (), None, None)
    told = Found(PrometheusFound("http://p", view=PrometheusView(swarm=counts)))
    assert by_section(nodes, told)["swarm"].hosts == ("w-1",)
    assert by_section(nodes)["swarm"].hosts == ("m-1",)
    assert by_section(nodes[:1])["swarm"].hosts == ("w-1",)
    ways = [way["swarm"] for way in by_section(nodes)["swarm"].ways]
    assert [(way["via"], way.get("sudo", False)) for way in ways] == [("socket", False), ("cli", False), ("cli", True)]


def test_who_is_not_known_is_named_and_not_tried() -> None:
    found = by_section([node("cache-1", Tier.CACHE, "varnish"), node("cache-9", Tier.CACHE, "varnish")])["varnish"]
    assert (found.hosts, found.unknown) == (("cache-1",), ("cache-9",))
    assert found.ways[0]["varnish"] == {"hosts": [{"host": "cache-1"}]}
    lone = by_section([node("cache-9", Tier.CACHE, "varnish")])["varnish"]
    assert (lone.ways, lone.unknown) == ((), ("cache-9",))


def test_gluster_by_its_name_in_ssh_config_alone() -> None:
    assert by_section([])["gluster"].hosts == ("gluster-1",)


def test_ceph_by_proxmox_needs_no_login() -> None:
    ceph = by_section([node("m-1", Tier.STORAGE, "ceph")], pve=True)["ceph"]
    assert [way["ceph"]["via"] for way in ceph.ways] == ["pve", "ssh", "ssh"]
    bare = without_logins(ceph)
    assert (bare.hosts, [way["ceph"] for way in bare.ways]) == ((), [{"via": "pve"}])
    assert without_logins(by_section([node("m-1", Tier.EDGE, "docker")])["swarm"]).ways == ()
    assert "ceph" not in by_section([])
