"""Money as people read it. None is not known, and reads so."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final

from farmtui.farm.units import NOT_MEASURED

SIGNS: Final[Mapping[str, str]] = MappingProxyType({"USD": "$", "EUR": "€", "GBP": "£"})
_WHOLE_FROM: Final = 1_000


def money(amount: Decimal | None, currency: str = "") -> str:
    """An amount with thousands apart: `$3,757`, `$6.99`, `812.50 CHF`; cents only below a thousand."""
    if amount is None:
        return NOT_MEASURED
    places = Decimal(1) if abs(amount) >= _WHOLE_FROM else Decimal("0.01")
    rounded = amount.quantize(places, ROUND_HALF_UP)
    sign, text = ("-" if rounded < 0 else ""), f"{abs(rounded):,f}"
    if not currency:
        return f"{sign}{text}"
    return f"{sign}{SIGNS[currency]}{text}" if currency in SIGNS else f"{sign}{text} {currency}"


def exact(amount: Decimal | None) -> str:
    """An amount to the cent, thousands apart: `1,447.72`, so that a column adds up."""
    return NOT_MEASURED if amount is None else f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"


def months(count: Decimal) -> str:
    """A time in months, and in years where it is long: `17 months`, `72.7 months`."""
    text = f"{count.quantize(Decimal('0.1'), ROUND_HALF_UP):f}".removesuffix(".0")
    return f"{text} {'month' if text == '1' else 'months'}"
