"""The edge: a real Traefik in front of a toy backend, with traffic, and a blackbox exporter that probes a link."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any, ClassVar

import trustme
import yaml

from tests.lab.daemons import Daemon, answers, free_port, listens
from tests.lab.service import Lab, Service

ADDRESS = "127.0.1.31"
SITES = ("site-1.example", "site-2.example", "site-3.example")
"""The last has a backend that nobody answers for: its visitors get 502."""


class Edge(Service):
    """One Traefik with router metrics, two sites that work, one that does not, and steady visitors.

    What runs on Python runs as whoever starts the lab: another user may not be let into its environment.
    """

    name: ClassVar[str] = "edge"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.web, self.tls, self.metrics, self.origin = (free_port(ADDRESS) for _ in range(4))
        self.instance = f"{ADDRESS}:{self.metrics}"
        traefik = Path(sysconfig.get_path("scripts")) / "traefik"
        self.traefik = Daemon(
            lab.ledger,
            "traefik",
            [str(traefik), "--configFile=traefik.yml"],
            self.folder,
            lambda: answers(f"http://{self.instance}/ping"),
            user="nobody",
        )
        self.backend = Daemon(
            lab.ledger,
            "origin",
            [sys.executable, "-m", "http.server", "--bind", ADDRESS, str(self.origin)],
            self.folder,
            lambda: listens(ADDRESS, self.origin),
        )
        self.visitors = Daemon(
            lab.ledger,
            "visitors",
            [
                sys.executable,
                "-m",
                "tests.lab.visitors",
                "20",
                *(f"http://{ADDRESS}:{self.web}/#{site}" for site in SITES),
            ],
            Path.cwd(),
            lambda: True,
            log=self.folder / "visitors.log",
        )

    def start(self) -> None:
        """Write the configuration, start the backend, then Traefik, then the visitors."""
        self._write_config()
        self.backend.start()
        self.traefik.start()
        self.visitors.start()
        self.lab.scrape("traefik", {self.instance: "edge-1"})

    def stop(self) -> None:
        """End them, the visitors first."""
        for daemon in (self.visitors, self.traefik, self.backend):
            daemon.stop()
        self.lab.unscrape("traefik")

    def config(self) -> dict[str, Any]:
        """The edge tier."""
        return {"farm": {"sites": len(SITES)}, "tiers": {"edge": {"expect": 1, "match": ["edge-*"]}}}

    def _write_config(self) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert(*SITES)
        certificate.private_key_pem.write_to_path(self.folder / "key.pem")
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(self.folder / "cert.pem", append=True)
        # A key of an hour, for names that no resolver knows, readable by the user that serves with it.
        (self.folder / "key.pem").chmod(0o644)
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "entryPoints": {
                "web": {"address": f"{ADDRESS}:{self.web}"},
                "websecure": {"address": f"{ADDRESS}:{self.tls}"},
                "traefik": {"address": self.instance},
            },
            "ping": {"entryPoint": "traefik"},
            "api": {"insecure": True},
            "metrics": {"prometheus": {"entryPoint": "traefik", "addRoutersLabels": True}},
            "providers": {"file": {"filename": str(self.folder / "dynamic.yml")}},
        }
        dead = free_port(ADDRESS)
        dynamic = {
            "http": {
                "routers": {
                    site.partition(".")[0]: {
                        "rule": f"Host(`{site}`)",
                        "entryPoints": ["web"],
                        "service": "gone" if site == SITES[-1] else "varnish",
                    }
                    for site in SITES
                },
                "services": {
                    name: {
                        "loadBalancer": {
                            "servers": [{"url": f"http://{ADDRESS}:{port}"}],
                            "healthCheck": {"path": "/", "interval": "1s", "timeout": "1s"},
                        }
                    }
                    for name, port in (("varnish", self.origin), ("gone", dead))
                },
            },
            "tls": {
                "certificates": [{"certFile": str(self.folder / "cert.pem"), "keyFile": str(self.folder / "key.pem")}]
            },
        }
        (self.folder / "traefik.yml").write_text(yaml.safe_dump(static), encoding="utf-8")
        (self.folder / "dynamic.yml").write_text(yaml.safe_dump(dynamic), encoding="utf-8")


class Interconnect(Service):
    """A blackbox exporter that probes the other side of a link, by TCP, as a farm would probe its VPN."""

    name: ClassVar[str] = "interconnect"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.port, self.far = free_port(), free_port("127.0.1.99")
        self.exporter = Daemon(
            lab.ledger,
            "blackbox",
            [
                "prometheus-blackbox-exporter",
                "--config.file=blackbox.yml",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            self.folder,
            lambda: answers(f"http://127.0.0.1:{self.port}/-/healthy"),
            user="nobody",
        )
        self.other_side = Daemon(
            lab.ledger,
            "other-side",
            [sys.executable, "-m", "http.server", "--bind", "127.0.1.99", str(self.far)],
            self.folder,
            lambda: listens("127.0.1.99", self.far),
        )

    def start(self) -> None:
        """Both ends, then the probe."""
        modules = {"modules": {"tcp_connect": {"prober": "tcp", "timeout": "1s"}}}
        (self.folder / "blackbox.yml").write_text(yaml.safe_dump(modules), encoding="utf-8")
        self.other_side.start()
        self.exporter.start()
        self.lab.probe("interconnect", f"127.0.0.1:{self.port}", f"127.0.1.99:{self.far}")

    def stop(self) -> None:
        """End both."""
        self.lab.unscrape("interconnect")
        self.exporter.stop()
        self.other_side.stop()
