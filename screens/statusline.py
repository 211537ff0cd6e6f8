"""The texts of the status line and of the navigation: pure functions of the Farm and what is wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age
from screens.lines import ClickableLine
from widgets import ink
from widgets.glyphs import glyphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from farmtui.farm.farm import Farm
    from farmtui.farm.mistake import ConfigState
    from farmtui.farm.reading import SourceState
    from farmtui.insight.finding import Finding
    from farmtui.runbooks.picture import Picture
    from screens.console import ScreenEntry


def status_texts(
    farm: Farm | None,
    findings: Sequence[Finding],
    overall: Severity,
    *,
    name: str,
    flags: Iterable[str],
    crumbs: Sequence[str],
    runs: Sequence[tuple[str, str]] = (),
    config: ConfigState | None = None,
    colour: int = 0,
    width: int = 80,
) -> tuple[Content, Content]:
    """Left: the farm, how it is, and what is open. Right: what cannot be trusted, and the picture's time (UTC)."""
    signs = glyphs()
    ground = f"reverse {ink.series_style(colour - 1)}" if colour else ink.ACCENT
    left: list[Content | str | tuple[str, str]] = [(f" {name} ", f"{ink.STRONG} {ground}")]
    if colour:
        left.append(" ")
    if config is not None and config.mistakes:
        left += [config_chip(config, short=width < NARROW), "  "]
    if farm is None:
        left.append((f"{signs.freshness[Freshness.NEVER]} waiting for the first answers", ink.MUTED))
    else:
        left.append((f"{signs.severity[overall]} {overall.word}", f"{ink.STRONG} {ink.SEVERITY[overall]}"))
        left.extend(_counts(findings))
        left.append(_alerts(farm))
    left.extend(runs)
    if len(crumbs) > 1:
        left.append((f"  {f' {signs.separator} '.join(crumbs)}", ink.TEXT))
    right: list[Content | tuple[str, str]] = [(f"{flag} ", f"{ink.STRONG} {ink.WARNING}") for flag in flags]
    if farm is not None:
        right.append(_trust(farm))
        right.append((f"  {farm.at:%H:%M:%S}Z ", ink.MUTED))
    return Content.assemble(*left), Content.assemble(*right)


NARROW = 110
"""Below so many columns the chip stands without its noun: the farm's own state is worth more."""


def config_chip(config: ConfigState, *, short: bool) -> Content:
    """How many mistakes the config has; a click leads to them."""
    count = len(config.mistakes)
    noun = "" if short else f"mistake{'' if count == 1 else 's'} "
    words = f" config {glyphs().severity[Severity.CRITICAL]} {count} {noun}"
    return ClickableLine.part(Content.styled(words, f"{ink.STRONG} reverse {ink.CRITICAL}"), "config")


def _counts(findings: Sequence[Finding]) -> Iterable[tuple[str, str]]:
    signs = glyphs()
    for severity in (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING):
        number = sum(finding.severity is severity for finding in findings)
        if number:
            yield (f"  {signs.severity[severity]} {number}", ink.SEVERITY[severity])


def _alerts(farm: Farm) -> tuple[str, str]:
    if farm.book is None:
        return ("", "")
    firing, quiet = farm.book.heard, farm.book.quiet
    words = f"  alerts {len(firing)}" + (f" +{quiet} quiet" if quiet else "")
    worst = max((alert.severity for alert in firing), default=Severity.OK)
    return (words, ink.SEVERITY[worst] if worst >= Severity.WARNING else ink.MUTED)


def _trust(farm: Farm) -> tuple[str, str]:
    """The oldest source, or that all are live."""
    bad = [source for source in farm.sources if source.freshness not in (Freshness.LIVE, Freshness.EMPTY)]
    signs = glyphs()
    if not bad:
        return (f"{signs.freshness[Freshness.LIVE]} live", ink.MUTED)
    worst = max(bad, key=lambda source: _DISTRUST.index(source.freshness))
    more = f" +{len(bad) - 1}" if len(bad) > 1 else ""
    words = f"{signs.freshness[worst.freshness]} {worst.name} {worst.freshness.value}{_age(farm, worst)}{more}"
    return (words, ink.FRESHNESS[worst.freshness])


_DISTRUST = (Freshness.AGEING, Freshness.NEVER, Freshness.STALE, Freshness.FORBIDDEN)


def _age(farm: Farm, source: SourceState) -> str:
    if source.freshness not in (Freshness.AGEING, Freshness.STALE) or source.last_success_at is None:
        return ""
    return f" {age((farm.at - source.last_success_at).total_seconds())}"


def runs_text(picture: Picture, at: datetime) -> list[tuple[str, str]]:
    """The runs under way: the one that wants somebody before all others, and how far it is."""
    from farmtui.runbooks.picture import progress, standing

    runs = picture.under_way
    if not runs:
        return []
    told = [(standing(state, at, picture.holders.get(state.run, "")), state) for state in runs]
    how, state = max(told, key=lambda one: one[0].severity)
    done, steps = progress(state)
    where = f" {done}/{steps}" if how.word in ("running", "undoing") else ""
    more = f" +{len(runs) - 1}" if len(runs) > 1 else ""
    sign = glyphs().arrow if how.severity < Severity.WARNING else glyphs().severity[how.severity]
    # How it stands comes first: of a long name the end may be cut.
    return [(f"  {sign} {how.word}{where} {state.plan.book}{more}", ink.SEVERITY[how.severity])]


def nav_text(entries: Sequence[ScreenEntry], here: str, health: Mapping[str, Severity], *, width: int) -> Content:
    """The screens with their keys; a mark where something is wrong, so that one look says where to go.

    Where they do not fit they stand closer, then with shorter names: the last one is worth as much as the first.
    """
    shown = [entry for entry in entries if entry.key or entry.name == here]
    for letters, room in ((None, " "), (None, ""), (5, ""), (4, ""), (3, "")):
        text = Content.assemble(*(_tab(entry, here, health, letters, room) for entry in shown))
        if text.cell_length <= width:
            break
    return text


def _tab(entry: ScreenEntry, here: str, health: Mapping[str, Severity], letters: int | None, room: str) -> Content:
    severity = health.get(entry.name, Severity.OK)
    mark = f"{glyphs().severity[severity]}" if severity >= Severity.WARNING else " "
    style = f"{ink.STRONG} reverse" if entry.name == here else ink.MUTED
    words = f" {entry.key}{' ' if entry.key else ''}{entry.name[:letters]}"
    # It stands close to its own name: half way between two it would be either's.
    marked = (mark, ink.SEVERITY[severity] if mark.strip() else style)
    return ClickableLine.part(Content.assemble((words, style), marked, room), entry.name)
