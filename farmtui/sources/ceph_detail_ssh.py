"""Ceph's own word by the ceph command over SSH, from the first host on which it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from farmtui.config import CephConfig
from farmtui.farm.ceph_detail import CephDetail, MdsRank, MonQuorum, OsdPlace
from farmtui.farm.reading import Failure, FailureKind, Reading
from farmtui.sources import ceph_detail_commands as commands
from farmtui.sources.ceph_cli import CephCli, SilentError
from farmtui.sources.ceph_detail_decode import NAME, Status, decode_health, decode_status, named_filesystems
from farmtui.sources.ceph_detail_silence import Last, same_quorum, silent_detail
from farmtui.sources.errors import SourceError
from farmtui.sources.failover import Failover
from farmtui.sources.failures import failure_of
from farmtui.sources.json_values import text
from farmtui.sources.ssh import Remote

SLOW_EVERY: Final = 10
"""At every so many polls the questions are asked whose answers hardly ever change; and when Ceph's maps change."""
SILENT_ENOUGH: Final = 2
"""When Ceph does not answer on so many hosts, it is not asked on the next: each takes its time."""
HOSTS_TRIED: Final = 5
"""Hosts on which the mons themselves are asked then."""

OF_THE_MGR: Final = ("osd df", "fs status")
"""What the mons pass on to the mgr; all else they answer themselves."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Slow:
    """What hardly ever changes, as it was told under some maps."""

    maps: tuple[object, ...] = ()
    mons: commands.Mons | None = None
    hosts: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    problems: tuple[str, ...] = ()


class CephSshSource:
    """One cluster."""

    kind = "ceph"
    name = "ceph"

    def __init__(
        self,
        config: CephConfig,
        remote: Remote,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`remote` may be shared with other sources: all of them are closed together."""
        self.endpoint = ", ".join(f"ssh {host}" for host in config.hosts)
        self.interval_s = config.interval_s
        self._deadline_s = config.deadline_s
        self._cli = CephCli(config, remote)
        self._clock = clock
        self._failover = Failover(config.hosts, monotonic=monotonic)
        self._hosts = tuple(config.hosts)
        self._remote = remote
        self._silent: dict[str, str] = {}
        """Hosts on which Ceph has not answered in this poll, with the words for that."""
        self._slow = _Slow()
        self._slow_left = 0
        self._last: Last | None = None

    async def poll(self) -> Reading[CephDetail]:
        """Ask once; hosts that are down are passed over with a warning. Never raises.

        Where Ceph itself does not answer, the value says so: its health is not known then.
        """
        began = time.perf_counter()
        self._cli.asked, self._silent = 0, {}
        asked = await self._failover.ask(self._read, self._failure)
        value, failure, told = asked.value, asked.failure, asked.warnings
        if value is not None:
            self._last = Last(value, self._clock())
        elif self._silent:
            # That is an answer, and the worst one.
            value, failure, told = await self._why_silent(), None, ()
        told = (*told, *value.problems) if value is not None else told
        return Reading(value, self._clock(), time.perf_counter() - began, failure, told, self._cli.asked)

    async def close(self) -> None:
        """The connections are the pool's."""
        await self._remote.close()

    # -- whom to ask ----------------------------------------------------------------------------

    async def _read(self, host: str) -> CephDetail:
        if len(self._silent) >= SILENT_ENOUGH:
            raise SilentError(FailureKind.TIMEOUT, "not asked: Ceph has not answered on others", "")
        status = decode_status(await self._cli.ask(host, "status"), self._clock())
        return await self._detail(host, status)

    def _failure(self, error: Exception, host: str) -> Failure:
        if isinstance(error, SilentError) and len(self._silent) < SILENT_ENOUGH:
            self._silent[host] = error.what
        # What the connections say for themselves names the host already.
        knows = isinstance(error, SourceError) and error.what.startswith(f"{host}: ")
        return failure_of(error, source=self.name, where="" if knows else host, deadline_s=self._deadline_s)

    @property
    def _mons(self) -> tuple[str, ...]:
        """All mons of the map, as it was last told."""
        return self._slow.mons.names if self._slow.mons else ()

    async def _why_silent(self) -> CephDetail:
        """What the mons say of themselves, at their admin sockets."""
        states: dict[str, commands.MonState] = {}
        refused: list[str] = []

        async def ask(host: str) -> None:
            try:
                found = [commands.decode_mon_state(answer) for answer in await self._cli.mon_states(host)]
                states.update((state.name, state) for state in found)
            except SourceError as error:
                refused.append(error.what if error.what.startswith(host) else f"{host}: {error.what}")

        await asyncio.gather(*(ask(host) for host in self._hosts[:HOSTS_TRIED]))
        return silent_detail(
            self._silent, [states[name] for name in sorted(states)], sorted(refused), self._mons, self._last
        )

    # -- what to ask ----------------------------------------------------------------------------

    async def _detail(self, host: str, status: Status) -> CephDetail:
        """All the rest, from a host on which Ceph answers."""
        problems: list[str] = []
        # Without a mgr these would not end, or tell what the last one has counted.
        counts = status.mgr_available is not False

        silence: list[SilentError] = []

        async def part(words: str, read: Callable[[Any], T], *, wanted: bool = True) -> T | None:
            if not wanted or silence:
                return None
            try:
                answer = await self._cli.ask(host, words)
                return await asyncio.to_thread(read, answer)
            except SilentError as error:
                if words not in OF_THE_MGR:
                    # The mons have answered just before: they have lost each other since.
                    silence.append(error)
                else:
                    problems.append(f"{error.what} on {host}: the mgr does not answer")
            except SourceError as error:
                problems.append(_problem(words, error, host))
            return None

        async def tree() -> tuple[OsdPlace, ...]:
            found = await part("osd tree", commands.decode_tree) or ()
            return await part("osd df", lambda told: commands.with_usage(found, told), wanted=counts) or found

        health, places, pools, active, fs, slow = await asyncio.gather(
            part("health detail", decode_health),
            tree(),
            part("df", commands.decode_pools, wanted=counts),
            part("mgr stat", commands.decode_active_mgr),
            part("fs status", commands.decode_filesystems, wanted=counts),
            self._slowly(host, status),
        )
        if silence:
            raise silence[0]
        health = health or status.health
        quorum = MonQuorum(
            self._mons or status.members,
            status.members,
            slow.mons.leader if slow.mons else "",
            since=same_quorum(status.quorum_since, self._last),
        )
        mgrs = [daemon.removeprefix("mgr.") for daemon, _ in slow.hosts if daemon.startswith("mgr.")]
        return CephDetail(
            asked=host,
            fsid=status.fsid,
            health=health.health,
            checks=health.checks,
            quorum=quorum,
            mgr=active,
            mgr_standbys=tuple(name for name in mgrs if name != active) if active else (),
            tree=places,
            ranks=_ranks(status, fs, slow.hosts),
            rgws=status.rgws,
            filesystems=tuple(name for name, _ in fs.clients) if fs else (),
            flags=health.flags,
            pgs=status.pgs if counts else None,
            pools=pools or (),
            events=status.events if counts else (),
            hosts=slow.hosts,
            versions=slow.versions,
            problems=(*problems, *slow.problems),
        )

    async def _slowly(self, host: str, status: Status) -> _Slow:
        """What hardly ever changes; asked anew now and then, when the maps have changed, and where it failed."""
        if self._slow_left > 0 and status.maps == self._slow.maps and not self._slow.problems:
            self._slow_left -= 1
            return self._slow
        problems: list[str] = []

        async def part(words: str, read: Callable[[Any], T]) -> T | None:
            try:
                return read(await self._cli.ask(host, words))
            except SourceError as error:
                problems.append(_problem(words, error, host))
            return None

        mons, places, versions = await asyncio.gather(
            part("quorum_status", commands.decode_mons),
            part("node ls", commands.decode_places),
            part("versions", commands.decode_versions),
        )
        hosts = tuple(sorted((places or {}).items()))
        self._slow = _Slow(status.maps, mons, hosts, versions or (), tuple(problems))
        self._slow_left = SLOW_EVERY - 1
        return self._slow


def _problem(words: str, error: SourceError, host: str) -> str:
    what = error.what.removeprefix(f"ceph {words}").removeprefix(":").strip()
    return text(f"ceph {words} on {host}: {what}; {error.remedy}", 4 * NAME)


def _ranks(status: Status, fs: commands.FsStatus | None, hosts: Sequence[tuple[str, str]]) -> tuple[MdsRank, ...]:
    """Every MDS: `fs status` knows standbys and clients, the status which is laggy, and of which file system it is."""
    if fs is None:
        # The mgr does not tell. Who runs without a rank stands by, if there are as many as the mons count.
        known_ranks = {mds.name for mds in status.ranks}
        mdss = [daemon.removeprefix("mds.") for daemon, _ in hosts if daemon.startswith("mds.")]
        idle = [MdsRank("", None, name, "standby") for name in mdss if name not in known_ranks]
        ranks = named_filesystems(status.ranks, ())
        return (*ranks, *idle) if len(idle) == status.standbys else ranks
    known = {mds.name: mds for mds in status.ranks}
    found = []
    for mds in fs.ranks:
        also = known.get(mds.name)
        state = also.state if also is not None and also.laggy else mds.state
        found.append(replace(mds, filesystem=also.filesystem if also else "", state=state))
    return named_filesystems(found, fs.clients)
