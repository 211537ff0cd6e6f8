"""JSON of any size read in slices, so that no other thread waits for it.

`json.loads` holds the interpreter for the whole text: 10 MB of series are a stall of 100 ms for every thread, the
screen's among them. Nearly all of a big answer is one long array; its elements are decoded one by one here, and the
interpreter may turn to another thread between any two.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

SMALL: Final = 65_536
"""Bytes that are decoded in one go: less than a millisecond."""

_SPACE: Final = " \t\n\r"
_DECODER: Final = json.JSONDecoder()


def loads(body: bytes, list_key: str = "") -> Any:
    """The value of a JSON text in UTF-8, exactly as `json.loads` gives it.

    `list_key` names the member whose array holds nearly all of the answer (`result`, `activeTargets`); the array that
    follows its first mention is read in slices. Empty: the text may itself be an array. Raises ValueError
    (JSONDecodeError, UnicodeDecodeError) or RecursionError where it is not JSON.
    """
    if len(body) <= SMALL:
        return json.loads(body)
    text = body.decode("utf-8")
    # Inside a string the quotes of such a member would be escaped: the first match is the member itself.
    pattern = rf'"{re.escape(list_key)}"\s*:\s*\[' if list_key else r"\s*\["
    found = re.search(pattern, text) if list_key else re.match(pattern, text)
    if found is None:
        return json.loads(text)
    elements, end = _array(text, found.end())
    rest = json.loads(f"{text[: found.end()]}{text[end - 1 :]}")
    if not list_key:
        return elements
    hole = _find(rest, list_key)
    if hole is None:
        return json.loads(text)
    hole[list_key] = elements
    return rest


def _array(text: str, index: int) -> tuple[list[Any], int]:
    """The elements of an array whose `[` is just before `index`, and the index after its `]`."""
    elements: list[Any] = []
    index = _skip(text, index)
    if text[index : index + 1] == "]":
        return elements, index + 1
    while True:
        value, index = _DECODER.raw_decode(text, index)
        elements.append(value)
        index = _skip(text, index)
        mark = text[index : index + 1]
        if mark == "]":
            return elements, index + 1
        if mark != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, index)
        index = _skip(text, index + 1)


def _skip(text: str, index: int) -> int:
    while text[index : index + 1] and text[index] in _SPACE:
        index += 1
    return index


def _find(value: Any, key: str) -> dict[str, Any] | None:
    """The object that holds the emptied array, at the top or one level below it."""
    if not isinstance(value, dict):
        return None
    for place in (value, *(part for part in value.values() if isinstance(part, dict))):
        if place.get(key) == []:
            return place
    return None
