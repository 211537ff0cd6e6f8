"""The words around a log: how it stands, what of it is shown, and its lines as they are painted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import plural
from farmtui.tail.line import PRIORITIES, LogLine
from farmtui.tail.standing import Standing, State
from farmtui.tail.target import LEVELS, window_word
from widgets import ink
from widgets.glyphs import glyphs
from widgets.table_paint import fit

if TYPE_CHECKING:
    from farmtui.tail.target import Wanted
    from screens.log_targets import Down

SOURCE_WIDTHS = {"-narrow": 18, "-normal": 28, "-wide": 40}
"""Cells that speakers' names may take, by the screen's width."""


def line_text(line: LogLine, today: datetime, source_width: int) -> Content:
    """A line: its time is quiet, its speaker stands out; of what is bad the mark and the speaker have its colour."""
    if line.at is None:
        return Content.styled(f"{glyphs().rule * 3} {line.text} {glyphs().rule * 3}", ink.UNKNOWN)
    severity = line.severity
    day = "" if line.at.date() == today.date() else f"{line.at:%m-%d} "
    bad = severity is not Severity.OK
    style = ink.SEVERITY[severity] if bad else ink.ACCENT
    return Content.assemble(
        (f"{day}{line.at:%H:%M:%S} ", ink.MUTED),
        (f"{fit(line.source, source_width)} ", style),
        (f"{glyphs().severity[severity]} " if bad else "  ", style),
        (line.text, ink.MUTED if line.priority == len(PRIORITIES) - 1 else ink.TEXT),
    )


def standing_text(standing: Standing | None, *, following: bool, below: int, waits: bool = False) -> Content:
    """How it stands, in a sign and a word or two. `waits`: nobody has been asked yet."""
    if waits:
        return Content.styled(f"{glyphs().severity[Severity.UNKNOWN]} not tried", ink.UNKNOWN)
    if standing is None:
        return Content.styled(f"{glyphs().arrow} connecting", ink.INFO)
    match standing.state:
        case State.BEGINS | State.READS:
            return Content.styled(f"{glyphs().arrow} {standing.state.value}", ink.INFO)
        case State.FOLLOWS if not following:
            return Content.styled(f"{glyphs().dot} paused" + (f", {below:,} new below" if below else ""), ink.WARNING)
        case State.FOLLOWS:
            return Content.styled(f"{glyphs().severity[Severity.OK]} following", ink.OK)
        case State.ENDED:
            return Content.styled(f"{glyphs().dot} read to its end", ink.MUTED)
        case State.LOST:
            return Content.styled(f"{glyphs().severity[Severity.UNKNOWN]} {standing.state.value}", ink.UNKNOWN)
    return Content.styled(f"{glyphs().severity[Severity.CRITICAL]} failed", f"{ink.STRONG} {ink.CRITICAL}")


def level_word(level: int) -> str:
    """Which priorities are shown."""
    return "all" if level >= LEVELS[0] else f"{PRIORITIES[level]} and worse"


def wanted_text(wanted: Wanted, *, service: bool, wraps: bool) -> Content:
    """What of it is read."""
    parts = [f"last {window_word(wanted.since_s)}"]
    if not service:
        parts.append(level_word(wanted.level))
    if wraps:
        parts.append("wrapped")
    return Content.styled(f" {glyphs().dot} ".join(parts), ink.MUTED)


def count_text(shown: int, kept: int, dropped: int, *, filtered: bool) -> Content:
    """How many lines there are, how many of them match, and how many gave way."""
    words = f"{shown:,} of {kept:,} match" if filtered else plural(kept, "line")
    return Content.assemble(
        (words, ink.STRONG if filtered else ink.TEXT),
        (f", {dropped:,} earlier dropped" if dropped else "", ink.WARNING),
    )


def down_text(down: Down, *, waits: bool) -> Content:
    """What is known of a machine that is down, and whether it is tried all the same."""
    tried = "r tries to log in all the same" if waits else "logging in is tried all the same"
    return Content.assemble(
        (f"{glyphs().severity[Severity.WARNING]} {down.words}", ink.WARNING), "\n", (tried, ink.MUTED)
    )


def trouble_text(standing: Standing | None, *, empty: str, note: str, more: bool) -> Content | None:
    """What is wrong and what to do, or why nothing is shown; None where there is nothing to say."""
    lines: list[Content] = []
    if standing is not None and standing.why:
        bad = standing.state is State.FAILED
        style = ink.CRITICAL if bad else ink.UNKNOWN
        again = "r tries again" if bad else f"it is tried again after {standing.retry_s:g} s"
        lines.append(Content.styled(standing.why, style))
        lines.append(Content.assemble((standing.remedy, ink.TEXT), (f" {glyphs().dot} {again}", ink.MUTED)))
    if note:
        lines.append(Content.styled(f"{glyphs().severity[Severity.WARNING]} {note}", ink.WARNING))
    if more:
        lines.append(Content.styled("the window holds more: only its newest lines were fetched", ink.MUTED))
    if empty:
        lines.append(Content.styled(f"{glyphs().freshness[Freshness.EMPTY]} {empty}", ink.MUTED))
    return Content("\n").join(lines) if lines else None
