"""How a budget is printed: the figure beside it, the floor that it is a ratio to, and whether it is kept."""

from __future__ import annotations


def say(what: str, figure: str, budget: str, *, kept: bool) -> None:
    """One line of the report. A budget that is missed is marked; the machine's mood fails no build."""
    mark = "ok  " if kept else "MISS"
    print(f"\n  {mark} {what:<62} {figure:>34}   budget {budget}", end="")
