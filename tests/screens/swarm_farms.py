"""Farms that are their Swarm: three managers and a worker, well but for what a test changes."""

from __future__ import annotations

import dataclasses
from typing import Any

from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness
from farmtui.farm.swarm import SwarmCluster, SwarmNode, SwarmService, SwarmTask
from tests.screens.farms import ago, make_farm, make_source

NO_PLACE = "no suitable node (scheduling constraints not satisfied on 4 nodes)"


def manager(number: int, **changes: Any) -> SwarmNode:
    """A manager that is well but for the changes."""
    node = SwarmNode(f"m{number}", f"edge-{number}", "manager", "active", "ready", "reachable", leader=number == 1)
    return dataclasses.replace(node, **changes)


def worker(number: int = 1, **changes: Any) -> SwarmNode:
    """A worker that is well but for the changes."""
    return dataclasses.replace(SwarmNode(f"w{number}", f"worker-{number}", "worker", "active", "ready"), **changes)


def service(running: int | None = 4, desired: int | None = 4, **changes: Any) -> SwarmService:
    """A replicated service."""
    made = SwarmService("s1", "wordpress", "replicated", "wordpress:6", desired, running)
    return dataclasses.replace(made, **changes)


def task(error: str = "", state: str = "failed", **changes: Any) -> SwarmTask:
    """A task of it."""
    made = SwarmTask("t1", "s1", "wordpress", 1, "w1", "worker-1", "shutdown", state, error=error, since=ago(1))
    return dataclasses.replace(made, **changes)


def swarm(
    *nodes: SwarmNode,
    services: tuple[SwarmService, ...] = (),
    tasks: tuple[SwarmTask, ...] = (),
    freshness: Freshness = Freshness.LIVE,
    **changes: Any,
) -> Farm:
    """A farm that is its Swarm: three managers and a worker unless other nodes are given."""
    members = nodes or (manager(1), manager(2), manager(3), worker())
    cluster = SwarmCluster("swarm", "edge-1", members, services, tasks, quorum=True, read_at=ago(0.1))
    farm = make_farm(sources=[make_source("swarm", freshness)])
    return dataclasses.replace(farm, swarm_cluster=dataclasses.replace(cluster, **changes))
