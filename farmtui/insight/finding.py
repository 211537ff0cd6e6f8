"""What a finding is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farmtui.farm.state import Severity

Thing = tuple[str, str]
"""Kind and key of a thing of the farm, as the screens' subjects name it: `("node", "cache-2")`, `("osd", "osd.3")`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    key: str
    """Unique, and the same from picture to picture while the fault lasts."""
    severity: Severity
    title: str
    cause: str
    """In plain words."""
    evidence: tuple[str, ...] = ()
    """The numbers that it rests on, and what follows from it."""
    subject: Thing = ("", "")
    """The thing it is about; empty where it is about the farm or a whole tier."""
    screen: str = "overview"
    """The screen that shows it."""
    part: str = ""
    """The part of the farm that it is a fault of: one of the names in `health`."""
    runbook: str = ""
    since: datetime | None = None
    """When it began, where something says so."""
    covers: frozenset[Thing] = frozenset()
    """Things whose own faults follow from this one; those are told as its evidence, not beside it."""
    hurts: tuple[tuple[str, Severity], ...] = ()
    """Other parts that suffer from it, and how much: those of what was found to follow from it."""
    stakes: str = ""
    """What goes next, in words that stand in `cause` too: where this follows from another fault they are told there."""
    alerts: tuple[str, ...] = ()
    """Names of the alerts that fire for it, the worst first."""
    topics: tuple[str, ...] = ()
    """Lower-case pieces of names of alerts that say the same as this."""
