"""The cache tier's Varnish: three nodes before two toy WordPress, each with its exporter, and steady visitors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.daemons import Daemon, answers, free_port, listens, wait_until
from tests.lab.service import Lab, Service
from tests.lab.services.ssh import SshHosts
from tests.lab.toy_wordpress import SICK

NODES = {"cache-1": "127.0.1.11", "cache-2": "127.0.1.12", "cache-3": "127.0.1.13"}
SMALL = "cache-3"
"""The node with so little storage that it throws objects out."""
BACKENDS = {"wp1": "127.0.1.51", "wp2": "127.0.1.52"}
VISITS_PER_S = 30

VCL = """
vcl 4.1;
import directors;
probe ping {{ .url = "/ping"; .interval = 1s; .timeout = 1s; .window = 5; .threshold = 3; .initial = 3; }}
backend wp1 {{ .host = "{wp1}"; .port = "{wp1_port}"; .probe = ping; }}
backend wp2 {{ .host = "{wp2}"; .port = "{wp2_port}"; .probe = ping; }}
backend unprobed {{ .host = "{wp1}"; .port = "{wp1_port}"; }}
sub vcl_init {{
    new wp = directors.round_robin();
    wp.add_backend(wp1);
    wp.add_backend(wp2);
}}
sub vcl_recv {{
    set req.backend_hint = wp.backend();
    if (req.url ~ "^/wp-admin") {{ return (pass); }}
    if (req.url ~ "^/unprobed") {{ set req.backend_hint = unprobed; }}
}}
sub vcl_backend_response {{
    set beresp.ttl = 1h;
    if (bereq.url ~ "^/never") {{ set beresp.ttl = 60s; set beresp.uncacheable = true; }}
    if (bereq.url ~ "^/short") {{ set beresp.ttl = 0.2s; set beresp.grace = 0s; }}
}}
"""


class Varnish(Service):
    """Three varnishd as user vcache; `daemons`, `exporters` and `backends` by name."""

    name: ClassVar[str] = "varnish"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.daemons: dict[str, Daemon] = {}
        self.exporters: dict[str, Daemon] = {}
        self.instances: dict[str, str] = {}
        self.backends: dict[str, Daemon] = {}
        self.ports = {node: free_port(address) for node, address in NODES.items()}
        self.backend_ports = {name: free_port(address) for name, address in BACKENDS.items()}
        pages = ("/", "/a", "/b", "/wp-admin", "/never", "/short")
        urls = [f"http://{NODES[node]}:{self.ports[node]}{page}" for page in pages for node in NODES]
        self.visitors = Daemon(
            lab.ledger,
            "visitors",
            [sys.executable, "-m", "tests.lab.visitors", str(VISITS_PER_S), *urls],
            Path.cwd(),
            lambda: True,
            log=self.folder / "visitors.log",
        )

    def start(self) -> None:
        """Backends, nodes, exporters, visitors; then SSH to each node."""
        for name, address in BACKENDS.items():
            self._backend(name, address)
        places = {f"{name}_port": str(port) for name, port in self.backend_ports.items()}
        self.vcl.write_text(VCL.format(**BACKENDS, **places), encoding="utf-8")
        for node in NODES:
            self._node(node)
        for node in NODES:
            wait_until(f"{node} ready", self.daemons[node].is_ready)
            self.exporters[node].start()
        self.visitors.start()
        self.lab.scrape("varnish", {at: node for node, at in self.instances.items()})
        ssh = self.lab.service(SshHosts)
        for node in NODES:
            ssh.add(node)

    def stop(self) -> None:
        """End them, the visitors first."""
        self.lab.unscrape("varnish")
        for daemon in (self.visitors, *self.exporters.values(), *self.daemons.values(), *self.backends.values()):
            daemon.stop()

    def config(self) -> dict[str, Any]:
        """The cache tier, and varnishadm on each node."""
        hosts = [{"host": node, "workdir": str(self.workdir(node)), "instance": self.instances[node]} for node in NODES]
        return {
            **self.lab.service(SshHosts).config(),
            "tiers": {"cache": {"expect": len(NODES), "match": ["cache-*"]}},
            "varnish": {"hosts": hosts, "interval_s": 1, "deadline_s": 5},
        }

    # -- for tests ------------------------------------------------------------------------------

    @property
    def vcl(self) -> Path:
        """The VCL of all nodes."""
        return self.folder / "default.vcl"

    def workdir(self, node: str) -> Path:
        """What `-n` takes."""
        return self.folder / node / "work"

    def url(self, node: str, path: str = "/") -> str:
        """A page of a node."""
        return f"http://{NODES[node]}:{self.ports[node]}{path}"

    def counters(self, node: str) -> dict[str, float]:
        """`varnishstat -1 -j` by name."""
        told = json.loads(self._tool("varnishstat", "-n", str(self.workdir(node)), "-1", "-j"))
        return {name: float(counter["value"]) for name, counter in told["counters"].items()}

    def admin(self, node: str, *words: str) -> str:
        """What varnishadm says."""
        return self._tool("varnishadm", "-n", str(self.workdir(node)), *words)

    def child(self, node: str) -> int:
        """The pid of the child, which serves; its parent is the daemon."""
        pid = self.daemons[node].pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return int(text.split()[0])

    def make_sick(self, backend: str) -> None:
        """Have a backend fail its probe, and nothing else."""
        (self.folder / backend / SICK).touch()

    def heal(self, backend: str) -> None:
        """And pass it again."""
        (self.folder / backend / SICK).unlink(missing_ok=True)

    # -- inside ---------------------------------------------------------------------------------

    def _tool(self, *command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

    def _backend(self, name: str, address: str) -> None:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        port = self.backend_ports[name]
        self.backends[name] = Daemon(
            self.lab.ledger,
            name,
            [sys.executable, str(Path(__file__).parents[1] / "toy_wordpress.py"), address, str(port)],
            folder,
            lambda: listens(address, port),
        )
        self.backends[name].start()

    def _node(self, node: str) -> None:
        folder = self.folder / node
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        address, port = NODES[node], self.ports[node]
        storage = "2m" if node == SMALL else "64m"
        command = [
            "varnishd", "-F", "-n", str(self.workdir(node)), "-a", f"{address}:{port}", "-f", str(self.vcl),
            "-s", f"s0=malloc,{storage}", "-p", "vcc_err_unref=off", "-p", "thread_pool_min=5",
            "-p", "workspace_backend=64k", "-j", "none",
        ]  # fmt: skip
        ready = [*("varnishadm", "-n", str(self.workdir(node))), "ping"]
        self.daemons[node] = Daemon(
            self.lab.ledger,
            f"varnishd-{node}",
            command,
            folder,
            lambda: listens(address, port) and subprocess.run(ready, capture_output=True, check=False).returncode == 0,
            user="vcache",
        )
        self.daemons[node].launch()
        at = f"{address}:{free_port(address)}"
        self.instances[node] = at
        self.exporters[node] = Daemon(
            self.lab.ledger,
            f"varnish-exporter-{node}",
            ["prometheus-varnish-exporter", "-n", str(self.workdir(node)), f"-web.listen-address={at}"],
            folder,
            lambda: answers(f"http://{at}/metrics"),
            user="vcache",
        )
