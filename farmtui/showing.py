"""A screen is imported when it is first shown."""

from __future__ import annotations

from screens.console import SCREENS
from screens.frame import FarmScreen


def make_screen(name: str) -> FarmScreen:
    """A screen of the registry."""
    return next(entry for entry in SCREENS if entry.name == name).load()()
