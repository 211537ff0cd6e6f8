"""Money that is spread adds up to the whole, to the cent, whatever the weights."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.insight.spread import CENT, spread

amounts = st.decimals(min_value=-100_000, max_value=1_000_000, places=2)
weights = st.lists(st.floats(min_value=0, max_value=1e12, allow_nan=False), min_size=1, max_size=60)


@given(amounts, weights)
def test_the_parts_are_the_whole(total: Decimal, shares: list[float]) -> None:
    parts = spread(total, shares)
    assert sum(parts) == total
    assert all(part == part.quantize(CENT) for part in parts)


@given(st.decimals(min_value=0, max_value=1_000_000, places=2), weights)
def test_no_part_is_off_by_a_cent_or_more(total: Decimal, shares: list[float]) -> None:
    whole = sum(Decimal(repr(share)) for share in shares)
    if not whole:
        return
    for share, part in zip(shares, spread(total, shares), strict=True):
        assert abs(part - total * Decimal(repr(share)) / whole) < CENT + Decimal("1e-9")
        assert part >= 0


@given(st.decimals(min_value=0, max_value=10_000, places=2), st.integers(1, 40))
def test_without_weights_that_tell_each_gets_the_same(total: Decimal, count: int) -> None:
    parts = spread(total, [0.0] * count)
    assert max(parts) - min(parts) <= CENT
    assert sum(parts) == total


def test_nobody_and_nonsense() -> None:
    assert spread(Decimal(5), []) == ()
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="weight"):
            spread(Decimal(5), [1.0, wrong])
