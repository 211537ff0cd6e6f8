"""Times as the upstreams print and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def rfc3339(at: float, digits: int = 3) -> str:
    """Unix seconds as `2026-11-23T08:50:36.510Z`, with so many digits of a second."""
    whole = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{at % 1:.{digits}f}"[1:] if digits else ""
    return f"{whole}{'.' + '9' * digits if fraction.startswith('.') is False and digits else fraction}Z"


def parse_rfc3339(text: str) -> float:
    """RFC 3339 as Unix seconds. Raises ValueError."""
    found = _RFC3339.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time")
    day, time, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in 'Zz' else zone}")
    return moment.timestamp() + float(fraction or 0)
