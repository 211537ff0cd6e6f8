"""What Proxmox VE tells beside its machines: storages, tasks and their logs, a guest's config and snapshots."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from farmtui.farm.looks import GuestSnapshot
from farmtui.farm.pve import PveStorage, PveTask
from farmtui.secrets import redact
from farmtui.sources.errors import bad_answer
from farmtui.sources.json_values import elements, flag, mapping, number, text

UPID: Final = re.compile(r"UPID:[A-Za-z0-9.-]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+:[^:/\s]+:[^:/\s]*:[^:/\s]+:")
TASKS: Final = 500
"""As many of a cluster's tasks are kept; it tells about 25 a host."""
_SECRET: Final = frozenset({"cipassword", "sshkeys"})
"""Parts of a guest's config that are nobody's to see here."""


def decode_storages(
    cluster: str, stored: Sequence[Mapping[str, Any]], offline: Collection[str]
) -> tuple[PveStorage, ...]:
    """The storages among a cluster's resources. A shared one is told by each host: it is made one."""
    found: dict[str, PveStorage] = {}
    for item in stored:
        name, host = text(item.get("storage")), text(item.get("node"))
        if not name:
            continue
        off, active = host in offline, text(item.get("status")) == "available"
        shared = flag(item.get("shared")) is True
        storage = PveStorage(
            cluster=cluster,
            name=name,
            kind=text(item.get("plugintype")),
            node="" if shared else host,
            active=None if off else active,
            contents=tuple(sorted(filter(None, text(item.get("content")).split(",")))),
            used_bytes=number(item.get("disk")) if active else None,
            size_bytes=number(item.get("maxdisk")) if active else None,
            silent=(host,) if shared and not active and not off else (),
        )
        before = found.get(storage.ident)
        found[storage.ident] = storage if before is None else _together(before, storage)
    return tuple(found[ident] for ident in sorted(found))


def _together(one: PveStorage, other: PveStorage) -> PveStorage:
    """What two hosts tell of one shared storage: its figures are those of a host that reaches it."""
    told = one if one.active or not other.active else other
    return PveStorage(
        told.cluster, told.name, told.kind, "", told.active if told.active is not None else other.active,
        told.contents, told.used_bytes, told.size_bytes, (*one.silent, *other.silent),
    )  # fmt: skip


def decode_tasks(cluster: str, answer: Any) -> tuple[PveTask, ...]:
    """`cluster/tasks`, the newest first. Raises SourceError where it is no such thing."""
    if not isinstance(answer, list):
        raise bad_answer("cluster/tasks is not a list")
    tasks = sorted(_tasks(cluster, answer), key=lambda t: (t.started_at or _NEVER, t.upid), reverse=True)
    return tuple(tasks[:TASKS])


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _tasks(cluster: str, answer: Sequence[Any]) -> Iterator[PveTask]:
    for item in map(mapping, answer):
        upid = text(item.get("upid"))
        # It becomes a part of a path.
        if not UPID.fullmatch(upid):
            continue
        ended = moment_of(item.get("endtime"))
        yield PveTask(
            cluster=cluster,
            upid=upid,
            node=text(item.get("node")) or upid.split(":")[1],
            kind=text(item.get("type")) or upid.split(":")[5],
            ident=text(item.get("id")),
            user=text(item.get("user")),
            started_at=moment_of(item.get("starttime")),
            ended_at=ended,
            # A task that has ended and says nothing is one that nobody knows the end of (its host went down).
            status=redact(text(item.get("status"))) or ("unknown" if ended is not None else ""),
        )


def moment_of(value: Any) -> datetime | None:
    """A Unix time; None where it is none."""
    seconds = number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def decode_log(answer: Any) -> tuple[str, ...]:
    """The lines of a task's log. Raises SourceError where it is no such thing."""
    if not isinstance(answer, list):
        raise bad_answer("the task's log is not a list")
    return tuple(redact(text(mapping(line).get("t"), 500)) for line in answer)


def decode_config(answer: Any) -> tuple[tuple[str, str], ...]:
    """A guest's config, without what is secret in it. Raises SourceError where it is no such thing."""
    if not isinstance(answer, Mapping):
        raise bad_answer("the guest's config is no object")
    known = ((text(key), value) for key, value in answer.items() if key not in _SECRET)
    words = ((key, str(value) if isinstance(value, int | float) else text(value)) for key, value in known)
    return tuple(sorted((key, redact(value)) for key, value in words if key))


def decode_snapshots(answer: Any) -> tuple[GuestSnapshot, ...]:
    """A guest's snapshots, the newest first, without the `current` that stands for now."""
    if not isinstance(answer, list):
        raise bad_answer("the guest's snapshots are not a list")
    found = [
        GuestSnapshot(
            name, moment_of(item.get("snaptime")), text(item.get("description")), flag(item.get("vmstate")) is True
        )
        for item in map(mapping, elements(answer))
        if (name := text(item.get("name"))) and name != "current"
    ]
    return tuple(sorted(found, key=lambda one: one.taken_at or _NEVER, reverse=True))
