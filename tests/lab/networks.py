"""Networks of the lab's own: a bridge in a namespace, and members in theirs; nothing of it is in the machine's own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.ledger import Ledger


def bridge(ledger: Ledger, name: str) -> None:
    """A bridge in a namespace called `NAME-hub`."""
    hub = f"{name}-hub"
    ledger.netns(hub)
    ip("netns", "add", hub)
    ip("-n", hub, "link", "add", "br0", "type", "bridge")
    ip("-n", hub, "link", "set", "br0", "up")


def member(ledger: Ledger, name: str, number: int, address: str) -> None:
    """A namespace `NAME-NUMBER` with an interface eth0 on the bridge; its network is the address's /24."""
    netns, hub = f"{name}-{number}", f"{name}-hub"
    ledger.netns(netns)
    ip("netns", "add", netns)
    ip("-n", netns, "link", "set", "lo", "up")
    # Both ends are made where they stay: neither is ever in the machine's own network.
    ip("-n", netns, "link", "add", "eth0", "type", "veth", "peer", "name", f"to{number}", "netns", hub)
    ip("-n", hub, "link", "set", f"to{number}", "master", "br0", "up")
    ip("-n", netns, "address", "add", f"{address}/24", "dev", "eth0")
    ip("-n", netns, "link", "set", "eth0", "up")
    ip("-n", netns, "route", "add", "default", "via", f"{address.rpartition('.')[0]}.1")


def inside(netns: str) -> list[str]:
    """What a machine's first process is started with: network, mounts, host name and processes of its own.

    When it ends, or is killed, the kernel ends all that it has started: bricks, shims and containers, which outlive
    their parent otherwise.
    """
    return [
        *("nsenter", f"--net=/run/netns/{netns}"),
        *("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"),
    ]


def entering(pid: int | str) -> list[str]:
    """What a command is started with to run in the namespaces of a machine whose first process is `pid`.

    For a shell that may be an expression that gives it.
    """
    spaces = f"/proc/{pid}/ns"
    return [
        *("nsenter", f"--net={spaces}/net", f"--mount={spaces}/mnt", f"--uts={spaces}/uts"),
        *(f"--pid={spaces}/pid_for_children", "--"),
    ]


def names(folder: Path, hosts: Mapping[str, str]) -> str:
    """Shell lines for a mount namespace of its own, in which these names, and no others, have an address.

    Without them each look-up of a name waits for a resolver that cannot be reached.
    """
    (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{at} {name}\n" for name, at in hosts.items()))
    (folder / "resolv.conf").write_text("options attempts:1 timeout:1\n")
    return f"mount --bind {folder}/hosts /etc/hosts\nmount --bind {folder}/resolv.conf /etc/resolv.conf\n"


def ip(*words: str) -> None:
    """The ip command. Raises RuntimeError with what it says when it fails."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr}")
