"""Visitors: a steady few requests a second, for an hour at most and to loopback only.

python -m tests.lab.visitors PER_S URL ...     asks each URL in turn; `URL#HOST` asks it of that host
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import sys
import time
from urllib.parse import urlsplit

LONGEST_S = 3600.0
"""It ends by itself if nobody ends it."""


def main(per_s: str, *urls: str) -> int:
    """Ask on and on; what the answer is does not matter."""
    places = [urlsplit(url) for url in urls]
    if any(place.hostname is None or not place.hostname.startswith("127.") for place in places):
        print("loopback only", file=sys.stderr)
        return 2
    until = time.monotonic() + LONGEST_S
    due = time.monotonic()
    for place in itertools.cycle(places):
        if time.monotonic() > until:
            return 0
        assert place.hostname is not None
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(place.hostname, place.port or 80, timeout=2)
            path = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
            connection.request("GET", path, headers={"Host": place.fragment or place.netloc})
            connection.getresponse().read()
            connection.close()
        due += 1.0 / float(per_s)
        time.sleep(max(0.0, due - time.monotonic()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
