"""Money that is spread: by weights, to the cent, so that the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal(0)


def cents(amount: Decimal) -> Decimal:
    """An amount to the cent, half a cent rounded up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def spread(total: Decimal, weights: Sequence[float | Decimal]) -> tuple[Decimal, ...]:
    """`total` (to the cent) over weights of 0 and more, by the largest remainder; the parts add up to it exactly.

    Where all weights are 0 each gets the same. Without weights there is nobody to pay. Raises ValueError for a
    weight below 0 or without a value.
    """
    shares = [Decimal(weight) if isinstance(weight, Decimal) else Decimal(repr(float(weight))) for weight in weights]
    if any(not share.is_finite() or share < 0 for share in shares):
        raise ValueError("a weight is a number of 0 or more")
    if not shares:
        return ()
    whole = int(cents(total) / CENT)
    weight = sum(shares, ZERO)
    if not weight:
        shares, weight = [Decimal(1)] * len(shares), Decimal(len(shares))
    exact = [share * whole / weight for share in shares]
    parts = [int(part) for part in exact]
    # Those that lost most by rounding down get the cents that are left, the first of equals first.
    order = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    left = whole - sum(parts)
    step = 1 if left >= 0 else -1
    for turn in range(abs(left)):
        parts[order[turn % len(parts)]] += step
    return tuple(Decimal(part) * CENT for part in parts)
