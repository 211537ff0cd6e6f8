"""Where in a YAML file a problem is, and how to say it without repeating what may be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import yaml

from farmtui.secrets import REDACTED

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_TOKEN = re.compile(r"'(.|<[a-z ]+>)'")


def line_of(node: yaml.Node | None, keys: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of `keys` that the file really has."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if getattr(k, "value", None) == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def duplicate_keys(root: yaml.Node | None) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Keys that a mapping has twice, with the line of each after the first. YAML lets the last win in silence."""
    been: set[int] = set()
    waiting: list[tuple[yaml.Node | None, tuple[str | int, ...]]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        # An alias is the same node again: without `been` a few lines of aliases to aliases would take for ever.
        if node is None or id(node) in been:
            continue
        been.add(id(node))
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else ""
                if name and name in seen:
                    yield (*path, name), key.start_mark.line + 1
                seen.add(name)
                waiting.append((value, (*path, name)))
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend((value, (*path, index)) for index, value in enumerate(node.value))


def shown_key(part: str | int) -> str:
    """A key as an error shows it. What no key looks like may be a secret that slipped one column to the left."""
    text = str(part)
    return text if _PLAIN_KEY.fullmatch(text) else REDACTED


def yaml_words(problem: str | None) -> str:
    """PyYAML's own words without what it quotes: an unquoted password may begin with `*`, `!` or `%`."""
    words = problem or "syntax error"
    if "undefined alias" in words:
        return "a value that begins with * is an alias, and there is no such anchor; put it in quotes"
    if "constructor for the tag" in words:
        return "a value that begins with ! is a tag, and there is no such tag; put it in quotes"
    # One quoted character, or the name of a token, is a hint at a typing error; more may be the value itself.
    return _QUOTED.sub(lambda quoted: quoted[0] if _TOKEN.fullmatch(quoted[0]) else REDACTED, words)
