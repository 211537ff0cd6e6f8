"""Visitors: a steady few requests a second, for ten minutes at most and to loopback only.

python -m tests.lab.visitors URL HOST ...     asks URL for each host in turn
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import sys
import time
from urllib.parse import urlsplit

PER_S = 20.0
LONGEST_S = 3600.0
"""It ends by itself if nobody ends it."""


def main(url: str, *hosts: str) -> int:
    """Ask on and on; what the answer is does not matter."""
    parts = urlsplit(url)
    if parts.hostname is None or not parts.hostname.startswith("127."):
        print("loopback only", file=sys.stderr)
        return 2
    until = time.monotonic() + LONGEST_S
    for host in itertools.cycle(hosts):
        if time.monotonic() > until:
            return 0
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=2)
            connection.request("GET", parts.path, headers={"Host": host})
            connection.getresponse().read()
            connection.close()
        time.sleep(1.0 / PER_S)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
