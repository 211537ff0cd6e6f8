"""Reading a terminal in the event loop: bytes to keys and pastes, escape sequences given up in time, and its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from farmtui.term.keyboard import InputSplitter, Keys, Pasted

__all__ = ["KeyParser", "Reader"]

_READ: int = 65536

Message = TypeVar("Message", covariant=True)
Delivered = TypeVar("Delivered")


class KeyParser(Protocol[Message]):
    """Turns characters into messages."""

    def feed(self, data: str) -> Iterable[Message]:
        """What `data` completes."""

    def expire(self) -> Iterable[Message]:
        """What a sequence stands for that is not going to be completed."""

    @property
    def pending(self) -> bool:
        """Is a sequence begun and not ended?"""


class Reader(Generic[Delivered]):
    """Reads `fd` between `start` and `stop`; gives the messages of keys, and those made of pastes, to `deliver`.

    An escape sequence that is not complete after `escape_s` seconds is taken for keys. `on_gone` is called once if a
    terminal ends, by an error or the end of its input. The end of anything else (a file, a pipe, /dev/null) only means
    that nobody types, as before a wall display.
    """

    def __init__(
        self,
        fd: int,
        parser: KeyParser[Delivered],
        paste: Callable[[str], Delivered],
        deliver: Callable[[Delivered], None],
        on_gone: Callable[[], None],
        escape_s: float,
    ) -> None:
        self._fd = fd
        self._is_terminal = os.isatty(fd)
        self._parser = parser
        self._paste = paste
        self._deliver = deliver
        self._on_gone = on_gone
        self._escape_s = escape_s
        self._splitter = InputSplitter()
        self._loop = asyncio.get_running_loop()
        self._expiry: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to read, or go on."""
        try:
            self._loop.add_reader(self._fd, self._readable)
        except (OSError, ValueError):
            return  # a file, which is never waited for, or closed

    def stop(self) -> None:
        """Read no more for now."""
        self._loop.remove_reader(self._fd)
        self._cancel_expiry()

    def _cancel_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.stop()
            if self._is_terminal:
                self._on_gone()
            return
        for item in self._splitter.feed(data):
            if isinstance(item, Pasted):
                self._deliver(self._paste(item.text))
            else:
                self._type(item)
        self._cancel_expiry()
        if self._parser.pending or self._splitter.holding:
            self._expiry = self._loop.call_later(self._escape_s, self._expire)

    def _type(self, keys: Keys) -> None:
        for message in self._parser.feed(keys.text):
            self._deliver(message)

    def _expire(self) -> None:
        self._expiry = None
        for keys in self._splitter.flush():
            self._type(keys)
        for message in self._parser.expire():
            self._deliver(message)
