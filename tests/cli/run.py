"""Runs `farmtui` as a user does: in a process of its own, in a folder and a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def farmtui(
    *arguments: str | Path, home: Path, environ: Mapping[str, str] | None = None, python: tuple[str, ...] = ()
) -> Ended:
    """Run it with no terminal, `home` as the home and working folder, and options of Python's own in `python`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FARMTUI", "XDG", "NO_COLOR"))}
    done = subprocess.run(
        [sys.executable, *python, "-m", "farmtui", *map(str, arguments)],
        cwd=home,
        env={**kept, "HOME": str(home), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
