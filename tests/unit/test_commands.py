"""Rebinding: what the config may do to the keys, and what it is told when it may not."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from farmtui.commands import UNBOUND, is_key, keymap, keymap_problems, normal_key

SCOPES = {
    "everywhere": [Binding("question_mark", "help", id="help"), Binding("y", "raw", id="raw")],
    "alerts": [Binding("s", "silence", id="alerts.silence")],
    "storage": [Binding("f", "flags", id="storage.flags")],
}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({}, []),
        ({"raw": "Y"}, []),
        ({"raw": ""}, []),
        ({"raw": "f5, ctrl+y"}, []),
        ({"alerts.silence": "f"}, []),  # `f` of another screen is no conflict
        ({"alerts.silence": "y"}, ["ui.keys.alerts.silence: 'y' is the key of raw (alerts)"]),
        ({"alerts.silence": "y", "raw": "Y"}, []),  # it has moved away
        ({"raw": "?"}, ["ui.keys.raw", "is the key of help (everywhere)"]),
        ({"nonsense": "n"}, ["ui.keys.nonsense", "config keys"]),
        ({"raw": "hyper+x"}, ["'hyper+x' is not a key"]),
        ({"raw": "escape"}, ["reserved"]),
        ({"raw": ":"}, ["reserved"]),
    ],
)
def test_a_keymap_is_refused_with_the_reason(overrides: dict[str, str], words: list[str]) -> None:
    problems = "\n".join(f"ui.keys.{ident}: {what}" for ident, what in keymap_problems(overrides, SCOPES))
    assert bool(problems) is bool(words)
    for word in words:
        assert word in problems


def test_an_empty_text_takes_the_binding_off_its_key() -> None:
    assert keymap({"raw": " "}) == {"raw": f"{UNBOUND}.raw"}
    assert keymap({"raw": "Y"}) == {"raw": "Y"}


@pytest.mark.parametrize("key", ["a", "Z", "?", "f12", "ctrl+n", "shift+tab", "question_mark", "space", "alt+x"])
def test_keys_that_a_terminal_sends(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "enterr", "ctrl+", "hyper+x", "  ", "ctrl+nope"])
def test_keys_that_none_sends(key: str) -> None:
    assert not is_key(key)


def test_signs_have_long_names() -> None:
    assert [normal_key(key) for key in "?-n,"] == ["question_mark", "minus", "n", "comma"]
