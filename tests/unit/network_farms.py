"""Farms with networks, for the tests of what is made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from farmtui.farm.networks import CephSeat, Hop, Interface, ProbedBy, Wires
from farmtui.farm.node import Exporter, HostMetrics, Node, Provider, Tier
from farmtui.farm.state import Severity

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def machine(
    name: str, tier: Tier, address: str, provider: Provider = Provider.PROXMOX, *, serving: bool = True
) -> Node:
    """A machine with a node exporter."""
    return Node(
        name, tier, provider, "", (address,), (), (Exporter("node", f"{address}:9100", up=serving),), HostMetrics(), "",
        Severity.OK if serving else Severity.CRITICAL, (), serving=serving,
    )  # fmt: skip


STOR = tuple(machine(f"stor-{n}", Tier.STORAGE, f"10.20.5.{10 + n}") for n in (1, 2, 3))
CACHES = tuple(machine(f"cache-{n}", Tier.CACHE, f"10.20.2.{10 + n}", Provider.DIGITALOCEAN) for n in (1, 2, 3))
EDGE = machine("mgr-1", Tier.EDGE, "10.20.1.11", Provider.DIGITALOCEAN)


def eth(number: int, device: str = "eth1", *, network: int = 21, address: bool = True, **figures: float) -> Interface:
    """An interface of a storage node; with an address on network 10.NETWORK.5.0/24."""
    addresses = (f"10.{network}.5.{10 + number}/24",) if address else ()
    known = {"mtu_bytes": 9000.0, "speed_bytes_per_s": 1.25e9, "transmit_bytes_per_s": 1e6, **figures}
    return replace(Interface(f"10.20.5.{10 + number}:9100", device, addresses, seen_at=NOW), **known)  # type: ignore[arg-type]


def seats(*, cluster: bool = True, devices: bool = True) -> tuple[CephSeat, ...]:
    """Two OSDs on each of three storage nodes."""
    return tuple(
        CephSeat(
            f"osd.{2 * n + k}", f"stor-{n}", f"10.20.5.{10 + n}", f"10.{21 if cluster else 20}.5.{10 + n}",
            "eth0" if devices else "", "eth1" if devices else "",
        )
        for n in (1, 2, 3) for k in (0, 1)
    )  # fmt: skip


def ping(
    instance: str = "10.99.0.2", *, by: ProbedBy = ProbedBy.ICMP, job: str = "interconnect", **figures: object
) -> Hop:
    """A probe that comes back in 12 ms."""
    return replace(Hop(instance, True, 0.012, 0.0, NOW, 0.02, by, job, instance), **figures)  # type: ignore[arg-type]


CEPH = Wires(interfaces=tuple(eth(n) for n in (1, 2, 3)), ceph=seats())
