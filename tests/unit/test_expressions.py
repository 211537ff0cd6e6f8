"""Expressions of people and files: RE2's syntax, RE2's bounds, and faults that say what to write instead."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from farmtui.farm.expressions import STEPS, ExpressionError, expression, grouped

HOSTILE = [
    "(a+)+$",
    "(a|aa)+$",
    "(a*)*b",
    "(.*a){12}$",
    "((a?){30}){30}b",
    "(a|a?)+$",
    "(x+x+)+y",
    "([a-z]+)*=",
    "(.*)*z",
]
"""Each of these keeps an engine that goes back and tries again busy for longer than anybody lives."""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_expression_is_caught_in_a_line(text: str) -> None:
    for line in ("a" * 40 + "!", "x" * 2_000 + "!", "a" * 2_000 + "!"):
        assert expression(text, whole=True).found_in(line) is False


@pytest.mark.timeout(20)
def test_an_expression_on_thousands_of_lines() -> None:
    hostile = expression("(a+)+$")
    assert not any(hostile.found_in("a" * 200 + "!") for _ in range(5_000))


PIECES = [
    "a",
    "b",
    "é",
    ".",
    "\\pL",
    "[a-c]",
    "(",
    ")",
    "*",
    "+",
    "?",
    "{9}",
    "{1000}",
    "{0,40}",
    "|",
    "^",
    "$",
    "\\",
    "[",
]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=30), st.text("ab é!", max_size=300)
)
@example("(a{1000})?" * 9, "a" * 300)
@example("\\pL{1000}", "é" * 300)
def test_what_is_taken_is_small_and_what_is_not_says_where(text: str, line: str) -> None:
    faults: list[ExpressionError] = []
    try:
        taken = expression(text)
        assert taken.steps <= STEPS
        assert taken.found_in(line) in (True, False)
    except ExpressionError as error:
        faults.append(error)
    assert all(0 <= fault.place <= len(text) and fault.what and fault.remedy for fault in faults)


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("[[:alpha:]]+", "shop", True),
        ("[[:^alpha:]]", "shop", False),
        (r"\pL+", "здраво", True),
        (r"\p{Greek}", "αβγ", True),
        (r"\p{Greek}", "abc", False),
        ("(?i)SHOP", "shop", True),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        (r"shop\z", "a shop", True),
        ("x{,5}", "x{,5}", True),
        ("x{,5}", "xxx", False),
        ("(?U)a+", "aa", True),
        (r"\w", "é", False),  # RE2's \w, \d, \s and \b know ASCII
        (".", "\n", False),
        ("中.文", "中é文", True),
        (".", "\ud800", True),
    ],
)
def test_it_is_re2_s_syntax(text: str, line: str, *, found: bool) -> None:
    assert expression(text).found_in(line) is found


def test_what_is_asked_for_beside_the_expression() -> None:
    assert expression("É", ignore_case=True).found_in("é")
    assert not expression("É").found_in("é")
    assert expression("a|b", whole=True).found_in("b")
    assert not expression("a|b", whole=True).found_in("ab")
    assert not expression("a", whole=True).found_in("a\n")
    assert expression("^b$", by_line=True).found_in("a\nb\nc")
    assert not expression("^b$").found_in("a\nb\nc")
    assert expression("a.b", dot_all=True).found_in("a\nb")


def test_groups_are_told_by_number_and_name_whatever_stands_before_them() -> None:
    groups = grouped("(?P<word>[^-]+)-(x)?(é+)").groups_in("中文-éé")
    assert groups == {"0": "中文-éé", "1": "中文", "2": "", "3": "éé", "word": "中文"}
    assert grouped("(a)").groups_in("b") is None


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("(", 0, "never closed"),
        ("(a)(b", 3, "never closed"),
        ("[(](", 3, "never closed"),
        ("x)", 1, "closes nothing"),
        ("a)|(b", 1, "closes nothing"),
        ("x[a", 1, "never closed"),
        ("a\\", 1, "nothing follows"),
        ("ab*c**", 4, "** repeats what repeats"),
        ("x*+", 1, "*+ repeats what repeats"),
        ("a|*", 2, "nothing that * could repeat"),
        ("x{1001}", 1, "1000 times at most"),
        ("((a{100}){100}){100}", 9, "1000 times at most"),
        ("[z-a]", 1, "the least first"),
        ("[[:x:]]", 1, "[[:alpha:]]"),
        (r"é\p{Foo}", 1, r"\p{Greek}"),
        ("a(?=x)", 1, "nothing looks ahead; write apart what must not match"),
        ("(?!x)", 0, "nothing looks ahead"),
        ("(?<=x)y", 0, "nothing looks behind"),
        ("(?<!x)y", 0, "nothing looks behind"),
        ("[(?=](?=x)", 5, "nothing looks ahead"),
        ("(?>x)", 0, "(?:...)"),
        ("(?#why)x", 0, "(?:...)"),
        ("(?x)y", 0, "there is no (?x"),
        ("(?P<a>x)(?P=a)", 8, "no back-references"),
        (r"(x)\1", 3, "no back-references"),
        (r"\\1(x)\1", 6, "no back-references"),
        (r"x\Z", 1, r"\z"),
        (r"[a\u00e9]", 2, r"\x{e9}"),
        ("(?P<a-b>x)", 0, "names no group"),
        ("a\ud800", 1, "no character"),
        (r"\pL{1000}", 0, "too large"),
        ("x" * (STEPS + 1), 0, "too large"),
        ("(" * 20_000, 0, "never closed"),
    ],
)  # fmt: skip
def test_a_fault_says_where_it_is_and_what_to_write(text: str, place: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        expression(text)
    assert words in str(caught.value)
    assert caught.value.place == place


def test_what_is_sound_by_itself_alone_is_no_whole_expression() -> None:
    assert expression(r"\Qab").found_in("xab")
    with pytest.raises(ExpressionError, match=r"write \\E behind it"):
        expression(r"\Qab", whole=True)


def test_nothing_is_written_past_the_screen_and_nothing_loaded_before_its_time() -> None:
    program = (
        "import sys\n"
        "from farmtui.farm.expressions import ExpressionError, expression\n"
        "import farmtui.farm.filtering, farmtui.farm.matchers\n"
        "assert 're2' not in sys.modules\n"
        "for text in ('(', '(?=x)', r'\\pL{1000}', '(x{1000}){9}'):\n"
        "    try:\n"
        "        expression(text)\n"
        "    except ExpressionError:\n"
        "        pass\n"
        "assert 're2' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
