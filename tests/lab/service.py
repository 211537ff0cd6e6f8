"""A lab of real services on one machine: each a module of `services`, with what it gives the console's config."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, TypeVar, cast

import yaml

from farmtui.sources.prometheus.catalogue import catalogue
from tests.lab.ledger import Ledger

S = TypeVar("S", bound="Service")


class Lab:
    """One lab: its folder, the ledger of what it has started, and what its Prometheus is to scrape.

    Used as a context manager it ends all that it has started, whatever the tests have done, and removes the folder.
    The path is short: sockets below it must fit into 108 characters.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="farmtui-lab-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        # Daemons that run as users of their own must reach their folders below it.
        self.folder.chmod(0o755)
        self.ledger = Ledger(self.folder / "ledger.jsonl")
        self.targets = self.folder / "targets"
        self.targets.mkdir(exist_ok=True)
        self._services: dict[type[Service], Service] = {}

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.ledger.undo()
        shutil.rmtree(self.folder, ignore_errors=True)

    def service(self, kind: type[S]) -> S:
        """The lab's one service of this kind, started when it is first asked for.

        A service asks for those that it needs in its own `start`.
        """
        if kind not in self._services:
            service = kind(self)
            service.start()
            # Written down when it runs: what it needs stands before it, and is stopped after it.
            self._services[kind] = service
        return cast("S", self._services[kind])

    @property
    def services(self) -> tuple[Service, ...]:
        """All that were started by `service`, in that order."""
        return tuple(self._services.values())

    def stop(self) -> None:
        """Stop every service, the newest first."""
        while self._services:
            self._services.popitem()[1].stop()

    def scrape(self, job: str, instances: Mapping[str, str], owner: str = "") -> None:
        """Have Prometheus scrape a job: machine name by instance (`127.0.1.11:9131`). It sees the file by itself.

        Services that have targets of the same job say who they are: `owner`.
        """
        entries = [{"targets": [at], "labels": {"job": job, "node": name}} for at, name in instances.items()]
        self._write(f"{job}-{owner}" if owner else job, entries)

    def probe(self, job: str, exporter: str, target: str, module: str = "tcp_connect", owner: str = "") -> None:
        """Have Prometheus probe an address through a blackbox exporter, and call it by that address."""
        labels = {
            "job": job,
            "instance": target,
            "__metrics_path__": "/probe",
            "__param_module": module,
            "__param_target": target,
        }
        self._write(f"{job}-{owner}" if owner else job, [{"targets": [exporter], "labels": labels}])

    def _write(self, name: str, entries: list[dict[str, Any]]) -> None:
        path = self.targets / f"{name}.json"
        # Renamed into place: Prometheus may read at any moment.
        path.with_suffix(".new").write_text(json.dumps(entries), encoding="utf-8")
        path.with_suffix(".new").replace(path)

    def unscrape(self, job: str, owner: str = "") -> None:
        """Have Prometheus forget a job, or what one owner has of it."""
        self.scrape(job, {}, owner)


class Service:
    """One upstream of the console: started in its own folder, ready when `start` returns, left as found by `stop`."""

    name: ClassVar[str]
    """The folder below the lab's, and the fixture's name."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.folder = lab.folder / self.name
        self.folder.mkdir(exist_ok=True)

    def start(self) -> None:
        """Start all of it and wait until it is really ready."""
        raise NotImplementedError

    def stop(self) -> None:
        """End exactly what was started."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Its part of the console's config."""
        return {}


def quick_queries(windows: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Queries of the catalogue with other windows (`{"ceph.x": {"2m": "10s"}}`), for a lab that is scraped each second.

    What a farm sees within minutes is seen within seconds, and is over as soon.
    """
    queries = {}
    for name, shorter in windows.items():
        promql = catalogue().figures[name].promql
        for window, short in shorter.items():
            promql = re.sub(rf"\b{window}\b", short, promql)
        queries[name] = promql
    return queries


def console_config(
    services: Iterable[Service], path: Path, sections: Mapping[str, Mapping[str, Any]] | None = None
) -> Path:
    """The console's config over these services, as a file: sections are joined, lists put behind each other.

    `sections` are laid over the result: their values replace those of the services.
    """
    merged: dict[str, Any] = {"farm": {"name": "lab"}}
    for service in services:
        _merge(merged, service.config())
    for name, section in (sections or {}).items():
        merged[name] = {**merged.get(name, {}), **section}
    path.write_text(yaml.safe_dump(merged, sort_keys=False), encoding="utf-8")
    return path


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        match into.get(key), value:
            case dict() as have, dict():
                _merge(have, value)
            case list() as have, list():
                into[key] = [*have, *value]
            case _:
                into[key] = value
