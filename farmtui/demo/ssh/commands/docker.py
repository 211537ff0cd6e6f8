"""docker on the Swarm's nodes: what a manager tells of the Swarm, and what it does to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from farmtui.demo.servers.proxmox_state import Json
from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands.docker_changes import reclaim, roll, scale, update_node
from farmtui.demo.ssh.commands.docker_errors import DockerError
from farmtui.demo.ssh.commands.docker_logs import service_logs, swarm
from farmtui.demo.ssh.commands.swarm_told import ENGINE, SwarmTold, Task, ident
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.world.inventory import EDGE

_DAEMON = "Error response from daemon: "
_NO_MANAGER = (
    f"{_DAEMON}This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state."
    " Please run this command on a manager node or promote the current node to a manager."
)
_NO_LEADER = (
    f"{_DAEMON}rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers"
    " are online. Make sure more than half of the managers are online."
)
_NO_ENGINE = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
_VALUED = ("-f", "--filter", "--format", "--type", "-n", "--tail", "--since")
_LOCAL = ("info", "version", "ps", "system", "image", "container")
_FIELD = re.compile(r"\{\{\s*(json\s+)?\.([\w.]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A listing's options."""

    quiet: bool
    whole: bool
    """Ids to their last letter (`--no-trunc`)."""
    form: str
    filters: Sequence[tuple[str, str]]


async def _docker(call: Call, words: Sequence[str]) -> int:
    if not words:
        return call.fail("Usage:  docker [OPTIONS] COMMAND")
    if (call.machine, "docker") in (await call.condition()).stopped_units:
        return call.fail(_NO_ENGINE)
    kind, verb, rest = words[0], words[1] if len(words) > 1 else "", list(words[2:])
    if kind in _LOCAL:
        return await _local(call, kind, words[1:])
    if kind == "inspect":
        verb, rest = "inspect", list(words[1:])
    elif kind not in ("node", "service", "network"):
        return call.fail(f"docker: '{kind}' is not a docker command.\nSee 'docker --help'")
    told = await call.ask(swarm)
    if call.machine not in told.managers:
        return call.fail(_NO_MANAGER)
    if not told.now.swarm.leader:
        return call.fail(_NO_LEADER)
    try:
        return await _of_swarm(call, told, kind, verb, rest)
    except DockerError as error:
        return call.fail(str(error))


async def _of_swarm(call: Call, told: SwarmTold, kind: str, verb: str, given: Sequence[str]) -> int:
    match kind, verb:
        case "node", "update":
            return await update_node(call, told, given)
        case "service", "scale":
            return await scale(call, told, given)
        case "service", "update" | "rollback":
            return await roll(call, told, given, back=verb == "rollback")
        case "service", "logs":
            return await service_logs(call, given)
    options, names = told_apart(given, _VALUED)
    filters = [
        (text.partition("=")[0], text.partition("=")[2])
        for word, text in pairwise(given)
        if word in ("-f", "--filter") and verb != "inspect"
    ]
    asked = _Asked(
        "-q" in options or "--quiet" in options, "--no-trunc" in options, options.get("--format", ""), filters
    )
    form = asked.form or (options.get("-f", "") if verb == "inspect" else "")
    match kind, verb:
        case "node", "ls":
            rows = [_node_row(call, told, name) for name in told.nodes]
            _list(call, asked, rows, "ID", "HOSTNAME", "STATUS", "AVAILABILITY", "MANAGER STATUS", "ENGINE VERSION")
        case "service", "ls":
            rows = [_service_row(told, name) for name in told.names]
            _list(call, asked, rows, "ID", "NAME", "MODE", "REPLICAS", "IMAGE")
        case "network", "ls":
            _list(call, asked, [_network_row(told, name) for name in told.networks], "ID", "NAME", "DRIVER", "SCOPE")
        case "node" | "service", "ps":
            if kind == "node":
                names = [call.machine if name == "self" else name for name in names or ["self"]]
            wanted = {_named(told, kind, name) for name in names}
            tasks = [task for task in told.tasks if (task.node if kind == "node" else task.service) in wanted]
            columns = ("ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR")
            _list(call, asked, [_task_row(told, task) for task in tasks], *columns)
        case _, "inspect" if names:
            _inspect(call, told, options.get("--type", kind), names, form)
        case _:
            raise DockerError(f"Usage:  docker {kind} COMMAND\n\nunknown command: {verb}")
    return 0


# -- listings


def _list(call: Call, asked: _Asked, rows: Sequence[Json], *columns: str) -> None:
    """A table, ids, or what a template makes of each row; `name`, `id`, `role`, `node` and `desired-state` filter."""
    for name, value in asked.filters:
        rows = [row for row in rows if _fits(row, name, value)]
    if asked.quiet:
        call.out("".join(f"{row['ID']}\n" for row in rows))
        return
    shown = [{**row, "ID": row["ID"] if asked.whole else row["ID"][:12]} for row in rows]
    shown = [{name: value for name, value in row.items() if not name.startswith("_")} for row in shown]
    if asked.form:
        call.out("".join(f"{formatted(asked.form, row)}\n" for row in shown))
        return
    cells = [list(columns), *([str(row[_key(column)]) for column in columns] for row in shown)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    lines = ("   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    call.out("".join(f"{line}\n" for line in lines))


def _key(column: str) -> str:
    return {"ID": "ID", "HOSTNAME": "Hostname"}.get(column, column.title().replace(" ", ""))


def _fits(row: Json, name: str, value: str) -> bool:
    match name:
        case "id":
            return str(row["ID"]).startswith(value)
        case "name":
            return value in str(row.get("Name", row.get("Hostname", "")))
        case "desired-state":
            return str(row["_desired"]) == value or (value == "running" and row["_desired"] in ("ready", "accepted"))
        case "node":
            return str(row.get("Node")) == value
        case "role" | "driver" | "mode" | "membership":
            return str(row.get(f"_{name}", value)) == value
    raise DockerError(f"{_DAEMON}invalid filter '{name}'")


def _node_row(call: Call, told: SwarmTold, name: str) -> Json:
    node = told.node(name)
    manager = node.get("ManagerStatus", {})
    status = "Leader" if manager.get("Leader") else str(manager.get("Reachability", "")).capitalize()
    return {
        "ID": node["ID"],
        "Hostname": name,
        "Status": node["Status"]["State"].capitalize(),
        "Availability": told.availability(name).capitalize(),
        "ManagerStatus": status,
        "EngineVersion": ENGINE,
        "Self": name == call.machine,
        "TLSStatus": "Ready",
        "_role": node["Spec"]["Role"],
    }


def _service_row(told: SwarmTold, name: str) -> Json:
    service = told.service(name)
    mode = next(iter(service["Spec"]["Mode"])).casefold()
    mine = [task for task in told.by_service.get(name, ()) if task.desired == "running"]
    running = sum(task.state == "running" for task in mine)
    return {
        "ID": service["ID"],
        "Name": name,
        "Mode": mode,
        "Replicas": f"{running}/{len(mine)}",
        "Image": service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
        "Ports": "",
        "_mode": mode,
    }


def _network_row(told: SwarmTold, name: str) -> Json:
    network = told.network(name)
    return {"ID": network["Id"], "Name": name, "Driver": "overlay", "Scope": "swarm", "_driver": "overlay"}


def _task_row(told: SwarmTold, task: Task) -> Json:
    minutes = int((told.at - task.since) // 60)
    ago = f"{minutes} minutes ago" if minutes < 120 else f"{minutes // 60} hours ago"
    return {
        "ID": task.id,
        "Name": task.name,
        "Image": task.image,
        "Node": task.node,
        "DesiredState": task.desired.capitalize(),
        "CurrentState": f"{task.state.capitalize()} {ago}",
        "Error": f'"{task.error}"' if task.error else "",
        "Ports": "",
        "_desired": task.desired,
    }


# -- one by one


def _named(told: SwarmTold, kind: str, name: str) -> str:
    """The name of what is named by its name, its id, or the beginning of its id. Raises DockerError."""
    known = told.known(kind)
    if name in known:
        return name
    if (whole := told.by_id(kind).get(name)) is not None:
        return whole
    found = [each for each in known if ident(kind, each).startswith(name)]
    if len(found) != 1 or not name:
        raise DockerError(f"Error: No such {kind}: {name}" if kind == "node" else f"no such {kind}: {name}")
    return found[0]


def _inspect(call: Call, told: SwarmTold, kind: str, names: Sequence[str], form: str) -> None:
    made: dict[str, Callable[[str], Json]] = {"node": told.node, "service": told.service, "network": told.network}
    if kind == "task":
        tasks = {task.id: task for task in told.tasks}
        found = [told.task(tasks[name]) for name in names if name in tasks]
        missing = [name for name in names if name not in tasks]
    elif kind in made:
        found, missing = [], []
        for name in names:
            try:
                found.append(made[kind](_named(told, kind, name)))
            except DockerError:
                missing.append(name)
    else:
        raise DockerError(f'"{kind}" is not a valid value for --type')
    if form:
        call.out("".join(f"{formatted(form, each)}\n" for each in found))
    else:
        call.out(f"{json.dumps(found, indent=None if len(found) > 1 else 4)}\n")
    if missing:
        raise DockerError(f"Error: no such {kind}: {missing[0]}")


def formatted(template: str, data: Any) -> str:
    """What a template makes of an object: fields, and `json` of them; more is not known. Raises DockerError."""

    def fill(found: re.Match[str]) -> str:
        value = data
        for key in filter(None, found[2].split(".")):
            value = value.get(key) if isinstance(value, dict) else None
        if found[1]:
            return json.dumps(value, separators=(",", ":"))
        return "<no value>" if value is None else str(value).casefold() if isinstance(value, bool) else str(value)

    filled = _FIELD.sub(fill, template.removeprefix("table "))
    if "{{" in _FIELD.sub("", template):
        raise DockerError("template parsing error: template: :1: beyond what is simulated")
    return filled


# -- the engine itself


async def _local(call: Call, kind: str, given: Sequence[str]) -> int:
    options, rest = told_apart(given, _VALUED)
    match kind, rest:
        case "version", _:
            data: Json = {"Client": {"Version": ENGINE}, "Server": {"Version": ENGINE}}
            form = options.get("--format") or options.get("-f") or "{{.Server.Version}}"
            call.out(f"{formatted(form, data)}\n")
        case "info", _:
            manages = call.place.tier == EDGE
            state = {"LocalNodeState": "active", "ControlAvailable": manages, "NodeID": ident("node", call.machine)}
            form = options.get("--format") or options.get("-f") or "Swarm: {{.Swarm.LocalNodeState}}"
            call.out(f"{formatted(form, {'Name': call.machine, 'ServerVersion': ENGINE, 'Swarm': state})}\n")
        case "ps", _:
            told = await call.ask(swarm)
            mine = [task for task in told.tasks if task.node == call.machine and task.state == "running"]
            call.out("CONTAINER ID   IMAGE   STATUS   NAMES\n")
            call.out("".join(f"{task.id[:12]}   {task.image}   Up   {task.name}\n" for task in mine))
        case "system" | "image" | "container", ["prune"]:
            await reclaim(call)
        case "system", ["df"]:
            call.out("TYPE     TOTAL   ACTIVE   SIZE     RECLAIMABLE\nImages   14      9        11.2GB   4.1GB (36%)\n")
        case _:
            return call.fail(f"docker: '{kind} {' '.join(rest[:1])}' is not a docker command.\nSee 'docker --help'")
    return 0


COMMANDS: Table = {"docker": _docker}
