"""What was asked about the one thing that is looked at, as blocks below what the picture tells of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from farmtui.farm.looks import DropletLook, GuestLook, Look, TaskLog
from farmtui.farm.state import Severity
from farmtui.farm.units import age, duration
from screens.describe import Block, Detail, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from farmtui.farm.farm import Farm
    from farmtui.farm.looks import DropletAction, GuestSnapshot
    from screens.console import Console
    from screens.places import Subject

KINDS: Final = ("pve-task", "guest", "droplet")
"""Kinds of subjects about which is asked."""


def with_look(detail: Detail, console: Console, subject: Subject, then: Callable[[], None]) -> Detail:
    """A description with what was found about its subject beside it; `then` is called when more is known."""
    farm = console.farm
    about = thing_of(farm, subject) if farm is not None else None
    if farm is None or about is None:
        return detail
    look = console.looks.of(farm, *about, then)
    if look is None:
        return detail
    raw = {"known": detail.raw, "asked": look}
    return dataclasses.replace(detail, blocks=(*detail.blocks, *look_blocks(look, farm.at)), raw=raw)


def thing_of(farm: Farm, subject: Subject) -> tuple[str, str] | None:
    """What is asked about for a subject: of a machine, the guest or droplet that it is."""
    if subject.kind in KINDS:
        return subject.kind, subject.key
    if subject.kind != "node":
        return None
    node = next((node for node in farm.nodes if node.name == subject.key), None)
    sources = {"proxmox": "guest", "digitalocean": "droplet"}
    found = ((sources[s.source], s.ident) for s in node.sightings if s.source in sources) if node else ()
    return next(((kind, ident) for kind, ident in found if "/node/" not in ident), None)


def look_blocks(look: Look, at: datetime) -> Iterator[Block]:
    """Everything that was found, and why what was not."""
    match look.found:
        case TaskLog():
            before = f"{look.found.before} lines before these are not shown" if look.found.before else ""
            lines = "\n".join(filter(None, (before, *look.found.lines))) or "no line yet"
            yield Block("Log", (Field("", lines),))
        case GuestLook():
            yield from _guest(look.found, at)
        case DropletLook():
            fields = tuple(_action(action, at) for action in look.found.actions[:10])
            yield Block("Actions at DigitalOcean", fields or (Field("", "none was ever taken"),))
    if look.problem:
        since = f" (what is above is {age((at - look.at).total_seconds())} old)" if look.found is not None else ""
        yield Block("Could not be asked now", (Field("", look.problem + since, Severity.UNKNOWN),))


def _guest(look: GuestLook, at: datetime) -> Iterator[Block]:
    if look.snapshots is not None:
        fields = tuple(_snapshot(one, at) for one in look.snapshots)
        yield Block("Snapshots", fields or (Field("", "none"),))
    if look.config is not None:
        yield Block("Config", tuple(Field(key, value) for key, value in look.config if key != "digest"))
    if look.problems:
        yield Block("Could not be had", tuple(Field("", words, Severity.UNKNOWN) for words in look.problems))


def _snapshot(snapshot: GuestSnapshot, at: datetime) -> Field:
    taken = f"{age((at - snapshot.taken_at).total_seconds())} ago" if snapshot.taken_at else "at a time not told"
    memory = "with its memory" if snapshot.with_memory else ""
    return Field(snapshot.name, "  ".join(filter(None, (taken, memory, snapshot.about))))


def _action(action: DropletAction, at: datetime) -> Field:
    begun = f"begun {age((at - action.started_at).total_seconds())} ago" if action.started_at else ""
    took = ""
    if action.started_at is not None and action.ended_at is not None:
        took = f"took {duration((action.ended_at - action.started_at).total_seconds())}"
    bad = {"errored": Severity.WARNING, "in-progress": Severity.INFO}.get(action.status)
    return Field(action.kind, "  ".join(filter(None, (action.status, begun, took))), bad)
