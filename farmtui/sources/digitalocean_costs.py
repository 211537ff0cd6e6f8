"""DigitalOcean's bill: the balance, reserved addresses and snapshots, asked rarely, by the same client and rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from farmtui.config import DigitalOceanConfig
from farmtui.farm.cost import CloudBill
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.digitalocean_api import DoApi
from farmtui.sources.digitalocean_decode import decode_bill

_WITHIN: Final = 3
"""How many calls' deadlines all of it may take together."""


class DigitalOceanBillSource:
    """One account's bill. A cycle is three requests, and one more for each further 200 addresses or snapshots."""

    name = "digitalocean bill"
    kind = "bill"

    def __init__(
        self, config: DigitalOceanConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Raises SecretError where the config's reference is not one."""
        # A client and a thread of its own: the droplets wait for no bill.
        self._api = DoApi(config, clock=clock)
        self._clock = clock
        self._deadline_s = config.deadline_s * _WITHIN
        self.endpoint = self._api.endpoint
        self.interval_s = config.bill_interval_s

    async def poll(self) -> Reading[CloudBill]:
        """Ask once. A part that fails (a token without that scope) is a warning beside the others. Never raises."""
        began = time.perf_counter()
        self._api.asked = 0
        try:
            bill = await self._api.pool.run(self._read, self._deadline_s)
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            failure = self._api.refused(error)
            took = time.perf_counter() - began
            return Reading(None, self._clock(), took, failure=failure, requests=self._api.asked)
        took = time.perf_counter() - began
        return Reading(bill, self._clock(), took, warnings=bill.problems, requests=self._api.asked)

    def _read(self) -> CloudBill:
        """All parts, in the client's thread. Raises where not one of them can be read."""
        client = self._api.connect()
        readers: Mapping[str, Callable[[], Any]] = MappingProxyType(
            {
                "balance": lambda: self._api.one(client.balance.get, "month_to_date_usage"),
                "reserved addresses": lambda: self._api.pages(client.reserved_ips.list, "reserved_ips", {}),
                "snapshots": lambda: self._api.pages(client.snapshots.list, "snapshots", {}),
            }
        )
        answers: dict[str, Any] = {}
        problems: list[str] = []
        last: Exception | None = None
        for what, read in readers.items():
            try:
                answers[what] = read()
            except Exception as error:  # noqa: BLE001 - the part's failure in words, beside the rest
                last = error
                kind, words = self._api.problem(error, what)
                problems.append(words)
                if kind in (FailureKind.TIMEOUT, FailureKind.RATE_LIMITED):
                    # The next part would fare no better.
                    break
        if last is not None and not answers:
            raise last
        return decode_bill(
            answers.get("balance"), answers.get("reserved addresses"), answers.get("snapshots"), problems
        )

    async def close(self) -> None:
        """Let the thread and the connections go."""
        await self._api.close()
