"""Proxmox VE through proxmoxer: an API token, a few threads, the next API node when one is down."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from farmtui.config import ProxmoxConfig
from farmtui.farm.node import Guest, PveCluster
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.secrets import Secret
from farmtui.sources.errors import bad_answer
from farmtui.sources.failures import failure_of
from farmtui.sources.proxmox_decode import config_addresses, decode_cluster
from farmtui.sources.threads import CallPool

THREADS = 4
LOOKUPS = 4
"""Guests whose addresses are asked for in one poll: requests a cycle stay constant however many there are."""
LOOKUP_AGAIN_S = 1800.0
"""Addresses change rarely; a guest is asked again after this long."""
HOME_AGAIN_S = 300.0
"""After this long on another API node the first one is tried again."""


class ProxmoxSource:
    """One cluster."""

    kind = "proxmox"

    def __init__(self, config: ProxmoxConfig, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = f"proxmox {config.name}"
        self.endpoint = ", ".join(config.hosts)
        self.interval_s = config.interval_s
        self._config = config
        self._clock = clock
        self._secret = Secret(config.token_secret)
        self._pool = CallPool(THREADS, f"pve-{config.name}")
        self._apis: dict[str, Any] = {}
        self._host = 0
        self._moved_at = 0.0
        self._addresses: dict[int, tuple[float, tuple[str, ...]]] = {}
        self._asked = 0

    async def poll(self) -> Reading[PveCluster]:
        """Ask once; API nodes that are down are passed over with a warning. Never raises."""
        began = time.perf_counter()
        self._asked = 0
        warnings: list[str] = []
        failure: Failure | None = None
        for host in self._order():
            try:
                cluster = await self._read(host)
            except Exception as error:  # noqa: BLE001 - a poll never raises: whatever it is becomes words
                failure = self._failure(error, host)
                if failure.kind in (FailureKind.FORBIDDEN, FailureKind.CONFIG):
                    # The login is the cluster's: the next node would refuse it too, and might lock it.
                    self._forget_login()
                    break
                warnings.append(f"{failure.what}; {failure.remedy}")
                continue
            self._stay_with(host)
            took = time.perf_counter() - began
            told = (*warnings, *cluster.problems)
            return Reading(cluster, self._clock(), took, warnings=told, requests=self._asked)
        return Reading(None, self._clock(), time.perf_counter() - began, failure=failure, requests=self._asked)

    def _order(self) -> list[str]:
        """The API nodes to try: the one that served last, unless it is time to try the first again."""
        hosts = self._config.hosts
        if self._host and time.monotonic() - self._moved_at > HOME_AGAIN_S:
            self._host = 0
        return [*hosts[self._host :], *hosts[: self._host]]

    def _stay_with(self, host: str) -> None:
        index = self._config.hosts.index(host)
        if index != self._host:
            self._host, self._moved_at = index, time.monotonic()

    def _failure(self, error: Exception, host: str) -> Failure:
        failure = failure_of(error, source=self.name, where=host, deadline_s=self._config.deadline_s)
        if failure.kind is not FailureKind.FORBIDDEN:
            return failure
        remedy = f"check the token {self._config.token_id} and its secret, and give it the role PVEAuditor on /"
        return Failure(failure.kind, failure.what, remedy, failure.retry_after_s)

    def _forget_login(self) -> None:
        self._secret.forget()
        self._apis.clear()

    async def _read(self, host: str) -> PveCluster:
        status = await self._get(host, "cluster/status")
        resources = await self._get(host, "cluster/resources")
        cluster = decode_cluster(self._config.name, status, resources)
        await self._look_up(host, cluster.guests)
        known = {vmid: addresses for vmid, (_, addresses) in self._addresses.items()}
        return decode_cluster(self._config.name, status, resources, known)

    async def _look_up(self, host: str, guests: tuple[Guest, ...]) -> None:
        """The addresses of a few guests more; what cannot be had is tried again later and harms nothing."""
        now = time.monotonic()
        self._addresses = {g.vmid: self._addresses[g.vmid] for g in guests if g.vmid in self._addresses}
        due = [
            guest
            for guest in guests
            if not guest.template and now - self._addresses.get(guest.vmid, (-LOOKUP_AGAIN_S, ()))[0] >= LOOKUP_AGAIN_S
        ]
        for guest in due[:LOOKUPS]:
            try:
                found = config_addresses(await self._get(host, f"nodes/{guest.host}/{guest.kind}/{guest.vmid}/config"))
                if not found and guest.kind == "qemu" and guest.status == "running":
                    agent = await self._get(host, f"nodes/{guest.host}/qemu/{guest.vmid}/agent/network-get-interfaces")
                    found = config_addresses(agent)
            except Exception:  # noqa: BLE001 - no agent, no permission, a node that is off: it has no address then
                found = ()
            self._addresses[guest.vmid] = (now, found)

    async def _get(self, host: str, path: str) -> Any:
        self._asked += 1
        # Each socket operation ends after the deadline by itself; this ends the waiting.
        return await self._pool.run(lambda: self._call(host, path), self._config.deadline_s)

    def _call(self, host: str, path: str) -> Any:
        """In a worker thread: proxmoxer takes its time to import, and every call blocks."""
        api = self._apis.get(host)
        if api is None:
            from proxmoxer import ProxmoxAPI

            user, _, token = self._config.token_id.partition("!")
            api = self._apis[host] = ProxmoxAPI(
                host,
                user=user,
                token_name=token,
                token_value=self._secret.reveal(),
                verify_ssl=str(self._config.ca_file) if self._config.ca_file else True,
                timeout=self._config.deadline_s,
            )
        answer = api(path).get()
        if isinstance(answer, dict) and "errors" in answer and "data" not in answer:
            # What proxmoxer makes of a page of HTML that came with 200.
            raise bad_answer("the answer is not the Proxmox VE API's")
        return answer

    async def close(self) -> None:
        """Let the threads go."""
        self._pool.close()
