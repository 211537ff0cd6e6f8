"""What the farm consists of before anything happens: machines, hosts, disks, sites."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from random import Random

GIB = 1024.0**3
TIB = 1024.0**4
GB = 1000.0**3

EDGE, CACHE, APP, DATABASE, STORAGE, MONITORING = "edge", "cache", "app", "database", "storage", "monitoring"
HYPERVISOR = "hypervisor"
PVE_CLUSTER = "pve-main"
OSDS_PER_NODE = 4
MONS = 3
"""So many storage machines, the first ones, run a mon, a mgr and an MDS beside their OSDs."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a machine is made of. Bytes; `slug` and `price_monthly` only for droplets."""

    cpus: int
    memory_bytes: float
    disk_bytes: float
    slug: str = ""
    price_monthly: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of the farm: a droplet (`region`) or a guest (`host`, `vmid`)."""

    name: str
    tier: str
    address: str
    size: Size
    region: str = ""
    public_address: str = ""
    droplet_id: int = 0
    host: str = ""
    vmid: int = 0

    @property
    def droplet(self) -> bool:
        """Whether it runs at DigitalOcean."""
        return bool(self.region)


@dataclass(frozen=True, slots=True)
class PveHost:
    """A hypervisor."""

    name: str
    address: str
    cpus: int
    memory_bytes: float


@dataclass(frozen=True, slots=True)
class SpareGuest:
    """A guest that is no part of the farm: a template, or one that is stopped on purpose."""

    name: str
    vmid: int
    host: str
    template: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """A Ceph pool. `stored_bytes` and `objects` at the world's origin; shares are of all client operations."""

    id: int
    name: str
    pgs: int
    stored_bytes: float
    objects: int
    read_share: float
    write_share: float
    quota_bytes: float = 0.0


@dataclass(frozen=True)
class Inventory:
    """The whole farm as it was bought."""

    machines: tuple[Machine, ...]
    hosts: tuple[PveHost, ...]
    spares: tuple[SpareGuest, ...]
    sites: tuple[str, ...]
    """Domain names, the busiest first."""
    site_shares: tuple[float, ...]
    """Each site's share of all requests; they add up to 1."""
    pools: tuple[Pool, ...]
    tiers: dict[str, tuple[Machine, ...]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Machine]:
        """Machines by their names."""
        return {machine.name: machine for machine in self.machines}

    @cached_property
    def host_names(self) -> frozenset[str]:
        """The names of the PVE hosts."""
        return frozenset(host.name for host in self.hosts)

    @cached_property
    def osd_hosts(self) -> tuple[str, ...]:
        """The storage node of each OSD; the index is the OSD's number."""
        return tuple(m.name for m in self.tiers[STORAGE] for _ in range(OSDS_PER_NODE))

    @cached_property
    def objects(self) -> int:
        """All Ceph objects at the world's origin."""
        return sum(pool.objects for pool in self.pools)

    @cached_property
    def stored_bytes(self) -> float:
        """All data in Ceph at the world's origin, counted once."""
        return sum(pool.stored_bytes for pool in self.pools)

    @cached_property
    def pgs(self) -> int:
        """All placement groups."""
        return sum(pool.pgs for pool in self.pools)


_SIZES = {
    EDGE: Size(4, 8 * GIB, 160 * GB, "s-4vcpu-8gb", "48.00"),
    CACHE: Size(8, 32 * GIB, 100 * GB, "m-4vcpu-32gb", "168.00"),
    MONITORING: Size(4, 16 * GIB, 320 * GB, "s-8vcpu-16gb", "96.00"),
    APP: Size(8, 32 * GIB, 120 * GB),
    DATABASE: Size(8, 64 * GIB, 400 * GB),
    STORAGE: Size(8, 48 * GIB, 80 * GB),
}
_PREFIXES = {EDGE: "mgr", CACHE: "cache", APP: "worker", DATABASE: "db", STORAGE: "stor", MONITORING: "mon"}
_NETWORKS = {EDGE: 1, CACHE: 2, APP: 3, DATABASE: 4, STORAGE: 5, MONITORING: 6}
_AT_DIGITALOCEAN = (EDGE, CACHE, MONITORING)


def build_inventory(seed: int, nodes: int = 34, sites: int = 500) -> Inventory:
    """The farm with so many machines and sites. Raises ValueError below 15 nodes or 1 site.

    34 gives the reference farm: 3 edge, 3 cache, 20 workers, 3 database, 3 storage, 2 monitoring.
    """
    if nodes < 15 or sites < 1:
        raise ValueError("a simulated farm has at least 15 nodes and 1 site")
    counts = {EDGE: 3, CACHE: max(3, min(24, nodes // 12)), DATABASE: 3, MONITORING: 2}
    counts[CACHE] = 3 if nodes < 60 else counts[CACHE]
    counts[STORAGE] = 3 if nodes < 60 else min(60, nodes // 12)
    counts[APP] = nodes - sum(counts.values())
    hosts = _hosts(counts)
    tiers = {tier: _machines(tier, counts[tier], hosts, nodes) for tier in _PREFIXES}
    names = _site_names(seed, sites)
    return Inventory(
        machines=tuple(machine for tier in tiers.values() for machine in tier),
        hosts=hosts,
        spares=(
            SpareGuest("debian-12-worker", 9000, hosts[-2].name, template=True),
            SpareGuest("debian-12-db", 9001, hosts[-2].name, template=True),
            SpareGuest("lab-restore-test", 910, hosts[-1].name, template=False),
        ),
        sites=names,
        site_shares=_zipf(sites),
        pools=_pools(),
        tiers=tiers,
    )


def _hosts(counts: dict[str, int]) -> tuple[PveHost, ...]:
    guests = counts[APP] + counts[DATABASE] + counts[STORAGE]
    count = max(5, -(-guests // 40)) if guests > 60 else 5
    return tuple(
        PveHost(f"pve-{i + 1}", _address(0, i), 64, 384 * GIB if guests <= 60 else 1536 * GIB) for i in range(count)
    )


def _machines(tier: str, count: int, hosts: tuple[PveHost, ...], nodes: int) -> tuple[Machine, ...]:
    size = _SIZES[tier]
    if nodes > 1000 and tier == APP:
        # The exporter has a series per core and mode: a bench of 10,000 nodes is about their number, not their cores.
        size = Size(2, size.memory_bytes, size.disk_bytes)
    width = len(str(count)) if tier == APP else 1
    machines = []
    for i in range(count):
        name = f"{_PREFIXES[tier]}-{i + 1:0{width}d}"
        if tier in _AT_DIGITALOCEAN:
            region = "ams3" if tier == MONITORING and i == 1 else "fra1"
            number = _NETWORKS[tier] * 30 + i
            machines.append(
                Machine(
                    name,
                    tier,
                    _address(_NETWORKS[tier], i),
                    size,
                    region=region,
                    public_address=f"203.0.113.{number}" if number < 250 else f"198.51.100.{number % 250}",
                    droplet_id=412_000_000 + _NETWORKS[tier] * 10_000 + i * 37,
                )
            )
        else:
            host = hosts[i % len(hosts)].name
            vmid = {APP: 3000, DATABASE: 400, STORAGE: 500}[tier] + i + 1
            machines.append(Machine(name, tier, _address(_NETWORKS[tier], i), size, host=host, vmid=vmid))
    return tuple(machines)


def _address(network: int, index: int) -> str:
    """10.20.NETWORK.x for the reference farm; further networks where a tier has more than 200 machines."""
    if index < 200:
        return f"10.20.{network}.{11 + index}"
    rest = index - 200
    return f"10.{20 + network}.{rest // 250}.{rest % 250 + 1}"


def _zipf(count: int) -> tuple[float, ...]:
    weights = [1.0 / (rank + 4.0) ** 0.95 for rank in range(count)]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


_FIRST = [
    "amber",
    "azure",
    "birch",
    "bright",
    "calm",
    "cedar",
    "clever",
    "copper",
    "coral",
    "crimson",
    "dawn",
    "ember",
    "fern",
    "golden",
    "granite",
    "harbor",
    "ivory",
    "juniper",
    "lively",
    "lunar",
    "maple",
    "mellow",
    "north",
    "olive",
    "opal",
    "pine",
    "quiet",
    "river",
    "rustic",
    "silver",
    "solar",
    "spruce",
    "stone",
    "summer",
    "swift",
    "teal",
    "urban",
    "velvet",
    "violet",
    "willow",
]
_SECOND = [
    "atelier",
    "bakery",
    "bikes",
    "books",
    "brewery",
    "cafe",
    "catering",
    "clinic",
    "coach",
    "codes",
    "courses",
    "crafts",
    "dental",
    "design",
    "events",
    "farm",
    "films",
    "fitness",
    "florist",
    "garden",
    "gallery",
    "guide",
    "hotel",
    "journal",
    "kitchen",
    "law",
    "lodge",
    "market",
    "media",
    "motors",
    "music",
    "optics",
    "photo",
    "pottery",
    "press",
    "records",
    "school",
    "shop",
    "studio",
    "tailor",
    "tea",
    "theatre",
    "tours",
    "travel",
    "vet",
    "vino",
    "works",
    "yoga",
]
_ZONES = ("example", "example.com", "example.net", "example.org")


def _site_names(seed: int, count: int) -> tuple[str, ...]:
    """Domains under the reserved example zones, in a seeded order."""
    random = Random(f"{seed}:sites")
    pairs = [f"{first}-{second}" for first in _FIRST for second in _SECOND]
    random.shuffle(pairs)
    names = []
    for i in range(count):
        lap, place = divmod(i, len(pairs))
        suffix = str(lap + 1) if lap else ""
        names.append(f"{pairs[place]}{suffix}.{_ZONES[i % 7 % len(_ZONES)]}")
    return tuple(names)


def _pools() -> tuple[Pool, ...]:
    return (
        Pool(1, ".mgr", 1, 0.4 * GIB, 110, 0.001, 0.004),
        Pool(2, "cephfs.meta", 32, 9.6 * GIB, 61_300, 0.14, 0.16),
        Pool(3, "cephfs.data", 256, 5.9 * TIB, 7_480_000, 0.70, 0.42),
        Pool(4, ".rgw.root", 8, 4_096.0, 4, 0.001, 0.001),
        Pool(5, "default.rgw.log", 8, 3.4 * 1024**2, 209, 0.008, 0.015),
        Pool(6, "default.rgw.control", 8, 0.0, 8, 0.0, 0.0),
        Pool(7, "default.rgw.meta", 8, 12_288.0, 31, 0.0, 0.0),
        Pool(8, "default.rgw.buckets.data", 64, 2.1 * TIB, 1_310_000, 0.15, 0.40, quota_bytes=4 * TIB),
    )
