"""Bytes to a terminal from a thread of their own, so that one that stops reading stops nothing else."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Outlet"]

_CHUNK: Final = 16384
"""Bytes of one write: small enough that a slow line shows progress while the outlet closes."""


class Outlet:
    """An ordered queue of bytes to a file descriptor; what was submitted first is written first, and all of it.

    `on_drained` is called from the writing thread each time everything submitted is written, and `on_lost` once, with
    the error, when the terminal is gone: from then on whatever is submitted is thrown away.
    """

    def __init__(self, fd: int, on_drained: Callable[[], None], on_lost: Callable[[OSError], None]) -> None:
        self._fd = fd
        self._on_drained = on_drained
        self._on_lost = on_lost
        self._queue: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._writing = False
        self._closing = False
        self._lost = False
        self._abandoned = False
        self.written = 0
        """Bytes that the terminal has taken."""
        self._thread = threading.Thread(target=self._run, name="farmtui-output", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Is everything written that was submitted?"""
        with self._changed:
            return not self._queue and not self._writing

    def submit(self, data: bytes) -> None:
        """Have `data` written after all that was submitted before. Never blocks."""
        with self._changed:
            if data and not self._lost and not self._closing:
                self._queue.append(data)
                self._changed.notify_all()

    def close(self, patience_s: float = 2.0) -> bool:
        """Write what is queued and end the thread; was all of it written?

        Waits as long as the terminal takes anything at all, and gives up when it has taken nothing for `patience_s`
        seconds: the thread is then left behind, as a write that hangs cannot be called back.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        written = -1
        while self._thread.is_alive() and written != self.written:
            written = self.written
            self._thread.join(patience_s)
        with self._changed:
            left = bool(self._queue) or self._writing
            self._queue.clear()
            self._abandoned = left
        return not left and not self._lost

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._write(data)
            except OSError as error:
                with self._changed:
                    self._lost = True
                    self._writing = False
                    self._queue.clear()
                self._on_lost(error)
                return
            with self._changed:
                self._writing = False
                drained = not self._queue
            if drained:
                self._on_drained()

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._queue:
                if self._closing:
                    return None
                self._changed.wait()
            self._writing = True
            return self._queue.popleft()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._abandoned:
            try:
                count = os.write(self._fd, rest[:_CHUNK])
            except BlockingIOError:
                # Whoever shares this terminal has made it non-blocking.
                poll = select.poll()
                poll.register(self._fd, select.POLLOUT)
                poll.poll()
                continue
            self.written += count
            rest = rest[count:]
