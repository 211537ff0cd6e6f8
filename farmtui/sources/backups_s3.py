"""Backups in an S3 store (DigitalOcean Spaces, Ceph RGW, ...), by listing a bucket. Only ever lists."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from farmtui.config.backups import StoreConfig
from farmtui.farm.backup_rows import store_source
from farmtui.farm.backups import StoreListing
from farmtui.farm.reading import Failure, Reading
from farmtui.sources.errors import host_of
from farmtui.sources.failures import failure_of
from farmtui.sources.s3_client import S3Client
from farmtui.sources.s3_layout import Layout
from farmtui.sources.s3_walk import SKEW_S, THINGS_MAX, Walk
from farmtui.sources.threads import CallPool

MARGIN_S: Final = 1.0
"""A poll stops asking so long before its deadline."""


class BackupsS3Source:
    """One bucket. A cycle is one request for each 1,000 objects, at most `pages` of them."""

    kind = "backups"

    def __init__(self, config: StoreConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises SecretError where one of the config's references is not one."""
        self.name = store_source(config.name)
        self.endpoint = f"{host_of(config.endpoint)}/{config.bucket}"
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        self._client = S3Client(config)
        self._pool = CallPool(1, f"s3-{config.name}")
        self._layout = Layout(config.layout)
        self._walk = Walk(self._layout, config.bucket)
        self._asked = 0
        self._ahead_s = 0.0

    async def poll(self) -> Reading[StoreListing]:
        """Ask for the next pages. Never raises.

        What a poll does not come to, the next goes on with: the value then says that it is not whole, or holds what the
        last whole listing had.
        """
        began, self._asked = time.perf_counter(), 0
        self._walk.begin()
        failure: Failure | None = None
        try:
            await self._list(began)
        except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
            failure = failure_of(
                error, source=self.name, where=self._config.endpoint, deadline_s=self._config.request_deadline_s
            )
        value = None
        # With a failure, what was known before stays what is known, and its age tells.
        if failure is None:
            try:
                value = await self._pool.run(self._listing, self._config.deadline_s)
            except Exception as error:  # noqa: BLE001 - a machine too busy for it
                failure = failure_of(error, source=self.name, deadline_s=self._config.deadline_s)
        took = time.perf_counter() - began
        return Reading(value, self._clock(), took, failure, value.problems if value is not None else (), self._asked)

    async def _list(self, began: float) -> None:
        ends_at = began + self._config.deadline_s - MARGIN_S
        for _ in range(self._config.pages):
            self._asked += 1
            if await self._pool.run(self._step, self._config.request_deadline_s + MARGIN_S):
                return
            if time.perf_counter() > ends_at:
                return

    def _step(self) -> bool:
        """In the worker thread: one page, asked for and taken."""
        page = self._client.page(*self._walk.at)
        self._ahead_s = page.clock_ahead_s
        return self._walk.take(page)

    def _listing(self) -> StoreListing:
        listed = self._walk.result()
        problems = []
        if not listed.whole:
            problems.append(
                f"the listing was cut after {listed.objects:,} objects: the next poll goes on; until it has come to "
                "the end, what is missing is not known"
            )
        if listed.left_out:
            problems.append(f"more than {THINGS_MAX:,} sites are named: check the layout")
        if abs(self._ahead_s) >= SKEW_S:
            how = "ahead of" if self._ahead_s > 0 else "behind"
            problems.append(f"this machine's clock is {abs(self._ahead_s):.0f} s {how} the store's: ages count by it")
        return StoreListing(
            self._config.name, self._config.bucket, self._layout.kinds, listed.stored, listed.whole, listed.objects,
            listed.unread, tuple(problems),
        )  # fmt: skip

    async def close(self) -> None:
        """Let the thread and the connections go."""
        self._pool.close()
        self._client.close()
