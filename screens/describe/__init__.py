"""Describers: what is known of one thing, as blocks of named values. Each is a function of (Farm, key).

Adding a kind is adding one function with `@describer("kind")` to a module of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from farmtui.farm.farm import Farm
from farmtui.farm.state import Severity

if TYPE_CHECKING:
    from screens.places import Subject


@dataclass(frozen=True, slots=True)
class Field:
    """One named value. A severity colours it and puts its mark before it."""

    label: str
    text: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Fields under a heading."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A related thing that can be opened."""

    relation: str
    """`runs on`, `alert`, `node`, ..."""
    subject: Subject
    text: str
    severity: Severity = Severity.OK


@dataclass(frozen=True, slots=True)
class Detail:
    """All that a detail view shows. `raw` is what `y` prints as JSON."""

    title: str
    severity: Severity | None
    reasons: tuple[str, ...]
    blocks: tuple[Block, ...]
    links: tuple[Link, ...] = ()
    raw: object = None
    labels: tuple[tuple[str, str], ...] = field(default=())


Describer = Callable[[Farm, str], Detail | None]
_DESCRIBERS: dict[str, Describer] = {}


def describer(kind: str) -> Callable[[Describer], Describer]:
    """Register a describer for subjects of one kind."""

    def register(function: Describer) -> Describer:
        if kind in _DESCRIBERS:
            raise ValueError(f"two describers for {kind!r}")
        _DESCRIBERS[kind] = function
        return function

    return register


@cache
def _load_all() -> None:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def kinds() -> tuple[str, ...]:
    """All kinds that can be described."""
    _load_all()
    return tuple(sorted(_DESCRIBERS))


def describe(farm: Farm, subject: Subject) -> Detail | None:
    """What is known of a subject now; None when the farm does not know it any more."""
    _load_all()
    function = _DESCRIBERS.get(subject.kind)
    return function(farm, subject.key) if function else None
