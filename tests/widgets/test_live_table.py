"""The live table on a stage: what it paints, what it says, and what it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from rich.text import Text
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import percent
from tests.widgets.stage import THEMES, Stage, lines, segments, text
from widgets import ink
from widgets.glyphs import set_ascii
from widgets.live_table import LiveTable
from widgets.table_columns import Column


@dataclass(frozen=True)
class Host:
    name: str
    cpu: float | None = 0.5
    severity: Severity = Severity.OK
    freshness: Freshness = Freshness.LIVE


COLUMNS: Sequence[Column[Host]] = (
    Column("name", "NAME", lambda row: row.name, width=12, priority=0, sort=lambda row: row.name),
    Column(
        "cpu", "CPU", lambda row: percent(row.cpu), width=7, align="right", sort=lambda row: row.cpu, descending=True
    ),
    Column("state", "STATE", lambda row: row.severity.word, width=8, priority=2),
)


def hosts(count: int) -> list[Host]:
    return [Host(f"host-{index:03}", index / 1000) for index in range(count)]


def table_of(
    rows: Sequence[Host], *, sort: str | None = None, columns: Sequence[Column[Host]] = COLUMNS
) -> LiveTable[Host]:
    table: LiveTable[Host] = LiveTable(
        columns,
        key=lambda row: row.name,
        severity=lambda row: row.severity,
        freshness=lambda row: row.freshness,
        noun="hosts: nobody has one",
        sort=sort,
    )
    table.set_rows(rows)
    return table


def on_stage(make: Callable[[], LiveTable[Host]], theme: str = "farm-dark") -> tuple[Stage, list[LiveTable[Host]]]:
    made: list[LiveTable[Host]] = []

    def widgets() -> Iterator[Widget]:
        made.append(make())
        yield made[0]

    return Stage(widgets, theme), made


async def settle(pilot: Pilot[None], table: LiveTable[Host]) -> None:
    await table.settled()
    await pilot.pause()


async def test_header_rows_and_signs() -> None:
    rows = [Host("a", 0.5), Host("b", 0.91, Severity.CRITICAL), Host("c", None, Severity.WARNING)]
    app, made = on_stage(lambda: table_of(rows))
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert lines(made[0])[:4] == [
            "   NAME              CPU  STATE",
            "▌● a                50 %  ok",
            " ✖ b                91 %  CRIT",
            " ▲ c                   –  warn",
        ]


async def test_cursor_moves_and_scrolls_and_says_so() -> None:
    app, made = on_stage(lambda: table_of(hosts(100)))
    async with app.run_test(size=(60, 11)) as pilot:
        table = made[0]
        await pilot.pause()
        keys = []
        for key in ("j", "down", "k", "G", "up", "g", "pagedown", "ctrl+f", "ctrl+b", "pageup", "end", "home"):
            await pilot.press(key)
            keys.append(table.cursor_key)
        assert keys == [
            *("host-001", "host-002", "host-001", "host-099", "host-098", "host-000"),
            *("host-010", "host-020", "host-010", "host-000", "host-099", "host-000"),
        ]
        heard = [message.key for message in app.heard_of(LiveTable.RowHighlighted)]
        assert heard[-12:] == keys
        assert heard[0] == "host-000"


async def test_the_last_row_can_be_reached_and_seen() -> None:
    app, made = on_stage(lambda: table_of(hosts(100)))
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.press("G")
        await pilot.pause()
        assert lines(made[0])[-1].startswith("▌● host-099")
        assert lines(made[0])[1].startswith(" ● host-090")


async def test_enter_selects_and_space_marks() -> None:
    app, made = on_stage(lambda: table_of(hosts(5)))
    async with app.run_test(size=(60, 11)) as pilot:
        table = made[0]
        await pilot.press("space", "j", "j", "space")
        assert table.marks == {"host-000", "host-002"}
        assert [row.name for row in table.chosen_rows] == ["host-000", "host-002"]
        assert lines(table)[1].startswith("✓")
        await pilot.press("space")
        assert [row.name for row in table.chosen_rows] == ["host-000"]
        await pilot.press("enter")
        await pilot.pause()
        selected = app.heard_of(LiveTable.RowSelected)
        assert [(message.key, message.row) for message in selected] == [("host-002", hosts(5)[2])]
        table.set_rows(hosts(5)[1:])
        await settle(pilot, table)
        assert table.marks == frozenset()
        assert [row.name for row in table.chosen_rows] == ["host-002"]


async def test_a_hidden_mark_is_not_acted_upon() -> None:
    app, made = on_stage(lambda: table_of(hosts(5)))
    async with app.run_test(size=(60, 11)) as pilot:
        table = made[0]
        await pilot.press("space")
        table.set_filter(lambda found, row: row.name > "host-002", "later")
        await settle(pilot, table)
        assert table.marks == {"host-000"}
        assert [row.name for row in table.chosen_rows] == ["host-003"]


async def test_cursor_and_offset_stick_to_keys() -> None:
    app, made = on_stage(lambda: table_of(hosts(100)))
    async with app.run_test(size=(60, 11)) as pilot:
        table = made[0]
        for _ in range(30):
            await pilot.press("j")
        before = lines(table)
        line = next(index for index, found in enumerate(before) if found.startswith("▌"))
        table.set_rows([Host("new-1"), Host("new-2"), *hosts(100)])
        await settle(pilot, table)
        assert table.cursor_key == "host-030"
        assert lines(table) == before
        table.set_rows(hosts(100)[::-1])
        await settle(pilot, table)
        assert table.cursor_key == "host-030"
        assert lines(table)[line].startswith("▌● host-030")
        table.set_rows([row for row in hosts(100)[::-1] if row.name != "host-030"])
        await settle(pilot, table)
        assert table.cursor_row == hosts(100)[29]


async def test_an_untouched_table_stays_at_its_top() -> None:
    app, made = on_stage(lambda: table_of(hosts(50)))
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        made[0].set_rows([Host("worst", severity=Severity.CRITICAL), *hosts(50)])
        await settle(pilot, made[0])
        assert made[0].cursor_key == "worst"


async def test_who_scrolled_by_the_wheel_keeps_reading_there() -> None:
    app, made = on_stage(lambda: table_of(hosts(50)))
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        made[0].scroll_to(y=20, animate=False)
        await pilot.pause()
        assert lines(made[0])[1].startswith(" ● host-020")
        made[0].set_rows([Host("worst", severity=Severity.CRITICAL), *hosts(50)])
        await settle(pilot, made[0])
        assert lines(made[0])[1].startswith(" ● host-020")


async def test_sorting_by_header_by_keys_and_by_call() -> None:
    rows = [Host("a", 0.2), Host("b", 0.9), Host("c", None), Host("d", 0.5)]
    app, made = on_stage(lambda: table_of(rows, sort="cpu"))
    async with app.run_test(size=(60, 11)) as pilot:
        table = made[0]
        await pilot.pause()
        assert [row.name for row in table.shown_rows] == ["b", "d", "a", "c"]
        assert "CPU▼" in lines(table)[0]
        table.sort_by("cpu")
        await settle(pilot, table)
        assert [row.name for row in table.shown_rows] == ["a", "d", "b", "c"]
        assert "CPU▲" in lines(table)[0]
        await pilot.click(table, offset=(4, 0))
        await settle(pilot, table)
        assert [row.name for row in table.shown_rows] == ["a", "b", "c", "d"]
        await pilot.press("greater_than_sign")
        await settle(pilot, table)
        assert table.sorted_by == ("cpu", True)
        await pilot.click(table, offset=(26, 0))  # STATE does not sort
        assert table.sorted_by == ("cpu", True)
        changes = [(message.column, message.descending) for message in app.heard_of(LiveTable.SortChanged)]
        assert changes == [("cpu", False), ("name", False), ("cpu", True)]
        table.sort_by(None)
        await settle(pilot, table)
        assert [row.name for row in table.shown_rows] == ["a", "b", "c", "d"]


async def test_a_click_takes_the_cursor_and_the_next_one_opens() -> None:
    app, made = on_stage(lambda: table_of(hosts(5)))
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.click(made[0], offset=(6, 3))
        assert made[0].cursor_key == "host-002"
        assert not app.heard_of(LiveTable.RowSelected)
        await pilot.click(made[0], offset=(6, 3))
        await pilot.pause()
        assert [message.key for message in app.heard_of(LiveTable.RowSelected)] == ["host-002"]
        await pilot.click(made[0], offset=(6, 9))  # below the last row
        assert made[0].cursor_key == "host-002"


async def test_filter_and_counter() -> None:
    app, made = on_stage(
        lambda: table_of([Host("cache-1"), Host("cache-2", severity=Severity.CRITICAL), Host("edge-1")])
    )
    async with app.run_test(size=(60, 11)) as pilot:
        table = made[0]
        await pilot.pause()
        assert table.counter == "3"
        table.set_filter(lambda found, row: re.search("cache", found) is not None, "cache")
        await settle(pilot, table)
        assert table.counter == "2 of 3 · /cache"
        assert [row.name for row in table.shown_rows] == ["cache-1", "cache-2"]
        table.set_filter(lambda found, row: "CRIT" in found, "CRIT")
        await settle(pilot, table)
        assert [row.name for row in table.shown_rows] == ["cache-2"]
        table.set_filter(lambda found, row: False, "nothing")
        await settle(pilot, table)
        assert "none of 3 hosts match /nothing" in text(table)
        assert table.cursor_key is None
        await pilot.press("j", "G", "enter", "space")
        table.set_filter(None)
        await settle(pilot, table)
        assert table.counter == "3"
        counts = [(message.shown, message.total) for message in app.heard_of(LiveTable.ViewChanged)]
        assert counts[-4:] == [(2, 3), (1, 3), (0, 3), (3, 3)]


@pytest.mark.parametrize(
    ("freshness", "reason", "words"),
    [
        (Freshness.NEVER, "", "no answer yet: hosts not known"),
        (Freshness.FORBIDDEN, "", "not allowed: the source refuses to tell hosts"),
        (Freshness.LIVE, "", "no hosts: nobody has one"),
        (Freshness.EMPTY, "", "no hosts: nobody has one"),
        (Freshness.STALE, "", "no hosts when last heard of"),
        (Freshness.LIVE, "all 34 hosts are well", "all 34 hosts are well"),
    ],
)
async def test_why_there_is_nothing(freshness: Freshness, reason: str, words: str) -> None:
    def make() -> LiveTable[Host]:
        table = table_of(())
        table.set_rows((), freshness=freshness, reason=reason)
        return table

    app, made = on_stage(make)
    async with app.run_test(size=(70, 6)) as pilot:
        await pilot.pause()
        assert words in text(made[0])


async def test_stale_rows_are_hatched_and_lose_their_colours() -> None:
    columns = [Column[Host]("name", "NAME", lambda row: Content.styled(row.name, ink.CRITICAL), width=12)]
    rows = [Host("live"), Host("old", freshness=Freshness.STALE), Host("older", freshness=Freshness.AGEING)]
    app, made = on_stage(lambda: table_of(rows, columns=columns))
    async with app.run_test(size=(60, 6)) as pilot:
        table = made[0]
        await pilot.pause()
        assert lines(table)[2].startswith(" ●░old")
        styles = {segment.text.strip(): segment.style for segment in segments(table)}
        assert styles["live"] != styles["old"]
        live, old = styles["live"], styles["old"]
        assert live is not None
        assert old is not None
        assert live.color == table.ink(ink.CRITICAL).color
        assert old.color == table.ink(ink.STALE).color
        table.set_rows([Host("live")], freshness=Freshness.STALE)
        await settle(pilot, table)
        assert lines(table)[1].startswith("▌●░live")


NASTY = [
    "[/var/www/html]",
    "[@click=app.quit]x[/]",
    "[red]",
    "a\x1b]52;c;aGk=\x07b",
    "two\nlines",
    "tab\tbed",
    "日本語日本語",
    "é\u0301\u202e",
]


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("wrap", [str, Text, Content])
async def test_text_from_outside_is_only_ever_text(nasty: str, wrap: Callable[[str], str | Text | Content]) -> None:
    columns = [
        Column[Host]("name", nasty, lambda row: wrap(row.name), width=24, priority=0),
        Column[Host]("cpu", "CPU", lambda row: "50 %", width=6),
    ]
    app, made = on_stage(lambda: table_of([Host(nasty), Host("plain")], columns=columns))
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.pause()
        painted = segments(made[0])
        assert not any(ord(character) < 32 or ord(character) == 127 for part in painted for character in part.text)
        if nasty.isprintable() and nasty.isascii():
            assert nasty in text(made[0])
        rows = made[0].render_lines(made[0].region.at_offset((0, 0)))
        assert {strip.cell_length for strip in rows} == {60}
        assert lines(made[0])[1].endswith("50 %")


async def test_the_same_again_paints_nothing() -> None:
    app, made = on_stage(lambda: table_of(hosts(50)))
    async with app.run_test(size=(60, 21)) as pilot:
        table = made[0]
        await pilot.press("j")
        await pilot.pause()
        table.set_rows(hosts(50))
        assert table.repaint() == 0
        table.refresh_cells()
        assert table.repaint() == 0


async def test_a_changed_cell_repaints_its_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    app, made = on_stage(lambda: table_of(hosts(50)))
    async with app.run_test(size=(60, 21)) as pilot:
        table = made[0]
        await pilot.pause()
        refreshed: list[tuple[int, ...]] = []

        def refresh(*regions: tuple[int, ...], **_: object) -> LiveTable[Host]:
            refreshed.extend(regions)
            return table

        monkeypatch.setattr(table, "refresh", refresh)
        rows = hosts(50)
        rows[7] = replace(rows[7], cpu=0.99)
        rows[40] = replace(rows[40], cpu=0.99)  # out of sight
        table.set_rows(rows)
        assert [(region[1], region[3]) for region in refreshed] == [(8, 1)]


async def test_narrow_screens_hide_columns_and_wide_shows_them_again() -> None:
    app, made = on_stage(lambda: table_of(hosts(3)))
    async with app.run_test(size=(26, 8)) as pilot:
        table = made[0]
        await pilot.pause()
        assert "STATE" not in text(table)
        await pilot.press("w")
        await pilot.pause()
        assert "NAME" in text(table)
        await pilot.press("right")
        await pilot.pause()
        assert "STATE" in text(table)
        await pilot.press("h", "w")
        await pilot.pause()
        assert "STATE" not in text(table)
        assert "NAME" in text(table)


async def test_a_theme_change_repaints() -> None:
    app, made = on_stage(lambda: table_of([Host("a", severity=Severity.CRITICAL)]))
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        seen = set()
        for theme in THEMES:
            app.theme = theme
            await pilot.pause()
            await pilot.pause()
            seen.add(next(segment.style for segment in segments(made[0]) if segment.text.startswith("a ")))
        assert len(seen) == len(THEMES)


async def test_styles_applied_again_without_difference_lose_no_later_change() -> None:
    app, made = on_stage(lambda: table_of(hosts(3)))
    async with app.run_test(size=(60, 8)) as pilot:
        table = made[0]
        await pilot.pause()
        table.notify_style_update()
        rows = hosts(3)
        rows[1] = replace(rows[1], cpu=0.99)
        table.set_rows(rows)
        await settle(pilot, table)
        assert "99.0 %" in lines(table)[2]


async def test_switching_signs_repaints_in_ascii() -> None:
    app, made = on_stage(
        lambda: table_of([Host("élan", severity=Severity.WARNING), Host("b", freshness=Freshness.STALE)])
    )
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        set_ascii(True)
        made[0].refresh_cells()
        await pilot.pause()
        assert lines(made[0])[1:3] == [">! elan             50 %  warn", " o:b                50 %  ok"]
        assert text(made[0]).isascii()


async def test_a_newer_request_replaces_an_unfinished_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from widgets import live_table

    monkeypatch.setattr(live_table, "SLICE_S", 0.0)  # every chunk ends a slice
    app, made = on_stage(lambda: table_of(hosts(3)))
    async with app.run_test(size=(60, 8)) as pilot:
        table = made[0]
        await pilot.pause()
        big = [Host(f"big-{index}") for index in range(30_000)]
        table.set_rows(big)
        assert table.busy
        assert table.cursor_key == "host-000"  # the former picture stays until the new one is complete
        table.set_rows([Host("newest")])
        await settle(pilot, table)
        assert [row.name for row in table.shown_rows] == ["newest"]
        table.set_rows(big)
        table.set_filter(lambda found, row: row.name.endswith("7"), "7$")
        await settle(pilot, table)
        assert table.counter == "3,000 of 30,000 · /7$"


async def test_only_visible_rows_are_rendered() -> None:
    asked: set[str] = set()

    def name(row: Host) -> str:
        asked.add(row.name)
        return row.name

    columns = [Column[Host]("name", "NAME", name, width=12)]
    app, _made = on_stage(lambda: table_of(hosts(999), columns=columns))
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        await pilot.press("j", "j", "j")
        assert len(asked) <= 12


@pytest.mark.parametrize("theme", ["farm-16", "farm-dark"])
async def test_without_colours_the_cursor_and_the_states_can_still_be_told(
    monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, made = on_stage(lambda: table_of([Host("a"), Host("b", severity=Severity.CRITICAL)]), theme)
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert lines(made[0])[1].startswith("▌● a")
        assert lines(made[0])[2].startswith(" ✖ b")
        cursor = next(segment.style for segment in segments(made[0]) if segment.text.startswith("a "))
        assert cursor is not None
        assert cursor.reverse


async def test_other_columns_for_the_same_rows() -> None:
    app, made = on_stage(lambda: table_of(hosts(3), sort="cpu"))
    async with app.run_test(size=(60, 8)) as pilot:
        table = made[0]
        await pilot.pause()
        table.set_columns([Column[Host]("name", "WHO", lambda row: row.name.upper(), width=12)])
        await settle(pilot, table)
        assert lines(table)[:2] == ["   WHO", "▌● HOST-000"]
        assert table.sorted_by == (None, False)
        assert table.move_to("host-002")
        assert table.cursor_row == hosts(3)[2]
        assert not table.move_to("nobody")
        table.clear_marks()


async def test_every_binding_can_be_rebound_and_explains_itself() -> None:
    for binding in LiveTable.BINDINGS:
        assert not isinstance(binding, tuple)
        assert binding.id
        assert binding.tooltip
