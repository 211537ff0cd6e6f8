"""Which columns fit, and how wide they are."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from widgets.table_columns import GAP, Column, place


def column(key: str, width: int = 10, least: int | None = None, flex: int = 0, priority: int = 1) -> Column[str]:
    return Column(key, key.upper(), lambda row: row, width=width, min_width=least, flex=flex, priority=priority)


@st.composite
def column_sets(draw: st.DrawFn) -> list[Column[str]]:
    count = draw(st.integers(1, 8))
    columns = []
    for number in range(count):
        width = draw(st.integers(1, 30))
        least = draw(st.one_of(st.none(), st.integers(1, width)))
        columns.append(column(str(number), width, least, draw(st.integers(0, 3)), draw(st.integers(0, 4))))
    return columns


@given(columns=column_sets(), available=st.integers(1, 200))
def test_what_is_shown_fits_or_cannot_be_hidden(columns: list[Column[str]], available: int) -> None:
    placed = place(columns, available)
    shown = [item.column for item in placed]
    end = placed[-1].x + placed[-1].width
    assert end <= available or len(shown) == 1 or all(item.priority == 0 for item in shown)
    assert end <= available or all(item.width == item.column.squeezed for item in placed)
    assert [item.key for item in columns if item in shown] == [item.key for item in shown]
    assert all(item in shown for item in columns if item.priority == 0) or len(shown) == 1
    for before, after in itertools.pairwise(placed):
        assert after.x == before.x + before.width + GAP
    assert all(item.width >= item.column.squeezed for item in placed)
    if any(item.priority > 0 for item in shown) and len(shown) > 1:
        assert all(item.width >= item.column.least for item in placed)


@given(columns=column_sets(), available=st.integers(1, 200))
def test_what_matters_less_gives_way_first(columns: list[Column[str]], available: int) -> None:
    shown = {item.column.key for item in place(columns, available)}
    hidden = [item for item in columns if item.key not in shown]
    for gone in hidden:
        kept_lower = [item for item in columns if item.key in shown and item.priority > gone.priority]
        assert not kept_lower


@given(columns=column_sets(), available=st.integers(1, 200))
def test_wide_keeps_all(columns: list[Column[str]], available: int) -> None:
    assert len(place(columns, available, hide=False)) == len(columns)


def test_spare_cells_go_to_flexible_columns_in_proportion() -> None:
    columns = [column("name", 10, flex=1), column("fixed", 8), column("note", 10, flex=3)]
    placed = place(columns, 10 + 8 + 10 + 2 * GAP + 40)
    assert [item.width for item in placed] == [20, 8, 40]


def test_a_squeezed_column_grows_to_its_width_before_others_flex() -> None:
    columns = [column("bar", 16, least=8), column("name", 10, flex=1)]
    assert [item.width for item in place(columns, 8 + GAP + 10 + 3)] == [11, 10]
    assert [item.width for item in place(columns, 60)] == [16, 42]


def test_of_equals_the_rightmost_goes() -> None:
    columns = [column("a"), column("b"), column("c")]
    assert [item.column.key for item in place(columns, 2 * 10 + GAP)] == ["a", "b"]


def test_a_name_is_cut_only_when_nothing_can_be_hidden() -> None:
    columns = [column("name", 14, flex=1, priority=0), column("why", 20, flex=2, priority=3), column("cpu", 7)]
    assert [item.column.key for item in place(columns, 40)] == ["name", "cpu"]
    assert [(item.column.key, item.width) for item in place(columns, 15)] == [("name", 15)]
    assert [(item.column.key, item.width) for item in place(columns, 10)] == [("name", 10)]
    assert [(item.column.key, item.width) for item in place(columns, 5)] == [("name", 8)]
