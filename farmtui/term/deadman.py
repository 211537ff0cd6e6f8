"""Says so on the terminal when the program that paints it stands still: it cannot do that itself.

A process of its own shares the terminal and waits for beats on a pipe. Without one for `LATE_S` it writes a red band
over the picture, with the seconds that pass; the program, once it goes on, paints everything anew. `python -m
farmtui.term.deadman` is that process, `beating` starts it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from farmtui.term.letters import columns_of, enlarged

LATE_S: Final = 3.5
"""A beat comes each second; a terminal over a slow line may delay one."""
END: Final = b"q"
_ASCII_TERMS: Final = ("linux", "vt100", "vt102", "vt220", "ansi")


@contextlib.contextmanager
def beating() -> Iterator[Callable[[], None]]:
    """Watched while the block runs: it calls what it gets at least once a second. It must not raise, nor block."""
    out = next((fd for fd in (2, 1) if os.isatty(fd)), None)
    if out is None:
        yield lambda: None
        return
    receive, send = os.pipe()
    os.set_blocking(send, False)
    watcher = subprocess.Popen(
        [sys.executable, "-m", "farmtui.term.deadman"], stdin=receive, stdout=out, stderr=subprocess.DEVNULL
    )
    os.close(receive)

    def beat() -> None:
        # A watcher that is gone, or reads nothing: the wall goes on without.
        with contextlib.suppress(OSError):
            os.write(send, b".")

    try:
        yield beat
    finally:
        with contextlib.suppress(OSError):
            os.write(send, END)
        os.close(send)
        try:
            watcher.wait(2.0)
        except subprocess.TimeoutExpired:
            watcher.kill()
            watcher.wait()


def band(word: str, words: str, columns: int, lines: int, *, colours: bool = True, ascii_only: bool = False) -> str:
    """A red band across the middle of a terminal, as what is written to it."""
    scales = [scale for scale in range(8, 0, -1) if not (ascii_only and scale == 1)]
    scale = next((s for s in scales if columns_of(word, s) <= columns - 4 and 5 * s // 2 + 4 <= lines), 0)
    big = enlarged(word, scale, "#" if ascii_only else "") if scale else (word,)
    block = ["", *big, "", words, ""]
    top = max(0, (lines - len(block)) // 2)
    # CAN ends whatever sequence the program was stopped in.
    parts = ["\x18\x1b7", "\x1b[0;1;37;41m" if colours else "\x1b[0;1;7m"]
    for number, text in enumerate(block[: lines - top]):
        parts.append(f"\x1b[{top + number + 1};1H{text[:columns].center(columns)}")
    return "".join((*parts, "\x1b[0m\x1b8"))


class Watch:
    """What is known of the beats; the time is told."""

    def __init__(self, now_s: float) -> None:
        self._last_s = now_s
        self._begun = False
        self.ended = False

    def heard(self, data: bytes, now_s: float) -> None:
        """Something came over the pipe; nothing is its end, and without a farewell that is a death."""
        if END in data:
            self.ended = True
        elif data:
            self._last_s, self._begun = now_s, True

    def silent_s(self, now_s: float) -> float:
        """For how long there has been no beat; 0 while one is not yet late, or none has ever come."""
        silent_s = now_s - self._last_s
        return silent_s if self._begun and silent_s > LATE_S else 0.0


def main() -> int:
    """Watch until the farewell, or until the other end of the pipe is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where the program led its session, its death is a hangup for all of it; its end is told by the pipe.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ours = False
    watch = Watch(time.monotonic())
    last = datetime.now().astimezone()
    while True:
        readable, _, _ = select.select([0], [], [], 0.5)
        if readable:
            data = os.read(0, 4096)
            watch.heard(data, time.monotonic())
            if watch.ended:
                return 0
            if not data:
                # By now a shell may have taken the terminal back, or nobody has it: the dead wall's picture is on it.
                if ours:
                    _paint("ENDED", f"this wall ended at {last:%H:%M:%S}; nothing here is of now")
                return 1
            last = datetime.now().astimezone()
        ours = _is_ours()
        silent_s = watch.silent_s(time.monotonic())
        if not readable and silent_s and ours:
            _paint("FROZEN", f"since {last:%H:%M:%S}, {silent_s:.0f} s; nothing here is of now")


def _is_ours() -> bool:
    """Whether the terminal is the wall's: while it is stopped a shell may have it."""
    try:
        return os.tcgetpgrp(1) == os.getpgrp()
    except OSError:
        return False


def _paint(word: str, words: str) -> None:
    with contextlib.suppress(OSError):
        columns, lines = os.get_terminal_size(1)
        plain = os.environ.get("TERM", "") in _ASCII_TERMS or os.environ.get("FARMTUI_ASCII") == "1"
        colours = not os.environ.get("NO_COLOR")
        os.write(1, band(word, words, columns, lines, colours=colours, ascii_only=plain).encode())


if __name__ == "__main__":
    sys.exit(main())
