"""Signs in two sets, and the fold to ASCII."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from farmtui.farm.state import Freshness, Severity
from widgets.ascii_filter import AsciiFilter
from widgets.glyphs import ASCII, UNICODE, Glyphs, glyphs, set_ascii, to_ascii, wants_ascii

TWO_CELLS = ("branch", "last_branch", "trunk", "blank")
SEVERAL = ("sparks", "beat")


@pytest.mark.parametrize("signs", [UNICODE, ASCII])
def test_every_sign_is_one_cell(signs: Glyphs) -> None:
    for field in dataclasses.fields(signs):
        value = getattr(signs, field.name)
        if isinstance(value, bool):
            continue
        if isinstance(value, str):
            for sign in value if field.name in SEVERAL else [value]:
                assert cell_len(sign) == (2 if field.name in TWO_CELLS else 1), (field.name, sign)
        else:
            assert all(cell_len(sign) == 1 for sign in value.values())


@pytest.mark.parametrize("signs", [UNICODE, ASCII])
def test_states_differ_without_colours(signs: Glyphs) -> None:
    assert set(signs.severity) == set(Severity)
    assert set(signs.freshness) == set(Freshness)
    assert len(set(signs.severity.values())) == len(Severity)
    assert len(set(signs.freshness.values())) == len(Freshness)


def test_the_ascii_set_is_ascii() -> None:
    for field in dataclasses.fields(ASCII):
        value = getattr(ASCII, field.name)
        texts = [value] if isinstance(value, str) else [] if isinstance(value, bool) else list(value.values())
        assert all(sign.isascii() for sign in texts), field.name


@given(text=st.text(max_size=40))
def test_folding_keeps_the_width(text: str) -> None:
    printable = "".join(character for character in text if character.isprintable())
    folded = to_ascii(printable)
    assert folded.isascii()
    assert len(folded) == sum(cell_len(character) for character in printable)


def test_folding_keeps_likeness() -> None:
    assert to_ascii("╭─ élan – 5 × ▂▅█ ─╮") == "+- elan - 5 x _## -+"


@pytest.mark.parametrize(
    ("environ", "encoding", "expected"),
    [
        ({}, "utf-8", False),
        ({}, "UTF8", False),
        ({}, "ANSI_X3.4-1968", True),
        ({}, "latin-1", True),
        ({"TERM": "linux"}, "utf-8", True),
        ({"TERM": "screen"}, "utf-8", False),
        ({"FARMTUI_ASCII": "1"}, "utf-8", True),
        ({"FARMTUI_ASCII": "0", "TERM": "linux"}, "ascii", False),
        ({"FARMTUI_ASCII": ""}, "utf-8", False),
    ],
)
def test_which_terminals_get_ascii(environ: dict[str, str], encoding: str, expected: bool) -> None:
    assert wants_ascii(environ, encoding) is expected


def test_the_filter_works_only_while_ascii_is_in_force() -> None:
    line = [Segment("│ é", Style(bold=True)), Segment("plain"), Segment("", None, [])]
    assert AsciiFilter().apply(line, Color(0, 0, 0)) is line
    set_ascii(True)
    assert glyphs() is ASCII
    folded = AsciiFilter().apply(line, Color(0, 0, 0))
    assert folded[0] == Segment("| e", Style(bold=True))
    assert folded[1] is line[1]
