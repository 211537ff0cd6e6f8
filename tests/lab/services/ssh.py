"""sshd on many addresses, a bastion with a host that only it can reach, authorities for hosts and users, an agent."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.daemons import Daemon, free_port, listens, wait_until
from tests.lab.networks import entering
from tests.lab.service import Lab, Service

NETNS = "farmtui-inner"


@dataclass
class SshHost:
    """One sshd; `name` is what ssh_config calls it."""

    name: str
    address: str
    port: int
    daemon: Daemon
    key: Path
    """Its private host key."""

    @property
    def place(self) -> str:
        """As known_hosts writes it."""
        return f"[{self.address}]:{self.port}"


class SshHosts(Service):
    """The machines that can be logged in to, and what a client needs for it.

    `plain` is known by its key, `signed` by its authority; `bastion` leads to `inner`, which listens where nothing else
    of this machine can reach it. More are added by `add`.
    """

    name: ClassVar[str] = "ssh"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.hosts: dict[str, SshHost] = {}
        self.key = self.folder / "id_ed25519"
        self.known_hosts = self.folder / "known_hosts"
        self.ssh_config = self.folder / "ssh_config"
        self.agent_socket = self.folder / "agent.sock"
        self.agent = Daemon(
            lab.ledger,
            "ssh-agent",
            ["ssh-agent", "-D", "-a", str(self.agent_socket)],
            self.folder,
            self.agent_socket.exists,
        )
        self.inner_port = 0

    def start(self) -> None:
        """Keys, authorities, the agent, four hosts."""
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("id_ed25519", "id_signed", "id_agent", "host_ca", "user_ca"):
            self._keygen(self.folder / name)
        self._run("ssh-keygen", "-q", "-s", "user_ca", "-I", "lab", "-n", getpass.getuser(), "id_signed.pub")
        keys = [(self.folder / f"{name}.pub").read_text() for name in ("id_ed25519", "id_agent")]
        (self.folder / "authorized_keys").write_text("".join(keys))
        self.known_hosts.touch()
        self.ssh_config.touch()
        self.agent.start()
        self._run("ssh-add", "-q", "id_agent", environment={"SSH_AUTH_SOCK": str(self.agent_socket)})
        self.add("plain")
        self._add_signed()
        self._add_bastion_and_inner()

    def stop(self) -> None:
        """End all of them."""
        for host in self.hosts.values():
            host.daemon.stop()
        self.agent.stop()

    def config(self) -> dict[str, Any]:
        """The console's section: all by files of the lab's own."""
        return {
            "ssh": {
                "user": getpass.getuser(),
                "config_files": [str(self.ssh_config)],
                "known_hosts": [str(self.known_hosts)],
                "identity_files": [str(self.key)],
                "agent": False,
            }
        }

    def add(self, name: str, *, enter: Path | None = None, environment: Mapping[str, str] | None = None) -> SshHost:
        """One more machine. Each command runs with `environment`, in the namespaces of the process whose pid `enter` holds."""
        address = f"127.0.2.{len(self.hosts) + 1}"
        lines = [f"SetEnv {' '.join(f'{k}={v}' for k, v in environment.items())}"] if environment else []
        if enter is not None:
            script = self.folder / f"enter-{name}"
            script.write_text(
                f'#!/bin/sh\nexec {" ".join(entering(f"$(cat {enter})"))} /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
            )
            script.chmod(0o755)
            lines.append(f"ForceCommand {script}")
        host = self._sshd(name, address, free_port(address), lines)
        host.daemon.start()
        self._learn(host, name)
        return host

    def renew_key(self, name: str) -> None:
        """Give a host another key, as a reinstallation does; known_hosts still has the old one."""
        host = self.hosts[name]
        host.daemon.stop()
        self._keygen(host.key)
        host.daemon.start()

    def forget_and_learn(self, name: str) -> None:
        """What the console's remedy says, after somebody has compared the keys."""
        self._run("ssh-keygen", "-q", "-R", self.hosts[name].place, "-f", str(self.known_hosts))
        self._trust(self.hosts[name])

    # -- inside ---------------------------------------------------------------------------------

    def _sshd(self, name: str, address: str, port: int, lines: list[str], prefix: tuple[str, ...] = ()) -> SshHost:
        key = self.folder / f"host_{name}"
        self._keygen(key)
        config = self.folder / f"sshd_{name}"
        config.write_text(
            "\n".join(
                [
                    f"ListenAddress {address}:{port}",
                    f"HostKey {key}",
                    f"AuthorizedKeysFile {self.folder}/authorized_keys",
                    f"TrustedUserCAKeys {self.folder}/user_ca.pub",
                    "PermitRootLogin prohibit-password",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "UsePAM no",
                    "StrictModes no",
                    "PidFile none",
                    "MaxStartups 200:30:400",
                    "LogLevel VERBOSE",
                    *lines,
                    "",
                ]
            )
        )
        command = [*prefix, "/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
        daemon = Daemon(self.lab.ledger, f"sshd-{name}", command, self.folder, lambda: listens(address, port))
        self.hosts[name] = SshHost(name, address, port, daemon, key)
        return self.hosts[name]

    def _add_signed(self) -> None:
        address = "127.0.2.2"
        host = self._sshd(
            "signed", address, free_port(address), [f"HostCertificate {self.folder}/host_signed-cert.pub"]
        )
        self._run("ssh-keygen", "-q", "-s", "host_ca", "-I", "signed", "-h", "-n", address, "host_signed.pub")
        host.daemon.start()
        authority = (self.folder / "host_ca.pub").read_text()
        with self.known_hosts.open("a") as file:
            file.write(f"@cert-authority {host.place} {authority}")
        self._describe(host, "signed")

    def _add_bastion_and_inner(self) -> None:
        """`inner` listens on the loopback of a namespace in which the bastion's sessions run, and nothing else."""
        netns = f"{NETNS}-{os.getpid()}"
        self.lab.ledger.netns(netns)
        self._run("ip", "netns", "add", netns)
        self._run("ip", "-n", netns, "link", "set", "lo", "up")
        inside = ("nsenter", f"--net=/run/netns/{netns}")
        inner = self._sshd("inner", "127.0.0.1", 2222, [], inside)
        inner.daemon.launch()
        address = "127.0.2.3"
        port = free_port(address)
        bastion = self._sshd("bastion", address, port, [])
        session = f"{' '.join(inside)} /usr/sbin/sshd -i -e -f {self.folder}/sshd_bastion"
        bastion.daemon = Daemon(
            self.lab.ledger,
            "bastion",
            ["socat", f"TCP-LISTEN:{port},bind={address},fork,reuseaddr", f"EXEC:{session},nofork"],
            self.folder,
            lambda: listens(address, port),
        )
        bastion.daemon.start()
        probe = [*inside, "socat", "-u", "/dev/null", "TCP:127.0.0.1:2222"]
        wait_until("inner ready", lambda: subprocess.run(probe, capture_output=True, check=False).returncode == 0)
        self._learn(bastion, "bastion")
        self._learn(inner, "inner", "ProxyJump bastion")

    def _learn(self, host: SshHost, name: str, *lines: str) -> None:
        self._trust(host)
        self._describe(host, name, *lines)

    def _trust(self, host: SshHost) -> None:
        with self.known_hosts.open("a") as file:
            file.write(f"{host.place} {host.key.with_suffix('.pub').read_text()}")

    def _describe(self, host: SshHost, name: str, *lines: str) -> None:
        with self.ssh_config.open("a") as file:
            file.write(f"Host {name}\n  HostName {host.address}\n  Port {host.port}\n")
            file.writelines(f"  {line}\n" for line in lines)

    def _keygen(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path))

    def _run(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
