"""A Docker Swarm: three managers and a worker, each engine in namespaces of its own, and a few services."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.daemons import Daemon, answers, free_port, wait_until
from tests.lab.networks import bridge, inside, member, names
from tests.lab.service import Lab, Service
from tests.lab.services.ssh import SshHosts

MANAGERS = ("edge-1", "edge-2", "edge-3")
WORKERS = ("worker-1",)
IMAGE = "127.0.0.1:5000/wp:1"
"""Named as from a registry on the machine itself: any other name is looked up outside, which takes long to fail."""

_UPDATE = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}"


class Swarm(Service):
    """Four engines on a bridge that only they can reach; the console comes by SSH to their sockets."""

    name: ClassVar[str] = "swarm"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.engines = (*MANAGERS, *WORKERS)
        self._net = f"fsw{os.getpid() % 100_000}"
        self.daemons: dict[str, Daemon] = {}
        self.metrics: dict[str, Daemon] = {}
        self.instances: dict[str, str] = {}
        """`host:port` of each engine's metrics, as Prometheus scrapes it."""

    def start(self) -> None:
        """Networks, engines, the Swarm, its services; then SSH to the managers."""
        bridge(self.lab.ledger, self._net)
        for number, engine in enumerate(self.engines, 1):
            self._engine(number, engine)
        for engine in self.engines:
            wait_until(f"{engine} ready", self.daemons[engine].is_ready)
        self._image()
        self.docker(MANAGERS[0], "swarm", "init", "--advertise-addr", self.address(MANAGERS[0]))
        for kind, members in (("manager", MANAGERS[1:]), ("worker", WORKERS)):
            token = self.docker(MANAGERS[0], "swarm", "join-token", "-q", kind).strip()
            for engine in members:
                self.docker(engine, "swarm", "join", "--token", token, f"{self.address(MANAGERS[0])}:2377")
        self._services()
        self._observe()

    def stop(self) -> None:
        """End the engines with all that they run, and what leads to their metrics."""
        self.lab.unscrape("dockerd")
        for daemon in self.metrics.values():
            daemon.stop()
        for daemon in self.daemons.values():
            daemon.stop()

    def config(self) -> dict[str, Any]:
        """The managers by their sockets."""
        return {
            **self.lab.service(SshHosts).config(),
            "swarm": {
                "hosts": list(MANAGERS),
                "sockets": {engine: str(self.socket(engine)) for engine in MANAGERS},
                "interval_s": 1,
                "deadline_s": 5,
            },
            "tiers": {"edge": {"match": ["edge-*"]}, "app": {"match": ["worker-*"]}},
        }

    # -- for tests ------------------------------------------------------------------------------

    def docker(self, engine: str, *words: str) -> str:
        """The docker command against one engine. Raises RuntimeError with what it says when it fails."""
        done = subprocess.run(
            ["docker", "-H", self._host(engine), *words], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(words)}: {done.stderr}")
        return done.stdout

    def rows(self, engine: str, *words: str) -> list[dict[str, Any]]:
        """What `docker ... ls` lists, as JSON."""
        return [json.loads(line) for line in self.docker(engine, *words, "--format", "{{json .}}").splitlines()]

    def leader(self) -> str:
        """The manager that leads."""
        for engine in MANAGERS:
            if self.daemons[engine].running:
                try:
                    nodes = self.rows(engine, "node", "ls")
                except RuntimeError:
                    continue
                found = [node["Hostname"] for node in nodes if node["ManagerStatus"] == "Leader"]
                if found:
                    return str(found[0])
        return ""

    def settled(self) -> bool:
        """Whether all engines are ready and all services run what they should."""
        try:
            engine = next(engine for engine in MANAGERS if self.daemons[engine].running)
            nodes, services = self.rows(engine, "node", "ls"), self.rows(engine, "service", "ls")
            updates = [self.docker(engine, "service", "inspect", "--format", _UPDATE, s["Name"]) for s in services]
        except (RuntimeError, StopIteration, subprocess.TimeoutExpired):
            return False
        ready = all(node["Status"] == "Ready" and node["Availability"] == "Active" for node in nodes)
        reached = sum(node["ManagerStatus"] in ("Leader", "Reachable") for node in nodes) == len(MANAGERS)
        replicas = [service["Replicas"].partition(" ")[0].split("/") for service in services]
        whole = all(running == desired for running, desired in replicas)
        return ready and reached and whole and not any("updating" in update for update in updates)

    def address(self, engine: str) -> str:
        """Inside the bridge's network, which nothing else can reach."""
        return f"10.213.0.{self.engines.index(engine) + 11}"

    def socket(self, engine: str) -> Path:
        """The engine's own socket."""
        return self.folder / engine / "docker.sock"

    def restart(self, *engines: str) -> None:
        """Start engines that were killed, all of them before any is waited for: without a majority none is ready."""
        for engine in engines:
            self.daemons[engine].launch()
        for engine in engines:
            wait_until(f"{engine} ready", self.daemons[engine].is_ready, 90.0)

    # -- inside ---------------------------------------------------------------------------------

    def _answers(self, engine: str) -> bool:
        """Whether an engine tells of itself; while its Swarm has no leader it may take half a minute for that."""
        command = ["docker", "-H", self._host(engine), "info"]
        try:
            return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _host(self, engine: str) -> str:
        return f"unix://{self.socket(engine)}"

    def _engine(self, number: int, engine: str) -> None:
        netns = f"{self._net}-{number}"
        member(self.lab.ledger, self._net, number, self.address(engine))
        folder = self.folder / engine
        folder.mkdir(exist_ok=True)
        script = folder / "run"
        script.write_text(
            "#!/bin/sh\nset -e\n"
            f"hostname {engine}\n{names(folder, {each: self.address(each) for each in self.engines})}"
            # A pid of before may be somebody else's in a new namespace.
            f"rm -f {folder}/pid\n"
            "mkdir -p /run/docker && mount -t tmpfs tmpfs /run/docker\n"
            f"dockerd --data-root {folder}/data --exec-root /run/docker --pidfile {folder}/pid"
            f" --host unix://{folder}/docker.sock --metrics-addr 127.0.0.1:9323 --experimental"
            " --exec-opt native.cgroupdriver=cgroupfs --iptables=false --ip-masq=false --userland-proxy=false"
            " --log-level=warn --init &\nwait\n"
        )
        script.chmod(0o755)
        daemon = Daemon(
            self.lab.ledger,
            f"dockerd-{engine}",
            [*inside(netns), str(script)],
            folder,
            lambda: self._answers(engine),
            ready_s=90.0,
            hard=True,
        )
        daemon.launch()
        self.daemons[engine] = daemon

    def _image(self) -> None:
        """An image of nothing but busybox, on every engine."""
        archive = self.folder / "image.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add("/bin/busybox", "bin/busybox")
            for name in ("sh", "sleep", "false"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
            tmp = tarfile.TarInfo("tmp")
            tmp.type = tarfile.DIRTYPE
            tar.addfile(tmp, io.BytesIO())
        for engine in self.engines:
            self.docker(engine, "import", str(archive), IMAGE)

    def _services(self) -> None:
        options = ("--detach", "--no-resolve-image", "--endpoint-mode", "dnsrr", "--network", "cache-net")
        command = (IMAGE, "/bin/sleep", "100000")
        self.docker(MANAGERS[0], "network", "create", "--driver", "overlay", "cache-net")
        self.docker(MANAGERS[0], "service", "create", *options, "--name", "wordpress", "--replicas", "4", *command)
        self.docker(MANAGERS[0], "service", "create", *options, "--name", "watcher", "--mode", "global", *command)
        wait_until("services run", self.settled, 60.0)

    def _observe(self) -> None:
        """The engines' metrics on loopback, and an sshd for each manager."""
        ssh = self.lab.service(SshHosts)
        for number, engine in enumerate(self.engines, 1):
            address = f"127.0.3.{number}"
            port = free_port(address)
            inside = self.folder / f"metrics-{engine}"
            inside.write_text(
                f"#!/bin/sh\nexec nsenter --net=/run/netns/{self._net}-{number} socat STDIO TCP:127.0.0.1:9323\n"
            )
            inside.chmod(0o755)
            self.metrics[engine] = Daemon(
                self.lab.ledger,
                f"metrics-{engine}",
                ["socat", f"TCP-LISTEN:{port},bind={address},fork,reuseaddr", f"EXEC:{inside}"],
                self.folder,
                lambda at=f"{address}:{port}": answers(f"http://{at}/metrics"),  # type: ignore[misc]
            )
            self.metrics[engine].start()
            self.instances[engine] = f"{address}:{port}"
            if engine in MANAGERS:
                ssh.add(engine, environment={"DOCKER_HOST": self._host(engine)})
        self.lab.scrape("dockerd", {at: engine for engine, at in self.instances.items()})
