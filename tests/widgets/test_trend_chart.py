"""The trend chart on a stage."""

from __future__ import annotations

import math
import re

import pytest

from farmtui.farm.state import Freshness, Severity
from tests.widgets.stage import THEMES, Stage, lines, segments, text
from widgets import ink
from widgets.chart_axis import PER_SECOND, RATIO, Axis
from widgets.trend_chart import Line, Threshold, TrendChart

END = 1_767_236_400.0
TIMES = [END - 3600 + (index + 1) * 30 for index in range(120)]
THRESHOLDS = (
    Threshold(0.8, Severity.WARNING, falling=True),
    Threshold(0.6, Severity.CRITICAL, falling=True),
)


def chart_of(axis: Axis = RATIO, thresholds: tuple[Threshold, ...] = (), height: int = 10) -> tuple[Stage, TrendChart]:
    chart = TrendChart("hit ratio", axis, thresholds)
    chart.styles.height = height
    return Stage(lambda: [chart]), chart


async def test_title_axis_labels_and_last_value() -> None:
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("tier", TIMES, [0.93] * 120)], end=END, span_s=3600)
        await pilot.pause()
        painted = lines(chart)
        assert painted[0] == "hit ratio  ━━ tier 93 %"
        assert painted[1].startswith(" 100 %│")
        assert painted[4].startswith("  50 %│")
        assert painted[7].startswith("   0 %│")
        assert "02:30" in painted[9]
        assert "03:00" in painted[9]
        assert len(painted) == 10


async def test_a_ratio_stands_on_its_axis_and_not_on_its_own_minimum() -> None:
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("tier", TIMES, [0.97] * 60 + [0.99] * 60)], end=END, span_s=3600)
        await pilot.pause()
        plot = [line.partition("│")[2] for line in lines(chart)[1:8]]
        braille = [any(0x2800 < ord(character) <= 0x28FF for character in line) for line in plot]
        assert braille == [True, *[False] * 6]


async def test_gaps_stay_open() -> None:
    app, chart = chart_of()
    values: list[float | None] = [0.5] * 120
    values[40:60] = [None] * 20
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("tier", TIMES, values)], end=END, span_s=3600)
        await pilot.pause()
        row = next(line for line in lines(chart)[1:8] if any(ord(character) > 0x2800 for character in line))
        plot = row.partition("│")[2]
        assert "┈" * 10 in plot
        assert len(plot.split("┈" * 10)) >= 2


@pytest.mark.parametrize(
    ("freshness", "values", "note", "words"),
    [
        (Freshness.NEVER, [], "", "no answer yet"),
        (Freshness.FORBIDDEN, [], "", "not allowed"),
        (Freshness.EMPTY, [], "", "empty"),
        (Freshness.LIVE, [None, math.nan, None], "", "nothing measured in this time"),
        (Freshness.LIVE, [], "varnish_main_cache_hit is missing", "varnish_main_cache_hit is missing"),
    ],
)
async def test_why_there_is_no_line(freshness: Freshness, values: list[float | None], note: str, words: str) -> None:
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("tier", TIMES, values)], end=END, span_s=3600, freshness=freshness, note=note)
        await pilot.pause()
        assert words in text(chart)


async def test_a_value_that_stopped_coming_is_not_shown_as_the_present_one() -> None:
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        values: list[float | None] = [0.93] * 100 + [None] * 20
        chart.show([Line("tier", TIMES, values)], end=END, span_s=3600)
        await pilot.pause()
        assert lines(chart)[0] == "hit ratio  ━━ tier –"
        chart.show([Line("tier", TIMES[:100], [0.93] * 100)], end=END, span_s=3600)
        await pilot.pause()
        assert lines(chart)[0] == "hit ratio  ━━ tier –"


async def test_stale_lines_are_grey_and_say_their_age() -> None:
    app, chart = chart_of(thresholds=THRESHOLDS)
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("tier", TIMES, [0.5] * 120)], end=END, span_s=3600, freshness=Freshness.STALE, age_s=250)
        await pilot.pause()
        assert lines(chart)[0].endswith("▒ stale 4 min ▒")
        drawn = [part for part in segments(chart) if any(ord(character) > 0x2800 for character in part.text)]
        assert {part.style.color for part in drawn if part.style} == {chart.ink(ink.STALE).color}


async def test_what_passes_a_threshold_has_its_colour_sign_and_line() -> None:
    app, chart = chart_of(thresholds=THRESHOLDS)
    async with app.run_test(size=(80, 12)) as pilot:
        falling = [0.95 - 0.005 * index for index in range(120)]
        chart.show([Line("tier", TIMES, falling)], end=END, span_s=3600)
        await pilot.pause()
        assert "✖ 36 %" in lines(chart)[0]
        assert sum("╌" in line for line in lines(chart)) == 2
        colours = [
            part.style.color
            for part in segments(chart)
            if part.style and any(ord(character) > 0x2800 for character in part.text)
        ]
        for name in (ink.SERIES[0], ink.WARNING, ink.CRITICAL):
            assert chart.ink(name).color in colours


async def test_another_day_lies_behind_and_is_dotted() -> None:
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show(
            [Line("tier", TIMES, [0.3] * 120), Line("last week", TIMES, [0.7] * 120, compared=True)],
            end=END,
            span_s=3600,
        )
        await pilot.pause()
        assert "·· last week 70 %" in lines(chart)[0]
        counts = [sum(0x2800 < ord(character) <= 0x28FF for character in line) for line in lines(chart)[1:8]]
        dotted, solid = sorted(count for count in counts if count)
        assert dotted < solid * 0.6


async def test_a_short_history_is_no_outage() -> None:
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("tier", TIMES[80:], [0.93] * 40)], end=END, span_s=3600)
        await pilot.pause()
        assert lines(chart)[0].endswith("short history: 19m 30s")


async def test_the_same_again_paints_nothing_and_time_alone_moves_nothing_within_a_column() -> None:
    app, chart = chart_of(PER_SECOND)
    values = [500 + 300 * math.sin(index / 9) for index in range(120)]
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line("edge", TIMES, values)], end=END, span_s=3600)
        await pilot.pause()
        before = lines(chart)
        chart.show([Line("edge", TIMES, values)], end=END, span_s=3600)
        assert chart.repaint() == 0
        column_s = 3600 / (2 * (80 - len("  0/s│") - 3))
        chart.show([Line("edge", TIMES, values)], end=END + column_s / 10, span_s=3600)
        assert lines(chart)[1:8] == before[1:8]


async def test_the_ceiling_does_not_follow_noise() -> None:
    app, chart = chart_of(PER_SECOND)
    async with app.run_test(size=(80, 12)) as pilot:
        seen = set()
        for peak in (1000, 960, 1040, 900, 1100, 850):
            chart.show([Line("edge", TIMES, [peak / 2, peak] * 60)], end=END, span_s=3600)
            await pilot.pause()
            seen.add(chart.ceiling)
        assert seen == {2000.0}


async def test_ascii(ascii_signs: None) -> None:
    app, chart = chart_of(thresholds=THRESHOLDS)
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show(
            [
                Line("a", TIMES, [0.9] * 120),
                Line("b", TIMES, [0.3] * 120),
                Line("c", TIMES, [0.1] * 120, compared=True),
            ],
            end=END,
            span_s=3600,
        )
        await pilot.pause()
        painted = text(chart)
        assert painted.isascii()
        assert "*" * 20 in painted
        assert "+" * 20 in painted
        assert re.findall(r"(\S\S) [abc] ", lines(chart)[0]) == ["**", "++", ".."]


async def test_without_colours_lines_are_told_apart_by_their_dashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, chart = chart_of()
    async with app.run_test(size=(80, 12)) as pilot:
        chart.show([Line(str(n), TIMES, [0.1 + 0.4 * n] * 120) for n in range(3)], end=END, span_s=3600)
        await pilot.pause()
        drawn = [line.partition("│")[2] for line in lines(chart)[1:8]]
        patterns = ["".join(line.replace("┈", " ").split()) for line in drawn if any(ord(c) > 0x2800 for c in line)]
        assert len(set(patterns)) == 3
        assert re.findall(r"(\S\S) \d", lines(chart)[0]) == ["━━", "╍╍", "┅┅"]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(12, 3), (20, 4), (30, 4), (80, 5), (200, 30)])
async def test_any_size_in_any_theme(theme: str, size: tuple[int, int]) -> None:
    chart = TrendChart("hit ratio", RATIO, THRESHOLDS)
    app = Stage(lambda: [chart], theme)
    async with app.run_test(size=size) as pilot:
        chart.styles.height = size[1]
        chart.show([Line("tier", TIMES, [0.5, None] * 60)], end=END, span_s=3600)
        await pilot.pause()
        strips = chart.render_lines(chart.region)
        assert len(strips) == size[1]
        assert {strip.cell_length for strip in strips} == {size[0]}
