"""What Ceph's health checks mean, in plain words, and what to do first."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

import yaml

_ELSE = "ceph health detail says more"


@dataclass(frozen=True, slots=True)
class CheckMeaning:
    """One health check, explained."""

    meaning: str
    """What is wrong, in one plain sentence."""
    remedy: str
    """The first thing to do or to look at, with the command where there is one."""
    known: bool
    """Whether it is in our book; else the words are only its name's."""


def explain(name: str) -> CheckMeaning:
    """What a check means. A check that nobody has told us of gets words made of its name: none is ever hidden."""
    found = book().get(name)
    if found is not None:
        return found
    words = name.replace("_", " ").strip().lower()
    return CheckMeaning(words or "a check without a name", _ELSE, known=False)


@functools.cache
def book() -> Mapping[str, CheckMeaning]:
    """All checks that we know, by Ceph's own names. Read once, when the first check is raised."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("farmtui.insight").joinpath("ceph_checks.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=loader)  # noqa: S506 - either is a safe loader
    return MappingProxyType({name: CheckMeaning(meaning, remedy, True) for name, (meaning, remedy) in data.items()})
