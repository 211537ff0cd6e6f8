"""What Proxmox VE knows of its guests' backups: what the nightly tasks have left in the storage that all share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from farmtui.demo.servers.proxmox_nightly import DAY_S, backup_begins, failed
from farmtui.demo.servers.proxmox_state import BACKUPS, Json, PveState, RefusedError
from farmtui.demo.world.inventory import PveHost

_EACH_S = 60.0
_KEPT: Final = 3


def content(state: PveState, storage: str, kind: str) -> list[Json]:
    """`/nodes/NODE/storage/STORAGE/content`."""
    if storage != BACKUPS:
        raise RefusedError(500, f"storage '{storage}' does not exist")
    if kind not in ("", "backup"):
        return []
    return [volume for number, host in enumerate(state.farm.hosts) for volume in _of(state, host, number)]


def not_backed_up(state: PveState) -> list[Json]:
    """`/cluster/backup-info/not-backed-up`: the one job takes the farm's guests, and nobody else's."""
    return [{"vmid": spare.vmid, "name": spare.name, "type": "qemu"} for spare in state.spares()]


def _of(state: PveState, host: PveHost, number: int) -> Iterator[Json]:
    for place, guest in enumerate(state.guests(host.name)):
        kept = 0
        for night in range(30):
            begun = backup_begins(state.at - night * DAY_S, number)
            at = begun + place * _EACH_S
            if at > state.at or failed(state, host, place, begun):
                continue
            yield _volume(guest.vmid, at, guest.size.disk_bytes)
            kept += 1
            if kept == _KEPT:
                break


def _volume(vmid: int, at: float, size_bytes: float) -> Json:
    made = datetime.fromtimestamp(int(at), UTC).strftime("%Y_%m_%d-%H_%M_%S")
    return {
        "volid": f"{BACKUPS}:backup/vzdump-qemu-{vmid}-{made}.vma.zst",
        "content": "backup",
        "format": "vma.zst",
        "subtype": "qemu",
        "vmid": vmid,
        "ctime": int(at),
        # Compressed: a third of what the disks hold.
        "size": int(size_bytes / 3),
    }
