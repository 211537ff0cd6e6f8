"""Real daemons, each in a data folder of its own on a free loopback port, ready before it is handed over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

READY_S = 30.0


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: str, ready: Callable[[], bool], deadline_s: float = READY_S) -> None:
    """Wait until something is so. Raises TimeoutError that names it; the deadline only ends a test that has failed."""
    until = time.monotonic() + deadline_s
    while not ready():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not so after {deadline_s:.0f} s")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a GET gives 200."""
    with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def get_json(url: str) -> Any:
    """The JSON that a GET gives."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class Daemon:
    """A process that can be stopped, started again and killed; only ever by its own pid."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, ready_url: str) -> None:
        self.name = name
        self._command = list(command)
        self._folder = folder
        self._ready_url = ready_url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is really ready."""
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(f"{self.name} ready", self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            tail = (self._folder / f"{self.name}.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{tail}")
        return answers(self._ready_url)

    def stop(self) -> None:
        """End it as an operator would, and by force if it does not end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """It is there and says nothing: connections are taken and never answered."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)


def prometheus(folder: Path, config: str, port: int) -> Daemon:
    """A Prometheus with this config; its data folder is `folder/data`, which may hold back-filled blocks."""
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    command = [
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=30d",
        "--storage.tsdb.allow-overlapping-blocks",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=2s",
        "--web.enable-lifecycle",
    ]
    return Daemon("prometheus", command, folder, f"http://127.0.0.1:{port}/-/ready")


def alertmanager(folder: Path, config: str, port: int, cluster_port: int, peers: Sequence[int] = ()) -> Daemon:
    """An Alertmanager with this config, in a cluster with its peers' cluster ports."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
    command = [
        "prometheus-alertmanager",
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--cluster.listen-address=127.0.0.1:{cluster_port}",
        "--cluster.gossip-interval=100ms",
        "--cluster.settle-timeout=2s",
        *(f"--cluster.peer=127.0.0.1:{peer}" for peer in peers),
    ]
    return Daemon(f"alertmanager-{port}", command, folder, f"http://127.0.0.1:{port}/-/ready")


def backfill(folder: Path, openmetrics: str) -> None:
    """Write history into the data folder of a Prometheus that is not running yet."""
    path = folder / "history.om"
    path.write_text(openmetrics + "# EOF\n", encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=168h", str(path), "data"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    path.unlink()
