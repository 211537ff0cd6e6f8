"""All figures as they are known now: the newest answers, and the last ones of exporters that are gone.

When an exporter goes, its series vanish from every answer. Its rows must grow old on the screen then, not vanish and
not stand still; and a series that vanishes while its exporter answers (a backend that is well again, a filled pool
that is empty) must go at once. What tells the two apart is whether the row's exporter was seen in this very poll.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from farmtui.farm.state import AGEING_AFTER_INTERVALS
from farmtui.sources.prometheus.catalogue import Catalogue, Figure
from farmtui.sources.prometheus.decode import Key

KEEP: Final = timedelta(hours=1)
"""How long the rows of an exporter that is gone are kept."""

KEEP_LIMIT: Final = 2_000
"""Gone exporters of which rows are kept at most; those seen last stay."""

SLOW_EVERY: Final = 4
"""A slow figure is asked at each fourth poll."""

WHOLE: Final = ""
"""Stands for an instance in parts that are one thing (a Ceph cluster: whichever mgr is active answers)."""

STALLED: Final = timedelta(minutes=2)
"""What a mgr tells is at least so old once `ceph.mon_commits_per_s` shows that the mons decide nothing."""

_CEPH: Final = ("ceph", WHOLE)
_NOTHING: Final[Mapping[Key, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking for one figure. `failed`: nothing came; `problem` says why, or what was not readable."""

    values: Mapping[Key, float] = field(default_factory=lambda: _NOTHING)
    problem: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is known of all figures. Built by `learn`."""

    values: Mapping[str, Mapping[Key, float]] = field(default_factory=dict)
    """By figure, by label values."""
    answered_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each figure was last answered."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """By figure, what was wrong when it was last asked."""
    seen_at: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """By group and instance (`WHOLE` for Ceph), when its exporter last answered."""
    told_at: Mapping[str, datetime] = field(default_factory=dict)
    """By group, when Prometheus last told which of its exporters answer."""
    up_at: Mapping[str, datetime] = field(default_factory=dict)
    """By instance, when it was last a scrape target."""
    met: frozenset[str] = frozenset()
    """Groups that have ever had a figure answered: parts of the farm that exist."""
    stalled: bool = False
    """Whether Ceph's mgr went on serving what was true before while its mons decided nothing, when it last answered."""

    def rows(self, name: str) -> Mapping[Key, float]:
        """A figure's numbers by label values; empty where there are none."""
        return self.values.get(name, _NOTHING)

    def number(self, name: str) -> float | None:
        """A figure that is a single number; None where there is none."""
        return self.rows(name).get(())

    def of(self, name: str, instance: str) -> float | None:
        """A figure's number for one instance; None where it is not measured."""
        return self.rows(name).get((instance,))

    def whole(self, name: str, *labels: str) -> int | None:
        """A count as an integer; None where it is not measured or not a number."""
        value = self.rows(name).get(labels)
        return None if value is None or math.isnan(value) else int(value)

    def is_one(self, name: str, *labels: str) -> bool | None:
        """A yes/no figure: yes is any number above zero; None where it is not measured."""
        value = self.rows(name).get(labels)
        return None if value is None or math.isnan(value) else value > 0

    def instances(self, group: str) -> tuple[str, ...]:
        """All instances of a group whose exporters have answered within `KEEP`, sorted."""
        return tuple(sorted(instance for known, instance in self.seen_at if known == group))

    def seen(self, group: str, instance: str = WHOLE) -> datetime | None:
        """When an exporter last answered; None where it has not within `KEEP`."""
        return self.seen_at.get((group, instance))

    def live(self, group: str, instance: str = WHOLE) -> bool:
        """Whether an exporter answered when Prometheus last told; what is known of others is their last."""
        seen, told = self.seen(group, instance), self.told_at.get(group)
        return seen is not None and told is not None and seen >= told


def learn(
    known: Figures, answers: Mapping[str, Answer], at: datetime, catalogue: Catalogue, interval_s: float
) -> Figures:
    """What is known after a poll at `at` that gave `answers` (figures that were not asked are not among them).

    `interval_s` is the polling interval: a number that could not be had stays for as long as it would still count as
    live, then it is not known any more.
    """
    up_now = _up_by_instance(answers.get("up"))
    up_at = _recent(known.up_at, at) | (dict.fromkeys(up_now, at) if up_now is not None else {})
    gone = frozenset() if up_now is None else frozenset(name for name in up_at if not up_now.get(name, False))
    telling = _telling(known, answers, catalogue)
    told_at = dict(known.told_at) | dict.fromkeys(telling, at)
    stalled = _stalled(known, answers)
    seen_now = dict.fromkeys(_seen_now(telling, answers, gone), at)
    if stalled and _CEPH in seen_now:
        seen_now[_CEPH] = known.seen_at.get(_CEPH, at - STALLED)
    seen_at = _bounded(_recent(known.seen_at, at) | seen_now, told_at)
    values: dict[str, Mapping[Key, float]] = {}
    answered_at = dict(known.answered_at)
    problems = dict(known.problems)
    for figure in catalogue.asked:
        name, before, answer = figure.name, known.rows(figure.name), answers.get(figure.name)
        if answer is not None:
            problems.pop(name, None)
            if answer.problem:
                problems[name] = answer.problem
        if answer is not None and not answer.failed:
            answered_at[name] = at
            missing = [key for key in before if key not in answer.values]
            kept = {key: before[key] for key in missing if _row_stays(figure, key, seen_at, told_at)}
            values[name] = {**answer.values, **kept} if kept else answer.values
        elif _still_fresh(figure, answered_at.get(name), at, interval_s):
            values[name] = before
        else:
            values[name] = {key: value for key, value in before.items() if _row_stays(figure, key, seen_at, told_at)}
    met = known.met | {figure.group for figure in catalogue.asked if values[figure.name] and not figure.always_answers}
    return Figures(values, answered_at, problems, seen_at, told_at, up_at, met, stalled)


def _up_by_instance(answer: Answer | None) -> dict[str, bool] | None:
    """Whether any target of an instance answers its scrapes; None where `up` itself could not be had."""
    if answer is None or answer.failed:
        return None
    found: dict[str, bool] = {}
    for key, value in answer.values.items():
        found[key[0]] = found.get(key[0], False) or value > 0
    return found


def _still_fresh(figure: Figure, last: datetime | None, at: datetime, interval_s: float) -> bool:
    patience = AGEING_AFTER_INTERVALS * interval_s * (SLOW_EVERY if figure.slow else 1)
    return last is not None and at - last <= timedelta(seconds=patience)


def _by_instance(figure: Figure) -> bool:
    return figure.labels[:1] == ("instance",) and figure.name != "up"


def _telling(known: Figures, answers: Mapping[str, Answer], catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """By group, the figures that tell now which of its exporters answer.

    A plain figure has a row as long as its exporter answers; `rate(x[5m])` has one for five minutes more. So the
    latter count only in a group of which no plain figure has any row, or had one.
    """
    groups: dict[str, list[Figure]] = {}
    for figure in catalogue.asked:
        if _by_instance(figure) and figure.name in answers and not answers[figure.name].failed:
            groups.setdefault(figure.group, []).append(figure)
    found: dict[str, tuple[str, ...]] = {}
    for group, figures in groups.items():
        plain = [figure for figure in figures if figure.plain]
        if not any(answers[figure.name].values or known.rows(figure.name) for figure in plain):
            plain = figures
        found[group] = tuple(figure.name for figure in plain)
    # The daemons' own counters come from other exporters in newer versions: only the active mgr tells the health.
    health = answers.get("ceph.health_status")
    if health is not None and not health.failed:
        found["ceph"] = ("ceph.health_status",)
    return found


def _seen_now(
    telling: Mapping[str, tuple[str, ...]], answers: Mapping[str, Answer], gone: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Groups and instances whose exporters have answered just now."""
    for group, names in telling.items():
        for name in names:
            for key in answers[name].values:
                instance = key[0] if key else WHOLE
                if instance not in gone:
                    yield group, instance


def _stalled(known: Figures, answers: Mapping[str, Answer]) -> bool:
    """Whether the mgr tells what is old. Of one that is gone, or could not be asked, it is so if it was before."""
    health = answers.get("ceph.health_status")
    if health is None or health.failed or not health.values:
        return known.stalled
    commits = answers.get("ceph.mon_commits_per_s")
    rows = known.rows("ceph.mon_commits_per_s") if commits is None or commits.failed else commits.values
    return rows.get(()) == 0.0


def _row_stays(
    figure: Figure, key: Key, seen_at: Mapping[tuple[str, str], datetime], told_at: Mapping[str, datetime]
) -> bool:
    """Whether a row that was not answered now is kept as the last of an exporter that is gone."""
    if figure.group == "ceph":
        seen = seen_at.get(("ceph", WHOLE))
    elif _by_instance(figure):
        seen = seen_at.get((figure.group, key[0]))
    else:
        return False
    told = told_at.get(figure.group)
    return seen is not None and told is not None and seen < told


Known = TypeVar("Known")


def _recent(times: Mapping[Known, datetime], at: datetime) -> dict[Known, datetime]:
    return {key: time for key, time in times.items() if at - time <= KEEP}


def _bounded(
    seen_at: dict[tuple[str, str], datetime], told_at: Mapping[str, datetime]
) -> dict[tuple[str, str], datetime]:
    """`seen_at` with at most `KEEP_LIMIT` exporters that are gone: those that were seen last."""
    gone = sorted((time, place) for place, time in seen_at.items() if time < told_at.get(place[0], time))
    for _, place in gone[:-KEEP_LIMIT]:
        del seen_at[place]
    return seen_at
