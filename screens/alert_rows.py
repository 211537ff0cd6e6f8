"""The rows of the alerts screen: grouped, filtered and sorted alerts, and why there are none. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from farmtui.farm.alerts import Alert, AlertBook, Silence
from farmtui.farm.filtering import EVERYTHING, RowFilter
from farmtui.farm.state import Severity
from farmtui.farm.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from farmtui.farm.farm import Farm
    from farmtui.farm.node import Node

GROUPINGS = ("alertname", "tier", "machine", "receiver", "severity", "none")
"""What alerts can be grouped by, in the order in which one key cycles through them."""

FOLD_OVER = 8
"""A group of more alerts than this begins folded, so that one storm does not hide the other alerts."""

_OWNERS = frozenset({"owner", "team"})
_MACHINE_LABELS = ("node", "host", "nodename", "name")


@dataclass(frozen=True, slots=True)
class Around:
    """What the words about an alert need beside the alert: the time, the silences, the machines."""

    at: datetime
    silences: Mapping[str, Silence]
    alerts: Mapping[str, Alert]
    machines: Mapping[str, Node]
    """By Prometheus instance."""
    replicas: int
    """How many Alertmanagers answer."""

    def where(self, alert: Alert) -> str:
        """The machine that an alert is about, by its name where it is known; empty where no label says."""
        instance = alert.label("instance")
        if instance:
            node = self.machines.get(instance)
            return node.name if node else instance
        return next(filter(None, map(alert.label, _MACHINE_LABELS)), "")

    def tier(self, alert: Alert) -> str:
        """The tier: the label's, or that of the machine."""
        node = self.machines.get(alert.label("instance"))
        return alert.label("tier") or (node.tier.value if node else "")

    def age_s(self, alert: Alert) -> float:
        """Seconds since it began."""
        return (self.at - alert.starts_at).total_seconds()

    def state(self, alert: Alert) -> str:
        """`firing`, or who silences or what inhibits it; Alertmanager itself does not tell of muted times."""
        if alert.silenced_by:
            silence = self.silences.get(alert.silenced_by[0])
            if silence is None:
                return "silenced"
            left = (silence.ends_at - self.at).total_seconds()
            return f"silenced by {silence.created_by}" + (f", {duration(left)} left" if left > 0 else "")
        if alert.inhibited_by:
            source = self.alerts.get(alert.inhibited_by[0])
            return f"inhibited by {source.name}" if source else "inhibited"
        return "firing" if alert.state == "active" else alert.state

    def owner(self, alert: Alert) -> str:
        """Who has it: the owner or team that the rule names, or who silenced it."""
        named = next(filter(None, map(alert.label, sorted(_OWNERS))), "")
        if named or not alert.silenced_by:
            return named
        silence = self.silences.get(alert.silenced_by[0])
        return silence.created_by if silence else ""


_NOTHING = AlertBook((), (), ())


def around(farm: Farm) -> Around:
    """What there is around the alerts of a farm, indexed once per picture."""
    book = farm.book or _NOTHING
    return Around(
        at=farm.at,
        silences=MappingProxyType({silence.id: silence for silence in book.silences}),
        alerts=MappingProxyType({alert.fingerprint: alert for alert in book.alerts}),
        machines=MappingProxyType({e.instance: node for node in farm.nodes for e in node.exporters}),
        replicas=sum(replica.up for replica in book.replicas),
    )


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One line: an alert, or the head of a group, which speaks of its worst alert and counts the others."""

    key: str
    """The fingerprint; for a head the group's name."""
    alert: Alert
    members: tuple[Alert, ...]
    """The alert itself; for a head all of the group."""
    around: Around
    position: int
    """Where it stands: groups are ordered here, not by the table."""
    head: str | None = None
    """The group's title, for a head."""
    folded: bool = False
    branch: str = ""
    """`mid` or `last` for an alert under a head."""

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Those of its alerts that nothing suppresses."""
        return tuple(alert for alert in self.members if not alert.suppressed)

    @property
    def quiet(self) -> bool:
        """Whether all of it is silenced or inhibited."""
        return all(alert.suppressed for alert in self.members)

    @property
    def severity(self) -> Severity:
        """Its own, or the worst of the group's."""
        return self.alert.severity

    @property
    def wheres(self) -> tuple[str, ...]:
        """The machines that it is about, each once."""
        return tuple(dict.fromkeys(filter(None, map(self.around.where, self.members))))

    @property
    def age_s(self) -> float:
        """Seconds since it began; for a head since its oldest alert that fires began."""
        return max(map(self.around.age_s, self.firing or self.members))


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How alerts are shown. `sort` None is worst first."""

    group_by: str = GROUPINGS[0]
    sort: str | None = None
    descending: bool = False
    all_folded: bool | None = None
    """Whether groups begin folded; None lets their size decide."""
    turned: frozenset[str] = frozenset()
    """Keys of the groups that somebody folded or unfolded since."""
    row_filter: RowFilter = EVERYTHING
    faults_only: bool = False

    def turn(self, key: str) -> Arrangement:
        """The same with one group folded or unfolded."""
        return replace(self, turned=self.turned ^ {key})

    def next_grouping(self, step: int = 1) -> Arrangement:
        """The same grouped by the next label."""
        index = (GROUPINGS.index(self.group_by) + step) % len(GROUPINGS)
        return replace(self, group_by=GROUPINGS[index], turned=frozenset(), all_folded=None)


SORTS: Mapping[str, Callable[[Around, Alert], Any]] = MappingProxyType(
    {
        "severity": lambda around, alert: alert.severity,
        "name": lambda around, alert: alert.name.casefold(),
        "summary": lambda around, alert: summary(alert).casefold(),
        "where": lambda around, alert: around.where(alert).casefold(),
        "age": lambda around, alert: around.age_s(alert),
        "state": lambda around, alert: around.state(alert),
        "owner": lambda around, alert: around.owner(alert).casefold(),
        "receivers": lambda around, alert: alert.receivers,
        "replicas": lambda around, alert: len(alert.replicas),
    }
)
"""Sort keys by column."""


def summary(alert: Alert) -> str:
    """What an alert says, in one line."""
    return alert.annotation("summary") or alert.annotation("description") or alert.annotation("message")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows to show, and how many alerts they stand for."""

    rows: tuple[AlertRow, ...] = ()
    shown: int = 0
    total: int = 0
    hidden_well: int = 0
    """Alerts that faults-only hides."""
    worst: Severity = Severity.OK
    """Of all that fires, hidden or not."""
    owned: bool = False
    """Whether any alert says whose it is."""
    parted: bool = False
    """Whether the Alertmanagers that answer hold different alerts."""


def arrange(around: Around, alerts: Sequence[Alert], how: Arrangement) -> Rows:
    """Group, filter and sort. Worst first: what fires before what is suppressed, then severity, then the newest."""
    faults = [a for a in alerts if not a.suppressed and a.severity >= Severity.WARNING] if how.faults_only else alerts
    kept = (
        [a for a in faults if how.row_filter.passes(text_of(around, a), dict(a.labels))] if how.row_filter else faults
    )
    ordered = _ordered(around, kept, how)
    worst = max((alert.severity for alert in alerts if not alert.suppressed), default=Severity.OK)
    owned = any(not _OWNERS.isdisjoint(name for name, _ in alert.labels) for alert in alerts)
    parted = any(len(alert.replicas) < around.replicas for alert in alerts)
    groups: dict[str, list[Alert]] = {}
    for alert in ordered:
        groups.setdefault(_group(around, alert, how.group_by), []).append(alert)
    rows: list[AlertRow] = []
    for title, members in groups.items():
        # A lone alert says its own name; other labels would stay unsaid without a head.
        if how.group_by == "none" or (how.group_by == "alertname" and len(members) == 1):
            rows.extend(_flat(around, members, len(rows)))
            continue
        key = f"{how.group_by}:{title}"
        fold = len(members) > FOLD_OVER if how.all_folded is None else how.all_folded
        folded = fold is not (key in how.turned)
        worst_of = members[0] if how.sort not in SORTS else min(members, key=_rank)
        rows.append(AlertRow(key, worst_of, tuple(members), around, len(rows), title, folded))
        if not folded:
            rows.extend(
                replace(row, branch="last" if alert is members[-1] else "mid")
                for row, alert in zip(_flat(around, members, len(rows)), members, strict=True)
            )
    return Rows(tuple(rows), len(kept), len(alerts), len(alerts) - len(faults), worst, owned, parted)


def _flat(around: Around, alerts: Iterable[Alert], start: int) -> list[AlertRow]:
    return [AlertRow(a.fingerprint, a, (a,), around, position) for position, a in enumerate(alerts, start)]


def _rank(alert: Alert) -> tuple[bool, int, float, str, str]:
    """Worst first, as a sort key that never ties."""
    return (alert.suppressed, -alert.severity, -alert.starts_at.timestamp(), alert.name, alert.fingerprint)


def _ordered(around: Around, alerts: Iterable[Alert], how: Arrangement) -> list[Alert]:
    """In the order of the members; groups then come in the order of their first one."""
    worst_first = sorted(alerts, key=_rank)
    key = SORTS.get(how.sort or "")
    if key is None:
        return worst_first
    # Stable in both directions: equals stay worst first, and rows do not change places between two polls.
    return sorted(worst_first, key=lambda alert: key(around, alert), reverse=how.descending)


def _group(around: Around, alert: Alert, group_by: str) -> str:
    match group_by:
        case "alertname":
            return alert.name
        case "tier":
            return around.tier(alert) or "no tier"
        case "machine":
            return around.where(alert) or "no machine"
        case "receiver":
            return ", ".join(alert.receivers) or "no receiver"
        case "severity":
            return alert.label("severity") or "no severity"
        case _:
            return ""


def text_of(around: Around, alert: Alert) -> str:
    """The text that a filter is matched against: what the row says in all its columns."""
    return " ".join(
        (
            alert.severity.word,
            alert.label("severity"),
            alert.name,
            summary(alert),
            around.where(alert),
            alert.label("instance"),
            around.tier(alert),
            around.state(alert),
            around.owner(alert),
            *alert.receivers,
        )
    )
