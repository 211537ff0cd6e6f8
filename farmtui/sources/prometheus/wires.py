"""Figures as what measures networks: probes, tunnels, interfaces, and where Ceph's daemons sit."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from farmtui.farm.networks import CephSeat, Hop, Interface, ProbedBy, Tunnel, Wires
from farmtui.sources.prometheus.decode import Key
from farmtui.sources.prometheus.figures import Figures
from farmtui.sources.prometheus.hosts import host_part

HOPS: Final = 1_000
"""Probes kept: a mesh in which each machine pings each other one has millions."""
TUNNELS: Final = 1_000
ADDRESSES: Final = 8
"""Kept of one interface."""
_KEY_CHARACTERS: Final = 8
_NEVER_S: Final = 1e9


def wires(figures: Figures) -> Wires:
    """All that the figures tell of networks; empty where nothing measures any."""
    return Wires(
        hops=_told_apart([*_probes(figures), *_pings(figures)][:HOPS]),
        interfaces=tuple(_interfaces(figures)),
        tunnels=tuple(_tunnels(figures))[:TUNNELS],
        ceph=tuple(_seats(figures)),
    )


def _probes(figures: Figures) -> Iterator[Hop]:
    """A blackbox exporter's: by their round trip where it is a ping, else by how long the probe took."""
    for key, up in sorted(figures.rows("probe.up").items()):
        instance, job = key
        rtt_s = figures.rows("probe.rtt_s").get(key)
        ping = key in figures.rows("probe.worst_s")
        took_s = rtt_s if ping else figures.rows("probe.duration_s").get(key)
        yield Hop(
            instance=instance,
            up=up > 0,
            # A probe that failed took as long as its patience: that is no latency.
            latency_s=_number(took_s) if up > 0 else None,
            loss_ratio=_number(figures.rows("probe.loss_ratio").get(key)),
            loss_now_ratio=_number(figures.rows("probe.loss_now_ratio").get(key)),
            seen_at=figures.seen("probe", instance),
            worst_s=_number(figures.rows("probe.worst_s").get(key)) if up > 0 else None,
            by=ProbedBy.ICMP if ping else ProbedBy.BLACKBOX,
            job=job,
            target=host_part(instance) or instance,
        )


def _pings(figures: Figures) -> Iterator[Hop]:
    """A smokeping_prober's. Until it has pinged for a while its ratios are not numbers: then nothing is known."""
    loss = figures.rows("ping.loss_ratio")
    for key, ratio in sorted(loss.items()):
        source, job, host, ip = key
        answers = _number(figures.rows("ping.answers_per_s").get(key))
        if math.isnan(ratio) and answers is None:
            continue
        up = answers > 0 if answers is not None else ratio < 1
        yield Hop(
            instance=host or ip,
            up=up,
            latency_s=_number(figures.rows("ping.median_s").get(key)) if up else None,
            loss_ratio=_number(ratio),
            loss_now_ratio=_number(figures.rows("ping.loss_now_ratio").get(key)),
            seen_at=figures.seen("ping", source),
            worst_s=_number(figures.rows("ping.p99_s").get(key)) if up else None,
            by=ProbedBy.SMOKEPING,
            job=job,
            target=ip or host,
        )


def _told_apart(hops: list[Hop]) -> tuple[Hop, ...]:
    """No two of one name: what is probed twice is named with its job, and with a number at last."""
    names = Counter(hop.instance for hop in hops)
    found: list[Hop] = []
    taken: Counter[str] = Counter()
    for hop in hops:
        name = hop.instance if names[hop.instance] == 1 else f"{hop.instance} ({hop.job or hop.by.value})"
        taken[name] += 1
        found.append(replace(hop, instance=name if taken[name] == 1 else f"{name} {taken[name]}"))
    return tuple(found)


def _interfaces(figures: Figures) -> Iterator[Interface]:
    addresses: defaultdict[Key, list[str]] = defaultdict(list)
    for instance, device, address, netmask in figures.rows("link.addresses"):
        if address:
            addresses[instance, device].append(f"{address}/{netmask}" if netmask.isdecimal() else address)
    no_carrier = figures.rows("link.no_carrier")
    receive, transmit = figures.rows("link.receive_bytes_per_s"), figures.rows("link.transmit_bytes_per_s")
    errors, drops = figures.rows("link.errors_per_s"), figures.rows("link.drops_per_s")
    speeds, mtus = figures.rows("link.speed_bytes_per_s"), figures.rows("link.mtu_bytes")
    for key in sorted({*mtus, *receive, *addresses}):
        yield Interface(
            instance=key[0],
            device=key[1],
            addresses=tuple(sorted(addresses.get(key, ()))[:ADDRESSES]),
            mtu_bytes=_number(mtus.get(key)),
            speed_bytes_per_s=_number(speeds.get(key)),
            carrier=key not in no_carrier,
            receive_bytes_per_s=_number(receive.get(key)),
            transmit_bytes_per_s=_number(transmit.get(key)),
            errors_per_s=_number(errors.get(key)) or 0.0,
            drops_per_s=_number(drops.get(key)) or 0.0,
            seen_at=figures.seen("link", key[0]),
        )


def _tunnels(figures: Figures) -> Iterator[Tunnel]:
    """WireGuard's peers. An age that reaches back to 1970 is that of a handshake that never was."""
    for key, age_s in sorted(figures.rows("tunnel.handshake_age_s").items()):
        instance, interface, public_key, name = key
        known = not math.isnan(age_s) and age_s < _NEVER_S
        yield Tunnel(
            instance, interface, name or public_key[:_KEY_CHARACTERS], max(0.0, age_s) if known else None,
            figures.seen("tunnel", instance),
        )  # fmt: skip


def _seats(figures: Figures) -> Iterator[CephSeat]:
    for daemon, host, address in sorted(figures.rows("ceph.mon_info")):
        # A mon's is `10.20.5.11:6789/0`.
        yield CephSeat(daemon, host, host_part(address.partition("/")[0]) if address else "")
    for daemon, host, public, cluster, front, back in sorted(figures.rows("ceph.osd_seat")):
        yield CephSeat(daemon, host, public, cluster, front, back)


def _number(value: float | None) -> float | None:
    """None for what is not a number: a rate of too few samples."""
    return None if value is None or math.isnan(value) else value
