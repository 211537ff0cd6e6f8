"""The cache tier's Redis: a primary with little memory, its replica, an exporter each, and steady readers."""

from __future__ import annotations

import subprocess
from typing import Any, ClassVar

from tests.lab.daemons import Daemon, answers, free_port, wait_until
from tests.lab.service import Lab, Service, quick_queries

NODES = {"cache-1": "127.0.1.11", "cache-2": "127.0.1.12"}
PRIMARY, REPLICA = "cache-1", "cache-2"
MEMORY_MB = 8


class Redis(Service):
    """Two redis-server as user redis; `daemons` and `exporters` by the machine's name."""

    name: ClassVar[str] = "redis"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.ports = {node: free_port(address) for node, address in NODES.items()}
        self.daemons: dict[str, Daemon] = {}
        self.exporters: dict[str, Daemon] = {}
        self.instances: dict[str, str] = {}
        self.readers: list[Daemon] = []

    def start(self) -> None:
        """The primary, the replica, exporters, readers."""
        for node in NODES:
            self._node(node)
        wait_until("replica linked", lambda: self.info(REPLICA)["master_link_status"] == "up")
        self.cli(PRIMARY, "set", "known", "1")
        for key in ("known", "known", "known", "unknown"):
            command = ["redis-cli", "-h", NODES[PRIMARY], "-p", str(self.ports[PRIMARY]), "-r", "100000", "-i", "0.2"]
            reader = Daemon(
                self.lab.ledger, f"reader-{len(self.readers)}", [*command, "get", key], self.folder, lambda: True
            )
            reader.start()
            self.readers.append(reader)
        self.lab.scrape("redis", {at: node for node, at in self.instances.items()})

    def stop(self) -> None:
        """End them, the readers first."""
        self.lab.unscrape("redis")
        for daemon in (*self.readers, *self.exporters.values(), *reversed(self.daemons.values())):
            daemon.stop()

    def config(self) -> dict[str, Any]:
        """The cache tier; the hit ratio is that of the last seconds: before, a test may have emptied it."""
        return {
            "tiers": {"cache": {"match": ["cache-*"]}},
            "prometheus": {"queries": quick_queries({"redis.hit_ratio": {"5m": "10s"}})},
        }

    def cli(self, node: str, *words: str) -> str:
        """What redis-cli says."""
        command = ["redis-cli", "-h", NODES[node], "-p", str(self.ports[node]), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    def info(self, node: str) -> dict[str, str]:
        """INFO by name."""
        lines = [line for line in self.cli(node, "info").splitlines() if ":" in line]
        return dict(line.split(":", 1) for line in lines)

    def fill(self, keys: int, size: int) -> None:
        """Write keys of a size each to the primary, in one go."""
        script = "for i=1,tonumber(ARGV[1]) do redis.call('set', 'fill:'..i, string.rep('x', tonumber(ARGV[2]))) end"
        self.cli(PRIMARY, "eval", script, "0", str(keys), str(size))

    def _node(self, node: str) -> None:
        folder = self.folder / node
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        address, port = NODES[node], self.ports[node]
        command = [
            "redis-server", "--bind", address, "--port", str(port), "--dir", str(folder), "--save", "",
            "--maxmemory", f"{MEMORY_MB}mb", "--maxmemory-policy", "allkeys-lru",
        ]  # fmt: skip
        if node != PRIMARY:
            command += ["--replicaof", NODES[PRIMARY], str(self.ports[PRIMARY]), "--repl-diskless-sync-delay", "0"]
        self.daemons[node] = Daemon(
            self.lab.ledger, f"redis-{node}", command, folder, lambda: self._pings(node), user="redis"
        )
        self.daemons[node].start()
        at = f"{address}:{free_port(address)}"
        self.instances[node] = at
        self.exporters[node] = Daemon(
            self.lab.ledger,
            f"redis-exporter-{node}",
            ["prometheus-redis-exporter", f"-redis.addr=redis://{address}:{port}", f"-web.listen-address={at}"],
            folder,
            lambda: answers(f"http://{at}/metrics"),
            user="nobody",
        )
        self.exporters[node].start()

    def _pings(self, node: str) -> bool:
        try:
            return self.cli(node, "ping") == "PONG"
        except subprocess.CalledProcessError:
            return False
