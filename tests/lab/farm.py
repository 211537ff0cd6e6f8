"""A small farm of replayed daemons under a real Prometheus and two real Alertmanagers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.daemons import Daemon, wait_until
from tests.lab.replay import Exporter, Replay
from tests.lab.service import Lab, Service, console_config
from tests.lab.services.alertmanager import Alertmanagers
from tests.lab.services.prometheus import Prometheus, backfill

WEEK_S = 7 * 86_400.0
HIT_PER_S, MISS_PER_S = 90.0, 10.0
HIT_PER_S_LAST_WEEK = 97.0
"""Not served: what the back-filled history of last week has, out of 100 lookups a second."""

VARNISH = {
    "varnish_main_cache_hit": HIT_PER_S,
    "varnish_main_cache_miss": MISS_PER_S,
    "varnish_main_client_req": 105.0,
    "varnish_main_s_pass": 5.0,
    "varnish_main_uptime": 1.0,
}
ROUTER = (
    'traefik_router_requests_total{code="200",method="GET",protocol="http",router="site1@file",service="varnish@file"}'
)
TRAEFIK = {
    'traefik_entrypoint_requests_total{code="200",entrypoint="web",method="GET",protocol="http"}': 297.0,
    'traefik_entrypoint_requests_total{code="502",entrypoint="web",method="GET",protocol="http"}': 3.0,
    ROUTER: 290.0,
}
NODE = {f'node_cpu_seconds_total{{cpu="{cpu}",mode="{mode}"}}': rate
        for cpu in (0, 1) for mode, rate in (("idle", 0.75), ("user", 0.20), ("system", 0.05))}  # fmt: skip
"""A machine that is a quarter busy."""
GALERA = {"mysql_global_status_queries": 400.0, "mysql_global_status_uptime": 1.0}


@dataclass
class LabFarm:
    """What a test can reach: daemons to stop, exporters to change, the config that the console is given."""

    config: Path
    prometheus: Daemon
    prometheus_url: str
    alertmanagers: list[Daemon]
    alertmanager_urls: list[str]
    exporters: dict[str, Exporter]


@contextmanager
def lab_farm(lab: Lab) -> Iterator[LabFarm]:
    """Start everything, hand it over, stop exactly what was started."""
    now = time.time()
    began = now - WEEK_S - 8 * 3600.0
    exporters = {
        **{f"cache-{n}": Exporter(Replay("varnish", VARNISH, began), host=f"127.0.1.{10 + n}") for n in (1, 2, 3)},
        "redis-1": Exporter(Replay("redis", {"redis_commands_processed_total": 50.0}, began), host="127.0.1.11"),
        "redis-2": Exporter(Replay("redis_replica", {}, began), host="127.0.1.12"),
        **{f"db-{n}": Exporter(Replay("galera", GALERA, began), host=f"127.0.1.{20 + n}") for n in (1, 2, 3)},
        "edge-1": Exporter(Replay("traefik", TRAEFIK, began), host="127.0.1.31"),
        "ceph": Exporter(Replay("ceph_ok", {}, began, label="stor-1"), host="127.0.1.41"),
        "swarm": Exporter(Replay("swarm", {}, began), host="127.0.1.31"),
        **{
            f"node-{name}": Exporter(Replay("node", NODE, began, label=name), host=host)
            for name, host in (("cache-1", "127.0.1.11"), ("db-1", "127.0.1.21"), ("edge-1", "127.0.1.31"))
        },
    }
    jobs = {
        "varnish": ["cache-1", "cache-2", "cache-3"],
        "redis": ["redis-1", "redis-2"],
        "galera": ["db-1", "db-2", "db-3"],
        "traefik": ["edge-1"],
        "ceph": ["ceph"],
        "dockerd": ["swarm"],
        "node": ["node-cache-1", "node-db-1", "node-edge-1"],
    }
    server = Prometheus(lab)
    try:
        write_history(server.folder, exporters, jobs, now)
        for job, names in jobs.items():
            lab.scrape(job, {exporters[name].instance: machine(name) for name in names})
        server.start()
        alertmanagers = lab.service(Alertmanagers)
        wait_until("every exporter scraped", lambda: server.value("sum(up)") == len(exporters))
        yield LabFarm(
            console_config((server, alertmanagers, Tiers(lab)), lab.folder / "farmtui.yaml"),
            server.daemon,
            server.url,
            alertmanagers.daemons,
            alertmanagers.urls,
            exporters,
        )
    finally:
        server.stop()
        for exporter in exporters.values():
            exporter.close()


def machine(name: str) -> str:
    """The machine that an exporter belongs to, as its `node` label says."""
    return {"swarm": "edge-1", "ceph": "stor-1"}.get(name, name.removeprefix("node-"))


def write_history(folder: Path, exporters: dict[str, Exporter], jobs: dict[str, list[str]], now: float) -> None:
    """Seven hours before now, and the same hours a week ago, when the cache hit better."""
    recent = [now - 60.0 * minutes for minutes in range(420, 0, -1)]
    lines: list[str] = []
    for job, names in jobs.items():
        for name in names:
            exporter = exporters[name]
            target = {"instance": exporter.instance, "job": job, "node": machine(name)}
            if job == "varnish":
                rates = {**VARNISH, "varnish_main_cache_hit": HIT_PER_S_LAST_WEEK, "varnish_main_cache_miss": 3.0}
                before = Replay("varnish", rates, exporter.replay.began)
                lines += _interleaved(before.history([time - WEEK_S for time in recent], target),
                                      exporter.replay.history(recent, target))  # fmt: skip
            elif job in ("traefik", "galera", "redis", "node"):
                lines += list(exporter.replay.history(recent, target))
    backfill(folder, _grouped(lines))


def _interleaved(*parts: Iterator[str]) -> list[str]:
    return [line for part in parts for line in part]


def _grouped(lines: list[str]) -> str:
    """OpenMetrics wants each metric's lines together, and each series' in order of time."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("#"):
            continue
        name = line.partition("{")[0].partition(" ")[0]
        groups.setdefault(name, []).append(line)
    parts: list[str] = []
    for name, members in groups.items():
        parts.append(f"# TYPE {name} unknown")
        members.sort(key=lambda line: (line.rpartition("}")[0], float(line.rpartition(" ")[2])))
        parts += members
    return "\n".join(parts) + "\n"


class Tiers(Service):
    """What this farm's machines are."""

    name: ClassVar[str] = "tiers"

    def config(self) -> dict[str, Any]:
        """Two sites, and the tiers by name."""
        return {
            "farm": {"sites": 2},
            "tiers": {
                "edge": {"expect": 1, "match": ["edge-*"]},
                "cache": {"expect": 3, "match": ["cache-*"]},
                "database": {"expect": 3, "match": ["db-*"]},
                "storage": {"expect": 1, "match": ["ceph*", "stor-*"]},
            },
        }
