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
from farmtui.farm.gluster import Brick, GlusterPool, GlusterVolume, Quota
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.sources import gluster_decode as decode
from farmtui.sources.errors import SourceError, at_place
from farmtui.sources.failover import Failover
from farmtui.sources.failures import failure_of
from farmtui.sources.ssh import Remote

SLOW_EVERY: Final = 4
"""Heals and quotas are asked for at every fourth poll: gluster walks its indices for them."""
STATUS_AGAIN: Final = 4
"""Polls without a question for the status after one that has failed."""
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
        self._status_from, self._status_problem = 0, ""
        """The poll from which on the status is asked for again after it has failed, and with what it did."""
        self._heals: dict[str, dict[decode.Place, decode.Heal]] = {}
        self._heal_problems: dict[str, str] = {}
        self._quotas: dict[str, tuple[Quota, ...]] = {}
        self._bricks: dict[str, tuple[Brick, ...]] = {}
        """As the last status had them, by volume."""
        self._alone: list[GlusterPool] = []
        """What peers have said in this poll that see too few of the others."""
        self._after = ""
        """The last volume whose heals were asked for: the next poll goes on behind it."""

    async def poll(self) -> Reading[GlusterPool]:
        """Ask the first peer that answers. Never raises."""
        began, self._asked = time.perf_counter(), 0
        self._alone.clear()
        asked = await self._failover.ask(self._read, self._failure)
        value, failure, told = asked.value, asked.failure, asked.warnings
        if value is None and failure is not None and self._alone:
            # Nobody sees more: then that is how it is.
            told = (*told, failure.what)
            value, failure = self._alone[0], None
        told = told if value is None else (*told, *value.problems)
        return Reading(value, self._clock(), time.perf_counter() - began, failure, told, self._asked)

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
        started = any(volume.status == "Started" for volume in volumes)
        try:
            # With no volume started there is no status to be had, and gluster calls that an error.
            if started and self._polls < self._status_from:
                raise SourceError(FailureKind.TIMEOUT, self._status_problem, "it is asked again soon")
            if started:
                volumes = decode.with_status(volumes, await self._gluster(host, "volume", "status", "all", "detail"))
                self._bricks = {volume.name: volume.bricks for volume in volumes}
        except SourceError as error:
            # It waits for every peer, and so for one that is cut off; which peers are away is known all the same.
            if any(volume.name not in self._bricks for volume in volumes):
                raise
            if self._polls >= self._status_from:
                # What hangs holds the pool's lock: to ask again at once would keep operators from it.
                self._status_from, self._status_problem = self._polls + STATUS_AGAIN, error.what
            volumes = tuple(replace(volume, bricks=self._bricks[volume.name]) for volume in volumes)
            problems.append(
                f"bricks are shown as they were: {error.what} (it waits for every peer: one may be cut off)"
            )
        else:
            if started and self._polls % SLOW_EVERY == 0:
                for volume in self._due(volumes):
                    problems += await self._slow(host, volume)
        self._polls += 1
        found = tuple(self._with_slow(volume) for volume in volumes)
        pool = GlusterPool(self._config.name, host, peers, found, tuple(problems))
        seen = sum(peer.connected for peer in peers)
        if 2 * seen <= len(peers):
            # It is this one that is cut off, more likely than all the others: what they say counts.
            self._alone.append(pool)
            raise SourceError(
                FailureKind.UNREACHABLE,
                f"{host}: it sees {seen} of {len(peers)} peers, itself among them",
                "look at the network between it and the others; another peer is asked",
            )
        return pool

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
