"""Exporters that replay what real daemons printed, with counters that go on counting; and their history before now."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = Path(__file__).with_name("data")
_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?P<labels>\{.*\})? (?P<value>\S+)$")


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of an exposition."""

    name: str
    labels: str
    """As printed, with braces; empty when there are none."""
    value: float


def samples(text: str) -> Iterator[Sample]:
    """The samples of an exposition text, comments left out."""
    for line in text.splitlines():
        found = _SAMPLE.match(line)
        if found:
            yield Sample(found["name"], found["labels"] or "", float(found["value"]))


@dataclass
class Replay:
    """A daemon's metrics as a function of time.

    `rates` are per second, by metric name or `name{labels}`: what Prometheus should find with `rate()`. `overrides`
    are values by the same keys, and may be changed while it serves; None takes the series away.
    """

    recording: str
    rates: Mapping[str, float]
    began: float
    """Unix seconds at which the counters stood where the recording has them."""
    overrides: dict[str, float | None] = field(default_factory=dict)
    label: str = ""
    """A replacement for `vm`, the host name that the recordings were made on."""

    def at(self, now: float) -> Iterator[Sample]:
        """The samples at a time, Unix seconds."""
        for sample in samples((DATA / f"{self.recording}.txt").read_text(encoding="utf-8")):
            full = f"{sample.name}{sample.labels}"
            value: float | None = sample.value
            rate = self.rates.get(full, self.rates.get(sample.name))
            if rate is not None:
                value = sample.value + rate * max(0.0, now - self.began)
            if full in self.overrides or sample.name in self.overrides:
                value = self.overrides.get(full, self.overrides.get(sample.name))
            if value is not None:
                labels = sample.labels.replace('="vm"', f'="{self.label}"') if self.label else sample.labels
                yield Sample(sample.name, labels, value)

    def text(self, now: float) -> str:
        """The exposition at a time."""
        return "".join(f"{sample.name}{sample.labels} {sample.value!r}\n" for sample in self.at(now))

    def history(self, times: list[float], target: Mapping[str, str]) -> Iterator[str]:
        """OpenMetrics lines for `promtool tsdb create-blocks-from openmetrics`, a series at a time."""
        extra = ",".join(f'{name}="{value}"' for name, value in target.items())
        series: dict[tuple[str, str], list[str]] = {}
        for moment in times:
            for sample in self.at(moment):
                inner = sample.labels[1:-1] if sample.labels else ""
                labels = "{" + ",".join(filter(None, (inner, extra))) + "}"
                series.setdefault((sample.name, labels), []).append(f"{sample.value!r} {moment:.0f}")
        named: dict[str, list[str]] = {}
        for (name, labels), points in series.items():
            named.setdefault(name, []).extend(f"{name}{labels} {point}" for point in points)
        for name, lines in named.items():
            yield f"# TYPE {name} unknown"
            yield from lines


class Exporter:
    """Serves a Replay on a loopback address, each request as of its own moment."""

    def __init__(self, replay: Replay, host: str = "127.0.0.1") -> None:

        self.replay = replay
        self.up = True

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805 - the name that http.server calls
                if not self.up:
                    handler.send_error(503)
                    return
                body = replay.text(time.time()).encode()
                handler.send_response(200)
                handler.send_header("Content-Type", "text/plain; version=0.0.4")
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, format: str, *args: object) -> None:  # noqa: A002, N805 - its signature
                """Quiet: the test's own output is what matters."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def instance(self) -> str:
        """The instance label: `host:port`."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Stop serving: the exporter is gone."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
