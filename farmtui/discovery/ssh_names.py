"""Which hosts ssh knows on this machine: those of ssh_config by name, and those whose keys are in known_hosts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from farmtui.farm.text import clean_text

LIMIT_BYTES = 4_000_000
_EQUALS = re.compile(r"^(\s*\w+)\s*=\s*")
"""`Port=22` and `Port = 22` are `Port 22`."""
_DEEPEST = 8
"""How far files may include each other."""


@dataclass(frozen=True, slots=True)
class SshNames:
    """What ssh's files name."""

    files: tuple[str, ...] = ()
    """The ssh_config files that were read."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """The HostName (or the name itself) by each name without a wildcard, in the files' order."""
    jumps: int = 0
    """How many of them go through a jump host."""
    wildcards: int = 0
    known: frozenset[str] = frozenset()
    """Names and addresses in known_hosts, in lower case."""
    hashed: int = 0
    """Lines of known_hosts whose names are hashed: they cannot be listed."""

    def name_of(self, names: Iterable[str], addresses: Iterable[str]) -> str:
        """The name by which ssh knows a machine of these names and addresses; empty where it does not.

        ssh_config first, by name and then by address, then known_hosts.
        """
        spoken = [name for name in names if name]
        numbers = list(addresses)
        by_case = {alias.casefold(): alias for alias in self.hosts}
        for name in spoken:
            for form in (name.casefold(), name.casefold().partition(".")[0]):
                if form in by_case:
                    return by_case[form]
        for alias, host in self.hosts.items():
            if host in numbers or host.casefold() in {name.casefold() for name in spoken}:
                return alias
        return next((name for name in [*spoken, *numbers] if name.casefold() in self.known), "")


def ssh_names(config_files: Sequence[Path], known_hosts: Sequence[Path], folder: Path) -> SshNames:
    """What these files name; those that are not there or cannot be read name nothing. Relative Includes are below
    `folder` (~/.ssh). Reads files: not for the event loop."""
    hosts: dict[str, str] = {}
    jumping: set[str] = set()
    wildcards = 0
    read: list[str] = []
    for path in config_files:
        names: list[str] = []
        if path.is_file():
            read.append(str(path))
        for key, words in _lines(path, folder):
            if key == "host":
                plain = [word for word in words if not set(word) & set("*?!")]
                wildcards += len(words) - len(plain)
                names = [name for word in plain if (name := clean_text(word, limit=255)) and name == word]
                for name in names:
                    hosts.setdefault(name, name)
            elif key == "match":
                names = []
            elif key == "hostname" and words:
                for name in names:
                    if hosts[name] == name:
                        hosts[name] = words[0].replace("%h", name)
            elif key in ("proxyjump", "proxycommand") and words and words[0].lower() != "none":
                jumping.update(names)
    known, hashed = _known(known_hosts)
    return SshNames(tuple(read), hosts, len(jumping), wildcards, known, hashed)


def _lines(path: Path, folder: Path, depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Each line as its keyword in lower case and its words; included files in their place."""
    for line in _text(path).splitlines():
        try:
            words = shlex.split(_EQUALS.sub(r"\1 ", line), comments=True)
        except ValueError:
            continue
        if not words:
            continue
        key, rest = words[0].casefold(), words[1:]
        if key != "include":
            yield key, rest
            continue
        for pattern in rest if depth < _DEEPEST else ():
            for found in _included(pattern, folder):
                yield from _lines(found, folder, depth + 1)


def _included(pattern: str, folder: Path) -> list[Path]:
    try:
        wanted = Path(pattern).expanduser()
        base = Path(wanted.anchor) if wanted.is_absolute() else folder
        return sorted(base.glob(str(wanted.relative_to(wanted.anchor) if wanted.is_absolute() else wanted)))
    except (OSError, ValueError, RuntimeError, NotImplementedError):
        return []


def _known(files: Sequence[Path]) -> tuple[frozenset[str], int]:
    found: set[str] = set()
    hashed = 0
    for path in files:
        for line in _text(path).splitlines():
            words = line.split()
            if not words or words[0].startswith("#") or words[0] == "@revoked":
                continue
            names = words[1] if words[0].startswith("@") and len(words) > 1 else words[0]
            if names.startswith("|"):
                hashed += 1
                continue
            for name in names.split(","):
                # [host]:port, and patterns, which name no host.
                plain = name.removeprefix("[").partition("]")[0] if name.startswith("[") else name
                if plain and not set(plain) & set("*?!"):
                    found.add(plain.casefold())
    return frozenset(found), hashed


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LIMIT_BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
