"""The simulated farm has the metrics that real daemons have, part by part: names, labels, types, kinds of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.calibration import differences, figures_of, simulated_farm
from tests.lab.daemons import wait_until
from tests.lab.services.edge import Edge, Interconnect
from tests.lab.services.galera import Galera
from tests.lab.services.prometheus import NodeExporter, Prometheus
from tests.lab.services.redis import Redis
from tests.lab.services.swarm import Swarm
from tests.lab.services.varnish import Varnish


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A farm in which a site fails, and backends are out of reach: more is to be seen than where all is well."""
    folder: Path = tmp_path_factory.mktemp("simulated")
    with simulated_farm(folder, "site-broken", "worker-down") as url:
        yield url


def test_the_edge(prometheus: Prometheus, edge: Edge, simulated: str) -> None:
    wait_until("traffic", lambda: prometheus.value("sum(rate(traefik_entrypoint_requests_total[5m]))") > 0)
    # The lab's certificates have no common name, as those of many authorities have none any more.
    absent = frozenset({"cn"})
    assert list(differences(figures_of("edge", "sites"), prometheus.url, simulated, absent)) == []


def test_the_interconnect(prometheus: Prometheus, interconnect: Interconnect, simulated: str) -> None:
    prometheus.wait_scraped("interconnect")
    assert list(differences(figures_of("probe"), prometheus.url, simulated)) == []


def test_varnish(prometheus: Prometheus, varnish: Varnish, simulated: str) -> None:
    prometheus.wait_scraped("varnish")
    assert list(differences(figures_of("cache"), prometheus.url, simulated)) == []


def test_redis(prometheus: Prometheus, redis: Redis, simulated: str) -> None:
    prometheus.wait_scraped("redis")
    assert list(differences(figures_of("redis"), prometheus.url, simulated)) == []


def test_the_database(prometheus: Prometheus, galera: Galera, simulated: str) -> None:
    prometheus.wait_scraped("galera")
    assert list(differences(figures_of("db"), prometheus.url, simulated)) == []


def test_the_swarm(prometheus: Prometheus, swarm: Swarm, simulated: str) -> None:
    prometheus.wait_scraped("dockerd")
    assert list(differences(figures_of("swarm"), prometheus.url, simulated)) == []


def test_machines(prometheus: Prometheus, node_exporters: NodeExporter, simulated: str) -> None:
    prometheus.wait_scraped("node")
    assert list(differences(figures_of("node"), prometheus.url, simulated)) == []
