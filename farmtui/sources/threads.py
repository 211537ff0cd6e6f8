"""A few threads for client libraries that block, bounded, each call with a hard deadline.

Not `concurrent.futures`: its threads are joined when the process ends, so one hung call would hold the console's exit
for as long as it hangs. These are daemons. A call that is given up goes on in its thread until its own socket timeout
ends it; until then the pool has one thread less, and the loop never waits for it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Call(Generic[T]):
    """One call on its way through the pool."""

    def __init__(self, function: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.function = function
        self.loop = loop
        self.result: asyncio.Future[T] = loop.create_future()
        self.given_up = False

    def run(self) -> Callable[[], None] | None:
        """Make the call; what is returned gives its outcome to the one who waits."""
        if self.given_up:
            return None
        try:
            value = self.function()
        except BaseException as caught:  # noqa: BLE001 - whatever it is belongs to the one who waits
            error = caught
            return lambda: self._fail(error)
        return lambda: self._succeed(value)

    def tell(self, outcome: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(outcome)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            return

    def _succeed(self, value: T) -> None:
        if not self.result.done():
            self.result.set_result(value)

    def _fail(self, error: BaseException) -> None:
        if self.result.done():
            return
        if isinstance(error, StopIteration):
            # A future refuses this one.
            error = RuntimeError("the call raised StopIteration")
        self.result.set_exception(error)


class CallPool:
    """At most `size` daemon threads, started as they are needed, for calls that block."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._calls: queue.SimpleQueue[_Call[Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._unfinished = 0
        self._closed = False

    @property
    def busy(self) -> int:
        """Calls that run or wait for a thread, those that nobody waits for any more among them."""
        return self._unfinished

    async def run(self, function: Callable[[], T], deadline_s: float) -> T:
        """What `function` returns or raises, from another thread. Raises TimeoutError after `deadline_s`.

        A call that has no thread by then is never made. Cancelling the caller is giving up, too.
        """
        call = _Call(function, asyncio.get_running_loop())
        self._put(call)
        try:
            async with asyncio.timeout(deadline_s):
                return await call.result
        finally:
            call.given_up = True

    def _put(self, call: _Call[Any]) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._unfinished += 1
            self._calls.put(call)
            if self._threads < min(self._size, self._unfinished):
                self._threads += 1
                name = f"{self._name}-{self._threads}"
                threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            outcome = call.run()
            with self._lock:
                self._unfinished -= 1
            if outcome is not None:
                call.tell(outcome)
            # An idle thread keeps no answer alive.
            del call, outcome

    def close(self) -> None:
        """Let the threads end when their calls have; may be called more than once."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for _ in range(self._threads):
                    self._calls.put(None)
