"""What books are made of, below their parts: durations, comparisons, and sections that know no other keys."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from farmtui.config.fields import Section
from farmtui.farm.expressions import ExpressionError, expression
from farmtui.secrets import Secret, SecretError, is_reference

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_IS = re.compile(r"(==|!=|<=|>=|<|>)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)|empty|present")

Where = tuple[str | int, ...]
"""The keys that lead to a place in the file."""


def seconds(value: Any) -> float:
    """`30s`, `5m`, `1.5h`, `2d` in seconds. Raises ValueError."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a duration such as 30s, 5m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def _is(value: str) -> str:
    if not _IS.fullmatch(value):
        raise ValueError("must be a comparison such as '== 0', '>= 2' or '< 0.05', or `empty`, or `present`")
    return value


def _regex(value: str) -> str:
    try:
        expression(value, whole=True)
    except ExpressionError as error:
        where = f", at character {error.place + 1}"
        raise ValueError(f"is not a regular expression: {error.what}{where}; {error.remedy}") from None
    return value


def whole_reference(value: str) -> str:
    """A reference to a secret that means the same for whoever plans and whoever runs. Raises ValueError."""
    kind, _, rest = value.partition(":")
    if "{{" in value and is_reference(value):
        raise ValueError(f"a reference to a secret ({kind}:) is what it is: it may hold no {{{{ }}}}")
    if kind == "file" and not rest.strip().startswith(("/", "~")):
        raise ValueError("a secret's file is given by its whole path: file:/PATH")
    try:
        Secret(value)
    except SecretError as error:
        raise ValueError(str(error)) from None
    return value


Duration = Annotated[
    float, BeforeValidator(seconds), WithJsonSchema({"type": "string", "pattern": rf"^{_DURATION.pattern}$"})
]
Is = Annotated[str, AfterValidator(_is)]
Regex = Annotated[str, AfterValidator(_regex)]
Percent = Annotated[str, Field(pattern=r"^(100|\d{1,2})%$")]
Reference = Annotated[str, AfterValidator(whole_reference)]
Codes = int | list[int]


class Written(Section):
    """A part of a book."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def one_of(section: Section, names: tuple[str, ...], what: str) -> str:
    """Which of these keys is given. Raises ValueError where it is none, or more than one."""
    given = [name for name in names if getattr(section, name) is not None]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none"
        raise ValueError(f"{what} must have exactly one of {', '.join(names)}; this one {found}")
    return given[0]
