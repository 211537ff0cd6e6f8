"""Proxmox VE beside its machines: tasks that failed, and storages that are full or out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from farmtui.farm.farm import Farm
from farmtui.farm.node import PveCluster
from farmtui.farm.pve import OF_A_PERSON, PveStorage, PveTask
from farmtui.farm.state import Severity
from farmtui.farm.units import data_size, percent
from farmtui.insight.finding import Finding
from farmtui.insight.thresholds import STORAGE_FULL, above

RECENT: Final = timedelta(hours=36)
"""A task that failed before that is of before the last night: what it has left undone is told by other things."""
SERIOUS: Final = frozenset({"vzdump", "qmigrate", "vzmigrate", "hamigrate", "imgcopy", "qmrestore", "vzrestore"})
"""Kinds whose failure leaves something undone that somebody counts on."""

_WORDS: Final = {
    "vzdump": "backup", "qmigrate": "migration", "vzmigrate": "migration", "hamigrate": "migration by HA",
    "qmrestore": "restore", "vzrestore": "restore", "qmsnapshot": "snapshot", "vzsnapshot": "snapshot",
    "qmstart": "start", "vzstart": "start", "hastart": "start by HA", "imgcopy": "copy of a disk",
    "qmclone": "clone", "vzclone": "clone", "qmdelsnapshot": "removal of a snapshot", "aptupdate": "update of packages",
}  # fmt: skip


def task_words(task: PveTask) -> str:
    """What a task is, for people: `backup`, `migration`; the kind itself where there is no better word."""
    return _WORDS.get(task.kind, task.kind)


def task_severity(task: PveTask) -> Severity:
    """How bad a task looks by itself. A console that ended with an error is a window that was closed."""
    if task.failed:
        return Severity.INFO if task.kind in OF_A_PERSON else Severity.WARNING
    return Severity.INFO if task.warned or task.running else Severity.OK


def storage_severity(storage: PveStorage) -> Severity:
    """How bad a storage looks."""
    if storage.active is None:
        return Severity.UNKNOWN
    out_of_reach = Severity.OK if storage.active and not storage.silent else Severity.WARNING
    return max(out_of_reach, above(storage.used_ratio, STORAGE_FULL))


def pve_faults(farm: Farm) -> Iterator[Finding]:
    """What failed and was not done since, and the storages, of each cluster."""
    for cluster in farm.pve:
        yield from _tasks(cluster, farm.at)
        for storage in cluster.storages:
            if finding := _storage(storage):
                yield finding


def failed_tasks(cluster: PveCluster, at: datetime) -> tuple[PveTask, ...]:
    """Tasks that failed lately and whose like has not been done since, the newest first."""
    done: set[tuple[str, str, str]] = set()
    found = []
    for task in cluster.tasks:
        # A task about no guest (a job of many) is one host's; a guest's may have moved with it.
        what = (task.kind, task.ident, "" if task.ident else task.node)
        if what in done or task.running or task.kind in OF_A_PERSON:
            continue
        done.add(what)
        if task.failed and task.ended_at is not None and at - task.ended_at <= RECENT:
            found.append(task)
    return tuple(found)


def _tasks(cluster: PveCluster, at: datetime) -> Iterator[Finding]:
    """One finding for each kind: thirty guests whose backup failed have one reason."""
    kinds: dict[str, list[PveTask]] = {}
    for task in failed_tasks(cluster, at):
        kinds.setdefault(task.kind, []).append(task)
    names = {str(guest.vmid): guest.name for guest in cluster.guests}
    for kind, tasks in kinds.items():
        newest, what = tasks[0], task_words(tasks[0])
        of = f" of {names.get(newest.ident, newest.ident)}" if newest.ident else f" on {newest.node}"
        title = f"PVE {what}{of} failed" if len(tasks) == 1 else f"{len(tasks)} PVE tasks failed: {what}"
        yield Finding(
            f"pve-task/{cluster.name}/{kind}", Severity.WARNING if kind in SERIOUS else Severity.INFO, title,
            f"it ended with: {newest.status}; it was not done since",
            tuple(f"{names.get(t.ident, t.ident) or t.node}: {t.status}" for t in tasks[:3]),
            ("pve-task", newest.key), "compute", "compute",
            "pve-host-backup" if kind == "vzdump" and not newest.ident else "", newest.ended_at,
            topics=("vzdump", "pvebackup") if kind == "vzdump" else (),
        )  # fmt: skip


def _storage(storage: PveStorage) -> Finding | None:
    severity = storage_severity(storage)
    if severity in (Severity.OK, Severity.UNKNOWN):
        return None
    where = f" on {storage.node}" if storage.node else ""
    if not storage.active or storage.silent:
        hosts = ", ".join(storage.silent) or storage.node
        title, why = f"PVE storage {storage.name}{where} is out of reach", f"{hosts} does not reach it"
    else:
        title = f"PVE storage {storage.name}{where} is {percent(storage.used_ratio)} full"
        why = "when it is full guests that lie on it stop at their next write, and backups to it fail"
    return Finding(
        f"pve-storage/{storage.ident}", severity, title, why,
        (f"{data_size(storage.used_bytes)} of {data_size(storage.size_bytes)} used",) if storage.active else (),
        ("pve-storage", storage.ident), "compute", "compute", topics=("pvestorage",),
    )  # fmt: skip
