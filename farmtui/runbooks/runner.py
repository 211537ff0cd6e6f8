"""The runner: executes runs under a lease, writes down what it is about to do, and carries on what others have left."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from farmtui.journal.entry import Author, Entry, Note
from farmtui.journal.store import FencedError, Guard, Journal, JournalError, Lease, Reader, RefusedError
from farmtui.runbooks import kinds
from farmtui.runbooks.announcing import Announced
from farmtui.runbooks.decide import Announce, Ask, Begin, Carry, Finish, Next, Rest, Stop, Verify, decide
from farmtui.runbooks.measuring import Measure
from farmtui.runbooks.planned import Plan
from farmtui.runbooks.state import Outcome, RunState, StepState, after, fold
from farmtui.runbooks.stepping import Stepper, measured
from farmtui.runbooks.steps.effect import Performer
from farmtui.runbooks.writer import Writer, persistent

log = logging.getLogger(__name__)

LEASE_S: Final = 15.0
"""How long a runner may be silent before another takes over."""
POLL_S: Final = 0.25
"""How often the journal is looked at for what people have said."""


LOOK_S: Final = 1.0
"""How often runs are looked for whose runner has fallen silent."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A plan made again just before it runs."""

    problems: tuple[str, ...] = ()
    """Why it must not run: it differs, something required does not hold, data is stale."""
    values: tuple[str, ...] = ()
    """What was measured, in words."""


class Resolver(Protocol):
    """Makes plans again from their books and the farm as it is."""

    def __call__(self, plan: Plan) -> Awaitable[Resolution]:
        """Resolve a plan again. Never raises: what cannot be resolved is a problem."""
        ...


class Announcing(Protocol):
    """Tells people that a run of risk 3 begins."""

    def __call__(self, state: RunState) -> Awaitable[Announced]:
        """Tell them, within ten seconds. Never raises: that they were not told is an answer."""
        ...


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything by which a runner acts and measures."""

    performers: Mapping[str, Performer]
    """By kind of step."""
    measure: Measure
    resolve: Resolver
    announce: Announcing


class Runner:
    """One runner: of one process, for all runs that want one."""

    def __init__(
        self,
        journal: Journal,
        hands: Callable[[], Hands],
        author: Author,
        *,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
    ) -> None:
        """`hands` are asked for at the begin of each run's execution: the config may have changed since the last."""
        self._journal = journal
        self._hands = hands
        self._author = author
        self._lease_s = lease_s
        self._poll_s = poll_s

    async def serve(self, *, idle_s: float) -> None:
        """Execute whatever wants to be executed, until nothing has for `idle_s` seconds."""
        driven: dict[str, asyncio.Task[bool]] = {}
        clock = asyncio.get_running_loop().time
        busy_at, looked_at, seq = clock(), -LOOK_S, -1
        try:
            while clock() - busy_at < idle_s:
                # One that met an error of ours stays among them: it would meet it again.
                driven = {run: task for run, task in driven.items() if not task.done() or not task.result()}
                head = await persistent(self._journal.head)
                # A lease that ends leaves no entry: it is looked for too, if less often.
                if head.seq != seq or clock() - looked_at >= LOOK_S:
                    seq, looked_at = head.seq, clock()
                    for state in await persistent(lambda: self._journal.read(waiting_runs)):
                        if state.run not in driven:
                            driven[state.run] = asyncio.create_task(self.drive(state.run))
                if any(not task.done() for task in driven.values()):
                    busy_at = clock()
                await asyncio.sleep(self._poll_s)
        finally:
            for task in driven.values():
                task.cancel()
            await asyncio.gather(*driven.values(), return_exceptions=True)

    async def drive(self, run: str) -> bool:
        """Execute one run for as long as it is ours and needs nobody's word. False: an error of ours is in the way."""
        lease = await persistent(lambda: self._journal.take(run, self._author.origin, self._lease_s))
        if lease is None:
            return True
        renewing = asyncio.create_task(self._renew(lease, asyncio.current_task()))
        try:
            async with Writer(self._journal, lease) as writer:
                try:
                    await _Drive(self, run, writer).go()
                except FencedError:
                    raise
                except Exception as error:
                    # Not its text: it may hold anything.
                    log.exception("run %s: %s", run, type(error).__name__)
                    why = f"{type(error).__name__} in the runner on {self._author.origin}: see its log, and report it"
                    await writer.write(Note(kinds.TROUBLE, self._author, run, {"why": why}))
                    return False
        except asyncio.CancelledError:
            if not renewing.done() or renewing.cancelled():
                raise
            log.warning("run %s is executed by another runner now", run)
        except FencedError as error:
            log.warning("%s", error)
        finally:
            renewing.cancel()
            with contextlib.suppress(JournalError):
                await asyncio.to_thread(self._journal.release, lease)
        return True

    async def _renew(self, lease: Lease, driving: asyncio.Task[Any] | None) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await persistent(lambda: self._journal.renew(lease, self._lease_s))
            except JournalError:
                if driving is not None:
                    driving.cancel()
                return


class _Drive:
    """One run in this runner's hands."""

    def __init__(self, runner: Runner, run: str, writer: Writer) -> None:
        self._runner = runner
        self._run = run
        self._writer = writer
        self._hands = runner._hands()
        self._state: RunState | None = None
        self._seq = 0

    async def go(self) -> None:
        """Until the run has ended, or waits for somebody."""
        state = await self._look()
        if state.epoch and state.outcome is None:
            await self._write(kinds.TAKEN, {"from_epoch": state.epoch})
        while True:
            state = await self._look()
            needed = decide(state, datetime.now(UTC))
            if isinstance(needed, Rest):
                return
            await self._do(state, needed)

    async def _do(self, state: RunState, needed: Next) -> None:
        match needed:
            case Begin():
                await self._begin(state)
            case Announce():
                told = await self._hands.announce(state)
                outcome = Outcome.OK if told.ok else Outcome.FAILED
                await self._write(kinds.ANNOUNCED, {"outcome": outcome, "told": list(told.told)})
            case Carry(step):
                await self._carry(step)
            case Stop(step):
                await self._stepper(step).stop()
            case Ask(about, step, text, choices):
                body = {"about": about, "step": step, "part": "", "text": text, "choices": list(choices)}
                await self._write(kinds.ASKED, body)
            case Verify():
                await self._verify(state)
            case Finish(outcome, why):
                await self._write(kinds.ENDED, {"outcome": outcome, "why": why})

    async def _begin(self, state: RunState) -> None:
        resolution = await self._hands.resolve(state.plan)
        if resolution.problems:
            await self._write(kinds.ENDED, {"outcome": Outcome.REFUSED, "why": "; ".join(resolution.problems)})
            return
        body = {"hash": state.hash, "targets": list(state.plan.targets), "values": list(resolution.values)}
        try:
            await self._write(kinds.BEGUN, body, guard=free(self._run, state.plan.targets))
        except RefusedError as error:
            await self._write(kinds.ENDED, {"outcome": Outcome.REFUSED, "why": str(error)})

    async def _carry(self, step: StepState) -> None:
        """Carry a step on, and look meanwhile whether somebody wants it stopped."""
        work = asyncio.create_task(self._stepper(step).carry())
        try:
            while not work.done():
                await asyncio.wait([work], timeout=self._runner._poll_s)
                state = await self._look()
                if not work.done() and isinstance(decide(state, datetime.now(UTC)), Stop):
                    return
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _verify(self, state: RunState) -> None:
        found = await self._stepper(None).hold(state.plan.verify)
        outcome = Outcome.OK if all(one.holds for one in found) else Outcome.FAILED
        await self._write(kinds.VERIFIED, {"outcome": outcome, **measured(found)})

    def _stepper(self, step: StepState | None) -> Stepper:
        hands = self._hands
        return Stepper(self._run, step, hands.performers, hands.measure, self._write, self._look, self._output)

    async def _write(self, kind: str, body: Mapping[str, Any], guard: Guard | None = None) -> Entry:
        [entry] = await self._writer.write(Note(kind, self._runner._author, self._run, body), guard=guard)
        return entry

    async def _look(self) -> RunState:
        """The state with everything that is written by now."""
        journal, run, seq = self._runner._journal, self._run, self._seq
        for entry in await persistent(lambda: journal.entries(run=run, after=seq)):
            # Two may look at once: what one has folded in is not folded in again.
            if entry.seq > self._seq:
                self._state, self._seq = after(self._state, entry), entry.seq
        if self._state is None:
            raise JournalError(f"run {run} has no plan in this journal")
        return self._state

    async def _output(self, step: str) -> Mapping[str, str]:
        """What each part of a step has printed at its last attempt: what one said before is of before."""
        journal, run = self._runner._journal, self._run
        state = await self._look()
        parts = {**state.steps, **state.undone}[step].parts
        found = await persistent(lambda: journal.entries(run=run, kinds=[kinds.OUTPUT]))
        told = (e.body for e in found if e.body["step"] == step and e.body["stream"] == "out")
        printed = dict.fromkeys(parts, "")
        for body in told:
            if body["attempt"] == parts[body["part"]].attempt:
                printed[body["part"]] += body["text"]
        return printed


def states_of(reader: Reader, runs: Iterable[str]) -> list[RunState]:
    """The states of runs, without the places up to which their output is read: that is long, and decides nothing."""
    folded = (fold(reader.entries(run=run, kinds=kinds.DECISIVE)) for run in runs)
    return [state for state in folded if state is not None]


def waiting_runs(reader: Reader) -> list[RunState]:
    """Runs that somebody should execute, and nobody does, the oldest first."""
    free_ones = (run for run in reader.runs(kinds.PLANNED, kinds.ENDED) if not reader.holder(run))
    now = datetime.now(UTC)
    return [state for state in states_of(reader, free_ones) if not isinstance(decide(state, now), Rest)]


def free(run: str, targets: Sequence[str]) -> Guard:
    """A guard that refuses while another run holds one of the targets."""

    def check(reader: Reader) -> None:
        for other in reader.runs(kinds.BEGUN, kinds.ENDED):
            [begun] = reader.entries(run=other, kinds=[kinds.BEGUN])
            held = set(begun.body["targets"]) & set(targets)
            if held and other != run:
                raise RefusedError(f"{', '.join(sorted(held))} is being worked on by run {other}")

    return check
