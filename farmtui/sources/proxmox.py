"""Proxmox VE through proxmoxer: an API token, a few threads, the next API node when one is down."""

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
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.secrets import Secret, SecretError
from farmtui.sources.errors import bad_answer
from farmtui.sources.failover import Failover
from farmtui.sources.failures import failure_of
from farmtui.sources.http import tls_context
from farmtui.sources.proxmox_decode import config_addresses, decode_cluster, with_addresses
from farmtui.sources.threads import CallPool

THREADS = 4
LOOKUPS = 4
"""Guests whose addresses are asked for in one poll: requests a cycle stay constant however many there are."""
LOOKUP_AGAIN_S = 1800.0
"""Addresses change rarely; a guest is asked again after this long."""
LOOKUP_RETRY_S = 120.0
"""And after this long where it could not be asked."""
_LOGIN = frozenset({FailureKind.FORBIDDEN, FailureKind.CONFIG})
"""The login is the cluster's: the next node would refuse it too, and might lock it."""

_LOOK = "give the token the role PVEAuditor on /"


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
        self._config = config
        self._clock = clock
        self._monotonic = monotonic
        self._secret = Secret(config.token_secret)
        self._pool = CallPool(THREADS, f"pve-{config.name}")
        self._apis: dict[str, tuple[Any, Any]] = {}
        """Each API node's client and the session below it."""
        self._failover = Failover(config.hosts, what="API node", stop_at=_LOGIN, monotonic=monotonic)
        self._addresses: dict[int, _Known] = {}
        self._names: dict[int, str] = {}
        self._asked = 0

    async def poll(self) -> Reading[PveCluster]:
        """Ask once; API nodes that are down are passed over with a warning. Never raises."""
        began = time.perf_counter()
        self._asked = 0
        asked = await self._failover.ask(self._read, self._failure)
        if asked.failure is not None and asked.failure.kind in _LOGIN:
            self._forget_login()
        told = asked.warnings if asked.value is None else (*asked.warnings, *asked.value.problems)
        took = time.perf_counter() - began
        return Reading(asked.value, self._clock(), took, asked.failure, told, self._asked)

    def _failure(self, error: Exception, host: str) -> Failure:
        failure = failure_of(error, source=self.name, where=host, deadline_s=self._config.deadline_s)
        if failure.kind is not FailureKind.FORBIDDEN:
            return failure
        remedy = f"check the token {self._config.token_id} and its secret, and {_LOOK}"
        return replace(failure, remedy=remedy)

    def _forget_login(self) -> None:
        self._secret.forget()
        self._disconnect()

    def _disconnect(self) -> None:
        apis, self._apis = self._apis, {}
        for _, session in apis.values():
            session.close()

    async def _read(self, host: str) -> PveCluster:
        forbidden: Exception | None = None
        try:
            status = await self._get(host, "cluster/status")
        except Exception as error:
            if getattr(error, "status_code", 0) != 403:
                raise
            # A token that may see its guests but not the cluster: what it sees is worth showing.
            status, forbidden = [], error
        resources = await self._get(host, "cluster/resources")
        if forbidden is not None and not resources:
            # Without any right the list is empty, not refused: that is no empty cluster.
            raise forbidden
        problem = f"the cluster's own state is not shown: {_LOOK}" if forbidden is not None else ""
        deadline_s = self._config.deadline_s
        # Ten thousand guests are more than the loop should turn over.
        cluster, due = await self._pool.run(lambda: self._take(status, resources, problem), deadline_s)
        await self._look_up(host, due)
        known = self._addresses
        return await self._pool.run(lambda: with_addresses(cluster, _told(known)), deadline_s)

    def _take(self, status: Any, resources: Any, problem: str) -> tuple[PveCluster, list[Guest]]:
        """In a worker thread: the cluster, and whose addresses are to be asked for now."""
        cluster = decode_cluster(self._config.name, status, resources, names=self._names, problem=problem)
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
                if self._failure(error, host).kind in (FailureKind.TIMEOUT, FailureKind.UNREACHABLE):
                    # It would be so for the next ones: the poll has taken long enough.
                    return
            else:
                known[guest.vmid] = _Known(found, now + LOOKUP_AGAIN_S)

    async def _addresses_of(self, host: str, guest: Guest) -> tuple[str, ...]:
        path = f"nodes/{guest.host}/{guest.kind}/{guest.vmid}"
        found = config_addresses(await self._get(host, f"{path}/config"))
        if not found and guest.kind == "qemu" and guest.status == "running":
            found = config_addresses(await self._get(host, f"{path}/agent/network-get-interfaces"))
        return found

    async def _get(self, host: str, path: str) -> Any:
        self._asked += 1
        # The exchange ends after the deadline by itself; this ends the waiting.
        return await self._pool.run(lambda: self._call(host, path), self._config.deadline_s)

    def _call(self, host: str, path: str) -> Any:
        """In a worker thread: proxmoxer takes its time to import, and every call blocks."""
        known = self._apis.get(host)
        if known is None:
            known = self._apis[host] = self._connect(host)
        answer = known[0](path).get()
        if isinstance(answer, dict) and "errors" in answer and "data" not in answer:
            # What proxmoxer makes of a page of HTML that came with 200.
            raise bad_answer("the answer is not the Proxmox VE API's")
        return answer

    def _connect(self, host: str) -> tuple[Any, Any]:
        from proxmoxer import ProxmoxAPI

        from farmtui.sources.exchange import Exchange

        user, _, token_name = self._config.token_id.partition("!")
        secret = self._secret.reveal()
        if not secret.isascii() or not secret.isprintable():
            # The client would print the value in its own error.
            raise SecretError("the token's secret holds characters that no HTTP header can carry")
        exchange = Exchange(tls_context(self._config.ca_file), deadline_s=self._config.deadline_s)
        api = ProxmoxAPI(host, user=user, token_name=token_name, token_value=secret, verify_ssl=True)
        # There is no public way to the session, nor to give it one.
        session = api._store["session"]
        return api, exchange.settle(session)

    async def close(self) -> None:
        """Let the threads and connections go."""
        self._pool.close()
        self._disconnect()


def _told(known: Mapping[int, _Known]) -> dict[int, tuple[str, ...]]:
    return {vmid: entry.addresses for vmid, entry in known.items() if entry.addresses}
