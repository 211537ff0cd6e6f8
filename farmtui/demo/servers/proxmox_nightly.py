"""The tasks of the nights before, as Proxmox VE remembers them: each host backs its guests up and looks for updates."""

from __future__ import annotations

from collections.abc import Iterator

from farmtui.demo.servers.proxmox_state import BACKUPS, PveState
from farmtui.demo.servers.proxmox_task import Task, upid_of
from farmtui.demo.world.inventory import PveHost

DAY_S, _NIGHTS = 86_400.0, 2
_BACKUP_AT_S, _BACKUP_TOOK_S = 1.5 * 3_600.0, 1_740.0
_UPDATE_AT_S, _UPDATE_TOOK_S = 4.2 * 3_600.0, 9.0
_ROOT = "root@pam"
_BROKEN = "vma_queue_write: write error - Broken pipe"


def nightly(state: PveState) -> Iterator[Task]:
    """What each host has done by itself since the night before last, the oldest first."""
    midnight = state.at // DAY_S * DAY_S
    for night in range(_NIGHTS, -1, -1):
        for number, host in enumerate(state.farm.hosts):
            begun = backup_begins(state.at - night * DAY_S, number)
            if begun <= state.at:
                yield _backup(state, host, begun)
            begun = midnight - night * DAY_S + _UPDATE_AT_S + 60.0 * number
            if begun <= state.at:
                ends = begun + _UPDATE_TOOK_S
                upid = upid_of(host.name, int(begun) % 30_000, begun, "aptupdate", "", _ROOT)
                lines = ["starting apt-get update", "Reading package lists...", "TASK OK"]
                yield Task(upid, host.name, "aptupdate", "", _ROOT, begun, ends, "OK", lines)


def backup_begins(at: float, number: int) -> float:
    """When a host (by its number) begins to back its guests up on the day of `at`; both in Unix seconds."""
    return at // DAY_S * DAY_S + _BACKUP_AT_S + 60.0 * number


def failed(state: PveState, host: PveHost, place: int, begun: float) -> bool:
    """Whether the backup of a host's guest (by its place) that began then came to nothing."""
    return place % 2 == 0 and host.name in state.observed.world.timeline.at(begun).condition.vzdump_failing


def _backup(state: PveState, host: PveHost, begun: float) -> Task:
    upid = upid_of(host.name, int(begun) % 30_000, begun, "vzdump", "", _ROOT)
    guests = state.guests(host.name)
    ids = " ".join(str(guest.vmid) for guest in guests)
    lines = [f"INFO: starting new backup job: vzdump {ids} --storage {BACKUPS} --mode snapshot --quiet 1"]
    for number, guest in enumerate(guests):
        lines += [
            f"INFO: Starting Backup of VM {guest.vmid} (qemu)",
            "INFO: status = running",
            f"INFO: VM Name: {guest.name}",
            "INFO: backup mode: snapshot",
        ]
        if failed(state, host, number, begun):
            lines += [
                f"ERROR: {_BROKEN}",
                "INFO: aborting backup job",
                f"ERROR: Backup of VM {guest.vmid} failed - {_BROKEN}",
            ]
        else:
            lines.append(f"INFO: Finished Backup of VM {guest.vmid} (00:02:{7 + number % 50:02})")
    bad = bool(guests) and failed(state, host, 0, begun)
    how = "job errors" if bad else "OK"
    lines += ["INFO: Backup job finished with errors" if bad else "INFO: Backup job finished successfully"]
    lines.append(f"TASK ERROR: {how}" if how != "OK" else "TASK OK")
    return Task(upid, host.name, "vzdump", "", _ROOT, begun, begun + _BACKUP_TOOK_S, how, lines)
