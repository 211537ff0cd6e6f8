"""Conditions as a person reads them: as a book has them, and as a plan has."""

from __future__ import annotations

from farmtui.farm.units import duration
from farmtui.runbooks import book, planned
from farmtui.runbooks.measuring import number


def written(condition: book.Condition) -> str:
    """A condition of a book; its templates stand as they are written."""
    match condition.kind:
        case "exit":
            codes = condition.exit if isinstance(condition.exit, list) else [condition.exit or 0]
            return f"it ends with {' or '.join(map(str, codes))}"
        case "stdout":
            return condition.name or f"it prints {condition.stdout}"
        case "lacks":
            return condition.name or f"it prints no {condition.lacks}"
        case "fresh":
            return f"live: {', '.join(condition.fresh or ())}"
        case "quorum":
            whose = (
                "each quorum that it is in holds" if condition.quorum == "any" else f"{condition.quorum} has a quorum"
            )
            return condition.name or f"{whose} without what is worked on"
    within = f", within {duration(condition.within)}" if condition.within else ""
    return f"{condition.name or condition.promql} {condition.is_}{within}"


def wanted(condition: planned.Condition) -> str:
    """A condition of a plan: what is measured, and what it must be."""
    match condition:
        case planned.ExitIs():
            return f"it ends with {' or '.join(map(str, condition.codes))}"
        case planned.StdoutMatches():
            return condition.name or f"it prints {'no ' if condition.lacks else ''}{condition.regex}"
        case planned.SourcesFresh():
            return f"live: {', '.join(condition.sources)}"
        case planned.QuorumHolds():
            without = f" without {', '.join(condition.without)}" if condition.without else ""
            whose = "each quorum that it is in holds" if condition.of == "any" else f"{condition.of} has a quorum"
            return condition.name or f"{whose}{without}"
    is_ = condition.op if condition.op in ("empty", "present") else f"{condition.op} {number(condition.number)}"
    within = f", within {duration(condition.within_s)}" if condition.within_s else ""
    return f"{condition.name or condition.query} {is_}{within}"
