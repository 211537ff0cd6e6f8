"""A line of a log, safe to show: redacted, cleaned and cut where it comes in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from farmtui.farm.state import Severity
from farmtui.farm.text import clean_text
from farmtui.farm.units import plural
from farmtui.secrets import redact

TEXT_LIMIT: Final = 2_000
"""Characters that are kept of a line."""
PARTS_LIMIT: Final = 60
"""Lines that are kept of one message: a stack trace, not a dump."""
_READ_LIMIT: Final = 40_000
_SGR: Final = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")

PRIORITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""syslog's words, by their number."""
INFO: Final = 6


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `at` is the machine's own clock, in UTC; None for a marker, which farmtui itself has put there."""

    at: datetime | None
    source: str
    """Who says it: `varnishd[1204]`, `wordpress.3@worker-7`."""
    text: str
    priority: int = INFO
    unit: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is, as its speaker sees it."""
        if self.at is None:
            return Severity.UNKNOWN
        return Severity.CRITICAL if self.priority <= 3 else Severity.WARNING if self.priority == 4 else Severity.OK

    @property
    def word(self) -> str:
        """Its priority in syslog's word."""
        return PRIORITIES[self.priority]

    @property
    def plain(self) -> str:
        """The whole line, as it is filtered, copied and saved."""
        if self.at is None:
            return f"-- {self.text} --"
        mark = f"{self.word} " if self.severity is not Severity.OK else ""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03}Z {self.source}: {mark}{self.text}"


def marker(text: str) -> LogLine:
    """A line of our own among the log's."""
    return LogLine(None, "", text)


def lines_of(at: datetime, source: str, message: str, priority: int = INFO, unit: str = "") -> Iterator[LogLine]:
    """A message's lines."""
    source = clean_text(source, limit=80)
    unit = clean_text(unit, limit=80)
    # Redacted before it is cut: half a secret would no longer be recognised.
    parts = redact(_SGR.sub("", message[:_READ_LIMIT])).rstrip().splitlines() or [""]
    for part in parts[:PARTS_LIMIT]:
        text = part.rstrip().expandtabs(4)
        if not (text.isascii() and text.isprintable() and len(text) <= TEXT_LIMIT):
            text = clean_text(text, multiline=True, limit=TEXT_LIMIT).replace("\n", "↵")
        yield LogLine(at, source, text, priority, unit)
    if len(parts) > PARTS_LIMIT:
        yield LogLine(
            at, source, f"… and {plural(len(parts) - PARTS_LIMIT, 'more line')} of this message", priority, unit
        )
