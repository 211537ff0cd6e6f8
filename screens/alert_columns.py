"""The columns of the alerts screen: alerts, silences and rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age, ago, duration
from screens.alert_rows import AlertRow, summary
from widgets import ink
from widgets.glyphs import glyphs
from widgets.status_mark import status_mark
from widgets.table_columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from farmtui.farm.alerts import Rule, Silence
    from farmtui.farm.farm import Farm

# -- alerts ---------------------------------------------------------------------------------------


def alert_columns(
    order: Callable[[AlertRow], int], *, owners: bool = True, replicas: bool = True
) -> tuple[Column[AlertRow], ...]:
    """`order` keeps rows where they were put: groups are sorted as wholes, which the table cannot know.

    Owners and replicas have a column only where they say something: the summary needs the room more.
    """
    columns = [
        Column("severity", "sev", _severity, width=6, priority=0, sort=order, descending=True,
               help="the severity label; a word that is not known counts as a warning"),
        Column("name", "alert", _name, width=15, min_width=15, flex=2, priority=0, sort=order),
        Column("summary", "summary", _summary, width=16, min_width=16, flex=8, priority=1, sort=order),
        Column("where", "machine", _where, width=10, min_width=10, flex=1, priority=1, sort=order,
               help="the machine, or the instance where no machine is known by it"),
        Column("age", "age", lambda row: age(row.age_s), width=6, align="right", priority=0, sort=order,
               help="since it began; of a group since its oldest"),
        Column("state", "state", _state, width=8, min_width=8, flex=4, priority=0, sort=order,
               help="firing, or who silences or what inhibits it"),
    ]  # fmt: skip
    if owners:
        columns.append(
            Column("owner", "owner", lambda row: row.around.owner(row.alert), width=9, priority=4, sort=order,
                   help="the owner or team label, or who silenced it")
        )  # fmt: skip
    columns.append(
        Column("receivers", "receivers", _receivers, width=9, min_width=9, flex=1, priority=3, sort=order,
               help="who is told")
    )  # fmt: skip
    if replicas:
        columns.append(
            Column("replicas", "held by", _replicas, width=7, align="right", priority=5, sort=order,
                   help="how many of the Alertmanagers that answer hold it")
        )  # fmt: skip
    return tuple(columns)


def row_dimness(row: AlertRow) -> Freshness:
    """What is silenced or inhibited is drawn as what is old: readable, and never bright."""
    return Freshness.AGEING if row.quiet else Freshness.LIVE


def _severity(row: AlertRow) -> Content:
    return status_mark(row.severity)


def _name(row: AlertRow) -> Content:
    signs = glyphs()
    if row.head is not None:
        sign = signs.collapsed if row.folded else signs.expanded
        return Content.assemble((f"{sign} ", ink.MUTED), (row.head, ink.STRONG), (f" ×{len(row.members)}", ink.ACCENT))
    if row.branch:
        sign = signs.last_branch if row.branch == "last" else signs.branch
        return Content.assemble((f"{sign} ", ink.FAINT), row.alert.name)
    return Content.styled(row.alert.name, ink.STRONG)


def _summary(row: AlertRow) -> Content | str:
    if row.head is None:
        return summary(row.alert)
    texts = {summary(alert) for alert in row.members}
    if len(texts) == 1:
        return Content.styled(texts.pop(), ink.MUTED)
    worst = [alert for alert in row.firing if alert.severity is row.severity] or row.members
    return Content.styled(summary(worst[0]) + (f"  (+{len(texts) - 1})" if len(texts) > 1 else ""), ink.MUTED)


def _where(row: AlertRow) -> Content | str:
    wheres = row.wheres
    if len(wheres) > 1:
        return Content.styled(f"×{len(wheres)}", ink.MUTED)
    return wheres[0] if wheres else Content.styled("–", ink.MUTED)


def _state(row: AlertRow) -> Content | str:
    if row.head is None:
        return row.around.state(row.alert)
    firing, quiet = len(row.firing), len(row.members) - len(row.firing)
    words = [f"{firing} firing"] if firing else []
    if quiet:
        words.append(f"{quiet} quiet")
    return Content.styled(", ".join(words), ink.MUTED)


def _receivers(row: AlertRow) -> str:
    return ", ".join(dict.fromkeys(receiver for alert in row.members for receiver in alert.receivers))


def _replicas(row: AlertRow) -> Content | str:
    if row.head is not None:
        return ""
    held, answering = len(row.alert.replicas), row.around.replicas
    text = f"{held}/{answering}"
    return Content.styled(text, ink.WARNING) if held < answering else text


# -- silences -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence with the alerts that it quiets now."""

    silence: Silence
    covers: int
    at: datetime

    @property
    def left_s(self) -> float:
        """Seconds until it ends; negative once it has."""
        return (self.silence.ends_at - self.at).total_seconds()


_STATE_ORDER = {"active": 0, "pending": 1, "expired": 2}


def silence_rows(farm: Farm) -> tuple[SilenceRow, ...]:
    """Active ones first, then what ends first. What a silence covers is what Alertmanager says, not our guess."""
    if farm.book is None:
        return ()
    covers: dict[str, int] = {}
    for alert in farm.book.alerts:
        for ident in alert.silenced_by:
            covers[ident] = covers.get(ident, 0) + 1
    rows = [SilenceRow(silence, covers.get(silence.id, 0), farm.at) for silence in farm.book.silences]
    return tuple(sorted(rows, key=_silence_order))


def _silence_order(row: SilenceRow) -> tuple[int, float, str]:
    expired = row.silence.state == "expired"
    return (_STATE_ORDER.get(row.silence.state, 3), -row.left_s if expired else row.left_s, row.silence.id)


def silence_dimness(row: SilenceRow) -> Freshness:
    """Expired ones are dim."""
    return Freshness.AGEING if row.silence.state == "expired" else Freshness.LIVE


def silence_columns() -> tuple[Column[SilenceRow], ...]:
    """Silences."""
    return (
        Column("state", "state", _silence_state, width=9, priority=0, sort=lambda row: row.silence.state),
        Column("ends", "ends", _ends, width=10, align="right", priority=0, sort=lambda row: row.left_s),
        Column("covers", "covers", _covers, width=6, align="right", priority=0, sort=lambda row: row.covers,
               descending=True, help="alerts that it quiets now"),
        Column("matchers", "matchers", lambda row: matchers_line(row.silence), width=24, min_width=16, flex=3,
               priority=0, sort=lambda row: matchers_line(row.silence)),
        Column("comment", "why", lambda row: row.silence.comment, width=16, min_width=10, flex=2, priority=1,
               sort=lambda row: row.silence.comment.casefold()),
        Column("by", "by", lambda row: row.silence.created_by, width=10, priority=1,
               sort=lambda row: row.silence.created_by.casefold()),
        Column("id", "id", lambda row: row.silence.id[:8], width=8, priority=5, sort=lambda row: row.silence.id),
    )  # fmt: skip


def matchers_line(silence: Silence) -> str:
    """All matchers in one line."""
    return ", ".join(map(str, silence.matchers))


def silence_text(row: SilenceRow) -> str:
    """The text that a filter is matched against."""
    silence = row.silence
    return " ".join((silence.state, matchers_line(silence), silence.comment, silence.created_by, silence.id))


def silence_labels(row: SilenceRow) -> Mapping[str, str]:
    """What `-l` is matched against: the labels that the matchers name."""
    return {matcher.name: matcher.value for matcher in row.silence.matchers}


def _silence_state(row: SilenceRow) -> Content | str:
    if row.silence.state == "active" and row.left_s <= 900:
        return Content.styled("active", ink.WARNING)
    return row.silence.state


def _ends(row: SilenceRow) -> Content | str:
    if row.silence.state == "expired" or row.left_s <= 0:
        return ago(-row.left_s)
    if row.silence.state == "pending":
        starts_s = (row.silence.starts_at - row.at).total_seconds()
        return f"from {duration(starts_s)}"
    words = duration(row.left_s)
    # Soon the phones ring again: said while there is time to prolong it.
    return Content.styled(words, ink.WARNING) if row.left_s <= 900 and row.covers else words


def _covers(row: SilenceRow) -> Content | str:
    if row.silence.state == "active" and not row.covers:
        return Content.styled("none", ink.MUTED)
    return str(row.covers)


# -- rules ----------------------------------------------------------------------------------------


def rule_severity(rule: Rule) -> Severity:
    """What a rule asks for now: its severity while it fires, UNKNOWN while it cannot be evaluated."""
    if rule.health == "err":
        return Severity.UNKNOWN
    if rule.state == "firing":
        word = dict(rule.labels).get("severity", "").lower()
        return {"critical": Severity.CRITICAL, "page": Severity.CRITICAL, "info": Severity.INFO}.get(
            word, Severity.INFO if word == "none" else Severity.WARNING
        )
    return Severity.INFO if rule.state == "pending" else Severity.OK


def rule_rows(farm: Farm) -> tuple[Rule, ...]:
    """Worst first, then by group and name."""
    return tuple(sorted(farm.rules, key=lambda rule: (-rule_severity(rule), rule.group, rule.name)))


def rule_columns() -> tuple[Column[Rule], ...]:
    """Alerting rules."""
    return (
        Column("state", "state", _rule_state, width=11, priority=0, sort=rule_severity, descending=True),
        Column("name", "rule", lambda rule: rule.name, width=28, min_width=16, flex=1, priority=0,
               sort=lambda rule: rule.name.casefold()),
        Column("group", "group", lambda rule: rule.group, width=16, min_width=8, priority=2,
               sort=lambda rule: rule.group),
        Column("severity", "severity", lambda rule: dict(rule.labels).get("severity", "–"), width=8, priority=1,
               sort=lambda rule: dict(rule.labels).get("severity", "")),
        Column("for", "for", lambda rule: duration(rule.for_s), width=7, align="right", priority=3,
               sort=lambda rule: rule.for_s, help="how long it must hold before it fires"),
        Column("query", "expression", _query, width=24, min_width=12, flex=3, priority=1, sort=lambda rule: rule.query),
    )  # fmt: skip


def rule_text(rule: Rule) -> str:
    """The text that a filter is matched against."""
    return f"{rule.state} {rule.health} {rule.name} {rule.group} {rule.query} {rule.last_error}"


def _rule_state(rule: Rule) -> Content | str:
    if rule.health == "err":
        return status_mark(Severity.UNKNOWN, "error")
    if rule.state == "inactive":
        return Content.styled(f"{glyphs().severity[Severity.OK]} {rule.state}", ink.MUTED)
    return status_mark(rule_severity(rule), rule.state)


def _query(rule: Rule) -> Content | str:
    return Content.styled(rule.last_error, ink.UNKNOWN) if rule.last_error else Content.styled(rule.query, ink.MUTED)
