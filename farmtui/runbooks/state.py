"""A run's state: a fold over its entries, and nothing else. To attach is to read from the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from farmtui.farm.text import visible
from farmtui.journal.entry import Author, Entry
from farmtui.runbooks import kinds
from farmtui.runbooks.planned import Plan, PlannedStep


class Outcome(StrEnum):
    """How a part, a step or a run ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    ABSENT = "absent"
    """An effect that was announced and is known not to have happened."""
    REFUSED = "refused"
    EXPIRED = "expired"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class PartState:
    """One part of a step: a host of a fan-out, or the whole."""

    part: str
    attempt: int = 0
    """How often it was announced."""
    begun_at: datetime | None = None
    """When the attempt was announced; None where the next one is still to come."""
    unknown: str = ""
    """Why it is not known whether the attempt has had its effect."""
    outcome: Outcome | None = None
    code: int | None = None
    why: str = ""
    ended_at: datetime | None = None
    read: tuple[int, int] = (0, 0)
    """Bytes of its output and of its errors that are in the journal."""
    machine: str = ""
    """Where the runner was that announced it."""
    notes: tuple[str, ...] = ()
    """What a later runner must know of it: the name of a task at the other side."""

    @property
    def open(self) -> bool:
        """Announced, and not known to have ended."""
        return self.begun_at is not None and self.outcome is None


@dataclass(frozen=True, slots=True)
class StepState:
    """One step, or the undoing of one."""

    step: PlannedStep
    parts: dict[str, PartState]
    outcome: Outcome | None = None
    why: str = ""
    values: tuple[str, ...] = ()
    """Its conditions as they were measured last, in words."""
    held: tuple[bool, ...] = ()
    """Which of them held; a journal of before does not say."""
    begun_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def begun(self) -> bool:
        """Whether any of it was announced."""
        return self.begun_at is not None

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.begun and self.outcome is None


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked."""

    seq: int
    about: str
    step: str
    part: str
    text: str
    choices: tuple[str, ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything about a run."""

    run: str
    plan: Plan
    hash: str
    reason: str
    author: Author
    planned_at: datetime
    steps: dict[str, StepState]
    """By id, in their order."""
    undone: dict[str, StepState] = field(default_factory=dict)
    """What is undone, by the id of the undoing, in its order."""
    confirmed_by: Author | None = None
    confirmed_at: datetime | None = None
    glass_broken: str = ""
    """Why it was started without the second person."""
    approved_by: Author | None = None
    approved_until: datetime | None = None
    begun_at: datetime | None = None
    announced: bool = False
    """Whether it was told to people that it begins, or that was tried."""
    question: Question | None = None
    paused: str = ""
    cancelled: str = ""
    verified: Outcome | None = None
    values: tuple[str, ...] = ()
    """What is required of the farm, then the book's own end, as they were measured last, in words."""
    held: tuple[bool, ...] = ()
    undoing: bool = False
    stopped: str = ""
    """Why no further step is begun: a person said so."""
    outcome: Outcome | None = None
    why: str = ""
    ended_at: datetime | None = None
    epoch: int = 0
    """Of the last runner that wrote of it."""

    @property
    def current(self) -> StepState | None:
        """The step that is on its way, or the next one; None when there is none."""
        if self.outcome is not None:
            return None
        order = self.undone if self.undoing else self.steps
        return next((step for step in order.values() if step.outcome is None), None)

    @property
    def can_undo(self) -> bool:
        """Whether anything that was begun can be taken back."""
        return any(step.begun and step.step.undo is not None for step in self.steps.values())

    @property
    def holds_targets(self) -> bool:
        """Whether no other run may work on its targets."""
        return self.begun_at is not None and self.outcome is None


def fold(entries: Iterable[Entry]) -> RunState | None:
    """The state that the entries of one run lead to; None before it is planned."""
    state: RunState | None = None
    for entry in entries:
        state = after(state, entry)
    return state


def after(state: RunState | None, entry: Entry) -> RunState | None:
    """The state with one more entry."""
    if state is None:
        return _planned(entry) if entry.kind == kinds.PLANNED else None
    step = _CHANGES.get(entry.kind)
    changed = step(state, entry, safe(entry.body)) if step else state
    return replace(changed, epoch=max(changed.epoch, entry.epoch))


def safe(value: Any) -> Any:
    """What an entry says, with nothing in it that would act on a terminal: people, commands and machines wrote it."""
    match value:
        case str():
            return visible(value, multiline=True)
        case Mapping():
            return {key: safe(inner) for key, inner in value.items()}
        case list():
            return [safe(inner) for inner in value]
    return value


def undoing_of(step: PlannedStep) -> PlannedStep:
    """The step that undoes a step that can be undone."""
    assert step.undo is not None
    return PlannedStep(
        id=f"undo-{step.id}", name=f"Undo: {step.name}", call=step.undo, text=step.undo_text,
        timeout_s=step.timeout_s, idempotent=step.idempotent,
    )  # fmt: skip


def _planned(entry: Entry) -> RunState:
    plan = Plan.model_validate(entry.body["plan"])
    return RunState(
        run=entry.run, plan=plan, hash=str(entry.body["hash"]), reason=safe(str(entry.body.get("reason", ""))),
        author=entry.author, planned_at=entry.at, steps={step.id: _fresh(step) for step in plan.steps},
    )  # fmt: skip


def _fresh(step: PlannedStep) -> StepState:
    return StepState(step, {part: PartState(part) for part in step.parts})


def _confirmed(state: RunState, entry: Entry, body: Any) -> RunState:
    if body["hash"] != state.hash:
        return state
    broken = str(body.get("why", "")) if body["how"] == "break-glass" else ""
    return replace(state, confirmed_by=entry.author, confirmed_at=entry.at, glass_broken=broken)


def _approved(state: RunState, entry: Entry, body: Any) -> RunState:
    # Nobody approves what they have asked for, whatever wrote the entry.
    asking = {state.author.user, state.confirmed_by.user if state.confirmed_by else state.author.user}
    if body["hash"] != state.hash or entry.author.user in asking:
        return state
    return replace(state, approved_by=entry.author, approved_until=datetime.fromisoformat(body["until"]))


def _rejected(state: RunState, entry: Entry, body: Any) -> RunState:
    return replace(state, cancelled=f"rejected by {entry.author.user}: {body['why']}")


def _begun(state: RunState, entry: Entry, body: Any) -> RunState:
    return replace(state, begun_at=entry.at, values=tuple(body.get("values", ())))


def _announced(state: RunState, entry: Entry, body: Any) -> RunState:
    return replace(state, announced=True)


def _effect(state: RunState, entry: Entry, body: Any) -> RunState:
    part = PartState(body["part"], attempt=body["attempt"], begun_at=entry.at, machine=body["machine"])
    return _with_part(state, body["step"], part, begun_at=entry.at)


def _output(state: RunState, entry: Entry, body: Any) -> RunState:
    step = _step(state, body["step"])
    part = step.parts[body["part"]]
    if body["attempt"] != part.attempt:
        return state
    out, err = part.read
    match body["stream"]:
        case "out":
            part = replace(part, read=(body["end"], err))
        case "err":
            part = replace(part, read=(out, body["end"]))
        case "note":
            part = replace(part, notes=(*part.notes, body["text"]))
    return _with_part(state, body["step"], part)


def _effect_unknown(state: RunState, entry: Entry, body: Any) -> RunState:
    part = _step(state, body["step"]).parts[body["part"]]
    return _with_part(state, body["step"], replace(part, unknown=body["why"]))


def _effect_ended(state: RunState, entry: Entry, body: Any) -> RunState:
    part = _step(state, body["step"]).parts[body["part"]]
    if body["outcome"] == Outcome.ABSENT:
        return _with_part(state, body["step"], PartState(part.part, attempt=part.attempt))
    ended = replace(
        part, outcome=Outcome(body["outcome"]), code=body.get("code"), why=body.get("why", ""), unknown="",
        ended_at=entry.at,
    )  # fmt: skip
    return _with_part(state, body["step"], ended)


def _measured(state: RunState, entry: Entry, body: Any) -> RunState:
    if not body["step"]:
        return replace(state, values=tuple(body["values"]), held=tuple(body.get("held", ())))
    step = replace(_step(state, body["step"]), values=tuple(body["values"]), held=tuple(body.get("held", ())))
    return _with_step(state, step)


def _step_ended(state: RunState, entry: Entry, body: Any) -> RunState:
    step = _step(state, body["step"])
    ended = replace(
        step, outcome=Outcome(body["outcome"]), why=body.get("why", ""), begun_at=step.begun_at or entry.at,
        values=tuple(body.get("values", step.values)), held=tuple(body.get("held", step.held)), ended_at=entry.at,
    )  # fmt: skip
    return _with_step(state, ended)


def _asked(state: RunState, entry: Entry, body: Any) -> RunState:
    question = Question(
        entry.seq, body["about"], body["step"], body["part"], body["text"], tuple(body["choices"]), entry.at
    )
    return replace(state, question=question)


def _answered(state: RunState, entry: Entry, body: Any) -> RunState:
    question = state.question
    if question is None or body["question"] != question.seq or body["choice"] not in question.choices:
        return state
    state = replace(state, question=None)
    why = f"{entry.author.user} said so" + (f": {body['note']}" if body.get("note") else "")
    match body["choice"]:
        case "stop":
            return replace(state, stopped=why)
        case "undo":
            return _undo(state)
        case "skip":
            step = _step(state, question.step)
            return _with_step(state, replace(step, outcome=Outcome.SKIPPED, why=why, ended_at=entry.at))
        case "again" if question.about == "verify":
            return replace(state, verified=None)
        case "again":
            return _with_step(state, replace(_step(state, question.step), outcome=None, why="", ended_at=None))
        case "repeat":
            return _repeated(state, question)
        case "done":
            part = _step(state, question.step).parts[question.part]
            part = replace(part, outcome=Outcome.OK, why=why, unknown="", ended_at=entry.at)
            return _with_part(state, question.step, part)
        case "failed":
            part = _step(state, question.step).parts[question.part]
            part = replace(part, outcome=Outcome.FAILED, why=why, ended_at=entry.at)
            return _with_part(state, question.step, part)
        case "accept":
            return replace(state, verified=Outcome.OK)
    return state


def _repeated(state: RunState, question: Question) -> RunState:
    """Parts that did not do well are to be begun anew; what was done stays done."""
    step = _step(state, question.step)
    wrong = {
        name for name, part in step.parts.items()
        if part.outcome is not Outcome.OK and (part.outcome is not None or question.part in ("", name))
    }  # fmt: skip
    # Where all did well, what came of it was not as expected.
    again = wrong or set(step.parts)
    parts = {n: PartState(n, attempt=part.attempt) if n in again else part for n, part in step.parts.items()}
    return _with_step(state, replace(step, parts=parts, outcome=None, why="", ended_at=None))


def _paused(state: RunState, entry: Entry, body: Any) -> RunState:
    return replace(state, paused=f"{entry.author.user}: {body.get('why', '')}".rstrip(": "))


def _resumed(state: RunState, entry: Entry, body: Any) -> RunState:
    return replace(state, paused="")


def _cancelled(state: RunState, entry: Entry, body: Any) -> RunState:
    why = f"{entry.author.user}: {body.get('why', '')}".rstrip(": ")
    if state.undoing:
        # Who cancels the undoing wants an end.
        return replace(state, stopped=why, question=None)
    state = replace(state, cancelled=why, question=None)
    return _undo(state) if body.get("undo") and state.begun_at else state


def _undo(state: RunState) -> RunState:
    """From now on what was done is undone, the last first."""
    wanted = [
        undoing_of(step.step) for step in reversed(state.steps.values())
        if step.begun and step.outcome is not Outcome.SKIPPED and step.step.undo is not None
    ]  # fmt: skip
    return replace(state, undoing=True, undone={step.id: _fresh(step) for step in wanted})


def _verified(state: RunState, entry: Entry, body: Any) -> RunState:
    values, held = tuple(body.get("values", ())), tuple(body.get("held", ()))
    return replace(state, verified=Outcome(body["outcome"]), values=values, held=held)


def _ended(state: RunState, entry: Entry, body: Any) -> RunState:
    return replace(state, outcome=Outcome(body["outcome"]), why=body.get("why", ""), ended_at=entry.at, question=None)


def _step(state: RunState, ident: str) -> StepState:
    return state.undone[ident] if ident in state.undone else state.steps[ident]


def _with_step(state: RunState, step: StepState) -> RunState:
    if step.step.id in state.undone:
        return replace(state, undone={**state.undone, step.step.id: step})
    return replace(state, steps={**state.steps, step.step.id: step})


def _with_part(state: RunState, ident: str, part: PartState, begun_at: datetime | None = None) -> RunState:
    step = _step(state, ident)
    begun = step.begun_at or begun_at
    return _with_step(state, replace(step, parts={**step.parts, part.part: part}, begun_at=begun))


_CHANGES = {
    kinds.CONFIRMED: _confirmed,
    kinds.APPROVED: _approved,
    kinds.REJECTED: _rejected,
    kinds.BEGUN: _begun,
    kinds.ANNOUNCED: _announced,
    kinds.EFFECT: _effect,
    kinds.OUTPUT: _output,
    kinds.EFFECT_UNKNOWN: _effect_unknown,
    kinds.EFFECT_ENDED: _effect_ended,
    kinds.MEASURED: _measured,
    kinds.STEP_ENDED: _step_ended,
    kinds.ASKED: _asked,
    kinds.ANSWERED: _answered,
    kinds.PAUSED: _paused,
    kinds.RESUMED: _resumed,
    kinds.CANCELLED: _cancelled,
    kinds.VERIFIED: _verified,
    kinds.ENDED: _ended,
}
