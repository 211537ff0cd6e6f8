"""Proxmox VE: a cluster's hosts and guests, and their addresses."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from farmtui.config import ProxmoxConfig
from farmtui.farm.node import Guest, PveCluster
from farmtui.farm.pve import PveTask
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.proxmox_api import LOOK, PveApi
from farmtui.sources.proxmox_decode import config_addresses, decode_cluster, with_addresses
from farmtui.sources.proxmox_decode_more import decode_tasks

LOOKUPS = 4
"""Guests whose addresses are asked for in one poll: requests a cycle stay constant however many there are."""
LOOKUP_AGAIN_S = 1800.0
"""Addresses change rarely; a guest is asked again after this long."""
LOOKUP_RETRY_S = 120.0
"""And after this long where it could not be asked."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A guest's addresses, and when to ask for them again (monotonic seconds)."""

    addresses: tuple[str, ...]
    due: float


class ProxmoxSource:
    """One cluster."""

    kind = "proxmox"

    def __init__(
        self,
        config: ProxmoxConfig,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises SecretError where the config's reference is not one."""
        self.name = f"proxmox {config.name}"
        self.endpoint = ", ".join(config.hosts)
        self.interval_s = config.interval_s
        self._name = config.name
        self._monotonic = monotonic
        self._api = PveApi(config, self.name, deadline_s=config.deadline_s, clock=clock, monotonic=monotonic)
        self._addresses: dict[int, _Known] = {}
        self._names: dict[int, str] = {}

    async def poll(self) -> Reading[PveCluster]:
        """Ask once; API nodes that are down are passed over with a warning. Never raises."""
        return await self._api.poll(self._read)

    async def _read(self, host: str) -> PveCluster:
        forbidden: Exception | None = None
        try:
            status = await self._api.get(host, "cluster/status")
        except Exception as error:
            if getattr(error, "status_code", 0) != 403:
                raise
            # A token that may see its guests but not the cluster: what it sees is worth showing.
            status, forbidden = [], error
        resources = await self._api.get(host, "cluster/resources")
        if forbidden is not None and not resources:
            # Without any right the list is empty, not refused: that is no empty cluster.
            raise forbidden
        problem = f"the cluster's own state is not shown: {LOOK}" if forbidden is not None else ""
        tasks, untold = await self._tasks(host)
        cluster, due = await self._api.work(lambda: self._take(status, resources, problem))
        if tasks or untold:
            cluster = replace(cluster, tasks=tasks, problems=(*cluster.problems, *untold))
        await self._look_up(host, due)
        known = self._addresses
        return await self._api.work(lambda: with_addresses(cluster, _told(known)))

    async def _tasks(self, host: str) -> tuple[tuple[PveTask, ...], tuple[str, ...]]:
        """The cluster's latest tasks, or in words why they are not known: its machines are seen all the same."""
        try:
            answer = await self._api.get(host, "cluster/tasks")
            return await self._api.work(lambda: decode_tasks(self._name, answer)), ()
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            failure = self._api.failure(error, host)
            return (), (f"its tasks are not known: {failure.what}; {failure.remedy}",)

    def _take(self, status: Any, resources: Any, problem: str) -> tuple[PveCluster, list[Guest]]:
        """In a worker thread: the cluster, and whose addresses are to be asked for now."""
        cluster = decode_cluster(self._name, status, resources, names=self._names, problem=problem)
        # While its host is off, the API may no longer know a guest's name.
        self._names = {guest.vmid: guest.name for guest in cluster.guests}
        now, before, never = self._monotonic(), self._addresses, _Known((), -math.inf)
        known = self._addresses = {guest.vmid: before.get(guest.vmid, never) for guest in cluster.guests}
        waiting = [
            guest
            for guest in cluster.guests
            if not guest.template and guest.status != "unknown" and known[guest.vmid].due <= now
        ]
        return cluster, heapq.nsmallest(LOOKUPS, waiting, key=lambda guest: known[guest.vmid].due)

    async def _look_up(self, host: str, due: list[Guest]) -> None:
        """The addresses of a few guests more; what cannot be had is tried again later and harms nothing."""
        now, known = self._monotonic(), self._addresses
        for guest in due:
            try:
                found = await self._addresses_of(host, guest)
            except Exception as error:  # noqa: BLE001 - no agent, no permission, a node that is off
                known[guest.vmid] = _Known(known[guest.vmid].addresses, now + LOOKUP_RETRY_S)
                if self._api.failure(error, host).kind in (FailureKind.TIMEOUT, FailureKind.UNREACHABLE):
                    # It would be so for the next ones: the poll has taken long enough.
                    return
            else:
                known[guest.vmid] = _Known(found, now + LOOKUP_AGAIN_S)

    async def _addresses_of(self, host: str, guest: Guest) -> tuple[str, ...]:
        path = f"nodes/{guest.host}/{guest.kind}/{guest.vmid}"
        found = config_addresses(await self._api.get(host, f"{path}/config"))
        if not found and guest.kind == "qemu" and guest.status == "running":
            found = config_addresses(await self._api.get(host, f"{path}/agent/network-get-interfaces"))
        return found

    async def close(self) -> None:
        """Let the threads and connections go."""
        await self._api.close()


def _told(known: Mapping[int, _Known]) -> dict[int, tuple[str, ...]]:
    return {vmid: entry.addresses for vmid, entry in known.items() if entry.addresses}
