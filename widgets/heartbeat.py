"""Shows that the display is alive, and says so loudly when it is not: it must never pass for a picture of now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Severity
from farmtui.farm.units import age
from widgets import ink
from widgets.glyphs import glyphs
from widgets.painting import LineWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.strip import Strip


def _now() -> datetime:
    return datetime.now(UTC)


class Heartbeat(LineWidget):
    """A sign that turns while the event loop runs, the time, and a warning once pictures stop coming."""

    DEFAULT_CSS = "Heartbeat { height: 1; width: auto; min-width: 10; }"

    def __init__(
        self,
        late_s: float = 30.0,
        *,
        every_s: float = 1.0,
        clock: Callable[[], datetime] = _now,
        id: str | None = None,  # noqa: A002  Textual's own name for it
    ) -> None:
        """After `late_s` seconds without `beat()` it says that what is shown is old; it turns every `every_s`."""
        super().__init__(id=id)
        self._late_s = late_s
        self._every_s = every_s
        self._clock = clock
        self._beat_at: datetime | None = None
        self._turn = 0
        self._content = self._words()

    def on_mount(self) -> None:
        """A tick: a turn of the sign is a single cell on the wire."""
        self.set_interval(self._every_s, self.tick)

    def beat(self) -> None:
        """A new picture has come."""
        self._beat_at = self._clock()
        self._update()

    def tick(self) -> None:
        """A second has passed."""
        self._turn += 1
        self._update()

    def _update(self) -> None:
        content = self._words()
        resized = content.cell_length != self._content.cell_length
        self._content = content
        if resized:
            self.refresh(layout=True)
        self.repaint()

    def _words(self) -> Content:
        now = self._clock()
        frames = glyphs().beat
        time = (f" {now:%H:%M:%S}", ink.TEXT)
        if self._beat_at is None:
            return Content.assemble(
                (frames[self._turn % len(frames)], ink.MUTED), time, (" no picture yet", ink.UNKNOWN)
            )
        silent_s = (now - self._beat_at).total_seconds()
        if silent_s > self._late_s:
            sign = glyphs().severity[Severity.CRITICAL]
            return Content.assemble((f"{sign} picture is {age(silent_s)} old", ink.CRITICAL), time)
        return Content.assemble((frames[self._turn % len(frames)], ink.OK), time)

    def get_content_width(self, container: object, viewport: object) -> int:
        """As wide as its words."""
        return self._content.cell_length

    def draw_line(self, y: int, width: int) -> Strip:
        """The only line."""
        return self.content_strip(self._content if y == 0 else "", width)
