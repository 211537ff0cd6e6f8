"""Where somebody was, kept for when they come back: a connection that drops costs no place, no filter and no sort.

A small file for each farm and user, written as a whole or not at all; of two consoles the last one's is kept. There is
nothing in it but names of screens and things, filters and orders.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from platformdirs import user_state_path

from farmtui.farm.text import clean_text
from screens.console import SCREENS
from screens.places import Place, Subject

VERSION: Final = 1
YOUNG: Final = timedelta(hours=12)
"""What is older is another day's work."""
PLACES: Final = 20
"""Places of the history that are kept, the newest."""
LIMIT_BYTES: Final = 200_000
TEXT: Final = 500
"""Characters of a name or a filter; what is longer is none of ours."""


@dataclass(frozen=True, slots=True)
class Session:
    """Where somebody was."""

    places: tuple[Place, ...] = ()
    """The history, the oldest first; the last one is where they were."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """By screen."""
    sorts: Mapping[str, Mapping[str, tuple[str, bool]]] = field(default_factory=dict)
    """By screen, then by table: the column, and whether it descends."""
    faults_only: bool = False
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By screen, then by table: the text of the key that the cursor was put on."""


class SessionError(Exception):
    """A file that is none of ours, or no more; the text says what is wrong with it."""


def session_file(config: Path) -> Path:
    """The file for the farm whose config this is."""
    digest = hashlib.sha256(str(config.resolve()).encode()).hexdigest()[:16]
    return user_state_path("farmtui") / "sessions" / f"{digest}.json"


def keep(path: Path, session: Session, now: datetime) -> None:
    """Write it down, as a whole or not at all. Raises OSError; may block."""
    write_whole(path, json.dumps({"version": VERSION, "at": now.isoformat(), **asdict(session)}))


def write_whole(path: Path, text: str) -> None:
    """Write a file of the state folder, as a whole or not at all. Raises OSError; may block."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Readable by its owner alone, whatever the umask says.
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def kept(path: Path, now: datetime) -> tuple[Session, datetime] | None:
    """What was written down, and when; None where nothing was, or it is old. Raises SessionError; may block."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise SessionError("is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SessionError(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise SessionError("is no JSON") from None
    try:
        if found["version"] != VERSION:
            raise SessionError("is of another version of farmtui")
        at = datetime.fromisoformat(found["at"]).astimezone(UTC)
        session = _session(found)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise SessionError("does not say where somebody was") from None
    # A clock that was set back makes no session younger than none.
    return (session, at) if timedelta() <= now - at < YOUNG else None


def _session(found: Mapping[str, Any]) -> Session:
    """What is valid in it: a screen that there is no more, or a thing without a name, is left out."""
    known = {entry.name for entry in SCREENS}
    places = [place_from(place) for place in found["places"][-PLACES:] if place["screen"] in known]
    sorts = {
        screen: {text_from(table): (text_from(column), bool(down)) for table, (column, down) in tables.items()}
        for screen, tables in found["sorts"].items()
        if screen in known
    }
    filters = {screen: text_from(text) for screen, text in found["filters"].items() if screen in known}
    rows = {
        screen: {text_from(table): text_from(key) for table, key in tables.items()}
        for screen, tables in found.get("rows", {}).items()
        if screen in known
    }
    return Session(tuple(places), filters, sorts, bool(found["faults_only"]), rows)


def place_from(place: Mapping[str, Any]) -> Place:
    """A place as it was written. Raises KeyError, TypeError, ValueError."""
    trail = [Subject(*(text_from(subject[name]) for name in ("kind", "key", "title"))) for subject in place["trail"]]
    return Place(place["screen"], tuple(trail))


def text_from(value: Any) -> str:
    """A text as it was written, cleaned. Raises ValueError where it is none, or too long."""
    if not isinstance(value, str) or len(value) > TEXT:
        raise ValueError(value)
    return clean_text(value)
