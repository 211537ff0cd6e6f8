"""Backups of Proxmox VE's guests: what its storages hold, the last vzdump tasks, and guests that no job covers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from farmtui.config import ProxmoxConfig
from farmtui.farm.backup_rows import pve_source
from farmtui.farm.backups import GUEST, BackupTask, PveBackups, Stored
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources.errors import bad_answer, safe_words
from farmtui.sources.json_values import count, elements, flag, mapping, text
from farmtui.sources.proxmox_api import PveApi

LISTINGS: Final = 32
"""Listings of one poll at most: one for a shared storage, one for each host of another. What is beyond is told."""
TASKS: Final = 20
"""vzdump tasks that are remembered."""
RIGHTS: Final = (
    "the token needs Datastore.AllocateSpace on the storages and VM.Backup on the guests (or the role "
    "PVEDatastoreAdmin): with PVEAuditor alone Proxmox VE shows no backup"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A storage that may hold backups, and the host to ask for it."""

    storage: str
    host: str


class ProxmoxBackupsSource:
    """One cluster's backups. A cycle is three requests, and one for each shared storage and each host's own."""

    kind = "backups"

    def __init__(
        self,
        config: ProxmoxConfig,
        *,
        interval_s: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises SecretError where the config's reference is not one."""
        self.name = pve_source(config.name)
        self.endpoint = ", ".join(config.hosts)
        self.interval_s = interval_s
        self._cluster = config.name
        # Threads of its own: a storage that hangs holds up no picture of the cluster.
        self._api = PveApi(config, self.name, deadline_s=config.deadline_s, clock=clock, monotonic=monotonic)

    async def poll(self) -> Reading[PveBackups]:
        """Ask once; API nodes that are down are passed over with a warning. Never raises."""
        return await self._api.poll(self._read)

    async def _read(self, host: str) -> PveBackups:
        resources = await self._api.get(host, "cluster/resources", type="storage")
        if not isinstance(resources, list):
            raise bad_answer("cluster/resources is not a list")
        places, problems = places_of(resources)
        volumes: list[tuple[Place, Any]] = []
        whole = not problems
        for place in places[:LISTINGS]:
            try:
                path = f"nodes/{place.host}/storage/{place.storage}/content"
                volumes.append((place, await self._api.get(host, path, content="backup")))
            except Exception as error:  # noqa: BLE001 - the storage's failure in words, beside the others
                failure = self._api.failure(error, host)
                whole = False
                problems.append(f"storage {place.storage} on {place.host}: {failure.what}")
                if failure.kind is FailureKind.TIMEOUT:
                    # The next one would fare no better, and the poll has taken long enough.
                    break
        if len(places) > LISTINGS:
            whole = False
            problems.append(f"{len(places)} listings would be needed, {LISTINGS} are asked for")
        uncovered = await self._part(host, "cluster/backup-info/not-backed-up", problems)
        tasks = await self._part(host, "cluster/tasks", problems)
        names = tuple(dict.fromkeys(place.storage for place in places))
        if places and volumes and not any(elements(listed) for _, listed in volumes):
            # It leaves out what the token may not see, without a word: nothing is not none.
            whole = False
            problems.append(f"no backup is shown in {', '.join(names)}: {RIGHTS}")
        return await self._api.work(
            lambda: PveBackups(
                self._cluster,
                stored(self._cluster, volumes),
                whole,
                None if uncovered is None else tuple(_vmids(uncovered)),
                names,
                vzdumps(tasks),
                tuple(problems),
            )
        )

    async def _part(self, host: str, path: str, problems: list[str]) -> Any:
        try:
            return await self._api.get(host, path)
        except Exception as error:  # noqa: BLE001 - this part's failure in words, beside the rest
            problems.append(f"{path}: {self._api.failure(error, host).what}")
            return None

    async def close(self) -> None:
        """Let the threads and connections go."""
        await self._api.close()


def places_of(resources: Sequence[Any]) -> tuple[list[Place], list[str]]:
    """The storages that hold backups, each with a host to ask, and what of them cannot be asked for."""
    shared: dict[str, list[tuple[bool, str]]] = {}
    own: list[tuple[str, str, bool]] = []
    for item in map(mapping, resources):
        storage, host = text(item.get("storage")), text(item.get("node"))
        if item.get("type") != "storage" or "backup" not in text(item.get("content")).split(","):
            continue
        if not _usable(storage) or not _usable(host):
            continue
        there = item.get("status") in (None, "available")
        if flag(item.get("shared")):
            shared.setdefault(storage, []).append((there, host))
        else:
            own.append((storage, host, there))
    places, problems = [], []
    for storage, hosts in sorted(shared.items()):
        reaching = sorted(host for up, host in hosts if up)
        if reaching:
            places.append(Place(storage, reaching[0]))
        else:
            problems.append(f"storage {storage} is available on no host")
    for storage, host, up in sorted(own):
        if up:
            places.append(Place(storage, host))
        else:
            problems.append(f"storage {storage} of {host} is not available")
    return places, problems


def _usable(name: str) -> bool:
    """Whether a name can stand in a path: it comes from the cluster, and goes back to it."""
    return bool(name) and name.isascii() and all(char.isalnum() or char in "._-" for char in name) and name[0] != "."


def stored(cluster: str, volumes: Iterable[tuple[Place, Any]]) -> tuple[Stored, ...]:
    """The newest backup of each guest and the one before, in whichever storage they are."""
    found: dict[int, list[tuple[int, int, str, str]]] = {}
    for place, listed in volumes:
        for item in map(mapping, elements(listed)):
            vmid, at, size = count(item.get("vmid")), count(item.get("ctime")), count(item.get("size"))
            if vmid is None or at is None or item.get("content") not in (None, "backup"):
                continue
            found.setdefault(vmid, []).append((at, size or 0, text(item.get("volid")), place.storage))
    told = []
    for vmid, made in sorted(found.items()):
        made.sort(reverse=True)
        at, size, volume, storage = made[0]
        # In the same storage: elsewhere the same guest may be packed otherwise.
        before = next((one for one in made[1:] if one[3] == storage), None)
        told.append(
            Stored(
                GUEST, f"{cluster}/{vmid}", at, size, volume, storage,
                before[0] if before else None, before[1] if before else None,
            )
        )  # fmt: skip
    return tuple(told)


def _vmids(listed: Any) -> Iterator[int]:
    for item in map(mapping, elements(listed)):
        vmid = count(item.get("vmid"))
        if vmid is not None:
            yield vmid


def vzdumps(listed: Any) -> tuple[BackupTask, ...]:
    """The vzdump tasks that have ended, the newest first."""
    found = []
    for item in map(mapping, elements(listed)):
        ended = count(item.get("endtime"))
        if item.get("type") == "vzdump" and ended:
            found.append(_task(item, ended))
    return tuple(sorted(found, key=lambda task: -task.ended_at)[:TASKS])


def _task(item: Mapping[str, Any], ended: int) -> BackupTask:
    return BackupTask(text(item.get("node")), count(item.get("id")), ended, safe_words(text(item.get("status"))))
