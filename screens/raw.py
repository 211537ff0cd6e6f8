"""`y`: everything that is known of a thing, as JSON, to read or to copy."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum

from farmtui.farm.state import Severity
from farmtui.secrets import redact


def as_data(value: object) -> object:
    """A domain value as what `json` can print: dataclasses by field, enums by their word, the rest as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_data(item) for item in value]
    if isinstance(value, Severity):
        return value.word
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def as_json(value: object) -> str:
    """The JSON text, indented, without any secret."""
    return redact(json.dumps(as_data(value), indent=2, ensure_ascii=False, default=str))
