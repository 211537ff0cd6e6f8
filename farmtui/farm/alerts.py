"""Alerts and silences, merged over the replicas of Alertmanager, and the rules that raise them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from farmtui.farm.expressions import ExpressionError, expression
from farmtui.farm.state import Severity

_PLAIN_NAME = re.compile(r"[^\s{}!=~,\\\"'`]+")


def escaped(value: str) -> str:
    """A text as it stands between double quotes in PromQL and in matchers."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher of a silence, as Alertmanager v2 holds it. Regular expressions are anchored."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether it matches; a label that is absent reads as the empty string, as in Alertmanager.

        An invalid expression matches nothing (the server would have refused it).
        """
        have = labels.get(self.name, "")
        if not self.is_regex:
            return (have == self.value) is self.is_equal
        try:
            found = expression(self.value, whole=True).found_in(have)
        except ExpressionError:
            return False
        return found is self.is_equal

    def __str__(self) -> str:
        """As amtool has it: `parse_matchers` gives the same one again."""
        operator = ("=~" if self.is_regex else "=") if self.is_equal else ("!~" if self.is_regex else "!=")
        name = self.name if _PLAIN_NAME.fullmatch(self.name) else f'"{escaped(self.name)}"'
        return f'{name}{operator}"{escaped(self.value)}"'


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `labels` and `annotations` are sorted pairs; text is cleaned at ingestion."""

    fingerprint: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    state: str
    """`active`, `suppressed` or `unprocessed`."""
    starts_at: datetime
    ends_at: datetime | None
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    receivers: tuple[str, ...]
    generator_url: str = ""
    replicas: tuple[str, ...] = ()
    """Alertmanagers that hold it."""

    def label(self, name: str) -> str:
        """The value of a label, or the empty string."""
        return next((v for k, v in self.labels if k == name), "")

    def annotation(self, name: str) -> str:
        """The value of an annotation, or the empty string."""
        return next((v for k, v in self.annotations if k == name), "")

    @property
    def name(self) -> str:
        """The alertname label."""
        return self.label("alertname") or "(no alertname)"

    @property
    def severity(self) -> Severity:
        """The severity label as a Severity; an unknown word counts as WARNING, so that nothing is hidden."""
        return _SEVERITIES.get(self.label("severity").lower(), Severity.WARNING)

    @property
    def suppressed(self) -> bool:
        """Silenced or inhibited."""
        return bool(self.silenced_by or self.inhibited_by)

    @property
    def heartbeat(self) -> bool:
        """Whether it fires always, to show that alerts arrive: then it wants nobody's attention."""
        return is_heartbeat(self.name, self.label("severity"))


def is_heartbeat(name: str, severity: str) -> bool:
    """A rule by the severity `none`, or one that informs by the name that kube-prometheus gives it: Watchdog."""
    return severity.lower() == "none" or (severity.lower() == "info" and name.casefold() in _HEARTBEATS)


_HEARTBEATS = frozenset({"watchdog", "deadmansswitch", "deadmanswitch"})

_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "error": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "info": Severity.INFO,
    "none": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence. `state`: `pending`, `active` or `expired`."""

    id: str
    state: str
    matchers: tuple[Matcher, ...]
    created_by: str
    comment: str
    starts_at: datetime
    ends_at: datetime
    replicas: tuple[str, ...] = ()

    def covers(self, alert: Alert) -> bool:
        """Whether all matchers match."""
        labels = dict(alert.labels)
        return all(matcher.matches(labels) for matcher in self.matchers)


@dataclass(frozen=True, slots=True)
class AlertmanagerState:
    """One replica: whether it answers, its version and its cluster."""

    url: str
    up: bool
    version: str = ""
    cluster: str = ""
    peers: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AlertBook:
    """All that the Alertmanagers hold, merged by fingerprint and silence id."""

    alerts: tuple[Alert, ...]
    silences: tuple[Silence, ...]
    replicas: tuple[AlertmanagerState, ...]

    @property
    def heard(self) -> tuple[Alert, ...]:
        """Those that want attention: neither silenced nor inhibited, and no heartbeat."""
        return tuple(alert for alert in self.alerts if not alert.suppressed and not alert.heartbeat)

    @property
    def quiet(self) -> int:
        """How many are silenced or inhibited."""
        return sum(alert.suppressed for alert in self.alerts)


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting rule as Prometheus evaluates it."""

    name: str
    group: str
    query: str
    state: str
    """`inactive`, `pending` or `firing`."""
    health: str
    """`ok`, `err` or `unknown`."""
    for_s: float
    last_error: str
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def heartbeat(self) -> bool:
        """Whether its alert fires always."""
        return is_heartbeat(self.name, dict(self.labels).get("severity", ""))


@dataclass(frozen=True, slots=True)
class Target:
    """A scrape target."""

    job: str
    instance: str
    up: bool
    last_error: str
    last_scrape: datetime | None
    labels: tuple[tuple[str, str], ...] = ()
