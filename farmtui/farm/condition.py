"""How one machine is, and why: what its provider says of its power against what answers on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from farmtui.farm.machines import Machine
from farmtui.farm.node import Exporter, Guest, HostMetrics, Provider, PveHost
from farmtui.farm.state import Severity
from farmtui.farm.units import age, duration, percent

DISK_WARNING, DISK_CRITICAL = 0.90, 0.95
"""Of the fullest filesystem: a full disk stops a database or a log within minutes."""
MEMORY_WARNING, MEMORY_CRITICAL = 0.90, 0.97
"""Of memory not available to a new process (MemAvailable): beyond, the kernel begins to kill."""
CPU_WARNING, CPU_CRITICAL = 0.90, 0.98
"""Busy over five minutes; steal and waiting for disks do not count."""
CLOCK_OFFSET_S: Final = 0.5
"""Ceph's mons complain from 0.05 s, TLS and TOTP fail from minutes; half a second says that NTP has lost it."""
OLD_METRICS_S: Final = 300.0
"""Figures older than this say nothing of now: `rate[5m]` has run dry."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which sources' answers are young enough to judge by; a source that is not configured is not there to trust."""

    prometheus: bool = True
    proxmox: Mapping[str, bool] = field(default_factory=dict)
    """By cluster name; one that is missing is trusted."""
    digitalocean: bool = True
    watched: bool = True
    """Whether Prometheus is configured at all: without it nobody misses an exporter."""
    complete: bool = True
    """Whether all sources that know machines are trusted: else one that is missing may only be out of sight."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A machine's state. `off` is switched off by somebody; it is a fault only where its tier lacks it."""

    state: Severity
    reasons: tuple[str, ...]
    serving: bool
    power: str
    off: bool = False


Reasons = list[tuple[Severity, str]]


def condition_of(machine: Machine, offline_hosts: frozenset[tuple[str, str]], trust: Trust, now: datetime) -> Condition:
    """The state of one machine. `offline_hosts` are (cluster, host) of PVE hosts that are known not to be online."""
    exporters = exporters_of(machine)
    up = sum(exporter.up for exporter in exporters)
    answers = trust.prometheus and up > 0
    silent = trust.prometheus and bool(exporters) and up == 0
    reasons: Reasons = []
    power, trusted, off, serving = _power(machine, offline_hosts, trust, answers, silent, reasons)
    if off:
        serving = answers
        if silent:
            reasons.append((Severity.WARNING, "Prometheus still asks for it"))
    elif serving:
        serving = not silent
        _exporters(machine, exporters, trust, now, reasons, silent=silent, powered=bool(power))
        if answers:
            _measured(metrics_of(machine), now, reasons)
    if not (trusted or answers or silent):
        reasons.append((Severity.UNKNOWN, _why_unknown(machine, trust)))
    elif exporters and not trust.prometheus and not off:
        reasons.append((Severity.UNKNOWN, "Prometheus gives no fresh figures of it"))
    if not reasons:
        return Condition(Severity.OK, (), serving, power, off)
    reasons.sort(key=lambda reason: -reason[0])
    return Condition(reasons[0][0], tuple(text for _, text in reasons), serving, power, off)


def exporters_of(machine: Machine) -> tuple[Exporter, ...]:
    """All scrape targets on the machine."""
    if len(machine.views) == 1:
        return machine.views[0].exporters
    return tuple(exporter for view in machine.views for exporter in view.exporters)


def provider_of(machine: Machine) -> tuple[Provider, str]:
    """Who runs it, and where: the PVE host, the PVE cluster for a host itself, or the DO region."""
    if machine.guest is not None:
        return Provider.PROXMOX, machine.guest.host
    if machine.droplet is not None:
        return Provider.DIGITALOCEAN, machine.droplet.region
    if machine.host is not None:
        return Provider.PROXMOX, machine.host.cluster
    return Provider.NONE, ""


def metrics_of(machine: Machine) -> HostMetrics:
    """The node exporter's figures, the newest if there are several; else what the provider measures from outside."""
    measured = [(view.metrics.seen_at, view.metrics) for view in machine.views if view.metrics.seen_at is not None]
    if measured:
        return max(measured, key=lambda pair: pair[0])[1]
    outside: Guest | PveHost | None = machine.guest or machine.host
    if outside is None or outside.memory_max_bytes is None:
        return machine.views[0].metrics if machine.views else _NOT_MEASURED
    used = outside.memory_bytes
    return HostMetrics(
        cpu_ratio=outside.cpu_ratio,
        memory_ratio=used / outside.memory_max_bytes if used is not None and outside.memory_max_bytes else None,
        memory_bytes=outside.memory_max_bytes,
        uptime_s=outside.uptime_s,
    )


_NOT_MEASURED = HostMetrics()
SWITCHED_OFF: Final = "switched off"
"""So begins the reason of a machine that its provider says is off."""
_ON = frozenset({"running", "online", "active"})


def _power(
    machine: Machine,
    offline_hosts: frozenset[tuple[str, str]],
    trust: Trust,
    answers: bool,
    silent: bool,
    reasons: Reasons,
) -> tuple[str, bool, bool, bool]:
    """The provider's word, whether it is to be trusted, whether it means switched off, and whether it may serve."""
    guest, host, droplet = machine.guest, machine.host, machine.droplet
    if guest is not None:
        trusted = trust.proxmox.get(guest.cluster, True)
        if not trusted:
            return guest.status, False, False, True
        if (guest.cluster, guest.host) in offline_hosts or guest.status == "unknown":
            where = f"its PVE host {guest.host} is offline" if guest.host else "PVE does not know its state"
            return guest.status, True, False, _lost(where, answers, silent, reasons)
        if guest.lock:
            reasons.append((Severity.INFO, f"PVE has it locked: {guest.lock}"))
        return guest.status, True, *_switched(guest.status, "PVE", answers, reasons)
    if droplet is not None:
        trusted = trust.digitalocean
        if not trusted:
            return droplet.status, False, False, True
        return droplet.status, True, *_switched(droplet.status, "DigitalOcean", answers, reasons)
    if host is not None:
        trusted = trust.proxmox.get(host.cluster, True)
        if trusted and host.status != "online":
            where = f"PVE says that this host is {host.status}"
            return host.status, True, False, _lost(where, answers, silent or host.status == "offline", reasons)
        return host.status, trusted, False, True
    return "", False, False, True


def _switched(status: str, who: str, answers: bool, reasons: Reasons) -> tuple[bool, bool]:
    """Whether it is off, and whether it may serve."""
    if status in _ON:
        return False, True
    if status in ("stopped", "off", "archive"):
        if answers:
            reasons.append((Severity.WARNING, f"{who} says {status}, yet it answers: is it the same machine?"))
        else:
            reasons.append((Severity.INFO, f"{SWITCHED_OFF} ({who} says {status})"))
        return True, False
    if status == "new":
        reasons.append((Severity.INFO, "is being created"))
        return False, answers
    reasons.append((Severity.WARNING, f"{who} says {status}"))
    return False, answers


def _lost(where: str, answers: bool, silent: bool, reasons: Reasons) -> bool:
    """A machine whose host is gone: unknown, unless its exporters say more. Gives whether it serves."""
    if answers:
        reasons.append((Severity.WARNING, f"{where}, yet it answers"))
    elif silent:
        reasons.append((Severity.CRITICAL, f"{where}, and nothing on it answers"))
    else:
        reasons.append((Severity.UNKNOWN, where))
    return answers


def _exporters(
    machine: Machine,
    exporters: tuple[Exporter, ...],
    trust: Trust,
    now: datetime,
    reasons: Reasons,
    *,
    silent: bool,
    powered: bool,
) -> None:
    if silent:
        what = "its exporter does" if len(exporters) == 1 else f"all {len(exporters)} exporters do"
        reasons.append((Severity.CRITICAL, f"{'it runs, but ' if powered else ''}{what} not answer"))
        return
    if not exporters:
        if powered and trust.watched and trust.prometheus:
            reasons.append((Severity.INFO, "Prometheus does not watch it"))
        return
    if not trust.prometheus:
        return
    for exporter in exporters:
        if not exporter.up:
            text = f"exporter {exporter.job or exporter.instance} does not answer"
            seen_at = metrics_of(machine).seen_at if "node" in exporter.job.casefold() else None
            if seen_at is not None and (gone_s := (now - seen_at).total_seconds()) >= 1:
                text += f", last heard {age(gone_s)} ago"
            reasons.append((Severity.WARNING, text))


def _measured(metrics: HostMetrics, now: datetime, reasons: Reasons) -> None:
    if metrics.seen_at is not None and (now - metrics.seen_at).total_seconds() > OLD_METRICS_S:
        return
    disk, memory, cpu = metrics.disk_ratio, metrics.memory_ratio, metrics.cpu_ratio
    if disk is not None and disk >= DISK_WARNING:
        reasons.append((_beyond(disk, DISK_CRITICAL), f"its fullest disk is {percent(disk)} full"))
    if memory is not None and memory >= MEMORY_WARNING:
        reasons.append((_beyond(memory, MEMORY_CRITICAL), f"memory {percent(memory)} used"))
    if cpu is not None and cpu >= CPU_WARNING:
        reasons.append((_beyond(cpu, CPU_CRITICAL), f"CPU {percent(cpu)} busy"))
    if metrics.clock_offset_s is not None and abs(metrics.clock_offset_s) > CLOCK_OFFSET_S:
        reasons.append((Severity.WARNING, f"its clock is off by {duration(abs(metrics.clock_offset_s))}"))


def _beyond(value: float, critical: float) -> Severity:
    return Severity.CRITICAL if value >= critical else Severity.WARNING


def _why_unknown(machine: Machine, trust: Trust) -> str:
    if machine.guest is not None or machine.host is not None:
        return "Proxmox gives no fresh answer about it"
    if machine.droplet is not None:
        return "DigitalOcean gives no fresh answer about it"
    if machine.views:
        return "Prometheus gives no fresh figures of it"
    return "only the config names it: no source has sighted it"
