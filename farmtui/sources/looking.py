"""What is asked about one thing while somebody looks at it: a task's log, a guest's snapshots, a droplet's actions."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from farmtui.config import Config, ProxmoxConfig
from farmtui.farm.farm import Farm
from farmtui.farm.looks import DropletLook, GuestLook, Look, TaskLog
from farmtui.farm.reading import FailureKind
from farmtui.sources.digitalocean_actions import DoActions
from farmtui.sources.digitalocean_decode import decode_actions
from farmtui.sources.errors import SourceError
from farmtui.sources.proxmox_api import PveApi
from farmtui.sources.proxmox_decode_more import UPID, decode_config, decode_log, decode_snapshots

PAGE: Final = 500
"""Lines of a log that are asked for at once, and that are kept: its end."""
PAGES: Final = 20
"""A log that is longer is read no further: its end is on the host."""
ACTIONS: Final = 20

V = TypeVar("V")


class Looking:
    """Asks the upstreams of a config; nothing is connected before the first question."""

    def __init__(self, config: Config, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises SecretError where a reference of the config is none."""
        self._clock = clock
        self._pve = {section.name: self._api(section) for section in config.proxmox}
        self._do = DoActions(config.digitalocean, clock=clock) if config.digitalocean is not None else None

    def _api(self, section: ProxmoxConfig) -> PveApi:
        return PveApi(section, f"proxmox {section.name}", deadline_s=section.deadline_s, clock=self._clock)

    async def look(self, farm: Farm, kind: str, key: str) -> Look | None:
        """What is to be found about a thing; None where nothing is asked about such. Never raises."""
        try:
            found = await self._look(farm, kind, key)
        except SourceError as error:
            return Look(self._clock(), None, f"{error.what}; {error.remedy}")
        return Look(self._clock(), found) if found is not None else None

    async def _look(self, farm: Farm, kind: str, key: str) -> TaskLog | GuestLook | DropletLook | None:
        if kind == "pve-task":
            cluster, _, upid = key.partition("/")
            return await self._log(self._pve[cluster], upid) if cluster in self._pve else None
        if kind == "guest":
            guest = next((g for c in farm.pve for g in c.guests if g.ident == key), None)
            if guest is None or guest.cluster not in self._pve or not re.fullmatch(r"[A-Za-z0-9.-]+", guest.host):
                return None
            return await self._guest(self._pve[guest.cluster], f"nodes/{guest.host}/{guest.kind}/{guest.vmid}")
        if kind == "droplet" and self._do is not None and key.isdigit():
            return await self._droplet(self._do, key)
        return None

    async def _log(self, api: PveApi, upid: str) -> TaskLog | None:
        if not UPID.fullmatch(upid):
            return None
        lines: list[str] = []
        read = 0
        for _ in range(PAGES):
            path = f"nodes/{upid.split(':')[1]}/tasks/{upid}/log?start={read}&limit={PAGE}"
            page = decode_log(await api.ask(path))
            read += len(page)
            lines = [*lines, *page][-PAGE:]
            if len(page) < PAGE:
                break
        return TaskLog(tuple(lines), read - len(lines))

    async def _guest(self, api: PveApi, path: str) -> GuestLook:
        config, no_config = await _part(lambda: api.ask(f"{path}/config"), decode_config)
        snapshots, no_snapshots = await _part(lambda: api.ask(f"{path}/snapshot"), decode_snapshots)
        problems = dict.fromkeys(filter(None, (no_config, no_snapshots)))
        return GuestLook(config, snapshots, tuple(problems))

    async def _droplet(self, api: DoActions, ident: str) -> DropletLook:
        try:
            return DropletLook(decode_actions((await api.recent("droplet", ident))[:ACTIONS]))
        except SourceError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            failure = api.failure(error)
            raise SourceError(failure.kind, failure.what, failure.remedy) from None

    async def close(self) -> None:
        """Let threads and connections go."""
        for api in self._pve.values():
            await api.close()
        if self._do is not None:
            await self._do.close()


async def _part(ask: Callable[[], Awaitable[Any]], decode: Callable[[Any], V]) -> tuple[V | None, str]:
    """A part of an answer, or in words why it could not be had. One that nobody reaches is no part: it raises."""
    try:
        return decode(await ask()), ""
    except SourceError as error:
        if error.kind in (FailureKind.TIMEOUT, FailureKind.UNREACHABLE):
            raise
        return None, f"{error.what}; {error.remedy}"
