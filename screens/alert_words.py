"""Words for what is not there: no alerts, no answer, not allowed and not configured never read alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Freshness, Severity, freshness_of
from farmtui.farm.units import ago

if TYPE_CHECKING:
    from farmtui.farm.farm import Farm
    from farmtui.farm.reading import SourceState

_CONFIGURE = {
    "alertmanager": "no Alertmanager is configured (in the config: alertmanager.urls)",
    "prometheus": "no Prometheus is configured (in the config: prometheus.url)",
}


def nothing_there(farm: Farm | None, kind: str, noun: str) -> str:
    """Why a table of `noun` from the source `kind` is empty, in one line."""
    source = farm.source(kind) if farm else None
    if farm is None:
        return f"no answer yet: {noun} not known"
    if source is None:
        return _CONFIGURE[kind]
    heard = source.last_success_at is not None
    match source.freshness:
        case Freshness.FORBIDDEN:
            return f"not allowed: {source.name} refuses our login; {noun} not known"
        case Freshness.STALE | Freshness.AGEING if heard:
            return f"there were no {noun} when {source.name} last answered, {last_answer(farm, source)}"
        case Freshness.LIVE | Freshness.EMPTY:
            return f"no {noun}: {source.name} answered {last_answer(farm, source)} and holds none"
        case _ if source.failure:
            return f"no answer from {source.name}: {noun} not known"
        case _:
            return f"no answer yet from {source.name}: {noun} not known"


def picture_freshness(farm: Farm, kind: str) -> Freshness:
    """How fresh the rows from a source are. A source that now refuses us leaves its last picture, which grows old."""
    source = farm.source(kind)
    if source is None:
        return Freshness.EMPTY
    if source.freshness is not Freshness.FORBIDDEN or source.last_success_at is None:
        return source.freshness
    aged = freshness_of((farm.at - source.last_success_at).total_seconds(), source.interval_s)
    return Freshness.AGEING if aged is Freshness.LIVE else aged


def last_answer(farm: Farm, source: SourceState) -> str:
    """`12 s ago`, `just now`, `never`."""
    if source.last_success_at is None:
        return "never"
    words = ago((farm.at - source.last_success_at).total_seconds())
    return "just now" if words == "now" else words


def source_trouble(farm: Farm, kind: str) -> list[tuple[Severity, str]]:
    """What is wrong with a source, a line each: its failure with the remedy, its warnings."""
    source = farm.source(kind)
    if source is None:
        return []
    lines = []
    if source.failure is not None:
        shown = "" if source.last_success_at is None else f" (shown is what it said {last_answer(farm, source)})"
        lines.append((Severity.UNKNOWN, f"{source.failure.what}{shown}; {source.failure.remedy}"))
    return [*lines, *((Severity.WARNING, warning) for warning in source.warnings)]


def alertmanager_trouble(farm: Farm) -> list[tuple[Severity, str]]:
    """What is wrong with the Alertmanagers, a line each: those that do not answer are named and counted once."""
    replicas = farm.book.replicas if farm.book else ()
    down = [replica for replica in replicas if not replica.up]
    lines = [
        (severity, words)
        for severity, words in source_trouble(farm, "alertmanager")
        if not any(replica.problem and words.startswith(replica.problem) for replica in down)
    ]
    up = len(replicas) - len(down)
    count = f"({up} of {len(replicas)} answer)" if up else "(none answers)"
    severity = Severity.WARNING if up else Severity.CRITICAL
    return [*lines, *((severity, f"{replica.problem or f'{replica.url} does not answer'} {count}") for replica in down)]
