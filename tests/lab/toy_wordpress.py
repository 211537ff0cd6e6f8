"""A toy WordPress: pages that may be cached, some that may not, big ones, failing ones, and a probe.

python -m tests.lab.toy_wordpress ADDRESS PORT
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SICK = "sick"
"""While this file is in its working folder it answers the probe with 503."""


class Pages(BaseHTTPRequestHandler):
    """`/ping` the probe, `/?size=N` a page of N bytes, `/fail` a 500, all else a small page."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a page."""
        parts = urlsplit(self.path)
        size = int(parse_qs(parts.query).get("size", ["500"])[0])
        status = 500 if parts.path == "/fail" else 200
        if parts.path == "/ping" and Path(SICK).exists():
            status = 503
        body = b"x" * min(size, 1_000_000)
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        """Quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Pages).serve_forever()
