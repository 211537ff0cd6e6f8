"""What journalctl and docker print, as lines. Bytes that are no such line give None."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from farmtui.tail.line import INFO, LogLine, lines_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_LONG: Final = "(a message of more than 4 kB, which is not sent; on the machine: journalctl --all shows it)"
_OF_SERVICE: Final = re.compile(
    rb"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?P<source>\S+?)\s*\| ?(?P<text>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One entry: its lines, and where it stands, so that what follows it can be asked for."""

    lines: tuple[LogLine, ...]
    cursor: str


def journal_entry(raw: bytes) -> Decoded | None:
    """An entry as `journalctl -o json` prints it."""
    if not raw.startswith(b"{"):
        # `-- No entries --`, `-- Boot ... --`.
        return None
    try:
        entry = json.loads(raw)
        at = _EPOCH + timedelta(microseconds=int(entry["__REALTIME_TIMESTAMP"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    priority = _text(entry.get("PRIORITY"))
    pid = _text(entry.get("_PID"))
    source = _text(entry.get("SYSLOG_IDENTIFIER")) or "?"
    unit = _text(entry.get("_SYSTEMD_UNIT"))
    message = _text(entry["MESSAGE"]) if entry.get("MESSAGE", "") is not None else _TOO_LONG
    lines = lines_of(
        at, f"{source}[{pid}]" if pid else source, message, int(priority) if priority in set("01234567") else INFO, unit
    )
    return Decoded(tuple(lines), _text(entry.get("__CURSOR")))


def _text(value: Any) -> str:
    """A field's text: bytes that are not printable come as numbers, what is given several times as a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        if all(isinstance(part, int) and 0 <= part < 256 for part in value):
            return bytes(value).decode("utf-8", "replace")
        return " ".join(_text(part) for part in value[:20])
    return ""


def service_entry(raw: bytes) -> Decoded | None:
    """A line as `docker service logs --timestamps` prints it: `TIME SERVICE.SLOT.TASK@NODE    | TEXT`."""
    found = _OF_SERVICE.fullmatch(raw.rstrip(b"\r"))
    if found is None:
        return None
    stamp = found["at"].decode()
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    try:
        at = datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00" if stamp.endswith("Z") else stamp)
    except ValueError:
        return None
    task, _, node = found["source"].decode("utf-8", "replace").partition("@")
    # Nobody knows the letters of a task's id, or of the node's in a global service's task, by heart.
    name = re.sub(r"(\.[0-9a-z]{12,25}){1,2}$", "", task)
    text = found["text"].decode("utf-8", "replace")
    return Decoded(tuple(lines_of(at.astimezone(UTC), f"{name}@{node}" if node else name, text)), stamp)
