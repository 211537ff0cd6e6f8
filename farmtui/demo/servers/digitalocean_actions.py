"""What DigitalOcean is told to do with a droplet: actions, which take their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from farmtui.demo.observed import Observed
from farmtui.demo.servers.digitalocean_state import Json, region_of, size_named
from farmtui.demo.servers.moments import rfc3339
from farmtui.demo.world.changes import Change, MachineOff, MachineOn
from farmtui.demo.world.inventory import Machine
from farmtui.demo.world.machine_changes import Resized

_FIRST = 1_742_000_000
_KEPT = 500


class ImpossibleError(Exception):
    """An action that cannot be: the status, the error's id, and its words."""

    def __init__(self, status: int, ident: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.ident = ident


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of action. Seconds from its beginning."""

    took: float
    off: float | None = None
    on: float | None = None
    wants: bool | None = None
    """Whether the droplet must be on (or off) for it; None where that does not matter."""


_KINDS: Mapping[str, _Kind] = {
    "power_on": _Kind(8.0, on=8.0, wants=False),
    "power_off": _Kind(4.0, off=4.0, wants=True),
    "shutdown": _Kind(12.0, off=12.0, wants=True),
    "power_cycle": _Kind(14.0, off=2.0, on=14.0, wants=True),
    "reboot": _Kind(18.0, off=8.0, on=18.0, wants=True),
    "snapshot": _Kind(60.0),
    "resize": _Kind(60.0, wants=False),
}


@dataclass(frozen=True, slots=True)
class Action:
    """One action. Times are Unix seconds."""

    id: int
    kind: str
    machine: Machine
    started: float
    ends: float

    def json(self, now: float) -> Json:
        """As the API shows it."""
        over = now >= self.ends
        return {
            "id": self.id,
            "status": "completed" if over else "in-progress",
            "type": self.kind,
            "started_at": rfc3339(self.started, 0),
            "completed_at": rfc3339(self.ends, 0) if over else None,
            "resource_id": self.machine.droplet_id,
            "resource_type": "droplet",
            "region": region_of(self.machine),
            "region_slug": self.machine.region,
        }


@dataclass(slots=True)
class Actions:
    """All actions of the account. Asked and told in the world's thread only."""

    known: dict[int, Action] = field(default_factory=dict)
    _number: count[int] = field(default_factory=lambda: count(_FIRST))

    def listed(self, observed: Observed, droplet: str = "") -> Sequence[Json]:
        """The actions of one droplet or of all, the newest first."""
        now = observed.world.advance()
        wanted = [a for a in self.known.values() if droplet in ("", str(a.machine.droplet_id))]
        return [action.json(now) for action in reversed(wanted)]

    def begin(self, observed: Observed, droplet: str, kind: str, given: Mapping[str, Any]) -> Json:
        """Begin an action, with what is told beside it; gives it as the API shows it. Raises ImpossibleError."""
        now, farm = observed.world.advance(), observed.world.farm
        machine = next((m for m in farm.machines if m.droplet and str(m.droplet_id) == droplet), None)
        if machine is None:
            raise ImpossibleError(404, "not_found", "The resource you were accessing could not be found.")
        wanted = _KINDS.get(kind)
        if wanted is None:
            raise ImpossibleError(422, "unprocessable_entity", "The type you specified is not a valid action type.")
        is_on = machine.name not in observed.world.timeline.last.condition.off
        if any(a.machine == machine and now < a.ends for a in self.known.values()):
            raise ImpossibleError(422, "unprocessable_entity", "Droplet already has a pending event.")
        if wanted.wants is not None and wanted.wants is not is_on:
            words = f"Droplet is already powered {'on' if is_on else 'off'}."
            if kind == "resize":
                words = "Droplet is currently on. Please power it off to run this event."
            raise ImpossibleError(422, "unprocessable_entity", words)
        changes: list[tuple[float, Change]] = []
        if kind == "resize":
            size = size_named(observed, str(given.get("size", "")))
            if size is None:
                raise ImpossibleError(
                    422, "unprocessable_entity", "You specified an invalid size for Droplet creation."
                )
            changes.append((wanted.took, Resized(machine.name, size)))
        if wanted.off is not None:
            changes.append((wanted.off, MachineOff(machine.name)))
        if wanted.on is not None:
            changes.append((wanted.on, MachineOn(machine.name)))
        observed.world.plan(changes)
        action = Action(next(self._number), kind, machine, now, now + wanted.took)
        self.known[action.id] = action
        while len(self.known) > _KEPT:
            del self.known[next(iter(self.known))]
        return action.json(now)
