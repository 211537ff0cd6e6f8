"""Ceph: three monitors, a manager, six OSDs in three hosts, two MDSs with a file system, and a RADOS gateway.

The hosts are UTS namespaces with a loopback address each, so that daemons report the host names that a farm would
have, and each has its node exporter. To make one needs root; what runs in it is user ceph's, and nobody's.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.ceph_files import USER, conf, keyring, monmap, owned
from tests.lab.daemons import Daemon, answers, as_host, free_port, listens, wait_until
from tests.lab.service import Lab, Service, quick_queries

ADDRESSES = {"stor-1": "127.0.1.51", "stor-2": "127.0.1.52", "stor-3": "127.0.1.53"}
HOSTS = {
    "stor-1": ("mon.a", "mgr.x", "osd.0", "osd.1", "mds.a"),
    "stor-2": ("mon.b", "osd.2", "osd.3", "mds.b"),
    "stor-3": ("mon.c", "osd.4", "osd.5", "rgw.a"),
}
POOLS = {"rbd": 16, "cephfs.meta": 8, "cephfs.data": 8}
QUICK = {
    "ceph.mon_commits_per_s": {"2m": "10s", "1m": "5s"},
    "ceph.mds_heard_per_s": {"2m": "25s", "1m": "10s"},
    "ceph.objects_left_slope_per_s": {"2m": "10s"},
}
"""Windows of the catalogue's queries, and those for a lab that is scraped fifteen times as often as a farm."""
CLI_S = 20.0
HEALTHY_S = 90.0


class CephError(RuntimeError):
    """The ceph command failed; the text is what it said."""


class Ceph(Service):
    """The cluster. `daemons` by name (`mon.a`, `mgr.x`, `osd.3`, `mds.b`, `rgw.a`); `host_of` says where each runs."""

    name: ClassVar[str] = "ceph"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.fsid = str(uuid.uuid4())
        self.conf = self.folder / "ceph.conf"
        self.keyring = self.folder / "keyring"
        """Has client.admin, as every daemon."""
        self.host_of = {daemon: host for host, daemons in HOSTS.items() for daemon in daemons}
        self.mons = {
            name.partition(".")[2]: f"{ADDRESSES[host]}:{free_port(ADDRESSES[host])}"
            for name, host in self.host_of.items()
            if name.startswith("mon.")
        }
        self.rgw_port = free_port(ADDRESSES[self.host_of["rgw.a"]])
        self.metrics = f"{ADDRESSES['stor-1']}:{free_port(ADDRESSES['stor-1'])}"
        """Where the active mgr's prometheus module listens."""
        self.daemons = {name: self._daemon(name) for name in self.host_of}
        self.nodes = {host: f"{ADDRESSES[host]}:{free_port(ADDRESSES[host])}" for host in HOSTS}
        """Where each host's node exporter listens."""
        self.exporters = {host: self._exporter(host) for host in HOSTS}
        client = Path(__file__).parents[1] / "cephfs_client.py"
        self.client = Daemon(
            lab.ledger,
            "cephfs-client",
            ["/usr/bin/python3", str(client), str(self.conf)],
            self.folder,
            lambda: "mounted" in self.client.log.read_text(encoding="utf-8"),
        )
        """The only one that uses the file system."""

    # -- start and stop

    def start(self) -> None:
        """Make the cluster and wait for HEALTH_OK."""
        owned(self.folder)
        self.conf.write_text(conf(self.folder, self.fsid, self.mons, HOSTS, ADDRESSES), encoding="utf-8")
        self.keyring.write_text(keyring(list(self.daemons)), encoding="utf-8")
        # Whoever runs the tests reads it too; it opens nothing but this cluster.
        self.keyring.chmod(0o644)
        monmap(self.folder / "monmap", self.fsid, self.mons)
        osds = [name for name in self.daemons if name.startswith("osd.")]
        uuids = {name: str(uuid.uuid4()) for name in osds}
        mons = [f"mon.{ident}" for ident in self.mons]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._make_mon, mons))
            self._launch(*mons)
            made = [pool.submit(self._make_osd, name, uuids[name]) for name in osds]
            self._wait_ready(*mons)
            self.script(
                f"config set mgr mgr/prometheus/server_addr {self.metrics.partition(':')[0]} --force",
                f"config set mgr mgr/prometheus/server_port {self.metrics.partition(':')[2]} --force",
                "config set mgr mgr/prometheus/scrape_interval 1 --force",
                "mgr module enable prometheus --force",
            )
            self._launch("mgr.x")
            self.script(
                *(f"osd new {uuids[name]} {name.partition('.')[2]}" for name in osds),
                *(f"osd pool create {pool} {pgs} {pgs}" for pool, pgs in POOLS.items()),
                "osd pool application enable rbd rbd",
                "fs new cephfs cephfs.meta cephfs.data",
                "fs set cephfs session_timeout 30",
            )
            for each in made:
                each.result()
        self._launch(*osds, "mds.a", "mds.b", "rgw.a")
        for exporter in self.exporters.values():
            exporter.launch()
        self._wait_ready(*self.daemons)
        self.client.launch()
        wait_until("Ceph's metrics", lambda: answers(f"http://{self.metrics}/metrics"))
        self.wait_healthy()
        wait_until("CephFS mounted", self.client.is_ready)
        self.lab.scrape("ceph", {self.metrics: "stor-1"})
        self.lab.scrape("node", {at: host for host, at in self.nodes.items()}, owner=self.name)

    def stop(self) -> None:
        """End all daemons, those first that others serve."""
        self.lab.unscrape("ceph")
        self.lab.unscrape("node", owner=self.name)
        # Nobody needs their last words: a clean end of thirteen daemons takes half a minute.
        for daemon in (self.client, *self.exporters.values(), *reversed(self.daemons.values())):
            daemon.kill()

    def config(self) -> dict[str, Any]:
        """The storage tier, and queries that see in seconds what they see in minutes on a farm."""
        return {
            "tiers": {"storage": {"expect": len(HOSTS), "match": ["stor-*"]}},
            "prometheus": {"queries": quick_queries(QUICK)},
        }

    def _launch(self, *names: str) -> None:
        for name in names:
            self.daemons[name].launch()

    def _wait_ready(self, *names: str) -> None:
        for name in names:
            wait_until(f"{name} ready", self.daemons[name].is_ready, 60.0)

    def _daemon(self, name: str) -> Daemon:
        kind, _, ident = name.partition(".")
        who = ["-n", f"client.{name}"] if kind == "rgw" else ["-i", ident]
        command = [f"/usr/bin/{'radosgw' if kind == 'rgw' else f'ceph-{kind}'}", "-f", *who, "-c", str(self.conf)]
        if kind == "rgw":
            command.append(f"--rgw_frontends=beast endpoint={ADDRESSES[self.host_of[name]]}:{self.rgw_port}")
        return Daemon(
            self.lab.ledger,
            name,
            as_host(self.host_of[name], USER, command),
            self.folder,
            lambda: self._serves(name),
            ready_s=60.0,
        )

    def _exporter(self, host: str) -> Daemon:
        at = self.nodes[host]
        # Their CPU, memory and disks are this machine's, which has other things to do.
        collectors = ("--collector.disable-defaults", "--collector.uname", "--collector.loadavg")
        command = ["prometheus-node-exporter", f"--web.listen-address={at}", *collectors]
        return Daemon(
            self.lab.ledger,
            f"node-{host}",
            as_host(host, "nobody", command),
            self.folder,
            lambda: answers(f"http://{at}/"),
        )

    def _make_mon(self, name: str) -> None:
        owned(self.folder / name)
        ident = name.partition(".")[2]
        self.as_user("ceph-mon", "--mkfs", "-i", ident, "--monmap", "monmap", "--keyring", "keyring")

    def _make_osd(self, name: str, osd_uuid: str) -> None:
        owned(self.folder / name)
        ident = name.partition(".")[2]
        self.as_user("ceph-osd", "--mkfs", "-i", ident, "--osd-uuid", osd_uuid, "--monmap", "monmap")

    def _serves(self, name: str) -> bool:
        """Whether a daemon does its work, by its own admin socket: that answers without quorum too."""
        kind = name.partition(".")[0]
        if kind == "rgw":
            return listens(ADDRESSES[self.host_of[name]], self.rgw_port)
        with contextlib.suppress(OSError, ValueError):
            state = str(self.admin_socket(name, "mon_status" if kind == "mon" else "status").get("state", ""))
            return kind == "mgr" or state in ("leader", "peon", "active", "up:active", "up:standby")
        return False

    # -- what tests use

    def run(self, *arguments: str, timeout_s: float = CLI_S) -> Any:
        """`ceph ARGUMENTS -f json`, read. Raises CephError, and TimeoutError where nobody answers (no quorum)."""
        said = self.text(*arguments, "-f", "json", timeout_s=timeout_s)
        return json.loads(said) if said.strip() else None

    def text(self, *arguments: str, timeout_s: float = CLI_S) -> str:
        """`ceph ARGUMENTS`, as it prints it. Raises as `run` does."""
        return self.tool("ceph", "--connect-timeout", str(int(timeout_s)), *arguments, timeout_s=timeout_s)

    def script(self, *lines: str) -> None:
        """Several commands over one connection. Raises CephError."""
        done = subprocess.run(
            ["ceph", "-c", str(self.conf), "--connect-timeout", "30"],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0 or "Error" in done.stdout + done.stderr:
            raise CephError(f"{done.stdout}\n{done.stderr}"[-2000:])

    def tool(self, program: str, *arguments: str, timeout_s: float = CLI_S, stdin: bytes | None = None) -> str:
        """Any of Ceph's programs (rados, ceph, radosgw-admin, ...) on this cluster as client.admin."""
        try:
            done = subprocess.run(
                [program, "-c", str(self.conf), *arguments],
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{program} {' '.join(arguments)}: no answer within {timeout_s:.0f} s") from None
        if done.returncode != 0:
            raise CephError(f"{program} {' '.join(arguments)}: {done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout.decode(errors="replace")

    def as_user(self, *command: str) -> None:
        """Run one of Ceph's programs as the daemons' user, as its folders want it. Raises CephError."""
        done = subprocess.run(
            [*command, "-c", str(self.conf)],
            cwd=self.folder,
            user=USER,
            group=USER,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise CephError(f"{' '.join(command)}: {done.stderr[-2000:]}")

    def admin_socket(self, name: str, command: str, **arguments: Any) -> Any:
        """Ask a daemon itself, without monitors. Raises OSError where it does not run."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(5)
            asked.connect(str(self.folder / f"{name}.asok"))
            asked.sendall(json.dumps({"prefix": command, "format": "json", **arguments}).encode() + b"\0")
            answer = b"".join(iter(lambda: asked.recv(65536), b""))
        (length,) = struct.unpack(">I", answer[:4])
        return json.loads(answer[4 : 4 + length])

    def healthy(self) -> bool:
        """HEALTH_OK, and every placement group active and clean."""
        with contextlib.suppress(CephError, TimeoutError):
            said = self.run("-s")
            clean = sum(s["count"] for s in said["pgmap"].get("pgs_by_state", ()) if s["state_name"] == "active+clean")
            return bool(said["health"]["status"] == "HEALTH_OK" and clean == said["pgmap"]["num_pgs"] > 0)
        return False

    def wait_healthy(self, deadline_s: float = HEALTHY_S) -> None:
        """Wait until `healthy`."""
        wait_until("Ceph HEALTH_OK, all clean", self.healthy, deadline_s)

    @contextlib.contextmanager
    def killed(self, *names: str, but: str = "") -> Iterator[None]:
        """These daemons are killed within, and run again, the cluster healthy, after it.

        One of them may be left to be killed within.
        """
        for name in names:
            if name != but:
                self.daemons[name].kill()
        try:
            yield
        finally:
            self.restart(*names)
            self.wait_healthy()

    def restart(self, *names: str) -> None:
        """Start daemons that do not run, and wait until each serves."""
        stopped = [name for name in names if not self.daemons[name].running]
        self._launch(*stopped)
        self._wait_ready(*stopped)

    def osds_on(self, host: str) -> Sequence[str]:
        """The OSDs of a host."""
        return [name for name in HOSTS[host] if name.startswith("osd.")]

    def data(self, osd: str) -> Path:
        """An OSD's folder: what `ceph-objectstore-tool --data-path` takes."""
        return self.folder / osd
