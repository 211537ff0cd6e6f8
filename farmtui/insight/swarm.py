"""Faults of the Swarm: by its managers' own word where they are asked, else by what its metrics count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from farmtui.farm.farm import Farm
from farmtui.farm.node import Tier
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmCluster, SwarmNode, SwarmService, SwarmTask
from farmtui.farm.units import ago, plural
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines

_NAMED = 5
_STOPPED_UPDATE = ("paused", "rollback_paused")
_ROLLED_BACK = ("rollback_started", "rollback_completed")
_TOPICS_TASKS = ("swarmtask", "taskspending", "swarmservice")


def swarm_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """A leader, managers and nodes that are lost or set aside, services that run too little, updates that stand."""
    cluster = farm.swarm_cluster
    if cluster is not None and farm.freshness("swarm") in (Freshness.LIVE, Freshness.AGEING):
        yield from _told(farm, cluster, machines)
    elif farm.swarm is not None:
        yield from _counted(farm, machines)


# -- by the managers' own word ------------------------------------------------------------------


def _told(farm: Farm, cluster: SwarmCluster, machines: Machines) -> Iterator[Finding]:
    managers = [node for node in cluster.nodes if node.role == "manager"]
    if cluster.quorum is False:
        yield _no_leader(farm, cluster, managers)
        return
    lost = [node for node in managers if node.reachability != "reachable" or node.state != "ready"]
    if lost:
        yield _managers_lost(managers, lost, machines)
    workers = [node for node in cluster.nodes if node.role != "manager" and node.state != "ready"]
    if workers:
        yield _workers_lost(cluster, workers, machines)
    for availability, word in (("drain", "drained"), ("pause", "paused")):
        aside = [n for n in cluster.nodes if n.availability == availability and n.state == "ready"]
        if aside:
            yield _set_aside(aside, word, machines)
    by_service: dict[str, list[SwarmTask]] = {}
    for task in cluster.tasks:
        by_service.setdefault(task.service_id, []).append(task)
    for service in cluster.services:
        yield from _service(service, by_service.get(service.id, []))


def _no_leader(farm: Farm, cluster: SwarmCluster, managers: Sequence[SwarmNode]) -> Finding:
    evidence = [f"{cluster.manager} answers, and says so"]
    if managers and cluster.read_at is not None:
        named = ", ".join(node.hostname for node in managers)
        before = ago((farm.at - cluster.read_at).total_seconds())
        evidence.append(f"managers {named}; services and tasks are as they were {before}")
    return Finding(
        "swarm/leader", Severity.CRITICAL, "Swarm has no leader",
        "too few of its managers see each other: nothing can be deployed, scaled or moved; what runs goes on running",
        tuple(evidence), screen="compute", part="swarm", topics=("swarmleader", "swarmquorum", "swarmmanager"),
    )  # fmt: skip


def _managers_lost(managers: Sequence[SwarmNode], lost: Sequence[SwarmNode], machines: Machines) -> Finding:
    reachable = len(managers) - len(lost)
    margin = reachable - (len(managers) // 2 + 1)
    left = f"it bears the loss of {margin} more" if margin > 0 else "the loss of one more stops every change"
    names = _names(lost)
    return Finding(
        "swarm/managers", Severity.WARNING, f"Swarm manager {names} is lost" if len(lost) == 1
        else f"{len(lost)} Swarm managers are lost",
        f"{reachable} of {len(managers)} managers see each other: {left}",
        tuple(f"{node.hostname}: {node.reachability or 'unknown'}, {node.state}" for node in lost[:_NAMED]),
        _subject(lost, machines), "compute", "swarm", stakes=left, topics=("swarmmanager", "swarmnode"),
    )  # fmt: skip


def _workers_lost(cluster: SwarmCluster, lost: Sequence[SwarmNode], machines: Machines) -> Finding:
    messages = tuple(f"{node.hostname}: {node.message or node.state}" for node in lost[:_NAMED])
    return Finding(
        "swarm/nodes", Severity.WARNING,
        f"Swarm has lost {_names(lost)}" if len(lost) <= _NAMED
        else f"Swarm has lost {len(lost)} of {len(cluster.nodes)} nodes",
        "their tasks are started on the nodes that are left", messages, _subject(lost, machines),
        "compute", "swarm", topics=("swarmnode",),
    )  # fmt: skip


def _set_aside(nodes: Sequence[SwarmNode], word: str, machines: Machines) -> Finding:
    command = "docker node update --availability active NODE"
    return Finding(
        f"swarm/{word}", Severity.INFO, f"{_names(nodes)} {'is' if len(nodes) == 1 else 'are'} {word}",
        "somebody has set it aside: no task is placed there", (f"to take it back: {command}",),
        _subject(nodes, machines), "compute", "swarm",
    )  # fmt: skip


def _service(service: SwarmService, tasks: Sequence[SwarmTask]) -> Iterator[Finding]:
    subject: Thing = ("swarm-service", service.id)
    if service.short:
        severity = Severity.CRITICAL if service.running == 0 else Severity.WARNING
        if service.update_state == "updating" and service.running:
            severity = Severity.INFO
        yield Finding(
            f"swarm/service/{service.id}", severity,
            f"service {service.name} runs {service.running} of {service.desired} tasks",
            why_short(service, tasks), (f"image {service.image}",), subject, "compute", "swarm", topics=_TOPICS_TASKS,
        )  # fmt: skip
    if service.update_state in _STOPPED_UPDATE:
        yield Finding(
            f"swarm/update/{service.id}", Severity.WARNING, f"the update of {service.name} stands still",
            service.update_message or "Swarm has paused it", (f"to undo it: docker service rollback {service.name}",),
            subject, "compute", "swarm", topics=_TOPICS_TASKS,
        )  # fmt: skip
    elif service.update_state in _ROLLED_BACK:
        yield Finding(
            f"swarm/update/{service.id}", Severity.INFO, f"the update of {service.name} was rolled back",
            service.update_message or "its new tasks did not stay up", (f"image {service.image}",),
            subject, "compute", "swarm", topics=_TOPICS_TASKS,
        )  # fmt: skip


def why_short(service: SwarmService, tasks: Sequence[SwarmTask]) -> str:
    """Why a service runs less than it should, in Swarm's own words.

    Those of a task that finds no place, else of the newest that failed.
    """
    unplaced = [task for task in tasks if task.state == "pending" and task.error]
    if unplaced:
        return f"{len(unplaced)} find no node: {unplaced[0].error}" if len(unplaced) > 1 else unplaced[0].error
    failed = sorted((task for task in tasks if task.error and task.since is not None), key=lambda t: str(t.since))
    if failed:
        where = f"on {failed[-1].node}: " if failed[-1].node else ""
        return f"{where}{failed[-1].error}"
    if service.update_state == "updating":
        return "it is being updated"
    return "its tasks are being started"


def _names(nodes: Sequence[SwarmNode]) -> str:
    more = f" and {len(nodes) - _NAMED} more" if len(nodes) > _NAMED else ""
    return ", ".join(node.hostname for node in nodes[:_NAMED]) + more


def _subject(nodes: Sequence[SwarmNode], machines: Machines) -> Thing:
    """The machine where it is one and the farm knows it: then its own fault is the cause of this one."""
    if len(nodes) != 1:
        return ("", "")
    machine = machines.at(nodes[0].hostname) or (machines.at(nodes[0].address) if nodes[0].address else None)
    if machine is not None and not machine.serving:
        return ("node", machine.name)
    return ("swarm-node", nodes[0].id)


# -- by what the metrics count ------------------------------------------------------------------


def _counted(farm: Farm, machines: Machines) -> Iterator[Finding]:
    swarm = farm.swarm
    assert swarm is not None
    if not swarm.leader:
        managers = (
            plural(len(swarm.managers), "manager answers", "managers answer")
            if swarm.managers
            else "no manager answers"
        )
        yield Finding(
            "swarm/leader", Severity.CRITICAL, "Swarm has no leader",
            "without a majority of its managers nothing can be deployed, scaled or moved; what runs goes on running",
            (managers,), screen="compute", part="swarm", topics=("swarmleader", "swarmquorum", "swarmmanager"),
        )  # fmt: skip
        return
    nodes, tasks = dict(swarm.nodes_by_state), dict(swarm.tasks_by_state)
    if lost := nodes.get("down", 0) + nodes.get("disconnected", 0):
        gone = [node for tier in (Tier.APP, Tier.EDGE) for node in machines.gone.get(tier, ())]
        yield Finding(
            "swarm/nodes", Severity.WARNING, f"Swarm has lost {lost} of {sum(nodes.values())} nodes",
            "their tasks are started on the nodes that are left", (f"leader {machines.named(swarm.leader)}",),
            ("node", gone[0].name) if len(gone) >= lost else ("", ""), "compute", "swarm", topics=("swarmnode",),
        )  # fmt: skip
    if waiting := tasks.get("pending", 0):
        yield Finding(
            "swarm/pending", Severity.WARNING, f"{waiting} Swarm tasks find no node",
            "no node has the room, or fulfils the constraints, that they ask for",
            (f"{tasks.get('running', 0)} run",), screen="compute", part="swarm", topics=_TOPICS_TASKS,
        )  # fmt: skip
