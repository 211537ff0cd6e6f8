"""Runs of the library's books on the simulated farm: the runner, the journal and SSH are real, the farm's time is not.

While a run waits for a condition the farm's time passes, up to what the condition is given: whatever takes a quarter of
an hour there takes no time here.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from farmtui.config import Config, load_config
from farmtui.demo.config import write_config
from farmtui.demo.farm import Options, Running, running
from farmtui.demo.observed import Observed
from farmtui.demo.world.changes import Change
from farmtui.demo.world.condition import Condition as World
from farmtui.farm.farm import Farm
from farmtui.farm.state import Freshness
from farmtui.journal.entry import Author
from farmtui.journal.store import Journal
from farmtui.polling import Feed
from farmtui.runbooks.desk import Desk
from farmtui.runbooks.instruments import Instruments
from farmtui.runbooks.measuring import Measurement
from farmtui.runbooks.people import Rights
from farmtui.runbooks.planned import Condition, Measured, Plan
from farmtui.runbooks.planning import LOOKS, Planner
from farmtui.runbooks.process import _hands, open_shelf
from farmtui.runbooks.runner import Hands, Runner
from farmtui.runbooks.state import Outcome, RunState, fold
from farmtui.runbooks.story import story
from farmtui.sources.ssh.pool import SshPool
from tests.demo.stage import NOON, firing

T = TypeVar("T")

ANNA, BERTA = Author("anna", "bastion-1[1]"), Author("berta", "bastion-1[2]")
SPEED = 30.0
"""How much faster than ours the farm's time passes by itself, for what nobody measures: a task of Proxmox VE."""
STEP_S = 15.0
"""How much of the farm's time passes between two measurements of a condition that is waited for."""
SITES = 60


class Hurried:
    """A farm's clock."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._began = time.monotonic()

    def __call__(self) -> float:
        return NOON + self.ahead + SPEED * (time.monotonic() - self._began)


class Remedies:
    """A farm with something wrong, and the books that mend it."""

    def __init__(self, running: Running, clock: Hurried, config: Config, stack: AsyncExitStack, pool: SshPool) -> None:
        self.running = running
        self._clock = clock
        self._config = config
        self._stack = stack
        self._pool = pool
        self._journal = Journal.open(config.journal.url or "")
        stack.callback(self._journal.close)

    # -- the farm

    def world(self) -> World:
        """The farm's condition as the last command has left it."""
        return self.running.keeper.condition

    async def pass_time(self, seconds: float) -> None:
        """Let the farm's time pass."""
        self._clock.ahead += seconds
        await self._ask(lambda observed: observed.world.advance())

    async def happen(self, *changes: Change) -> None:
        """Let changes happen to the farm."""
        await self._ask(lambda observed: observed.happen(*changes))

    async def alerts(self) -> set[str]:
        """The alerts that fire now."""
        return await self._ask(firing)

    async def told(self, host: str, line: str) -> str:
        """What somebody's own command on a machine prints."""
        done = await self._pool.run(host, shlex.split(line), deadline_s=30.0)
        assert done.exit_status == 0, (line, done)
        return done.stdout.decode()

    async def farm(self) -> Farm:
        """The farm as the console sees it."""
        return await Feed(self._config).one_cycle(20.0)

    async def _ask(self, question: Callable[[Observed], T]) -> T:
        return await self.running.keeper.ask(question)

    # -- runs

    async def plan(self, book: str, **inputs: str) -> Plan:
        """A book's plan."""
        instruments = Instruments(self._config)
        try:
            planner = Planner(open_shelf(self._config), instruments.measure, ANNA.user)
            farm = await instruments.farm()
            for _ in range(0 if self.world().prometheus_delay_s else LOOKS - 1):
                # The machine may be so busy that what was asked first is old when the last has answered: look again.
                # Where the fault is a slow Prometheus that would be no other the next time.
                if farm.freshness("prometheus") is Freshness.AGEING:
                    farm = await instruments.farm(anew=True)
            return await planner.plan(book, inputs, farm)
        finally:
            instruments.close()

    async def begun(self, book: str, **inputs: str) -> str:
        """Begin a book's run, and follow it to its end or its first question; gives its id."""
        plan = await self.plan(book, **inputs)
        desk, other = (Desk(self._journal, who, Rights()) for who in (ANNA, BERTA))
        run = desk.plan(plan, "a test")
        desk.confirm(run, plan.hash, typed=plan.confirm)
        if plan.risk == 3:
            assert self.state(run).begun_at is None
            other.approve(run, plan.hash)
        await self.drive(run)
        return run

    async def drive(self, run: str) -> None:
        """Be a runner for as long as there is something to do."""
        await Runner(self._journal, self._hands, ANNA, poll_s=0.05).drive(run)

    async def answer(self, run: str, choice: str = "done") -> None:
        """Answer what a run asks, and follow it on."""
        Desk(self._journal, ANNA, Rights()).answer(run, choice)
        await self.drive(run)

    async def run(self, book: str, **inputs: str) -> str:
        """Run a book to its end, where a person does each time what is asked for; gives all that it said."""
        run = await self.begun(book, **inputs)
        while (question := self.state(run).question) is not None:
            assert question.about == "manual", self.said(run)
            await self.answer(run)
        return self.ended(run)

    def ended(self, run: str) -> str:
        """All that a run has said, which must have ended well."""
        assert self.state(run).outcome is Outcome.OK, self.said(run)
        return self.said(run)

    def state(self, run: str) -> RunState:
        """A run's state."""
        state = fold(self._journal.entries(run=run))
        assert state is not None
        return state

    def said(self, run: str) -> str:
        """A run as its story is told."""
        return "\n".join(line for entry in self._journal.entries(run=run) for line in story(entry))

    def _hands(self) -> Hands:
        hands = _hands(self._config, self._stack)

        async def patient(condition: Condition) -> Measurement:
            found = await hands.measure(condition)
            left_s = condition.within_s if isinstance(condition, Measured) else 0.0
            while not found.holds and left_s > 0:
                await self.pass_time(min(STEP_S, left_s))
                left_s -= STEP_S
                found = await hands.measure(condition)
            return found

        return Hands(hands.performers, patient, hands.resolve, hands.announce)


@asynccontextmanager
async def remedies(folder: Path, *faults: str, gluster: bool = False) -> AsyncIterator[Remedies]:
    """A farm that serves while the block runs."""
    clock = Hurried()
    async with AsyncExitStack() as stack:
        farm = await stack.enter_async_context(
            running(Options(faults, sites=SITES, gluster=gluster, clock=clock, pace=0.0))
        )
        write_config(folder / "farmtui.yaml", farm.farm, farm.doors)
        config = load_config(folder / "farmtui.yaml")
        assert config.ssh is not None
        pool = SshPool(config.ssh, environ={})
        stack.push_async_callback(pool.close)
        yield Remedies(farm, clock, config, stack, pool)
