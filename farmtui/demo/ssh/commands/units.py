"""systemd's units on the simulated machines: which there are, whether each runs, and what starting and stopping do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from farmtui.demo.world.ceph_changes import MdsFails, MgrFails, OsdStart, OsdStop
from farmtui.demo.world.changes import (
    Change,
    ClockOff,
    DatabaseStart,
    DatabaseStop,
    FlowControl,
    Interconnect,
    PrometheusDelay,
    VarnishStart,
    VarnishStop,
)
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import (
    APP,
    CACHE,
    DATABASE,
    EDGE,
    MONITORING,
    MONS,
    OSDS_PER_NODE,
    STORAGE,
    Inventory,
)
from farmtui.demo.world.service_changes import BackedUp, UnitStart, UnitStop


@dataclass(frozen=True, slots=True)
class Unit:
    """One service of one machine. Seconds are those that starting and stopping take."""

    name: str
    about: str
    speaker: str
    """Who is named in the journal, with a pid."""
    runs: Callable[[Condition], bool]
    since: Callable[[Condition], float | None]
    """When it was started or has ended, Unix seconds; None where nobody has noted it."""
    stop: Sequence[Change]
    start: Sequence[Change]
    start_s: float = 1.0
    stop_s: float = 0.3
    says: Sequence[str] = ()
    died: str = "Main process exited, code=killed, status=9/KILL"
    aliases: Sequence[str] = ()
    crashes: bool = False
    """Whether it is by itself that it ends, where it has ended."""
    once: bool = False
    """A job that ends by itself (Type=oneshot)."""
    kept: bool = False
    """That nobody may stop: the world knows no machine without it."""
    needs: Callable[[Condition], bool] = lambda _now: True
    """Whether starting it comes to an end at all."""


def unit_named(farm: Inventory, machine: str, name: str) -> Unit | None:
    """A machine's unit by its name, with or without `.service`."""
    wanted = name.removesuffix(".service")
    return next((unit for unit in units(farm, machine) if wanted == unit.name or wanted in unit.aliases), None)


def units(farm: Inventory, machine: str) -> Iterator[Unit]:
    """The units of a machine or PVE host."""
    tier = farm.by_name[machine].tier if machine in farm.by_name else ""
    yield _plain(
        machine, "prometheus-node-exporter", "Prometheus exporter for machine metrics", aliases=["node_exporter"]
    )
    yield _plain(machine, "chrony", "chrony, an NTP client/server", also=[ClockOff(machine, 0.0)], aliases=["chronyd"])
    yield _plain(machine, "ssh", "OpenBSD Secure Shell server", kept=True, aliases=["sshd"])
    yield _plain(machine, "cron", "Regular background program processing daemon")
    if tier == CACHE:
        yield _varnish(machine)
        yield _plain(machine, "redis-server", "Advanced key-value store", aliases=["redis"])
    elif tier == DATABASE:
        yield _mariadb(machine)
    elif tier == STORAGE:
        yield from _ceph(farm, machine)
    elif tier in (EDGE, APP):
        yield _plain(machine, "docker", "Docker Application Container Engine", start_s=3.0)
    elif tier == MONITORING:
        prometheus_here = machine == farm.tiers[MONITORING][0].name
        if prometheus_here:
            yield _plain(machine, "prometheus", "Monitoring system", also=[PrometheusDelay(0.0)], start_s=3.0)
        yield _plain(machine, "prometheus-alertmanager", "Alertmanager", aliases=["alertmanager"])
        yield _backup(machine)
    elif not tier:
        yield _plain(machine, "pvedaemon", "PVE API Daemon")
        yield _plain(machine, "pveproxy", "PVE API Proxy Server")
    if tier == EDGE or not tier:
        yield _plain(machine, "wg-quick@wg0", "WireGuard via wg-quick(8) for wg0", also=[Interconnect()])


def _plain(
    machine: str,
    name: str,
    about: str,
    *,
    also: Sequence[Change] = (),
    aliases: Sequence[str] = (),
    start_s: float = 1.0,
    kept: bool = False,
) -> Unit:
    """A unit of which the world only knows whether it was stopped; starting it does `also` what is given."""
    return Unit(
        name=name,
        about=about,
        speaker=f"{name.partition('@')[0]}[812]",
        runs=lambda now: (machine, name) not in now.stopped_units,
        since=lambda now: now.stopped_units.get((machine, name), now.booted.get(machine)),
        stop=[UnitStop(machine, name)],
        start=[UnitStart(machine, name), *also],
        start_s=start_s,
        aliases=aliases,
        kept=kept,
    )


def _varnish(machine: str) -> Unit:
    return Unit(
        name="varnish",
        about="Varnish Cache, a high-performance HTTP accelerator",
        speaker="varnishd[1204]",
        runs=lambda now: now.varnish[machine].running,
        since=lambda now: now.varnish[machine].started,
        stop=[VarnishStop(machine)],
        start=[VarnishStart(machine)],
        start_s=2.0,
        says=["Platform: Linux,6.12.48+deb13-cloud-amd64,x86_64,-junix,-smalloc,-sdefault,-hcritbit", "Child Started"],
        died="Child died signal=9",
        aliases=["varnishd"],
    )


def _mariadb(machine: str) -> Unit:
    return Unit(
        name="mariadb",
        about="MariaDB 10.11.14 database server",
        speaker="mariadbd[1377]",
        runs=lambda now: now.databases[machine].running,
        since=lambda now: now.databases[machine].started if now.databases[machine].running else None,
        stop=[DatabaseStop(machine)],
        # What it had to apply it gets anew from a donor: it holds up nobody any more.
        start=[FlowControl(machine, 0.0), DatabaseStart(machine)],
        start_s=5.0,
        stop_s=2.0,
        says=[
            "[Note] WSREP: Member 1.0 synced with group.",
            "[Note] WSREP: Shifting JOINED -> SYNCED",
            "[Note] WSREP: Synchronized with group, ready for connections",
        ],
        died="[ERROR] mysqld got signal 9",
        aliases=["mysql", "mysqld"],
        crashes=True,
        needs=lambda now: now.primary,
    )


def _backup(machine: str) -> Unit:
    return Unit(
        name="farm-backup",
        about="Nightly backup of the sites",
        speaker="farm-backup[20411]",
        runs=lambda now: now.backup,
        since=lambda _now: None,
        stop=[],
        start=[BackedUp()],
        start_s=8.0,
        says=["sites: 500 databases, 500 uploads", "checked: the archive can be read"],
        died="archive cannot be read back",
        once=True,
    )


def _ceph(farm: Inventory, machine: str) -> Iterator[Unit]:
    place = [m.name for m in farm.tiers[STORAGE]].index(machine)
    for osd in range(place * OSDS_PER_NODE, (place + 1) * OSDS_PER_NODE):
        yield Unit(
            name=f"ceph-osd@{osd}",
            about=f"Ceph object storage daemon osd.{osd}",
            speaker=f"ceph-osd[{2000 + osd}]",
            runs=lambda now, osd=osd: osd not in now.ceph.stopped,  # type: ignore[misc]
            since=lambda now, osd=osd: now.ceph.osds[osd].since,  # type: ignore[misc]
            stop=[OsdStop(osd)],
            start=[OsdStart(osd)],
            start_s=3.0,
            says=[f"osd.{osd} 812 done with init, starting boot process", f"osd.{osd} 813 state: booting -> active"],
            crashes=True,
        )
    if place >= MONS:
        return
    yield _plain(machine, f"ceph-mon@{machine}", "Ceph cluster monitor daemon", kept=True)
    yield _plain(machine, f"ceph-mgr@{machine}", "Ceph cluster manager daemon", also=[MgrFails(machine)], kept=True)
    yield _plain(machine, f"ceph-mds@{machine}", "Ceph metadata server daemon", also=[MdsFails(machine)], kept=True)
