"""The signals of a process on a terminal, brought into the event loop, and an end that comes once and does come."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

__all__ = ["Farewell", "Reactions", "TerminalSignals"]

IMPATIENCE_S: Final = 2.0
"""A SIGTERM this long after the first means it: the process ends without a farewell."""

LAST_RESORT_S: Final = 20.0
"""An app that has not ended this long after it was told to is ended: nobody is there to do it."""


@dataclass(frozen=True)
class Reactions:
    """What to do at each signal, in the event loop."""

    resized: Callable[[], None]
    stop: Callable[[], None]
    """SIGTSTP: give the terminal back and stop the process."""
    continued: Callable[[], None]
    end: Callable[[signal.Signals], None]
    """SIGHUP and SIGTERM."""
    lent: Callable[[], bool]
    """Has another program the terminal? The process then stops at once: the shell waits for both."""


class TerminalSignals:
    """The handlers, from creation until `restore`; none outside the main thread, or where a signal is ignored.

    A handler may run in the middle of anything, so it only asks `post` to have the loop react.
    """

    def __init__(self, reactions: Reactions, post: Callable[[Callable[[], None]], None]) -> None:
        self._reactions = reactions
        self._post = post
        self._before: dict[signal.Signals, Any] = {}
        self._hung_up = False
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT, signal.SIGHUP, signal.SIGTERM):
                if signal.getsignal(signum) is not signal.SIG_IGN:
                    self._before[signum] = signal.signal(signum, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        signum = signal.Signals(number)
        self._hung_up = self._hung_up or signum in {signal.SIGHUP, signal.SIGTERM}
        if signum in {signal.SIGHUP, signal.SIGTERM}:
            self._post(lambda: self._reactions.end(signum))
        elif signum == signal.SIGWINCH:
            self._post(self._reactions.resized)
        elif signum == signal.SIGCONT:
            self._post(self._reactions.continued)
        elif self._reactions.lent():
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            self._post(self._reactions.stop)

    def restore(self) -> None:
        """Have signals do again what they did before; a hang-up is heard no more once one has been answered.

        A lost connection gives several: the next one would kill the process in the middle of its farewell.
        """
        for signum, handler in self._before.items():
            signal.signal(signum, signal.SIG_IGN if self._hung_up and signum == signal.SIGHUP else handler)
        self._before.clear()


class Farewell:
    """Tells the app once to end, however often and by whatever it was caused.

    A lost connection gives several SIGHUPs, and `timeout` two SIGTERMs at a time. A later SIGTERM ends the process at
    once, after `give_back`; so does `LAST_RESORT_S` without an end, in case the app's own shutdown hangs.
    """

    def __init__(self, tell: Callable[[signal.Signals], None], give_back: Callable[[], None]) -> None:
        self._tell = tell
        self._give_back = give_back
        self._told_at_s: float | None = None
        self._last_resort: threading.Timer | None = None

    def end(self, signum: signal.Signals) -> None:
        """End, with exit status 128 + `signum` where the app does not choose it."""
        now_s = time.monotonic()
        if self._told_at_s is None:
            self._told_at_s = now_s
            self._last_resort = threading.Timer(LAST_RESORT_S, os._exit, (128 + signum,))
            self._last_resort.daemon = True
            self._last_resort.start()
            self._tell(signum)
        elif signum == signal.SIGTERM and now_s - self._told_at_s > IMPATIENCE_S:
            self._give_back()
            os._exit(128 + signum)

    def ended(self) -> None:
        """The app has ended: nothing is left to be forced."""
        if self._last_resort is not None:
            self._last_resort.cancel()
