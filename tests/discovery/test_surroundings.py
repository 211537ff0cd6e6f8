"""What this machine tells by itself, and a server that wants a login."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from farmtui.config import load_config
from farmtui.discovery.surroundings import look_round
from tests.cli.test_check import prometheus
from tests.discovery.test_init_farm import BARE
from tests.terminal.pty_harness import PtySession

USER, PASSWORD = "farmtui", "hunter2hunter2"


async def test_the_environment_comes_first_and_no_login_in_it_is_shown(tmp_path: Path) -> None:
    found = await look_round(
        {"PROMETHEUS_URL": f"http://{USER}:{PASSWORD}@prom.example:9090/p", "DIGITALOCEAN_TOKEN": PASSWORD}, tmp_path
    )
    assert found.prometheus == "http://prom.example:9090/p"
    assert found.prometheus_from == "$PROMETHEUS_URL"
    assert found.token is not None
    assert found.token.reference == "env:DIGITALOCEAN_TOKEN"
    assert PASSWORD not in repr(found)


@contextmanager
def guarded() -> Iterator[str]:
    """A Prometheus that lets in who knows the password; gives its address."""
    wanted = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = prometheus(parts.path, parameters)
            if self.headers.get("Authorization") != wanted:
                status, body = 401, b"who are you?"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def test_a_login_that_is_wanted_is_asked_for_and_kept_in_a_file(tmp_path: Path) -> None:
    environment = {**BARE, "HOME": str(tmp_path)}
    output = tmp_path / "out/farm.yaml"
    command = ["-m", "farmtui", "init", "--no-do", "--output", str(output)]
    with guarded() as url, PtySession(command, columns=100, lines=50, environment=environment) as one:

        def answer(question: str, text: str) -> None:
            one.wait_for(lambda: question in one.text.rstrip().rpartition("\n?")[2])
            one.send(f"{text}\r")

        answer("The farm's name", "")
        answer("Prometheus's address", url)
        one.wait_for("our login is not accepted")
        answer("It wants a login", USER)
        answer("Password", "wrong-wrong-wrong")
        answer("Prometheus's address", "")
        one.wait_for(lambda: one.text.count("our login is not accepted") == 2)
        answer("It wants a login", USER)
        answer("Password", PASSWORD)
        answer("Prometheus's address", "")
        one.wait_for("alerting rules")
        answer("Alertmanager, every replica", "-")
        answer("Proxmox VE's API hosts", "")
        answer("How many sites", "")
        answer("Write", "")
        one.finish()
        assert PASSWORD.encode() not in one.raw
    config = load_config(output)
    assert config.prometheus is not None
    assert config.prometheus.auth.username == USER
    assert config.prometheus.auth.password == f"file:{output.parent / 'prometheus-password'}"
    assert (output.parent / "prometheus-password").read_text() == f"{PASSWORD}\n"
    assert PASSWORD not in output.read_text()
    assert config.farm.sites is None
