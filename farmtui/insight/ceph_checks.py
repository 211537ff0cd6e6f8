"""What Ceph's health checks mean, in plain words, and what to do first."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import yaml

_ELSE: Final = "ceph health detail says more"
_BUCKET_DOWN: Final = re.compile(r"OSD_([A-Za-z0-9_-]+)_DOWN")
_ANY_BUCKET: Final = "OSD_*_DOWN"


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
    # Ceph's documentation calls some of the MDS's checks MDS_HEALTH_TRIM and the like; what is raised is MDS_TRIM.
    found = book().get(name) or book().get(re.sub(r"^MDS_HEALTH_", "MDS_", name))
    if found is not None:
        return found
    if (bucket := _BUCKET_DOWN.fullmatch(name)) is not None:
        kind, any_bucket = _words(bucket[1]), book()[_ANY_BUCKET]
        return CheckMeaning(any_bucket.meaning.format(kind=kind), any_bucket.remedy.format(kind=kind), known=True)
    return CheckMeaning(_words(name) or "a check without a name", _ELSE, known=False)


@functools.cache
def book() -> Mapping[str, CheckMeaning]:
    """All checks that we know, by Ceph's own names. Read once, when the first check is raised."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("farmtui.insight").joinpath("ceph_checks.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=loader)  # noqa: S506 - either is a safe loader
    return MappingProxyType({name: CheckMeaning(meaning, remedy, True) for name, (meaning, remedy) in data.items()})


def _words(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())
