"""A log's lines into a file that only its owner reads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from farmtui.farm.actions import ActionError
from farmtui.tail.line import LogLine


def folder() -> Path:
    """Where they are put: `saved-logs` in the user's state folder ($XDG_STATE_HOME)."""
    from platformdirs import user_state_path

    return user_state_path("farmtui") / "saved-logs"


def save(title: str, lines: Sequence[LogLine], into: Path | None = None) -> Path:
    """Write lines, redacted as they are shown, into a new file; gives its path. Raises ActionError. Blocking."""
    into = into or folder()
    name = re.sub(r"[^A-Za-z0-9._@-]+", "-", title).strip("-.") or "log"
    path = into / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.log"
    try:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{line.plain}\n" for line in lines)
    except OSError as error:
        raise ActionError(f"the log cannot be saved: {path}: {error.strerror}") from None
    return path
