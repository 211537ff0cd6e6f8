"""What is shown is imported when it is first shown: a screen, and the view of a thing."""

from __future__ import annotations

from screens.console import SCREENS
from screens.frame import FarmScreen, ViewScreen
from screens.places import Place


def make_screen(name: str) -> FarmScreen:
    """A screen of the registry."""
    return next(entry for entry in SCREENS if entry.name == name).load()()


def make_view(place: Place) -> ViewScreen:
    """The view of the thing at a trail's end."""
    if place.trail[-1].kind == "run":
        from screens.run import RunScreen

        return RunScreen(place)
    from screens.detail import DetailScreen

    return DetailScreen(place)
