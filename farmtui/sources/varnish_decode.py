"""`varnishadm backend.list -j` as backends: clean, bounded, and never more certain than Varnish is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from farmtui.farm.reading import FailureKind
from farmtui.farm.text import clean_text
from farmtui.farm.varnish import VarnishBackend
from farmtui.sources.errors import SourceError, bad_answer, safe_words

BACKENDS_MAX: Final = 2_000
_NAME: Final = 120


def backends(body: bytes) -> tuple[VarnishBackend, ...]:
    """The backends of the active VCL, by name; directors are left out, since they are as well as their backends.

    Raises SourceError where it is no such list.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_answer("varnishadm's answer is not JSON (Varnish 6.0.3 or later gives it)") from None
    listed = answer[3] if isinstance(answer, list) and len(answer) > 3 else None
    if not isinstance(listed, dict):
        raise bad_answer("varnishadm's answer is no list of backends")
    found = []
    for name, raw in list(listed.items())[:BACKENDS_MAX]:
        if isinstance(raw, dict) and raw.get("type", "backend") == "backend":
            found.append(_backend(name, raw))
    return tuple(sorted(found, key=lambda backend: backend.name))


def _backend(name: str, raw: dict[str, Any]) -> VarnishBackend:
    message = raw.get("probe_message")
    numbers = message if isinstance(message, list) and len(message) >= 3 else [None, None, ""]
    good, window = _count(numbers[0]), _count(numbers[1])
    admin = clean_text(str(raw.get("admin_health", "")), limit=_NAME)
    said = numbers[2] if isinstance(numbers[2], str) else ""
    healthy: bool | None = None
    if admin == "sick":
        healthy = False
    elif window:
        healthy = said == "healthy" if said in ("healthy", "sick") else None
        if admin == "healthy":
            # An operator has set it so, whatever the probe says.
            healthy = True
    return VarnishBackend(
        name=clean_text(name.partition(".")[2] or name, limit=_NAME),
        admin=admin,
        healthy=healthy,
        good=good if window else None,
        window=window or None,
        since=_time(raw.get("last_change")),
    )


def refused(said: str) -> SourceError:
    """Why varnishadm gave nothing, in words."""
    text = said.casefold()
    if "permission denied" in text or "sudo:" in text or "could not open" in text:
        return SourceError(
            FailureKind.FORBIDDEN,
            f"varnishadm may not be run there: {safe_words(said)}",
            "put the user into group varnish there, or set varnish.sudo and allow `varnishadm` in sudoers",
        )
    if "no -t" in text or "no instance" in text or "could not get hold" in text or "connection failed" in text:
        return SourceError(FailureKind.UNREACHABLE, "varnishd does not run there", "start it: systemctl start varnish")
    if "child is not running" in text or "child not running" in text:
        return SourceError(
            FailureKind.SERVER, "varnishd runs there, its child does not", "see why: varnishadm panic.show"
        )
    return SourceError(
        FailureKind.SERVER, f"varnishadm fails: {safe_words(said) or 'it says nothing'}", "try it there by hand"
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000_000 else None


def _time(value: Any) -> datetime | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e11:
        return None
    return datetime.fromtimestamp(value, UTC)
