"""The line of a screen's views: `alerts 41  silences 2  rules 61`; a click or one key changes between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Severity
from screens.lines import ClickableLine
from widgets import ink
from widgets.glyphs import glyphs

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "view:"
"""Begins the name of a clickable part that chooses a view, so that it is not taken for a screen's."""


@dataclass(frozen=True, slots=True)
class View:
    """One view. `count` is what stands beside its name; a severity from WARNING on puts its mark there."""

    name: str
    count: str = ""
    severity: Severity = Severity.OK


def views_text(views: Sequence[View], here: str) -> Content:
    """All views, with that which is shown in reverse."""
    parts: list[Content] = []
    for view in views:
        style = f"{ink.STRONG} reverse" if view.name == here else ink.MUTED
        part = Content.styled(f" {view.name} ", style)
        if view.count:
            part = Content.assemble(part, (f" {view.count}", ink.TEXT if view.name == here else ink.MUTED))
        if view.severity >= Severity.WARNING:
            part = Content.assemble(part, (f" {glyphs().severity[view.severity]}", ink.SEVERITY[view.severity]))
        parts.append(ClickableLine.part(Content.assemble(part, " "), f"{PREFIX}{view.name}"))
    return Content.assemble(*parts)


def chosen_view(part: str) -> str:
    """The view's name from a clicked part's; empty where the part is no view."""
    return part.removeprefix(PREFIX) if part.startswith(PREFIX) else ""
