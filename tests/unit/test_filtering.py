"""The filter language of `/`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.filtering import EVERYTHING, FilterError, parse_filter


@pytest.mark.parametrize(
    ("typed", "text", "labels", "passes"),
    [
        ("", "worker-07", {}, True),
        ("worker", "worker-07 ok", {}, True),
        ("WORKER", "worker-07 ok", {}, False),  # a capital asks for its case
        ("Worker", "Worker-07", {}, True),
        ("work.*7$", "worker-07", {}, True),
        ("!worker", "worker-07", {}, False),
        ("! worker", "cache-1", {}, True),
        ("-l tier=cache", "", {"tier": "cache"}, True),
        ("-l tier!=cache", "", {"tier": "cache"}, False),
        ('-l tier="cache", severity=~"crit.*"', "", {"tier": "cache", "severity": "critical"}, True),
        ("-l tier=cache,severity=~crit.*", "", {"tier": "cache", "severity": "warning"}, False),
        ("-l team=", "", {}, True),  # an absent label reads as empty, as in Alertmanager
        ("[[:digit:]]{2}$", "worker-07", {}, True),
        ("größe", "die GRÖSSE, die GRÖßE", {}, True),
        (r"\pL-07", "worker-07", {}, True),  # \pL has a capital, and letters of either case
        ("-l tier=~(?i)CACHE", "", {"tier": "cache"}, True),
        ("-l tier=~cach", "", {"tier": "cache"}, False),
        ("-f wrk7", "worker-07", {}, True),
        ("-f 7wrk", "worker-07", {}, False),
    ],
)
def test_what_passes(typed: str, text: str, labels: dict[str, str], *, passes: bool) -> None:
    assert parse_filter(typed).passes(text, labels) is passes


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("(", "character 1"),
        ("!a(?=b)", "character 3"),
        ("!  x(", "character 5"),
        ("(?!x)", "nothing looks ahead; write apart what must not match"),
        (r"(a)\1", "no back-references"),
        (r"\pL{999}", "write it shorter"),
        ("!", "hidden"),
        ("-l", "tier=cache"),
        ("-l =x", "'=x'"),
        ("-l a=~(", "label a"),
        (r"-l a=~\Qx", "label a"),
        ("-f", "-f"),
    ],
)
def test_errors_name_the_place(typed: str, place: str) -> None:
    with pytest.raises(FilterError, match=r".+") as caught:
        parse_filter(typed)
    assert place in str(caught.value)


def test_an_empty_filter_is_false() -> None:
    assert not EVERYTHING
    assert parse_filter("x")


@given(st.text(max_size=40), st.text(max_size=40))
def test_anything_typed_is_a_filter_or_a_clear_error(typed: str, text: str) -> None:
    try:
        row_filter = parse_filter(typed)
    except FilterError as error:
        row_filter = EVERYTHING
        words = str(error)
    else:
        words = "read"
    assert words
    assert row_filter.passes(text, {}) in (True, False)


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=40))
def test_the_inverse_hides_exactly_what_the_filter_shows(word: str, text: str) -> None:
    assert parse_filter(f"!{word}").passes(text, {}) is not parse_filter(word).passes(text, {})
