"""A Prometheus and an Alertmanager on loopback, as small as the protocol allows, for commands in other processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, bytes]


@contextmanager
def serving(answer: Callable[[str, dict[str, str]], Answer]) -> Iterator[str]:
    """A server whose every request is answered by `answer(path, parameters)`; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = answer(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the parent's way of naming

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def told(data: object, status: str = "success", **further: str) -> Answer:
    """An answer in Prometheus' envelope."""
    code = 200 if status == "success" else 400
    return code, json.dumps({"status": status, "data": data, **further}).encode()


def vector(*series: tuple[dict[str, str], float], at: float) -> Answer:
    """An instant vector."""
    result = [{"metric": labels, "value": [at, str(value)]} for labels, value in series]
    return told({"resultType": "vector", "result": result})
