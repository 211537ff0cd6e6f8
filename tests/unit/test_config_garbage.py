"""Properties of the config: garbage never crashes it, and what is pasted as a value is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from farmtui.config import Config, ConfigError, parse_config
from farmtui.config.salvage import salvage

FILE = Path("farmtui.yaml")

NAMES = """farm tiers prometheus alertmanager proxmox digitalocean nodes ui name url urls auth bearer password token
    token_secret token_id hosts headers queries cache keys"""
KEYS = st.sampled_from(NAMES.split())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["env:A", "file:~x/y", "cmd:'", "http://[", "http://a@b", "~", "\0", "a:b"]),
    st.dates(),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(KEYS, LEAVES), inner, max_size=4)),
    max_leaves=12,
)
# Pieces of YAML, separated by ~ here.
PIECES = """farm~tiers~ui~:~: ~- ~
~
  ~{~}~[~]~&a ~*a~!!int ~!x ~? ~|~>~'~"~#~%~@~`~<<: ~!!timestamp ~!!bool ~!!float ~!!binary ~!!set ~0x~é~1~null"""
YAMLISH = st.lists(st.sampled_from(PIECES.split("~")), max_size=30).map("".join)


def read(text: str) -> Config | str:
    """The config, or the words of its error; any other exception fails the test."""
    try:
        return parse_config(text, FILE)
    except ConfigError as error:
        return str(error)


@given(st.one_of(st.text(max_size=200), YAMLISH))
def test_any_text_gives_a_config_or_words(text: str) -> None:
    found = read(text)
    if isinstance(found, str):
        assert all(line.startswith("farmtui.yaml:") for line in found.splitlines())


@given(st.one_of(st.text(max_size=200), YAMLISH, st.dictionaries(KEYS, VALUES, max_size=5).map(yaml.safe_dump)))
def test_of_any_text_what_is_right_is_found(text: str) -> None:
    found = salvage(text, FILE)
    assert bool(found.mistakes) is isinstance(read(text), str)
    assert found.readable or found.config == Config()


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_yaml_gives_a_config_or_words(value: dict[str, object]) -> None:
    found = read(yaml.safe_dump(value, allow_unicode=True))
    if isinstance(found, str):
        assert all(line.startswith("farmtui.yaml:") for line in found.splitlines())


def is_plain_key(secret: str) -> bool:
    """Whether the text may pass for a mistyped key, which an error has to name."""
    return len(secret) <= 32 and all(character.isalnum() or character in "_-." for character in secret)


PASTED = (
    st.text(st.sampled_from("ABCDEFGHJKMNPQRSTUVWXYZ23456789_-+/=!*%&@#$:,'\""), min_size=1, max_size=60)
    .map(lambda tail: f"zQ7{tail}")
    .filter(lambda secret: not is_plain_key(secret))
)
PLACES = [
    "digitalocean: {{token: {0}}}",
    "digitalocean:\n  token: {0}\n",
    "digitalocean:\n  {0}\n",
    "digitalocean: {0}\n",
    "digitalocean:\n  tokn: {0}\n",
    "prometheus:\n  url: http://user:{0}@host\n",
    "prometheus:\n  url: {0}\n",
    "prometheus: {{url: 'http://h', auth: {{bearer: {0}}}}}",
    "prometheus: {{url: 'http://h', auth: {{username: a, password: {0}}}}}",
    "prometheus: {{url: 'http://h', auth: {0}}}",
    "prometheus: {{url: 'http://h', headers: {0}}}",
    "proxmox: [{{name: a, hosts: [h], token_id: {0}, token_secret: {0}}}]",
    "proxmox: [{{name: a, hosts: ['root:{0}@h'], token_id: 'a@b!c', token_secret: 'env:A'}}]",
    "proxmox: {0}",
    "{0}",
    "{0}: x",
    "farm:\n  ? {0}\n",
]
STYLES = ["{0}", '"{0}"', "'{0}'", "*{0}", "!{0}", "&{0}", "%{0}", "env:{0} x", "cmd:'{0}", "[{0}]", "{0}: {0}"]


@pytest.mark.parametrize("place", PLACES)
@given(secret=PASTED, style=st.sampled_from(STYLES))
def test_a_secret_pasted_as_a_value_is_never_repeated(place: str, secret: str, style: str) -> None:
    text = place.format(style.format(secret))
    found = read(text)
    if isinstance(found, str):
        assert secret not in found
    for mistake in salvage(text, FILE).mistakes:
        assert secret not in f"{mistake} {mistake.text} {mistake.left_out}"
