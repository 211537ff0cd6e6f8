"""The lines of a wall that are no tiles: the banner, what is wrong, the foot. Pure functions of what is to be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import age
from screens.wall_view import is_late, source_age
from widgets import ink
from widgets.big_text import PLAIN, big, columns, cut, drawable, fitting, height_of, wrapped
from widgets.glyphs import glyphs
from widgets.wall_tile import Profile, apart, hatched, stacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from farmtui.farm.farm import Farm
    from farmtui.insight.finding import Finding

WORDS = {
    Severity.OK: "OK",
    Severity.INFO: "OK",
    Severity.WARNING: "WARNING",
    Severity.UNKNOWN: "UNKNOWN",
    Severity.CRITICAL: "CRITICAL",
}
"""The state of the farm, as it is written over the whole room."""

FILLS = {
    Severity.WARNING: f"{ink.WARNING} reverse",
    Severity.UNKNOWN: f"{ink.UNKNOWN} reverse",
    Severity.CRITICAL: "$ink-alarm",
}
"""What is not well fills the banner; what is well is a word on the dark, and burns nothing in."""


def banner(
    profile: Profile, overall: Severity, notes: Sequence[str], now: datetime, *, colours: bool = True
) -> list[Content]:
    """The state in one word, what is behind it, and the time of day."""
    width, height = profile.width, profile.banner_lines
    style = FILLS.get(overall, f"{ink.OK} {ink.STRONG}")
    if overall is Severity.CRITICAL and not colours:
        style = f"{ink.STRONG} reverse"
    room = height - 1 if height < 8 else height - 2
    margin = max(1, width // 40)
    time = f"{now:%H:%M:%S}"
    wide = width * 57 // 100
    if glyphs().is_ascii:  # its smallest letters are as high as the band, and it is the word that counts
        room, wide = height, width - len(time) - 4 * margin
    word_scale = fitting(WORDS[overall], 99, wide, room)
    most = max(1, word_scale * 2 // 3) if notes else 99
    clock_scale = fitting(time, most, width - columns(WORDS[overall], word_scale) - 4 * margin, room)
    word, clock = big(WORDS[overall], word_scale), big(time, clock_scale)
    used = word[0].cell_length + clock[0].cell_length + 4 * margin
    told = _notes(notes, width - used, max(len(word), 3), profile)
    lines = []
    for number in range(height):
        parts = [" " * margin, _at(word, number, height), " " * margin, _at(told, number, height)]
        left, right = Content.assemble(*parts), Content.assemble(_at(clock, number, height), " " * margin)
        gap = " " * max(0, width - left.cell_length - right.cell_length)
        lines.append(Content.styled(f"{left.plain}{gap}{right.plain}", style))
    return lines


def _at(block: Sequence[Content], number: int, height: int) -> str:
    """A line of a block that stands in the middle of `height` lines."""
    first = (height - len(block)) // 2
    width = max((line.cell_length for line in block), default=0)
    if 0 <= number - first < len(block):
        line = block[number - first]
        return line.plain + " " * (width - line.cell_length)
    return " " * width


def _notes(notes: Sequence[str], width: int, height: int, profile: Profile) -> list[Content]:
    """As many of the notes as there is room for, as large as all of them can be."""
    if width < 8:
        return []
    for scale in range(profile.label, PLAIN - 1, -1):
        if scale and not drawable(scale):
            continue
        lines = height_of(scale) + (1 if scale else 0)
        if lines * len(notes) - (1 if scale else 0) <= height and all(columns(note, scale) <= width for note in notes):
            return stacked([big(note, scale) for note in notes], 1 if scale else 0)
    return [line for note in notes[:height] for line in big(cut(note, PLAIN, width), PLAIN)]


def counted(findings: Sequence[Finding]) -> list[str]:
    """How many there are of each kind, the worst first."""
    names = {Severity.CRITICAL: "critical", Severity.UNKNOWN: "unknown", Severity.WARNING: "warning"}
    told = []
    for severity, name in names.items():
        if number := sum(finding.severity is severity for finding in findings):
            told.append(f"{number} {name}{'s' if number > 1 and severity is Severity.WARNING else ''}")
    return told


def fault_lines(profile: Profile) -> int:
    """The least lines in which a finding can be read."""
    return height_of(profile.title) + 2 * height_of(profile.body) + 1


def faults(
    found: Sequence[Finding], farm: Farm, profile: Profile, height: int, *, stale: bool = False
) -> list[Content]:
    """Findings below each other, each with as much of its cause as there is room for; hatched where `stale`."""
    each = height // max(1, len(found))
    lines: list[Content] = []
    for finding in found:
        lines += _fault(finding, farm, profile, each, ink.STALE if stale else ink.SEVERITY[finding.severity])
    return [hatched(line, profile.width) for line in lines[:height]] if stale else lines[:height]


def _fault(finding: Finding, farm: Farm, profile: Profile, height: int, style: str) -> list[Content]:
    """A title that is read from afar behind a bar of the severity's colour; then the severity's word, and the cause."""
    thick = max(1, profile.title)
    width = profile.width - thick - 4
    block = list(_title(finding.title, profile, width, style, height))
    since = f" since {age((farm.at - finding.since).total_seconds())}" if finding.since else ""
    first = f"{finding.severity.word}{since}: {finding.cause}"
    gap = 1 if profile.height < 34 else 2
    # The cause is as large as leaves room for all of it; the smallest is what may be cut.
    least = profile.body if drawable(profile.body) else PLAIN
    for body in range(max(least, profile.title - 1), least - 1, -1):
        room = (height - gap - len(block)) // (height_of(body) + (1 if body else 0))
        texts = list(wrapped(first, body, width))
        if drawable(body) and len(texts) <= room:
            break
    if body == PLAIN:
        texts = list(wrapped(f"{glyphs().severity[finding.severity]} {first}", body, width))
    texts += [text for part in finding.evidence for text in wrapped(part, body, width)]
    for text in first_of(texts, room, body, width):
        if body:
            block.append(Content(""))
        block += big(text, body, ink.TEXT)
    block = block[: max(1, height - gap)]
    bar = (glyphs().block * thick, style)
    lines = [Content.assemble(" ", bar, "  ", line) for line in block]
    return [*lines, *([Content("")] * max(0, height - len(lines)))]


def first_of(texts: Sequence[str], room: int, scale: int, width: int) -> Iterator[str]:
    """As many lines as there is room for; the last says that it goes on where it does."""
    goes_on = f" {glyphs().ellipsis}" if scale == PLAIN else ".."
    for number, text in enumerate(texts[:room], 1):
        yield cut(f"{text}{goes_on if number == room < len(texts) else ''}", scale, width)


def _title(title: str, profile: Profile, width: int, style: str, height: int) -> Iterator[Content]:
    """As large as it fits, in one line or two."""
    below = 2 * height_of(profile.body)
    for scale in range(profile.title + max(1, profile.title // 2), PLAIN, -1):
        texts = list(wrapped(title, scale, width))
        lines = len(texts) * (height_of(scale) + 1) - 1
        if (
            drawable(scale)
            and len(texts) <= 2
            and (lines + below < height or (len(texts) == 1 and scale <= profile.title))
        ):
            yield from stacked([big(text, scale, style) for text in texts], 1)
            return
    yield from big(cut(title, PLAIN, width), PLAIN, f"{style} {ink.STRONG}")


def starting(profile: Profile, name: str, height: int, words: str = "waiting for the first answers") -> list[Content]:
    """Before the first picture, and what keeps it from coming."""
    block = [
        *big(name, fitting(name, profile.value, profile.width - 4), f"{ink.STRONG} {ink.ACCENT}"),
        Content(""),
    ]
    scale = fitting(words, profile.title, profile.width - 4)
    texts = [words] if scale else wrapped(words, PLAIN, profile.width - 4)
    block += [line for text in texts for line in big(text, scale, ink.UNKNOWN)]
    above = [Content("")] * max(0, (height - len(block)) // 2)
    return [*above, *(Content.assemble(" " * max(0, (profile.width - line.cell_length) // 2), line) for line in block)]


def foot(profile: Profile, name: str, page: str, farm: Farm | None, now: datetime) -> list[Content]:
    """Whose farm, which page; and whether every source tells of now."""
    trust, style = _trust(farm, now)
    margin = 1 + profile.label
    width = profile.width - 2 * margin
    left = f"{name}  {page}"
    scale = fitting(f"{left}   {trust}", profile.label, width)
    if not scale and profile.label and drawable(1):
        scale = fitting(f"{name}   {trust}", 1, width)
        left = name if scale else left
    if not scale:
        trust = cut(trust, PLAIN, width // 2)
    lines = apart(big(left, scale, ink.MUTED), big(trust, scale, style), width)
    return [Content.assemble(" " * margin, line) for line in lines]


def _trust(farm: Farm | None, now: datetime) -> tuple[str, str]:
    if farm is None or not farm.sources:
        return "no source yet", ink.UNKNOWN
    late = [source for source in farm.sources if is_late(source)]
    if not late:
        count = len(farm.sources)
        return (f"{count} sources live" if count > 1 else f"{farm.sources[0].name} live"), ink.OK
    if len(late) == len(farm.sources):
        return f"no source of {len(late)} is live", ink.UNKNOWN
    worst = max(late, key=lambda source: _ORDER.index(source.freshness))
    word = "late" if worst.freshness is Freshness.AGEING else worst.freshness.value
    old = source_age(worst, now)
    more = f" +{len(late) - 1}" if len(late) > 1 else ""
    return f"{worst.name} {word}{f' {old}' if old else ''}{more}", ink.WARNING


_ORDER = (Freshness.AGEING, Freshness.NEVER, Freshness.FORBIDDEN, Freshness.STALE)


def sweep(width: int, lines: int, second: int, style: str) -> list[Content]:
    """The heartbeat: a block that goes one place further each second, over the whole width. Still is dead."""
    long = max(3, width // 12)
    places = max(1, width // long)
    at = second % places * long
    # No track: blanks are what costs the terminal least.
    line = Content.assemble(" " * at, (glyphs().block * long, style))
    return [line] * lines
