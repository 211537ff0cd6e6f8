"""A tunnel between two sites, in a network namespace of its own, with all that measures it."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.lab.daemons import Daemon, answers, free_port
from tests.lab.networks import ip
from tests.lab.service import Lab, Service

HERE = Path(__file__).parents[1]
NEAR, FAR = "10.99.0.1/30", "10.99.0.2"


class Tunnel(Service):
    """`wg0`, whose far end answers pings late, or not at all, with smokeping_prober, blackbox and node exporter."""

    name: ClassVar[str] = "tunnel"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.netns = f"farmtui-vpn-{os.getpid()}"
        self.control = self.folder / "control.json"
        ports = {name: free_port() for name in ("node", "smokeping", "blackbox")}
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        inside = ["nsenter", f"--net=/run/netns/{self.netns}"]
        python, at = sys.executable, self.addresses
        commands: dict[str, list[str]] = {
            "far-end": [*inside, python, str(HERE / "far_end.py"), "wg0", NEAR, str(self.control)],
            "window": [python, str(HERE / "window.py"), f"/run/netns/{self.netns}", *map(str, ports.values())],
            "node": [
                # What /sys tells is of the namespace in which it was mounted.
                *inside, "unshare", "--mount", "sh", "-c", 'mount -t sysfs sysfs /sys && exec "$0" "$@"',
                "prometheus-node-exporter", f"--web.listen-address={at['node']}", "--collector.netdev.address-info",
            ],
            "smokeping": [
                *inside, "prometheus-smokeping-prober", "--privileged", "--config.file=",
                f"--web.listen-address={at['smokeping']}", "--ping.interval=0.2s", FAR,
            ],
            "blackbox": [
                *inside, "prometheus-blackbox-exporter", "--config.file=blackbox.yml",
                f"--web.listen-address={at['blackbox']}",
            ],
        }  # fmt: skip
        self.daemons = {
            name: Daemon(lab.ledger, f"tunnel-{name}", command, self.folder, partial(self._is_ready, name))
            for name, command in commands.items()
        }

    def _is_ready(self, name: str) -> bool:
        """The far end and the window are there when what stands behind them answers."""
        return name not in self.addresses or answers(f"http://{self.addresses[name]}/metrics")

    def set(self, delay_s: float = 0.012, loss: float = 0.0) -> None:
        """From now on the far end answers so late, and loses so many (0-1)."""
        new = self.control.with_suffix(".new")
        new.write_text(json.dumps({"delay_s": delay_s, "loss": loss}), encoding="utf-8")
        new.replace(self.control)

    def start(self) -> None:
        """The namespace, the far end, the probers, and the window through which Prometheus asks them."""
        self.set()
        self.lab.ledger.netns(self.netns)
        ip("netns", "add", self.netns)
        ip("-n", self.netns, "link", "set", "lo", "up")
        modules = {"modules": {"icmp": {"prober": "icmp", "timeout": "0.8s"}}}
        (self.folder / "blackbox.yml").write_text(yaml.safe_dump(modules), encoding="utf-8")
        for name in ("window", "far-end", "node", "smokeping", "blackbox"):
            self.daemons[name].start()

    def watch(self) -> None:
        """Have Prometheus ask its probers. Only while its own tests run: the other link is one interconnect with it."""
        self.lab.scrape("node", {self.addresses["node"]: "gw-1"}, owner="tunnel")
        self.lab.scrape("smokeping", {self.addresses["smokeping"]: "gw-1"})
        self.lab.probe("interconnect", self.addresses["blackbox"], FAR, module="icmp", owner="tunnel")

    def unwatch(self) -> None:
        """Have Prometheus forget them."""
        for job, owner in (("node", "tunnel"), ("smokeping", ""), ("interconnect", "tunnel")):
            self.lab.unscrape(job, owner)

    def stop(self) -> None:
        """End all of it."""
        self.unwatch()
        for daemon in reversed(list(self.daemons.values())):
            daemon.stop()
        ip("netns", "del", self.netns)

    def config(self) -> dict[str, Any]:
        """Nothing is declared: all of it is found."""
        return {}
