"""Alerting rules over the world: evaluated at fixed moments, so that what fires is a function of the past alone."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

import yaml

from farmtui.demo.promql.evaluate import Evaluator, Vector
from farmtui.demo.promql.parser import parse
from farmtui.demo.promql.series import Column, Labels
from farmtui.demo.promql.syntax import Node
from farmtui.demo.promql.tokens import seconds

INTERVAL_S = 15.0
RUNBOOKS = "https://runbooks.example/"
_LOOK_BACK_S = 5_400.0
_COARSE_S = 60.0
_FINE_FROM_S = 900.0
_MOST_STEPS = 480


@dataclass(frozen=True)
class Rule:
    """One alerting rule as its file has it."""

    group: str
    name: str
    query: str
    node: Node
    for_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(slots=True)
class ActiveAlert:
    """An alert that is pending or firing. Times are Unix seconds; `fired_at` is None while it is pending."""

    rule: Rule
    labels: Labels
    active_at: float
    value: float
    fired_at: float | None = None

    @property
    def state(self) -> str:
        """`pending` or `firing`."""
        return "pending" if self.fired_at is None else "firing"

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations with their templates filled in, and the runbook's address."""
        filled = {name: _filled(text, self.labels, self.value) for name, text in self.rule.annotations.items()}
        return {**filled, "runbook_url": RUNBOOKS + _kebab(self.rule.name)}


_Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Alerting:
    """All rules and what they have made active up to now. Not thread-safe."""

    evaluator: Evaluator
    born: float
    rules: Sequence[Rule] = field(default_factory=lambda: load_rules())
    active: dict[str, dict[_Key, ActiveAlert]] = field(default_factory=dict)
    evaluated_at: float = 0.0

    def advance(self, now: float) -> None:
        """Evaluate the rules at all moments up to now that were not evaluated yet."""
        ticks = self._ticks(now)
        if not ticks:
            return
        for rule in self.rules:
            # What is not active at the last moment leaves nothing behind, whatever was before.
            if len(ticks) > 1 and not self._rows(rule, ticks[-1:]):
                self.active[rule.name] = {}
            else:
                self._evaluate(rule, ticks)
        self.evaluated_at = ticks[-1]

    def alerts(self) -> list[ActiveAlert]:
        """All active alerts, in the order of the rules."""
        return [alert for rule in self.rules for alert in self.active.get(rule.name, {}).values()]

    def _ticks(self, now: float) -> tuple[float, ...]:
        last = math.floor(now / INTERVAL_S) * INTERVAL_S
        if self.evaluated_at:
            first = max(self.evaluated_at + INTERVAL_S, last - _MOST_STEPS * INTERVAL_S)
            return tuple(_steps(first, last, INTERVAL_S))
        # What was already going on when the world began is found by looking back, more coarsely the longer ago.
        born = math.floor(self.born / _COARSE_S) * _COARSE_S
        coarse = _steps(born - _LOOK_BACK_S, born - _FINE_FROM_S - _COARSE_S, _COARSE_S)
        return (*coarse, *_steps(born - _FINE_FROM_S, last, INTERVAL_S))

    def _rows(self, rule: Rule, ticks: tuple[float, ...]) -> Sequence[tuple[Labels, Column]]:
        value = self.evaluator.range(rule.node, ticks)
        assert isinstance(value, Vector)
        return value.rows

    def _evaluate(self, rule: Rule, ticks: tuple[float, ...]) -> None:
        active = self.active.setdefault(rule.name, {})
        rows: dict[_Key, list[float | None]] = {}
        for labels, column in self._rows(rule, ticks):
            full = {**{k: v for k, v in labels.items() if k != "__name__"}, **rule.labels, "alertname": rule.name}
            rows[tuple(sorted(full.items()))] = list(column)
        for key in list(active):
            rows.setdefault(key, [None] * len(ticks))
        for key, values in rows.items():
            alert = active.pop(key, None)
            for tick, sample in zip(ticks, values, strict=True):
                if sample is None:
                    alert = None
                    continue
                if alert is None:
                    alert = ActiveAlert(rule, dict(key), tick, sample)
                alert.value = sample
                if alert.fired_at is None and tick - alert.active_at >= rule.for_s:
                    alert.fired_at = tick
            if alert is not None:
                active[key] = alert


def load_rules() -> Sequence[Rule]:
    """The rules of the farm's rule file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("farmtui.demo").joinpath("rules.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=loader)  # noqa: S506 - either is a safe loader
    return [
        Rule(
            group=group["name"],
            name=entry["alert"],
            query=entry["expr"],
            node=parse(entry["expr"]),
            for_s=seconds(entry["for"]) if "for" in entry else 0.0,
            labels=entry.get("labels", {}),
            annotations=entry.get("annotations", {}),
        )
        for group in data["groups"]
        for entry in group["rules"]
    ]


def _steps(first: float, last: float, step: float) -> list[float]:
    return [first + k * step for k in range(max(0, math.floor((last - first) / step + 1e-9) + 1))]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


_TEMPLATE = re.compile(r"\{\{\s*(\$labels\.(?P<label>\w+)|\$value)\s*(?:\|\s*(?P<filter>\w+)\s*)?\}\}")


def _filled(text: str, labels: Labels, value: float) -> str:
    def fill(found: re.Match[str]) -> str:
        if found["label"]:
            return labels.get(found["label"], "")
        return _FILTERS[found["filter"] or ""](value)

    return _TEMPLATE.sub(fill, text)


def _humanize(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:.4g}"
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(value) >= 10**power:
            return f"{value / 10**power:.4g}{prefix}"
    return f"{value:.4g}"


def _humanize_duration(value: float) -> str:
    if not math.isfinite(value):
        return f"{value:g}"
    if abs(value) < 1:
        return f"{value * 1000:.4g}ms"
    if abs(value) < 60:
        return f"{value:.4g}s"
    rest = int(abs(value))
    sign = "-" if value < 0 else ""
    days, hours, minutes, left = rest // 86400, rest // 3600 % 24, rest // 60 % 60, rest % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {left}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {left}s"
    return f"{sign}{minutes}m {left}s"


_FILTERS: Mapping[str, Callable[[float], str]] = {
    "": lambda value: f"{value:g}",
    "humanize": _humanize,
    "humanizePercentage": lambda value: f"{value * 100:.4g}%",
    "humanizeDuration": _humanize_duration,
}
