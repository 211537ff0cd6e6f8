"""The farm's health as a document: what `farmtui status --json` prints, as docs/status-schema.json describes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from farmtui.farm.alerts import AlertBook
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.cluster import Ceph, Galera, HealthCheck
from farmtui.farm.farm import Farm
from farmtui.farm.reading import SourceState
from farmtui.farm.state import Severity
from farmtui.insight.backups import counted
from farmtui.insight.finding import Finding
from farmtui.insight.health import Component

SCHEMA_VERSION: Final = 1
"""Raised when a key goes or changes its meaning; keys may be added without."""

STATES: Final = {
    Severity.OK: "ok",
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.UNKNOWN: "unknown",
    Severity.CRITICAL: "critical",
}
EXIT_CODES: Final = {
    Severity.OK: 0,
    Severity.INFO: 0,
    Severity.WARNING: 1,
    Severity.CRITICAL: 2,
    Severity.UNKNOWN: 3,
}
"""What monitoring plugins end with: 0 ok, 1 warning, 2 critical, 3 unknown."""


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One number that tells how the farm is. NaN: there is no such number now (a ratio without traffic)."""

    name: str
    title: str
    unit: str
    value: float | None


def key_figures(farm: Farm) -> tuple[KeyFigure, ...]:
    """The farm's key figures; those of parts that the farm does not have are left out."""
    found: list[KeyFigure] = []
    if edge := farm.edge:
        found += [
            KeyFigure("requests_per_s", "requests", "per_s", edge.requests_per_s),
            KeyFigure("error_ratio", "5xx", "ratio", edge.error_ratio),
            KeyFigure("latency_p95_s", "p95", "s", edge.latency_p95_s),
            KeyFigure("sites_seen", "sites with traffic", "count", edge.sites_seen),
            KeyFigure("sites_failing", "sites failing", "count", edge.sites_failing_count),
        ]
    if cache := farm.cache:
        found += [
            KeyFigure("cache_hit_ratio", "cache hit ratio", "ratio", cache.hit_ratio),
            KeyFigure("cache_hit_ratio_last_week", "same hour last week", "ratio", cache.hit_ratio_last_week),
        ]
    if galera := farm.galera:
        found.append(KeyFigure("galera_size", "Galera cluster size", "count", galera.size_min))
    if ceph := farm.ceph:
        found += [
            KeyFigure("ceph_used_ratio", "Ceph raw used", "ratio", ceph.used_ratio),
            KeyFigure("ceph_full_in_s", "Ceph is full in", "s", ceph.full_in_s),
        ]
    if farm.backups is not None:
        backups = counted(farm, farm.backups)
        # What no source tells of now is unknown, and not fresh.
        known = backups.whole - backups.unknown > 0
        found += [
            KeyFigure("backups_overdue", "backups overdue", "count", len(backups.overdue) if known else None),
            KeyFigure("backups_missing", "backups missing", "count", backups.never if known else None),
        ]
    return tuple(found)


def document(
    farm: Farm,
    findings: Sequence[Finding],
    overall: Severity,
    components: Sequence[Component],
    *,
    version: str,
) -> dict[str, Any]:
    """The whole document: plain dicts, lists, texts, numbers, booleans and None; no NaN, which JSON does not have."""
    return {
        "schema_version": SCHEMA_VERSION,
        "farmtui": version,
        "farm": {"name": farm.name, "at": farm.at.isoformat(), "sites_expected": farm.expected_sites},
        "overall": {"state": STATES[overall], "exit_code": EXIT_CODES[overall]},
        "components": [
            {"name": part.name, "state": STATES[part.severity], "summary": part.summary} for part in components
        ],
        "findings": [_finding(finding) for finding in findings],
        "tiers": [
            {
                "name": tier.tier.value,
                "expected": tier.expected,
                "seen": tier.seen,
                "healthy": tier.healthy,
                "state": STATES[tier.state],
            }
            for tier in farm.tiers
        ],
        "figures": {figure.name: _figure(figure) for figure in key_figures(farm)},
        "galera": _galera(farm.galera) if farm.galera else None,
        "ceph": _ceph(farm.ceph, farm.ceph_detail) if farm.ceph else None,
        "alerts": alert_counts(farm.book) if farm.book else None,
        "sources": [_source(farm, source) for source in farm.sources],
    }


def alert_counts(book: AlertBook) -> dict[str, int]:
    """Alerts that want attention, by severity: not those that always fire; and how many are silenced or inhibited."""
    heard = [alert.severity for alert in book.heard]
    return {
        "critical": heard.count(Severity.CRITICAL),
        "warning": heard.count(Severity.WARNING),
        "info": heard.count(Severity.INFO),
        "suppressed": book.quiet,
    }


def age_s(farm: Farm, source: SourceState) -> float | None:
    """Seconds since the source last gave a value; None: it never has."""
    if source.last_success_at is None:
        return None
    return max(0.0, (farm.at - source.last_success_at).total_seconds())


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "state": STATES[finding.severity],
        "title": finding.title,
        "cause": finding.cause,
        "evidence": list(finding.evidence),
        "runbook": finding.runbook or None,
        "since": finding.since.isoformat() if finding.since else None,
    }


def _figure(figure: KeyFigure) -> dict[str, Any]:
    value = figure.value
    state = "unknown" if value is None else "undefined" if math.isnan(value) else "measured"
    return {"value": _number(value), "unit": figure.unit, "state": state}


def _galera(galera: Galera) -> dict[str, Any]:
    return {
        "nodes": len(galera.nodes),
        "nodes_down": [node.instance for node in galera.nodes if node.up is False],
        "size_min": galera.size_min,
        "size_max": galera.size_max,
    }


def _ceph(ceph: Ceph, detail: CephDetail | None) -> dict[str, Any]:
    # What was raised before Ceph fell silent is not what is raised now.
    checks = () if detail is not None and detail.silent else ceph.checks
    return {
        "health": "unknown" if ceph.health is None else STATES[ceph.health],
        "checks": [_ceph_check(check, detail) for check in checks],
        "quorum": _quorum(detail) if detail else None,
        "differences": list(ceph.differences),
        "osds": len(ceph.osds),
        "osds_up": sum(osd.up for osd in ceph.osds),
        "osds_in": sum(osd.is_in for osd in ceph.osds),
        "used_ratio": _number(ceph.used_ratio),
        "total_bytes": _number(ceph.total_bytes),
    }


def _ceph_check(check: HealthCheck, detail: CephDetail | None) -> dict[str, Any]:
    own = detail.check(check.name) if detail else None
    return {
        "name": check.name,
        "state": STATES[check.severity],
        "muted": check.muted,
        "summary": own.summary if own else None,
        "detail": list(own.lines) if own else [],
    }


def _quorum(detail: CephDetail) -> dict[str, Any]:
    quorum = detail.quorum
    return {
        "asked": detail.asked,
        "mons": list(quorum.mons),
        "in_quorum": list(quorum.members),
        "lost": quorum.lost,
        "why": quorum.why or None,
    }


def _source(farm: Farm, source: SourceState) -> dict[str, Any]:
    failure = source.failure
    return {
        "name": source.name,
        "kind": source.kind,
        "endpoint": source.endpoint,
        "freshness": source.freshness.value,
        "age_s": age_s(farm, source),
        "interval_s": source.interval_s,
        "failure": {"kind": failure.kind.value, "what": failure.what, "remedy": failure.remedy} if failure else None,
        "failures_in_a_row": source.failures_in_a_row,
        "warnings": list(source.warnings),
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
