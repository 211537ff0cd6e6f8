"""Logging: to a file in the user's state folder, without secrets and control characters; never to the screen."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import threading
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from farmtui.farm.text import visible
from farmtui.secrets import redact

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(process)d]: %(message)s"
SIZE_MAX_BYTES = 2_000_000
KEPT = 3

_log = logging.getLogger("farmtui")


def log_file() -> Path:
    """Where the log is: `farmtui.log` in the user's state folder ($XDG_STATE_HOME)."""
    from platformdirs import user_state_path

    return user_state_path("farmtui") / "farmtui.log"


def to_file(path: Path | None = None) -> str:
    """Send all logging of this process, and what nobody has caught, to a file that only its owner reads.

    `path` defaults to `log_file()`. Gives an empty text, or why there will be no log: that is no reason not to start.
    """
    path = path or log_file()
    notice = ""
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = _OwnersFile(path, maxBytes=SIZE_MAX_BYTES, backupCount=KEPT, encoding="utf-8", errors="replace")
    except OSError as error:
        handler = logging.NullHandler()
        notice = f"no log is written: {path}: {error.strerror}"
    handler.setFormatter(SafeFormatter(FORMAT))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    _log.setLevel(logging.INFO)
    # A log that cannot be written any more (a full disk) must not be reported on the screen that is the console's.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable
    return notice


class SafeFormatter(logging.Formatter):
    """A record as text, its traceback included, without secrets and without what acts on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line or lines; further lines are indented, so that no message can pass for another record."""
        return visible(redact(super().format(record)), multiline=True).replace("\n", "\n    ")


class _OwnersFile(logging.handlers.RotatingFileHandler):
    """Rotates by size. Created for its owner alone: host names and addresses are nobody else's business."""

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        return super()._open()


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        _uncaught(f"thread {args.thread.name if args.thread else '?'}", args.exc_value, args.exc_traceback)


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:
        _uncaught(args.err_msg or "an exception that could not be raised", args.exc_value, args.exc_traceback)


def _uncaught(where: str, error: BaseException, trace: TracebackType | None) -> None:
    _log.error("uncaught: %s", where, exc_info=(type(error), error, trace))
