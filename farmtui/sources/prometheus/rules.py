"""Alerting rules and scrape targets, from the two parts of the API that are no queries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from farmtui.farm.alerts import Rule, Target
from farmtui.farm.text import clean_text
from farmtui.sources.errors import bad_answer
from farmtui.sources.prometheus.decode import label_pairs, label_text

_YEAR_ONE = 1


def rules(answer: Any) -> tuple[Rule, ...]:
    """All alerting rules of an answer of `/api/v1/rules`; what is not one is left out.

    Raises SourceError where the answer as a whole is not one.
    """
    groups = _data(answer).get("groups")
    if not isinstance(groups, list):
        raise bad_answer("the rules hold no list of groups")
    return tuple(
        _rule(entry, _text(group.get("name")))
        for group in groups
        if isinstance(group, dict) and isinstance(group.get("rules"), list)
        for entry in group["rules"]
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


def targets(answer: Any) -> tuple[Target, ...]:
    """All active targets of an answer of `/api/v1/targets`; what is not one is left out.

    Raises SourceError where the answer as a whole is not one.
    """
    active = _data(answer).get("activeTargets")
    if not isinstance(active, list):
        raise bad_answer("the targets hold no list of active ones")
    return tuple(_target(entry) for entry in active if _names_an_instance(entry))


def probed(answer: Any) -> frozenset[str]:
    """Instances of targets that are looked at through another exporter (`/probe?target=`), not scraped themselves."""
    active = _data(answer).get("activeTargets")
    return frozenset(
        label_text(entry["labels"]["instance"])
        for entry in (active if isinstance(active, list) else ())
        if _names_an_instance(entry) and "/probe" in _text(entry.get("scrapeUrl")).partition("?")[0]
    )


def _names_an_instance(entry: Any) -> bool:
    labels = entry.get("labels") if isinstance(entry, dict) else None
    return isinstance(labels, dict) and isinstance(labels.get("instance"), str)


def _target(entry: dict[str, Any]) -> Target:
    labels = label_pairs(entry["labels"])
    return Target(
        job=next((value for name, value in labels if name == "job"), ""),
        instance=label_text(entry["labels"]["instance"]),
        up=entry.get("health") == "up",
        last_error=_text(entry.get("lastError")),
        last_scrape=_time(entry.get("lastScrape")),
        labels=labels,
    )


def _data(answer: Any) -> dict[str, Any]:
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise bad_answer("the answer is not Prometheus's (it has no data)")
    return data


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""


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
