"""`farmtui check`: every secret, every source and every query tried, with what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO

import yaml

from farmtui.config import Config
from farmtui.config.places import line_of
from farmtui.config.text import secret_references
from farmtui.farm.reading import FailureKind
from farmtui.farm.state import Severity
from farmtui.plain import WORD, Page, page_for, put, row, wrapped
from farmtui.secrets import Secret, SecretError
from farmtui.sources import Source
from farmtui.sources.errors import SourceError
from farmtui.sources.prometheus import FigureReport, FigureStatus, PrometheusSource

SCHEMA_VERSION: Final = 1
EXIT_OK, EXIT_PARTIAL, EXIT_FAILED = 0, 1, 2


class Outcome(Enum):
    """How trying a secret or a source went."""

    OK = "ok"
    PARTIAL = "partial"
    """It answered, and not everything that was asked."""
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SecretReport:
    """One secret reference, resolved. The value is nowhere in it."""

    key: str
    line: int
    reference: str
    problem: str = ""

    @property
    def outcome(self) -> Outcome:
        """OK or FAILED."""
        return Outcome.FAILED if self.problem else Outcome.OK


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source, asked once; a Prometheus with each of its figures."""

    name: str
    kind: str
    endpoint: str
    outcome: Outcome
    duration_s: float
    what: str = ""
    remedy: str = ""
    warnings: tuple[str, ...] = ()
    figures: tuple[FigureReport, ...] = ()


@dataclass(frozen=True, slots=True)
class HostReport:
    """A login to one host: of those that stand in for each other, a source has only tried the first."""

    host: str
    sections: tuple[str, ...]
    """Sections of the config that name it."""
    outcome: Outcome
    duration_s: float
    what: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was tried."""

    config: Path
    secrets: tuple[SecretReport, ...]
    sources: tuple[SourceReport, ...]
    hosts: tuple[HostReport, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 all well, 1 a query, a part or a login fails, 2 a secret or a source fails, or there is no source."""
        outcomes = {secret.outcome for secret in self.secrets} | {source.outcome for source in self.sources}
        if not self.sources or Outcome.FAILED in outcomes or Outcome.REFUSED in outcomes:
            return EXIT_FAILED
        queries = {figure.status for source in self.sources for figure in source.figures}
        unreached = any(host.outcome is not Outcome.OK for host in self.hosts)
        return EXIT_PARTIAL if Outcome.PARTIAL in outcomes or unreached or queries & _FAULTS else EXIT_OK


_FAULTS = frozenset({FigureStatus.REFUSED, FigureStatus.FAILED})
_WITHOUT_DATA = frozenset({FigureStatus.MISSING, FigureStatus.EMPTY, FigureStatus.OFF})


def run(config: Config, path: Path, *, as_json: bool = False, out: TextIO | None = None) -> int:
    """Try everything, print the report, and give its exit code."""
    out = out or sys.stdout
    report = asyncio.run(tried(config, path))
    if as_json:
        put(out, Page(), json.dumps(document(report), indent=2, allow_nan=False))
    else:
        page = page_for(out)
        put(out, page, text(report, page))
    return report.exit_code


async def tried(config: Config, path: Path) -> Report:
    """Resolve each secret, then ask each source, all at the same time. Never raises for what it finds."""
    from farmtui.polling import build_sources

    secrets = tuple(await asyncio.to_thread(_secrets, config, path))
    sources = build_sources(config)
    try:
        reports = await asyncio.gather(*(_asked(source) for source in sources))
    finally:
        await asyncio.gather(*(source.close() for source in sources))
    return Report(path, secrets, tuple(reports), await _hosts(config))


async def _hosts(config: Config) -> tuple[HostReport, ...]:
    """Log in to each host that any source may ask, at the bound that the config sets."""
    from farmtui.polling import ssh_hosts

    wanted = ssh_hosts(config)
    if not wanted:
        return ()
    from farmtui.sources.ssh.pool import SshPool

    pool = SshPool(config.ssh)
    waves = -(-len(wanted) // config.ssh.concurrency)

    async def login(host: str, sections: tuple[str, ...]) -> HostReport:
        began = time.monotonic()
        try:
            await pool.log_in(host, deadline_s=waves * config.ssh.connect_timeout_s)
        except SourceError as error:
            outcome = Outcome.REFUSED if error.kind is FailureKind.FORBIDDEN else Outcome.FAILED
            return HostReport(host, sections, outcome, time.monotonic() - began, error.what, error.remedy)
        return HostReport(host, sections, Outcome.OK, time.monotonic() - began)

    try:
        return tuple(await asyncio.gather(*(login(host, sections) for host, sections in wanted.items())))
    finally:
        await pool.close()


def _secrets(config: Config, path: Path) -> Iterator[SecretReport]:
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for keys, reference in secret_references(config):
        problem = ""
        try:
            Secret(reference).reveal()
        except SecretError as error:
            problem = str(error)
        yield SecretReport(".".join(map(str, keys)), line_of(root, keys), reference, problem)


async def _asked(source: Source[Any]) -> SourceReport:
    reading = await source.poll()
    failure = reading.failure
    figures: tuple[FigureReport, ...] = ()
    if failure is not None and reading.value is None:
        outcome = Outcome.REFUSED if failure.kind is FailureKind.FORBIDDEN else Outcome.FAILED
    else:
        outcome = Outcome.PARTIAL if failure or reading.warnings else Outcome.OK
    if isinstance(source, PrometheusSource) and reading.value is not None:
        figures = await source.explain()
    return SourceReport(
        source.name,
        source.kind,
        source.endpoint,
        outcome,
        reading.duration_s,
        failure.what if failure else "",
        failure.remedy if failure else "",
        reading.warnings,
        figures,
    )


def document(report: Report) -> dict[str, Any]:
    """The report for machines. `schema_version` is raised when a key goes or changes its meaning."""
    return {
        "schema_version": SCHEMA_VERSION,
        "config": str(report.config),
        "exit_code": report.exit_code,
        "secrets": [
            {
                "key": secret.key,
                "line": secret.line,
                "reference": secret.reference,
                "outcome": secret.outcome.value,
                "problem": secret.problem or None,
            }
            for secret in report.secrets
        ],
        "sources": [
            {
                "name": source.name,
                "kind": source.kind,
                "endpoint": source.endpoint,
                "outcome": source.outcome.value,
                "duration_s": source.duration_s,
                "what": source.what or None,
                "remedy": source.remedy or None,
                "warnings": list(source.warnings),
                "figures": [
                    {
                        "name": figure.name,
                        "title": figure.title,
                        "status": figure.status.value,
                        "series": figure.series,
                        "detail": figure.detail or None,
                        "remedy": figure.remedy or None,
                    }
                    for figure in source.figures
                ],
            }
            for source in report.sources
        ],
        "hosts": [
            {
                "host": host.host,
                "sections": list(host.sections),
                "outcome": host.outcome.value,
                "duration_s": host.duration_s,
                "what": host.what or None,
                "remedy": host.remedy or None,
            }
            for host in report.hosts
        ],
    }


_OUTCOMES = {
    Outcome.OK: Severity.OK,
    Outcome.PARTIAL: Severity.WARNING,
    Outcome.REFUSED: Severity.CRITICAL,
    Outcome.FAILED: Severity.CRITICAL,
}
_STATUSES = {
    FigureStatus.OK: (Severity.OK, "ok"),
    FigureStatus.EMPTY: (Severity.INFO, "empty"),
    FigureStatus.MISSING: (Severity.INFO, "missing"),
    FigureStatus.REFUSED: (Severity.WARNING, "refused"),
    FigureStatus.FAILED: (Severity.WARNING, "failed"),
    FigureStatus.OFF: (Severity.INFO, "off"),
}
_INDENT = 2 + WORD


def text(report: Report, page: Page | None = None) -> str:
    """The report for people, readable at 80 columns."""
    page = page or Page()
    blocks = [[f"config: {report.config}"]]
    if report.secrets:
        blocks.append(
            ["Secrets", *(line for secret in report.secrets for line in _secret(report.config, secret, page))]
        )
    if report.sources:
        blocks.append(["Sources", *(line for source in report.sources for line in _source(source, page))])
    else:
        blocks.append(["no source is configured: give prometheus, alertmanager, proxmox or digitalocean a section"])
    if report.hosts:
        blocks.append(["SSH logins", *(line for host in report.hosts for line in _host(host, page))])
    blocks += [
        [f"Queries of {source.name}", *_figures(source.figures, page)] for source in report.sources if source.figures
    ]
    return "\n\n".join("\n".join(block) for block in blocks)


def _secret(config: Path, secret: SecretReport, page: Page) -> Iterator[str]:
    yield row(page, _OUTCOMES[secret.outcome], secret.outcome.value, f"{secret.key}: {secret.reference}")
    if secret.problem:
        yield from wrapped(f"{config}:{secret.line}: {secret.key}: {secret.problem}", _INDENT)


def _source(source: SourceReport, page: Page) -> Iterator[str]:
    yield from _tried(source, source.name, source.endpoint, page)
    for warning in source.warnings:
        yield from wrapped(f"! {warning}", _INDENT)


def _host(host: HostReport, page: Page) -> Iterator[str]:
    yield from _tried(host, host.host, f"for {', '.join(host.sections)}", page)


def _tried(tried: SourceReport | HostReport, name: str, words: str, page: Page) -> Iterator[str]:
    yield row(page, _OUTCOMES[tried.outcome], tried.outcome.value, f"{name:<22} {tried.duration_s:6.2f} s  {words}")
    if tried.what:
        yield from wrapped(tried.what, _INDENT)
        yield from wrapped(f"→ {tried.remedy}", _INDENT)


def _figures(figures: Sequence[FigureReport], page: Page) -> Iterator[str]:
    """Those that are well in one line; a part of the farm without any data in one line; the others each."""
    well = sum(figure.status is FigureStatus.OK for figure in figures)
    yield row(page, Severity.OK, "ok", f"{well} of {len(figures)}")
    parts: dict[str, list[FigureReport]] = {}
    for figure in figures:
        parts.setdefault(figure.name.partition(".")[0], []).append(figure)
    for part, members in parts.items():
        missing = sum(figure.status is FigureStatus.MISSING for figure in members)
        # Some queries need no metric in particular (a list of what is raised now): they are empty on a farm without.
        if len(members) > 1 and 2 * missing > len(members) and {figure.status for figure in members} <= _WITHOUT_DATA:
            words = f"{part}: none of its {len(members)} queries gives data; the farm has no {part}, or no exporter"
            yield row(page, Severity.INFO, "absent", words)
            continue
        for figure in members:
            if figure.status is not FigureStatus.OK or figure.detail:
                severity, word = _STATUSES[figure.status]
                yield row(page, severity, word, f"{figure.name}: {figure.title}")
                for line in (figure.detail, f"→ {figure.remedy}" if figure.remedy else ""):
                    if line:
                        yield from wrapped(line, _INDENT + 2)
