"""The texts of a run's screen: pure functions of its state and the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Severity
from farmtui.farm.units import duration
from farmtui.runbooks import kinds
from farmtui.runbooks.decide import Rest, decide
from farmtui.runbooks.picture import Line, Standing, progress
from farmtui.runbooks.planned import Condition, ManualCall, Measured, WaitCall
from farmtui.runbooks.state import Outcome, PartState, RunState, StepState
from farmtui.runbooks.wording import wanted
from screens.remedy_details import target_names
from widgets import ink
from widgets.dialog import RISK
from widgets.glyphs import glyphs
from widgets.status_mark import status_mark

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[str, str]

WORDS = {
    "repeat": "do it again, where it did not do well",
    "again": "measure again what was expected",
    "skip": "go on without it",
    "undo": "take back what was done, the last first",
    "stop": "end the run here; what was done stays done",
    "done": "it was done, and did well",
    "failed": "it was done, and did not do well",
    "accept": "the end is good enough: the run ends well",
}
"""What each answer means."""


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step in the list; the book's own end is the last."""

    id: str
    number: str
    name: str
    severity: Severity
    word: str
    took_s: float | None
    current: bool


def head(state: RunState, how: Standing, now: datetime) -> tuple[Content, Content]:
    """How it stands and what it is; and, for the line's end, how far it is and for how long."""
    done, steps = progress(state)
    took_s = ((state.ended_at or now) - (state.begun_at or state.planned_at)).total_seconds()
    left = Content.assemble(
        status_mark(how.severity, how.word),
        (f"  {target_names(state)}", f"{ink.STRONG} {ink.ACCENT}"),
        (f"  {state.plan.title}", ink.STRONG),
    )
    far = f"{done} of {steps} {'undone' if state.undoing else 'steps'}"
    return left, Content.styled(f"{far}   {duration(took_s)}", ink.MUTED)


def people(state: RunState, holder: str) -> tuple[Content, Content]:
    """Who asked for it and why; and, for the line's end, who executes it."""
    word, severity = RISK[state.plan.risk]
    risk = ink.SEVERITY[severity] if severity >= Severity.WARNING else ink.MUTED
    second: list[Content | Span] = [
        (f"risk {state.plan.risk} {word}", risk),
        ("   by ", ink.MUTED),
        (state.author.user, ink.TEXT),
    ]
    if state.approved_by is not None:
        second.append((f", approved by {state.approved_by.user}", ink.MUTED))
    second.append((f", because: {state.reason or 'not said'}", ink.MUTED))
    runner = f"runner {holder}" if state.outcome is None and holder else ""
    return Content.assemble(*second), Content.styled(runner, ink.MUTED)


def ask(state: RunState, how: Standing, now: datetime, trouble: str = "") -> Content | None:
    """What somebody must know or say now; None where the run goes on by itself. `trouble` is the journal's."""
    lines: list[Content] = []
    if trouble:
        lines.append(_loud(Severity.CRITICAL, f"what is shown may be old: {trouble}"))
    if state.glass_broken:
        lines.append(_loud(Severity.CRITICAL, f"glass broken, without a second person: {state.glass_broken}"))
    if state.outcome is not None:
        if state.why and state.outcome is not Outcome.OK:
            lines.append(_loud(how.severity, state.why))
        return Content("\n").join(lines) if lines else None
    if state.question is not None:
        # What a step did badly has a line of its own in what is measured: here the question.
        lines.append(_loud(Severity.WARNING, state.question.text))
        lines.append(_keys(f"a answers: {', '.join(state.question.choices)}"))
        return Content("\n").join(lines)
    needed = decide(state, now)
    if isinstance(needed, Rest):
        lines.append(_loud(Severity.WARNING, f"waits for {needed.waits_for}{_until(state)}"))
        hint = {
            "a second person's approval": f"another user: x here, or farmtui approve {state.run}",
            "being resumed": f"{state.paused}; x resumes it",
            "being confirmed": "x cancels it; a plan that was not confirmed does nothing",
        }.get(needed.waits_for)
        if hint:
            lines.append(_keys(hint))
    elif how.word == "alone":
        lines.append(_loud(Severity.WARNING, "no runner has it now: this console starts one where it may"))
    return Content("\n").join(lines) if lines else None


def _until(state: RunState) -> str:
    return f" (an earlier one lasted until {state.approved_until:%H:%M}Z)" if state.approved_until else ""


def _loud(severity: Severity, text: str) -> Content:
    return Content.styled(f"{glyphs().severity[severity]} {text}", f"{ink.STRONG} {ink.SEVERITY[severity]}")


def _keys(text: str) -> Content:
    return Content.styled(f"  {text}", ink.ACCENT)


# -- the list of steps ----------------------------------------------------------------------------


def step_rows(state: RunState, now: datetime) -> tuple[StepRow, ...]:
    """All steps with how they stand, then the book's end, then what is undone."""
    current = state.current
    rows = [_step_row(str(n), step, step is current, now) for n, step in enumerate(state.steps.values(), 1)]
    if state.plan.verify:
        verifying = current is None and state.outcome is None and not state.undoing
        severity, word = _verdict(state, verifying=verifying)
        rows.append(StepRow(VERIFY, "", "In the end", severity, word, None, verifying))
    rows += [_step_row("", step, step is current, now) for step in state.undone.values()]
    return tuple(rows)


VERIFY = ":verify"
"""The key of the book's own end: no step's id holds a colon."""


def _verdict(state: RunState, *, verifying: bool) -> tuple[Severity, str]:
    if state.verified is not None:
        return (Severity.OK, "reached") if state.verified is Outcome.OK else (Severity.CRITICAL, "not reached")
    return (Severity.INFO, "waits") if verifying else (Severity.OK, "")


_OUTCOMES = {
    Outcome.OK: Severity.OK, Outcome.SKIPPED: Severity.INFO, Outcome.CANCELLED: Severity.WARNING,
}  # fmt: skip


def _step_row(number: str, step: StepState, current: bool, now: datetime) -> StepRow:
    took_s = ((step.ended_at or now) - step.begun_at).total_seconds() if step.begun_at else None
    if step.outcome is not None:
        severity, word = _OUTCOMES.get(step.outcome, Severity.CRITICAL), str(step.outcome)
    elif any(part.unknown and part.open for part in step.parts.values()):
        severity, word = Severity.UNKNOWN, "unknown"
    elif step.begun:
        severity, word = Severity.INFO, "by hand" if isinstance(step.step.call, ManualCall) else "running"
    else:
        severity, word = Severity.OK, "next" if current else ""
    return StepRow(step.step.id, number, step.step.name, severity, word, took_s, current)


def step_state(row: StepRow) -> Content | str:
    """A step's state: nothing is marked before it has begun."""
    if row.word in ("", "next"):
        return Content.styled(row.word or glyphs().dot, ink.MUTED)
    if row.word in ("running", "waits"):
        return Content.styled(f"{glyphs().arrow} {row.word}", f"{ink.STRONG} {ink.INFO}")
    return status_mark(row.severity, row.word)


# -- the one that is looked at --------------------------------------------------------------------


def shown_step(state: RunState, key: str, now: datetime) -> Content:
    """The step that the list's cursor is on: what it does, what is measured against what is wanted, and the time."""
    if key == VERIFY:
        # The values of a run are those of its requirements before it has come to its end.
        values = state.values if state.held else ()
        lines = [Content.styled("In the end", ink.STRONG)]
        lines += _conditions(state.plan.verify, values, state.held, ended=state.verified is not None, left_s=None)
        return Content("\n").join(lines)
    step = state.undone.get(key) or state.steps.get(key)
    if step is None:
        return Content()
    return Content("\n").join(_step_lines(step, now))


def _step_lines(step: StepState, now: datetime) -> Iterator[Content]:
    planned = step.step
    took_s = ((step.ended_at or now) - step.begun_at).total_seconds() if step.begun_at else None
    most = "" if isinstance(planned.call, ManualCall | WaitCall) else f" of at most {duration(planned.timeout_s)}"
    time = f"   {duration(took_s)}{most}" if took_s is not None else ""
    yield Content.assemble((planned.name, ink.STRONG), (time, ink.MUTED))
    yield Content.styled(planned.text, ink.ACCENT)
    if step.why:
        style = ink.SEVERITY[_OUTCOMES.get(step.outcome, Severity.CRITICAL)] if step.outcome else ink.MUTED
        yield Content.styled(step.why, style)
    if len(step.parts) > 1:
        yield from _part_lines(tuple(step.parts.values()))
    began = max((part.ended_at for part in step.parts.values() if part.ended_at), default=None)
    left_s = _left_s(planned.expect, began, now) if step.outcome is None else None
    yield from _conditions(planned.expect, step.values, step.held, ended=step.outcome is not None, left_s=left_s)
    for condition in planned.abort_if:
        yield Content.styled(f"stops if {wanted(condition)}", ink.MUTED)
    if planned.undo_text:
        yield Content.styled(f"undo: {planned.undo_text}", ink.MUTED)


def _left_s(conditions: Sequence[Condition], began: datetime | None, now: datetime) -> float | None:
    within_s = max((one.within_s for one in conditions if isinstance(one, Measured)), default=0.0)
    return (began + timedelta(seconds=within_s) - now).total_seconds() if began and within_s else None


def _part_lines(parts: Sequence[PartState]) -> Iterator[Content]:
    """A fan-out: how many are done, and those that are not well."""
    ended = [part for part in parts if part.outcome is not None]
    wrong = [part for part in ended if part.outcome is not Outcome.OK] + [p for p in parts if p.unknown and p.open]
    going = [part.part for part in parts if part.open and not part.unknown]
    counts = f"{len(ended)} of {len(parts)} hosts, {len(wrong)} not well"
    at = f"; at {', '.join(going[:6])}" if going else ""
    yield Content.styled(f"{counts}{at}", ink.MUTED)
    for part in wrong[:4]:
        severity = Severity.UNKNOWN if part.unknown else Severity.CRITICAL
        yield Content.styled(
            f"{glyphs().severity[severity]} {part.part}: {part.unknown or part.why}", ink.SEVERITY[severity]
        )
    if len(wrong) > 4:
        yield Content.styled(f"  and {len(wrong) - 4} more", ink.MUTED)


def _conditions(
    conditions: Iterable[Condition],
    values: Sequence[str],
    held: Sequence[bool],
    *,
    ended: bool,
    left_s: float | None,
) -> Iterator[Content]:
    """Each condition with its value where it was measured; what is wanted where it was not."""
    for number, condition in enumerate(conditions):
        if number >= len(values):
            yield Content.styled(f"{glyphs().dot} {wanted(condition)}", ink.MUTED)
            continue
        holds = held[number] if number < len(held) else ended
        if holds:
            yield Content.assemble(status_mark(Severity.OK), f" {values[number]}")
        elif ended:
            yield Content.assemble(status_mark(Severity.CRITICAL), (f" {values[number]}", ink.CRITICAL))
        else:
            left = f"   {duration(max(0.0, left_s))} left" if left_s is not None else ""
            yield Content.assemble((f"{glyphs().arrow} {values[number]}", ink.INFO), (left, ink.MUTED))


# -- the story ------------------------------------------------------------------------------------

_LINES = {
    kinds.ASKED: ink.WARNING, kinds.EFFECT_UNKNOWN: ink.UNKNOWN, kinds.TROUBLE: ink.CRITICAL, kinds.EFFECT: ink.ACCENT,
    kinds.MEASURED: ink.MUTED, kinds.ANSWERED: ink.STRONG, kinds.ENDED: ink.STRONG, kinds.STEP_ENDED: ink.STRONG,
    kinds.CANCELLED: ink.WARNING,
}  # fmt: skip


def story_line(line: Line) -> Content:
    """One line of the story: its time is quiet, what a command says on its standard error is not."""
    style = _LINES.get(line.kind, ink.TEXT)
    if line.kind == kinds.OUTPUT and "] ! " in line.text:
        style = ink.WARNING
    return Content.assemble((f"{line.at:%H:%M:%S}  ", ink.MUTED), (line.text, style))
