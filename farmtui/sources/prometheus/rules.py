"""Alerting rules and scrape targets, from the two parts of the API that are no queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from farmtui.farm.alerts import Rule, Target
from farmtui.farm.text import clean_text
from farmtui.sources.errors import bad_answer
from farmtui.sources.prometheus.decode import label_pairs, label_text

_YEAR_ONE: Final = 1


@dataclass(frozen=True, slots=True)
class ScrapedTarget:
    """A target, and whether it is looked at through another exporter (`/probe?target=`), not scraped itself."""

    target: Target
    probed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the API: where it is, and how its answer is read."""

    name: str
    title: str
    path: str
    params: Mapping[str, str]
    list_key: str
    """The member that holds the answer's long array."""
    read_each: Callable[[Any], Any]
    """What is made of each element of it, while it is decoded."""

    def read(self, answer: Any) -> tuple[Any, ...]:
        """All that was read. Raises SourceError where the answer as a whole is not one."""
        data = answer.get("data") if isinstance(answer, dict) else None
        elements = data.get(self.list_key) if isinstance(data, dict) else None
        if not isinstance(elements, list):
            raise bad_answer(f"the answer is not Prometheus's (it has no {self.list_key})")
        return tuple(item for found in elements for item in found)


def read_group(group: Any) -> tuple[Rule, ...]:
    """The alerting rules of one group of `/api/v1/rules`; what is not one is left out."""
    entries = group.get("rules") if isinstance(group, dict) else None
    return tuple(
        _rule(entry, _text(group.get("name")))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and entry.get("type", "alerting") == "alerting" and entry.get("name")
    )


def _rule(entry: dict[str, Any], group: str) -> Rule:
    return Rule(
        name=_text(entry.get("name")),
        group=group,
        query=_text(entry.get("query")),
        state=_text(entry.get("state")),
        health=_text(entry.get("health")) or "unknown",
        for_s=_seconds(entry.get("duration")),
        last_error=_text(entry.get("lastError")),
        labels=label_pairs(entry.get("labels")),
        annotations=label_pairs(entry.get("annotations")),
    )


def read_target(entry: Any) -> tuple[ScrapedTarget, ...]:
    """One active target of `/api/v1/targets`, or nothing where it is none."""
    labels = entry.get("labels") if isinstance(entry, dict) else None
    if not isinstance(labels, dict) or not isinstance(labels.get("instance"), str):
        return ()
    pairs = label_pairs(labels)
    target = Target(
        job=next((value for name, value in pairs if name == "job"), ""),
        instance=label_text(labels["instance"]),
        up=entry.get("health") == "up",
        last_error=_text(entry.get("lastError")),
        last_scrape=_time(entry.get("lastScrape")),
        labels=pairs,
    )
    return (ScrapedTarget(target, "/probe" in _text(entry.get("scrapeUrl")).partition("?")[0]),)


TARGETS: Final = Part(
    "targets",
    "scrape targets as the server holds them",
    "/api/v1/targets",
    {"state": "active"},
    "activeTargets",
    read_target,
)
RULES: Final = Part("rules", "alerting rules", "/api/v1/rules", {"type": "alert"}, "groups", read_group)
PARTS: Final = (TARGETS, RULES)


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) and value else ""


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9 else 0.0


def _time(value: Any) -> datetime | None:
    """A time of Go's making: nanoseconds are more than Python reads, and the year 1 means never."""
    if not isinstance(value, str):
        return None
    head, dot, rest = value.partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        value = f"{head}.{digits[:6]}{rest[len(digits) :]}"
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.year == _YEAR_ONE:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
