"""From one farm to another within the console: which there are, and what keeps one from leaving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from farmtui.farm.state import Severity

if TYPE_CHECKING:
    from farmtui.config.salvage import Check, Salvaged

AWAY: Final = "between two farms"
"""The mode in which nothing of either is shown."""


class StayError(Exception):
    """There is nothing to go to; its text says why, and what there is."""

    def __init__(self, words: str, severity: Severity = Severity.WARNING) -> None:
        super().__init__(words)
        self.severity = severity


def check_may_leave(in_browser: bool) -> None:
    """Raises StayError where who looks was given this farm alone."""
    if in_browser:
        raise StayError("a browser shows the farm that it is served")


def names(*opened: Path | None) -> tuple[str, ...]:
    """The farms that there are; those of these files are among them. May block."""
    from farmtui.config.farms import known_farms

    return tuple(known_farms(*opened))


def path_of(name: str, here: Path | None, first: Path | None) -> Path:
    """The config of the farm that is wanted. Raises StayError where there is none, or it is open. May block.

    `here` is the file of the farm that is open, `first` that of the one with which the console was started.
    """
    from farmtui.config import ConfigError
    from farmtui.config.farms import farms_folder, find_farm, known_farms

    known = known_farms(here, first)
    open_now = next((one for one, path in known.items() if here and path.resolve() == here.resolve()), "")
    if not name:
        others = [one for one in known if one != open_now]
        more = f"others: {', '.join(others)}; :farm NAME opens one" if others else f"no other in {farms_folder()}"
        raise StayError(f"this is the farm {open_now}; {more}", Severity.INFO)
    if name == open_now:
        raise StayError(f"the farm {name} is the one that is open", Severity.INFO)
    try:
        return find_farm(name, here, first)
    except ConfigError as error:
        raise StayError(str(error)) from None


def salvaged_at(path: Path, check: Check) -> Salvaged:
    """What is right in its config. Reads it."""
    from farmtui.config.salvage import salvage_file

    return salvage_file(path, check)
