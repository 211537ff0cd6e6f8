"""Machines: what each source has sighted, and the Node that the identity join makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from farmtui.farm.pve import PveStorage, PveTask
from farmtui.farm.state import Severity


class Tier(Enum):
    """The farm's tiers, in the order in which a request passes them; MONITORING watches from beside."""

    EDGE = "edge"
    CACHE = "cache"
    APP = "app"
    DATABASE = "database"
    STORAGE = "storage"
    MONITORING = "monitoring"
    HYPERVISOR = "hypervisor"
    """A Proxmox VE host that no other rule puts into a tier: it carries the others."""
    OTHER = "other"
    """A machine that no rule puts into a tier: shown as a stranger, never hidden."""

    @property
    def title(self) -> str:
        """The tier's name on the screens."""
        return _TITLES[self]


_TITLES = {
    Tier.EDGE: "Edge",
    Tier.CACHE: "Cache",
    Tier.APP: "WordPress",
    Tier.DATABASE: "Database",
    Tier.STORAGE: "Storage",
    Tier.MONITORING: "Monitoring",
    Tier.HYPERVISOR: "PVE hosts",
    Tier.OTHER: "Strangers",
}


class Provider(Enum):
    """Who runs the machine."""

    PROXMOX = "pve"
    DIGITALOCEAN = "do"
    NONE = "-"
    """No compute source knows it: bare metal, or a provider that is not configured."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One source's knowledge of one machine, before the join.

    `source` is the kind (`prometheus`, `proxmox`, `digitalocean`, `config`); `ident` is unique within it (an
    instance label's host part, `CLUSTER/VMID`, `CLUSTER/node/NAME` for a PVE host, a droplet id, a config name).
    """

    source: str
    ident: str
    name: str = ""
    addresses: tuple[str, ...] = ()
    tier_hint: str = ""
    """A tier's value from a label or tag (`tier=cache`, `tier-cache`); empty when nothing says."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """One scrape target of a machine."""

    job: str
    instance: str
    up: bool


@dataclass(frozen=True, slots=True)
class HostMetrics:
    """The node exporter's figures of one machine. Ratios are 0-1; None means not measured."""

    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    memory_bytes: float | None = None
    disk_ratio: float | None = None
    load1: float | None = None
    receive_bytes_per_s: float | None = None
    transmit_bytes_per_s: float | None = None
    uptime_s: float | None = None
    clock_offset_s: float | None = None
    seen_at: datetime | None = None
    """When these figures were last served; older than the poll when the exporter is gone."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A VM or container of a Proxmox VE cluster."""

    cluster: str
    vmid: int
    name: str
    kind: str
    """`qemu` or `lxc`."""
    host: str
    status: str
    """`running`, `stopped`, `paused`, ... or `unknown` when its host is offline."""
    cpu_ratio: float | None = None
    cpus: float | None = None
    memory_bytes: float | None = None
    memory_max_bytes: float | None = None
    uptime_s: float | None = None
    tags: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    template: bool = False
    lock: str = ""
    ha: str = ""
    """What the HA manager says of it (`started`, `error`, `fence`, ...); empty where it does not look after it."""
    disk_bytes: float | None = None
    """Of its first disk, as it was made."""

    @property
    def ident(self) -> str:
        """The sighting's ident: `CLUSTER/VMID`."""
        return f"{self.cluster}/{self.vmid}"


@dataclass(frozen=True, slots=True)
class PveHost:
    """A node of a Proxmox VE cluster."""

    cluster: str
    name: str
    status: str
    """`online`, `offline` or `unknown`."""
    address: str = ""
    cpu_ratio: float | None = None
    cpus: float | None = None
    memory_bytes: float | None = None
    memory_max_bytes: float | None = None
    uptime_s: float | None = None

    @property
    def ident(self) -> str:
        """The sighting's ident: `CLUSTER/node/NAME`, which no guest's can be."""
        return f"{self.cluster}/node/{self.name}"


@dataclass(frozen=True, slots=True)
class PveCluster:
    """A Proxmox VE cluster as its API tells it."""

    name: str
    quorate: bool | None
    """None where the API does not say (a single host without a cluster)."""
    hosts: tuple[PveHost, ...] = ()
    guests: tuple[Guest, ...] = ()
    storages: tuple[PveStorage, ...] = ()
    tasks: tuple[PveTask, ...] = ()
    """The latest, the newest first."""
    problems: tuple[str, ...] = ()
    """What could not be read, in words: an API node that is down, a call that was refused."""


@dataclass(frozen=True, slots=True)
class Droplet:
    """A DigitalOcean droplet."""

    id: int
    name: str
    status: str
    """`new`, `active`, `off` or `archive`."""
    region: str
    size: str
    price_monthly: Decimal | None
    vcpus: int
    memory_bytes: float
    disk_bytes: float
    addresses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    locked: bool = False
    created_at: datetime | None = None
    backups: bool = False
    """Whether backups are switched on, which add to its price."""

    @property
    def ident(self) -> str:
        """The sighting's ident: the droplet's id."""
        return str(self.id)


@dataclass(frozen=True, slots=True)
class Volume:
    """A DigitalOcean block storage volume. `droplet_ids` is empty when it is detached (and still paid for)."""

    id: str
    name: str
    region: str
    size_bytes: float
    droplet_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A DigitalOcean load balancer. `status` is `new`, `active` or `errored`."""

    id: str
    name: str
    status: str
    address: str
    region: str
    droplet_ids: tuple[int, ...] = ()
    nodes: int = 1
    """What it is paid by: its size."""
    tag: str = ""
    """It serves all droplets with this tag, beside those of `droplet_ids`."""
    rules: tuple[str, ...] = ()
    """`https 443 to http 80`."""
    check: str = ""
    """How it looks whether a droplet is well: `tcp 443 each 10 s`."""


@dataclass(frozen=True, slots=True)
class CloudAccount:
    """What DigitalOcean knows of the farm's account."""

    droplets: tuple[Droplet, ...] = ()
    volumes: tuple[Volume, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    month_to_date_usd: Decimal | None = None
    rate_limit: int | None = None
    rate_remaining: int | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One machine, joined from every source that has sighted it."""

    name: str
    tier: Tier
    provider: Provider
    place: str
    """The PVE host or the DO region it runs in; empty when unknown."""
    addresses: tuple[str, ...]
    sightings: tuple[Sighting, ...]
    exporters: tuple[Exporter, ...]
    metrics: HostMetrics
    power: str
    """The provider's word for its state (`running`, `active`, `off`, ...); empty when no provider knows it."""
    state: Severity
    reasons: tuple[str, ...]
    """Why the state is not OK, worst first, in words."""
    serving: bool = True
    """Whether it is up, as far as is known: switched on, and something on it answers where something should."""

    @property
    def instances(self) -> frozenset[str]:
        """All Prometheus instance labels that are this machine."""
        return frozenset(exporter.instance for exporter in self.exporters)


@dataclass(frozen=True, slots=True)
class TierSummary:
    """One tier: how many machines the config expects, and how many are seen and well."""

    tier: Tier
    expected: int | None
    """None where the config does not say."""
    seen: int
    healthy: int
    """Machines that serve and of which nothing worse than INFO is known."""
    state: Severity
    serving: int = 0
    """Machines that are up, well or not."""


@dataclass(frozen=True, slots=True)
class IdentityProblem:
    """Something the join would not guess: shown, never resolved in silence."""

    kind: str
    """`conflict` (two sources disagree), `duplicate` (one name or address twice), `stranger` (no tier, or an
    address such as localhost that every machine has)."""
    subject: str
    """The machine's name where it is about one machine, else the name or address in doubt."""
    detail: str
    remedy: str
    """What to do; where the config can settle it, it ends with the exact line to put under `nodes:`."""
