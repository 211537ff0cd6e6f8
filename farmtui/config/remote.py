"""The config's sections for what is asked on the machines themselves: SSH, and the sources that need it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from farmtui.config.fields import ConfigPath, Seconds, Section


def _ssh_host(value: str) -> str:
    """A host as ssh_config knows it: an alias, a name or an address; the login and the port are ssh's business."""
    if not value or not value.isprintable() or value.startswith("-") or any(c in value for c in " \t/@,;'\"\\"):
        raise ValueError("must be a host as ssh knows it: an alias of ssh_config, a name or an address, without user@")
    return value


SshHost = Annotated[str, AfterValidator(_ssh_host)]


class SshConfig(Section):
    """How the console logs in to machines. Host keys are always verified; there is no switch for that."""

    user: str | None = None
    """The user to log in as; unset: what ssh_config says, else the one who runs the console."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """The port; unset: what ssh_config says, else 22."""
    config_files: list[ConfigPath] | None = None
    """ssh_config files to read (HostName, User, Port, ProxyJump, IdentityFile, ...); unset: ~/.ssh/config if it is
    there; an empty list: none."""
    known_hosts: list[ConfigPath] | None = None
    """known_hosts files to verify host keys and host certificates by; unset: ~/.ssh/known_hosts and
    /etc/ssh/ssh_known_hosts."""
    identity_files: list[ConfigPath] | None = None
    """Private keys to log in with (their certificates beside them, as KEY-cert.pub); unset: what ssh_config says,
    else ssh's usual ones."""
    agent: bool = True
    """Use the keys of the ssh-agent at $SSH_AUTH_SOCK, if there is one."""
    jump: SshHost | None = None
    """A bastion to go through for every host for which ssh_config names no ProxyJump."""
    connect_timeout_s: Seconds = 10.0
    """Seconds for connecting and logging in, for each hop."""
    keepalive_s: Seconds = 15.0
    """Seconds between keepalives; three without an answer end the connection."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """Logins under way at once, and as many through one bastion."""


class LogsConfig(Section):
    """Logs of machines and services (`l`), read over SSH. Whoever may look at the console may read them."""

    when_read_only: bool = True
    """Whether a console that may change nothing, in a browser too, shows logs: they may hold what visitors type."""
    lines: Annotated[int, Field(ge=1_000, le=200_000)] = 20_000
    """Lines that are kept of a log, the newest; all of them together never more than 8 MB."""


class SwarmConfig(Section):
    """A Docker Swarm, asked on one of its managers over SSH, reading only."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "swarm"
    """A name of your own."""
    hosts: Annotated[list[SshHost], Field(min_length=1)]
    """Its managers; the next is asked when one is down or no manager any more."""
    via: Literal["socket", "cli"] = "socket"
    """socket: the engine's socket, forwarded by SSH, so that no shell is needed. cli: the docker command."""
    socket: str = "/var/run/docker.sock"
    """Where the engine's socket is on the managers; a user in group docker may use it."""
    sockets: dict[SshHost, str] = {}
    """Where it is on a manager that has it elsewhere."""
    sudo: bool = False
    """With `via: cli`: run docker by `sudo -n`."""
    interval_s: Seconds = 15.0
    """Seconds between two polls."""
    deadline_s: Seconds = 10.0
    """Seconds after which one question is given up."""


class GlusterConfig(Section):
    """A GlusterFS pool, asked with the gluster command on one of its peers over SSH, reading only."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "gluster"
    """A name of your own."""
    hosts: Annotated[list[SshHost], Field(min_length=1)]
    """Peers to ask; the next is asked when one is down."""
    sudo: bool = False
    """Run gluster by `sudo -n`: it wants root."""
    interval_s: Seconds = 30.0
    """Seconds between two polls; heals, which are dear, are counted at every fourth."""
    deadline_s: Seconds = 20.0
    """Seconds after which one command is given up."""


class CephConfig(Section):
    """Ceph's own word on its health: each check's message, quorum, the OSD tree, pools and file systems.

    Figures come from the mgr's Prometheus module; this is what that module cannot tell.
    """

    via: Literal["pve", "ssh"] = "pve"
    """pve: the API of the Proxmox VE cluster that runs it, which needs no shell. ssh: the ceph command."""
    pve: str | None = None
    """With `via: pve`: the name of the cluster under `proxmox`; unset: the only one."""
    hosts: list[SshHost] = []
    """With `via: ssh`: hosts that have the ceph command and a keyring; the next is asked when one is down."""
    conf: str | None = None
    """With `via: ssh`: the cluster's ceph.conf there; unset: ceph's own default."""
    client: str | None = None
    """With `via: ssh`: the name to log in to Ceph with, such as client.farmtui; unset: client.admin."""
    sudo: bool = False
    """With `via: ssh`: run ceph by `sudo -n`. Where a keyring that the one who logs in may read is enough, all that it
    adds is that the mons' admin sockets can be asked: they tell for certain that quorum is lost."""
    interval_s: Seconds = 30.0
    """Seconds between two polls."""
    deadline_s: Seconds = 10.0
    """Seconds after which one command is given up: without quorum they never end."""


class VarnishHost(Section):
    """A machine on which varnishadm is run."""

    host: SshHost
    """The host as ssh knows it."""
    workdir: str | None = None
    """Varnish's working folder there (varnishd -n); unset: varnishadm's own default."""
    instance: str | None = None
    """The Prometheus instance label of its exporter, where address and name do not tell that they are one machine."""


class VarnishConfig(Section):
    """Varnish's backends as varnishadm tells them over SSH: which are sick, and which have no probe to tell."""

    hosts: Annotated[list[VarnishHost], Field(min_length=1)]
    """The cache nodes."""
    sudo: bool = False
    """Run varnishadm by `sudo -n`: it must read Varnish's secret."""
    interval_s: Seconds = 30.0
    """Seconds between two polls."""
    deadline_s: Seconds = 10.0
    """Seconds after which one command is given up."""
