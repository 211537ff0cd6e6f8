"""How old a value is, in words: live, ageing, stale, never, forbidden and empty never look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness
from farmtui.farm.units import age, ago
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip


def freshness_text(freshness: Freshness, age_s: float | None = None) -> Content:
    """`● live`, `○ 35 s ago`, `▒ stale 4 min ▒`, `… no answer yet`, `⊘ not allowed`, `∅ empty`, `– not configured`.

    `age_s` is in seconds.
    """
    sign = glyphs().freshness[freshness]
    old = age(age_s) if age_s is not None else ""
    match freshness:
        case Freshness.LIVE:
            text = f"{sign} live"
        case Freshness.AGEING:
            text = f"{sign} {ago(age_s)}" if old else f"{sign} ageing"
        case Freshness.STALE:
            text = f"{sign} stale {old} {sign}" if old else f"{sign} stale {sign}"
        case Freshness.NEVER:
            text = f"{sign} no answer yet"
        case Freshness.FORBIDDEN:
            text = f"{sign} not allowed"
        case Freshness.EMPTY:
            text = f"{sign} empty"
        case Freshness.ABSENT:
            text = f"{sign} not configured"
    return Content.styled(text, ink.FRESHNESS[freshness])


def told_age(freshness: Freshness, age_s: float | None) -> float | None:
    """The age that these words tell: none of what is live, where its growing must not be taken for a difference."""
    return None if freshness is Freshness.LIVE else age_s


def freshness_short(freshness: Freshness, age_s: float | None = None) -> Content:
    """The same in a few cells, for where the full words do not fit: `▒ 4 min`, `… never`, `⊘ denied`."""
    old = age(age_s) if age_s is not None else freshness.value
    word = {
        Freshness.AGEING: old,
        Freshness.STALE: old,
        Freshness.FORBIDDEN: "denied",
        Freshness.ABSENT: "not set",
    }.get(freshness, freshness.value)
    return Content.styled(f"{glyphs().freshness[freshness]} {word}", ink.FRESHNESS[freshness])


class FreshnessChip(LineWidget):
    """A source's or panel's freshness in one line; `label` stands before it where given."""

    DEFAULT_CSS = "FreshnessChip { height: 1; width: auto; }"

    def __init__(self, label: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._label = label
        self._content = self._words(Freshness.NEVER, None)

    def show(self, freshness: Freshness, age_s: float | None = None) -> None:
        """Show this freshness; nothing is painted while the words stay the same."""
        content = self._words(freshness, age_s)
        resized = content.cell_length != self._content.cell_length
        self._content = content
        if resized:
            self.refresh(layout=True)
        self.repaint()

    def _words(self, freshness: Freshness, age_s: float | None) -> Content:
        chip = freshness_text(freshness, age_s)
        return Content.assemble((f"{self._label} ", ink.MUTED), chip) if self._label else chip

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as its words."""
        return self._content.cell_length

    def draw_line(self, y: int, width: int) -> Strip:
        """The only line."""
        return self.content_strip(self._content if y == 0 else "", width)
