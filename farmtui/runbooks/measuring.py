"""Conditions against what a run has recorded and against the farm: whether they hold, and how it is in words."""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from farmtui.farm.expressions import ExpressionError, expression
from farmtui.runbooks.planned import Condition, ExitIs, Measured, StdoutMatches
from farmtui.runbooks.state import StepState


@dataclass(frozen=True, slots=True)
class Measurement:
    """A condition as it is now."""

    holds: bool
    text: str
    """`two cache nodes serve: 2 (>= 2)`."""


class Measure(Protocol):
    """Measures what only the farm can tell: queries, freshness, quorums. Never raises: what cannot be told fails."""

    def __call__(self, condition: Condition) -> Awaitable[Measurement]:
        """Measure one condition now."""
        ...


_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def compared(condition: Measured, value: float | None) -> Measurement:
    """A query's value (None: it gave nothing) against what is wanted. Not a number never holds."""
    name = condition.name or condition.query
    if condition.op in ("empty", "present"):
        holds = (value is None) == (condition.op == "empty")
        return Measurement(holds, f"{name}: {'nothing' if value is None else number(value)} ({condition.op})")
    wanted = f"{condition.op} {number(condition.number)}"
    if value is None:
        return Measurement(False, f"{name}: no data ({wanted})")
    return Measurement(_COMPARE[condition.op](value, condition.number), f"{name}: {number(value)} ({wanted})")


def number(value: float) -> str:
    """A number as people write it: `0.05`, `317.55`, `1,902,530`."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:g}"


def recorded(condition: ExitIs | StdoutMatches, step: StepState, printed: Mapping[str, str]) -> Measurement:
    """A condition on what a step has done: its codes and what each part of it printed."""
    match condition:
        case StdoutMatches():
            words = condition.name or f"its output {'lacks' if condition.lacks else 'matches'} {condition.regex}"
            try:
                sought = expression(condition.regex, by_line=True)
            except ExpressionError as error:
                # Of a run that was planned by a version that knew other expressions.
                return Measurement(False, f"{words}: not a regular expression: {error}")
            wrong_ones = [part for part, text in printed.items() if sought.found_in(text) is condition.lacks]
            if printed and not wrong_ones:
                return Measurement(True, words)
            where = f" on {', '.join(wrong_ones[:5])}" if len(printed) > 1 else ""
            return Measurement(False, f"{words}: it does not{where}")
        case ExitIs():
            wrong = [part for part in step.parts.values() if part.code not in condition.codes]
            codes = ", ".join(map(str, condition.codes))
            what = "exit code"
            if not wrong:
                return Measurement(True, f"{what} {codes}")
            told = ", ".join(
                f"{part.part or 'it'} {part.code if part.code is not None else part.why}" for part in wrong[:5]
            )
            return Measurement(False, f"{what} {codes} wanted: {told}")
