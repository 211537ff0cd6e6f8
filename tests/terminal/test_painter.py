"""The painter's bytes bring any terminal from any screen to any other."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from farmtui.term.cells import REACH, split_cells
from farmtui.term.painter import Painter
from farmtui.term.pen import change_pen, linked
from farmtui.terminal import absorb
from tests.terminal import emulator
from tests.terminal.emulator import Cell, Emulator, Feed, Widths, cells, difference
from tests.terminal.probe import segment_cells
from tests.terminal.strategies import any_text, hostile_text, segments, tame_text

TERMINALS = [emulator.as_textual, emulator.as_graphemes, emulator.as_code_points, emulator.as_before_emoji]
COLOURS = [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD]

sizes = st.tuples(st.integers(1, 24), st.integers(1, 6))


class Lines:
    """A painter and a terminal that are shown the same lines."""

    def __init__(self, width: int, height: int, widths: Widths, colours: ColorSystem = ColorSystem.TRUECOLOR) -> None:
        self.screen = Emulator(width, height, widths)
        self.feed = Feed(self.screen)
        self.painter = Painter(width, height)
        self.colours = colours
        self.expected = [[Cell(" ")] * width for _ in range(height)]

    def show(self, lines: list[list[Segment]], top: int = 0, cursor: tuple[int, int] = (0, 0)) -> str:
        """Show `lines` from row `top` on, as a layout's full-width strips."""
        width = self.painter.width
        for y, line in enumerate(lines, top):
            strip = Strip(line).adjust_cell_length(width)
            region = Region(0, y, width, 1)
            chops: list[dict[int, Strip | None]] = [{} for _ in range(self.painter.height)]
            if y < self.painter.height:
                chops[y] = {0: strip}
                absorb(self.painter, ChopsUpdate(chops, [(y, 0, width)], [[width]] * len(chops)), self.colours)
                self.expected[region.y] = segment_cells(list(strip), self.colours, width)
        frame = self.painter.frame(cursor)
        self.feed(frame)
        return frame

    def trusted_difference(self) -> str:
        """Where the terminal differs from what was meant, leaving out clusters on whose width terminals disagree."""
        shown = cells(self.screen)
        expected = [list(row) for row in self.expected]
        for y, row in enumerate(expected):
            doubtful = False
            for x, cell in enumerate(row):
                doubtful = bool(REACH[cell.text]) if cell.text else doubtful
                if doubtful:
                    expected[y][x] = shown[y][x]
        return difference(shown, expected)


@settings(max_examples=max(200, settings().max_examples))
@given(st.data(), sizes, st.sampled_from(COLOURS))
def test_a_terminal_that_agrees_on_widths_shows_every_cell(
    data: st.DataObject, size: tuple[int, int], colours: ColorSystem
) -> None:
    lines = Lines(*size, emulator.as_textual, colours)
    for _ in range(data.draw(st.integers(1, 5))):
        top = data.draw(st.integers(0, size[1] - 1))
        shown = data.draw(st.lists(segments(any_text), max_size=size[1]))
        cursor = data.draw(st.tuples(st.integers(0, size[0]), st.integers(0, size[1])))
        lines.show(shown, top, cursor)
        assert not difference(cells(lines.screen), lines.expected)
        assert lines.painter.frame(cursor) == ""
        assert (lines.screen.cursor.x, lines.screen.cursor.y) == (
            min(cursor[0], size[0] - 1),
            min(cursor[1], size[1] - 1),
        )


@pytest.mark.parametrize("widths", TERMINALS)
@settings(max_examples=max(200, settings().max_examples))
@given(data=st.data(), size=st.tuples(st.integers(2, 24), st.integers(1, 4)))
def test_a_terminal_that_disagrees_keeps_all_neighbours(
    widths: Widths, data: st.DataObject, size: tuple[int, int]
) -> None:
    lines = Lines(*size, widths)
    for _ in range(data.draw(st.integers(1, 4))):
        lines.show(data.draw(st.lists(segments(any_text), max_size=size[1])))
        assert not lines.trusted_difference()


@pytest.mark.parametrize("widths", TERMINALS)
@pytest.mark.parametrize(
    ("width", "text", "reverse"),
    [
        (5, "aa漢\U0001f1e9", False),
        (4, "👨\u200d👩\u200d👧e\u0301", True),
        (3, "ab⚠\ufe0f", False),
        (9, "⚠⚠👍🏽x", False),
    ],
)
def test_neighbours_that_random_text_found(widths: Widths, width: int, text: str, reverse: bool) -> None:
    lines = Lines(width, 1, widths)
    for shown in ("漢字漢字x", text, "x" * width, text):
        lines.show([[Segment(shown, Style(reverse=reverse))]])
        assert not lines.trusted_difference()


@given(st.data(), sizes)
def test_parts_of_lines_leave_no_half_of_a_wide_character(data: st.DataObject, size: tuple[int, int]) -> None:
    width, height = size
    painter, screen = Painter(width, height), Emulator(width, height)
    feed = Feed(screen)
    for _ in range(data.draw(st.integers(1, 6))):
        for _ in range(data.draw(st.integers(1, 4))):
            y, x = data.draw(st.integers(-1, height)), data.draw(st.integers(-1, width))
            painter.put(y, x, data.draw(st.integers(0, width + 2)), [(data.draw(any_text), data.draw(pens))])
        feed(painter.frame())
        for row in range(height):
            wanted = [cell for cell, _ in painter.row(row)]
            assert [cell.text for cell in cells(screen)[row]] == wanted
            for cluster, after in pairwise([*wanted, " "]):
                taken = len(split_cells(cluster)[1]) if cluster else 1
                assert taken < 2 or after == ""


@given(st.data(), sizes, sizes)
def test_a_resized_terminal_is_cleared_and_painted(
    data: st.DataObject, before: tuple[int, int], after: tuple[int, int]
) -> None:
    painter, screen = Painter(*before), Emulator(*before)
    feed = Feed(screen)
    for width, height in (before, after):
        screen.resize(height, width)
        lines = [data.draw(segments(any_text)) for _ in range(height)]
        strips = [[Strip(line).adjust_cell_length(width)] for line in lines]
        absorb(painter, LayoutUpdate(list(strips), Region(0, 0, width, height)), ColorSystem.TRUECOLOR)
        feed(painter.frame())
        expected = [segment_cells(list(strip[0]), ColorSystem.TRUECOLOR, width) for strip in strips]
        assert not difference(cells(screen), expected)


@given(st.lists(segments(tame_text), min_size=1, max_size=6), st.sampled_from(COLOURS))
def test_it_shows_what_the_stock_writer_shows(lines: list[list[Segment]], colours: ColorSystem) -> None:
    width = 30
    strips = [Strip(line).adjust_cell_length(width) for line in lines]
    stock, ours = Emulator(width, len(lines)), Emulator(width, len(lines))
    text = "".join(
        f"\x1b[{y + 1}H"
        + "".join(s.text if s.style is None else Strip.render_style(s.style, s.text, colours) for s in strip)
        for y, strip in enumerate(strips)
    )
    Feed(stock)(text)
    painter = Painter(width, len(lines))
    absorb(painter, LayoutUpdate([[strip] for strip in strips], Region(0, 0, width, len(lines))), colours)
    Feed(ours)(painter.frame())
    assert not difference(cells(ours), cells(stock))


@settings(max_examples=max(200, settings().max_examples))
@given(st.lists(segments(hostile_text), min_size=1, max_size=3))
def test_nothing_that_acts_leaves_a_cell(lines: list[list[Segment]]) -> None:
    shown = Lines(20, 3, emulator.as_textual)
    frame = shown.show(lines)
    frame.encode()
    allowed = {"\x1b", "\r", "\n", "\b"}
    assert not [c for c in frame if (c < " " or "\x7f" <= c <= "\x9f") and c not in allowed]
    # What is left of the frame without the sequences that the painter makes is text of cells.
    cursor_and_pen = re.compile(r"\x1b\[[0-9;]*[HGCDdmJ]|\x1b\]8;(id=[0-9a-f]+)?;[!-~]*\x1b\\|\r\n*|\x08")
    rest = cursor_and_pen.sub("", frame)
    assert not [c for c in rest if c < " " or c in "\u202e\u2066\u200b\u2028"]


def test_a_control_character_is_seen_and_takes_one_cell() -> None:
    painter = Painter(12, 1)
    painter.put(0, 0, 12, [("a\x1b[31mb\u202ec", "")])
    assert "".join(cell for cell, _ in painter.row(0)) == "a\ufffd[31mb\ufffdc   "


def test_nothing_is_sent_when_nothing_changed() -> None:
    lines = Lines(40, 4, emulator.as_textual)
    line = [Segment("up "), Segment("98.2 %"), Segment(" 👨\u200d👩\u200d👧 ⚠\ufe0f")]
    assert lines.show([line])
    assert lines.show([line]) == ""


def test_one_digit_costs_few_bytes() -> None:
    painter = Painter(80, 24)
    painter.put(10, 20, 20, [("hit ratio 0.9231", "1;38;2;10;20;30;48;2;1;2;3")])
    painter.frame((0, 0))
    painter.put(10, 20, 20, [("hit ratio 0.9232", "1;38;2;10;20;30;48;2;1;2;3")])
    frame = painter.frame((0, 0))
    assert frame == "\x1b[11;36H2\x1b[H"


def test_the_shortest_way_between_two_changes_is_taken() -> None:
    painter = Painter(40, 5)
    for y in range(3):
        painter.put(y, 0, 40, [("a" * 40, "")])
    painter.frame()
    for y in range(3):
        painter.put(y, 0, 40, [("X" + "a" * 2 + "X" + "a" * 9 + "X", "")])
    assert painter.frame((14, 2)) == "XaaX\x1b[9CX" + "\r\nXaaX\x1b[9CX" * 2


def test_synchronized_output_encloses_a_frame_and_no_empty_one() -> None:
    painter = Painter(4, 1)
    painter.put(0, 0, 4, [("a", "")])
    frame = painter.frame(sync=True)
    assert frame.startswith("\x1b[?2026h")
    assert frame.endswith("\x1b[?2026l")
    assert painter.frame(sync=True) == ""


def test_forgetting_repaints_everything() -> None:
    lines = Lines(20, 3, emulator.as_textual)
    lines.show([[Segment("漢字 abc")], [Segment("x")]])
    lines.feed("\x1b[31m\x1b[2;3Hgarbage\x1b[?25h\x1b[1;2Hmore")
    lines.painter.forget()
    lines.show([])
    assert not difference(cells(lines.screen), lines.expected)


def test_a_source_that_was_put_is_known_until_it_is_written_over() -> None:
    painter, source = Painter(20, 1), object()
    painter.put(0, 5, 10, [("漢字", "")], source=source)
    assert painter.holds(0, 5, source)
    painter.put(0, 12, 4, [("x", "")])
    assert painter.holds(0, 5, source)
    painter.put(0, 4, 2, [("ab", "")])
    assert not painter.holds(0, 5, source)
    painter.put(0, 5, 10, [("漢字", "")], source=source)
    painter.resize(30, 1)
    assert not painter.holds(0, 5, source)


codes = st.lists(st.sampled_from(["1", "2", "3", "4", "5", "7", "9", "21", "53"]), unique=True, max_size=3)
fore = st.sampled_from(["", "31", "97", "39", "38;5;200", "38;2;1;2;3"])
back = st.sampled_from(["", "41", "107", "49", "48;5;20", "48;2;9;8;7"])
pens = st.builds(lambda a, f, b: ";".join([*a, *filter(None, [f, b])]), codes, fore, back)


@given(pens, pens)
def test_a_change_of_pen_looks_like_the_new_pen(old: str, new: str) -> None:
    screen, anew = Emulator(2, 1), Emulator(2, 1)
    Feed(screen)((f"\x1b[{old}m" if old else "") + change_pen(old, new) + "x")
    Feed(anew)((f"\x1b[{new}m" if new else "") + "x")
    assert cells(screen) == cells(anew)
    assert len(change_pen(old, new)) <= len(f"\x1b[0;{new}m")
    assert change_pen(new, new) == ""


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [("2", "", "\x1b[m"), ("1;2;31", "1;31", "\x1b[22;1m"), ("1;2;31", "31", "\x1b[22m"), ("31", "2;31", "\x1b[2m")],
)
def test_dim_is_set_and_taken_back(old: str, new: str, change: str) -> None:
    # Dim is in no cell of pyte, so its codes are read instead.
    assert change_pen(old, new) == change


def test_a_link_opens_and_closes_and_cannot_be_broken_out_of() -> None:
    pen = linked("4", "http://10.0.0.1/d/ceph")
    assert change_pen("", pen).startswith("\x1b]8;id=")
    assert change_pen(pen, "4") == "\x1b]8;;\x1b\\"
    assert linked("4", "http://x/\x1b\\\x1b[2J") == "4"
    assert linked("4", "http://x/ü") == "4"
