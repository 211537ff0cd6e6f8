"""What the simulated machines have in their journals: what each unit says now and then, and what befell it.

It is worked out for any stretch of time from the farm's history, and is the same whenever it is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from farmtui.demo.ssh.commands.units import Unit, units
from farmtui.demo.world.changes import alive
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import OSDS_PER_NODE, STORAGE, Inventory
from farmtui.demo.world.timeline import Epoch

ERR, WARNING, NOTICE, INFO = 3, 4, 5, 6
_PAUSED = 0.02
"""A share of time that flow control takes whenever a node is busy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `usec` is Unix microseconds, and no two of a machine's entries have the same."""

    usec: int
    unit: str
    """Without `.service`; `init` and `kernel` are no units."""
    speaker: str
    pid: int
    priority: int
    message: str


@dataclass(frozen=True, slots=True)
class _Talk:
    """What a unit says every so many seconds, while a condition holds."""

    unit: str
    speaker: str
    pid: int
    every_s: float
    says: Callable[[Condition, int], str]
    """A message, from the condition and a number that is drawn."""
    when: Callable[[Condition], bool] = lambda _now: True
    priority: int = INFO


@dataclass(frozen=True)
class Told:
    """A farm's history, as far as a machine's journal is about it."""

    farm: Inventory
    machine: str
    epochs: Sequence[Epoch]
    """Those that overlap the time that is asked for."""

    def entries(self, start: float, end: float) -> list[Entry]:
        """Everything from `start` to `end` (Unix seconds, without it), the oldest first."""
        found = [*self._talk(start, end), *self._events(start, end)]
        return sorted({entry.usec: entry for entry in found}.values(), key=lambda entry: entry.usec)

    # -- what is said by itself

    def _talk(self, start: float, end: float) -> Iterator[Entry]:
        for place, epoch in enumerate(self.epochs):
            begin = start if place == 0 else max(start, epoch.start)
            until = self.epochs[place + 1].start if place + 1 < len(self.epochs) else end
            if not alive(epoch.condition, self.farm, self.machine):
                continue
            for talk in _talks(self.farm, self.machine):
                if talk.when(epoch.condition):
                    yield from self._said(talk, epoch.condition, begin, min(until, end))

    def _said(self, talk: _Talk, now: Condition, begin: float, end: float) -> Iterator[Entry]:
        for slot in range(int(begin // talk.every_s), int(end // talk.every_s) + 1):
            drawn = _drawn(f"{self.machine} {talk.unit} {talk.every_s} {slot}")
            at = (slot + (drawn % 997) / 997) * talk.every_s
            if begin <= at < end:
                usec = int(at * 1e6) // 1000 * 1000 + drawn % 1000
                yield Entry(usec, talk.unit, talk.speaker, talk.pid, talk.priority, talk.says(now, drawn // 1000))

    # -- what befell it

    def _events(self, start: float, end: float) -> Iterator[Entry]:
        for before, after in pairwise(self.epochs):
            if not start <= after.start < end:
                continue
            events = list(_changed(self.farm, self.machine, before.condition, after.condition))
            for place, (unit, speaker, pid, priority, message) in enumerate(events):
                drawn = _drawn(f"{self.machine} {after.start} {place}") % 1000
                yield Entry(int(after.start * 1e6) + 4_000 * place + drawn, unit, speaker, pid, priority, message)


def _drawn(text: str) -> int:
    return int.from_bytes(hashlib.sha1(text.encode(), usedforsecurity=False).digest()[:6], "big")


def _speaker(unit: Unit) -> tuple[str, int]:
    name, _, pid = unit.speaker.partition("[")
    return name, int(pid.rstrip("]") or 1)


def _one_of(*says: str) -> Callable[[Condition, int], str]:
    return lambda _now, drawn: says[drawn % len(says)].replace("#", str(10_000 + drawn % 50_000))


_EVERYWHERE = (
    _Talk("cron", "CRON", 30_211, 300.0, _one_of("(root) CMD (run-parts --report /etc/cron.hourly)")),
    _Talk(
        "ssh", "sshd", 29_870, 240.0, _one_of(
            "Accepted publickey for ops from 10.20.0.9 port # ssh2: ED25519 SHA256:mN4yZ0q5m0J8uXvT3w",
            "Received disconnect from 10.20.0.9 port #:11: disconnected by user",
            "Connection closed by 10.20.0.9 port # [preauth]",
        ),
    ),
    _Talk(
        "init", "systemd", 1, 600.0, _one_of(
            "Starting sysstat-collect.service - system activity accounting tool...",
            "Finished sysstat-collect.service - system activity accounting tool.",
            "logrotate.service: Deactivated successfully.",
        ),
    ),
    _Talk("chrony", "chronyd", 812, 900.0, _one_of("Selected source 10.20.0.2 (ntp.farm.example)")),
)  # fmt: skip
_LOW = "EXT4-fs warning (device sda1): ext4_claim_free_clusters: low on space"
_PING = ("CLI telnet 127.0.0.1 # 127.0.0.1 6082 Rd ping", "CLI telnet 127.0.0.1 # 127.0.0.1 6082 Wr 200 PONG 1.0")
_SAVING = (
    "10000 changes in 60 seconds. Saving...", "Background saving started by pid #",
    "Background saving terminated with success",
)  # fmt: skip
_EVICTS = "# WARNING: maxmemory reached, evicting keys (allkeys-lru)"
_QUERIES = (
    "[Note] InnoDB: page_cleaner: 1000ms intended loop took # us.",
    "[Warning] Aborted connection # to db: 'wp' user: 'wp' host: '10.20.3.7' (Got timeout reading packets)",
)
_NO_PRIMARY = "[Warning] WSREP: no nodes coming from prim view, prim not possible"
_ENGINE = (
    'level=info msg="ignoring event" module=libcontainerd namespace=moby topic=/tasks/delete',
    'level=info msg="initialized VXLAN UDP port to 4789"',
)
_SCRUBS = ("log_channel(cluster) log [DBG] : 3.1f scrub starts", "log_channel(cluster) log [DBG] : 3.1f scrub ok")


def _talks(farm: Inventory, machine: str) -> Iterator[_Talk]:
    """All that may be said on a machine."""

    def clock(now: Condition, _drawn: int) -> str:
        return f"System clock wrong by {now.clocks[machine]:.6f} seconds"

    def low(now: Condition) -> bool:
        return machine in now.filling and now.filling[machine].v1 > 0

    yield from _EVERYWHERE
    yield _Talk("chrony", "chronyd", 812, 45.0, clock, lambda now: bool(now.clocks.get(machine)), WARNING)
    yield _Talk("kernel", "kernel", 0, 20.0, _one_of(_LOW), low, WARNING)
    for unit in units(farm, machine):
        yield from _of_unit(farm, machine, unit)


def _of_unit(farm: Inventory, machine: str, unit: Unit) -> Iterator[_Talk]:
    speaker, pid = _speaker(unit)
    name = unit.name
    match name.partition("@")[0]:
        case "varnish":
            yield _Talk(name, speaker, pid, 180.0, _one_of(*_PING), unit.runs)
        case "redis-server":
            full = _Talk(name, speaker, pid, 8.0, _one_of(_EVICTS), lambda now: machine in now.redis_full, WARNING)
            yield from (_Talk(name, speaker, pid, 120.0, _one_of(*_SAVING), unit.runs), full)
        case "mariadb":
            yield from _of_mariadb(machine, unit)
        case "ceph-osd":
            yield from _of_osd(farm, name, unit)
        case "docker":
            yield _Talk(name, "dockerd", 955, 45.0, _one_of(*_ENGINE), unit.runs)
            yield _Talk(name, "dockerd", 955, 7.0, _task_ended, lambda now: bool(now.swarm.failing), ERR)
        case "pveproxy":
            yield _Talk(name, "pveproxy", 2_110, 60.0, _one_of("worker # finished", "worker # started"))


def _task_ended(_now: Condition, drawn: int) -> str:
    return f'level=error msg="fatal task error" error="task: non-zero exit (255)" task.id={drawn % 10**9:09x}wp'


def _of_mariadb(machine: str, unit: Unit) -> Iterator[_Talk]:
    speaker, pid = _speaker(unit)

    def paused(now: Condition, drawn: int) -> str:
        share = 100 * now.databases[machine].paused
        return f"[Note] WSREP: flow control: paused {share:.0f} % of the time, recv queue {40 + drawn % 200}"

    def is_paused(now: Condition) -> bool:
        return unit.runs(now) and now.databases[machine].paused > _PAUSED

    def alone(now: Condition) -> bool:
        return unit.runs(now) and not now.primary

    yield _Talk(unit.name, speaker, pid, 90.0, _one_of(*_QUERIES), unit.runs)
    yield _Talk(unit.name, speaker, pid, 6.0, paused, is_paused, WARNING)
    yield _Talk(unit.name, speaker, pid, 10.0, _one_of(_NO_PRIMARY), alone, WARNING)


def _of_osd(farm: Inventory, name: str, unit: Unit) -> Iterator[_Talk]:
    number = int(name.partition("@")[2])
    speaker, pid = _speaker(unit)
    hosts = [machine.name for machine in farm.tiers[STORAGE]]

    def silent(now: Condition) -> list[int]:
        """The OSDs that do not answer their fellows, unless they are among those that the mons know to be out."""
        return [
            osd for osd, told in enumerate(now.ceph.osds)
            if osd != number and told.is_in and (not told.up or not alive(now, farm, hosts[osd // OSDS_PER_NODE]))
        ]  # fmt: skip

    def no_reply(now: Condition, drawn: int) -> str:
        gone = silent(now)
        osd = gone[drawn % len(gone)]
        return (
            f"osd.{number} 815 heartbeat_check: no reply from 10.20.5.{osd + 11}:6804 osd.{osd} ever on either front or"
            " back, first ping sent (oldest deadline)"
        )

    def slow(now: Condition, _drawn: int) -> str:
        return f"osd.{number} 815 get_health_metrics reporting {now.ceph.slow_ops} slow ops, oldest is osd_op(3.1f)"

    def is_slow(now: Condition) -> bool:
        return unit.runs(now) and now.ceph.slow_ops > 0 and number == 0

    yield _Talk(name, speaker, pid, 240.0, _one_of(*_SCRUBS), unit.runs)
    yield _Talk(name, speaker, pid, 9.0, no_reply, lambda now: unit.runs(now) and bool(silent(now)), ERR)
    yield _Talk(name, speaker, pid, 11.0, slow, is_slow, WARNING)


Event = tuple[str, str, int, int, str]


def _changed(farm: Inventory, machine: str, before: Condition, after: Condition) -> Iterator[Event]:
    """What the journal has of the step from one condition to the next."""
    was, lives = alive(before, farm, machine), alive(after, farm, machine)
    if was and not lives:
        yield "init", "systemd", 1, INFO, "Shutting down."
        return
    if lives and not was:
        yield "kernel", "kernel", 0, NOTICE, "Linux version 6.12.48+deb13-cloud-amd64"
        yield "init", "systemd", 1, INFO, "Startup finished in 2.114s (kernel) + 9.871s (userspace) = 11.985s."
    if not lives:
        return
    for unit in units(farm, machine):
        yield from _unit_changed(unit, before, after)
    if machine in after.varnish:
        yield from _varnish_changed(machine, before, after)
    if machine in after.databases and after.databases[machine].running:
        yield from _galera_changed(machine, before, after)


def _unit_changed(unit: Unit, before: Condition, after: Condition) -> Iterator[Event]:
    speaker, pid = _speaker(unit)
    name = f"{unit.name}.service"
    if unit.runs(before) and not unit.runs(after):
        if unit.crashes:
            yield unit.name, speaker, pid, ERR, unit.died
            yield unit.name, "systemd", 1, WARNING, f"{name}: Failed with result 'signal'."
        else:
            yield unit.name, "systemd", 1, INFO, f"Stopped {name} - {unit.about}."
    elif unit.runs(after) and not unit.runs(before):
        yield unit.name, "systemd", 1, INFO, f"Started {name} - {unit.about}."
        for words in unit.says:
            yield unit.name, speaker, pid, INFO, words


def _varnish_changed(machine: str, before: Condition, after: Condition) -> Iterator[Event]:
    old, new = before.varnish[machine], after.varnish[machine]
    if new.deaths > old.deaths:
        pid = 1_300 + new.deaths
        yield "varnish", "varnishd", 1_204, ERR, f"Child ({pid}) died signal=6"
        yield "varnish", "varnishd", 1_204, ERR, (
            f"Child ({pid}) Panic at: Assert error in VBT_Wait(), cache/cache_backend_tcp.c line 329"
        )  # fmt: skip
        yield "varnish", "varnishd", 1_204, INFO, "Child cleanup complete"
        yield "varnish", "varnishd", 1_204, INFO, f"Child ({pid + 1}) Started"
        yield "varnish", "varnishd", 1_204, INFO, f"Child ({pid + 1}) said Child starts"
    if len(new.bans) > len(old.bans):
        yield "varnish", "varnishd", 1_204, INFO, f"CLI telnet 127.0.0.1 Rd ban {new.bans[-1][1]}"


def _galera_changed(machine: str, before: Condition, after: Condition) -> Iterator[Event]:
    words = {0: "CLOSED", 1: "JOINER", 2: "DONOR/DESYNCED", 3: "JOINED", 4: "SYNCED"}
    old, new = before.databases[machine].state, after.databases[machine].state
    if old != new:
        yield "mariadb", "mariadbd", 1_377, INFO, f"[Note] WSREP: Shifting {words[old]} -> {words[new]}"
    gone = [n for n, d in after.databases.items() if not d.running and before.databases[n].running]
    for name in gone:
        yield "mariadb", "mariadbd", 1_377, WARNING, f"[Note] WSREP: forgetting {name} (tcp://{name}:4567)"
    if after.members != before.members or gone:
        yield "mariadb", "mariadbd", 1_377, WARNING, f"[Note] WSREP: New cluster view: members({after.members})"
    if before.primary and not after.primary:
        yield "mariadb", "mariadbd", 1_377, ERR, "[Note] WSREP: Received NON-PRIMARY."
