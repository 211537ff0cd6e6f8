"""Describers of the Swarm's nodes, services, tasks and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import ago, count, data_size
from farmtui.insight.swarm import why_short
from screens.compute_rows import replicas, service_severity, swarm_severity, task_severity
from screens.describe import Block, Detail, Field, Link, describer
from screens.describe.machines import node_subject
from screens.places import Subject

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm
    from farmtui.farm.swarm import SwarmTask


def _task_link(task: SwarmTask) -> Link:
    name = f"{task.service}.{task.slot if task.slot is not None else task.node}"
    words = f"{name} on {task.node or 'no node'}: {task.state}{f', {task.error}' if task.error else ''}"
    return Link("task", Subject("swarm-task", task.id, f"task {name}"), words, task_severity(task))


@describer("swarm-node")
def describe_swarm_node(farm: Farm, key: str) -> Detail | None:
    """One engine."""
    cluster = farm.swarm_cluster
    node = next((node for node in cluster.nodes if node.id == key), None) if cluster else None
    if cluster is None or node is None:
        return None
    severity = swarm_severity(node)
    fields = (
        Field("role", f"{node.role}{', leader' if node.leader else ''}"),
        Field("availability", node.availability),
        Field("state", node.state, severity if node.state != "ready" else None),
        Field("reachability", node.reachability or "–"),
        Field("message", node.message or "–"),
        Field("address", node.address or "–"),
        Field("engine", node.engine or "–"),
        Field("processors", count(node.cpus)),
        Field("memory", data_size(node.memory_bytes)),
    )
    tasks = tuple(_task_link(task) for task in cluster.tasks if task.node_id == key)
    return Detail(node.hostname, severity, (), (Block("Swarm node", fields),), tasks, raw=node, labels=node.labels)


@describer("swarm-service")
def describe_service(farm: Farm, key: str) -> Detail | None:
    """One service, with its tasks."""
    cluster = farm.swarm_cluster
    service = next((service for service in cluster.services if service.id == key), None) if cluster else None
    if cluster is None or service is None:
        return None
    severity = service_severity(service)
    fields = (
        Field("replicas", replicas(service), severity if severity > Severity.OK else None),
        Field("mode", service.mode),
        Field("image", service.image),
        Field("update", service.update_state or "–"),
        Field("update says", service.update_message or "–"),
        Field("constraints", ", ".join(service.constraints) or "–"),
        Field("networks", ", ".join(service.networks) or "–"),
        Field("ports", ", ".join(service.ports) or "–"),
    )
    of_it = [task for task in cluster.tasks if task.service_id == key]
    tasks = tuple(_task_link(task) for task in of_it)
    why = (why_short(service, of_it),) if service.short else ()
    return Detail(f"service {service.name}", severity, why, (Block("Service", fields),), tasks, raw=service)


@describer("swarm-task")
def describe_task(farm: Farm, key: str) -> Detail | None:
    """One task."""
    cluster = farm.swarm_cluster
    task = next((task for task in cluster.tasks if task.id == key), None) if cluster else None
    if cluster is None or task is None:
        return None
    severity = task_severity(task)
    since = ago((farm.at - task.since).total_seconds()) if task.since else "–"
    fields = (
        Field("state", task.state, severity if severity > Severity.OK else None),
        Field("should be", task.desired_state),
        Field("error", task.error or "–"),
        Field("message", task.message or "–"),
        Field("exit code", count(task.exit_code)),
        Field("since", since),
        Field("image", task.image or "–"),
        Field("node", task.node or "none yet"),
    )
    links = [Link("service", Subject("swarm-service", task.service_id, f"service {task.service}"), task.service)]
    machine = next((node for node in farm.nodes if node.name == task.node), None)
    if machine is not None:
        links.append(Link("machine", node_subject(machine), machine.name, machine.state))
    elif task.node_id:
        links.append(Link("node", Subject("swarm-node", task.node_id, task.node), task.node))
    return Detail(f"task of {task.service}", severity, (), (Block("Task", fields),), tuple(links), raw=task)


@describer("swarm-network")
def describe_network(farm: Farm, key: str) -> Detail | None:
    """One overlay network, with the services on it."""
    cluster = farm.swarm_cluster
    network = next((network for network in cluster.networks if network.id == key), None) if cluster else None
    if cluster is None or network is None:
        return None
    fields = (
        Field("driver", network.driver),
        Field("scope", network.scope),
        Field("subnets", ", ".join(network.subnets) or "–"),
        Field("ingress", "yes" if network.ingress else "no"),
        Field("internal", "yes" if network.internal else "no"),
        Field("encrypted", "yes" if network.encrypted else "no"),
    )
    on_it = tuple(
        Link(
            "service",
            Subject("swarm-service", s.id, f"service {s.name}"),
            f"{s.name} {replicas(s)}",
            service_severity(s),
        )
        for s in cluster.services
        if network.name in s.networks
    )
    return Detail(f"network {network.name}", None, (), (Block("Overlay network", fields),), on_it, raw=network)
