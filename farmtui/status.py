"""`farmtui status`: the farm's health once, in plain text or JSON, without Textual."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import TextIO

from farmtui.config import Config
from farmtui.farm.farm import Farm
from farmtui.farm.reading import SourceState
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age, in_unit
from farmtui.insight.finding import Finding
from farmtui.insight.findings import findings
from farmtui.insight.health import Component, components, overall
from farmtui.plain import WIDTH, Page, hanging, page_for, put, wrapped
from farmtui.status_document import EXIT_CODES, age_s, alert_counts, document, key_figures

_WORD = 8
"""Columns of the word that says how bad something is."""


def run(config: Config, *, as_json: bool = False, deadline_s: float = 20.0, out: TextIO | None = None) -> int:
    """Ask every source once, print, and give the exit code: 0 ok, 1 warning, 2 critical, 3 unknown.

    `deadline_s` is how long all of it may take; a source that has not answered by then is told as such.
    """
    out = out or sys.stdout
    farm = asyncio.run(picture(config, deadline_s))
    found = findings(farm)
    state, parts = overall(farm, found), components(farm, found)
    if as_json:
        told = document(farm, found, state, parts, version=version("farmtui"))
        put(out, Page(), json.dumps(told, indent=2, allow_nan=False))
    else:
        page = page_for(out)
        put(out, page, text(farm, found, state, parts, page))
    return EXIT_CODES[state]


async def picture(config: Config, deadline_s: float) -> Farm:
    """One picture of the farm: every source asked once, all at the same time."""
    from farmtui.polling import Feed

    return await Feed(config).one_cycle(deadline_s)


def text(
    farm: Farm, found: Sequence[Finding], state: Severity, parts: Sequence[Component], page: Page | None = None
) -> str:
    """The page for people: what is wrong first, readable at 80 columns, each colour beside its word."""
    page = page or Page()
    at = farm.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    gap = " " * max(1, WIDTH - len(farm.name) - len(state.word) - len(at) - 2)
    blocks = [
        [f"{farm.name}: {page.paint(state.word, state)}{gap}{page.faint(at)}"],
        list(_findings(farm, found, page)),
        _titled("Parts", (_row(part.severity, part.name, part.summary, page) for part in parts)),
        _titled("Tiers", _tiers(farm, page)),
        _titled("Key figures", _figures(farm)),
        _titled("Sources", (line for source in farm.sources for line in _source(farm, source, page))),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return [title, *body] if body else []


def _row(severity: Severity, name: str, words: str, page: Page) -> str:
    head = f"  {page.paint(f'{severity.word:<{_WORD}}', severity)}{name:<13} "
    return hanging(head, 3 + _WORD + 13, words)


def _findings(farm: Farm, found: Sequence[Finding], page: Page) -> Iterator[str]:
    indent = 2 + _WORD
    for finding in found:
        if finding.severity < Severity.WARNING:
            continue
        head = f"  {page.paint(f'{finding.severity.word:<{_WORD}}', finding.severity)}"
        yield hanging(head, indent, finding.title)
        yield from wrapped(finding.cause, indent)
        if finding.evidence:
            yield from wrapped("; ".join(finding.evidence), indent)
        since = f"for {age((farm.at - finding.since).total_seconds())}" if finding.since else ""
        runbook = f"runbook: {finding.runbook}" if finding.runbook else ""
        if after := " · ".join(part for part in (since, runbook) if part):
            yield from wrapped(after, indent)


def _tiers(farm: Farm, page: Page) -> Iterator[str]:
    for tier in farm.tiers:
        expected = f" of {tier.expected}" if tier.expected is not None else ""
        yield _row(tier.state, tier.tier.title, f"{tier.seen}{expected} seen, {tier.healthy} well", page)


def _figures(farm: Farm) -> Iterator[str]:
    for figure in key_figures(farm):
        yield f"  {figure.title:<24}{in_unit(figure.value, figure.unit)}"
    if farm.book:
        counts = alert_counts(farm.book)
        yield f"  {'alerts':<24}{', '.join(f'{number} {word}' for word, number in counts.items())}"


_FRESHNESS = {
    Freshness.LIVE: Severity.OK,
    Freshness.EMPTY: Severity.OK,
    Freshness.AGEING: Severity.WARNING,
    Freshness.STALE: Severity.UNKNOWN,
    Freshness.NEVER: Severity.UNKNOWN,
    Freshness.FORBIDDEN: Severity.UNKNOWN,
}


def _source(farm: Farm, source: SourceState, page: Page) -> Iterator[str]:
    old = age_s(farm, source)
    told = f"{source.freshness.value:<10}{'' if old is None else age(old):<7}"
    yield f"  {page.paint(told, _FRESHNESS[source.freshness])}{source.name:<22} {page.faint(source.endpoint)}".rstrip()
    if source.failure:
        yield from wrapped(source.failure.what, 6)
        yield from wrapped(f"→ {source.failure.remedy}", 6)
    for warning in source.warnings:
        yield from wrapped(f"! {warning}", 6)
