"""The plan that farmtui brings gives the document's own sums, and names where the document departs from them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.config.parsing import FileError
from farmtui.config.plan import SHIPPED, load_plan
from farmtui.farm.node import Tier
from farmtui.farm.plan import Line, Plan, Scenario
from farmtui.insight.departures import departures
from farmtui.insight.scenarios import (
    break_even,
    cheapest,
    cumulative,
    outcomes,
    over_life,
    per_month_at,
    plan_at_size,
    purchases,
    steady_per_month,
)

PLAN = load_plan(None)

# key, a month, a site, machines, once: as the document has them (machines as its own sizing counts).
STATED = [
    ("base", 3419, "6.84", 30, 0),
    ("cache", 3707, "7.41", 33, 0),
    ("cephfs", 4135, "8.27", 37, 0),
    ("all-do", 4185, "8.37", 37, 0),
    ("A", 3757, "7.51", 33, 0),
    ("B", 2450, "4.90", 0, 95_000),
]


def scenario(key: str, plan: Plan = PLAN) -> Scenario:
    """The scenario of that key, which must be there."""
    found = plan.scenario(key)
    assert found is not None
    return found


@pytest.mark.parametrize(("key", "per_month", "per_site", "nodes", "once"), STATED)
def test_the_lines_give_the_documents_sums(key: str, per_month: int, per_site: str, nodes: int, once: int) -> None:
    found = scenario(key)
    assert found.per_month == per_month
    assert round(found.per_month / PLAN.sites, 2) == Decimal(per_site)
    assert (found.nodes, found.once) == (nodes, Decimal(once))


def test_storage_costs_what_the_document_says() -> None:
    gluster = [line for line in scenario("base").lines if line.tier is Tier.STORAGE]
    ceph = [line for line in scenario("cephfs").lines if line.tier is Tier.STORAGE]
    assert sum(line.per_month for line in gluster) == 592
    assert sum(line.per_month for line in ceph) == 1_020


@pytest.mark.parametrize(
    ("of", "against", "expected"), [("B", "all-do", "54.8"), ("B", "A", "72.7"), ("C", "A", "82.4"), ("A", "B", None)]
)
def test_break_even_is_worked_out_from_the_inputs(of: str, against: str, expected: str | None) -> None:
    found = break_even(PLAN, scenario(of), scenario(against))
    assert (None if found is None else f"{found:.1f}") == expected


def test_phases_follow_one_another() -> None:
    phased = scenario("C")
    assert [per_month_at(PLAN, phased, month) for month in (0, 2, 3, 5, 6, 11, 12, 60)] == [
        3757, 3757, 4257, 4257, 3000, 3000, 2450, 2450,
    ]  # fmt: skip
    assert purchases(PLAN, phased) == ((12, Decimal(95_000)),)
    paid = cumulative(PLAN, phased, 13)
    assert paid[0] == 0
    assert paid[12] - paid[11] == 3000 + 95_000
    assert paid[13] - paid[12] == 2450


def test_hardware_counts_for_as_long_as_it_is_used() -> None:
    assert over_life(PLAN, scenario("A"), 60) == 3757
    assert round(over_life(PLAN, scenario("B"), 60), 2) == Decimal("4033.33")
    assert cheapest(outcomes(PLAN, sites=500, life_months=60, reference="A")) is not None
    keys = {life: cheapest(outcomes(PLAN, sites=500, life_months=life, reference="A")) for life in (60, 120)}
    assert {life: found.key for life, found in keys.items() if found is not None} == {60: "A", 120: "B"}


def test_the_present_size_replaces_counts_of_tiers_that_one_line_stands_for() -> None:
    now = plan_at_size(PLAN, {Tier.APP: 25, Tier.STORAGE: 3})
    assert scenario("A", now).per_month == 3757 + 5 * 96 + 96
    # Mons and OSDs are two lines of one tier: which of them has grown nobody knows.
    assert scenario("cephfs", now).per_month == 4135 + 5 * 96
    # Hosts are bought, and no machines of a tier that is counted.
    assert scenario("B", now) == scenario("B")


DEPARTURES = [
    ("B", "months to break even with all-do", "17", "54.8"),
    ("B", "saved a month against all-do", "1,935", "1,735"),
    ("B", "rack units", "20", "30"),
    ("cephfs", "machines", "34", "37"),
    ("all-do", "alerting", "50", "65 to 190"),
    ("base", "a month (139 not itemised)", "3,419", "3,280"),
    ("cache", "% dearer than base", "8.3", "8.4"),
    ("C", "phase 3, non-critical sites move", "3,000", "no inputs"),
]


@pytest.mark.parametrize("expected", DEPARTURES, ids=lambda departure: f"{departure[0]}-{departure[1]}")
def test_where_the_document_departs_from_its_inputs(expected: tuple[str, str, str, str]) -> None:
    found = [(d.scenario, d.what, d.stated, d.computed) for d in departures(PLAN)]
    assert expected in found


def test_what_agrees_is_no_departure() -> None:
    found = departures(PLAN)
    assert not [departure for departure in found if departure.what in ("a month", "a month and site", "hardware")]
    assert not [departure for departure in found if departure.stated == "22"]


money = st.decimals(min_value=0, max_value=100_000, places=2)


@given(money, money, money, money)
def test_break_even_is_where_the_sums_meet(once: Decimal, mine: Decimal, other: Decimal, other_once: Decimal) -> None:
    of = Scenario("x", "x", (Line("x", 1, mine, once),))
    against = Scenario("y", "y", (Line("y", 1, other, other_once),))
    plan = Plan("p", "USD", 1, "y", scenarios=(of, against))
    found = break_even(plan, of, against)
    if once - other_once > 0 and other > mine and (once - other_once) / (other - mine) <= 240:
        assert found is not None
        assert abs(found * (other - mine) - (once - other_once)) < Decimal("0.01")
    elif found is not None:
        # It never was dearer.
        assert found == 0
        assert once <= other_once
    assert steady_per_month(plan, of) == mine


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("follows: A", "follows: Z"), "follows: 'Z' is no scenario"),
        (("extends: base", "extends: bass"), "'bass' is no scenario above it"),
        (("size: 32gb-8vcpu", "size: 33gb"), "no size '33gb'"),
        (("sites: 500", "sites: 0"), ":5: sites:"),
        (("currency: USD", "currency: dollars"), "currency"),
        (("per_gb_month: 0.10", "per_gb_mnth: 0.10"), "did you mean per_gb_month?"),
        (("once: 15000", "per_month: 5, gb: 7"), "one of size, gb and per_month"),
        (("of: B, buys: B", "of: C, buys: B"), "'C' is no scenario with lines"),
    ],
)
def test_a_wrong_plan_names_its_place(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(FileError) as caught:
        load_plan(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
