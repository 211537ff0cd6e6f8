"""Frames for a reader that may be slow: the newest wanted screen, sent when the reader has taken what came before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from farmtui.term.painter import Painter

__all__ = ["FrameCount", "FrameSender"]


@dataclass
class FrameCount:
    """What has become of the frames so far."""

    sent: int = 0
    dropped: int = 0
    """Wanted screens that were overtaken by a newer one before the reader could take them."""


class FrameSender:
    """Sends what `painter` has to, by `send`, whenever `idle`; to be told by `drained` when that becomes true."""

    def __init__(self, painter: Painter, send: Callable[[str], None], idle: Callable[[], bool]) -> None:
        self._painter = painter
        self._send = send
        self._idle = idle
        self._cursor = (0, 0)
        self._sync = False
        self._deferred = False
        self.count = FrameCount()

    def want(self, cursor: tuple[int, int], *, sync: bool) -> None:
        """Show what the painter wants, with the cursor at `cursor` (column, row): now, or when it can be taken."""
        self._cursor, self._sync = cursor, sync
        self.paint()

    def paint(self) -> None:
        """Send a frame if the reader can take one, and there is a difference."""
        if not self._idle():
            self.count.dropped += self._deferred
            self._deferred = True
            return
        self._deferred = False
        if frame := self._painter.frame(self._cursor, sync=self._sync):
            self._send(frame)
            self.count.sent += 1

    def drained(self) -> None:
        """The reader has taken everything: send what was put off."""
        if self._deferred:
            self.paint()
