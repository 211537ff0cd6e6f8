"""Nodes: tier, state and reasons of joined machines; doubts, each with a remedy that the config takes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from farmtui.config import NodeConfig
from farmtui.farm.condition import Trust
from farmtui.farm.farm import HostView
from farmtui.farm.identity import Declaration
from farmtui.farm.node import (
    CloudAccount,
    Droplet,
    Exporter,
    Guest,
    HostMetrics,
    IdentityProblem,
    Node,
    PveCluster,
    PveHost,
    Tier,
)
from farmtui.farm.nodes import Population, populate
from farmtui.farm.state import Severity
from farmtui.farm.tiers import hint_of_tags, tier_of_exporters, tier_rules

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MEASURED = HostMetrics(cpu_ratio=0.2, memory_ratio=0.4, disk_ratio=0.5, seen_at=NOW)


def view(
    address: str = "10.0.0.1",
    name: str = "",
    *,
    jobs: Sequence[str] = ("node",),
    up: bool = True,
    hint: str = "",
    metrics: HostMetrics = MEASURED,
) -> HostView:
    """A host as Prometheus sees it."""
    exporters = tuple(Exporter(job, f"{address}:{9100 + number}", up) for number, job in enumerate(jobs))
    return HostView(address, (address,), name or address, hint, exporters, metrics)


def guest(name: str = "web", vmid: int = 101, *, status: str = "running", host: str = "pve-1", **more: Any) -> Guest:
    """A guest whose agent says nothing of its addresses unless told."""
    return replace(Guest("main", vmid, name, "qemu", host, status), **more)


def cluster(*guests: Guest, offline: Sequence[str] = (), hosts: Sequence[str] = ("pve-1", "pve-2")) -> PveCluster:
    """A cluster of two hosts."""
    states = tuple(PveHost("main", name, "offline" if name in offline else "online") for name in hosts)
    return PveCluster("main", quorate=True, hosts=states, guests=guests)


def droplet(name: str = "web", ident: int = 7, *, status: str = "active", **more: Any) -> Droplet:
    """A droplet without an address unless told."""
    return replace(Droplet(ident, name, status, "fra1", "s-1vcpu-1gb", None, 1, 1e9, 25e9), **more)


def node_of(population: Population, name: str) -> Node:
    """The node of a name."""
    return next(node for node in population.nodes if node.name == name)


def one(
    hosts: Sequence[HostView] = (), guests: Sequence[Guest] = (), droplets: Sequence[Droplet] = (), **more: Any
) -> Node:
    """The only machine beside PVE's hosts."""
    pve = [cluster(*guests)] if guests else []
    account = CloudAccount(tuple(droplets)) if droplets else None
    population = populate(hosts, pve, account, now=NOW, **more)
    (node,) = [node for node in population.nodes if "/node/" not in node.sightings[0].ident]
    return node


# -- state --------------------------------------------------------------------------------------


def test_a_machine_that_runs_and_answers_is_well() -> None:
    node = one([view(name="web")], [guest(addresses=("10.0.0.1",))])
    assert (node.state, node.reasons, node.serving, node.power) == (Severity.OK, (), True, "running")
    assert (node.name, node.place) == ("web", "pve-1")


def test_running_with_no_exporter_that_answers_is_critical() -> None:
    node = one([view(up=False, jobs=("node", "varnish"))], [guest(addresses=("10.0.0.1",))])
    assert node.state is Severity.CRITICAL
    assert not node.serving
    assert node.reasons == ("it runs, but all 2 exporters do not answer",)


def test_one_exporter_of_two_gone_is_a_warning_with_its_age() -> None:
    old = replace(MEASURED, seen_at=NOW - timedelta(minutes=4))
    seen = view(jobs=("node", "varnish"), metrics=old)
    seen = replace(seen, exporters=(replace(seen.exporters[0], up=False), seen.exporters[1]))
    node = one([seen])
    assert node.state is Severity.WARNING
    assert node.reasons == ("exporter node does not answer, last heard 4 min ago",)
    assert node.serving


def test_a_guest_that_somebody_switched_off_is_no_fault() -> None:
    node = one(guests=[guest(status="stopped")])
    assert node.state is Severity.INFO
    assert not node.serving


def test_a_guest_that_is_off_is_a_fault_as_soon_as_its_tier_lacks_it() -> None:
    rules = tier_rules({Tier.CACHE: ["cache-*"]}, {Tier.CACHE: 2})
    guests = [guest("cache-1", 1), guest("cache-2", 2, status="stopped")]
    population = populate([], [cluster(*guests)], None, rules=rules, now=NOW)
    node = node_of(population, "cache-2")
    assert node.state is Severity.CRITICAL
    assert node.reasons[:2] == ("switched off (PVE says stopped)", "its tier lacks it: 1 of 2 serve")
    enough = populate([], [cluster(*guests, guest("cache-3", 3))], None, rules=rules, now=NOW)
    assert node_of(enough, "cache-2").state is Severity.INFO


def test_off_but_still_scraped_is_a_warning() -> None:
    node = one([view(up=False)], [guest(status="stopped", addresses=("10.0.0.1",))])
    assert node.state is Severity.WARNING


def test_off_but_answering_is_doubted() -> None:
    node = one([view()], [guest(status="stopped", addresses=("10.0.0.1",))])
    assert node.state is Severity.WARNING
    assert "is it the same machine" in node.reasons[0]


def test_guests_of_an_offline_host_are_unknown_or_worse() -> None:
    hosts = [view("10.0.0.1", up=False), view("10.0.0.3")]
    guests = [
        guest("silent", 1, addresses=("10.0.0.1",)),
        guest("unwatched", 2),
        guest("answering", 3, addresses=("10.0.0.3",)),
        guest("elsewhere", 4, host="pve-2"),
    ]
    population = populate(hosts, [cluster(*guests, offline=["pve-1"])], None, now=NOW)
    states = {node.name: node.state for node in population.nodes}
    assert states["silent"] is Severity.CRITICAL
    assert states["unwatched"] is Severity.UNKNOWN
    assert states["answering"] is Severity.WARNING
    assert states["elsewhere"] is Severity.INFO
    assert states["pve-1"] is Severity.CRITICAL
    assert "pve-1 is offline" in node_of(population, "unwatched").reasons[0]


def test_a_droplet_that_is_off() -> None:
    assert one(droplets=[droplet(status="off")]).state is Severity.INFO
    assert one(droplets=[droplet(status="new")]).state is Severity.INFO
    assert one(droplets=[droplet()]).state is Severity.INFO  # nobody watches it


@pytest.mark.parametrize(
    ("metrics", "state", "word"),
    [
        ({"disk_ratio": 0.90}, Severity.WARNING, "disk"),
        ({"disk_ratio": 0.95}, Severity.CRITICAL, "disk"),
        ({"memory_ratio": 0.91}, Severity.WARNING, "memory"),
        ({"memory_ratio": 0.98}, Severity.CRITICAL, "memory"),
        ({"cpu_ratio": 0.93}, Severity.WARNING, "CPU"),
        ({"clock_offset_s": -0.7}, Severity.WARNING, "clock"),
        ({"disk_ratio": 0.899, "memory_ratio": 0.899, "cpu_ratio": 0.899, "clock_offset_s": 0.5}, Severity.OK, ""),
    ],
)
def test_figures_beyond_their_limits(metrics: dict[str, Any], state: Severity, word: str) -> None:
    node = one([view(metrics=replace(MEASURED, **metrics))])
    assert node.state is state
    assert word in " ".join(node.reasons)
    assert node.serving


def test_old_figures_accuse_nobody() -> None:
    node = one([view(metrics=replace(MEASURED, disk_ratio=0.99, seen_at=NOW - timedelta(hours=1)))])
    assert node.state is Severity.OK


def test_without_fresh_answers_nothing_is_called_well() -> None:
    node = one([view()], trust=Trust(prometheus=False))
    assert node.state is Severity.UNKNOWN
    with_power = one([view()], [guest(addresses=("10.0.0.1",))], trust=Trust(prometheus=False))
    assert with_power.state is Severity.UNKNOWN
    without_power = one([view()], [guest(addresses=("10.0.0.1",))], trust=Trust(proxmox={"main": False}))
    assert without_power.state is Severity.OK
    unwatched = one(guests=[guest()], trust=Trust(proxmox={"main": False}))
    assert unwatched.state is Severity.UNKNOWN


def test_a_declared_machine_that_nobody_sights_is_unknown() -> None:
    node = one(declarations=[Declaration("db-4", Tier.DATABASE)])
    assert (node.state, node.tier) == (Severity.UNKNOWN, Tier.DATABASE)


def test_provider_figures_stand_in_where_nothing_is_measured() -> None:
    node = one(guests=[guest(cpu_ratio=0.3, memory_bytes=2e9, memory_max_bytes=4e9, uptime_s=60.0)])
    assert (node.metrics.cpu_ratio, node.metrics.memory_ratio, node.metrics.seen_at) == (0.3, 0.5, None)


# -- tiers --------------------------------------------------------------------------------------


def test_the_tier_comes_from_the_strongest_that_says() -> None:
    rules = tier_rules({Tier.EDGE: ["WEB*"]}, {})
    everything = view(name="web", hint="database", jobs=("node", "varnish"))
    line = Declaration("web", Tier.STORAGE)
    assert one([everything], declarations=[line], rules=rules).tier is Tier.STORAGE
    assert one([everything], rules=rules).tier is Tier.DATABASE
    assert one([replace(everything, tier_hint="")], rules=rules).tier is Tier.EDGE
    assert one([replace(everything, tier_hint="")]).tier is Tier.CACHE
    assert one([view(name="web")]).tier is Tier.OTHER


def test_pve_hosts_are_machines_that_carry_the_others() -> None:
    population = populate([], [cluster(guest(status="running"))], None, now=NOW)
    assert {node.name: node.tier for node in population.nodes} == {
        "pve-1": Tier.HYPERVISOR,
        "pve-2": Tier.HYPERVISOR,
        "web": Tier.OTHER,
    }


def test_templates_are_no_machines() -> None:
    population = populate([], [cluster(guest(template=True))], None, now=NOW)
    assert [node.name for node in population.nodes] == ["pve-1", "pve-2"]


def test_tags_and_exporters() -> None:
    assert hint_of_tags(["prod", "tier-cache"]) == "cache"
    assert hint_of_tags(["Tier:Database", "cache"]) == "database"
    assert hint_of_tags(["role_db"]) == "database"
    assert hint_of_tags(["storage"]) == "storage"
    assert hint_of_tags(["prod", "tier-unheard-of"]) == ""
    edge = [Exporter("docker", "a:1", up=True), Exporter("traefik", "a:2", up=True)]
    assert tier_of_exporters(edge) is Tier.EDGE
    assert tier_of_exporters(edge[:1]) is Tier.APP
    assert tier_of_exporters([Exporter("node", "a:1", up=True)]) is None


def test_tiers_count_expected_seen_healthy_and_serving() -> None:
    rules = tier_rules({Tier.CACHE: ["cache-*"], Tier.EDGE: ["edge-*"]}, {Tier.CACHE: 4, Tier.EDGE: 2})
    hosts = [
        view("10.0.0.1", "cache-1"),
        view("10.0.0.2", "cache-2", metrics=replace(MEASURED, disk_ratio=0.92)),
        view("10.0.0.3", "cache-3", up=False),
    ]
    population = populate(hosts, [], None, rules=rules, now=NOW)
    summaries = {summary.tier: summary for summary in population.tiers}
    cache = summaries[Tier.CACHE]
    assert (cache.expected, cache.seen, cache.healthy, cache.serving) == (4, 3, 1, 2)
    assert cache.state is Severity.CRITICAL  # half of it is gone
    assert (summaries[Tier.EDGE].seen, summaries[Tier.EDGE].state) == (0, Severity.CRITICAL)
    assert [summary.tier for summary in population.tiers] == [Tier.EDGE, Tier.CACHE]


def test_a_tier_bears_the_loss_of_one() -> None:
    rules = tier_rules({Tier.CACHE: ["cache-*"]}, {Tier.CACHE: 3})
    hosts = [view(f"10.0.0.{n}", f"cache-{n}", up=n != 2) for n in (1, 2, 3)]
    (summary,) = populate(hosts, [], None, rules=rules, now=NOW).tiers
    assert (summary.state, summary.serving) == (Severity.WARNING, 2)


# -- doubts -------------------------------------------------------------------------------------


def remedied(problem: IdentityProblem) -> NodeConfig:
    """The config line that a remedy ends with, as the config takes it."""
    line = problem.remedy[problem.remedy.index("- {") :]
    (entry,) = yaml.safe_load(line)
    return NodeConfig.model_validate(entry)


def declared(line: NodeConfig) -> Declaration:
    """What the join makes of a config line."""
    return Declaration(
        line.name, line.tier, tuple(line.prometheus), line.pve, line.droplet, addresses=tuple(line.addresses)
    )


def test_twins_are_shown_and_the_remedy_tells_them_apart() -> None:
    pve = [cluster(guest("web", 101), guest("web", 102))]
    population = populate([], pve, None, now=NOW, rules=tier_rules({Tier.APP: ["web*"]}, {}))
    assert {node.name for node in population.nodes} >= {"web (main/101)", "web (main/102)"}
    (problem,) = population.problems
    assert (problem.kind, problem.subject) == ("duplicate", "web")
    line = declared(remedied(problem))
    after = populate([], pve, None, now=NOW, rules=tier_rules({Tier.APP: ["web*"]}, {}), declarations=[line])
    assert after.problems == ()
    assert {node.name for node in after.nodes} >= {"web", "web-102"}


def test_a_target_between_twins_is_joined_by_its_remedy() -> None:
    pve = [cluster(guest("web", 101), guest("web", 102))]
    hosts = [view("10.0.0.9", "web")]
    population = populate(hosts, pve, None, now=NOW)
    problem = next(p for p in population.problems if p.kind == "duplicate")
    line = declared(remedied(problem))
    after = populate(hosts, pve, None, now=NOW, declarations=[line])
    assert {s.ident for s in node_of(after, "web").sightings} >= {"10.0.0.9", "main/101"}


def test_an_address_of_two_guests_is_shown() -> None:
    pve = [cluster(guest("a", 1, addresses=("10.0.0.1",)), guest("b", 2, addresses=("10.0.0.1",)))]
    population = populate([view("10.0.0.1", "c")], pve, None, now=NOW)
    problem = next(p for p in population.problems if p.subject == "10.0.0.1")
    assert problem.kind == "duplicate"
    line = declared(remedied(problem))
    after = populate([view("10.0.0.1", "c")], pve, None, now=NOW, declarations=[line])
    assert len(node_of(after, "a").exporters) == 1
    conflict = next(p for p in after.problems if p.kind == "conflict")
    assert "the config gives 10.0.0.1 to a" in conflict.detail


def test_prometheus_calls_it_by_another_machines_name() -> None:
    pve = [cluster(guest("a", 1, addresses=("10.0.0.1",)), guest("b", 2))]
    population = populate([view("10.0.0.1", "b")], pve, None, now=NOW)
    assert len(node_of(population, "a").exporters) == 1
    assert any(p.kind == "conflict" and p.subject == "b" for p in population.problems)


def test_sources_that_disagree_about_a_tier() -> None:
    tagged = guest(tags=("tier-cache",), addresses=("10.0.0.1",))
    population = populate([view(hint="app")], [cluster(tagged)], None, now=NOW)
    (problem,) = population.problems
    assert problem.kind == "conflict"
    assert node_of(population, "web").tier is Tier.APP
    after = populate([view(hint="app")], [cluster(tagged)], None, now=NOW, declarations=[declared(remedied(problem))])
    assert after.problems == ()


def test_two_lines_that_claim_one_guest() -> None:
    lines = [Declaration("a", Tier.APP, pve="main/101"), Declaration("b", Tier.APP, pve="main/101")]
    population = populate([], [cluster(guest())], None, now=NOW, declarations=lines)
    assert any(p.kind == "conflict" and p.subject == "b" for p in population.problems)
    assert len(node_of(population, "a").sightings) == 2


def test_localhost_is_a_stranger_until_the_config_says_whose() -> None:
    local = replace(view("127.0.0.1", "localhost", jobs=("prometheus", "node")), addresses=("127.0.0.1",))
    population = populate([local], [cluster(guest("mon-1", 5))], None, now=NOW)
    problem = next(p for p in population.problems if p.subject == "localhost")
    assert problem.kind == "stranger"
    assert remedied(problem).prometheus == ["127.0.0.1:9100"]


def test_tunnels_on_one_host_are_taken_apart_by_the_config() -> None:
    tunnels = view("127.0.0.1", "localhost", jobs=("prometheus", "varnish", "mysqld", "node"))
    lines = [
        Declaration("cache-1", prometheus=("127.0.0.1:9101",)),
        Declaration("db-1", prometheus=("127.0.0.1:9102", "127.0.0.1:9103")),
    ]
    population = populate([tunnels], [], None, now=NOW, declarations=lines)
    jobs = {node.name: {exporter.job for exporter in node.exporters} for node in population.nodes}
    assert jobs == {"cache-1": {"varnish"}, "db-1": {"mysqld", "node"}, "localhost": {"prometheus"}}
    assert node_of(population, "db-1").metrics.cpu_ratio == 0.2
    assert node_of(population, "cache-1").metrics.cpu_ratio is None


def test_one_claimed_port_of_an_ordinary_host_takes_the_host() -> None:
    host = view("10.0.0.1", jobs=("node", "varnish"))
    node = one([host], declarations=[Declaration("cache-1", prometheus=("10.0.0.1:9101",))])
    assert len(node.exporters) == 2


def test_two_lines_that_claim_one_instance() -> None:
    lines = [Declaration("a", prometheus=("10.0.0.1:9100",)), Declaration("b", prometheus=("10.0.0.1:9100",))]
    population = populate([view()], [], None, now=NOW, declarations=lines)
    assert len(node_of(population, "a").exporters) == 1
    assert any(p.kind == "conflict" and p.subject == "b" for p in population.problems)


# -- laws ---------------------------------------------------------------------------------------

VIEWS = st.builds(
    view,
    st.sampled_from(["10.0.0.1", "10.0.0.2", "127.0.0.1", "web", "db.a.net"]),
    st.sampled_from(["", "web", "db", "localhost", "cache-1"]),
    jobs=st.sampled_from([("node",), ("node", "varnish"), ("mysqld",)]),
    up=st.booleans(),
    hint=st.sampled_from(["", "cache", "nonsense"]),
)
GUESTS = st.builds(
    guest,
    st.sampled_from(["", "web", "db", "cache-1"]),
    st.integers(1, 5),
    status=st.sampled_from(["running", "stopped", "paused", "unknown"]),
    template=st.booleans(),
    tags=st.sampled_from([(), ("tier-app",), ("cache",)]),
    addresses=st.sampled_from([(), ("10.0.0.1",), ("10.0.0.2", "127.0.0.1")]),
)
DROPLETS = st.builds(
    droplet, st.sampled_from(["web", "edge"]), st.integers(1, 3), status=st.sampled_from(["active", "off"])
)
TRUSTS = st.builds(Trust, prometheus=st.booleans(), digitalocean=st.booleans())
FARMS = st.tuples(
    st.lists(VIEWS, max_size=4, unique_by=lambda v: v.host),
    st.lists(GUESTS, max_size=4, unique_by=lambda g: g.vmid),
    st.lists(DROPLETS, max_size=3, unique_by=lambda d: d.id),
)
LINES = st.lists(
    st.builds(
        Declaration,
        st.sampled_from(["web", "db", "tunnel"]),
        st.sampled_from([None, Tier.APP]),
        st.sampled_from([(), ("10.0.0.1:9100",), ("127.0.0.1:9100",), ("web",)]),
        st.sampled_from([None, "main/1"]),
    ),
    max_size=2,
    unique_by=lambda line: line.name,
)
Seen = tuple[list[HostView], list[Guest], list[Droplet]]


def picture(seen: Seen, lines: list[Declaration], trust: Trust, before: Population | None = None) -> Population:
    """The population of a generated farm."""
    views, guests, droplets = seen
    pve = [cluster(*guests, offline=["pve-2"])]
    return populate(
        views, pve, CloudAccount(tuple(droplets)), declarations=lines, trust=trust, now=NOW, before=before,
        rules=tier_rules({Tier.APP: ["web*"]}, {Tier.APP: 2}),
    )  # fmt: skip


@given(FARMS, LINES, TRUSTS)
def test_everything_is_shown_once_under_a_name_of_its_own(seen: Seen, lines: list[Declaration], trust: Trust) -> None:
    population = picture(seen, lines, trust)
    names = [node.name for node in population.nodes]
    assert len(set(names)) == len(names)
    exporters = sorted(e.instance for node in population.nodes for e in node.exporters)
    assert exporters == sorted(e.instance for v in seen[0] for e in v.exporters)
    idents = [s.ident for node in population.nodes for s in node.sightings if s.source == "proxmox"]
    assert sorted(idents) == sorted(
        [*(g.ident for g in seen[1] if not g.template), "main/node/pve-1", "main/node/pve-2"]
    )
    assert sum(summary.seen for summary in population.tiers) == len(names)


@given(FARMS, LINES, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(seen: Seen, lines: list[Declaration], chance: random.Random) -> None:
    expected = picture(seen, lines, Trust())
    views, guests, droplets = (list(seen[0]), list(seen[1]), list(seen[2]))
    chance.shuffle(views)
    chance.shuffle(guests)
    chance.shuffle(droplets)
    chance.shuffle(lines)
    found = picture((views, guests, droplets), lines, Trust())
    assert (found.nodes, found.tiers, found.problems) == (expected.nodes, expected.tiers, expected.problems)


@given(FARMS, FARMS, LINES, TRUSTS, TRUSTS)
def test_what_was_known_before_never_shows(
    first: Seen, second: Seen, lines: list[Declaration], trust: Trust, later: Trust
) -> None:
    before = picture(first, lines, trust)
    found, expected = picture(second, lines, later, before), picture(second, lines, later)
    assert (found.nodes, found.tiers, found.problems) == (expected.nodes, expected.tiers, expected.problems)
    again = picture(second, lines, later, found)
    assert all(new is old for new, old in zip(again.nodes, found.nodes, strict=True))


@given(FARMS, LINES)
def test_every_remedy_with_a_config_line_is_one_that_the_config_takes(seen: Seen, lines: list[Declaration]) -> None:
    for problem in picture(seen, lines, Trust()).problems:
        if "- {" in problem.remedy:
            assert remedied(problem).name
