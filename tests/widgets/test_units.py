"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farmtui.farm import units
from farmtui.farm.state import Freshness
from widgets.freshness_chip import freshness_text

FORMATS: list[Callable[[float | None], str]] = [
    units.count,
    units.data_size,
    units.data_size_decimal,
    units.data_rate,
    units.rate,
    units.percent,
    units.duration,
    units.age,
    units.ago,
    units.number,
]

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize("form", FORMATS)
def test_absent_and_undefined_never_look_alike(form: Callable[[float | None], str]) -> None:
    assert form(None) == "–"
    assert form(math.nan) == "n/a"
    assert form(0.0) not in ("–", "n/a", "")


@pytest.mark.parametrize("form", FORMATS)
@given(value=ANY_FLOAT)
def test_every_number_has_a_short_text(form: Callable[[float | None], str], value: float) -> None:
    text = form(value)
    assert text
    assert text == text.strip()
    assert "nan" not in text
    assert "inf" not in text
    if form is not units.number and abs(value) < 1e15:
        assert len(text) <= 16, text


@given(value=st.floats(min_value=1e-12, max_value=1e12))
@example(value=0.0005)
def test_something_never_reads_as_nothing(value: float) -> None:
    for form in (units.count, units.data_size, units.percent, units.duration):
        assert form(value).split(" ")[0].rstrip("kMGTPEs%") not in ("0", "0.0", "0.00"), form


@given(value=st.floats(min_value=0.0, max_value=1.0, exclude_min=True, exclude_max=True))
def test_a_part_never_reads_as_none_or_all(value: float) -> None:
    assert units.percent(value) not in ("0 %", "100 %", "0.0 %", "100.0 %")


@given(value=st.floats(min_value=1e-6, max_value=1e15))
def test_a_minus_changes_only_the_sign(value: float) -> None:
    for form in (units.count, units.data_size, units.duration):
        assert form(-value) == f"-{form(value)}"


@given(value=st.floats(min_value=1.0, max_value=1e18))
def test_a_figure_says_its_number_within_a_twentieth(value: float) -> None:
    text = units.data_size(value)
    figure, unit = text.split(" ")
    power = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB").index(unit)
    assert abs(float(figure) * 1024.0**power - value) <= value * 0.05 + 0.05
    assert float(figure) < 1024


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0001, "<1 ms"),
        (0.25, "250 ms"),
        (4.04, "4.0 s"),
        (9.96, "10 s"),
        (35, "35 s"),
        (59.6, "1m"),
        (250, "4m 10s"),
        (3600, "1h"),
        (4 * 86400 + 3 * 3600 + 59, "4d 3h"),
        (400 * 86400, "1y 35d"),
        (math.inf, "∞"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "now"), (0.4, "now"), (35.9, "35 s"), (250, "4 min"), (3 * 3600 + 1, "3 h"), (12 * 86400, "12 d")],
)
def test_ages(seconds: float, text: str) -> None:
    assert units.age(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50 %"), (0.052, "5.2 %"), (0.999, "99.9 %"), (0.99999, ">99.9 %"),
     (0.00001, "<0.1 %"), (1.3, "130 %"), (-0.2, "-20 %")],
)  # fmt: skip
def test_percentages(ratio: float, text: str) -> None:
    assert units.percent(ratio) == text


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (0.42, "0.42"), (999.6, "1.0k"), (1234, "1.2k"), (31e6, "31M"), (0.001, "<0.01")]
)
def test_counts(value: float, text: str) -> None:
    assert units.count(value) == text


def test_money_is_exact_and_decimal() -> None:
    assert units.money(Decimal("1234.5")) == "$1,234.50"
    assert units.money(Decimal("-0.004")) == "$0.00"
    assert units.money(Decimal(-3)) == "-$3.00"
    assert units.money(Decimal("12.3456"), "€", 3) == "€12.346"
    assert units.money(None) == "–"
    assert units.money(Decimal("NaN")) == "n/a"
    with pytest.raises(TypeError, match="Decimal"):
        units.money(1.5)  # type: ignore[arg-type]


@given(cents=st.integers(min_value=-(10**14), max_value=10**14))
def test_money_loses_no_cent(cents: int) -> None:
    amount = Decimal(cents) / 100
    assert Decimal(units.money(amount).replace("$", "").replace(",", "")) == amount


@pytest.mark.parametrize(
    ("unit", "text"),
    [("ratio", "50 %"), ("per_s", "0.50/s"), ("bytes", "0.50 B"), ("bytes_per_s", "0.50 B/s"), ("s", "500 ms"),
     ("count", "0.50"), ("state", "0.50")],
)  # fmt: skip
def test_units_of_the_catalogue(unit: str, text: str) -> None:
    assert units.in_unit(0.5, unit) == text
    assert units.in_unit(None, unit) == "–"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "now"), (-3.0, "now"), (0.9, "now"), (1.0, "1 s ago"), (240.0, "4 min ago"), (None, "–")],
)
def test_what_is_of_now_is_never_said_to_be_now_ago(seconds: float | None, words: str) -> None:
    assert units.ago(seconds) == words
    assert "now ago" not in freshness_text(Freshness.AGEING, seconds).plain
