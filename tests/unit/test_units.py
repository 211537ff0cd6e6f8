"""Numbers with what they count, in words."""

from __future__ import annotations

from farmtui.farm.units import plural


def test_one_is_singular_and_all_others_are_not() -> None:
    assert [plural(n, "line") for n in (0, 1, 2, 1_000)] == ["0 lines", "1 line", "2 lines", "1,000 lines"]
    assert [plural(n, "machine is", "machines are") for n in (1, 3)] == ["1 machine is", "3 machines are"]
