"""The trend chart's axes and dots, as pure functions."""

from __future__ import annotations

import math
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.chart_axis import BYTES, COUNT, RATIO, SMALL_RATIO, Axis, axis_for, next_ceiling, round_ceiling, time_ticks
from widgets.chart_raster import Window, runs_of, usual_step

END = 1_767_236_400.0

VALUES = st.lists(
    st.one_of(st.none(), st.just(math.nan), st.floats(min_value=-0.5, max_value=1.5)), min_size=1, max_size=300
)


def window(columns: int = 60, rows: int = 32, span_s: float = 3600.0, end: float = END) -> Window:
    return Window(end=end, span_s=span_s, low=0.0, high=1.0, columns=columns, rows=rows)


def times_for(count: int, span_s: float = 3600.0) -> list[float]:
    return [END - span_s + (index + 1) * span_s / count for index in range(count)]


@given(values=VALUES, columns=st.integers(2, 120), rows=st.integers(1, 64))
def test_no_measured_value_is_lost(values: list[float | None], columns: int, rows: int) -> None:
    here = window(columns, rows)
    times = times_for(len(values))
    runs = runs_of(times, values, here)
    for time, value in zip(times, values, strict=True):
        column = int(time // here.bucket_s) - here.first_bucket()
        if value is None or math.isnan(value) or not 0 <= column < columns:
            continue
        top, bottom = runs[column]
        assert top <= here.row(value) <= bottom
    for column, (top, bottom) in runs.items():
        assert 0 <= column < columns
        assert 0 <= top <= bottom < rows


@given(values=VALUES)
def test_nothing_is_drawn_beyond_what_was_measured(values: list[float | None]) -> None:
    here = window()
    runs = runs_of(times_for(len(values)), values, here)
    known = [here.row(value) for value in values if value is not None and not math.isnan(value)]
    for top, bottom in runs.values():
        assert top >= min(known)
        assert bottom <= max(known)


def test_missing_values_leave_a_gap_and_so_does_a_silence() -> None:
    here = window(columns=60)
    times = times_for(60)
    values: list[float | None] = [0.5] * 60
    values[20:30] = [None] * 5 + [math.nan] * 5
    drawn = set(runs_of(times, values, here))
    assert {column for column in range(60) if column not in drawn} == set(range(20, 30))
    kept = [index for index in range(60) if not 40 <= index < 50]
    silent = set(runs_of([times[index] for index in kept], [0.5] * 50, here))
    assert {column for column in range(60) if column not in silent} == set(range(40, 50))


def test_neighbours_are_joined_over_several_columns() -> None:
    here = window(columns=60)
    times = times_for(20)  # three columns apart
    runs = runs_of(times, [0.2, 0.8] * 10, here)
    assert set(runs) == set(range(min(runs), 60))


@given(values=VALUES, seconds=st.floats(min_value=0.0, max_value=59.0))
def test_as_time_goes_on_the_picture_moves_by_whole_columns(values: list[float | None], seconds: float) -> None:
    times = times_for(len(values))
    before = window()
    after = window(end=END + seconds)
    shift = after.first_bucket() - before.first_bucket()
    moved = {column - shift: run for column, run in runs_of(times, values, before).items() if column - shift >= 1}
    now = {column: run for column, run in runs_of(times, values, after).items() if column >= 1}
    # The leftmost column may be joined from a point that has left the window.
    first = min(moved, default=0)
    assert {c: r for c, r in moved.items() if c != first} == {c: r for c, r in now.items() if c != first}


def test_usual_step() -> None:
    assert usual_step([]) == 0.0
    assert usual_step([5.0]) == 0.0
    assert usual_step([0, 15, 30, 300, 315]) == 15


@given(value=st.floats(min_value=1e-9, max_value=1e15), binary=st.booleans())
def test_ceilings_are_above_and_near(value: float, binary: bool) -> None:
    ceiling = round_ceiling(value, binary=binary)
    assert value * (1 - 1e-6) <= ceiling <= value * (2.0 + 1e-6)


@given(peaks=st.lists(st.floats(min_value=90.0, max_value=110.0), min_size=2, max_size=50))
def test_a_wavering_peak_moves_the_axis_once_at_most(peaks: list[float]) -> None:
    ceiling = next_ceiling(peaks[0], None, COUNT)
    moves = 0
    for peak in peaks:
        now = next_ceiling(peak, ceiling, COUNT)
        moves += now != ceiling
        ceiling = now
        assert ceiling >= peak
    assert moves <= 1


def test_the_axis_comes_down_after_a_real_fall() -> None:
    high = next_ceiling(900.0, None, COUNT)
    assert next_ceiling(500.0, high, COUNT) == high
    assert next_ceiling(100.0, high, COUNT) < high
    assert next_ceiling(0.0, None, SMALL_RATIO) == 0.01
    assert next_ceiling(3e8, None, BYTES) == 512 * 2**20


def test_axes_of_units() -> None:
    assert axis_for("ratio") is RATIO
    assert axis_for("what") is COUNT
    assert (RATIO.low, RATIO.high) == (0.0, 1.0)
    assert Axis().high is None


@given(
    start=st.floats(min_value=0.0, max_value=2e9),
    span=st.floats(min_value=10.0, max_value=4e7),
    most=st.integers(1, 12),
    hours=st.integers(-12, 12),
)
def test_ticks_are_round_few_and_in_the_window(start: float, span: float, most: int, hours: int) -> None:
    ticks = time_ticks(start, start + span, most, timezone(timedelta(hours=hours)))
    assert len(ticks) <= most + 1
    assert all(start - 1e-6 <= time <= start + span for time, _ in ticks)
    assert [time for time, _ in ticks] == sorted({time for time, _ in ticks})


@pytest.mark.parametrize(("hours", "label"), [(0, "03:00"), (2, "05:00"), (-5, "22:00")])
def test_ticks_are_labelled_in_the_zone(hours: int, label: str) -> None:
    assert label in [name for _, name in time_ticks(END - 10800, END, 6, timezone(timedelta(hours=hours)))]


def test_no_ticks_without_a_window() -> None:
    assert time_ticks(5.0, 5.0, 4, UTC) == []
    assert time_ticks(0.0, 60.0, 0, UTC) == []
