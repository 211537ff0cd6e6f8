"""Untrusted text is safe after one cleaning, and says where something was taken from it."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.text import LIMIT, PLACEHOLDER, clean_text, visible
from tests.terminal.strategies import COMBINING, EMOJI, hostile_text

# Format characters that are seen: the marks that enclose a number or a verse in Arabic, Syriac and Kaithi.
SEEN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}


def test_each_character_that_controls_or_hides_is_replaced() -> None:
    let_through = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and code not in SEEN
        and visible(f"a{chr(code)}b") != f"a{PLACEHOLDER}b"
    ]
    assert let_through == []


def test_each_letter_number_and_symbol_is_kept() -> None:
    lost = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code))[0] in "LNPS"
        and visible(f"a{chr(code)}b") != f"a{chr(code)}b"
        # Hangul's fillers are letters by category and blanks to the eye.
        and code not in {0x115F, 0x1160, 0x3164, 0xFFA0}
    ]
    assert lost == []


@pytest.mark.parametrize("text", [*EMOJI, *COMBINING, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"])
def test_emoji_and_combining_marks_are_kept(text: str) -> None:
    assert clean_text(f"a{text}b") == f"a{text}b"


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("\x1b]52;c;cm0gLXJm\x07", f"{PLACEHOLDER}]52;c;cm0gLXJm{PLACEHOLDER}"),
        ("\x9b31mred", f"{PLACEHOLDER}31mred"),
        ("gpj.\u202etxt", f"gpj.{PLACEHOLDER}txt"),
        ("pay\u200bpal", f"pay{PLACEHOLDER}pal"),
        ("a\u200db", f"a{PLACEHOLDER}b"),
        ("a\ufe0fb", f"a{PLACEHOLDER}b"),
        ("🔥\u200d", f"🔥{PLACEHOLDER}"),
        ("\ud83d", PLACEHOLDER),
        ("two\nlines", "two↵lines"),
        ("two\r\nlines", "two↵lines"),
        ("a summary\n", "a summary"),
        ("col\tumn", "col umn"),
        ("[/var/www/html] [@click=app.quit]", "[/var/www/html] [@click=app.quit]"),
    ],
)
def test_one_line(raw: str, cleaned: str) -> None:
    assert clean_text(raw) == cleaned


def test_several_lines_keep_their_ends_and_tabs() -> None:
    assert clean_text("a\tb\r\nc\rd\x0be", multiline=True) == f"a\tb\nc\nd{PLACEHOLDER}e"


def test_a_flood_of_marks_is_thinned() -> None:
    assert clean_text("e" + "\u0301" * 500 + "x") == "e" + "\u0301" * 8 + "x"


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
    assert clean_text("abcdef", limit=4) == "abc…"
    assert clean_text("abcd", limit=4) == "abcd"
    assert clean_text("👨\u200d👩x", limit=3) == "👨…"
    assert len(clean_text("x" * 10_000_000)) == LIMIT
    assert clean_text("x" * 5000, limit=None) == "x" * 5000
    with pytest.raises(ValueError, match="at least 1"):
        clean_text("a", limit=0)


@given(hostile_text, st.booleans(), st.one_of(st.none(), st.integers(1, 30)))
def test_cleaning_twice_is_cleaning_once(text: str, multiline: bool, limit: int | None) -> None:
    once = clean_text(text, multiline=multiline, limit=limit)
    assert clean_text(once, multiline=multiline, limit=limit) == once
    assert limit is None or len(once) <= limit
    once.encode()


@given(hostile_text)
def test_what_is_visible_keeps_its_length(text: str) -> None:
    assert len(visible(text)) == len(text)
