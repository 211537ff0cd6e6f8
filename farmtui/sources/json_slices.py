"""JSON of any size read in slices, so that no other thread waits for it.

`json.loads` holds the interpreter for the whole text: 10 MB of series are a stall of 100 ms for every thread, the
screen's among them. Nearly all of a big answer is one long array; its elements are decoded one by one here, and the
interpreter may turn to another thread between any two.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any, Final

SMALL: Final = 65_536
"""Bytes that are decoded in one go: less than a millisecond."""

_ONE_AT_A_TIME: Final = threading.Lock()
"""Held while a big text is decoded: every thread that computes may make the screen's thread wait for one turn more."""

_SPACE: Final = " \t\n\r"
_DECODER: Final = json.JSONDecoder()


def loads(body: bytes, list_key: str = "", each: Callable[[Any], Any] | None = None) -> Any:
    """The value of a JSON text in UTF-8, as `json.loads` gives it.

    `list_key` names the member, at the top or one level below, whose array holds nearly all of the answer (`result`,
    `activeTargets`). Empty: the text may itself be such an array. With `each`, every element of that array is replaced
    by what `each` makes of it as soon as it is decoded: of a big answer no more than one element is in memory as it
    came. Raises ValueError (JSONDecodeError, UnicodeDecodeError) or RecursionError where it is not JSON.
    """
    if len(body) <= SMALL:
        return _replaced(json.loads(body), list_key, each)
    with _ONE_AT_A_TIME:
        return _big(body, list_key, each)


def _big(body: bytes, list_key: str, each: Callable[[Any], Any] | None) -> Any:
    text = body.decode("utf-8")
    # Inside a string the quotes of such a member would be escaped: the first match is the member itself.
    found = re.search(rf'"{re.escape(list_key)}"\s*:\s*\[', text) if list_key else re.match(r"\s*\[", text)
    if found is None:
        return _replaced(json.loads(text), list_key, each)
    elements, end = _array(text, found.end(), each)
    rest = json.loads(f"{text[: found.end()]}{text[end - 1 :]}")
    if not list_key:
        return elements
    hole = _holder(rest, list_key)
    if hole is None or hole[list_key] != []:
        return _replaced(json.loads(text), list_key, each)
    hole[list_key] = elements
    return rest


def _replaced(value: Any, list_key: str, each: Callable[[Any], Any] | None) -> Any:
    """`value` with `each` applied to the elements of its array."""
    if each is None:
        return value
    if not list_key:
        return [each(element) for element in value] if isinstance(value, list) else value
    holder = _holder(value, list_key)
    if holder is not None:
        holder[list_key] = [each(element) for element in holder[list_key]]
    return value


def _array(text: str, index: int, each: Callable[[Any], Any] | None) -> tuple[list[Any], int]:
    """The elements of an array whose `[` is just before `index`, and the index after its `]`."""
    elements: list[Any] = []
    index = _skip(text, index)
    if text[index : index + 1] == "]":
        return elements, index + 1
    while True:
        value, index = _DECODER.raw_decode(text, index)
        elements.append(value if each is None else each(value))
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


def _holder(value: Any, key: str) -> dict[str, Any] | None:
    """The object whose member `key` is an array: the value itself, or one of its members."""
    if not isinstance(value, dict):
        return None
    for place in (value, *(part for part in value.values() if isinstance(part, dict))):
        if isinstance(place.get(key), list):
            return place
    return None
