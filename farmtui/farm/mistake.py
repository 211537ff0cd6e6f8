"""What is wrong in the config, as the console shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. No value of the file is in it that may be a secret."""

    file: str
    line: int
    """From 1; 0: the file as a whole."""
    key: str
    """Dotted: `alertmanager.urls.0`; empty: the file as a whole."""
    what: str
    """What is wrong, and the remedy."""
    text: str = ""
    """Its line, as far as it may be shown."""
    left_out: str = ""
    """What the console goes without because of it: a section, or a key that is as if it were not there."""
    limits: bool = False
    """Whether it may have limited what is allowed: then nothing is until it is mended."""

    @property
    def place(self) -> str:
        """`FILE:LINE`, as editors and compilers write it."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.key, self.what) if part)


def why_locked(mistakes: Sequence[Mistake]) -> str:
    """Why nothing may be changed while these mistakes stand; empty where none of them may have been a limit."""
    first = next((mistake for mistake in mistakes if mistake.limits), None)
    if first is None:
        return ""
    if not first.key:
        return f"the config cannot be read, and so not what it allows ({first.place}); mend it"
    return f"the config has a mistake that may limit what is allowed ({first.key}, line {first.line}); mend it"


@dataclass(frozen=True, slots=True)
class ConfigState:
    """The config file as the console has it."""

    file: str = ""
    mistakes: tuple[Mistake, ...] = ()
    """What is wrong in the newest text of the file."""
    kept: bool = False
    """Whether the console goes on with the config of before; else with what is right in the text."""
    locked: str = ""
    """Why nothing may be changed until it is mended; empty: it may."""
