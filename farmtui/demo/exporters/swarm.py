"""The Docker engines' own metrics: Swarm's gauges, real on the leader alone; every other engine exports zeros."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from farmtui.demo.exporters.series import Family, Gauge, named
from farmtui.demo.exporters.targets import Targets
from farmtui.demo.promql.series import Series
from farmtui.demo.world.changes import engine_answers
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import APP, EDGE
from farmtui.demo.world.world import World

NODE_STATES = ("disconnected", "down", "ready", "unknown")
TASK_STATES = [
    "accepted",
    "assigned",
    "complete",
    "failed",
    "new",
    "orphaned",
    "pending",
    "preparing",
    "ready",
    "rejected",
    "remove",
    "running",
    "shutdown",
    "starting",
]
INFRASTRUCTURE_SERVICES = 6
"""Traefik, cAdvisor, the node agent, cron, and the like: global services with a task per node or manager."""


class SwarmExporter:
    """The metrics of all Docker engines."""

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets

    def families(self) -> list[Family]:
        """All metrics of the engines."""
        name = "swarm_manager_{}".format
        return [
            Family("swarm_node_manager", "gauge", "Whether this node is a manager or not", self._manager),
            Family(name("leader"), "gauge", "Indicates if this manager node is a leader", self._leader),
            Family(
                name("nodes"),
                "gauge",
                "The number of nodes",
                partial(self._by_state, name("nodes"), NODE_STATES, self._nodes),
            ),
            Family(
                name("tasks_total"),
                "gauge",
                "The number of tasks in the cluster object store",
                partial(self._by_state, name("tasks_total"), TASK_STATES, self._tasks),
            ),
            Family(
                name("services_total"), "gauge", "The number of services in the cluster object store", self._services
            ),
        ]

    def tasks(self, now: Condition, t: float) -> dict[str, int]:
        """Tasks by state, as the leader counts them."""
        farm = self._world.farm
        starting = max(0, round(now.swarm.starting.value(t)))
        sites = round(sum(now.swarm.tasks.values()))
        ready = sum(1 for m in (*farm.tiers[EDGE], *farm.tiers[APP]) if engine_answers(now, farm, m.name))
        preparing = starting // 3
        # Each task that was moved leaves its old one behind, up to five of a service.
        return {
            "running": sites - starting - now.swarm.failing + 2 * ready + len(farm.tiers[EDGE]),
            "preparing": preparing,
            "starting": starting - preparing,
            "pending": now.swarm.failing,
            "failed": 4 * now.swarm.failing,
            "shutdown": 212 + 2 * starting,
            "rejected": 0,
        }

    def _gauge(self, name: str, compute: Callable[[str], Callable[[float], float]]) -> list[Series]:
        return [
            Gauge(named(name, t.labels), self._targets.answering(t), compute(t.machine.name))
            for t in self._targets.of("docker")
        ]

    def _manager(self) -> list[Series]:
        managers = {m.name for m in self._world.farm.tiers[EDGE]}
        return self._gauge("swarm_node_manager", lambda node: lambda _t: float(node in managers))

    def _leader(self) -> list[Series]:
        timeline = self._world.timeline
        return self._gauge(
            "swarm_manager_leader", lambda node: lambda t: float(timeline.at(t).condition.swarm.leader == node)
        )

    def _services(self) -> list[Series]:
        count = float(len(self._world.farm.sites) + INFRASTRUCTURE_SERVICES)
        timeline = self._world.timeline
        return self._gauge(
            "swarm_manager_services_total",
            lambda node: lambda t: count if timeline.at(t).condition.swarm.leader == node else 0.0,
        )

    def _nodes(self, t: float) -> dict[str, int]:
        now, farm = self._world.timeline.at(t).condition, self._world.farm
        engines = (*farm.tiers[EDGE], *farm.tiers[APP])
        ready = sum(1 for m in engines if engine_answers(now, farm, m.name))
        return {"ready": ready, "down": len(engines) - ready}

    def _tasks(self, t: float) -> dict[str, int]:
        return self.tasks(self._world.timeline.at(t).condition, t)

    def _by_state(
        self, name: str, states: tuple[str, ...] | list[str], count: Callable[[float], dict[str, int]]
    ) -> list[Series]:
        timeline = self._world.timeline

        def compute(node: str, state: str, t: float) -> float:
            return float(count(t).get(state, 0)) if timeline.at(t).condition.swarm.leader == node else 0.0

        return [
            Gauge(
                named(name, target.labels, state=state),
                self._targets.answering(target),
                partial(compute, target.machine.name, state),
            )
            for target in self._targets.of("docker")
            for state in states
        ]
