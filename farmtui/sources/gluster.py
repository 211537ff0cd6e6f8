"""GlusterFS by the gluster command on one of its peers: peers, volumes, bricks, heals and quotas. Only ever reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from farmtui.config import GlusterConfig
from farmtui.farm.gluster import GlusterPool, GlusterVolume, Quota
from farmtui.farm.reading import Failure, Reading
from farmtui.sources import gluster_decode as decode
from farmtui.sources.errors import SourceError, at_place
from farmtui.sources.failover import Failover
from farmtui.sources.failures import failure_of
from farmtui.sources.ssh import Remote

SLOW_EVERY: Final = 4
"""Heals and quotas are asked for at every fourth poll: gluster walks its indices for them."""
SLOW_MAX: Final = 20
"""Volumes whose heals and quotas are asked for in one poll: commands stay constant."""
_HEALS: Final = ("Replicate", "Disperse")


class GlusterSource:
    """One trusted pool."""

    kind = "gluster"

    def __init__(
        self, config: GlusterConfig, remote: Remote, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = f"gluster {config.name}"
        self.endpoint = ", ".join(config.hosts)
        self.interval_s = config.interval_s
        self._config = config
        self._remote = remote
        self._clock = clock
        self._failover = Failover(config.hosts, what="peer")
        self._asked = 0
        self._polls = 0
        self._heals: dict[str, dict[decode.Place, decode.Heal]] = {}
        self._heal_problems: dict[str, str] = {}
        self._quotas: dict[str, tuple[Quota, ...]] = {}
        self._after = ""
        """The last volume whose heals were asked for: the next poll goes on behind it."""

    async def poll(self) -> Reading[GlusterPool]:
        """Ask the first peer that answers. Never raises."""
        began, self._asked = time.perf_counter(), 0
        asked = await self._failover.ask(self._read, self._failure)
        told = asked.warnings if asked.value is None else (*asked.warnings, *asked.value.problems)
        return Reading(asked.value, self._clock(), time.perf_counter() - began, asked.failure, told, self._asked)

    def _failure(self, error: Exception, host: str) -> Failure:
        return failure_of(error, source=self.name, deadline_s=self._config.deadline_s)

    async def close(self) -> None:
        """The connections are the pool's."""
        await self._remote.close()

    async def _read(self, host: str) -> GlusterPool:
        # One after the other: glusterd takes a lock for each, and refuses the second meanwhile.
        peers = decode.peers(await self._gluster(host, "pool", "list"))
        volumes = decode.volumes(await self._gluster(host, "volume", "info"))
        problems: list[str] = []
        try:
            volumes = decode.with_status(volumes, await self._gluster(host, "volume", "status", "all", "detail"))
        except SourceError as error:
            if volumes and any(volume.status == "Started" for volume in volumes):
                raise
            # With no volume started there is no status to be had, and gluster calls that an error.
            problems += [error.what] if volumes and "is not started" not in error.what else []
        if self._polls % SLOW_EVERY == 0:
            for volume in self._due(volumes):
                problems += await self._slow(host, volume)
        self._polls += 1
        found = tuple(self._with_slow(volume) for volume in volumes)
        return GlusterPool(self._config.name, host, peers, found, tuple(problems))

    def _due(self, volumes: tuple[GlusterVolume, ...]) -> list[GlusterVolume]:
        """Those whose heals are counted now: all of them, unless there are very many."""
        started = [volume for volume in volumes if volume.status == "Started"]
        later = [volume for volume in started if volume.name > self._after]
        due = (later + [volume for volume in started if volume.name <= self._after])[:SLOW_MAX]
        self._after = due[-1].name if due else ""
        return due

    async def _slow(self, host: str, volume: GlusterVolume) -> list[str]:
        problems = []
        name = volume.name
        if any(kind in volume.kind for kind in _HEALS):
            try:
                root = await self._gluster(host, "volume", "heal", name, "info", "summary")
                self._heals[name] = decode.heals(root)
                self._heal_problems.pop(name, None)
            except SourceError as error:
                # A count of before would look like one of now.
                self._heals.pop(name, None)
                self._heal_problems[name] = error.what
                problems.append(f"the heals of {name} could not be counted: {error.what}")
        if dict(volume.options).get("features.quota") == "on":
            try:
                self._quotas[name] = decode.quotas(await self._gluster(host, "volume", "quota", name, "list"))
            except SourceError as error:
                problems.append(f"the quotas of {name} could not be read: {error.what}")
        else:
            self._quotas.pop(name, None)
        return problems

    def _with_slow(self, volume: GlusterVolume) -> GlusterVolume:
        counted = decode.with_heals(volume, self._heals.get(volume.name, {}))
        return replace(
            counted,
            quotas=self._quotas.get(volume.name, ()),
            heal_problem=self._heal_problems.get(volume.name, ""),
        )

    async def _gluster(self, host: str, *words: str) -> ET.Element:
        self._asked += 1
        prefix = ["sudo", "-n"] if self._config.sudo else []
        argv = [*prefix, "gluster", "--mode=script", "--xml", *words]
        done = await self._remote.run(host, argv, deadline_s=self._config.deadline_s)
        try:
            if not done.stdout.strip():
                raise decode.refused(done.stderr)
            return await asyncio.to_thread(decode.document, done.stdout)
        except SourceError as error:
            raise at_place(error, host) from None
