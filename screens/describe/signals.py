"""Describers of alerts, silences, rules, findings and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import ago as seconds_ago
from farmtui.farm.units import duration
from farmtui.insight.findings import findings
from screens.describe import Block, Detail, Field, Link, describe, describer
from screens.places import Subject

if TYPE_CHECKING:
    from datetime import datetime

    from farmtui.farm.alerts import Alert
    from farmtui.farm.farm import Farm


def ago(now: datetime, then: datetime | None) -> str:
    """`4 min ago`, `in 1h 59m`, `now`, `never`."""
    if then is None:
        return "never"
    seconds = (now - then).total_seconds()
    if seconds < -1:
        # What has two hours left and what has one are not alike; the seconds are no matter past a minute.
        return f"in {duration(round(-seconds / 60) * 60 if seconds < -60 else round(-seconds))}"
    return seconds_ago(seconds)


def alert_subject(alert: Alert) -> Subject:
    """The subject of an alert."""
    return Subject("alert", alert.fingerprint, alert.name)


@describer("alert")
def describe_alert(farm: Farm, key: str) -> Detail | None:
    """One alert with all its labels, what silences or inhibits it, and its rule."""
    book = farm.book
    alert = next((a for a in book.alerts if a.fingerprint == key), None) if book else None
    if book is None or alert is None:
        return None
    rule = next((r for r in farm.rules if r.name == alert.name), None)
    blocks = [
        Block(
            "Alert",
            (
                Field("severity", alert.label("severity") or "not said"),
                Field("state", alert.state),
                Field("since", ago(farm.at, alert.starts_at)),
                Field("receivers", ", ".join(alert.receivers) or "–"),
                Field("runbook", alert.annotation("runbook_url") or "–"),
                Field("held by", ", ".join(alert.replicas) or "–"),
                Field("from", alert.generator_url or "–"),
            ),
        ),
        Block("Annotations", tuple(Field(name, text) for name, text in alert.annotations)),
        Block("Labels", tuple(Field(name, text) for name, text in alert.labels)),
    ]
    if rule is not None:
        blocks.append(Block("Rule", (Field("expression", rule.query), Field("for", duration(rule.for_s)))))
    known = {silence.id: silence for silence in book.silences}
    links = [
        Link("silenced by", Subject("silence", ident, ident[:8]), known[ident].comment if ident in known else ident)
        for ident in alert.silenced_by
    ]
    sources = {a.fingerprint: a for a in book.alerts}
    links += [
        Link("inhibited by", Subject("alert", ident, ident), sources[ident].name if ident in sources else ident)
        for ident in alert.inhibited_by
    ]
    instance = alert.label("instance")
    node = farm.node_of_instance(instance) if instance else None
    if node:
        links.append(Link("machine", Subject("node", node.name, node.name), node.name, node.state))
    reason = alert.annotation("summary") or alert.annotation("description")
    return Detail(
        alert.name,
        alert.severity,
        (reason,) if reason else (),
        tuple(block for block in blocks if block.fields),
        tuple(links),
        raw=alert,
        labels=alert.labels,
    )


@describer("silence")
def describe_silence(farm: Farm, key: str) -> Detail | None:
    """One silence with the alerts that it covers now."""
    silence = next((s for s in farm.book.silences if s.id == key), None) if farm.book else None
    if farm.book is None or silence is None:
        return None
    fields = (
        Field("state", silence.state),
        Field("matchers", "  ".join(map(str, silence.matchers))),
        Field("by", silence.created_by),
        Field("why", silence.comment),
        Field("since", ago(farm.at, silence.starts_at)),
        Field("ends", ago(farm.at, silence.ends_at)),
        Field("id", silence.id),
    )
    covered = [alert for alert in farm.book.alerts if silence.covers(alert)]
    links = tuple(Link("covers", alert_subject(alert), alert.name, alert.severity) for alert in covered)
    return Detail(f"silence {silence.id[:8]}", None, (), (Block("Silence", fields),), links, raw=silence)


@describer("rule")
def describe_rule(farm: Farm, key: str) -> Detail | None:
    """One alerting rule."""
    rule = next((r for r in farm.rules if f"{r.group}/{r.name}" == key), None)
    if rule is None:
        return None
    fields = (
        Field("group", rule.group),
        Field("state", rule.state),
        Field("expression", rule.query),
        Field("for", duration(rule.for_s)),
        Field("health", rule.health + (f": {rule.last_error}" if rule.last_error else "")),
    )
    return Detail(rule.name, None, (), (Block("Rule", fields),), raw=rule)


@describer("source")
def describe_source(farm: Farm, key: str) -> Detail | None:
    """One source: what it says, how old, why it fails and what to do."""
    source = next((s for s in farm.sources if s.name == key), None)
    if source is None:
        return None
    severity = source_severity(source.freshness)
    reading = Block(
        "Source",
        (
            Field("state", source.freshness.value, severity),
            Field("endpoint", source.endpoint),
            Field("polled every", duration(source.interval_s)),
            Field("last answer", ago(farm.at, source.last_success_at)),
            Field("last attempt", ago(farm.at, source.last_attempt_at)),
            Field("next attempt", ago(farm.at, source.next_attempt_at)),
            Field("took", duration(source.duration_s)),
            Field("requests a cycle", str(source.requests_per_cycle)),
            Field("polls", str(source.polls)),
        ),
    )
    blocks = [reading]
    if source.failure:
        blocks.append(
            Block(
                "Failure",
                (
                    Field("what", source.failure.what, Severity.CRITICAL),
                    Field("kind", source.failure.kind.value),
                    Field("what to do", source.failure.remedy),
                    Field("in a row", str(source.failures_in_a_row)),
                ),
            )
        )
    if source.warnings:
        blocks.append(Block("Warnings", tuple(Field("", warning, Severity.WARNING) for warning in source.warnings)))
    if source.kind == "prometheus" and farm.figure_problems:
        blocks.append(Block("Figures that could not be had", tuple(Field(n, why) for n, why in farm.figure_problems)))
    reasons = (source.failure.what,) if source.failure else ()
    return Detail(source.name, severity, reasons, tuple(blocks), raw=source)


def source_severity(freshness: Freshness) -> Severity:
    """How bad a source's freshness is: without it the screen cannot be trusted."""
    return {
        Freshness.LIVE: Severity.OK,
        Freshness.EMPTY: Severity.OK,
        Freshness.AGEING: Severity.WARNING,
        Freshness.STALE: Severity.UNKNOWN,
        Freshness.NEVER: Severity.UNKNOWN,
        Freshness.FORBIDDEN: Severity.UNKNOWN,
    }[freshness]


@describer("finding")
def describe_finding(farm: Farm, key: str) -> Detail | None:
    """One finding: its cause, what it rests on, since when, and the way to the thing it is about."""
    finding = next((f for f in findings(farm) if f.key == key), None)
    if finding is None:
        return None
    kind, subject = finding.subject
    known = describe(farm, Subject(kind, subject, subject)) if kind else None
    blocks = [
        Block(
            "Finding",
            (
                Field("part", finding.part or "–"),
                Field("since", ago(farm.at, finding.since) if finding.since else "–"),
                Field("runbook", finding.runbook or "–"),
                Field("shown on", f":{finding.screen}"),
            ),
        )
    ]
    if finding.evidence:
        blocks.append(Block("Evidence", tuple(Field("", text) for text in finding.evidence)))
    links: tuple[Link, ...] = ()
    if known is not None:
        # What has no state of its own is as the finding has it: it is not well.
        state = finding.severity if known.severity is None else known.severity
        links = (Link(kind, Subject(kind, subject, known.title), known.title, state),)
    return Detail(finding.title, finding.severity, (finding.cause,), tuple(blocks), links, raw=finding)
