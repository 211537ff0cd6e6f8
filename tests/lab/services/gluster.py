"""GlusterFS: three peers, each in namespaces of its own, with a volume of three copies."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

from tests.lab.daemons import Daemon, wait_until
from tests.lab.networks import bridge, entering, inside, member, names
from tests.lab.service import Lab, Service
from tests.lab.services.ssh import SshHosts

PEERS = ("gluster-1", "gluster-2", "gluster-3")
VOLUME = "wp"


class Gluster(Service):
    """Three glusterd on a bridge that only they can reach; the console comes by SSH into each one's namespaces."""

    name: ClassVar[str] = "gluster"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._net = f"fgl{os.getpid() % 100_000}"
        self.daemons: dict[str, Daemon] = {}

    def start(self) -> None:
        """Networks, peers, the volume; then SSH into each peer."""
        bridge(self.lab.ledger, self._net)
        for number, peer in enumerate(PEERS, 1):
            member(self.lab.ledger, self._net, number, self.address(peer))
            self._peer(number, peer)
        for peer in PEERS:
            wait_until(f"{peer} ready", self.daemons[peer].is_ready)
        for peer in PEERS[1:]:
            self.gluster(PEERS[0], "peer", "probe", self.address(peer))
        wait_until("peers joined", lambda: self.connected() == len(PEERS))
        bricks = [f"{self.address(peer)}:{self.brick(peer)}" for peer in PEERS]
        self.gluster(PEERS[0], "volume", "create", VOLUME, "replica", "3", *bricks, "force")
        self.gluster(PEERS[0], "volume", "set", VOLUME, "cluster.heal-timeout", "5")
        # A client waits so long for a brick that is cut off; 42 s by default.
        self.gluster(PEERS[0], "volume", "set", VOLUME, "network.ping-timeout", "5")
        self.gluster(PEERS[0], "volume", "start", VOLUME)
        wait_until("bricks online", lambda: self.online() == len(PEERS))
        ssh = self.lab.service(SshHosts)
        for peer in PEERS:
            ssh.add(peer, enter=self.daemons[peer].pid_file)

    def stop(self) -> None:
        """End each peer, and with it its bricks and heal daemons."""
        for daemon in self.daemons.values():
            daemon.stop()

    def config(self) -> dict[str, Any]:
        """All peers, asked each second."""
        return {
            **self.lab.service(SshHosts).config(),
            "gluster": [{"name": "main", "hosts": list(PEERS), "interval_s": 3, "deadline_s": 5}],
        }

    # -- for tests ------------------------------------------------------------------------------

    def address(self, peer: str) -> str:
        """On the bridge, which nothing else can reach."""
        return f"10.214.0.{PEERS.index(peer) + 11}"

    def brick(self, peer: str) -> Path:
        """The folder that the peer's brick is in."""
        return self.folder / peer / "brick"

    def inside(self, peer: str, *command: str, check: bool = True) -> str:
        """What a command prints that is run in a peer's namespaces."""
        done = subprocess.run(
            [*entering(self.daemons[peer].pid), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout

    def gluster(self, peer: str, *words: str) -> ET.Element:
        """The gluster command's XML. Raises RuntimeError where it fails."""
        text = self.inside(peer, "gluster", "--mode=script", "--xml", *words, check=False)
        try:
            root = ET.fromstring(text)
        except ET.ParseError:
            raise RuntimeError(f"gluster {' '.join(words)}: {text or 'nothing'}") from None
        if root.findtext("opRet") != "0":
            raise RuntimeError(f"gluster {' '.join(words)}: {root.findtext('opErrstr')}")
        return root

    def online(self) -> int:
        """How many bricks are online; 0 while gluster does not say."""
        try:
            status = self.gluster(PEERS[0], "volume", "status", VOLUME, "detail")
        except RuntimeError:
            return 0
        return sum(node.findtext("status") == "1" for node in status.iter("node"))

    def pending(self, peer: str = PEERS[0]) -> list[str | None]:
        """What heal info counts at each brick; nothing while gluster does not say."""
        try:
            root = self.gluster(peer, "volume", "heal", VOLUME, "info", "summary")
        except RuntimeError:
            return []
        return [brick.findtext("numberOfEntriesInHealPending") for brick in root.iter("brick")]

    @contextmanager
    def mounted(self, peer: str = PEERS[0]) -> Iterator[Path]:
        """The volume, mounted in a peer's namespaces, for as long as that lasts."""
        point = self.folder / peer / "mount"
        point.mkdir(exist_ok=True)
        self.inside(peer, "glusterfs", f"--volfile-server={self.address(peer)}", f"--volfile-id={VOLUME}", str(point))
        wait_until("mounted", lambda: str(point) in self.inside(peer, "cat", "/proc/mounts"))
        try:
            yield point
        finally:
            self.inside(peer, "umount", "--lazy", str(point))

    def kill_brick(self, peer: str) -> None:
        """SIGKILL for the brick's process."""
        self.inside(peer, "kill", "-KILL", str(self._brick_pid(peer)))

    def start_bricks(self) -> None:
        """Have gluster start what is down, and wait for it."""
        self.gluster(PEERS[0], "volume", "start", VOLUME, "force")
        wait_until("bricks online", lambda: self.online() == len(PEERS), 60.0)

    def cut(self, peer: str) -> None:
        """Take the peer's link down."""
        self.inside(peer, "ip", "link", "set", "eth0", "down")

    def join(self, peer: str) -> None:
        """And up again."""
        self.inside(peer, "ip", "link", "set", "eth0", "up")

    # -- inside ---------------------------------------------------------------------------------

    def _peer(self, number: int, peer: str) -> None:
        folder = self.folder / peer
        for name in ("brick", "state", "run", "log"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        script = folder / "run.sh"
        script.write_text(
            "#!/bin/sh\nset -e\n"
            f"hostname {peer}\n{names(folder, {each: self.address(each) for each in PEERS})}"
            "mkdir -p /var/lib/glusterd /var/log/glusterfs /run/gluster\n"
            f"mount --bind {folder}/state /var/lib/glusterd\n"
            f"mount --bind {folder}/log /var/log/glusterfs\n"
            # As after a reboot: a brick's pid of before may be anybody's now, and glusterd would take it for its brick.
            f"rm -rf {folder}/run/*\n"
            f"mount --bind {folder}/run /run\n"
            "mkdir -p /run/gluster\n"
            # The shell is the first process: it buries what ends, so that gluster sees that a brick is gone.
            "glusterd --no-daemon --log-level=WARNING &\nwait\n"
        )
        script.chmod(0o755)
        self.daemons[peer] = Daemon(
            self.lab.ledger,
            f"glusterd-{peer}",
            [*inside(f"{self._net}-{number}"), str(script)],
            folder,
            lambda: "Number of Peers" in self.inside(peer, "gluster", "peer", "status", check=False),
            hard=True,
        )
        self.daemons[peer].launch()

    def connected(self) -> int:
        """How many peers see each other, as the first one counts."""
        root = self.gluster(PEERS[0], "pool", "list")
        return sum(peer.findtext("connected") == "1" for peer in root.iter("peer"))

    def _brick_pid(self, peer: str) -> int:
        status = self.gluster(peer, "volume", "status", VOLUME)
        for node in status.iter("node"):
            if node.findtext("hostname") == self.address(peer) and node.findtext("path") == str(self.brick(peer)):
                return int(node.findtext("pid") or 0)
        raise RuntimeError(f"{peer} has no brick")
