"""Foreign JSON read for what it is: a value of another kind than is wanted is as if it were not there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from farmtui.farm.text import LIMIT, clean_text


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one where it is none."""
    return value if isinstance(value, Mapping) else {}


def elements(value: Any) -> list[Any]:
    """A list; an empty one where it is none."""
    return value if isinstance(value, list) else []


def text(value: Any, limit: int = LIMIT) -> str:
    """A text, cleaned, of at most `limit` characters; empty where it is none."""
    return clean_text(value, limit=limit) if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """A finite number, or a text that is one; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """A whole number of 0 or more; None where it is none."""
    found = number(value)
    return int(found) if found is not None and found >= 0 else None


def flag(value: Any) -> bool | None:
    """A flag as Perl and others write it: 0, 1, "0", "1", true, false; None where it is none."""
    if isinstance(value, bool):
        return value
    found = number(value)
    return None if found is None else found != 0
