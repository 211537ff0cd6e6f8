"""Writing the config: validated before, in one piece, secrets in files of their own, what was there kept beside it."""

from __future__ import annotations

import difflib
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from farmtui.config import parse_config
from farmtui.secrets import REDACTED, is_reference, redact

OWN: Final = 0o600
"""For the user's eyes alone: a config tells where everything is, and how to log in."""

_SECRET_LINE: Final = re.compile(
    r"^([ +-]\s*(?:-\s*)?(?:token|token_secret|password|bearer|[\w-]*(?:-[\w-]+)+)\s*:\s*)(\S.*)$", re.IGNORECASE
)


class SavingError(Exception):
    """Nothing was written; the text says why."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written."""

    path: Path
    backup: Path | None
    """Where what was there before is kept."""
    secrets: tuple[Path, ...]
    difference: tuple[str, ...]
    """Between what was there and what is, with secrets blotted out; empty where nothing was there, or nothing
    differs."""
    changed: bool


def free_names(folder: Path, wanted: Sequence[str]) -> tuple[str, ...]:
    """Names for new files in a folder: those wanted, with a number where one is taken."""
    found: list[str] = []
    for name in wanted:
        number = 1
        while (folder / (free := name if number == 1 else f"{name}-{number}")).exists() or free in found:
            number += 1
        found.append(free)
    return tuple(found)


def save(path: Path, text: str, typed: Mapping[str, str], *, replace: bool, now: datetime) -> Saved:
    """Validate and write. `typed` are secrets by the name of their file beside the config.

    Raises SavingError where it cannot be written, or something is there and `replace` is not set, and ConfigError
    where the text is no config; in either case everything is as it was.
    """
    parse_config(text, path)
    before = _before(path)
    if before is not None and not replace:
        raise SavingError(f"{path} is there already; --force replaces it and keeps a backup")
    if before == text and not typed:
        return Saved(path, None, (), (), changed=False)
    written: list[Path] = []
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in typed.items():
            written.append(path.parent / name)
            _new(written[-1], f"{value}\n", OWN)
        backup = _backup(path, now) if before is not None else None
        mode = stat.S_IMODE(path.stat().st_mode) if before is not None else OWN
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        written.append(unfinished)
        _new(unfinished, text, mode)
        unfinished.replace(path)
    except OSError as error:
        _remove(written)
        raise SavingError(f"{error.filename or path} cannot be written: {error.strerror}") from None
    except BaseException:
        _remove(written)
        raise
    return Saved(path, backup, tuple(written[:-1]), _difference(before, text, path), changed=True)


def _before(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SavingError(f"{path} cannot be read: {error.strerror}") from None


def _new(path: Path, text: str, mode: int) -> None:
    """A new file, on disk before it is named by anything else; nobody else's eyes on it at any moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), mode)


def _backup(path: Path, now: datetime) -> Path:
    [name] = free_names(path.parent, [f"{path.name}.{now:%Y%m%d-%H%M%S}.bak"])
    backup = path.with_name(name)
    mode = stat.S_IMODE(path.stat().st_mode)
    with os.fdopen(os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN), "wb") as file:
        file.write(path.read_bytes())
        os.fchmod(file.fileno(), mode)
    return backup


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _difference(before: str | None, after: str, path: Path) -> tuple[str, ...]:
    if before is None:
        return ()
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{path} (before)", f"{path} (now)", lineterm="", n=1
    )
    return tuple(_blotted(line) for line in lines)


def _blotted(line: str) -> str:
    """A line of the difference without what may be a secret that somebody has pasted into the old file."""
    found = _SECRET_LINE.match(line)
    if found and not is_reference(found[2].strip("'\"")) and not found[2].startswith(("[", "{")):
        return f"{found[1]}{REDACTED}"
    return redact(line)
