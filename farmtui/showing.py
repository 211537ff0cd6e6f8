"""A screen is imported when it is first shown; what it has to work out of a big picture, a thread works out before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.console import SCREENS
from screens.frame import FarmScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from farmtui.farm.farm import Farm


def make_screen(name: str) -> FarmScreen:
    """A screen of the registry."""
    return next(entry for entry in SCREENS if entry.name == name).load()()


def weigh(top: Callable[[], FarmScreen | None], farm: Farm) -> None:
    """Work out what is wrong, and what the screen on `top` will ask of the picture: the loop finds it done."""
    from farmtui.insight.findings import findings

    findings(farm)
    screen = top()
    for work in screen.weighs() if screen is not None else ():
        work(farm)
