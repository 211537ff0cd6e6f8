"""Varnish's backends by varnishadm on each cache node: all at once, each in its own time. Only ever reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from farmtui.config import VarnishConfig, VarnishHost
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.farm.varnish import VarnishBackend, VarnishBackends
from farmtui.sources import varnish_decode as decode
from farmtui.sources.errors import SourceError, at_place
from farmtui.sources.failures import failure_of
from farmtui.sources.ssh import Done, Remote


class VarnishSource:
    """The cache tier's Varnish."""

    kind = "varnish"

    def __init__(
        self, config: VarnishConfig, remote: Remote, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = "varnish"
        self.endpoint = ", ".join(host.host for host in config.hosts)
        self.interval_s = config.interval_s
        self._config = config
        self._remote = remote
        self._clock = clock
        self._last: dict[VarnishHost, VarnishBackends] = {}

    async def poll(self) -> Reading[tuple[VarnishBackends, ...]]:
        """Ask every node. One that cannot be asked keeps what it said last, with why; never raises."""
        began = time.perf_counter()
        answers = await asyncio.gather(*(self._ask(host) for host in self._config.hosts))
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        warnings = tuple(f"{failure.what}; {failure.remedy}" for failure in failures)
        took, requests = time.perf_counter() - began, len(self._config.hosts)
        if len(failures) == len(answers):
            return Reading(None, self._clock(), took, _worst(failures), warnings[1:], requests)
        found = tuple(
            self._without(host, answer) if isinstance(answer, Failure) else answer
            for host, answer in zip(self._config.hosts, answers, strict=True)
        )
        return Reading(found, self._clock(), took, None, warnings, requests)

    async def close(self) -> None:
        """The connections are the pool's."""
        await self._remote.close()

    async def _ask(self, host: VarnishHost) -> VarnishBackends | Failure:
        prefix = ["sudo", "-n"] if self._config.sudo else []
        where = ["-n", host.workdir] if host.workdir else []
        argv = [*prefix, "varnishadm", *where, "backend.list", "-j"]
        try:
            done = await self._remote.run(host.host, argv, deadline_s=self._config.deadline_s)
            listed = _listed(done, host.host)
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            return failure_of(error, source=self.name, deadline_s=self._config.deadline_s)
        self._last[host] = VarnishBackends(host.host, host.instance or "", listed, taken_at=self._clock())
        return self._last[host]

    def _without(self, host: VarnishHost, failure: Failure) -> VarnishBackends:
        """What a node said last, and why it says nothing now."""
        last = self._last.get(host, VarnishBackends(host.host, host.instance or ""))
        return VarnishBackends(host.host, host.instance or "", last.backends, failure.what, last.taken_at)


def _listed(done: Done, host: str) -> tuple[VarnishBackend, ...]:
    try:
        if done.exit_status != 0:
            raise decode.refused(done.stderr or done.stdout.decode("utf-8", "replace"))
        return decode.backends(done.stdout)
    except SourceError as error:
        raise at_place(error, host) from None


def _worst(failures: list[Failure]) -> Failure:
    """What stands for all of them: what needs a person comes first."""
    needs_somebody = (FailureKind.HOST_KEY, FailureKind.FORBIDDEN, FailureKind.CONFIG)
    return next((failure for failure in failures if failure.kind in needs_somebody), failures[0])
