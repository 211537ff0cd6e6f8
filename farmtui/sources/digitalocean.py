"""DigitalOcean: the account that droplets run in, every page of it read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from farmtui.config import DigitalOceanConfig
from farmtui.farm.node import CloudAccount
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.digitalocean_api import DoApi
from farmtui.sources.digitalocean_decode import Part, decode_account

SLOW_EVERY = 5
"""Volumes, balancers and the balance change slowly: each so many polls."""
_LISTED_WITHIN, _SLOW_WITHIN = 3, 2
"""How many calls' deadlines all droplets may take together, and all the rest."""


class DigitalOceanSource:
    """One account."""

    name = kind = "digitalocean"

    def __init__(
        self, config: DigitalOceanConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Raises SecretError where the config's reference is not one."""
        self._api = DoApi(config, clock=clock)
        self.endpoint = self._api.endpoint
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        self._parts = {what: Part() for what in _PARTS}
        self._polls = 0

    async def poll(self) -> Reading[CloudAccount]:
        """Ask once. What fails beside the droplets is a warning, and its last answer stays. Never raises."""
        began = time.perf_counter()
        self._api.asked = 0
        deadline_s = self._config.deadline_s
        try:
            droplets = await self._api.pool.run(self._droplets, deadline_s * _LISTED_WITHIN)
            if self._polls % SLOW_EVERY == 0 or any(part.problem for part in self._parts.values()):
                await self._slow(deadline_s * _SLOW_WITHIN)
            self._polls += 1
            # Not in the client's thread: a part that hangs may still have it.
            account = await asyncio.to_thread(self._decode, droplets)
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            failure = self._api.refused(error)
            return Reading(None, self._clock(), time.perf_counter() - began, failure=failure, requests=self._api.asked)
        took = time.perf_counter() - began
        return Reading(account, self._clock(), took, warnings=account.problems, requests=self._api.asked)

    async def _slow(self, deadline_s: float) -> None:
        try:
            await self._api.pool.run(self._read_parts, deadline_s)
        except TimeoutError as error:
            _, words = self._api.problem(error, "the rest")
            self._parts = {
                what: part if part.problem else Part(part.value, words) for what, part in self._parts.items()
            }

    # -- in the worker thread -------------------------------------------------------------------

    def _droplets(self) -> list[Any]:
        by_tag = {"tag_name": self._config.tag} if self._config.tag else {}
        return self._api.pages(self._api.connect().droplets.list, "droplets", by_tag)

    def _read_parts(self) -> None:
        client = self._api.connect()
        readers: dict[str, Callable[[], Any]] = {
            "volumes": lambda: self._api.pages(client.volumes.list, "volumes", {}),
            "load balancers": lambda: self._api.pages(client.load_balancers.list, "load_balancers", {}),
            "balance": lambda: self._api.one(client.balance.get, "month_to_date_usage"),
        }
        for what in _PARTS:
            kind = self._read_part(what, readers[what])
            if kind in (FailureKind.TIMEOUT, FailureKind.RATE_LIMITED):
                # The next part would fare no better.
                return

    def _read_part(self, what: str, read: Callable[[], Any]) -> FailureKind | None:
        """A part that fails (a token without that scope) leaves the droplets to be seen, and its last answer."""
        kind: FailureKind | None = None
        try:
            part = Part(read())
        except Exception as error:  # noqa: BLE001 - the part's failure in words, beside the rest
            kind, words = self._api.problem(error, what)
            part = Part(self._parts[what].value, words)
        # Nobody reads a part while it is replaced: each is one object.
        self._parts = {**self._parts, what: part}
        return kind

    def _decode(self, droplets: list[Any]) -> CloudAccount:
        parts = self._parts
        volumes, balancers, balance = (parts[what] for what in _PARTS)
        problems = list(dict.fromkeys(part.problem for part in parts.values() if part.problem))
        return decode_account(
            droplets, volumes.value, balancers.value, balance.value,
            limit=self._api.rate.limit, remaining=self._api.rate.remaining, problems=problems,
        )  # fmt: skip

    # -- and out of it ---------------------------------------------------------------------------

    async def close(self) -> None:
        """Let the thread and the connections go."""
        await self._api.close()


_PARTS = ("volumes", "load balancers", "balance")
