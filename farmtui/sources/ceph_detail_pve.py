"""Ceph's own word by the Proxmox VE cluster that runs it: the same detail, without a shell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from farmtui.config import CephConfig, ProxmoxConfig
from farmtui.farm.ceph_detail import CephDetail, MonQuorum
from farmtui.farm.reading import FailureKind, Reading
from farmtui.sources import ceph_detail_pve_decode as decode
from farmtui.sources.ceph_detail_decode import NAME, Status, decode_status
from farmtui.sources.ceph_detail_silence import Last, before_silence, same_quorum
from farmtui.sources.errors import SourceError
from farmtui.sources.json_values import text
from farmtui.sources.proxmox_api import PveApi

SLOW_EVERY: Final = 10
"""At every so many polls the questions are asked whose answers hardly ever change; and when Ceph's maps change."""
NODES_TRIED: Final = 6
"""PVE nodes that are asked for Ceph in one poll."""
SILENT_ENOUGH: Final = 2
"""When so many of them get no answer from Ceph, the next would get none either."""

T = TypeVar("T")


class _SilentError(Exception):
    """Ceph gives PVE no answer."""


class _NoCephError(Exception):
    """There is no Ceph on that node."""


@dataclass(frozen=True, slots=True)
class _Slow:
    """What hardly ever changes, as it was told under some maps."""

    maps: tuple[object, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    filesystems: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class CephPveSource:
    """The Ceph of one PVE cluster."""

    kind = "ceph"
    name = "ceph"

    def __init__(
        self,
        config: CephConfig,
        cluster: ProxmoxConfig,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises SecretError where the cluster's reference is not one."""
        self.endpoint = f"proxmox {cluster.name}: {', '.join(cluster.hosts)}"
        self.interval_s = config.interval_s
        self._api = PveApi(cluster, self.name, deadline_s=config.deadline_s, clock=clock, monotonic=monotonic)
        self._cluster = cluster.name
        self._clock = clock
        self._node = ""
        """The node that told last."""
        self._slow = _Slow()
        self._slow_left = 0
        self._mons: tuple[str, ...] = ()
        self._last: Last | None = None

    async def poll(self) -> Reading[CephDetail]:
        """Ask once; API nodes that are down are passed over with a warning. Never raises.

        Where Ceph itself does not answer, the value says so: its health is not known then.
        """
        return await self._api.poll(self._read)

    async def close(self) -> None:
        """Let the threads and connections go."""
        await self._api.close()

    # -- whom to ask ----------------------------------------------------------------------------

    async def _read(self, host: str) -> CephDetail:
        """From one API node, by way of the first node behind it on which Ceph answers."""
        silent: list[str] = []
        down: Exception | None = None
        async for node in self._nodes(host):
            try:
                answer = await self._ask(host, node, "status")
            except _NoCephError:
                continue
            except _SilentError:
                silent.append(node)
                if len(silent) == SILENT_ENOUGH:
                    break
                continue
            except Exception as error:
                if not _not_reached(error):
                    raise
                down = error
                continue
            self._node = node
            return await self._detail(host, node, answer)
        self._node = ""
        if silent:
            return self._silent(silent)
        if down is not None:
            raise down
        raise SourceError(
            FailureKind.CONFIG,
            f"no node of {self._cluster} that is online has Ceph",
            "set ceph.pve to the cluster that runs it, or ask Ceph itself: ceph.via: ssh",
        )

    async def _nodes(self, host: str) -> AsyncIterator[str]:
        """Nodes to ask: the one that told last, then, if that does not, the others."""
        if known := self._node:
            yield known
        found = decode.decode_nodes(await self._api.get(host, "cluster/status"))
        for node in [node for node in found if node != known][:NODES_TRIED]:
            yield node

    async def _ask(self, host: str, node: str, what: str) -> Any:
        """`nodes/NODE/ceph/WHAT`. Raises _SilentError and _NoCephError where PVE's words mean that."""
        try:
            return await self._api.get(host, f"nodes/{node}/ceph/{what}")
        except Exception as error:
            words = text(str(getattr(error, "content", "")), NAME).casefold()
            if "got timeout" in words or ("rados_connect" in words and "timed out" in words):
                raise _SilentError from error
            if "not installed" in words or "not initialized" in words or "not enabled" in words:
                raise _NoCephError from error
            raise

    def _silent(self, nodes: Sequence[str]) -> CephDetail:
        """PVE cannot ask the mons one by one: why there is no answer is not certain."""
        # It asks with a time limit of its own, of five seconds.
        why = (
            f"no answer from the mons on {' and '.join(nodes)}: no quorum, or they are overloaded or cannot be reached"
            " from there; `ceph daemon mon.ID mon_status` on a mon's host tells"
        )
        return before_silence(nodes[0], MonQuorum(self._mons, why=why), self._last)

    # -- what to ask ----------------------------------------------------------------------------

    async def _detail(self, host: str, node: str, answer: Any) -> CephDetail:
        status = await self._api.work(lambda: decode_status(answer, self._clock()))
        problems: list[str] = []
        # Without a mgr these would not end, or tell what the last one has counted.
        counts = status.mgr_available is not False

        async def part(what: str, read: Callable[[Any], T], *, wanted: bool = True) -> T | None:
            return await self._part(host, node, what, read, problems) if wanted else None

        osds, pools, mdss, slow = await asyncio.gather(
            part("osd", decode.decode_osds, wanted=counts),
            part("pool", decode.decode_pve_pools, wanted=counts),
            part("mds", lambda told: (decode.decode_mdss(told, status.ranks), decode.decode_daemons(told, "mds"))),
            self._slowly(host, node, status),
        )
        self._mons = decode.decode_monmap(answer) or self._mons
        mgrs = decode.decode_mgrmap(answer)
        ranks, mds_daemons = mdss or (status.ranks, decode.Daemons((), ()))
        tree, versions = osds or ((), {})
        detail = CephDetail(
            asked=node,
            fsid=status.fsid,
            health=status.health.health,
            checks=status.health.checks,
            quorum=MonQuorum(
                self._mons or status.members,
                status.members,
                since=same_quorum(status.quorum_since, self._last),
            ),
            mgr=mgrs.active,
            mgr_standbys=mgrs.standbys,
            tree=tree,
            ranks=decode.with_names(ranks, slow.filesystems),
            rgws=status.rgws,
            filesystems=slow.filesystems,
            flags=status.health.flags,
            pgs=status.pgs if counts else None,
            pools=pools or (),
            events=status.events if counts else (),
            hosts=tuple(sorted({*slow.hosts, *mds_daemons.hosts})),
            versions=decode.all_versions(slow.versions, mds_daemons.versions, versions.items()),
            problems=(*problems, *slow.problems),
        )  # fmt: skip
        self._last = Last(detail, self._clock())
        return detail

    async def _part(self, host: str, node: str, what: str, read: Callable[[Any], T], problems: list[str]) -> T | None:
        """One answer, read in a thread; what could not be had is put into words."""
        place = f"nodes/{node}/ceph/{what}"
        try:
            told = await self._ask(host, node, what)
            return await self._api.work(lambda: read(told))
        except _SilentError:
            problems.append(f"{place}: no answer in time: the mgr does not answer")
        except _NoCephError:
            problems.append(f"{place}: there is no Ceph any more")
        except Exception as error:  # noqa: BLE001 - the other parts are worth showing
            failure = self._api.failure(error, host)
            problems.append(f"{place}: {failure.what}; {failure.remedy}")
        return None

    async def _slowly(self, host: str, node: str, status: Status) -> _Slow:
        """What hardly ever changes; asked anew now and then, when the maps have changed, and where it failed."""
        if self._slow_left > 0 and status.maps == self._slow.maps and not self._slow.problems:
            self._slow_left -= 1
            return self._slow
        problems: list[str] = []
        mons, mgrs, names = await asyncio.gather(
            self._part(host, node, "mon", lambda told: decode.decode_daemons(told, "mon"), problems),
            self._part(host, node, "mgr", lambda told: decode.decode_daemons(told, "mgr"), problems),
            self._part(host, node, "fs", decode.decode_names, problems),
        )
        lists = [daemons for daemons in (mons, mgrs) if daemons is not None]
        self._slow = _Slow(
            status.maps,
            tuple(entry for daemons in lists for entry in daemons.hosts),
            tuple(entry for daemons in lists for entry in daemons.versions),
            names or (),
            tuple(problems),
        )
        self._slow_left = SLOW_EVERY - 1
        return self._slow


def _not_reached(error: Exception) -> bool:
    """Whether the API node could not reach the node behind it."""
    return getattr(error, "status_code", 0) in range(595, 600)
