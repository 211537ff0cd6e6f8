"""Views: which screen shows the thing at a trail's end. Each is imported only when one is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.places import LOGS

if TYPE_CHECKING:
    from screens.frame import ViewScreen
    from screens.places import Place


def view_of(place: Place) -> ViewScreen:
    """The view of the thing at a trail's end."""
    kind = place.trail[-1].kind
    if kind == "run":
        from screens.run import RunScreen

        return RunScreen(place)
    if kind == LOGS:
        from screens.logs import LogScreen

        return LogScreen(place)
    from screens.detail import DetailScreen

    return DetailScreen(place)
