"""The simulated machines, reached as the console reaches real ones: by its own pool, with the demo's own config."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from farmtui.demo.world.changes import Change
from farmtui.demo.world.condition import Condition
from farmtui.sources.ssh import Done
from farmtui.sources.ssh.pool import SshPool
from tests.demo.stage import Clock, Stage, firing, stage


class Machines:
    """A farm that serves, and a way to run commands on its machines."""

    def __init__(self, farm: Stage, pool: SshPool) -> None:
        self.farm = farm
        self.pool = pool

    async def do(self, host: str, line: str, *, deadline_s: float = 30.0) -> Done:
        """A command line's end: its words reach the machine as they are."""
        return await self.pool.run(host, shlex.split(line), deadline_s=deadline_s)

    async def told(self, host: str, line: str) -> str:
        """What a command prints that must succeed."""
        done = await self.do(host, line)
        assert done.exit_status == 0, (line, done)
        return done.stdout.decode()

    async def json(self, host: str, line: str) -> Any:
        """The same as data."""
        return yaml.safe_load(await self.told(host, line))

    async def refused(self, host: str, line: str) -> tuple[int | None, str]:
        """The exit status and the errors of a command."""
        done = await self.do(host, line)
        return done.exit_status, done.stderr.strip()

    async def happen(self, *changes: Change) -> None:
        """Let changes happen to the world."""
        await self.farm.running.keeper.ask(lambda observed: observed.happen(*changes))

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for the world."""
        self.farm.clock.at += seconds
        await self.farm.running.keeper.ask(lambda observed: observed.world.advance())

    @property
    def now(self) -> Condition:
        """The farm's condition as the last command has left it."""
        return self.farm.running.keeper.condition

    async def alerts(self) -> set[str]:
        """The alerts that fire now."""
        return await self.farm.running.keeper.ask(firing)


@asynccontextmanager
async def machines(folder: Path, *faults: str, clock: Clock | None = None) -> AsyncIterator[Machines]:
    """A farm whose machines can be logged in to while the block runs."""
    async with stage(*faults, clock=clock) as farm:
        config = farm.config(folder)
        assert config.ssh is not None
        pool = SshPool(config.ssh, environ={})
        try:
            yield Machines(farm, pool)
        finally:
            await pool.close()
