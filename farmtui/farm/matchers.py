"""Matchers as people type them (amtool's syntax)."""

from __future__ import annotations

import re

from farmtui.farm.alerts import Matcher


class MatcherError(ValueError):
    """Text that is no list of matchers; the words name the position and how to write it."""


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_BARE = re.compile(r"[^\s,{}\"']+")


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read `alertname=X, instance=~"10\\.0.*"`, joined by commas or blanks, in braces or not. Raises MatcherError."""
    stripped = text.strip()
    if stripped.startswith("{") != stripped.endswith("}"):
        raise MatcherError("a brace is open: write all matchers between { and }, or without braces")
    inner = stripped[1:-1] if stripped.startswith("{") else stripped
    offset = text.find(inner) if inner else 0
    matchers: list[Matcher] = []
    position = 0
    while True:
        position = _skip(inner, position)
        if position >= len(inner):
            return tuple(matchers)
        matcher, position = _one(inner, position, offset)
        matchers.append(matcher)


def _skip(text: str, position: int) -> int:
    while position < len(text) and (text[position].isspace() or text[position] == ","):
        position += 1
    return position


def _one(text: str, position: int, offset: int) -> tuple[Matcher, int]:
    name = _NAME.match(text, position)
    if name is None:
        raise MatcherError(f"character {offset + position + 1}: a label's name is wanted here, as in alertname=X")
    operator = _OPERATOR.match(text, _blank(text, name.end()))
    if operator is None:
        raise MatcherError(f"character {offset + name.end() + 1}: =, !=, =~ or !~ is wanted after {name.group()}")
    start = _blank(text, operator.end())
    value, end = _value(text, start, offset)
    is_regex = "~" in operator.group()
    if is_regex:
        try:
            re.compile(value)
        except re.error as error:
            raise MatcherError(
                f"character {offset + start + 1}: not a regular expression: {error.msg}; put \\ before a meant sign"
            ) from None
    return Matcher(name.group(), value, is_regex, not operator.group().startswith("!")), end


def _blank(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position


def _value(text: str, start: int, offset: int) -> tuple[str, int]:
    if start < len(text) and text[start] in "\"'":
        return _quoted(text, start, offset)
    bare = _BARE.match(text, start)
    # `team=` alone asks for alerts without the label, as in Alertmanager.
    return (bare.group(), bare.end()) if bare else ("", start)


def _quoted(text: str, start: int, offset: int) -> tuple[str, int]:
    quote, position = text[start], start + 1
    value: list[str] = []
    while position < len(text):
        character = text[position]
        if character == quote:
            return "".join(value), position + 1
        if character == "\\" and position + 1 < len(text) and text[position + 1] in (quote, "\\", "n"):
            value.append("\n" if text[position + 1] == "n" else text[position + 1])
            position += 2
            continue
        value.append(character)
        position += 1
    raise MatcherError(f"character {offset + start + 1}: the quote is never closed")
