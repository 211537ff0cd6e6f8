"""Prometheus, scraping whatever the lab's other services have written down for it, and a node exporter."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import yaml

from tests.lab.daemons import Daemon, answers, as_host, free_port, get_json, wait_until
from tests.lab.service import Lab, Service
from tests.lab.services.alertmanager import Alertmanagers

SCRAPE_S = 1
RULES = Path(__file__).parents[1] / "data" / "rules.yml"


class Prometheus(Service):
    """One Prometheus, which tells the lab's Alertmanagers. Targets may be given at any time (`Lab.scrape`)."""

    name: ClassVar[str] = "prometheus"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rules = RULES.read_text(encoding="utf-8")
        """The text of a rule file; another one may be given before it starts."""
        self.daemon = Daemon(
            lab.ledger,
            "prometheus",
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--storage.tsdb.retention.time=30d",
                "--storage.tsdb.allow-overlapping-blocks",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--rules.alert.resend-delay=2s",
                "--web.enable-lifecycle",
            ],
            self.folder,
            lambda: answers(f"{self.url}/-/ready"),
        )

    def start(self) -> None:
        """Write its config and start it."""
        alertmanagers = self.lab.service(Alertmanagers)
        (self.folder / "rules.yml").write_text(self.rules, encoding="utf-8")
        interval = f"{SCRAPE_S}s"
        config = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {
                    "job_name": "lab",
                    "file_sd_configs": [{"files": [f"{self.lab.targets}/*.json"], "refresh_interval": "1s"}],
                }
            ],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": alertmanagers.addresses}]}]},
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.daemon.start()

    def stop(self) -> None:
        """End it."""
        self.daemon.stop()

    def config(self) -> dict[str, Any]:
        """The console polls it each second."""
        return {"prometheus": {"url": self.url, "interval_s": 1, "deadline_s": 5, "trends_interval_s": 5}}

    def query(self, promql: str) -> list[Any]:
        """An instant query's result, as Prometheus itself gives it."""
        result: list[Any] = get_json(f"{self.url}/api/v1/query?query={quote(promql)}")["data"]["result"]
        return result

    def value(self, promql: str) -> float:
        """The single number that a query gives; NaN where it gives none."""
        result = self.query(promql)
        return float(result[0]["value"][1]) if result else float("nan")

    def wait_scraped(self, job: str) -> None:
        """Wait until every target of a job answers."""
        wait_until(f"{job} scraped", lambda: self.value(f'min(up{{job="{job}"}})') == 1.0)


class NodeExporter(Service):
    """The node exporter of this machine, as several machines of the farm: it is one kernel in truth."""

    name: ClassVar[str] = "node_exporters"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.machines: dict[str, str] = {}
        """Loopback address by machine name; given before it starts."""
        self.daemons: dict[str, Daemon] = {}
        self.instances: dict[str, str] = {}
        """Machine name by where its exporter listens."""

    def start(self) -> None:
        """One exporter on each machine's address."""
        for name, address in (self.machines or {"lab-1": "127.0.1.1"}).items():
            port = free_port(address)
            self.instances[f"{address}:{port}"] = name
            self.daemons[name] = Daemon(
                self.lab.ledger,
                f"node-{name}",
                as_host(name, "nobody", ["prometheus-node-exporter", f"--web.listen-address={address}:{port}"]),
                self.folder,
                lambda at=f"{address}:{port}": answers(f"http://{at}/"),  # type: ignore[misc]
            )
            self.daemons[name].launch()
        for daemon in self.daemons.values():
            wait_until(f"{daemon.name} ready", daemon.is_ready)
        self.lab.scrape("node", self.instances)

    def stop(self) -> None:
        """End them."""
        for daemon in self.daemons.values():
            daemon.stop()
        self.lab.unscrape("node")


def backfill(folder: Path, openmetrics: str) -> None:
    """Write history into the data folder of a Prometheus that is not running yet."""
    path = folder / "history.om"
    path.write_text(openmetrics + "# EOF\n", encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=168h", str(path), "data"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    path.unlink()
