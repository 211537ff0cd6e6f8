"""Marks: places somebody comes back to by name, each with the filter, order and view that it had.

A mark without a trail is a saved view of its screen. A small file for each farm and user, beside the session; two
consoles take turns at it, so that neither loses what the other kept.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from farmtui.farm.filtering import FilterError, parse_filter
from farmtui.farm.text import clean_text
from farmtui.resuming import LIMIT_BYTES, TEXT, place_from, session_file, text_from, write_whole
from screens.console import SCREENS
from screens.places import Place

VERSION: Final = 1
MARKS: Final = 200
"""As many are kept for a farm."""
NAME: Final = 40
"""Characters of a mark's name."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place, and how it was looked at."""

    place: Place
    filter: str = ""
    sorts: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    """By table: the column, and whether it descends."""
    view: str = ""
    """Of the screen's views; empty where it has none."""
    faults_only: bool = False

    @property
    def words(self) -> str:
        """What it is, on one line."""
        parts = [" / ".join(self.place.crumbs)]
        parts += [f"view {self.view}"] if self.view else []
        parts += [f"/{self.filter}"] if self.filter else []
        # Several tables of a screen may be sorted by the same thing.
        orders = dict.fromkeys(self.sorts.values())
        parts += [f"by {column}{', descending' if down else ''}" for column, down in orders]
        parts += ["faults only"] if self.faults_only else []
        return " · ".join(parts)


class MarksError(Exception):
    """It is not kept, or there is none; the text says why."""


def marks_file(config: Path) -> Path:
    """The file for the farm whose config this is."""
    return session_file(config).parent.parent / "marks" / session_file(config).name


def checked_name(name: str) -> str:
    """The name, if it can be one. Raises MarksError."""
    if not name or len(name) > NAME or clean_text(name) != name or any(sign in name for sign in " \t'\"\\"):
        raise MarksError(f"a mark's name has 1 to {NAME} characters, without spaces, quotes and control characters")
    return name


def read_marks(path: Path) -> tuple[dict[str, Mark], str]:
    """The marks, and a notice where the file was none of ours: it is then kept aside. Raises OSError; may block."""
    if not path.exists():  # to look leaves nothing behind
        return {}, ""
    with _turn(path):
        return _read(path)


def change_marks(path: Path, change: Callable[[dict[str, Mark]], None]) -> tuple[dict[str, Mark], str]:
    """Change what is there now, another console's too; as `read_marks`. Raises OSError, MarksError; may block."""
    with _turn(path):
        marks, notice = _read(path)
        change(marks)
        if len(marks) > MARKS:
            raise MarksError(f"{MARKS} marks are kept; :unmark NAME takes one away")
        text = json.dumps({"version": VERSION, "marks": {name: asdict(mark) for name, mark in marks.items()}})
        if len(text) > LIMIT_BYTES:
            raise MarksError("the marks are too large together; :unmark NAME takes one away")
        write_whole(path, text)
        return marks, notice


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read(path: Path) -> tuple[dict[str, Mark], str]:
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise ValueError(path)
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] != VERSION:
            raise ValueError(found["version"])
        known = {entry.name for entry in SCREENS}
        marks = {checked_name(name): _mark(one) for name, one in found["marks"].items()}
        return {name: mark for name, mark in marks.items() if mark.place.screen in known}, ""
    except FileNotFoundError:
        return {}, ""
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, MarksError, FilterError):
        number = 1
        while (aside := path.with_suffix(f".aside-{number}")).exists():
            number += 1
        path.replace(aside)
        return {}, f"the marks cannot be understood; the file is kept as {aside}"


def _mark(one: Mapping[str, Any]) -> Mark:
    sorts = {text_from(table): (text_from(column), bool(down)) for table, (column, down) in one["sorts"].items()}
    parse_filter(text_from(one["filter"]))
    return Mark(
        place_from(one["place"]), text_from(one["filter"]), sorts, text_from(one["view"]), bool(one["faults_only"])
    )


def fits(mark: Mark) -> bool:
    """Whether all of it can be read again."""
    subjects = [text for subject in mark.place.trail for text in (subject.key, subject.title)]
    return all(len(text) <= TEXT and clean_text(text) == text for text in (mark.filter, mark.view, *subjects))
