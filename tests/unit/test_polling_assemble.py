"""Assembling is a pure function: no source's trouble shows in another's part, and no order in the result."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from farmtui.config import Config
from farmtui.farm.alerts import AlertBook
from farmtui.farm.farm import Farm, HostView, PrometheusView
from farmtui.farm.networks import Hop, Wires
from farmtui.farm.node import CloudAccount, Droplet, Exporter, Guest, HostMetrics, PveCluster, PveHost
from farmtui.farm.reading import FailureKind, Trend
from farmtui.farm.state import Freshness
from farmtui.farm.traffic import CacheNode, CacheTier
from farmtui.polling.assemble import assemble, assembly, differs, shared
from farmtui.polling.report import AGE_STEP_S, Report, freshness_at, next_change_s, shown_age
from tests.unit.polling_stage import START, fails, seen

CONFIG = Config.model_validate(
    {
        "farm": {"name": "lab", "sites": 5},
        "tiers": {"app": {"expect": 2, "match": ["web-*"]}},
        "nodes": [{"name": "web-1"}],
    }
)
PROBE = Hop("10.0.0.9", up=True, latency_s=0.01, loss_ratio=0.0, seen_at=START, job="interconnect")
GUEST = Guest("main", 1, "web-1", "qemu", "pve-1", "running")
VALUES: dict[str, Any] = {
    "prometheus": replace(seen(count=2), cache=CacheTier((), (), 0.9, 0.8), wires=Wires(hops=(PROBE,))),
    "prometheus trends": MappingProxyType({"x": Trend("x", "x", "s", 60.0)}),
    "alertmanager": AlertBook((), (), ()),
    "proxmox main": PveCluster("main", quorate=True, hosts=(PveHost("main", "pve-1", "online"),), guests=(GUEST,)),
    "proxmox other": PveCluster("other", quorate=None, hosts=(PveHost("other", "pve-9", "online"),)),
    "digitalocean": CloudAccount((Droplet(7, "web-2", "active", "fra1", "s", None, 1, 1e9, 1e9),)),
}
PARTS = {
    "prometheus": ("cache", "interconnects", "edge", "ceph", "galera", "swarm", "rules", "targets"),
    "prometheus trends": ("trends",),
    "alertmanager": ("book",),
    "digitalocean": ("cloud",),
}


def report(name: str, *, age_s: float | None = 1.0, failure: FailureKind | None = None) -> Report:
    """A source that answered so long ago, and may be failing since."""
    return Report(
        name,
        name.partition(" ")[0],
        f"http://{name.partition(' ')[0]}.example",
        10.0,
        value=None if age_s is None else VALUES[name],
        taken_at=None if age_s is None else START - timedelta(seconds=age_s),
        attempted_at=START,
        failure=fails(failure) if failure else None,
        failures_in_a_row=1 if failure else 0,
    )


AGES = st.sampled_from([None, 0.0, 15.0, 25.0, 49.0, 51.0, 4000.0])
REPORTS = st.tuples(*(
    st.builds(report, st.just(name), age_s=AGES, failure=st.sampled_from([None, *FailureKind])) for name in VALUES
)).map(list)  # fmt: skip


def facts(farm: Farm, name: str) -> dict[str, Any]:
    """What a farm shows of one source."""
    found = {part: getattr(farm, part) for part in PARTS.get(name, ())}
    if name.startswith("proxmox"):
        found["pve"] = [cluster for cluster in farm.pve if f"proxmox {cluster.name}" == name]
    found["state"] = next(source for source in farm.sources if source.name == name)
    return found


@given(REPORTS, st.sampled_from(sorted(VALUES)), AGES, st.sampled_from([None, *FailureKind]))
def test_a_sources_trouble_shows_in_no_others_part(
    reports: list[Report], name: str, age_s: float | None, failure: FailureKind | None
) -> None:
    troubled = [report(name, age_s=age_s, failure=failure) if r.name == name else r for r in reports]
    before, after = assemble(CONFIG, reports, START), assemble(CONFIG, troubled, START)
    for other in VALUES:
        if other != name:
            assert facts(before, other) == facts(after, other)


@given(REPORTS, st.randoms(use_true_random=False))
def test_the_order_of_sources_does_not_matter(reports: list[Report], chance: random.Random) -> None:
    farm = assemble(CONFIG, reports, START)
    mixed = list(reports)
    chance.shuffle(mixed)
    other = assemble(CONFIG, mixed, START)
    assert {s.name: s for s in farm.sources} == {s.name: s for s in other.sources}
    assert replace(farm, sources=()) == replace(other, sources=())


@given(REPORTS, REPORTS)
def test_what_was_built_upon_never_shows(first: list[Report], second: list[Report]) -> None:
    before = assembly(CONFIG, first, START)
    built = assembly(CONFIG, second, START, before)
    assert built.farm == assemble(CONFIG, second, START)
    again = assembly(CONFIG, second, START + timedelta(seconds=1), built)
    if all(r.trusted(START) == r.trusted(again.farm.at) for r in second):
        assert all(new is old for new, old in zip(again.farm.nodes, built.farm.nodes, strict=True))
        assert again.farm.cache is built.farm.cache
        assert again.farm.pve is built.farm.pve


@given(REPORTS)
def test_the_same_again_is_no_difference(reports: list[Report]) -> None:
    before = assembly(CONFIG, reports, START)
    assert not differs(before.farm, assembly(CONFIG, reports, START, before).farm)


def test_a_new_value_a_new_failure_and_a_new_age_are_differences() -> None:
    before = assembly(CONFIG, [report("prometheus")], START)
    changed = replace(report("prometheus"), value=seen(5.0))
    assert differs(before.farm, assembly(CONFIG, [changed], START, before).farm)
    failed = report("prometheus", failure=FailureKind.TIMEOUT)
    assert differs(before.farm, assembly(CONFIG, [failed], START, before).farm)
    polled = replace(report("prometheus"), polls=99, duration_s=3.0)
    assert not differs(before.farm, assembly(CONFIG, [polled], START, before).farm)
    assert differs(before.farm, assembly(CONFIG, [report("prometheus")], START + timedelta(seconds=30), before).farm)


def test_parts_that_are_equal_keep_their_identity_within_parts_that_are_not() -> None:
    old = PrometheusView(cache=CacheTier((), (), 0.5, 0.5), wires=Wires((Hop("a", True, None, None, None),)))
    new = PrometheusView(cache=CacheTier((), (), 0.5, 0.6), wires=Wires((Hop("a", True, None, None, None),)))
    made = shared(old, new)
    assert made == new
    assert made.wires is old.wires
    assert made.cache is not old.cache
    trends = shared(MappingProxyType({"a": (1, 2), "b": (3,)}), MappingProxyType({"a": (1, 2), "c": (4,)}))
    assert dict(trends) == {"a": (1, 2), "c": (4,)}


@given(st.floats(0, 100_000), st.sampled_from([10.0, 15.0, 60.0]), st.booleans())
def test_the_next_visible_change_is_when_it_is_said_to_be(age_s: float, interval_s: float, refused: bool) -> None:
    failure = fails(FailureKind.FORBIDDEN) if refused else None
    one = Report(
        "p", "p", "", interval_s, value=seen(), taken_at=START, attempted_at=None if refused else START, failure=failure
    )
    now = START + timedelta(seconds=age_s)

    def face(after_s: float) -> tuple[Freshness, str]:
        at = now + timedelta(seconds=after_s)
        return freshness_at(one, at), shown_age(freshness_at(one, at), START, at)

    wait_s = next_change_s(one, now)
    assert wait_s > 0
    if wait_s != float("inf"):
        assert face(wait_s * 0.98) == face(0.0)
        assert wait_s <= max(3600.0, 5 * interval_s)
        if age_s + wait_s < 3000:
            assert face(wait_s + 0.001) != face(0.0)
            assert refused or face(0.0)[0] is Freshness.LIVE or wait_s <= max(AGE_STEP_S, 60.0)


def test_ages_in_words() -> None:
    def words(seconds: float) -> str:
        return shown_age(Freshness.STALE, START, START + timedelta(seconds=seconds))

    assert [words(s) for s in (0, 4.9, 5, 59.9, 60, 3599, 3600)] == [
        "0 s",
        "0 s",
        "5 s",
        "55 s",
        "1 min",
        "59 min",
        "1 h",
    ]
    assert shown_age(Freshness.LIVE, START, START + timedelta(seconds=9)) == ""


def test_a_varnish_that_was_down_before_anybody_looked_has_its_row_all_the_same() -> None:
    hosts = tuple(
        HostView(
            f"10.0.0.{n}",
            (f"10.0.0.{n}",),
            f"cache-{n}",
            "cache",
            (Exporter("varnish", f"10.0.0.{n}:9131", up), Exporter("redis", f"10.0.0.{n}:9121", up)),
            HostMetrics(),
        )
        for n, up in ((1, True), (2, False))
    )
    view = PrometheusView(hosts=hosts, cache=CacheTier((CacheNode("10.0.0.1:9131", hit_ratio=0.9),), (), 0.9, 0.9))
    farm = assemble(CONFIG, [replace(report("prometheus"), value=view)], START)
    assert farm.cache is not None
    rows = [(node.instance, node.up) for node in farm.cache.nodes]
    assert rows == [("10.0.0.1:9131", None), ("10.0.0.2:9131", False)]
    assert [(node.instance, node.up) for node in farm.cache.redis] == [("10.0.0.2:9121", False)]
