"""What is right in a wrong config: each mistake with its place and remedy, and the rest as it stands."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from farmtui.config.bounds import Keys, cost_of, may_be_shown, sections_over_ssh
from farmtui.config.parsing import GIVEN_TWICE, FileError, Problem, read_mapping, read_text, shown, validated
from farmtui.config.places import duplicate_keys, line_of, shown_key
from farmtui.config.whole import Config
from farmtui.farm.mistake import Mistake
from farmtui.secrets import REDACTED

LIKE: Final = "config.example.yaml"
_PLACED: Final = re.compile(r"(?:(\d+): )?(.*)", re.DOTALL)
_KEYED: Final = re.compile(r"(\s*(?:- +)*)([^\s:#'\"{\[-][^:#'\"{\[]*?)(\s*:)(\s+.*|)")
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9_./:+*-]{1,24}")


Stamp = tuple[int, int, int]
"""Changes when a file is written, or another takes its place."""


def stamp(path: Path) -> Stamp | None:
    """A file's stamp; None where there is none to be had. May block."""
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_ino, told.st_mtime_ns, told.st_size


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A config, and what is wrong in its file. Without mistakes it is the file; else what is right in it."""

    config: Config
    mistakes: tuple[Mistake, ...] = ()
    readable: bool = True
    """False: nothing of the file could be read."""
    stamp: Stamp | None = None
    """Of the file, as it was before it was read."""


Check = Callable[[Config], Sequence[tuple[Keys, str]]]
"""Finds, in a config that is right by itself, what does not fit elsewhere: keys with what is wrong with them."""


def salvage_file(path: Path, check: Check = lambda _: ()) -> Salvaged:
    """What is right in a file; never raises. Reads it: not for the event loop."""
    before = stamp(path)
    try:
        text = read_text(path)
    except FileError as error:
        return replace(_unreadable(path, "", error), stamp=before)
    found = salvage(text, path)
    further = check(found.config)
    return replace(salvage(text, path, further) if further else found, stamp=before)


def salvage(text: str, path: Path, further: Iterable[tuple[Keys, str]] = ()) -> Salvaged:
    """What is right in a config's text; never raises. `path` is named, and what is relative is relative to it.

    `further` are mistakes that a Check has found.
    """
    try:
        root, data = read_mapping(text, path, LIKE)
        return _Work(text, path, root, data).done(tuple(further))
    except FileError as error:
        return _unreadable(path, text, error)


def _unreadable(path: Path, text: str, error: FileError) -> Salvaged:
    placed = _PLACED.fullmatch(str(error).removeprefix(f"{path}:").lstrip())
    line, what = (int(placed[1] or 0), placed[2]) if placed else (0, str(error))
    mistake = Mistake(str(path), line, "", what, _line(text, line), "the whole file", limits=True)
    return Salvaged(Config(), (mistake,), readable=False)


class _Work:
    """The file's data, out of which what is wrong is taken until the rest is right."""

    def __init__(self, text: str, path: Path, root: yaml.Node | None, data: dict[Any, Any]) -> None:
        self._text, self._path, self._root = text, path, root
        self._data = data
        self._mistakes: list[Mistake] = []
        self._gone: list[Keys] = []
        """What was taken out, by the keys that it has in the file."""
        self._because: dict[Keys, int] = {}
        """Which mistake each went because of."""

    def done(self, further: Sequence[tuple[Keys, str]]) -> Salvaged:
        """Take out what is wrong, round by round: what the sections must agree on is seen when each is right."""
        for keys, line in duplicate_keys(self._root):
            # YAML takes the last one; which was meant nobody knows.
            self._note(keys, GIVEN_TWICE, "all but the last", cost_of(Problem(keys, "twice", ""))[1], line=line)
        self._data = copy.deepcopy(self._data)
        for keys, what in further:
            self._note(keys, what, shown(keys), limits=False)
        self._remove({there for keys, _ in further if (there := _there(self._data, keys))})
        first = True
        while isinstance(found := validated(self._data, self._path, Config), list):
            self._remove({path for problem in found for path in self._judged(problem, first=first)})
            first = False
        return Salvaged(found, tuple(sorted(self._mistakes, key=lambda mistake: (mistake.line, mistake.key))))

    def _judged(self, problem: Problem, *, first: bool) -> Iterator[Keys]:
        """Note a problem, and give what has to go because of it."""
        goes, limits = cost_of(problem)
        there = _there(self._data, goes)
        keys, left_out = self._in_file(problem.keys), self._in_file(there)
        cause = None if first else self._cause(replace(problem, keys=keys))
        if cause is None:
            cause = len(self._mistakes)
            lost = shown(left_out) if there else "the whole file"
            line = line_of(self._root, keys or goes)
            known = problem.kind != "extra_forbidden"
            self._note(keys, problem.what, lost, limits or not there, line=line, known=known)
        else:
            self._lost_too(cause, shown(left_out))
        self._because.setdefault(left_out, cause)
        yield from [there] if there else [(name,) for name in self._data]
        if there[:1] == ("ssh",) and limits:
            for section in sections_over_ssh(self._data):
                self._lost_too(cause, section)
                yield (section,)

    def _cause(self, problem: Problem) -> int | None:
        """The mistake because of which something was taken out, without which there would be no problem."""
        if problem.kind == "missing":
            return self._because.get(problem.keys)
        words = set(re.findall(r"[a-z]+", problem.what))
        for gone, cause in self._because.items():
            if gone[: len(problem.keys)] == problem.keys and (problem.keys or str(gone[0]) in words):
                return cause
        return None

    def _lost_too(self, cause: int, lost: str) -> None:
        """A mistake has cost more than its own key."""
        mistake = self._mistakes[cause]
        if lost not in mistake.left_out.split(", "):
            # Of a section that goes as a whole, what went before is a part.
            wider = mistake.left_out.startswith(f"{lost}.")
            left_out = lost if wider else f"{mistake.left_out}, {lost}"
            self._mistakes[cause] = replace(mistake, left_out=left_out)

    def _note(self, keys: Keys, what: str, left_out: str, limits: bool, *, line: int = 0, known: bool = True) -> None:
        line = line or line_of(self._root, keys)
        text = _line(self._text, line, safe=known and may_be_shown(keys))
        self._mistakes.append(Mistake(str(self._path), line, shown(keys), what, text, left_out, limits))

    def _in_file(self, keys: Keys) -> Keys:
        """Where in the file something is: items that were taken out of a list have moved those behind them."""
        found: Keys = ()
        for part in keys:
            if isinstance(part, int):
                for gone in sorted(gone[-1] for gone in self._gone if gone[:-1] == found and isinstance(gone[-1], int)):
                    part += gone <= part
            found = (*found, part)
        return found

    def _remove(self, paths: set[Keys]) -> None:
        """Take these out, the last items of lists first."""
        within = {path for path in paths if not any(path[:depth] in paths for depth in range(1, len(path)))}
        self._gone += [self._in_file(path) for path in within]
        for path in sorted(
            within, key=lambda path: [(isinstance(p, int), str(p).zfill(9)) for p in path], reverse=True
        ):
            *way, last = path
            holder: Any = self._data
            for part in way:
                holder = holder[_key(holder, part)]
            del holder[_key(holder, last)]


def _key(holder: Any, part: str | int) -> Any:
    """The key that an error calls `part`; _NONE where there is none, for null is a key, too."""
    if isinstance(holder, dict):
        return next((key for key in holder if str(key) == str(part)), _NONE)
    return part if isinstance(holder, list) and isinstance(part, int) and part < len(holder) else _NONE


_NONE: Final = object()


def _there(data: Any, keys: Keys) -> Keys:
    """The deepest part of `keys` that is there."""
    for depth, part in enumerate(keys):
        key = _key(data, part)
        if key is _NONE:
            return keys[:depth]
        data = data[key]
    return keys


def _line(text: str, line: int, *, safe: bool = False) -> str:
    """A line as it may be shown: its key, and its value only where it is `safe` and looks like no secret."""
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return ""
    found = _KEYED.fullmatch(lines[line - 1])
    if found is None:
        return REDACTED if lines[line - 1].strip() else ""
    indent, key, colon, rest = found.groups()
    value = rest.partition(" #")[0].strip()
    told = value if not value or (safe and _PLAIN_VALUE.fullmatch(value)) else REDACTED
    return f"{indent}{shown_key(key)}{colon} {told}".rstrip()
