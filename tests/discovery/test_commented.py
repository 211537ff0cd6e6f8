"""The config as it is written for people: the same config when it is read, and its comments are the models' words."""

from __future__ import annotations

import re

import yaml

from farmtui.config import parse_config
from farmtui.config.commented import WIDTH, commented
from tests.unit.test_config_example import EXAMPLE, with_every_line_in_force


def test_every_section_comes_back_as_it_was() -> None:
    config = parse_config(with_every_line_in_force(), EXAMPLE)
    data = config.model_dump(mode="json", exclude_unset=True)
    text = commented(data, {})
    assert parse_config(text, EXAMPLE) == config
    assert "# Base address, without /api/v1." in text
    assert "# A name of your own for the cluster." in text
    assert "Not here" not in text
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert max(map(len, comments[6:])) <= WIDTH


def test_a_list_is_explained_once() -> None:
    text = commented({"varnish": {"hosts": [{"host": "cache-1"}, {"host": "cache-2"}]}}, {})
    assert text.count("The host as ssh knows it.") == 1
    assert text.count("also: workdir, instance") == 1
    assert yaml.safe_load(text) == {"varnish": {"hosts": [{"host": "cache-1"}, {"host": "cache-2"}]}}


def test_what_is_left_out_says_why_and_every_section_is_named() -> None:
    text = commented({"farm": {"name": "x"}}, {}, {"swarm": "edge-1: its host key is not known"})
    assert re.search(r"^#   swarm: +The Docker Swarm - edge-1: its host key is not known$", text, re.MULTILINE)
    assert "#   cost:" in text
    assert parse_config(text, EXAMPLE).farm.name == "x"


def test_neither_notes_nor_values_can_be_more_than_they_are() -> None:
    evil = "x\ncost: {currency: EUR}\r\n\x1b[2J\u2028nodes: []"
    text = commented(
        {"farm": {"name": evil}, "tiers": {"cache": {"expect": 1, "match": ["a: b #", "*x", "&y"]}}},
        {"farm": (evil,), "farm.name": (evil,), "tiers.cache": (evil,)},
        {"swarm": evil},
    )
    assert yaml.safe_load(text) == {
        "farm": {"name": evil},
        "tiers": {"cache": {"expect": 1, "match": ["a: b #", "*x", "&y"]}},
    }
    assert "\x1b" not in text
