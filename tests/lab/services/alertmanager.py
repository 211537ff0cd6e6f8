"""Two Alertmanagers that are one cluster."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.lab.daemons import Daemon, answers, free_port, wait_until
from tests.lab.service import Lab, Service

CONFIG = """
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: nobody
"""


class Alertmanagers(Service):
    """The replicas; `urls` are theirs, in order."""

    name: ClassVar[str] = "alertmanagers"

    def __init__(self, lab: Lab, replicas: int = 2) -> None:
        super().__init__(lab)
        cluster = [free_port() for _ in range(replicas)]
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in range(replicas)]
        self.urls = [f"http://{address}" for address in self.addresses]
        self.daemons: list[Daemon] = []
        for index, (address, port) in enumerate(zip(self.addresses, cluster, strict=True)):
            folder = self.folder / str(index + 1)
            folder.mkdir(exist_ok=True)
            (folder / "alertmanager.yml").write_text(CONFIG, encoding="utf-8")
            command = [
                "prometheus-alertmanager",
                "--config.file=alertmanager.yml",
                "--storage.path=data",
                f"--web.listen-address={address}",
                f"--cluster.listen-address=127.0.0.1:{port}",
                "--cluster.gossip-interval=100ms",
                "--cluster.settle-timeout=2s",
                *(f"--cluster.peer=127.0.0.1:{peer}" for peer in cluster[:index]),
            ]
            self.daemons.append(
                Daemon(
                    lab.ledger,
                    f"alertmanager-{index + 1}",
                    command,
                    folder,
                    lambda address=address: answers(f"http://{address}/-/ready"),  # type: ignore[misc]
                )
            )

    def start(self) -> None:
        """Start all, then wait for all: the second joins the first."""
        for daemon in self.daemons:
            daemon.launch()
        for daemon in self.daemons:
            wait_until(f"{daemon.name} ready", daemon.is_ready)

    def stop(self) -> None:
        """End them."""
        for daemon in self.daemons:
            daemon.stop()

    def config(self) -> dict[str, Any]:
        """All replicas, asked each second."""
        return {"alertmanager": {"urls": self.urls, "interval_s": 1, "deadline_s": 5}}
