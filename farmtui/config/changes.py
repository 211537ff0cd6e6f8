"""What differs between two configs: the keys, never the values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from farmtui.config.whole import Config

LIMITS: Final = ("farm", "roles", "journal", "runbooks", "ssh")
"""Sections in which it stands what is allowed, to whom, and where it is written down."""


def changes(before: Config, after: Config) -> list[str]:
    """The keys whose values differ, dotted, in the order of the file's sections; items of lists by their names."""
    return list(dict.fromkeys(_differing(before, after, "")))


def limits_differ(before: Config, after: Config) -> str:
    """The first section that says what is allowed and is not the same; empty: they all are."""
    return next((name for name in LIMITS if getattr(before, name) != getattr(after, name)), "")


def _differing(one: Any, other: Any, key: str) -> Iterator[str]:
    if one == other:
        return
    if isinstance(one, BaseModel) and type(one) is type(other):
        for name in type(one).model_fields:
            yield from _differing(getattr(one, name), getattr(other, name), _under(key, name))
    elif isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys((*one, *other)):
            yield from _differing(one.get(name), other.get(name), _under(key, str(getattr(name, "value", name))))
    elif _named(one) is not None and _named(other) is not None:
        yield from _differing(_named(one), _named(other), key)
    else:
        yield key


def _under(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _named(items: Any) -> dict[str, Any] | None:
    """A list of sections that have names, by them."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        return None
    if not all(isinstance(item, BaseModel) and hasattr(item, "name") for item in items):
        return None
    return {item.name: item for item in items}
