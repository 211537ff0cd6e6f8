"""One step in a runner's hands: its parts begun or found again, what is expected of it measured, its end written."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from farmtui.journal.entry import Entry
from farmtui.journal.store import Guard
from farmtui.runbooks import kinds
from farmtui.runbooks.measuring import Measure, Measurement, recorded
from farmtui.runbooks.planned import (
    Condition,
    ExitIs,
    ManualCall,
    Measured,
    PlannedStep,
    SshCall,
    StdoutMatches,
    WaitCall,
)
from farmtui.runbooks.state import Outcome, PartState, RunState, StepState
from farmtui.runbooks.steps.effect import Done, Effect, Lost, Performer, Said, Told

WATCH_S: Final = 5.0
"""How often what would abort a step is measured."""
ASK_UNKNOWN: Final = ("done", "repeat", "skip", "undo", "stop")


class Write(Protocol):
    """Writes an entry of the run."""

    def __call__(self, kind: str, body: Mapping[str, Any], guard: Guard | None = None) -> Awaitable[Entry]:
        """Return when it is written."""
        ...


class AbortedError(Exception):
    """What must not be came to be."""


class Stepper:
    """See the module. All that it knows it reads from the journal: another could go on at any line."""

    def __init__(
        self,
        run: str,
        step: StepState | None,
        performers: Mapping[str, Performer],
        measure: Measure,
        write: Write,
        look: Callable[[], Awaitable[RunState]],
        output: Callable[[str], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._run = run
        self._step = step
        self._performers = performers
        self._measure = measure
        self._write = write
        self._look = look
        self._output = output

    @property
    def _planned(self) -> PlannedStep:
        assert self._step is not None
        return self._step.step

    async def carry(self) -> None:
        """Go on until the step has ended, or a question is asked."""
        planned = self._planned
        aborted = await self._aborts()
        if aborted:
            await self._end(Outcome.FAILED, f"aborted: {aborted}")
            return
        try:
            await self._watched(self._parts())
        except AbortedError as error:
            await self._stop_parts(f"aborted: {error}")
            await self._end(Outcome.FAILED, f"aborted: {error}")
            return
        state = await self._now()
        if isinstance(planned.call, ManualCall) and any(part.open for part in state.parts.values()):
            await self._ask("manual", "", planned.call.text, ("done", "failed", "stop"))
            return
        for part in state.parts.values():
            if part.open:
                await self._ask("unknown", part.part, f"{planned.text}: {part.unknown}", ASK_UNKNOWN)
                return
        wrong = [part for part in state.parts.values() if part.outcome is not Outcome.OK]
        if wrong:
            await self._end(Outcome.FAILED, _summary(state, wrong))
            return
        found = await self.hold(planned.expect, state)
        holds = all(one.holds for one in found)
        await self._end(Outcome.OK if holds else Outcome.FAILED, "" if holds else words(found), found)

    async def stop(self) -> None:
        """End what runs of the step, and the step."""
        why = "the run was cancelled"
        await self._stop_parts(why)
        await self._end(Outcome.CANCELLED, why)

    async def hold(self, conditions: Sequence[Condition], state: StepState | None = None) -> tuple[Measurement, ...]:
        """Conditions as they are when all hold, or when the time of one that does not is over."""
        clock = asyncio.get_running_loop().time
        began = clock()
        told: tuple[Measurement, ...] = ()
        while True:
            found = tuple([await self._measured(condition, state) for condition in conditions])
            wrong = [condition for condition, one in zip(conditions, found, strict=True) if not one.holds]
            left = [c for c in wrong if isinstance(c, Measured) and clock() - began < c.within_s]
            if len(left) < len(wrong) or not wrong:
                return found
            if found != told:
                await self._write(kinds.MEASURED, {"step": state.step.id if state else "", **measured(found)})
                told = found
            await asyncio.sleep(min(c.every_s for c in left))

    # -- parts ----------------------------------------------------------------------------------

    async def _parts(self) -> None:
        """Begin or carry on every part: the canary first, so many at once, and no more when too many have failed."""
        state, call = await self._now(), self._planned.call
        waiting = [part for part in state.parts.values() if part.outcome is None]
        if not isinstance(call, SshCall) or len(state.parts) == 1:
            for part in waiting:
                await self._part(part)
            return
        canaries = list(state.parts)[: call.canary]
        for group in ([p for p in waiting if p.part in canaries], [p for p in waiting if p.part not in canaries]):
            turns = asyncio.Semaphore(call.parallel)
            await asyncio.gather(*(self._in_turn(turns, part, call) for part in group))
            state = await self._now()
            if canaries and any(state.parts[name].outcome is not Outcome.OK for name in canaries):
                return

    async def _in_turn(self, turns: asyncio.Semaphore, part: PartState, call: SshCall) -> None:
        async with turns:
            if not part.open:
                parts = (await self._now()).parts.values()
                failed = sum(one.outcome is Outcome.FAILED or bool(one.unknown) for one in parts)
                if failed and failed > call.stop_at * len(call.hosts):
                    return
            await self._part(part)

    async def _part(self, part: PartState) -> None:
        """One part to its end, or to where only a person knows."""
        planned = self._planned
        while True:
            if not part.open:
                part = await self._announce(part)
                told = await self._performed(part, begin=True)
            else:
                told = await self._performed(part, begin=False)
            if isinstance(planned.call, ManualCall):
                return
            done = await self._unknown(part, told) if isinstance(told, Lost) else told
            if done is None:
                return
            await self._end_part(part, done)
            if done.outcome is not Outcome.ABSENT:
                return
            part = (await self._now()).parts[part.part]

    async def _announce(self, part: PartState) -> PartState:
        body = {**self._where(part), "attempt": part.attempt + 1, "machine": socket.gethostname()}
        await self._write(kinds.EFFECT, body)
        return (await self._now()).parts[part.part]

    async def _performed(self, part: PartState, *, begin: bool) -> Told:
        planned = self._planned
        if isinstance(planned.call, ManualCall):
            return Lost("a person does it")
        assert part.begun_at is not None
        left_s = planned.timeout_s - (datetime.now(UTC) - part.begun_at).total_seconds()
        if isinstance(planned.call, WaitCall):
            return await self._waited(planned.call, part)
        performer = self._performers[planned.call.kind]
        effect = await self._effect(part)
        tell = self._teller(part)
        try:
            async with asyncio.timeout(max(left_s, 0.1)):
                return await (performer.perform if begin else performer.recover)(effect, tell)
        except TimeoutError:
            told = await performer.stop(await self._effect(part), tell)
        if isinstance(told, Done) and told.outcome is Outcome.CANCELLED:
            return Done(Outcome.FAILED, told.code, f"no end within {planned.timeout_s:g} s: it was stopped")
        return told

    async def _waited(self, call: WaitCall, part: PartState) -> Told:
        assert part.begun_at is not None
        gone_s = (datetime.now(UTC) - part.begun_at).total_seconds()
        if call.until is None:
            await asyncio.sleep(max(0.0, call.for_s - gone_s))
            return Done(Outcome.OK, why=f"{call.for_s:g} s have passed")
        [found] = await self.hold([call.until], await self._now())
        return Done(Outcome.OK if found.holds else Outcome.FAILED, why=found.text)

    async def _unknown(self, part: PartState, lost: Lost) -> Done | None:
        """What is to be taken for the outcome of an effect that cannot be found out; None: a person is to say."""
        planned = self._planned
        await self._write(kinds.EFFECT_UNKNOWN, {**self._where(part), "why": lost.why})
        if planned.verify:
            found = await self.hold(planned.verify, await self._now())
            if all(one.holds for one in found):
                return Done(Outcome.OK, why=f"not known ({lost.why}), and it has had its effect: {words(found)}")
        if planned.idempotent:
            return Done(Outcome.ABSENT, why=f"not known ({lost.why}); it may be repeated, and is")
        return None

    async def _end_part(self, part: PartState, done: Done) -> None:
        outcome = done.outcome
        allowed = [c for c in self._planned.expect if isinstance(c, ExitIs)]
        if allowed and done.code is not None and outcome in (Outcome.OK, Outcome.FAILED):
            outcome = Outcome.OK if all(done.code in c.codes for c in allowed) else Outcome.FAILED
        await self._write_ended(part, outcome, done.code, done.why)

    async def _write_ended(self, part: PartState, outcome: Outcome, code: int | None, why: str) -> None:
        await self._write(kinds.EFFECT_ENDED, {**self._where(part), "outcome": outcome, "code": code, "why": why})

    async def _stop_parts(self, why: str) -> None:
        state = await self._now()
        performer = self._performers.get(self._planned.call.kind)
        for part in state.parts.values():
            if not part.open:
                continue
            told: Told = Done(Outcome.CANCELLED, why=why)
            if performer is not None and not isinstance(self._planned.call, ManualCall | WaitCall):
                told = await performer.stop(await self._effect(part), self._teller(part))
            if isinstance(told, Lost):
                told = Done(Outcome.CANCELLED, why=f"{why}; {told.why}: it may go on")
            outcome = Outcome.CANCELLED if told.outcome is Outcome.ABSENT else told.outcome
            await self._write_ended(part, outcome, told.code, told.why or why)

    # -- watching and measuring -----------------------------------------------------------------

    async def _watched(self, work: Awaitable[None]) -> None:
        """Do it, and give it up when what would abort it holds."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait([task], timeout=WATCH_S)
                if not task.done() and (aborted := await self._aborts()):
                    raise AbortedError(aborted)
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _aborts(self) -> str:
        for condition in self._planned.abort_if:
            found = await self._measured(condition, None)
            if found.holds:
                return found.text
        return ""

    async def _measured(self, condition: Condition, state: StepState | None) -> Measurement:
        if isinstance(condition, ExitIs | StdoutMatches):
            assert state is not None
            printed = await self._output(state.step.id) if isinstance(condition, StdoutMatches) else {}
            return recorded(condition, state, printed)
        return await self._measure(condition)

    # -- the journal ----------------------------------------------------------------------------

    async def _now(self) -> StepState:
        """The step as it is written by now."""
        state = await self._look()
        ident = self._planned.id
        return state.undone[ident] if ident in state.undone else state.steps[ident]

    async def _effect(self, part: PartState) -> Effect:
        now = (await self._now()).parts[part.part]
        return Effect(self._run, self._planned, part.part, part.attempt, now.read, now.machine, now.notes)

    def _where(self, part: PartState) -> dict[str, Any]:
        """What entries of an attempt begin with."""
        return {"step": self._planned.id, "part": part.part, "attempt": part.attempt}

    def _teller(self, part: PartState) -> Callable[[Said], Awaitable[None]]:
        async def tell(said: Said) -> None:
            body = {"stream": said.stream, "text": said.text, "end": said.end}
            await self._write(kinds.OUTPUT, {**self._where(part), **body})

        return tell

    async def _ask(self, about: str, part: str, text: str, choices: Sequence[str]) -> None:
        may_undo = (await self._look()).can_undo
        wanted = [choice for choice in choices if choice != "undo" or may_undo]
        body = {"about": about, "step": self._planned.id, "part": part, "text": text, "choices": wanted}
        await self._write(kinds.ASKED, body)

    async def _end(self, outcome: Outcome, why: str, found: Sequence[Measurement] = ()) -> None:
        body: dict[str, Any] = {"step": self._planned.id, "outcome": outcome, "why": why}
        await self._write(kinds.STEP_ENDED, {**body, **measured(found)} if found else body)


def measured(found: Sequence[Measurement]) -> dict[str, Any]:
    """Measurements as entries have them."""
    return {"values": [one.text for one in found], "held": [one.holds for one in found]}


def words(found: Sequence[Measurement]) -> str:
    """Measurements in one line."""
    return "; ".join(one.text for one in found)


def _summary(state: StepState, wrong: list[PartState]) -> str:
    """`3 of 20 failed, 15 not begun: app-3: it ended with 1; ...`."""
    failed = [part for part in wrong if part.outcome is not None]
    if len(state.parts) == 1:
        return failed[0].why if failed else "it was not begun"
    told = "; ".join(f"{part.part}: {part.why}" for part in failed[:5])
    left = len(wrong) - len(failed)
    return f"{len(failed)} of {len(state.parts)} failed{f', {left} not begun' if left else ''}: {told}"
