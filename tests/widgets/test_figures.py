"""Sparks, meters, chips, marks, tiles, big digits, pairs and the heartbeat."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from tests.widgets.stage import Stage, lines, text
from widgets import ink
from widgets.big_digits import BigDigits, big_lines, split_unit
from widgets.freshness_chip import FreshnessChip, freshness_text
from widgets.glyphs import set_ascii
from widgets.heartbeat import Heartbeat
from widgets.key_value import KeyValue
from widgets.meter import Limits, Meter, meter
from widgets.spark import spark
from widgets.status_mark import StatusMark, severity_sign, status_mark
from widgets.tile import Tile, TileState

VALUES = st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=80)


def styles_of(content: Content) -> set[str]:
    return {str(span.style) for span in content.spans}


@given(values=VALUES, width=st.integers(1, 30), ascii_only=st.booleans())
def test_a_spark_has_its_width_whatever_comes(values: list[float | None], width: int, ascii_only: bool) -> None:
    set_ascii(ascii_only)
    shown = spark(values, width)
    assert shown.cell_length == width
    assert not ascii_only or shown.plain.isascii()
    assert spark(values, width, high=None).cell_length == width


def test_a_spark_is_on_the_scale_that_is_given() -> None:
    assert spark([0.0, 0.5, 1.0], 3).plain == "▁▅█"
    assert spark([0.0, 0.25, 0.5], 3).plain == "▁▃▅"
    assert spark([0.0, 5.0, 10.0], 3, high=None).plain == "▁▅█"
    assert spark([1.0, None, 1.0], 3).plain == "█ █"
    assert spark([7.0, 7.1, 7.0], 3, high=None).plain == "▄▅▄", "flat, and not full"
    assert spark([0.0, 0.0], 2, high=None).plain == "▁▁"
    assert spark([0.9, 0.95, 1.0], 3, low=0.9).plain == "▁▄█"


def test_a_peak_is_not_averaged_away() -> None:
    assert "█" in spark([0.0] * 50 + [1.0] + [0.0] * 49, 10).plain


def test_a_spark_has_colour_for_what_is_wrong_only() -> None:
    assert styles_of(spark([0.5], 4)) == {ink.MUTED}
    assert styles_of(spark([0.5], 4, severity=Severity.CRITICAL)) == {ink.CRITICAL}
    assert styles_of(spark([0.5], 4, style=ink.OK)) == {ink.OK}


RATIOS = st.one_of(st.none(), st.just(math.nan), st.floats(min_value=-1, max_value=3))


@given(ratio=RATIOS, width=st.integers(12, 60), ascii_only=st.booleans(), falling=st.booleans())
def test_a_meter_has_its_width_and_says_its_value(
    ratio: float | None, width: int, ascii_only: bool, falling: bool
) -> None:
    set_ascii(ascii_only)
    shown = meter(ratio, width, Limits(0.7, 0.9, falling))
    assert shown.cell_length == width
    assert not ascii_only or ratio is None or shown.plain.isascii()


def test_a_meter_passes_its_limits() -> None:
    limits = Limits(0.8, 0.95)
    assert meter(0.5, 18, limits).plain == "━━━━━───┼┼    50 %"
    assert meter(0.85, 18, limits).plain == "━━━━━━━━╸┼  ▲ 85 %"
    assert meter(0.97, 16, limits).plain.endswith("✖ 97 %")
    assert meter(None, 16).plain == "──────────     –"
    assert meter(math.nan, 16).plain.endswith(" n/a")
    assert meter(0.001, 16).plain.startswith("╸")
    assert meter(0.0, 16).plain.startswith("─")
    assert meter(0.5, 20, text="412 GiB").plain == "━━━━━━────── 412 GiB"


def test_limits() -> None:
    assert Limits(0.8, 0.95).severity(0.8) is Severity.WARNING
    assert Limits(0.8, 0.95).severity(0.95) is Severity.CRITICAL
    assert Limits(0.8, 0.6, falling=True).severity(0.7) is Severity.WARNING
    assert Limits(0.8, 0.6, falling=True).severity(0.5) is Severity.CRITICAL
    assert Limits(0.8, 0.6, falling=True).severity(0.9) is Severity.OK
    assert Limits().severity(5.0) is Severity.OK
    assert Limits(0.8).severity(None) is Severity.UNKNOWN
    assert Limits(0.8).severity(math.nan) is Severity.UNKNOWN


@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_six_kinds_of_freshness_never_look_alike(ascii_only: bool) -> None:
    set_ascii(ascii_only)
    shown = {freshness_text(freshness, 250.0).plain for freshness in Freshness}
    assert len(shown) == len(Freshness)
    assert len({plain[0] for plain in shown}) == len(Freshness)
    assert freshness_text(Freshness.STALE, 250.0).plain.split()[1:4] == ["stale", "4", "min"]


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_severity_is_always_sign_and_word(ascii_only: bool) -> None:
    set_ascii(ascii_only)
    for severity in Severity:
        sign, word = status_mark(severity).plain.split()
        assert word == severity.word
        assert severity_sign(severity).plain == sign
    assert status_mark(Severity.OK, "[drained]").plain.endswith("[drained]")


async def test_small_widgets_are_as_wide_as_their_words() -> None:
    chip, mark, bar = FreshnessChip("prometheus"), StatusMark(Severity.OK), Meter("cpu", Limits(0.8))
    app = Stage(lambda: [chip, mark, bar])
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert text(chip) == "prometheus … no answer yet"
        chip.show(Freshness.STALE, 250.0)
        mark.show(Severity.CRITICAL, "down since 03:12")
        bar.show(0.5)
        await pilot.pause()
        assert text(chip) == "prometheus ▒ stale 4 min ▒"
        assert text(mark) == "✖ down since 03:12"
        assert text(bar).startswith("cpu         ━")
        assert text(bar).endswith(" 50 %")
        assert chip.repaint() == mark.repaint() == bar.repaint() == 0


@pytest.mark.parametrize(
    ("formatted", "parts"),
    [
        ("93 %", ("93", "%")),
        ("1.2k/s", ("1.2", "k/s")),
        ("$1,234.50", ("$1,234.50", "")),
        ("<0.1 %", ("<0.1", "%")),
        ("n/a", ("", "n/a")),
        ("–", ("", "–")),
        ("-5", ("-5", "")),
        ("4d 3h", ("4", "d 3h")),
    ],
)
def test_figures_and_their_units(formatted: str, parts: tuple[str, str]) -> None:
    assert split_unit(formatted) == parts


@given(figure=st.text(alphabet="0123456789.,-+:/% <>$xé", max_size=12), large=st.booleans(), ascii_only=st.booleans())
def test_big_digits_are_lines_of_one_width(figure: str, large: bool, ascii_only: bool) -> None:
    set_ascii(ascii_only)
    shown = big_lines(figure, large=large)
    assert len({len(line) for line in shown}) == 1
    assert len(shown) == ((5 if large else 3) if figure else 1)
    if ascii_only and "é" not in figure:
        assert all(line.isascii() for line in shown)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_all_digits_differ(large: bool, ascii_only: bool) -> None:
    set_ascii(ascii_only)
    assert len({tuple(big_lines(digit, large=large)) for digit in "0123456789-"}) == 11


async def test_big_digits_say_unit_and_severity() -> None:
    digits = BigDigits()
    app = Stage(lambda: [digits])
    async with app.run_test(size=(60, 8)) as pilot:
        digits.show("93 %", Severity.WARNING)
        await pilot.pause()
        assert lines(digits) == ["█▀█ ▀▀█ ▲ warn", "▀▀█ ▀▀█", "▀▀▀ ▀▀▀ %"]
        digits.show("n/a", Severity.UNKNOWN)
        await pilot.pause()
        assert text(digits).split() == ["?", "unknown", "n/a"]


STATE = TileState("93 %", "target 85 %", trend=(0.2, 0.5, 0.9), high=1.0)


@pytest.mark.parametrize("height", range(1, 12))
@pytest.mark.parametrize("severity", list(Severity))
async def test_a_tile_says_the_same_at_every_height(height: int, severity: Severity) -> None:
    tile = Tile("hit ratio")
    app = Stage(lambda: [tile])
    async with app.run_test(size=(40, 12)) as pilot:
        tile.styles.height = height
        tile.show(TileState("93 %", "target", severity, trend=(0.2, 0.9), high=1.0))
        await pilot.pause()
        painted = text(tile)
        assert "hit ratio" in painted
        assert "target" in painted
        assert "93 %" in painted or "▀▀█" in painted
        if severity > Severity.OK and height > 1:
            assert severity.word in painted
        assert len(lines(tile)) == height


@pytest.mark.parametrize(("width", "words"), [(30, "ERR, of 44 TiB, full in 3h"), (20, "ERR, of 44 TiB"), (10, "ERR")])
async def test_a_narrow_tile_gives_up_whole_phrases(width: int, words: str) -> None:
    tile = Tile("storage")
    app = Stage(lambda: [tile])
    async with app.run_test(size=(40, 12)) as pilot:
        tile.styles.width = width
        tile.show(TileState("93 %", "ERR, of 44 TiB, full in 3h"))
        await pilot.pause()
        assert words in [line.strip(" ▌") for line in lines(tile)]


async def test_a_tile_without_an_answer_shows_no_figure() -> None:
    tile = Tile("database")
    app = Stage(lambda: [tile])
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert "no answer yet" in text(tile)
        tile.show(TileState("93 %", freshness=Freshness.FORBIDDEN))
        await pilot.pause()
        assert "not allowed" in text(tile)
        assert "93" not in text(tile)


async def test_an_old_figure_does_not_sound_the_alarm() -> None:
    tile = Tile("sites")
    app = Stage(lambda: [tile])
    async with app.run_test(size=(40, 12)) as pilot:
        tile.show(TileState("497", "", Severity.CRITICAL))
        await pilot.pause()
        assert tile.has_class("-critical")
        tile.show(TileState("497", "", Severity.CRITICAL, Freshness.STALE, 300.0))
        await pilot.pause()
        assert not tile.has_class("-critical")
        assert "stale 5 min" in text(tile)


async def test_a_tile_can_be_clicked_and_repaints_what_differs() -> None:
    tile = Tile("sites")
    app = Stage(lambda: [tile])
    async with app.run_test(size=(40, 12)) as pilot:
        tile.show(STATE)
        await pilot.pause()
        assert tile.state == STATE
        assert tile.repaint() == 0
        await pilot.click(tile)
        await pilot.pause()
        assert len(app.heard_of(Tile.Clicked)) == 1


async def test_pairs_are_aligned_and_read_downwards() -> None:
    panel = KeyValue(columns=2)
    app = Stage(lambda: [panel])
    async with app.run_test(size=(60, 8)) as pilot:
        panel.show([("name", "[a]"), ("address", "10.0.0.1"), ("cpu", meter(0.5, 12))])
        await pilot.pause()
        assert [line.split() for line in lines(panel)] == [
            ["name", "[a]", "cpu", "━━━───", "50", "%"],
            ["address", "10.0.0.1"],
        ]
        assert lines(panel)[1].index("10.0.0.1") == lines(panel)[0].index("[a]")
        panel.show([("name", "[a]")])
        await pilot.pause()
        assert len(lines(panel)) == 1


async def test_a_heartbeat_cannot_lie() -> None:
    now = [datetime(2026, 1, 1, 3, 12, tzinfo=UTC)]
    heart = Heartbeat(30.0, clock=lambda: now[0])
    app = Stage(lambda: [heart])
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert text(heart).endswith("03:12:00 no picture yet")
        heart.beat()
        await pilot.pause()
        before = text(heart)
        assert before.endswith("03:12:00")
        now[0] += timedelta(seconds=1)
        heart.tick()
        await pilot.pause()
        assert text(heart)[0] != before[0]
        now[0] += timedelta(seconds=40)
        heart.tick()
        await pilot.pause()
        assert text(heart) == "✖ picture is 41 s old 03:12:41"
        heart.beat()
        await pilot.pause()
        assert "old" not in text(heart)
