"""A Python program on a pseudo terminal: keys in, bytes out through an emulator, signals, and a reader that stops.

    with PtySession(["-m", "farmtui", "demo"], columns=120, lines=40) as session:
        session.wait_for("overview")
        session.send("2")
        session.wait_for(lambda: "topology" in session.text)
        assert session.finish("q") == 0

Nothing is read from the terminal except inside `pump`, `wait_for` and `finish`: to do nothing is a reader that has
stopped. Deadlines only end a test that has failed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pyte

from tests.terminal.emulator import Cell, Emulator, Feed, Widths, as_textual, cells

ROOT: Final = Path(__file__).parents[2]
DEADLINE_S: Final = 40.0

SYNC_QUERY: Final = b"\x1b[?2026$p"
SYNC_REPLY: Final = b"\x1b[?2026;2$y"


class PtySession:
    """`python *arguments` with a terminal of its own as its controlling terminal.

    `screen` is what the terminal shows, `raw` each byte that was read. With `sync` the terminal answers that it knows
    synchronized output. `environment` is added to a bare one (no COLORTERM, no multiplexer, a HOME that is gone with
    the session). Without `controlling`, or with `deaf_to_hangup`, the program gets no SIGHUP when the terminal goes;
    with `nobody_types` its standard input is /dev/null. `program` runs in place of this Python, in `folder` in place
    of the working folder.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        term: str = "xterm-256color",
        environment: Mapping[str, str] | None = None,
        sync: bool = False,
        widths: Widths = as_textual,
        screen: pyte.Screen | None = None,
        controlling: bool = True,
        deaf_to_hangup: bool = False,
        nobody_types: bool = False,
        program: str | Path = sys.executable,
        folder: Path | None = None,
    ) -> None:
        self.screen = screen or Emulator(columns, lines, widths)
        self._feed = Feed(self.screen)
        self.raw = bytearray()
        self._answered = 0
        self._sync = sync
        self._home = tempfile.TemporaryDirectory(prefix="farmtui-home-", ignore_cleanup_errors=True)
        self.master, slave = os.openpty()
        self._set_size(columns, lines)
        env = {
            "TERM": term,
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "HOME": self._home.name,
            "PYTHONPATH": str(ROOT),
            "TEXTUAL_ANIMATIONS": "none",
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            **(environment or {}),
        }

        def prepare() -> None:
            if controlling:
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            # Said either way: tests that run under nohup would hand their own deafness on.
            signal.signal(signal.SIGHUP, signal.SIG_IGN if deaf_to_hangup else signal.SIG_DFL)

        self.process = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL if nobody_types else slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
            preexec_fn=prepare,
        )
        os.close(slave)

    def __enter__(self) -> PtySession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()
        self._home.cleanup()

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    # In.

    def send(self, data: str | bytes) -> None:
        """Type `data`. Blocks if the program does not read, as a terminal does."""
        rest = data.encode() if isinstance(data, str) else data
        while rest:
            _, writable, _ = select.select([], [self.master], [], 0.05)
            if writable:
                rest = rest[os.write(self.master, rest[:512]) :]
            else:
                self.pump(0.0)  # a program that waits for us to read would never read from us

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size; what it shows is cut or filled up, and the program gets a SIGWINCH."""
        self.screen.resize(lines, columns)
        self._set_size(columns, lines)

    def kill(self, signum: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(signum)

    def hang_up(self) -> None:
        """Close the terminal's end: the connection is lost."""
        if self.master >= 0:
            with contextlib.suppress(OSError):
                os.close(self.master)
            self.master = -1

    # Out.

    @property
    def text(self) -> str:
        """What the terminal shows, without styles."""
        return "\n".join("".join(cell.text for cell in row).rstrip() for row in cells(self.screen))

    @property
    def cells(self) -> list[list[Cell]]:
        """What the terminal shows."""
        return cells(self.screen)

    def pump(self, seconds: float) -> int:
        """Read what comes for so long; the number of bytes. 0.0 reads what is there."""
        count = 0
        until = time.monotonic() + seconds
        while True:
            left = max(until - time.monotonic(), 0.0)
            if not select.select([self.master], [], [], left)[0]:
                return count
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return count  # the program has closed its end
            if not data:
                return count
            count += len(data)
            self._take(data)

    def wait_for_bytes(self, wanted: bytes, deadline_s: float = DEADLINE_S) -> float:
        """Read until these bytes come (any at all, if empty), and give the moment: `time.perf_counter()`.

        The emulator takes what was read after that moment: it is slow, and no part of what is measured.
        Raises AssertionError if the program ends or the deadline passes before.
        """
        until = time.monotonic() + deadline_s
        read = b""
        while not read or wanted not in read:
            if not select.select([self.master], [], [], max(until - time.monotonic(), 0.0))[0]:
                raise AssertionError(f"{wanted!r} did not come in {deadline_s} s")
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"ended before {wanted!r}: {read[-2000:]!r}")
            read += data
            self._answer(read)
        at = time.perf_counter()
        self._take(read)
        return at

    def _answer(self, data: bytes) -> None:
        """Answer what the program asks of its terminal, in what was read since the emulator last took something."""
        asked = (self.raw + data).count(SYNC_QUERY)
        if self._sync and asked > self._answered:
            os.write(self.master, SYNC_REPLY * (asked - self._answered))
        self._answered = asked

    def _take(self, data: bytes) -> None:
        self._answer(data)
        self.raw += data
        self._feed(data)

    def wait_for(self, wanted: str | Callable[[], Any], deadline_s: float = DEADLINE_S) -> None:
        """Read until a text is on the screen, or a condition holds.

        Raises AssertionError, with the screen, if the program ends or the deadline passes before.
        """
        until = time.monotonic() + deadline_s
        while not (wanted in self.text if isinstance(wanted, str) else wanted()):
            ended = self.process.poll() is not None
            read = self.pump(0.05)
            if ended and not read:
                raise AssertionError(f"ended with {self.process.returncode} before {wanted!r}:\n{self.text}")
            if time.monotonic() > until:
                raise AssertionError(f"{wanted!r} did not come in {deadline_s} s:\n{self.text}")

    def finish(self, keys: str | bytes = b"", deadline_s: float = DEADLINE_S) -> int:
        """Type `keys`, read until the program has ended, and return its exit status (-n after signal n)."""
        if keys:
            self.send(keys)
        until = time.monotonic() + deadline_s
        while self.process.poll() is None:
            if self.master >= 0:
                self.pump(0.05)
            else:
                time.sleep(0.02)
            if time.monotonic() > until:
                raise AssertionError(f"did not end in {deadline_s} s:\n{self.text}")
        if self.master >= 0:
            self.pump(0.0)
        return self.process.returncode

    @property
    def stopped(self) -> bool:
        """Is the process stopped, as by Ctrl+Z?"""
        return self._stat()[0] == "T"

    def cpu_s(self) -> float:
        """Seconds of processor time that the program has used."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _stat(self) -> list[str]:
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
