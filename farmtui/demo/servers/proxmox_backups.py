"""What Proxmox VE knows of its guests' backups: a backup server that all hosts share, filled once a week."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from farmtui.demo.servers.proxmox_state import Json, PveState, RefusedError
from farmtui.demo.world.inventory import GIB

STORAGE: Final = "pbs"
_DAY, _WEEK = 86_400.0, 7 * 86_400.0
_SUNDAY: Final = 3 * _DAY
"""The first Sunday of all, in Unix seconds."""
_BEGINS_S = 4.0 * 3600
_EACH_S = 240.0
_KEPT: Final = 3
_BYTES: Final = 4_000 * GIB


def storages(state: PveState) -> list[Json]:
    """The backup server as `/cluster/resources` lists it: once for each host."""
    found = []
    for host in state.farm.hosts:
        up = state.runs(host.name)
        entry: Json = {
            "id": f"storage/{host.name}/{STORAGE}",
            "type": "storage",
            "storage": STORAGE,
            "node": host.name,
            "plugintype": "pbs",
            "content": "backup",
            "shared": 1,
            "status": "available" if up else "unknown",
        }
        found.append({**entry, "disk": int(_BYTES * 0.41), "maxdisk": int(_BYTES)} if up else entry)
    return found


def content(state: PveState, storage: str, kind: str) -> list[Json]:
    """`/nodes/NODE/storage/STORAGE/content`."""
    if storage != STORAGE:
        raise RefusedError(500, f"storage '{storage}' does not exist")
    if kind not in ("", "backup"):
        return []
    sunday = math.floor((state.at - _SUNDAY) / _WEEK) * _WEEK + _SUNDAY
    found = []
    for number, guest in enumerate(sorted(state.guests(), key=lambda machine: machine.vmid)):
        ends = [sunday - back * _WEEK + _BEGINS_S + number * _EACH_S for back in range(_KEPT + 1)]
        found += [_volume(guest.vmid, end, guest.size.disk_bytes) for end in ends if end <= state.at][:_KEPT]
    return found


def not_backed_up(state: PveState) -> list[Json]:
    """`/cluster/backup-info/not-backed-up`: the one job takes the farm's guests, and nobody else's."""
    return [{"vmid": spare.vmid, "name": spare.name, "type": "qemu"} for spare in state.spares()]


def _volume(vmid: int, at: float, size_bytes: float) -> Json:
    made = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "volid": f"{STORAGE}:backup/vm/{vmid}/{made}",
        "content": "backup",
        "format": "pbs-vm",
        "subtype": "qemu",
        "vmid": vmid,
        "ctime": int(at),
        "size": int(size_bytes),
        "verification": {"state": "ok"},
    }
