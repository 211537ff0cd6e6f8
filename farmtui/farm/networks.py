"""Networks: what measures them, and which machines, addresses and interfaces belong to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from farmtui.farm.swarm import SwarmNetwork


class NetworkKind(Enum):
    """What a network is for; in the order in which the screens show them."""

    INTERCONNECT = "interconnect"
    """The VPN between the farm's sites."""
    CACHE = "cache-net"
    """Between the edge, the cache tier and what it fetches from."""
    CEPH_PUBLIC = "ceph-public"
    """Ceph's clients, mons and the OSDs' front side."""
    CEPH_CLUSTER = "ceph-cluster"
    """The OSDs among themselves: replication, recovery, half of their heartbeats."""
    OTHER = "other"


ORDER: Final = tuple(NetworkKind)


class ProbedBy(Enum):
    """What measured a hop; the first that there is speaks for its network."""

    SMOKEPING = "smokeping_prober"
    """Pings each second or so, and keeps a histogram: the only one that knows percentiles."""
    ICMP = "blackbox icmp"
    """A ping at each scrape."""
    BLACKBOX = "blackbox"
    """TCP or HTTP at each scrape: its time has the handshake, and the server's own, in it."""


PREFERENCE: Final = tuple(ProbedBy)


@dataclass(frozen=True, slots=True)
class Hop:
    """One path that is probed, from the prober to `instance`. Times in seconds, ratios 0-1; None: not measured."""

    instance: str
    """What is probed, as its prober calls it; where two probe the same, with who does."""
    up: bool
    latency_s: float | None
    """Round trip of what came back: the median (smokeping), the mean of five minutes (icmp), or the last one."""
    loss_ratio: float | None
    """Of five minutes."""
    seen_at: datetime | None
    worst_s: float | None = None
    """The 99th percentile (smokeping), or the slowest of five minutes (icmp)."""
    by: ProbedBy = ProbedBy.BLACKBOX
    job: str = ""
    target: str = ""
    """Its address or host name, without a port."""
    loss_now_ratio: float | None = None
    """Of the last minute; None also where so few probes would tell nothing."""

    @property
    def jitter_s(self) -> float | None:
        """How far the slow ones are from the usual one."""
        if self.worst_s is None or self.latency_s is None:
            return None
        return max(0.0, self.worst_s - self.latency_s)


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of one machine, as its node exporter has it."""

    instance: str
    device: str
    addresses: tuple[str, ...] = ()
    """With their prefix lengths: `10.21.5.11/24`. Empty where the exporter does not tell them."""
    mtu_bytes: float | None = None
    speed_bytes_per_s: float | None = None
    """What the link has negotiated; None where there is none, as on a tunnel."""
    carrier: bool = True
    """False: no cable, or the other side is down."""
    receive_bytes_per_s: float | None = None
    transmit_bytes_per_s: float | None = None
    errors_per_s: float = 0.0
    drops_per_s: float = 0.0
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One WireGuard peer, as one end sees it."""

    instance: str
    interface: str
    peer: str
    """Its name where the exporter has one, else the beginning of its public key."""
    handshake_age_s: float | None
    """Seconds since the last handshake, when it was read; None: there has never been one."""
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CephSeat:
    """Where a daemon of Ceph sits: a mon has a public address only."""

    daemon: str
    host: str
    public_address: str
    cluster_address: str = ""
    public_device: str = ""
    cluster_device: str = ""


@dataclass(frozen=True, slots=True)
class Wires:
    """All that Prometheus knows of networks."""

    hops: tuple[Hop, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    tunnels: tuple[Tunnel, ...] = ()
    ceph: tuple[CephSeat, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What the config says of a network."""

    name: str
    kind: NetworkKind
    cidrs: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    """Shell patterns of the interfaces that are in it."""
    jobs: tuple[str, ...] = ()
    """Prometheus jobs whose probes measure it."""
    members: tuple[str, ...] = ()
    """Shell patterns of the machines that must be in it."""
    slow_s: float | None = None
    """From which round trip on it is slow; None: what is usual for its kind."""


@dataclass(frozen=True, slots=True)
class Member:
    """One machine in a network."""

    machine: str
    """The machine's name; the address or host name where no machine is known by it."""
    roles: tuple[str, ...] = ()
    """`osd.3`, `mon.a`, `cache`, `edge`, `end`."""
    addresses: tuple[str, ...] = ()
    interface: Interface | None = None
    answers: bool | None = None
    """Whether those that talk to it over this network reach it; None where nobody tells."""
    hop: Hop | None = None
    """The probe of it, by the best prober."""
    fault: str = ""
    """Why it is not in the network as it should be."""
    serving: bool = True
    """Whether the machine runs: of one that does not no network is to blame."""


@dataclass(frozen=True, slots=True)
class Network:
    """One network with its machines and what measures it."""

    name: str
    kind: NetworkKind
    cidrs: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    hops: tuple[Hop, ...] = ()
    """By all probers."""
    tunnels: tuple[Tunnel, ...] = ()
    overlay: SwarmNetwork | None = None
    """The Docker Swarm network that it is."""
    declared: bool = False
    """Whether the config names it; else it was found."""
    slow_s: float | None = None
    why: str = ""
    """What it was found by."""

    @property
    def measured(self) -> tuple[Hop, ...]:
        """The hops that speak for it: those of the best prober."""
        best = min((PREFERENCE.index(hop.by) for hop in self.hops), default=None)
        return () if best is None else tuple(hop for hop in self.hops if hop.by is PREFERENCE[best])

    @property
    def latency_s(self) -> float | None:
        """Round trip over the slowest hop; None: not measured."""
        return max((hop.latency_s for hop in self.measured if hop.latency_s is not None), default=None)

    @property
    def worst_s(self) -> float | None:
        """The slow ones of it."""
        return max((hop.worst_s for hop in self.measured if hop.worst_s is not None), default=None)

    @property
    def jitter_s(self) -> float | None:
        """The largest of any hop."""
        return max((jitter for hop in self.measured if (jitter := hop.jitter_s) is not None), default=None)

    @property
    def loss_ratio(self) -> float | None:
        """Of the worst hop, 0-1; None: not measured."""
        return max((hop.loss_ratio for hop in self.measured if hop.loss_ratio is not None), default=None)

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those of its members that are known."""
        return tuple(member.interface for member in self.members if member.interface is not None)

    @property
    def mtus(self) -> tuple[int, ...]:
        """Every MTU in it, smallest first; more than one is a fault."""
        return tuple(sorted({int(i.mtu_bytes) for i in self.interfaces if i.mtu_bytes}))

    @property
    def bytes_per_s(self) -> float | None:
        """What goes over it. Each byte is sent once: where only one end is known, what it receives counts too."""
        sent = [i.transmit_bytes_per_s for i in self.interfaces if i.transmit_bytes_per_s is not None]
        if len(sent) == 1:
            sent += [i.receive_bytes_per_s for i in self.interfaces if i.receive_bytes_per_s is not None]
        return sum(sent) if sent else None
