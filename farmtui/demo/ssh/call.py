"""A command under way on a simulated machine: what it may ask and do, and where it prints."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from farmtui.demo.exporters.targets import boot_time
from farmtui.demo.observed import Keeper, Observed
from farmtui.demo.ssh.keys import USER
from farmtui.demo.world.changes import Change, alive
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory

T = TypeVar("T")
_LOOK_S = 0.5


class MachineGoneError(Exception):
    """The machine has been switched off, or has booted anew, under a command."""


@dataclass(frozen=True, slots=True)
class Place:
    """One machine as its commands see it."""

    keeper: Keeper
    machine: str
    pace: float
    """How long commands take, as a multiple of what is usual: 0 is at once."""

    @property
    def farm(self) -> Inventory:
        """What the farm consists of."""
        return self.keeper.farm

    @property
    def tier(self) -> str:
        """The machine's tier; empty for a PVE host."""
        machine = self.farm.by_name.get(self.machine)
        return machine.tier if machine is not None else ""

    @property
    def condition(self) -> Condition:
        """The farm's condition as the last question has found it."""
        return self.keeper.condition

    @property
    def lives(self) -> bool:
        """Whether the machine runs."""
        return alive(self.condition, self.farm, self.machine)

    def booted(self, observed: Observed) -> float:
        """When the machine has booted last, Unix seconds."""
        world = observed.world
        return world.timeline.last.condition.booted.get(self.machine, boot_time(world, self.machine))

    async def boot_id(self) -> str:
        """What the kernel calls this boot."""
        at = await self.keeper.ask(lambda observed: (observed.world.advance(), self.booted(observed))[1])
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{at:.3f}.{self.machine}.farm.example"))


@dataclass(frozen=True, slots=True)
class Call:
    """One command's view of its machine, and its two streams."""

    place: Place
    out: Callable[[str], None]
    err: Callable[[str], None]
    user: str = USER
    stdin: str = ""
    """What a command before it in a pipe has printed."""

    @property
    def farm(self) -> Inventory:
        """What the farm consists of."""
        return self.place.farm

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self.place.machine

    async def ask(self, question: Callable[[Observed], T]) -> T:
        """The answer to a question about the world as it is now."""

        def now(observed: Observed) -> T:
            observed.world.advance()
            return question(observed)

        return await self.place.keeper.ask(now)

    async def condition(self) -> Condition:
        """The farm's condition now."""
        return await self.ask(lambda observed: observed.world.timeline.last.condition)

    async def happen(self, *changes: Change) -> bool:
        """Let changes happen to the world now. Returns whether any has changed something."""
        return await self.place.keeper.ask(lambda observed: observed.happen(*changes))

    async def change(self, first: Sequence[Change], seconds: float, then: Sequence[Change]) -> None:
        """Let changes happen now, and others in so many seconds at the machine's pace; wait for them.

        They happen whatever becomes of the command.
        """
        delay = seconds * self.place.pace

        def act(observed: Observed) -> None:
            observed.happen(*first)
            if delay > 0:
                observed.world.plan((delay, change) for change in then)
            else:
                observed.happen(*then)

        await self.place.keeper.ask(act)
        await self.takes(seconds)

    async def takes(self, seconds: float) -> None:
        """Let time pass at the machine's pace. Raises MachineGoneError where the machine goes down meanwhile."""
        await self.wait(seconds * self.place.pace)

    async def wait(self, seconds: float) -> None:
        """Let time pass that somebody else has named, whatever the machine's pace. Raises MachineGoneError too."""
        while seconds > 0:
            await asyncio.sleep(min(seconds, _LOOK_S))
            seconds -= _LOOK_S
            if not self.place.lives:
                raise MachineGoneError(self.machine)

    def fail(self, words: str, status: int = 1) -> int:
        """Print a line of errors; gives the exit status."""
        self.err(f"{words}\n")
        return status


Command = Callable[[Call, Sequence[str]], Awaitable[int]]
"""A command: `words` are its arguments, without its own name. Gives the exit status."""

Table = Mapping[str, Command]
