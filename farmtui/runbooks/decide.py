"""What a run needs next, from its state alone. Pure: the runner does it, a test can ask for every state there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from farmtui.runbooks.state import Outcome, RunState, StepState

WAIT_S: Final = 3_600.0
"""How long a plan waits to be confirmed, and then for its approval or a runner: an hour later it is another farm, and
perhaps nobody wants it any more."""
ASK_FAILED = ("repeat", "again", "skip", "undo", "stop")
ASK_VERIFY = ("again", "accept", "undo", "stop")


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing until somebody says something; `waits_for` in words, empty when the run has ended."""

    waits_for: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Resolve again, check what is required, and hold the targets."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell people that it begins: it is of risk 3."""


@dataclass(frozen=True, slots=True)
class Carry:
    """Begin a step, or carry it on from where its entries leave it."""

    step: StepState


@dataclass(frozen=True, slots=True)
class Stop:
    """End what runs of a step: the run is cancelled."""

    step: StepState


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a person."""

    about: str
    step: str
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verify:
    """Measure the book's own end."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The run has ended."""

    outcome: Outcome
    why: str = ""


Next = Rest | Begin | Announce | Carry | Stop | Ask | Verify | Finish


def decide(state: RunState, at: datetime) -> Next:
    """What is to be done next. `at` is the time, which an approval may have outlived."""
    if state.outcome is not None:
        return Rest("")
    if state.begun_at is None:
        return _before(state, at)
    if state.plan.risk == 3 and not state.announced:
        return Announce()
    if state.question is not None:
        return Rest("an answer")
    running = next((s for s in (*state.steps.values(), *state.undone.values()) if s.running), None)
    if running is not None and (state.stopped or (state.cancelled and running.step.id in state.steps)):
        return Stop(running)
    if state.stopped:
        return Finish(Outcome.FAILED, state.stopped)
    if state.undoing:
        return _undo(state)
    if state.cancelled:
        return Finish(Outcome.CANCELLED, state.cancelled)
    if state.paused and running is None:
        return Rest("being resumed")
    for step in state.steps.values():
        if step.outcome in (Outcome.FAILED, Outcome.CANCELLED):
            return _failed(step, may_undo=state.can_undo)
        if step.outcome is None:
            return Carry(step)
    if state.verified is None and state.plan.verify:
        return Verify()
    if state.verified is Outcome.FAILED:
        text = f"All steps are done, and the book's end is not reached: {'; '.join(state.values)}"
        return Ask("verify", "", text, _without_undo(ASK_VERIFY, state.can_undo))
    return Finish(Outcome.OK)


def _before(state: RunState, at: datetime) -> Next:
    if state.cancelled:
        return Finish(Outcome.CANCELLED, state.cancelled)
    if state.confirmed_at is None:
        return _waits(state.planned_at, at, Rest("being confirmed"), "nobody has confirmed it")
    if state.plan.risk == 3 and not state.glass_broken:
        if state.approved_by is None or state.approved_until is None:
            return _waits(state.confirmed_at, at, Rest("a second person's approval"), "nobody has approved it")
        if state.approved_until <= at:
            return Finish(Outcome.EXPIRED, f"the approval of {state.approved_by.user} was for a time that is over")
        return Begin()
    return _waits(state.confirmed_at, at, Begin(), "no runner has begun it")


def _waits(since: datetime, at: datetime, needed: Next, why: str) -> Next:
    """What is needed, for as long as anything waits for it."""
    if (at - since).total_seconds() < WAIT_S:
        return needed
    return Finish(Outcome.EXPIRED, f"{why} within {WAIT_S / 60:g} min")


def _undo(state: RunState) -> Next:
    for step in state.undone.values():
        if step.outcome in (Outcome.FAILED, Outcome.CANCELLED):
            return _failed(step, may_undo=False)
        if step.outcome is None:
            return Carry(step)
    return Finish(Outcome.UNDONE, state.cancelled or "undone")


def _failed(step: StepState, *, may_undo: bool) -> Ask:
    text = f"{step.step.name}: {step.outcome}: {step.why}"
    return Ask("failed", step.step.id, text, _without_undo(ASK_FAILED, may_undo))


def _without_undo(choices: tuple[str, ...], may_undo: bool) -> tuple[str, ...]:
    return choices if may_undo else tuple(choice for choice in choices if choice != "undo")
