"""The Docker API's answers as a Swarm: whatever they hold, what comes out is clean, bounded and typed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from farmtui.farm.addresses import host_part
from farmtui.farm.swarm import SwarmCluster, SwarmNetwork, SwarmNode, SwarmService, SwarmTask
from farmtui.farm.text import clean_text
from farmtui.sources.errors import bad_answer

NODES_MAX: Final = 10_000
SERVICES_MAX: Final = 5_000
TASKS_MAX: Final = 50_000
NETWORKS_MAX: Final = 1_000
_WORD: Final = 120
_SENTENCE: Final = 400
_ROUTER: Final = re.compile(r"traefik\.http\.routers\.([^.]+)\.rule", re.IGNORECASE)
_HOST: Final = re.compile(r"Host\(\s*[`\"']([^`\"']+)[`\"']", re.IGNORECASE)
_GONE: Final = frozenset({"failed", "rejected", "orphaned"})


def decode(name: str, manager: str, nodes: Any, services: Any, tasks: Any, failed: Any, networks: Any) -> SwarmCluster:
    """The Swarm of one manager's answers. `failed` are tasks of services that run too few, history included.

    Raises SourceError where an answer is none of the API's.
    """
    known_nodes = tuple(sorted(map(_node, _list(nodes, "nodes", NODES_MAX)), key=lambda node: node.hostname))
    host_of = {node.id: node.hostname for node in known_nodes}
    listed = _list(services, "services", SERVICES_MAX)
    names = {_text(service.get("ID")): _text(_at(service, "Spec", "Name")) for service in listed}
    net_names = {
        _text(network.get("Id")): _text(network.get("Name")) for network in _list(networks, "networks", NETWORKS_MAX)
    }
    all_tasks = {task.id: task for task in _tasks(tasks, names, host_of)}
    all_tasks.update((task.id, task) for task in _newest_failures(_tasks(failed, names, host_of)))
    running = Counter(
        task.service_id for task in all_tasks.values() if task.state == "running" and task.desired_state == "running"
    )
    return SwarmCluster(
        name=name,
        manager=manager,
        nodes=known_nodes,
        services=tuple(
            sorted((_service(service, running, net_names) for service in listed), key=lambda service: service.name)
        ),
        tasks=tuple(sorted(all_tasks.values(), key=lambda task: (task.service, task.slot or 0, task.node, task.id))),
        networks=tuple(
            sorted((_network(each) for each in _list(networks, "networks", NETWORKS_MAX)), key=lambda net: net.name)
        ),
        quorum=True,
    )


def short_of_tasks(services: Any) -> tuple[str, ...]:
    """The ids of services that run fewer tasks than they should: whose failures are worth asking for."""
    found = []
    for service in _list(services, "services", SERVICES_MAX):
        desired = _int(_at(service, "ServiceStatus", "DesiredTasks"))
        running = _int(_at(service, "ServiceStatus", "RunningTasks"))
        if desired is not None and running is not None and running < desired:
            found.append(_text(service.get("ID")))
    return tuple(ident for ident in found if ident)


def _list(answer: Any, what: str, most: int) -> list[Mapping[str, Any]]:
    """A list of objects, no longer than `most`; what is no object in it is passed over."""
    if answer is None:
        return []
    if not isinstance(answer, list):
        raise bad_answer(f"the {what} are not a list")
    return [item for item in answer[:most] if isinstance(item, dict)]


def _node(raw: Mapping[str, Any]) -> SwarmNode:
    status, manager = _map(raw.get("Status")), _map(raw.get("ManagerStatus"))
    # The leader has 0.0.0.0 in its own status in some versions; its manager address is the true one.
    address = host_part(_text(status.get("Addr")))
    if address in ("", "0.0.0.0", "127.0.0.1"):  # noqa: S104 - compared with, not bound to
        address = host_part(_text(manager.get("Addr")))
    resources = _map(_at(raw, "Description", "Resources"))
    cpus = _number(resources.get("NanoCPUs"))
    return SwarmNode(
        id=_text(raw.get("ID")),
        hostname=_text(_at(raw, "Description", "Hostname")) or _text(raw.get("ID"))[:12],
        role=_text(_at(raw, "Spec", "Role")),
        availability=_text(_at(raw, "Spec", "Availability")),
        state=_text(status.get("State")) or "unknown",
        reachability=_text(manager.get("Reachability")),
        leader=manager.get("Leader") is True,
        address="" if address == "0.0.0.0" else address,  # noqa: S104
        engine=_text(_at(raw, "Description", "Engine", "EngineVersion")),
        cpus=cpus / 1e9 if cpus is not None else None,
        memory_bytes=_number(resources.get("MemoryBytes")),
        labels=_labels(_at(raw, "Spec", "Labels")),
        message=_text(status.get("Message"), _SENTENCE),
    )


def _service(raw: Mapping[str, Any], running: Mapping[str, int], networks: Mapping[str, str]) -> SwarmService:
    spec, update = _map(raw.get("Spec")), _map(raw.get("UpdateStatus"))
    template, ident = _map(spec.get("TaskTemplate")), _text(raw.get("ID"))
    modes = _map(spec.get("Mode"))
    mode = next((name for name in ("Replicated", "Global", "ReplicatedJob", "GlobalJob") if name in modes), "")
    desired = _int(_at(raw, "ServiceStatus", "DesiredTasks"))
    if desired is None and mode == "Replicated":
        desired = _int(_at(spec, "Mode", "Replicated", "Replicas"))
    counted = _int(_at(raw, "ServiceStatus", "RunningTasks"))
    ports = _at(raw, "Endpoint", "Ports")
    wanted = template.get("Networks") or spec.get("Networks")
    targets = [_text(_map(each).get("Target")) for each in wanted] if isinstance(wanted, list) else []
    return SwarmService(
        id=ident,
        name=_text(spec.get("Name")) or ident[:12],
        mode={"ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}.get(mode, mode.lower()),
        image=_text(_at(template, "ContainerSpec", "Image")).partition("@")[0],
        desired=desired,
        running=counted if counted is not None else running.get(ident, 0),
        update_state=_text(update.get("State")),
        update_message=_text(update.get("Message"), _SENTENCE),
        constraints=_texts(_at(template, "Placement", "Constraints")),
        networks=tuple(networks.get(target, target[:12]) for target in targets[:50] if target),
        ports=tuple(_port(_map(port)) for port in ports[:50]) if isinstance(ports, list) else (),
        routes=_routes(_map(spec.get("Labels"))),
    )


def _routes(labels: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The routers that Traefik makes of a service's labels, each with the first host of its rule."""
    found = []
    for label, rule in labels.items():
        if isinstance(rule, str) and (router := _ROUTER.fullmatch(label)):
            host = _HOST.search(rule[:_SENTENCE])
            found.append((_text(router[1]), _text(host[1]) if host else ""))
    return tuple(sorted(found)[:20])


def _port(port: Mapping[str, Any]) -> str:
    published, target = _int(port.get("PublishedPort")), _int(port.get("TargetPort"))
    return f"{published or '–'}->{target or '–'}/{_text(port.get('Protocol'))} {_text(port.get('PublishMode'))}".strip()


def _tasks(answer: Any, names: Mapping[str, str], host_of: Mapping[str, str]) -> Iterator[SwarmTask]:
    for raw in _list(answer, "tasks", TASKS_MAX):
        status, service, node = _map(raw.get("Status")), _text(raw.get("ServiceID")), _text(raw.get("NodeID"))
        yield SwarmTask(
            id=_text(raw.get("ID")),
            service_id=service,
            service=names.get(service, "") or service[:12],
            slot=_int(raw.get("Slot")),
            node_id=node,
            node=host_of.get(node, "") or node[:12],
            desired_state=_text(raw.get("DesiredState")),
            state=_text(status.get("State")),
            message=_text(status.get("Message"), _SENTENCE),
            error=_text(status.get("Err"), _SENTENCE),
            exit_code=_int(_at(status, "ContainerStatus", "ExitCode")),
            image=_text(_at(raw, "Spec", "ContainerSpec", "Image")).partition("@")[0],
            since=_time(status.get("Timestamp")),
        )


def _newest_failures(tasks: Iterator[SwarmTask]) -> Iterator[SwarmTask]:
    """Of each slot's failures the newest: Swarm keeps five of each, which say the same."""
    newest: dict[tuple[str, int | None, str], SwarmTask] = {}
    for task in tasks:
        if task.state not in _GONE and not task.error:
            continue
        key = (task.service_id, task.slot, task.node_id if task.slot is None else "")
        known = newest.get(key)
        if known is None or (task.since is not None and (known.since is None or task.since > known.since)):
            newest[key] = task
    yield from newest.values()


def _network(raw: Mapping[str, Any]) -> SwarmNetwork:
    config = _at(raw, "IPAM", "Config")
    subnets = [_text(_map(each).get("Subnet")) for each in config] if isinstance(config, list) else []
    options = _map(raw.get("Options"))
    return SwarmNetwork(
        id=_text(raw.get("Id")),
        name=_text(raw.get("Name")),
        driver=_text(raw.get("Driver")),
        scope=_text(raw.get("Scope")),
        subnets=tuple(subnet for subnet in subnets[:8] if subnet),
        ingress=raw.get("Ingress") is True,
        internal=raw.get("Internal") is True,
        encrypted="encrypted" in options,
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any, limit: int = _WORD) -> str:
    return clean_text(value, limit=limit) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in value[:20] if isinstance(item, str)) if isinstance(value, list) else ()


def _labels(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((_text(k), _text(v)) for k, v in _map(value).items() if isinstance(v, str)))[:50]


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53 else None


def _number(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < 1e18 else None


def _time(value: Any) -> datetime | None:
    """`2026-11-23T10:49:34.412679589Z`: nanoseconds, which Python cuts to microseconds."""
    if not isinstance(value, str) or value.startswith("0001-"):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
