"""Recorded data that books are checked against: which series there are, with which labels, and which alerts."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from farmtui.config.parsing import FileError, read_text

_FORMS: Final = "the text of /metrics, the JSON of /api/v1/series or /api/v1/rules, or a file of rules (groups:)"
_SAMPLE: Final = re.compile(r"([A-Za-z_:][\w:]*)\s*(\{.*\})?\s+\S+(\s+-?\d+)?")
_LABEL_VALUE: Final = re.compile(r'([A-Za-z_]\w*)\s*=\s*"(?:\\.|[^"\\])*"')
_OF_THE_SCRAPE: Final = frozenset({"instance", "job"})
"""Labels that an exporter does not give: Prometheus adds them."""
_OF_PROMETHEUS: Final = re.compile(r"up|ALERTS|ALERTS_FOR_STATE|scrape_\w+")
"""Series that no exporter gives."""

_EXPRESSION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STRING: Final = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`""", re.DOTALL)
_COMMENT: Final = re.compile(r"#[^\n]*")
_GROUPING: Final = re.compile(r"(?i)\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_RANGE: Final = re.compile(r"\[[^\]]*\]")
_SELECTOR: Final = re.compile(r"(?<![\w.:])([A-Za-z_:][\w:]*)\s*(\{[^}]*\})?\s*(\()?")
_LABEL: Final = re.compile(r"([A-Za-z_]\w*)\s*(?:=|!)")
_WORDS: Final = frozenset({
    "and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf",
    "nan", "atan2", "start", "end",
})  # fmt: skip


@dataclass
class Recorded:
    """What some files tell."""

    series: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The labels of each metric, by its name."""
    alerts: set[str] = field(default_factory=set)
    has_series: bool = False
    has_alerts: bool = False

    def missing(self, promql: str) -> Iterator[str]:
        """What a query asks for and is not there, in words."""
        for name, labels in selectors(promql):
            if _OF_PROMETHEUS.fullmatch(name):
                continue
            known = self.series.get(name)
            if known is None:
                yield f"there is no series {name}"
                continue
            yield from (f"{name} has no label {label}" for label in sorted(labels - known))


def selectors(promql: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that a query names, with the labels that it chooses by."""
    text = _EXPRESSION.sub("1", promql)
    for what in (_STRING, _COMMENT, _GROUPING, _RANGE):
        text = what.sub('""' if what is _STRING else " ", text)
    for name, chosen, call in _SELECTOR.findall(text):
        if not call and name.lower() not in _WORDS:
            yield name, set(_LABEL.findall(chosen))


def read_recorded(paths: Iterable[Path]) -> Recorded:
    """What files have recorded, taken together. Raises FileError."""
    found = Recorded()
    for path in paths:
        text = read_text(path)
        if text.lstrip().startswith(("{", "[")):
            _read_json(found, text, path)
        elif re.search(r"^groups:", text, re.MULTILINE):
            _read_rules(found, _yaml(text, path), path)
        else:
            _read_metrics(found, text, path)
    return found


def _read_json(found: Recorded, text: str, path: Path) -> None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise FileError(f"{path}: is not JSON that can be read; give {_FORMS}") from None
    data = data.get("data", data) if isinstance(data, dict) else data
    if isinstance(data, dict) and "groups" in data:
        _read_rules(found, data, path)
        return
    if not isinstance(data, list) or not all(isinstance(one, dict) and "__name__" in one for one in data):
        raise FileError(f"{path}: holds neither series nor rules; give {_FORMS}")
    found.has_series = True
    for one in data:
        found.series[str(one["__name__"])] |= set(one)


def _read_rules(found: Recorded, data: Any, path: Path) -> None:
    """A file of rules, or what the API tells of them."""
    groups = data.get("groups") if isinstance(data, dict) else None
    if not isinstance(groups, list):
        raise FileError(f"{path}: has no groups of rules; give {_FORMS}")
    found.has_alerts = True
    rules = (rule for group in groups if isinstance(group, dict) for rule in group.get("rules") or ())
    for rule in rules:
        if isinstance(rule, dict):
            name = rule.get("alert") or (rule.get("name") if rule.get("type") == "alerting" else None)
            if isinstance(name, str):
                found.alerts.add(name)


def _read_metrics(found: Recorded, text: str, path: Path) -> None:
    found.has_series = True
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        sample = _SAMPLE.fullmatch(line.strip())
        if sample is None:
            raise FileError(f"{path}:{number}: is no sample of a metric; give {_FORMS}")
        found.series[sample[1]] |= {*_LABEL_VALUE.findall(sample[2] or ""), *_OF_THE_SCRAPE}


def _yaml(text: str, path: Path) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise FileError(f"{path}: is not YAML that can be read; give {_FORMS}") from None
