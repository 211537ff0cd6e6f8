"""Two hundred machines for a bench: real sshds on so many loopback addresses, with keys and a config of their own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HOSTS = 200
EACH = 16
"""Addresses that one sshd can listen on."""
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class SshFarm:
    """The machines are called h000, h001, ...; each is an address of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = [f"h{number:03d}" for number in range(HOSTS)]
        self.addresses = [f"127.8.0.{number + 1}" for number in range(HOSTS)]
        self.user = getpass.getuser()
        with socket.socket() as probe:
            probe.bind(("127.8.0.1", 0))
            self.port = int(probe.getsockname()[1])
        for name in ("host", "client"):
            self._run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        self.key, self.known_hosts, self.config = folder / "client", folder / "known_hosts", folder / "config"
        public = (folder / "host.pub").read_text()
        self.known_hosts.write_text("".join(f"[{address}]:{self.port} {public}" for address in self.addresses))
        self.config.write_text(
            "".join(
                f"Host {name}\n  HostName {address}\n  Port {self.port}\n  User {self.user}\n"
                f"  IdentityFile {self.key}\n  UserKnownHostsFile {self.known_hosts}\n"
                for name, address in zip(self.names, self.addresses, strict=True)
            )
        )
        shutil.copy(folder / "client.pub", folder / "authorized_keys")

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """While the block runs."""
        with contextlib.suppress(OSError):
            Path("/run/sshd").mkdir()
        assert SSHD is not None
        with contextlib.ExitStack() as stack:
            for start in range(0, HOSTS, EACH):
                addresses = self.addresses[start : start + EACH]
                file = self.folder / f"sshd-{start}"
                listen = "".join(f"ListenAddress {address}:{self.port}\n" for address in addresses)
                file.write_text(
                    f"{listen}HostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/authorized_keys\nUsePAM no\n"
                    "StrictModes no\nPidFile none\nMaxStartups 1000\nPasswordAuthentication no\n"
                )
                daemon = stack.enter_context(subprocess.Popen([SSHD, "-D", "-f", str(file)]))
                stack.callback(daemon.terminate)
                self._wait(daemon, addresses[-1])
            yield

    def _wait(self, daemon: subprocess.Popen[bytes], address: str) -> None:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection((address, self.port)):
                return
            assert daemon.poll() is None
            time.sleep(0.05)
        raise TimeoutError("sshd does not listen")

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, cwd=self.folder, stdin=subprocess.DEVNULL)
