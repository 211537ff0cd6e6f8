"""What comes from a terminal, as text for the key parser and pastes for the screen, whatever the bytes."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from farmtui.farm.text import clean_text

__all__ = ["PASTE_LIMIT", "InputSplitter", "Keys", "Pasted"]

PASTE_LIMIT: Final = 1 << 20
"""Characters kept of one paste; the rest is read and thrown away."""

PASTE_START: Final = "\x1b[200~"
PASTE_END: Final = "\x1b[201~"

_GIVE_UP: Final = frozenset({"\x1b", "\x03", "\x1b[27u", "\x1b[27;1u", "\x1b[99;5u"})
"""Escape and Ctrl+C, as plain bytes and in kitty's protocol."""

_PASTE_SILENCE_S: Final = 1.0
"""A paste whose end never came is given up when, after this silence, a lone Escape or Ctrl+C is typed."""


@dataclass(frozen=True)
class Keys:
    """Characters typed, or reports of the terminal: escape sequences among them may be cut anywhere."""

    text: str


@dataclass(frozen=True)
class Pasted:
    """The text of one paste, cleaned; at most `PASTE_LIMIT` characters."""

    text: str


class InputSplitter:
    """Bytes in, keys and pastes out; holds the halves of characters and markers between reads.

    Bytes that are not UTF-8 become U+FFFD. Nothing raises.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._paste: list[str] | None = None
        self._size = 0
        self._held = ""
        """The end of the last read, where it may be the beginning of a paste's start or end."""
        self._last = clock()

    def feed(self, data: bytes) -> Iterator[Keys | Pasted]:
        """What `data` adds, in order."""
        text = self._decode(data)
        silence_s = self._clock() - self._last
        self._last = self._clock()
        if self._paste is not None and text in _GIVE_UP and silence_s >= _PASTE_SILENCE_S:
            text, held, self._held = "", self._held, ""
            yield self._end_paste(held)
        text, self._held = self._held + text, ""
        while text:
            before, marker, text = text.partition(PASTE_START if self._paste is None else PASTE_END)
            if not marker:
                self._held = _possible_start(before, PASTE_START if self._paste is None else PASTE_END)
                before = before[: len(before) - len(self._held)]
            if self._paste is None:
                if before:
                    yield Keys(before)
                if marker:
                    self._paste, self._size = [], 0
            elif marker:
                yield self._end_paste(before)
            else:
                self._keep(before)

    @property
    def holding(self) -> bool:
        """Is there text that may be the beginning of a paste, or may be keys: an Escape, say?"""
        return bool(self._held) and self._paste is None

    def flush(self) -> Iterator[Keys]:
        """What was held, as keys: to be called when nothing has followed it for as long as an escape sequence takes."""
        if self.holding:
            held, self._held = self._held, ""
            yield Keys(held)

    def _keep(self, text: str) -> None:
        if self._paste is not None and text:
            # One more than the limit, so that cleaning marks the cut.
            text = text[: PASTE_LIMIT + 1 - self._size]
            self._paste.append(text)
            self._size += len(text)

    def _end_paste(self, last: str) -> Pasted:
        self._keep(last)
        text = "".join(self._paste or ())
        self._paste = None
        return Pasted(clean_text(text, multiline=True, limit=PASTE_LIMIT))


def _possible_start(text: str, marker: str) -> str:
    """The longest end of `text` that is a beginning of `marker`."""
    for length in range(min(len(text), len(marker) - 1), 0, -1):
        if text.endswith(marker[:length]):
            return text[-length:]
    return ""
