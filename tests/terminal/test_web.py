"""The console as textual-serve runs it: its packets, through the same cell diff."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.terminal.emulator import Emulator, Feed, cells, difference
from tests.terminal.probe import load_cells
from tests.terminal.pty_harness import ROOT


class Browser:
    """The server's end of an app: packets in and out, and the browser's terminal."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.into: IO[bytes] = process.stdin
        self.out: IO[bytes] = process.stdout
        # As little as the system has: a browser that takes nothing is felt soon.
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        self.screen = Emulator(90, 26)
        self._feed = Feed(self.screen)
        self.sent = 0

    def packet(self) -> tuple[bytes, bytes]:
        """The next packet: its kind and what it carries. Raises AssertionError at the end."""
        kind = self.out.read(1)
        assert kind, "the app has ended"
        size = int.from_bytes(self.out.read(4), "big")
        payload = self.out.read(size)
        if kind == b"D":
            self.sent += len(payload)
            self._feed(payload)
        return kind, payload

    def send(self, kind: bytes, payload: bytes) -> None:
        """Send the app a packet."""
        self.into.write(kind + len(payload).to_bytes(4, "big") + payload)
        self.into.flush()

    def meta(self, **values: Any) -> None:
        """Send the app a message of the server."""
        self.send(b"M", json.dumps(values).encode())

    @property
    def text(self) -> str:
        """What the browser shows."""
        return "\n".join("".join(cell.text for cell in row) for row in cells(self.screen))

    def read_until(self, text: str) -> None:
        """Read packets until the browser shows `text`."""
        while text not in self.text:
            self.packet()


@contextmanager
def served(report: Path, *arguments: str) -> Iterator[Browser]:
    """The tour in a browser of 90 by 26 cells."""
    env = {
        **os.environ,
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM": "xterm-256color",
        "COLUMNS": "90",
        "ROWS": "26",
        "LINES": "26",
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.terminal.tour_app", "--report", str(report), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
    )
    browser = Browser(process)
    try:
        assert browser.out.readline() == b"__GANGLION__\n"
        browser.meta(type="resize", width=90, height=26)
        yield browser
    finally:
        process.kill()
        process.wait()
        browser.into.close()
        browser.out.close()


def test_a_browser_shows_what_textual_renders_in_few_bytes(tmp_path: Path) -> None:
    with served(tmp_path) as browser:
        browser.read_until("step 0.")
        browser.read_until("web漢字node 13")
        browser.send(b"D", b"n")
        browser.read_until("step 1.")
        before = browser.sent
        browser.send(b"D", b"n")
        browser.read_until("step 2.")
        assert browser.sent - before < 1500
        browser.meta(type="resize", width=70, height=20)
        browser.screen.resize(20, 70)
        browser.send(b"D", b"n")
        browser.read_until("step 3.")
        browser.send(b"D", b"e")
        browser.read_until("step 4.")
        browser.send(b"D", b"w")
        while not (tmp_path / "cells-0.json").exists():
            time.sleep(0.02)
        browser.send(b"D", b"q")
        while browser.packet()[0] != b"M":
            pass
        assert browser.process.wait(30) == 0
        assert not difference(cells(browser.screen), load_cells(tmp_path / "cells-0.json"))


def test_a_browser_that_takes_nothing_does_not_stop_the_app(tmp_path: Path) -> None:
    with served(tmp_path, "--flood") as browser:
        browser.read_until("moment")
        # Nothing is read for as long as this takes.
        while not (tmp_path / "moment-200").exists():
            assert browser.process.poll() is None
            time.sleep(0.02)
        (tmp_path / "stop").touch()
        browser.send(b"D", b"q")
        while browser.packet()[0] != b"M":
            pass
        assert browser.process.wait(30) == 0
    assert json.loads((tmp_path / "end.json").read_text())["dropped"] > 50
