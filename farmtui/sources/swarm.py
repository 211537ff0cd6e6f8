"""Docker Swarm on one of its managers: the engine's API through a forwarded socket, or the docker command."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from farmtui.config import SwarmConfig
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.swarm import SwarmCluster
from farmtui.sources.errors import SourceError, bad_answer, safe_words, status_error, too_big
from farmtui.sources.failover import Failover
from farmtui.sources.failures import failure_of
from farmtui.sources.ssh import OUTPUT_LIMIT_BYTES, Remote
from farmtui.sources.swarm_decode import decode, short_of_tasks

SHORT_MAX: Final = 20
"""Services of which the failed tasks are asked for in one poll: requests stay constant."""
_RUNNING: Final = {"desired-state": ["running", "accepted", "ready"]}
_OVERLAY: Final = {"driver": ["overlay"]}


class SwarmSource:
    """One Swarm. Only ever reads."""

    kind = "swarm"

    def __init__(
        self, config: SwarmConfig, remote: Remote, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = "swarm"
        self.endpoint = ", ".join(config.hosts)
        self.interval_s = config.interval_s
        self._config = config
        self._remote = remote
        self._clock = clock
        self._failover = Failover(config.hosts, what="manager")
        self._asked = 0
        self._leaderless = ""
        """A manager that has said in this poll that there is no leader."""
        self._last = SwarmCluster(config.name, "")

    async def poll(self) -> Reading[SwarmCluster]:
        """Ask the first manager that answers. Never raises."""
        began, self._asked, self._leaderless = time.perf_counter(), 0, ""
        asked = await self._failover.ask(self._read, self._failure)
        value, failure, told = asked.value, asked.failure, asked.warnings
        if value is not None:
            self._last = value
        elif self._leaderless and failure is not None:
            # That is an answer, and the worst one: the rest is as it was when they last agreed.
            value = replace(self._last, manager=self._leaderless, quorum=False)
            told, failure = (*told, f"{failure.what}; {failure.remedy}"), None
        return Reading(value, self._clock(), time.perf_counter() - began, failure, told, self._asked)

    def _failure(self, error: Exception, host: str) -> Failure:
        if isinstance(error, NoLeaderError):
            self._leaderless = host
        return failure_of(error, source=self.name, deadline_s=self._config.deadline_s)

    async def _read(self, host: str) -> SwarmCluster:
        ask = self._by_socket if self._config.via == "socket" else self._by_command
        return replace(await ask(host), read_at=self._clock())

    async def close(self) -> None:
        """The connections are the pool's."""
        await self._remote.close()

    # -- the engine's API -----------------------------------------------------------------------

    async def _by_socket(self, host: str) -> SwarmCluster:
        path = self._config.sockets.get(host, self._config.socket)
        local = await self._remote.unix_socket(host, path, deadline_s=self._config.deadline_s)
        timeout = aiohttp.ClientTimeout(total=self._config.deadline_s)
        connector = aiohttp.UnixConnector(path=str(local), limit=4)
        # A session for each poll: a connection that is kept open through a tunnel would outlive it unseen.
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            nodes, services, networks, tasks = await asyncio.gather(
                self._get(session, host, "/nodes"),
                self._get(session, host, "/services", status="true"),
                self._get(session, host, "/networks", filters=json.dumps(_OVERLAY)),
                self._get(session, host, "/tasks", filters=json.dumps(_RUNNING)),
            )
            failed: Any = []
            if short := short_of_tasks(services)[:SHORT_MAX]:
                failed = await self._get(session, host, "/tasks", filters=json.dumps({"service": list(short)}))
        return decode(self._config.name, host, nodes, services, tasks, failed, networks)

    async def _get(self, session: aiohttp.ClientSession, host: str, path: str, **params: str) -> Any:
        self._asked += 1
        async with session.get(f"http://docker{path}", params=params, allow_redirects=False) as answer:
            body = await answer.content.read(OUTPUT_LIMIT_BYTES + 1)
            while len(body) <= OUTPUT_LIMIT_BYTES and (more := await answer.content.read(OUTPUT_LIMIT_BYTES)):
                body += more
        if len(body) > OUTPUT_LIMIT_BYTES:
            raise too_big(OUTPUT_LIMIT_BYTES)
        document = await asyncio.to_thread(_document, body)
        if answer.status == 200:
            return document
        said = document.get("message") if isinstance(document, dict) else None
        raise _refused(host, answer.status, said if isinstance(said, str) else "")

    # -- the docker command ---------------------------------------------------------------------

    async def _by_command(self, host: str) -> SwarmCluster:
        nodes = await self._inspected(host, ["node", "ls", "-q"], ["node", "inspect"])
        services = await self._inspected(host, ["service", "ls", "-q"], ["service", "inspect"])
        networks = await self._inspected(
            host, ["network", "ls", "-q", "--no-trunc", "--filter", "driver=overlay"], ["network", "inspect"]
        )
        tasks: Any = []
        if idents := _idents(nodes):
            # Of each slot the newest task: what runs, and what did not start.
            listing = ["node", "ps", "-q", "--no-trunc", *idents]
            tasks = await self._inspected(host, listing, ["inspect", "--type", "task"])
        unplaced = await self._unplaced(host, services)
        return decode(self._config.name, host, nodes, services, [*tasks, *unplaced], [*tasks, *unplaced], networks)

    async def _unplaced(self, host: str, services: Any) -> Any:
        """Tasks without a node, which `node ps` does not list."""
        names = _idents(services)
        if not names:
            return []
        listing = ["service", "ps", "-q", "--no-trunc", "--filter", "desired-state=running", *names]
        return await self._inspected(host, listing, ["inspect", "--type", "task"])

    async def _inspected(self, host: str, listing: Sequence[str], inspect: Sequence[str]) -> Any:
        idents = list(dict.fromkeys((await self._docker(host, *listing)).decode("ascii", "replace").split()))
        if not idents:
            return []
        document = await asyncio.to_thread(_document, await self._docker(host, *inspect, *idents))
        if not isinstance(document, list):
            raise bad_answer("docker inspect gives no list")
        return document

    async def _docker(self, host: str, *words: str) -> bytes:
        self._asked += 1
        prefix = ["sudo", "-n"] if self._config.sudo else []
        done = await self._remote.run(host, [*prefix, "docker", *words], deadline_s=self._config.deadline_s)
        if done.exit_status == 0:
            return done.stdout
        raise _refused(host, 0, done.stderr)


def _idents(listed: Any) -> list[str]:
    return [item["ID"] for item in listed if isinstance(item, dict) and isinstance(item.get("ID"), str)]


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise bad_answer("the answer is not JSON") from None


class NoLeaderError(SourceError):
    """A manager that is up says that too few of them see each other."""


def _refused(host: str, status: int, said: str) -> SourceError:
    """Docker's own refusals in words."""
    text = said.casefold()
    if "does not have a leader" in text or "no elected primary" in text or "lost its quorum" in text:
        return NoLeaderError(
            FailureKind.SERVER,
            f"{host}: the Swarm has no leader: too few of its managers see each other",
            "bring the managers back; if they are lost for good: docker swarm init --force-new-cluster on one of them",
        )
    if "not a swarm manager" in text:
        return SourceError(
            FailureKind.CONFIG, f"{host}: is no manager of a Swarm", "name its managers under swarm.hosts in the config"
        )
    if "permission denied" in text or "sudo:" in text:
        return SourceError(
            FailureKind.FORBIDDEN,
            f"{host}: docker may not be asked there: {safe_words(said)}",
            "put the user into group docker there, or set swarm.sudo and allow it in sudoers",
        )
    if status:
        error = status_error(status, detail=said)
        return SourceError(error.kind, f"{host}: {error.what}", "look at dockerd's log there", status=status)
    return SourceError(
        FailureKind.SERVER, f"{host}: docker fails: {safe_words(said) or 'it says nothing'}", "try it there by hand"
    )
