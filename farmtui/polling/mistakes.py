"""Our own mistakes, in words that hold no secret."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from farmtui.secrets import redact


def place_of(error: BaseException) -> str:
    """An exception's class and place: `KeyError at view.py:120`. Its text is left out: it may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def trace_of(error: BaseException) -> str:
    """The whole traceback for the log, with every secret that this process knows taken out."""
    return redact("".join(traceback.format_exception(error)).rstrip())
