"""What if: counts, sizes and prices as they are typed, and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.config.plan import load_plan
from farmtui.farm.node import Tier
from farmtui.farm.plan import Line
from farmtui.insight.what_if import (
    LIFE,
    SITES,
    WhatIf,
    WhatIfError,
    applied,
    at_present,
    bases,
    begin,
    edited,
    resized,
    stepped,
    text_of,
)

PLAN = load_plan(None)
A, B = begin("A", 500, 60), begin("B", 500, 60)


def cost(what_if: WhatIf) -> Decimal:
    """What a month of the changed scenario costs."""
    scenario = applied(PLAN, what_if).scenario(what_if.key)
    assert scenario is not None
    return scenario.per_month


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("24", 3757 + 4 * 96),
        ("24 32gb-8vcpu", 3757 - 20 * 96 + 24 * 144),
        ("32gb-8vcpu", 3757 + 20 * 48),
        ("24 @ 100", 3757 - 20 * 96 + 2400),
        ("@ 100.50", Decimal(3757) + 20 * Decimal("4.5")),
        ("x 1,000", 3757 - 20 * 96 + 20_000),
        ("20", 3757),
    ],
)
def test_a_line_as_it_is_typed(typed: str, expected: Decimal) -> None:
    assert cost(edited(PLAN, A, "workers", typed)) == expected


def test_hardware_is_typed_once() -> None:
    found = applied(PLAN, edited(PLAN, B, "hosts", "12 @ 4000 once")).scenario("B")
    assert found is not None
    assert (found.once, found.per_month) == (Decimal(12 * 4000 + 20_000), Decimal(2450))


def test_sites_and_life() -> None:
    assert edited(PLAN, A, SITES, "800").sites == 800
    assert edited(PLAN, A, LIFE, "84").life_months == 84
    assert stepped(PLAN, A, SITES, -1_000).sites == 1
    assert edited(PLAN, A, SITES, "800").any


@pytest.mark.parametrize(
    "typed", ["", "many", "-3", "24 huge", "@", "@ -5", "9999999", "1 @ 99999999999", "@ 1e5", "24 @"]
)
def test_what_cannot_be_meant_is_refused_in_words(typed: str) -> None:
    with pytest.raises(WhatIfError) as caught:
        edited(PLAN, A, "workers", typed)
    assert str(caught.value)
    for row in (SITES, LIFE):
        with pytest.raises(WhatIfError):
            edited(PLAN, A, row, f"{typed} x")


@given(st.text(max_size=30))
def test_nothing_that_is_typed_breaks_it(typed: str) -> None:
    for name in ("workers", SITES, LIFE):
        try:
            found = edited(PLAN, A, name, typed)
        except WhatIfError:
            continue
        assert cost(found) >= 0


@given(st.integers(0, 1_000), st.decimals(min_value=0, max_value=9_999, places=2), st.booleans())
def test_a_line_is_read_as_it_is_written(count: int, price: Decimal, once: bool) -> None:
    before = edited(PLAN, B, "hosts" if once else "power", f"{count} @ {price:f}{' once' if once else ''}")
    name = "hosts" if once else "power"
    line = before.line(name) or next(li for li in _lines("B") if li.name == name)
    if once and not line.each_once:
        return
    again = edited(PLAN, B, name, text_of(line))
    assert cost(again) == cost(before)


def _lines(key: str) -> tuple[Line, ...]:
    scenario = PLAN.scenario(key)
    assert scenario is not None
    return scenario.lines


def test_what_is_as_the_plan_has_it_is_no_change() -> None:
    more = stepped(PLAN, A, "cache", 2)
    assert more.any
    assert not stepped(PLAN, more, "cache", -2).any
    bigger = resized(PLAN, A, "cache")
    assert cost(bigger) == 3757 + 3 * 48
    assert not resized(PLAN, bigger, "cache").any
    with pytest.raises(WhatIfError, match="no size"):
        resized(PLAN, A, "alerting")


def test_scenarios_that_refer_to_it_follow() -> None:
    changed = applied(PLAN, stepped(PLAN, A, "workers", 10))
    assert [s.key for s in bases(PLAN)][:2] == ["A", "B"]
    phased = changed.scenario("C")
    assert phased is not None
    from farmtui.insight.scenarios import per_month_at

    assert per_month_at(changed, phased, 0) == 3757 + 960


def test_the_farms_present_size() -> None:
    found = at_present(PLAN, A, {Tier.APP: 22}, 640)
    assert (found.sites, cost(found)) == (640, Decimal(3757 + 2 * 96))
    assert at_present(PLAN, A, {Tier.APP: 20}, 500) == A
