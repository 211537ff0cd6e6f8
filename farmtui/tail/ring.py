"""The newest lines of a log: bounded by their number and by their size, whatever comes in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from farmtui.tail.line import LogLine

LINES_MAX: Final = 20_000
BYTES_MAX: Final = 8_000_000
_OVERHEAD: Final = 200
"""About what a line costs beside its characters."""


class Ring:
    """Lines in the order in which they came. The oldest give way."""

    def __init__(self, lines_max: int = LINES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._lines_max = lines_max
        self._bytes_max = bytes_max
        self._lines: list[LogLine] = []
        self._bytes = 0
        self.dropped = 0
        """Lines that gave way."""

    @property
    def lines(self) -> Sequence[LogLine]:
        """What is kept, the oldest first. Not to be changed, and not to be held."""
        return self._lines

    @property
    def total(self) -> int:
        """How many have come in, dropped ones included: it grows with each."""
        return self.dropped + len(self._lines)

    @property
    def bytes(self) -> int:
        """About what they take."""
        return self._bytes

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take lines in, and let the oldest go as far as needed."""
        for line in lines:
            self._lines.append(line)
            self._bytes += len(line.text) + _OVERHEAD
        if len(self._lines) <= self._lines_max and self._bytes <= self._bytes_max:
            return
        gone = 0
        left = self._bytes
        # A twentieth more than needed: a list that loses its front at each line would be moved at each line.
        lines_goal, bytes_goal = self._lines_max * 19 // 20, self._bytes_max * 19 // 20
        while gone < len(self._lines) and (len(self._lines) - gone > lines_goal or left > bytes_goal):
            left -= len(self._lines[gone].text) + _OVERHEAD
            gone += 1
        del self._lines[:gone]
        self._bytes = left
        self.dropped += gone

    def clear(self) -> None:
        """Forget all."""
        self._lines = []
        self._bytes = self.dropped = 0
