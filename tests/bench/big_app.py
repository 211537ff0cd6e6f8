"""The console under polling of a farm of any size: real polling, assembling and painting; only the network is left out.

    python -m tests.bench.big_app --machines 10000 --sites 50000 [--interval 5] [--screen topology]

Every poll gives every machine new figures. `stall` and `cpu` are written to the file named by --report when it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from farmtui.app import FarmApp
from farmtui.config import Config, parse_config
from farmtui.farm.farm import Farm, HostView, PrometheusView
from farmtui.farm.node import Exporter, HostMetrics
from farmtui.farm.reading import Reading
from farmtui.farm.sites import SiteBook
from farmtui.farm.traffic import Edge, EdgeNode, SiteTraffic
from farmtui.polling import Feed
from farmtui.showing import weigh
from farmtui.sources import Source
from farmtui.sources.prometheus.figures import Answer
from farmtui.sources.prometheus.site_rows import site_book

TIERS = ("edge", "cache", "app", "database", "storage", "monitoring")


WARM_S = 2.0
"""Seconds after the start in which nothing is measured."""


class BigPrometheus:
    """A source of a farm of `machines` machines whose figures all change with every poll."""

    name = kind = "prometheus"
    endpoint = "nowhere"

    def __init__(self, machines: int, sites: int, interval_s: float) -> None:
        self.interval_s = interval_s
        self._machines = machines
        self._sites = sites
        self._random = random.Random(1)

    async def poll(self) -> Reading[PrometheusView]:
        """Work in a thread, as decoding answers does."""
        began = time.perf_counter()
        view = await asyncio.to_thread(self._view)
        return Reading(view, datetime.now(UTC), time.perf_counter() - began, requests=92)

    def _view(self) -> PrometheusView:
        now, draw = datetime.now(UTC), self._random.random
        hosts = tuple(
            HostView(
                host=f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
                addresses=(f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",),
                name=f"m-{n:05d}",
                tier_hint=TIERS[n % len(TIERS)],
                exporters=(Exporter("node", f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}:9100", True),),
                metrics=HostMetrics(draw() * 0.8, draw() * 0.8, 64e9, draw() * 0.8, 1.0, 1e6, 1e6, 1e5, 0.0, now),
            )
            for n in range(self._machines)
        )
        busiest = tuple(SiteTraffic(f"site-{n}@docker", draw() * 100) for n in range(min(50, self._sites)))
        nodes = (EdgeNode("10.0.0.0:9100", 1e4 * draw(), 1.0, 10.0, now),)
        edge = Edge(nodes, (), 1e4 * draw(), 0.001, 0.2, self._sites, 0, (), busiest, ())
        return PrometheusView(edge=edge, hosts=hosts)

    async def close(self) -> None:
        """Nothing is held."""


class BigSites:
    """A source of `sites` sites whose figures all change with every poll; read as answers are."""

    name, kind, endpoint = "prometheus sites", "prometheus", "nowhere"

    def __init__(self, sites: int, interval_s: float) -> None:
        self.interval_s = interval_s
        self._names = [f"site-{n:05d}-example@docker" for n in range(sites)]
        self._random = random.Random(2)

    async def poll(self) -> Reading[SiteBook]:
        """Work in a thread, as decoding answers does."""
        began = time.perf_counter()
        book = await asyncio.to_thread(self._book)
        return Reading(book, datetime.now(UTC), time.perf_counter() - began, requests=14)

    def _book(self) -> SiteBook:
        draw = self._random.random
        by: dict[str, Callable[[], float]] = {
            "latency_p95_s": lambda: draw() * 0.9, "spent_ratio": lambda: draw() * 0.001, "hit_ratio": draw,
            "php_busy": draw, "php_requests_per_s": draw, "db_busy": draw, "cpu_cores": draw,
            "memory_bytes": lambda: draw() * 4e8,
        }  # fmt: skip
        answers = {f"site.{name}": Answer({(router,): value() for router in self._names}) for name, value in by.items()}
        answers["site.requests_per_s"] = Answer({(router, "web@docker"): draw() * 9 for router in self._names})
        answers["site.errors_per_s"] = Answer({(router,): draw() * 0.1 for router in self._names[::50]})
        return site_book(answers, target=0.999, window_s=30 * 86_400.0)

    async def close(self) -> None:
        """Nothing is held."""


class BigApp(FarmApp):
    """The console over the big source; measures how long its loop stands still."""

    def __init__(self, sources: Sequence[Source[Any]], screen: str, report: Path | None) -> None:
        super().__init__(self._config_now, read_only="a bench", first_screen=screen)
        self._sources = tuple(sources)
        self._report = report
        self._stalls: list[float] = []
        self.pictures = 0

    async def _config_now(self) -> Config:
        return parse_config("farm: {name: big}", Path("farmtui.yaml"))

    def make_feed(self, config: Config) -> Feed:
        """A feed over the given sources."""
        return Feed(config, sources=self._sources, on_farm=self.publish, weigh=partial(weigh, self._farm_screen))

    def publish(self, farm: Farm) -> None:
        """Count."""
        self.pictures += 1
        super().publish(farm)

    async def on_ready(self) -> None:
        """Beat."""
        self.run_worker(self._beat(), group="beat")

    async def _beat(self) -> None:
        # Not the start: then everything is imported.
        await asyncio.sleep(WARM_S)
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            self._stalls.append(time.perf_counter() - before - 0.01)

    async def on_unmount(self) -> None:
        """Say what was measured."""
        if self._report is not None:
            process = psutil.Process()
            stalls = sorted(self._stalls)
            told = {
                "pictures": self.pictures,
                "stall_p99_s": stalls[int(len(stalls) * 0.99)] if stalls else 0.0,
                "stall_max_s": stalls[-1] if stalls else 0.0,
                "rss_bytes": process.memory_info().rss,
                "cpu_s": sum(process.cpu_times()[:2]),
            }
            self._report.write_text(json.dumps(told))


def main() -> int:
    """Run until ctrl+c."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--machines", type=int, default=34)
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--interval", type=float, default=5.0)
    parser.add_argument("--sites-interval", type=float, default=15.0)
    parser.add_argument("--screen", default="overview")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    sources: list[Source[Any]] = [BigPrometheus(options.machines, options.sites, options.interval)]
    sources.append(BigSites(options.sites, options.sites_interval))
    app = BigApp(sources, options.screen, options.report)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    sys.exit(main())
