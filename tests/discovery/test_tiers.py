"""Machines become tiers: by what labels, names and exporters tell; and their names become patterns."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.discovery.tiers import MOST_EXACT, patterns, tier_of_name, tiers_of
from farmtui.farm.node import Exporter, HostMetrics, Node, Provider, Sighting, Tier
from farmtui.farm.state import Severity


def node(name: str, tier: Tier, *jobs: str, hint: str = "") -> Node:
    return Node(
        name,
        tier,
        Provider.PROXMOX,
        "",
        (),
        (Sighting("prometheus", name, name, (), hint),),
        tuple(Exporter(job, f"{name}:1", True) for job in jobs),
        HostMetrics(),
        "on",
        Severity.OK,
        (),
    )


def test_each_way_to_know_a_tier_is_said() -> None:
    found = tiers_of(
        [
            node("cache-1", Tier.CACHE, "varnish"),
            node("front-a", Tier.EDGE, "traefik"),
            node("x1", Tier.DATABASE, hint="database"),
            node("worker-7", Tier.OTHER),
            node("pve-1", Tier.HYPERVISOR),
            node("toaster", Tier.OTHER),
        ]
    )
    assert [(tier.tier, tier.names, tier.how, tier.patterns) for tier in found.tiers] == [
        (Tier.EDGE, ("front-a",), "by what they export", ("front-a",)),
        (Tier.CACHE, ("cache-1",), "by name", ("cache-*",)),
        (Tier.APP, ("worker-7",), "by name", ("worker-*",)),
        (Tier.DATABASE, ("x1",), "by label or tag", ("x*",)),
        (Tier.HYPERVISOR, ("pve-1",), "Proxmox VE's hosts", ("pve-*",)),
    ]
    assert found.strangers == ("toaster",)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("worker-12", Tier.APP),
        ("DB3.example.net", Tier.DATABASE),
        ("shop-cache-1", Tier.CACHE),
        ("ceph-db-1", None),
        ("mail", None),
        ("10.0.0.1", None),
    ],
)
def test_a_word_of_a_name(name: str, tier: Tier | None) -> None:
    assert tier_of_name(name) is tier


@pytest.mark.parametrize(
    ("names", "others", "wanted"),
    [
        (["cache-1", "cache-2.example.net"], [], ("cache-*",)),
        (["web1", "web2", "old"], ["webmail"], ("old", "web1", "web2")),
        (["a[1]-1"], [], ("a[[]1]-*",)),
        (["10.0.0.1", "fe80::1"], [], ()),
        ([f"n{number}" for number in range(MOST_EXACT + 1)], ["nas"], ()),
        (["7"], [], ("7",)),
    ],
)
def test_patterns(names: list[str], others: list[str], wanted: tuple[str, ...]) -> None:
    assert patterns(names, others) == wanted


NAMES = st.lists(st.text("ab*?[]-12", min_size=1, max_size=4), max_size=8, unique=True)


@given(NAMES, NAMES)
def test_patterns_match_their_own_and_never_another(mine: list[str], others: list[str]) -> None:
    others = [name for name in others if name not in mine]
    made = patterns(mine, others)
    assert not [name for name in others if any(fnmatchcase(name, pattern) for pattern in made)]
    if made:
        assert all(any(fnmatchcase(name, pattern) for pattern in made) for name in mine)
