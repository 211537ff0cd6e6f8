"""Sorting, filtering and stickiness of a table, as pure functions."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets import table_view
from widgets.table_view import Order, Predicate, Stand, Texts, View, build, stick

Row = tuple[int, float | None]

ROWS = st.lists(
    st.tuples(st.integers(0, 10_000), st.one_of(st.none(), st.integers(-5, 5).map(float), st.just(math.nan))),
    max_size=120,
)
KEYS = st.lists(st.integers(0, 60), max_size=60, unique=True)


def finished(rows: Sequence[Any], order: Order[Any], predicate: Predicate[Any] | None = None) -> View[Any]:
    texts: Texts[Any] = Texts(str)
    texts.renew(rows)
    *waits, view = build(rows, lambda row: row[0], order, predicate, texts)
    assert all(step is None for step in waits)
    assert view is not None
    return view


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a hundred rows are sorted in several runs and merged."""
    monkeypatch.setattr(table_view, "CHUNK", 8)
    monkeypatch.setattr(table_view, "FILTER_CHUNK", 3)


@given(rows=ROWS, descending=st.booleans())
def test_sorted_as_by_one_stable_sort_with_missing_values_last(rows: list[Row], descending: bool) -> None:
    view = finished(rows, Order(lambda row: row[1], descending))
    known = [row for row in rows if row[1] is not None and not math.isnan(row[1])]
    missing = [row for row in rows if row[1] is None or math.isnan(row[1])]
    expected = sorted(known, key=lambda row: row[1] or 0.0, reverse=descending) + missing
    assert [id(row) for row in view.rows] == [id(row) for row in expected]
    assert list(view.keys) == [row[0] for row in expected]
    assert view.total == len(rows)


@given(rows=ROWS)
def test_without_a_column_the_given_order_stays(rows: list[Row]) -> None:
    assert [id(row) for row in finished(rows, Order()).rows] == [id(row) for row in rows]


@given(rows=ROWS)
def test_the_filter_sees_text_and_row(rows: list[Row]) -> None:
    view = finished(rows, Order(), lambda text, row: "7" in text and row[0] % 2 == 0)
    assert [row[0] for row in view.rows] == [row[0] for row in rows if "7" in str(row) and row[0] % 2 == 0]
    assert view.total == len(rows)


def test_values_of_several_types_are_sorted_somehow_and_all_kept() -> None:
    rows = [(1, "b"), (2, 3.0), (3, None), (4, (1, 2)), (5, "a")]
    view = finished(rows, Order(lambda row: row[1]))
    assert sorted(row[0] for row in view.rows) == [1, 2, 3, 4, 5]
    assert view.rows[-1][0] == 3


def test_a_text_is_made_once_while_its_row_stays() -> None:
    made: list[object] = []

    def make(row: list[int]) -> str:
        made.append(row)
        return "text"

    texts: Texts[list[int]] = Texts(make)
    first, second = [1], [2]
    for rows in ([first], [first, second], [first, second]):
        texts.renew(rows)
        for row in rows:
            texts.of(row)
    assert len(made) == 2
    texts.renew([[1]])
    texts.renew([[1]])
    texts.renew([first])
    texts.of(first)
    assert len(made) == 3


def test_without_a_filter_no_former_rows_are_held() -> None:
    class Rows(list[int]):
        """A list that can be referred to weakly."""

    texts: Texts[int] = Texts(str)
    rows = Rows([1, 2])
    gone = weakref.ref(rows)
    texts.renew(rows)
    del rows
    texts.renew([3])
    assert gone() is None


@st.composite
def stands(draw: st.DrawFn) -> tuple[list[int], list[int], Stand, int]:
    before, after = draw(KEYS), draw(KEYS)
    height = draw(st.integers(1, 20))
    cursor = draw(st.integers(0, max(0, len(before) - 1)))
    top = draw(st.integers(0, max(0, len(before) - height)))
    return before, after, Stand(cursor, top, draw(st.booleans())), height


@given(case=stands())
def test_the_cursor_stays_on_its_key(case: tuple[list[int], list[int], Stand, int]) -> None:
    before, after, stand, height = case
    now = stick(before, after, stand, height)
    if not after:
        assert (now.cursor, now.top) == (0, 0)
        return
    assert 0 <= now.cursor < len(after)
    assert 0 <= now.top <= max(0, len(after) - height)
    if not stand.touched or not before:
        assert (now.cursor, now.top) == (0, 0)
    elif before[stand.cursor] in after:
        assert after[now.cursor] == before[stand.cursor]
    else:
        assert now.cursor == min(stand.cursor, len(after) - 1)


@given(case=stands())
def test_a_cursor_in_sight_stays_in_sight(case: tuple[list[int], list[int], Stand, int]) -> None:
    before, after, stand, height = case
    if not (after and before and 0 <= stand.cursor - stand.top < height):
        return
    now = stick(before, after, stand, height)
    assert 0 <= now.cursor - now.top < height


@given(case=stands())
def test_nothing_moves_when_nothing_has_changed(case: tuple[list[int], list[int], Stand, int]) -> None:
    before, _, stand, height = case
    if before and stand.touched:
        assert stick(before, list(before), stand, height) == stand


@given(keys=KEYS, new=st.integers(100, 200), height=st.integers(2, 20), cursor=st.integers(0, 19))
def test_at_the_top_what_comes_in_at_the_top_is_seen(keys: list[int], new: int, height: int, cursor: int) -> None:
    cursor = min(cursor, len(keys) - 1, height - 2)
    if cursor < 0:
        return
    now = stick(keys, [new, *keys], Stand(cursor, 0, touched=True), height)
    assert (now.cursor, now.top) == (cursor + 1, 0)


def test_scrolled_away_from_the_cursor_the_window_stays_on_what_is_read() -> None:
    before = list(range(100))
    after = [200, 201, *before]
    now = stick(before, after, Stand(cursor=3, top=50, touched=True), 10)
    assert after[now.cursor] == 3
    assert after[now.top] == 50
