"""Plain text: colours only where they are wanted, signs that the encoding carries, lines that fit."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.state import Severity
from farmtui.plain import WIDTH, Page, hanging, page_for, put, wrapped


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "colour"),
    [
        (Terminal(), {"TERM": "xterm-256color"}, True),
        (Terminal(), {"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (io.StringIO(), {"TERM": "xterm-256color"}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(stream: io.StringIO, environ: dict[str, str], colour: bool) -> None:
    page = page_for(stream, environ)
    assert page.colour is colour
    assert ("\x1b[" in page.paint("CRIT", Severity.CRITICAL)) is colour
    assert "CRIT" in page.paint("CRIT", Severity.CRITICAL)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "no-such-encoding"])
@given(text=st.text(max_size=40))
def test_whatever_the_encoding_it_can_be_written(encoding: str, text: str) -> None:
    carried = Page(encoding=encoding).carried(text)
    carried.encode(encoding if encoding != "no-such-encoding" else "ascii")
    if encoding == "utf-8":
        assert carried == text


def test_signs_that_are_missing_have_another() -> None:
    assert Page(encoding="ascii").carried("a → b – 5 °C …") == "a -> b - 5 ?C ..."


@given(st.text(max_size=300), st.integers(0, 20))
def test_lines_fit_unless_a_word_is_longer(text: str, indent: int) -> None:
    for line in wrapped(text, indent):
        assert len(line) <= WIDTH or " " not in line.strip()
        assert "\x1b" not in line
        assert "\n" not in line


@given(st.text(max_size=300))
def test_the_head_takes_the_place_of_the_indent(words: str) -> None:
    lines = hanging("  ok      ", 10, words).splitlines()
    assert lines[0].startswith("  ok")
    assert all(line.startswith(" " * 10) for line in lines[1:])


def test_put_writes_a_line() -> None:
    stream = io.StringIO()
    put(stream, Page(encoding="ascii"), "a → b")
    assert stream.getvalue() == "a -> b\n"
