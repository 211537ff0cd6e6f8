"""The database: three MariaDB that are one Galera cluster, an exporter each, and a steady writer."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.daemons import Daemon, answers, free_port, wait_until
from tests.lab.service import Lab, Service, quick_queries

NODES = {"db-1": "127.0.1.21", "db-2": "127.0.1.22", "db-3": "127.0.1.23"}
PASSWORD = "lab"
SYNCED = 4
_USER = "mysql"

QUICK = {"db.flow_control_ratio": {"5m": "15s"}, "db.flow_control_sent_per_s": {"5m": "15s"}}


class Galera(Service):
    """Three mariadbd as user mysql. The first bootstraps the cluster; a node that comes back joins it."""

    name: ClassVar[str] = "galera"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.daemons: dict[str, Daemon] = {}
        self.exporters: dict[str, Daemon] = {}
        self.instances: dict[str, str] = {}
        self.ports = {node: free_port(address) for node, address in NODES.items()}
        self.cluster_ports = {node: free_port(address) for node, address in NODES.items()}

    def start(self) -> None:
        """One data folder is made and copied; then the first node, the others, the exporters."""
        template = self.folder / "template"
        template.mkdir()
        shutil.chown(template, _USER, _USER)
        self._install(template)
        for node in NODES:
            self._prepare(node, template)
        self.bootstrap()
        for user, rights in (("exporter", "PROCESS, REPLICATION CLIENT, SELECT, SLAVE MONITOR"), ("lab", "ALL")):
            self.sql("db-1", f"GRANT {rights} ON *.* TO '{user}'@'%' IDENTIFIED BY '{PASSWORD}'")
        self.sql(
            "db-1", "CREATE DATABASE shop; CREATE TABLE shop.visits (id INT PRIMARY KEY AUTO_INCREMENT, at DOUBLE)"
        )
        for node in NODES:
            self._export(node)
        self.lab.scrape("galera", {at: node for node, at in self.instances.items()})

    def stop(self) -> None:
        """End them."""
        self.lab.unscrape("galera")
        for daemon in (*self.exporters.values(), *reversed(self.daemons.values())):
            daemon.stop()

    def config(self) -> dict[str, Any]:
        """The database tier; flow control over the last seconds: over minutes a burst of it is none."""
        return {
            "tiers": {"database": {"expect": len(NODES), "match": ["db-*"]}},
            "prometheus": {"queries": quick_queries(QUICK)},
        }

    # -- for tests ------------------------------------------------------------------------------

    def sql(self, node: str, statement: str, *, timeout_s: float = 20.0) -> str:
        """What a statement gives, by the node's own socket, tabs between columns."""
        command = ["mariadb", "--socket", str(self._socket(node)), "--user", "root", "--batch", "--skip-column-names"]
        done = subprocess.run(
            [*command, "--execute", statement], capture_output=True, text=True, check=False, timeout=timeout_s
        )
        if done.returncode != 0:
            raise RuntimeError(f"{node}: {done.stderr}")
        return done.stdout

    def status(self, node: str, like: str = "wsrep%") -> dict[str, str]:
        """`SHOW GLOBAL STATUS LIKE ...` by name."""
        rows = self.sql(node, f"SHOW GLOBAL STATUS LIKE '{like}'").splitlines()
        return dict(row.split("\t", 1) for row in rows if "\t" in row)

    def synced(self, node: str) -> bool:
        """Whether a node takes part fully."""
        try:
            return self.status(node).get("wsrep_local_state") == str(SYNCED)
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    def whole(self) -> bool:
        """Whether all three are in one cluster, synced."""
        try:
            sizes = {self.status(node).get("wsrep_cluster_size") for node in NODES}
        except (RuntimeError, subprocess.TimeoutExpired):
            return False
        return sizes == {str(len(NODES))} and all(map(self.synced, NODES))

    def bootstrap(self) -> None:
        """Begin the cluster anew from the first node, and have the others join: also after total loss."""
        state = self.folder / "db-1" / "data" / "grastate.dat"
        if state.exists():
            state.write_text(state.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        self._daemon("db-1", "--wsrep-new-cluster").start()
        for node in list(NODES)[1:]:
            self.join(node)
        wait_until("Galera whole", self.whole, 60.0)

    def join(self, node: str) -> None:
        """Start a node, and wait until it is synced."""
        self._daemon(node).start()
        wait_until(f"{node} synced", lambda: self.synced(node), 60.0)

    # -- inside ---------------------------------------------------------------------------------

    def _install(self, folder: Path) -> None:
        command = ["mariadb-install-db", f"--datadir={folder}", f"--user={_USER}", "--skip-test-db"]
        command.append("--auth-root-authentication-method=normal")
        subprocess.run(command, capture_output=True, check=True, timeout=120)

    def _prepare(self, node: str, template: Path) -> None:
        folder = self.folder / node
        folder.mkdir()
        # With what belongs to whom: rsync's state transfer runs as the user of the database.
        subprocess.run(["cp", "-a", str(template), str(folder / "data")], check=True)
        shutil.chown(folder, _USER, _USER)

    def _daemon(self, node: str, *more: str) -> Daemon:
        folder, address = self.folder / node, NODES[node]
        members = ",".join(f"{NODES[each]}:{port}" for each, port in self.cluster_ports.items())
        cluster_port = self.cluster_ports[node]
        options = (
            f"gmcast.listen_addr=tcp://{address}:{cluster_port};ist.recv_addr={address}:{free_port(address)};"
            "evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;evs.keepalive_period=PT0.5S;"
            "gcs.fc_limit=4;gcs.fc_master_slave=YES"
        )
        command = [
            "mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--socket={self._socket(node)}",
            f"--pid-file={folder}/pid", f"--bind-address={address}", f"--port={self.ports[node]}",
            "--binlog-format=ROW", "--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2",
            "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0",
            "--performance-schema=OFF", "--max-connections=60",
            "--wsrep-on=ON", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-name=lab",
            f"--wsrep-cluster-address=gcomm://{members}", f"--wsrep-node-address={address}:{cluster_port}",
            f"--wsrep-node-name={node}", "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address={address}:{free_port(address)}",
            f"--wsrep-provider-options={options}", *more,
        ]  # fmt: skip
        self.daemons[node] = Daemon(
            self.lab.ledger, f"mariadbd-{node}", command, folder, lambda: self._answers(node), user=_USER, ready_s=60.0
        )
        return self.daemons[node]

    def _answers(self, node: str) -> bool:
        try:
            return self.sql(node, "SELECT 1").strip() == "1"
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    def _socket(self, node: str) -> Path:
        return self.folder / node / "sock"

    def _export(self, node: str) -> None:
        address = NODES[node]
        at = f"{address}:{free_port(address)}"
        self.instances[node] = at
        self.exporters[node] = Daemon(
            self.lab.ledger,
            f"mysqld-exporter-{node}",
            ["prometheus-mysqld-exporter", f"--web.listen-address={at}", "--exporter.lock_wait_timeout=2"],
            self.folder,
            lambda: answers(f"http://{at}/metrics"),
            user="nobody",
            environment={"DATA_SOURCE_NAME": f"exporter:{PASSWORD}@({address}:{self.ports[node]})/"},
        )
        self.exporters[node].start()


def write(galera: Galera, node: str, rows: int) -> None:
    """Write so many rows through a node, each a transaction of its own."""
    statements = ";".join(f"INSERT INTO shop.visits (at) VALUES ({time.time() + row})" for row in range(rows))
    galera.sql(node, statements, timeout_s=60.0)
