"""A simulated farm on a clock that stands until it is told, and its servers asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from farmtui.config import Config, load_config
from farmtui.demo.config import write_config
from farmtui.demo.farm import Options, Running, build_world, running
from farmtui.demo.observed import Observed

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
"""A Monday, in the middle of the day."""


class Clock:
    """Unix seconds that pass when they are told to."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def moment(self) -> datetime:
        """The same as a datetime."""
        return datetime.fromtimestamp(self.at, UTC)


def observed(*faults: str, seed: int = 1, clock: Clock | None = None, nodes: int = 34, sites: int = 500) -> Observed:
    """A world and its monitoring, with no servers."""
    return Observed(build_world(Options(faults, seed, nodes, sites, clock=clock or Clock())))


def firing(farm: Observed) -> set[str]:
    """The names of the alerts that fire now."""
    return {alert.rule.name for alert in farm.alerts() if alert.state == "firing"}


class Site:
    """One server, asked over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def get(self, path: str, *parameters: tuple[str, str]) -> Any:
        """The JSON of an answer that must be 200."""
        status, body = await self.ask("GET", path, *parameters)
        assert status == 200, body
        return body

    async def ask(self, method: str, path: str, *parameters: tuple[str, str], json: object = None) -> tuple[int, Any]:
        """The status and the body: as JSON, or as text where it is none."""
        async with self._session.request(method, f"{self.url}{path}", params=parameters, json=json) as answer:
            if answer.content_type == "application/json":
                return answer.status, await answer.json()
            return answer.status, await answer.text()

    async def text(self, path: str, *parameters: tuple[str, str]) -> str:
        """An answer to the letter."""
        async with self._session.get(f"{self.url}{path}", params=parameters) as answer:
            return await answer.text()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        """The status and body of a POST."""
        return await self.ask("POST", path, json=body)


PATIENT_S = 60.0
"""A deadline that no working answer meets, however loaded the machine is."""


def patient(config: Config, *, but: Collection[str] = ()) -> Config:
    """The config with such deadlines where the simulated farm has short ones; sections of `but` keep theirs."""
    more: dict[str, Any] = {}
    if "proxmox" not in but:
        more["proxmox"] = [cluster.model_copy(update={"deadline_s": PATIENT_S}) for cluster in config.proxmox]
    for name in ("prometheus", "alertmanager", "digitalocean", "ceph", "swarm"):
        section = getattr(config, name)
        if section is not None and name not in but:
            more[name] = section.model_copy(update={"deadline_s": PATIENT_S})
    if config.backups is not None:
        stores = [
            store.model_copy(update={"deadline_s": PATIENT_S, "request_deadline_s": PATIENT_S})
            for store in config.backups.stores
        ]
        more["backups"] = config.backups.model_copy(update={"stores": stores})
    return config.model_copy(update=more)


class Stage:
    """A farm that serves."""

    def __init__(self, farm: Running, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.running = farm
        self.clock = clock
        self.prometheus = Site(session, farm.doors.prometheus)
        self.alertmanagers = [Site(session, url) for url in farm.doors.alertmanagers]

    def config(self, folder: Path) -> Config:
        """What the console reads."""
        path = folder / "farmtui.yaml"
        write_config(path, self.running.farm, self.running.doors)
        return load_config(path)


@asynccontextmanager
async def stage(*faults: str, seed: int = 1, clock: Clock | None = None) -> AsyncIterator[Stage]:
    """A farm whose servers listen while the block runs."""
    clock = clock or Clock()
    async with running(Options(faults, seed, clock=clock, pace=0.0)) as farm, aiohttp.ClientSession() as session:
        yield Stage(farm, session, clock)


def names(alerts: Sequence[Any]) -> set[str]:
    """The alertnames in an answer."""
    return {alert["labels"]["alertname"] for alert in alerts}
