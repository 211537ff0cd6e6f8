"""Machines on a real node exporter: what is shown is the kernel's own word, and a clock that is wrong is named."""

from __future__ import annotations

import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from farmtui.farm.units import data_size, duration, percent
from tests.lab.conftest import Console
from tests.lab.reading import agrees, causes, row, shows, undone
from tests.lab.service import Lab
from tests.lab.services.prometheus import NodeExporter, Prometheus
from tests.terminal.pty_harness import PtySession

LATE_S = 600


@pytest.fixture
def screen(console: Console, prometheus: Prometheus, node_exporters: NodeExporter) -> PtySession:
    """The compute screen."""
    session = console(prometheus, node_exporters, screen="compute", columns=170, lines=40)
    shows(session, "lab-1")
    return session


def test_the_figures_are_the_kernels_own(screen: PtySession) -> None:
    def line() -> str:
        return row(screen, "lab-1", after="machine   ")

    agrees(
        screen,
        "the machine's figures",
        (line, lambda: f" {data_size(meminfo('MemTotal'))} "),
        (line, lambda: f" {percent(1 - meminfo('MemAvailable') / meminfo('MemTotal'))} "),
        (line, lambda: f" {percent(fullest())} "),
        (line, lambda: f" {duration(float(Path('/proc/uptime').read_text(encoding='utf-8').split()[0]))} "),
    )
    screen.send("/lab-1\r")
    shows(screen, "/lab-1 ")
    screen.send("\r")
    shows(screen, re.compile(r"clock offset +0 s"), re.compile(r"load, 1 min +[\d.]+"))


def meminfo(name: str) -> float:
    """Bytes, by the kernel."""
    found = re.search(rf"^{name}: +(\d+) kB", Path("/proc/meminfo").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return float(found[1]) * 1024


def fullest() -> float:
    """The fullest real filesystem's used share, by df."""
    hidden = [f"--exclude-type={kind}" for kind in ("tmpfs", "squashfs", "vfat", "overlay", "ramfs", "devtmpfs")]
    told = subprocess.run(
        ["df", "--output=size,avail", "--block-size=1", "--local", *hidden], capture_output=True, text=True, check=False
    ).stdout.splitlines()[1:]
    return max(1 - int(avail) / int(size) for size, avail in (line.split() for line in told) if int(size))


def test_a_machine_whose_clock_is_wrong(
    screen: PtySession, lab: Lab, prometheus: Prometheus, node_exporters: NodeExporter
) -> None:
    """A real exporter's answer with another time in it: this machine's own clock is not for a test to set."""
    [real] = node_exporters.instances
    with skewed(f"http://{real}/metrics") as at, undone(lambda: lab.unscrape("node", owner="skewed")):
        lab.scrape("node", {at: "late-1"}, owner="skewed")
        causes(screen, "7", "late-1", re.compile(r"its clock is off by (9m 5\ds|10m)"))
        screen.wait_for(lambda: "warn" in row(screen, "late-1", after="machine   "))
    assert prometheus.value('abs(node_timex_offset_seconds{node="lab-1"})') < 1.0, "the kernel's word for both"


@contextmanager
def skewed(url: str) -> Iterator[str]:
    """An exporter that answers as another does, as late-1 and ten minutes behind; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urllib.request.urlopen(url, timeout=5) as answer:
                said = answer.read().decode()
            said = re.sub(
                r"^node_time_seconds .*$", f"node_time_seconds {time.time() - LATE_S}", said, flags=re.MULTILINE
            )
            body = said.replace('nodename="lab-1"', 'nodename="late-1"').encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.1.2", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"127.0.1.2:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


@pytest.mark.parametrize(("shift", "words"), [("+10m", "10m ahead of"), ("-1h", "1h behind")])
def test_the_consoles_own_clock_is_wrong(console: Console, prometheus: Prometheus, shift: str, words: str) -> None:
    """Silences made here would end at the wrong time: said at once, and nothing is taken for old by it."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME": shift,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    screen = console(prometheus, columns=170, environment=faked)
    causes(screen, "1", "this machine.s clock is", f"this machine's clock is {words} Prometheus's", "chronyc tracking")
    assert not re.search(r"stale \d+ ?(min|h)", screen.text), "nothing is as old as the clocks are apart"
