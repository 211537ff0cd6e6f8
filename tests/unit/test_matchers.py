"""Matchers as people type them, held against what Alertmanager's own tool makes of the same text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farmtui.farm.alerts import Matcher
from farmtui.farm.matchers import MatcherError, parse_matchers

EQUAL, NOT_EQUAL, LIKE, UNLIKE = (False, True), (False, False), (True, True), (True, False)
OPERATORS = {EQUAL: "=", NOT_EQUAL: "!=", LIKE: "=~", UNLIKE: "!~"}


def written(matcher: Matcher, *, name_quoted: bool = False) -> str:
    """A matcher in the grammar's fullest form."""
    operator = OPERATORS[matcher.is_regex, matcher.is_equal]
    return f"{quoted(matcher.name) if name_quoted else matcher.name}{operator}{quoted(matcher.value)}"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def one(text: str) -> Matcher:
    (matcher,) = parse_matchers(text)
    return matcher


def problem(text: str) -> str:
    with pytest.raises(MatcherError) as error:
        parse_matchers(text)
    return str(error.value)


CLASSIC_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,12}", fullmatch=True)
UTF8_NAMES = st.text(min_size=1, max_size=12)
VALUES = st.text(max_size=30) | st.text("\\\"'n,{}=~! \n`x", max_size=12)  # what the grammar itself is made of
EQUALITIES = st.builds(Matcher, CLASSIC_NAMES, VALUES, st.just(False), st.booleans())
EXPRESSIONS = st.builds(Matcher, CLASSIC_NAMES, VALUES.map(re.escape).filter(str.isascii), st.just(True), st.booleans())
MATCHERS = st.lists(EQUALITIES | EXPRESSIONS, max_size=4)


# -- round trips ----------------------------------------------------------------------------------


@given(MATCHERS, st.sampled_from([",", ", ", " ", " , ", "\t", "\n"]), st.booleans(), st.booleans())
def test_what_is_written_is_read_as_it_was(matchers: list[Matcher], joint: str, braces: bool, comma: bool) -> None:
    text = joint.join(map(written, matchers)) + ("," if comma and matchers else "")
    assert parse_matchers(f" {{ {text} }} " if braces else text) == tuple(matchers)


@given(st.lists(EQUALITIES | EXPRESSIONS, min_size=1, max_size=4))
def test_what_the_dialog_writes_is_read_as_it_was(matchers: list[Matcher]) -> None:
    for matcher in matchers:
        assert one(str(matcher)) == matcher
    assert parse_matchers(", ".join(map(str, matchers))) == tuple(matchers)


@given(UTF8_NAMES, VALUES)
def test_a_quoted_name_may_hold_anything(name: str, value: str) -> None:
    matcher = Matcher(name, value)
    assert one(written(matcher, name_quoted=True)) == matcher


@given(st.text("abcXYZ019_.-:/é中", min_size=1), st.text("abcXYZ019_.-:/@é中", min_size=1))
def test_quotes_may_be_left_out_where_no_sign_of_the_grammar_is(name: str, value: str) -> None:
    assert one(f"{name}={value}") == one(f'"{name}"="{value}"') == Matcher(name, value)


@given(VALUES)
def test_single_quotes_are_quotes(value: str) -> None:
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    assert one(f"a='{text}'") == Matcher("a", value)


# -- the grammar ----------------------------------------------------------------------------------

AMTOOL: list[tuple[str, str, str, tuple[bool, bool]]] = [
    ("a=b", "a", "b", EQUAL),
    ("a!=b", "a", "b", NOT_EQUAL),
    ('a!~"b.*"', "a", "b.*", UNLIKE),
    ("a=~b|c", "a", "b|c", LIKE),
    ("a=~(?i)x", "a", "(?i)x", LIKE),
    ('a= "b c"', "a", "b c", EQUAL),
    ('a ="b"', "a", "b", EQUAL),
    ("a= b", "a", "b", EQUAL),
    ("a=", "a", "", EQUAL),
    ("a!=", "a", "", NOT_EQUAL),
    ('a=""', "a", "", EQUAL),
    ("a=é", "a", "é", EQUAL),
    ("a:b=c", "a:b", "c", EQUAL),
    (r'a="b\"c"', "a", 'b"c', EQUAL),
    (r'a="b\nc"', "a", "b\nc", EQUAL),
    (r"a=b\nc", "a", "b\nc", EQUAL),
    (r'a="b\xc"', "a", r"b\xc", EQUAL),
    (r'a="b\tc"', "a", r"b\tc", EQUAL),
    (r'a="b\\c"', "a", r"b\c", EQUAL),
    ("a=b\\", "a", "b\\", EQUAL),
    (r'a=~"\d+"', "a", r"\d+", LIKE),
    (r"a=~10\.0\..*", "a", r"10\.0\..*", LIKE),
    (r"a=~b\\d", "a", r"b\d", LIKE),
    ('a="x=y"', "a", "x=y", EQUAL),
    ('a=~"x{1000}"', "a", "x{1000}", LIKE),
    ('a=~"[[]"', "a", "[[]", LIKE),
    ('a=~"[]a]"', "a", "[]a]", LIKE),
    ('a=~"[a-z&&[b]]"', "a", "[a-z&&[b]]", LIKE),
    ('a=~"(?P<x>y)"', "a", "(?P<x>y)", LIKE),
    ('a=~"(?:x)"', "a", "(?:x)", LIKE),
    ('a=~"(?s:.)"', "a", "(?s:.)", LIKE),
    ('a=~"(?m-i:x)"', "a", "(?m-i:x)", LIKE),
    (r'a=~"\x41"', "a", r"\x41", LIKE),
    (r'a=~"[\w-]"', "a", r"[\w-]", LIKE),
    (r'a=~"\-"', "a", r"\-", LIKE),
    ('a=~"a{b"', "a", "a{b", LIKE),
]
"""Texts, and what amtool 0.25 sends to Alertmanager for them."""


@pytest.mark.parametrize(("text", "name", "value", "kind"), AMTOOL)
def test_as_amtool_reads_it(text: str, name: str, value: str, kind: tuple[bool, bool]) -> None:
    assert one(text) == Matcher(name, value, *kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" \t\n", ()),
        ("{}", ()),
        (" { } ", ()),
        ("{a=b}", (Matcher("a", "b"),)),
        ("{a=b,}", (Matcher("a", "b"),)),
        ("a=b,", (Matcher("a", "b"),)),
        ('{a="}"}', (Matcher("a", "}"),)),
        ('a="b,c",d=e', (Matcher("a", "b,c"), Matcher("d", "e"))),
        ('foo = "bar", dings != "bums", ', (Matcher("foo", "bar"), Matcher("dings", "bums", is_equal=False))),
        ("a=b c=d", (Matcher("a", "b"), Matcher("c", "d"))),
        ("a=,b=c", (Matcher("a", ""), Matcher("b", "c"))),
        ("service.name=shop", (Matcher("service.name", "shop"),)),
        ('"a b"="c"', (Matcher("a b", "c"),)),
        ("a=b, a=b", (Matcher("a", "b"), Matcher("a", "b"))),
    ],
)
def test_lists(text: str, expected: tuple[Matcher, ...]) -> None:
    assert parse_matchers(text) == expected


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("=b", 1, "name is wanted"),
        ("a", 2, "=, !=, =~ or !~"),
        ("a!x", 2, "after a"),
        ("a=b, c", 7, "after c"),
        ("a=b,,c=d", 5, "name is wanted"),
        (",a=b", 1, "name is wanted"),
        ("{,}", 2, "name is wanted"),
        ("a=b , , c=d", 7, "name is wanted"),
        ("{a=b", 1, "never closed"),
        (" {", 2, "never closed"),
        ("a=b}", 4, "} stands in quotes"),
        ("{a=b}}", 5, "} stands in quotes"),
        ("{a=b} {c=d}", 5, "} stands in quotes"),
        ('a="b', 3, "quote is never closed"),
        ('{a="b}', 4, "quote is never closed"),
        ('a="b\\"', 3, "quote is never closed"),
        ("a='b\"", 3, "quote is never closed"),
        ('a=b"c', 4, '" stands in quotes'),
        ('a="b"c', 6, "comma or a blank"),
        ('a="b"c="d"', 6, "comma or a blank"),
        ('""=b', 1, "never empty"),
        ("a==b", 3, "= stands in quotes"),
        ("a= b=c", 5, "= stands in quotes"),
        ("a=!b", 3, "! stands in quotes"),
        ("a=`b`", 3, "` stands in quotes"),
        ("  x = y, b !  c", 12, "after b"),
        ("é=b, 中", 7, "after 中"),
    ],
)
def test_an_error_names_the_character_and_what_to_write(text: str, place: int, words: str) -> None:
    said = problem(text)
    assert said.startswith(f"character {place}: ")
    assert words in said


@pytest.mark.parametrize(
    ("expression", "place", "words"),
    [
        ("(", 1, "not a regular expression"),
        ("ab*c**", 5, "not a regular expression"),
        ("x)", 2, "not a regular expression"),
        ("a)|(b", 2, "closes nothing"),
        (r"x\p{Nobody}", 2, "no class"),
        (r"\Qx", 1, "never closed"),
        ("a(?=x)", 2, "no (?="),
        ("(?!x)", 1, "no (?!"),
        ("(?<=x)y", 1, "no (?<="),
        ("(?<!x)y", 1, "no (?<!"),
        ("(?>x)", 1, "no (?>"),
        ("(?#why)x", 1, "no (?#"),
        ("(?x)y", 1, "no (?x"),
        ("(?P<a>x)(?P=a)", 9, "no (?P="),
        (r"(x)\1", 4, r"no \1"),
        (r"x\Z", 2, r"no \Z"),
        (r"\u00e9", 1, r"no \u"),
        (r"[a\u00e9]", 3, r"no \u"),
        (r"\é", 1, r"no \é"),
        ("x*+", 2, "*+ repeats"),
        ("x{2}+", 2, "{2}+ repeats"),
        ("x{1001}", 2, "1000 times"),
        ("x{1,2000}", 2, "1000 times"),
        ("[[:letters:]]", 2, "[[:alpha:]]"),
    ],
)
def test_what_alertmanager_would_refuse_is_refused_here(expression: str, place: int, words: str) -> None:
    for text, offset in ((f'a=~"{expression}"', 4), (f"xyz !~ '{expression}'", 8)):
        said = problem(text)
        assert said.startswith(f"character {place + offset}: ")
        assert words in said


def test_the_place_in_an_expression_counts_the_escapes_as_they_were_typed() -> None:
    assert problem(r'a=~"\\.\\.("').startswith("character 11: ")


def test_an_expression_of_absurd_depth() -> None:
    assert "never closed" in problem(f"a=~{'(' * 20_000}")
    assert "too large" in problem(f'a=~"{"(x{1000}" * 50}{")" * 50}"')


@pytest.mark.parametrize(
    ("expression", "value", "matches"),
    [
        ("(?i)shop", "SHOP", True),
        ("(?i)shop", "SHOPS", False),
        ("shop", "Shop", False),
        ("[[:alpha:]]+", "shop", True),
        ("[[:alpha:]]+", "shop-1", False),
        (r"\pL+", "лавка", True),
        (r"\w+", "лавка", False),
        ("x{,5}", "xxx", False),
        ("a|b", "ab", False),
        ("", "", True),
        ("shop.", "shop\n", False),
        ("shop", "shop\n", False),
        ("shop$", "shop", True),
        ("(?m)a$|b", "a\nb", False),
        ("(a+)+", "a" * 40 + "!", False),
    ],
)
def test_the_preview_means_what_alertmanager_means(expression: str, value: str, *, matches: bool) -> None:
    text = expression.replace("\\", "\\\\")
    assert one(f'a=~"{text}"').matches({"a": value}) is matches
    assert one(f'a!~"{text}"').matches({"a": value}) is not matches


def test_an_expression_that_no_alertmanager_would_hold_matches_nothing() -> None:
    assert not Matcher("a", "(", is_regex=True).matches({"a": "("})
    assert not Matcher("a", "(?!x)", is_regex=True, is_equal=False).matches({"a": "y"})


def test_what_merely_looks_like_another_engine_s_syntax_is_let_through() -> None:
    for expression in (r"\(\?=x\)", r"x\*\+", r"\\\\Z", "[*]+", "[(?=]", r"x\{,5\}", "[[]:a:]", "a?b+c*"):
        assert one(f'a=~"{expression.replace(chr(92), chr(92) * 2)}"').value == expression


# -- whatever is typed ----------------------------------------------------------------------------


@given(st.text(max_size=40) | st.text("ab=!~,{}\"'\\ n.*+?()[]|^$1<:P", max_size=16))
@example('a=~"[[:x:]]"')
@example("a=~(?")
@example('"')
@example("{")
@example("a=\\")
def test_any_text_gives_matchers_or_words(text: str) -> None:
    try:
        matchers = parse_matchers(text)
    except MatcherError as error:
        found = re.match(r"character (\d+): .", str(error))
        assert found is not None
        assert 1 <= int(found[1]) <= len(text) + 1
        return
    for matcher in matchers:
        assert matcher.name
        assert isinstance(matcher.matches({matcher.name: "x"}), bool)


@given(st.text("ab=!~,{}\"'\\ n.*", max_size=16))
def test_reading_again_what_was_read_changes_nothing(text: str) -> None:
    try:
        matchers = parse_matchers(text)
    except MatcherError:
        return
    again = ",".join(written(matcher, name_quoted=True) for matcher in matchers)
    assert parse_matchers(again) == matchers
