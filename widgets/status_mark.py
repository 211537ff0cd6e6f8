"""A severity as sign and word, in its colour: never the colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Severity
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip


def status_mark(severity: Severity, text: str = "") -> Content:
    """`▲ warn`, or with `text` in place of the severity's own word."""
    return Content.styled(f"{glyphs().severity[severity]} {text or severity.word}", ink.SEVERITY[severity])


def severity_sign(severity: Severity) -> Content:
    """The sign alone, one cell: only where a word stands nearby."""
    return Content.styled(glyphs().severity[severity], ink.SEVERITY[severity])


class StatusMark(LineWidget):
    """A severity in one line."""

    DEFAULT_CSS = "StatusMark { height: 1; width: auto; min-width: 9; }"

    def __init__(self, severity: Severity = Severity.UNKNOWN, text: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._content = status_mark(severity, text)

    def show(self, severity: Severity, text: str = "") -> None:
        """Show another one."""
        content = status_mark(severity, text)
        resized = content.cell_length != self._content.cell_length
        self._content = content
        if resized:
            self.refresh(layout=True)
        self.repaint()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as its text."""
        return self._content.cell_length

    def draw_line(self, y: int, width: int) -> Strip:
        """The only line."""
        return self.content_strip(self._content if y == 0 else "", width)
