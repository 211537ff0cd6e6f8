"""What Proxmox VE is told to do: guests and hosts started, stopped and moved, as tasks that take their time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from farmtui.demo.servers.proxmox_nightly import nightly
from farmtui.demo.servers.proxmox_state import BACKUPS, Json, PveState, RefusedError
from farmtui.demo.servers.proxmox_task import Task, upid_of
from farmtui.demo.world.changes import Change, HostOff, HostOn, MachineOff, MachineOn
from farmtui.demo.world.inventory import Machine
from farmtui.demo.world.machine_changes import Resized
from farmtui.demo.world.service_changes import Moved

_START_S, _STOP_S, _SHUTDOWN_S, _MIGRATE_S, _SNAPSHOT_S = 3.0, 1.0, 6.0, 20.0, 4.0
_BACKUP_S = 60.0
_HOST_BOOT_S = 90.0
_KEPT = 500
_UNVERIFIED = "Parameter verification failed."


@dataclass(slots=True)
class Tasks:
    """All tasks of one cluster, the newest last. Asked and told in the world's thread only."""

    user: str
    known: dict[str, Task] = field(default_factory=dict)
    snapshots: dict[int, dict[str, Json]] = field(default_factory=dict)
    """By guest, by name."""
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
        upid = upid_of(node, number, at, kind, ident, self.user)
        if not failure:
            state.observed.world.plan(changes)
        lines = [f"task {kind} of {ident or node}", f"TASK ERROR: {failure}" if failure else "TASK OK"]
        task = Task(upid, node, kind, ident, self.user, at, at + (0.0 if failure else seconds), failure or "OK", lines)
        self.known[upid] = task
        while len(self.known) > _KEPT:
            del self.known[next(iter(self.known))]
        return upid

    def of(self, state: PveState, node: str, upid: str) -> Task:
        """A node's task. Raises RefusedError as PVE does."""
        task = self.known.get(upid) or next((one for one in nightly(state) if one.upid == upid), None)
        if not upid.startswith("UPID:"):
            raise RefusedError(400, _UNVERIFIED)
        if task is None or task.node != node:
            raise RefusedError(500, f"unable to find task '{upid}'")
        return task

    def listed(self, state: PveState, node: str = "") -> list[Json]:
        """The tasks of one node or of all, the newest first."""
        every = sorted((*nightly(state), *self.known.values()), key=lambda task: task.started, reverse=True)
        return [task.listed(state.at) for task in every if node in ("", task.node)]


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
    if not name[:1].isalpha() or not name.replace("-", "_").isidentifier() or name == "current":
        raise RefusedError(400, _UNVERIFIED)
    mine = tasks.snapshots.setdefault(vmid, {})
    if name in mine:
        failure = f"snapshot name '{name}' already used"
        return tasks.begin(state, node, "qmsnapshot", str(vmid), _SNAPSHOT_S, [], failure)
    memory = int(given.get("vmstate") in ("1", "true"))
    mine[name] = {
        "name": name, "snaptime": int(state.at), "description": given.get("description", ""), "vmstate": memory
    }  # fmt: skip
    return tasks.begin(state, node, "qmsnapshot", str(vmid), _SNAPSHOT_S, [])


def _forget_snapshot(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    node, vmid, _ = _guest(state, given)
    name = given["snapname"]
    gone = tasks.snapshots.get(vmid, {}).pop(name, None)
    failure = "" if gone is not None else f"snapshot '{name}' does not exist"
    return tasks.begin(state, node, "qmdelsnapshot", str(vmid), _SNAPSHOT_S, [], failure)


def snapshots(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> list[Json]:
    """`/nodes/NODE/qemu/VMID/snapshot`: the snapshots, and what is now."""
    _, vmid, guest = _guest(state, given)
    mine = tasks.snapshots.get(vmid, {})
    now = {"name": "current", "description": "You are here!", "running": int(state.runs(guest.name))}
    return [*mine.values(), {**now, "parent": list(mine)[-1]} if mine else now]


def _configure(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    """Processors and memory; of a guest that runs they would wait for its next start."""
    node, vmid, guest = _guest(state, given)
    before = state.size(guest)
    try:
        cores, mib = int(given.get("cores", before.cpus)), int(given.get("memory", before.memory_bytes // 2**20))
    except ValueError:
        raise RefusedError(400, _UNVERIFIED) from None
    if not 1 <= cores <= 128 or mib < 16:
        raise RefusedError(400, _UNVERIFIED)
    after = replace(before, cpus=cores, memory_bytes=mib * 2.0**20)
    return tasks.begin(state, node, "qmconfig", str(vmid), _STOP_S, [(0.1, Resized(guest.name, after))])


def _back_up(tasks: Tasks, state: PveState, given: Mapping[str, str]) -> str:
    """`/nodes/NODE/vzdump`, of all guests of the host or of some."""
    node, some = given["node"], given.get("vmid", "")
    if not some and given.get("all") not in ("1", "true"):
        raise RefusedError(400, _UNVERIFIED)
    if given.get("storage", BACKUPS) != BACKUPS:
        raise RefusedError(500, f"storage '{given['storage']}' does not exist")
    return tasks.begin(state, node, "vzdump", some if some.isdigit() else "", _BACKUP_S, [])


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
    "/nodes/{node}/qemu/{vmid}/config": _configure,
    "/nodes/{node}/vzdump": _back_up,
    "/nodes/{node}/status": _host,
}
"""What can be POSTed, each giving its task's UPID."""
REMOVALS: Mapping[str, Doing] = {"/nodes/{node}/qemu/{vmid}/snapshot/{snapname}": _forget_snapshot}
"""What can be DELETEd, alike."""
