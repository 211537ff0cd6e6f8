"""Matchers as people type them (amtool's syntax).

Alertmanager reads matchers in two ways, and since 0.27 tries both: the classic one (`\\"`, `\\\\` and `\\n` are
escapes, any other backslash is itself) and the UTF-8 one (names may be quoted; signs of the grammar must be). What is
read here means the same in every version that accepts it, and what would silently mean something else than it seems
(`a==b`, `a= b=c`, a comma too many) is refused: a matcher that goes missing makes a silence wider.
"""

from __future__ import annotations

import re
from typing import Final

from farmtui.farm.alerts import Matcher
from farmtui.farm.expressions import ExpressionError, expression


class MatcherError(ValueError):
    """Text that is no list of matchers; the words name the character (from 1) and how to write it."""


_RESERVED: Final = "{}!=~,\\\"'`"
_NAME: Final = re.compile(r"[^\s{}!=~,\\\"'`]+")
_OPERATOR: Final = re.compile(r"=~|!~|!=|=")
_BARE: Final = re.compile(r"[^\s,]+")
_QUOTES: Final = "\"'"


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read `alertname=X, instance=~"10\\.0.*"`, joined by commas or blanks, in braces or not. Raises MatcherError.

    Values (and names that hold other signs than letters, digits, `_`, `.`, `-` and the like) stand in double or single
    quotes. Nothing but blanks, or `{}`, is no matcher at all. Expressions are read by RE2, as Alertmanager's are.
    """
    position, end = _blank(text, 0), len(text.rstrip())
    if text[position : position + 1] == "{":
        if end - position < 2 or text[end - 1] != "}":
            raise _error(position, "this brace is never closed: write all matchers between { and }, or without braces")
        position, end = _blank(text, position + 1), end - 1
    matchers: list[Matcher] = []
    while position < end:
        matcher, position = _matcher(text, position, end)
        matchers.append(matcher)
        position = _next(text, position, end)
    return tuple(matchers)


def _next(text: str, after: int, end: int) -> int:
    """Where the next matcher begins. One comma may close the list; two would hide that a matcher is missing."""
    position = _blank(text, after, end)
    if position < end and text[position] == ",":
        return _blank(text, position + 1, end)
    if position < end and position == after:
        raise _error(position, "a comma or a blank is wanted before the next matcher")
    return position


def _matcher(text: str, start: int, end: int) -> tuple[Matcher, int]:
    name, position = _name(text, start, end)
    operator_at = _blank(text, position, end)
    operator = _OPERATOR.match(text, operator_at, end)
    if operator is None:
        raise _error(operator_at, f"=, !=, =~ or !~ is wanted after {name}")
    value_at = _blank(text, operator.end(), end)
    value, places, position = _value(text, value_at, end)
    is_regex = "~" in operator.group()
    if is_regex:
        try:
            expression(value, whole=True)
        except ExpressionError as error:
            place = places[error.place] if error.place < len(places) else value_at
            raise _error(place, f"not a regular expression: {error}") from None
    return Matcher(name, value, is_regex, not operator.group().startswith("!")), position


def _name(text: str, start: int, end: int) -> tuple[str, int]:
    if text[start] in _QUOTES:
        name, _, position = _quoted(text, start, end)
        if not name:
            raise _error(start, "a label's name is never empty")
        return name, position
    found = _NAME.match(text, start, end)
    if found is None:
        raise _error(start, "a label's name is wanted here, as in alertname=X")
    return found.group(), found.end()


def _value(text: str, start: int, end: int) -> tuple[str, list[int], int]:
    """The value, where each of its characters stands in `text`, and where it ends."""
    if start < end and text[start] in _QUOTES:
        return _quoted(text, start, end)
    found = _BARE.match(text, start, end)
    if found is None:
        # `team=` alone asks for alerts without the label, as in Alertmanager.
        return "", [], start
    for index in range(start, found.end()):
        if text[index] in _RESERVED and text[index] != "\\":
            raise _error(index, f"a value that holds {text[index]} stands in quotes")
    value, places = _unescaped(text, start, found.end(), '"')
    return value, places, found.end()


def _quoted(text: str, start: int, end: int) -> tuple[str, list[int], int]:
    position = start + 1
    while position < end and text[position] != text[start]:
        position += 2 if text[position] == "\\" else 1
    if position >= end:
        raise _error(start, "this quote is never closed")
    value, places = _unescaped(text, start + 1, position, text[start])
    return value, places, position + 1


def _unescaped(text: str, start: int, end: int, quote: str) -> tuple[str, list[int]]:
    value: list[str] = []
    places: list[int] = []
    position = start
    while position < end:
        character, place = text[position], position
        if character == "\\" and position + 1 < end and text[position + 1] in (quote, "\\", "n"):
            position += 1
            character = "\n" if text[position] == "n" else text[position]
        value.append(character)
        places.append(place)
        position += 1
    return "".join(value), places


def _blank(text: str, position: int, end: int | None = None) -> int:
    end = len(text) if end is None else end
    while position < end and text[position].isspace():
        position += 1
    return position


def _error(index: int, words: str) -> MatcherError:
    return MatcherError(f"character {index + 1}: {words}")
