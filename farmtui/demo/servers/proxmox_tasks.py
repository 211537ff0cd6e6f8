"""What Proxmox VE is told to do: guests and hosts started, stopped and moved, as tasks that take their time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from farmtui.demo.servers.proxmox_state import Json, PveState, RefusedError
from farmtui.demo.world.changes import Change, HostOff, HostOn, MachineOff, MachineOn
from farmtui.demo.world.inventory import Machine
from farmtui.demo.world.service_changes import Moved

_START_S, _STOP_S, _SHUTDOWN_S, _MIGRATE_S, _SNAPSHOT_S = 3.0, 1.0, 6.0, 20.0, 4.0
_HOST_BOOT_S = 90.0
_KEPT = 500
_UNVERIFIED = "Parameter verification failed."


@dataclass(frozen=True, slots=True)
class Task:
    """One task. Times are Unix seconds; `exit_status` is what it says at its end."""

    upid: str
    node: str
    kind: str
    ident: str
    user: str
    started: float
    ends: float
    exit_status: str
    lines: Sequence[str]

    def json(self, now: float) -> Json:
        """As `status` shows it."""
        _, _, pid, start, *_ = self.upid.split(":")
        shown: Json = {
            "upid": self.upid,
            "node": self.node,
            "type": self.kind,
            "id": self.ident,
            "user": self.user,
            "pid": int(pid, 16),
            "pstart": int(start, 16),
            "starttime": int(self.started),
            "status": "running" if now < self.ends else "stopped",
        }
        return shown if now < self.ends else {**shown, "exitstatus": self.exit_status}

    def listed(self, now: float) -> Json:
        """As a list of tasks shows it."""
        shown = self.json(now)
        del shown["status"]
        exit_status = shown.pop("exitstatus", None)
        return shown if exit_status is None else {**shown, "status": exit_status, "endtime": int(self.ends)}


@dataclass(slots=True)
class Tasks:
    """All tasks of one cluster, the newest last. Asked and told in the world's thread only."""

    user: str
    known: dict[str, Task] = field(default_factory=dict)
    _number: count[int] = field(default_factory=lambda: count(1))

    def begin(
        self,
        state: PveState,
        node: str,
        kind: str,
        ident: str,
        seconds: float,
        changes: Sequence[tuple[float, Change]],
        failure: str = "",
    ) -> str:
        """Begin a task that lets changes happen at their times, or fails; gives its UPID."""
        number = next(self._number)
        at = state.at
        upid = f"UPID:{node}:{4_096 + number:08X}:{number:08X}:{int(at):08X}:{kind}:{ident}:{self.user}:"
        if not failure:
            state.observed.world.plan(changes)
        lines = [f"task {kind} of {ident or node}", f"TASK ERROR: {failure}" if failure else "TASK OK"]
        task = Task(upid, node, kind, ident, self.user, at, at + (0.0 if failure else seconds), failure or "OK", lines)
        self.known[upid] = task
        while len(self.known) > _KEPT:
            del self.known[next(iter(self.known))]
        return upid

    def of(self, node: str, upid: str) -> Task:
        """A node's task. Raises RefusedError as PVE does."""
        task = self.known.get(upid)
        if not upid.startswith("UPID:"):
            raise RefusedError(400, _UNVERIFIED)
        if task is None or task.node != node:
            raise RefusedError(500, f"unable to find task '{upid}'")
        return task

    def listed(self, now: float, node: str = "") -> list[Json]:
        """The tasks of one node or of all, the newest first."""
        return [task.listed(now) for task in reversed(self.known.values()) if node in ("", task.node)]


Doing = Callable[[Tasks, PveState, Mapping[str, str]], str]


def _guest(state: PveState, given: Mapping[str, str]) -> tuple[str, int, Machine]:
    try:
        node, vmid = given["node"], int(given["vmid"])
    except ValueError:
        raise RefusedError(400, _UNVERIFIED) from None
    guest = state.guest(node, vmid)
    if not isinstance(guest, Machine):
        raise RefusedError(500, f"VM {vmid} is a template" if guest.template else f"VM {vmid} has no disk to boot from")
    return node, vmid, guest


def _start(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, guest = _guest(state, given)
    failure = f"VM {vmid} already running" if state.runs(guest.name) else ""
    return tasks.begin(state, node, "qmstart", str(vmid), _START_S, [(_START_S, MachineOn(guest.name))], failure)


def _stop(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, guest = _guest(state, given)
    changes: list[tuple[float, Change]] = [(_STOP_S, MachineOff(guest.name))] if state.runs(guest.name) else []
    return tasks.begin(state, node, "qmstop", str(vmid), _STOP_S, changes)


def _shut_down(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, guest = _guest(state, given)
    failure = "" if state.runs(guest.name) else f"VM {vmid} not running"
    changes = [(_SHUTDOWN_S, MachineOff(guest.name))]
    return tasks.begin(state, node, "qmshutdown", str(vmid), _SHUTDOWN_S, changes, failure)


def _reboot(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, guest = _guest(state, given)
    failure = "" if state.runs(guest.name) else f"VM {vmid} not running"
    took = _SHUTDOWN_S + _START_S
    changes: list[tuple[float, Change]] = [(_SHUTDOWN_S, MachineOff(guest.name)), (took, MachineOn(guest.name))]
    return tasks.begin(state, node, "qmreboot", str(vmid), took, changes, failure)


def _reset(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, guest = _guest(state, given)
    failure = "" if state.runs(guest.name) else f"VM {vmid} not running"
    changes: list[tuple[float, Change]] = [(0.1, MachineOff(guest.name)), (_STOP_S, MachineOn(guest.name))]
    return tasks.begin(state, node, "qmreset", str(vmid), _STOP_S, changes, failure)


def _migrate(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, guest = _guest(state, given)
    target = given.get("target", "")
    if not target:
        raise RefusedError(400, _UNVERIFIED)
    state.must_reach(target)
    if target == node:
        raise RefusedError(400, f"target is local node. ({target})")
    failure = ""
    if state.runs(guest.name) and given.get("online") not in ("1", "true"):
        failure = "can't migrate running VM without --online"
    return tasks.begin(
        state, node, "qmigrate", str(vmid), _MIGRATE_S, [(_MIGRATE_S, Moved(guest.name, target))], failure
    )


def _snapshot(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, _ = _guest(state, given)
    name = given.get("snapname", "")
    if not name[:1].isalpha() or not name.replace("-", "_").isidentifier():
        raise RefusedError(400, _UNVERIFIED)
    return tasks.begin(state, node, "qmsnapshot", str(vmid), _SNAPSHOT_S, [])


def _host(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    """`/nodes/NODE/status`: the host itself goes down, or down and up."""
    node, command = given["node"], given.get("command", "")
    if command not in ("reboot", "shutdown"):
        raise RefusedError(400, _UNVERIFIED)
    changes: list[tuple[float, Change]] = [(_SHUTDOWN_S, HostOff(node))]
    if command == "reboot":
        changes.append((_SHUTDOWN_S + _HOST_BOOT_S, HostOn(node)))
    return tasks.begin(state, node, f"srv{command}", "", _SHUTDOWN_S, changes)


def wake(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    """`/nodes/NODE/wakeonlan`, which the node that is asked sends itself: gives the hardware address."""
    host = state.named(given["node"])
    if state.runs(host.name):
        raise RefusedError(500, f"{host.name} is already running")
    state.observed.world.plan([(_HOST_BOOT_S, HostOn(host.name))])
    return f"BC:24:11:00:00:{host.address.rpartition('.')[2]:0>2.2}"


DOINGS: Mapping[str, Doing] = {
    "/nodes/{node}/qemu/{vmid}/status/start": _start,
    "/nodes/{node}/qemu/{vmid}/status/stop": _stop,
    "/nodes/{node}/qemu/{vmid}/status/shutdown": _shut_down,
    "/nodes/{node}/qemu/{vmid}/status/reboot": _reboot,
    "/nodes/{node}/qemu/{vmid}/status/reset": _reset,
    "/nodes/{node}/qemu/{vmid}/migrate": _migrate,
    "/nodes/{node}/qemu/{vmid}/snapshot": _snapshot,
    "/nodes/{node}/status": _host,
}
"""What can be POSTed, each giving its task's UPID."""
