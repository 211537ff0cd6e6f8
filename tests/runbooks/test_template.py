"""Templates: what they may say, and that no value ever gets out of its place."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farmtui.demo.promql.parser import parse
from farmtui.runbooks.inputs import Thing
from farmtui.runbooks.template import LIMIT, Context, RenderError, Scalar, names_in, render, render_scalar

NODE = Thing("node", {"name": "cache-2", "address": "10.0.0.2"})
VALUES: dict[str, Any] = {"node": NODE, "count": 3, "on": True, "text": "a b"}
INJECTIONS = (
    "'; rm -rf /; '", "$(id)", "`id`", '"} or vector(1) or up{a="', "\\", "'", '"', "a\nb", "-rf", "{{ x }}",
    "%2e%2e/", "../..",
)  # fmt: skip
NASTY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    INJECTIONS
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{ node }}", "cache-2"),
        ("{{ node.address }}:9131", "10.0.0.2:9131"),
        ("{{ count + 1 }}", "4"),
        ("{{ 'yes' if on else 'no' }}", "yes"),
        ("{{ text | upper }}", "A B"),
        ("{{ node.name ~ '-x' }}", "cache-2-x"),
        ("100 % {literally}", "100 % {literally}"),
    ],
)
def test_what_can_be_said(text: str, expected: str) -> None:
    assert render(text, Context.TEXT, VALUES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ nobody }}",
        "{{ node.nothing }}",
        "{{ node.__class__ }}",
        "{{ node['__class__'] }}",
        "{{ ''.join }}{{ x }}",
        "{{ text.upper() }}",
        "{{ range(10) }}",
        "{{ 'x' * 100000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ text | safe }}",
        "{{ text | attr('upper') }}",
        "{% for a in text %}{{ a }}{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{{ text",
        "{{ }}",
        "{# hidden #}{{ nobody }}",
        "{{ 1 / 0 }}",
        "{{ text[0] }}",
        "{{ [1, 2] }}",
        "{{ count | int(none) + text }}",
    ],
)
def test_what_cannot_be_said(text: str) -> None:
    with pytest.raises(RenderError):
        render(text, Context.TEXT, VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ count }}", 3),
        ("{{ count + 1 }}", 4),
        ("{{ on }}", True),
        ("{{ count }}{{ count }}", "33"),
        ("{{ count }} of them", "3 of them"),
        ("{{ text }}", "a b"),
        ("{{ node }}", "cache-2"),
        ("{{- count -}}", "3"),
        ("3", "3"),
        ("{{ '}}' if on else '{{' }}", "}}"),
    ],
)
def test_a_number_alone_stays_a_number(text: str, expected: Scalar) -> None:
    found = render_scalar(text, VALUES)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("text", ["{{ nobody }}", "{{ node.__class__ }}", "{{ text[0] }}"])
def test_what_no_value_may_say(text: str) -> None:
    with pytest.raises(RenderError):
        render_scalar(text, VALUES)


def test_what_becomes_too_long() -> None:
    with pytest.raises(RenderError, match="longer than"):
        render("{{ text }}", Context.TEXT, {"text": "x" * (LIMIT + 1)})


def test_names_are_found() -> None:
    assert set(names_in("{{ node.address }} {{ count }}")) == {("node", "address"), ("node",), ("count",)}


@given(NASTY)
def test_no_value_gets_out_of_a_shell_word(value: str) -> None:
    text = render("echo {{ v }} end", Context.SHELL, {"v": value})
    assert shlex.split(text) == ["echo", value, "end"]


@settings(max_examples=25, deadline=None)
@given(NASTY)
def test_a_real_shell_takes_it_as_one_word(value: str) -> None:
    text = render("printf '<%s>' {{ v }}", Context.SHELL, {"v": value})
    done = subprocess.run(["/bin/sh", "-c", text], capture_output=True, check=True)
    assert done.stdout == f"<{value}>".encode()


@given(NASTY)
def test_no_value_gets_out_of_an_argument(value: str) -> None:
    try:
        assert render("--x={{ v }}", Context.ARGUMENT, {"v": value}) == f"--x={value}"
    except RenderError:
        assert re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)


@given(NASTY)
def test_no_value_gets_out_of_a_query(value: str) -> None:
    for template in ('up{a="{{ v }}"}', 'up{a=~"{{ v | regex }}.*"}'):
        try:
            query = render(template, Context.PROMQL, {"v": value})
        except RenderError:
            assert not re.fullmatch(r"[A-Za-z0-9_.:/@+-]*", value)
            continue
        assert type(parse(query)) is type(parse('up{a="x"}')), "one selector, as it was written"
        assert query.count('"') == 2


def test_a_dot_in_a_regular_expression_is_a_dot() -> None:
    assert render('{a=~"{{ node.address | regex }}"}', Context.PROMQL, VALUES) == '{a=~"10\\\\.0\\\\.0\\\\.2"}'


@given(NASTY)
def test_no_value_gets_out_of_a_path(value: str) -> None:
    try:
        path = render("nodes/{{ v }}/status", Context.URL, {"v": value})
    except RenderError:
        pytest.fail("a path takes any value")
    start, middle, end = path.split("/")
    assert (start, unquote(middle), end) == ("nodes", value, "status")
    assert not set(middle) & set("?#&/ ")
