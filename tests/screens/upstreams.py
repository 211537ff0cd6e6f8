"""The simulated farm's upstreams as they answered once, and a console for which one is absent, fails or is empty."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from farmtui.app import FarmApp
from farmtui.config import Config, load_config
from farmtui.demo.config import write_config
from farmtui.demo.farm import Options, running
from farmtui.farm.alerts import AlertBook
from farmtui.farm.farm import PrometheusView
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.state import Freshness
from farmtui.polling import Feed
from farmtui.polling.build import build_sources

STATES = ("absent", "never", "stopped", "forbidden", "empty")
"""Not in the config; never answered; has answered and does not any more; refuses us; answers with nothing."""

FAILURES = {
    "never": Failure(FailureKind.UNREACHABLE, "connection refused", "check that the service runs there"),
    "stopped": Failure(FailureKind.TIMEOUT, "no answer in 5 s", "see whether it is overloaded"),
    "forbidden": Failure(FailureKind.FORBIDDEN, "401 Unauthorized", "give it another token"),
}


@dataclass(frozen=True, slots=True)
class Upstream:
    """One source and its answer."""

    section: str
    """Of the config."""
    name: str
    kind: str
    endpoint: str
    interval_s: float
    value: Any


@dataclass(frozen=True, slots=True)
class Recorded:
    """A farm whose every source has answered once."""

    config: Config
    upstreams: tuple[Upstream, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections of the config that have sources."""
        return tuple(dict.fromkeys(upstream.section for upstream in self.upstreams))


class Told:
    """A source that says what it is told to, each time it is asked."""

    def __init__(self, upstream: Upstream, state: str) -> None:
        self.name, self.kind, self.endpoint = upstream.name, upstream.kind, upstream.endpoint
        self.interval_s = 0.2 if state == "stopped" else upstream.interval_s
        self._value, self._state, self.polls = upstream.value, state, 0

    async def poll(self) -> Reading[Any]:
        """The recorded answer, or what the state makes of it."""
        self.polls += 1
        failure = FAILURES.get(self._state)
        if failure is not None and (self._state != "stopped" or self.polls > 1):
            return Reading(None, datetime.now(UTC), 0.01, failure, requests=1)
        return Reading(emptied(self._value) if self._state == "empty" else self._value, datetime.now(UTC), 0.01)

    async def close(self) -> None:
        """Nothing is open."""


async def record(folder: Path) -> Recorded:
    """Ask every source of a simulated farm with some faults in it once."""
    async with running(Options(("osd-down", "cache-node-down"), sites=40, gluster=True)) as farm:
        path = folder / "farmtui.yaml"
        write_config(path, farm.farm, farm.doors)
        config = load_config(path)
        found = []
        for source, section in _by_section(config):
            reading = await source.poll()
            while reading.failure is not None and reading.failure.kind is FailureKind.TIMEOUT:
                # A busy machine: it is the test's deadline that ends this.
                reading = await source.poll()
            await source.close()
            assert reading.failure is None, reading.failure
            found.append(Upstream(section, source.name, source.kind, source.endpoint, source.interval_s, reading.value))
        return Recorded(config, tuple(found))


def _by_section(config: Config) -> list[tuple[Any, str]]:
    """Every source with the section that it is there for: the one without which it is not."""
    # The guests' backups are there for `backups`, though without `proxmox` they are not there either.
    sections = [name for name in reversed(type(config).model_fields) if without(config, name) != config]
    found = []
    for source in build_sources(config):
        for section in sections:
            if source.name not in {other.name for other in build_sources(without(config, section))}:
                found.append((source, section))
                break
        else:
            raise AssertionError(f"{source.name} is there whatever the config says")
    return found


def without(config: Config, section: str) -> Config:
    """The config with a section as if it were not written, nor what cannot be without it."""
    sections = [section]
    if section == "proxmox" and config.ceph is not None and config.ceph.via == "pve":
        sections.append("ceph")
    fields = type(config).model_fields
    return config.model_copy(update={name: fields[name].get_default(call_default_factory=True) for name in sections})


def emptied(value: Any) -> Any:
    """An answer that is a good one and holds nothing."""
    if isinstance(value, PrometheusView):
        return PrometheusView()
    if isinstance(value, tuple):
        return ()
    if isinstance(value, Mapping):
        return {}
    changes = {
        field.name: type(held)()
        for field in dataclasses.fields(value)
        if isinstance(held := getattr(value, field.name), tuple | dict)
    }
    if isinstance(value, AlertBook):
        changes.pop("replicas", None)
    return dataclasses.replace(value, **changes)


class Console(FarmApp):
    """The console over recorded answers; one section of the config is in some state."""

    def __init__(self, recorded: Recorded, section: str, state: str) -> None:
        config = without(recorded.config, section) if state == "absent" else recorded.config
        self._touched = {one.name for one in recorded.upstreams if one.section == section}
        self.upstreams = [
            Told(one, state if one.name in self._touched else "")
            for one in recorded.upstreams
            if one.name in {source.name for source in build_sources(config)}
        ]
        """The sources that there are."""
        self._polls = 2 if state == "stopped" else 1

        async def known() -> Config:
            return config

        super().__init__(known, config=config, read_only="a test")

    def touched(self, name: str) -> bool:
        """Whether a source is of the section that is in some state."""
        return name in self._touched

    async def polled(self, pilot: Pilot[int]) -> None:
        """Wait until what every source said is shown; what one said that has stopped must be old by then."""
        while any(one.polls < (self._polls if self.touched(one.name) else 1) for one in self.upstreams):
            await pilot.pause(0.02)
        while self._polls > 1 and not all(
            source.freshness is Freshness.STALE
            for source in (self.farm.sources if self.farm else ())
            if self.touched(source.name)
        ):
            await pilot.pause(0.05)
        await pilot.pause(0.1)

    def make_feed(self, config: Config) -> Feed:
        """What polls: the recorded answers."""
        return Feed(config, sources=self.upstreams, on_farm=self.publish)
