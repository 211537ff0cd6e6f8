"""Real daemons, each in a data folder of its own on loopback, ready before it is handed over."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.ledger import Ledger

READY_S = 30.0


PORTS = range(20_000, 32_768)
"""Below those that the system gives to whoever connects: any of them may be taken before its daemon has started."""
_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now, and that is given once."""
    while True:
        # Not by the seed of the tests' order: two labs would be given the same ports.
        port = random.SystemRandom().choice(PORTS)
        if port not in _given and _is_free(host, port):
            _given.add(port)
            return port


def _is_free(host: str, port: int) -> bool:
    """Whether both kinds of socket can be bound: Alertmanager's gossip wants both."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


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


def listens(host: str, port: int) -> bool:
    """Whether somebody takes a TCP connection there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def get_json(url: str) -> Any:
    """The JSON that a GET gives."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def as_host(host: str, user: str, command: Sequence[str]) -> list[str]:
    """The command as a user of a machine that is called so: the name that it finds is this one."""
    return ["unshare", "--uts", "sh", "-c", _AS_HOST, host, user, *command]


_AS_HOST = 'hostname "$0"; u=$1; shift; exec setpriv --reuid="$u" --regid="$(id -g "$u")" --clear-groups "$@"'


class Daemon:
    """A process that can be stopped, started again and killed; only ever by its own pid.

    It has a session of its own, so that `make lab-up` may leave it running. `ready` says whether it serves; `user` is
    who it runs as (None: whoever starts the lab). Its output is in `FOLDER/NAME.log`.
    """

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        command: Sequence[str],
        folder: Path,
        ready: Callable[[], bool],
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        ready_s: float = READY_S,
        log: Path | None = None,
        hard: bool = False,
    ) -> None:
        """`hard`: only SIGKILL ends it, as is so of the first process of namespaces of its own."""
        self.name = name
        self._ledger = ledger
        self._command = list(command)
        self._folder = folder
        self._ready = ready
        self._user = user
        self._environment = environment
        self._ready_s = ready_s
        self._hard = hard
        self.log = log or folder / f"{name}.log"
        """Where its output goes."""
        self.pid_file = self.log.with_suffix(".pid")
        """Holds the pid of the process that was started last, for what must find it after it was started anew."""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it runs (or is frozen)."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it and wait until it is really ready. Raises RuntimeError with its last words if it ends instead."""
        self.launch()
        wait_until(f"{self.name} ready", self.is_ready, self._ready_s)

    def launch(self) -> None:
        """Start it without waiting: several that become ready together are each asked `is_ready`."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else [],
                env=None if self._environment is None else {**os.environ, **self._environment},
            )
        self._ledger.process(self.name, self.process.pid, hard=self._hard)
        self.pid_file.write_text(str(self.process.pid))

    def is_ready(self) -> bool:
        """Whether it serves. Raises RuntimeError with its last words if it has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{tail}")
        return self._ready()

    def stop(self) -> None:
        """End it as an operator would, and by force if it does not end."""
        if self.process is None or self.process.poll() is not None:
            return
        if self._hard:
            self.kill()
            return
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL: what a crash, the OOM killer or a power cut looks like."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """It is there and says nothing: connections are taken and never answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.kill(self.pid, signal.SIGCONT)
