"""What the farm costs now: every machine, volume and sum as one item, and items by tier and provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from farmtui.farm.cost import CloudBill, CloudPrices, Costing, HardwareInputs
from farmtui.farm.farm import Farm
from farmtui.farm.node import CloudAccount, Droplet, Guest, Node, Tier
from farmtui.farm.state import Freshness
from farmtui.insight.newest import of_newest
from farmtui.insight.spread import ZERO, cents, spread

DIGITALOCEAN, PROXMOX = "digitalocean", "pve"
GIB: Final = 2.0**30
_PAID: Final = ("digitalocean", "proxmox")
"""Kinds of the sources whose things are paid for."""
ASKED_FOR: Final = "add digitalocean.token, cost.hardware (PVE) or cost.fixed"
"""The keys of the config that tell what is paid."""
MIN_HOURS: Final = 24
"""Before so many hours of a month the bill's pace says nothing."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is paid for. `per_month` is in the farm's currency, to the cent; None: its price is not known."""

    key: str
    name: str
    kind: str
    """`droplet`, `backups`, `volume`, `load balancer`, `reserved ip`, `snapshot`, `guest`, `hardware` or `fixed`."""
    provider: str
    tier: Tier | None
    per_month: Decimal | None
    detail: str = ""
    node: str = ""
    """The machine's name on the other screens; empty where it is none."""


@dataclass(frozen=True, slots=True)
class Group:
    """All items of one tier at one provider."""

    tier: Tier | None
    provider: str
    machines: int
    per_month: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class Pace:
    """What the account's bill of this month comes to, against the list prices of what is seen. USD."""

    so_far: Decimal
    per_month: Decimal | None
    """The whole month at this pace; None in its first day."""
    listed: Decimal
    """A month of everything that the API lists, at list prices."""

    @property
    def unlisted(self) -> Decimal | None:
        """What the bill comes to beyond the list (Spaces, traffic, another's machines); below 0: less than that."""
        return None if self.per_month is None else self.per_month - self.listed


@dataclass(frozen=True, slots=True)
class Spend:
    """All of it. Sums are exact: items add up to groups, and groups to the whole, to the cent."""

    currency: str
    items: tuple[Item, ...] = ()
    groups: tuple[Group, ...] = ()
    per_month: Decimal = ZERO
    complete: bool = True
    """Whether every part is known; else `per_month` is the least that it can be, and `notes` say what is missing."""
    notes: tuple[str, ...] = ()
    configured: bool = True
    """Whether the config names anything that tells of money; else nobody has looked, and nothing costs nothing."""
    sites: int | None = None
    pace: Pace | None = None
    freshness: Freshness = Freshness.LIVE
    """Of the oldest thing that it is worked out from."""

    @property
    def known(self) -> bool:
        """Whether there is anything to sum."""
        return any(item.per_month is not None for item in self.items)

    @property
    def per_site(self) -> Decimal | None:
        """By the month; None where the number of sites is not known."""
        return self.per_month / self.sites if self.sites and self.known else None

    def of_provider(self, provider: str) -> Decimal:
        """What one provider is paid."""
        return sum((group.per_month for group in self.groups if group.provider == provider), ZERO)

    @property
    def providers(self) -> tuple[tuple[str, Decimal], ...]:
        """Who is paid how much, the most first."""
        names = {group.provider for group in self.groups}
        return tuple(sorted(((name, self.of_provider(name)) for name in names), key=lambda pair: (-pair[1], pair[0])))


@of_newest
def spend(farm: Farm) -> Spend | None:
    """What the farm costs; None for a farm of which nothing is said about money (no config)."""
    costing = farm.costing
    if costing is None:
        return None
    nodes = {(sighting.source, sighting.ident): node for node in farm.nodes for sighting in node.sightings}
    notes: list[str] = []
    items = [*_cloud(farm, costing, nodes, notes), *_hardware(farm, costing, nodes, notes)]
    items += [
        Item(f"fixed/{fixed.name}", fixed.name, "fixed", fixed.provider, fixed.tier, cents(fixed.per_month), "config")
        for fixed in costing.fixed
    ]
    configured = bool(costing.hardware or costing.fixed) or any(source.kind in _PAID for source in farm.sources)
    if not items and not notes:
        notes.append(f"{'nothing that is paid for is listed' if configured else 'not configured'}: {ASKED_FOR}")
    complete = not notes
    if unpriced := sum(item.per_month is None for item in items):
        notes.append(f"{unpriced} of {len(items)} items have no known price")
        complete = False
    return Spend(
        currency=costing.currency,
        items=tuple(items),
        groups=_groups(items),
        per_month=sum((item.per_month for item in items if item.per_month is not None), ZERO),
        complete=complete,
        notes=tuple(notes),
        configured=configured,
        sites=_sites(farm),
        pace=_pace(farm.bill, farm, costing, items) if farm.bill is not None else None,
        freshness=_freshness(farm, costing),
    )


def _sites(farm: Farm) -> int | None:
    """How many sites it is all for: as the config says, else as many as have traffic."""
    return farm.expected_sites or (int(farm.edge.sites_seen) if farm.edge and farm.edge.sites_seen else None)


def _freshness(farm: Farm, costing: Costing) -> Freshness:
    names = ["digitalocean", *(["proxmox"] if costing.hardware is not None else [])]
    states = [source.freshness for source in farm.sources if source.kind in names]
    order = (Freshness.STALE, Freshness.AGEING)
    return next((state for state in order if state in states), Freshness.LIVE)


_Nodes = dict[tuple[str, str], Node]


def _cloud(farm: Farm, costing: Costing, nodes: _Nodes, notes: list[str]) -> Iterator[Item]:
    account, source = farm.cloud, farm.source("digitalocean")
    if account is None:
        if source is not None:
            why = source.failure.what if source.failure else "has not answered yet"
            notes.append(f"DigitalOcean: {why}")
        return
    notes += [f"DigitalOcean: {problem}" for problem in account.problems]
    if source is not None and source.freshness in (Freshness.STALE, Freshness.FORBIDDEN):
        why = f": {source.failure.what}" if source.failure else ""
        notes.append(f"DigitalOcean's figures are {source.freshness.value}{why}")
    tiers = {int(ident): node.tier for (kind, ident), node in nodes.items() if kind == "digitalocean"}
    prices = costing.prices

    def priced(usd: Decimal | None) -> Decimal | None:
        return None if usd is None else cents(usd * costing.per_usd)

    for droplet in account.droplets:
        node = nodes.get(("digitalocean", droplet.ident))
        name = node.name if node else droplet.name
        yield Item(
            f"droplet/{droplet.id}", name, "droplet", DIGITALOCEAN, _tier(node), priced(droplet.price_monthly),
            _droplet_words(droplet), name if node else "",
        )  # fmt: skip
        if droplet.backups and droplet.price_monthly is not None:
            price = priced(droplet.price_monthly * prices.backups_ratio)
            share = f"{prices.backups_ratio:.0%} of the droplet"
            yield Item(f"backups/{droplet.id}", name, "backups", DIGITALOCEAN, _tier(node), price, share)
    for key, name, kind, usd, droplets, detail in _priced_parts(account, farm.bill, prices):
        if costing.cloud_tag and droplets and not any(droplet in tiers for droplet in droplets):
            # Of the account, but of somebody else's machines in it.
            continue
        yield Item(key, name, kind, DIGITALOCEAN, _shared_tier(droplets, tiers), priced(usd), detail)


def _droplet_words(droplet: Droplet) -> str:
    state = "" if droplet.status == "active" else f", {droplet.status}"
    return f"{droplet.size}, {droplet.region}{state}"


_Part = tuple[str, str, str, Decimal, Sequence[int], str]


def _priced_parts(account: CloudAccount, bill: CloudBill | None, prices: CloudPrices) -> Iterator[_Part]:
    """Key, name, kind, USD a month, the droplets that it belongs to, and its detail, of all that is no droplet."""
    volumes = {volume.id: volume for volume in account.volumes}
    for volume in account.volumes:
        gigabytes = round(volume.size_bytes / GIB)
        attached = "" if volume.droplet_ids else ", attached to nothing"
        words = f"{gigabytes} GB, {volume.region}{attached}"
        yield (
            f"volume/{volume.id}",
            volume.name,
            "volume",
            gigabytes * prices.volume_per_gb,
            volume.droplet_ids,
            words,
        )
    for balancer in account.load_balancers:
        words = f"{balancer.nodes} {'node' if balancer.nodes == 1 else 'nodes'}, {balancer.region}, {balancer.status}"
        cost = balancer.nodes * prices.balancer_node
        yield (f"balancer/{balancer.id}", balancer.name, "load balancer", cost, balancer.droplet_ids, words)
    for address in (bill.reserved_ips if bill else None) or ():
        if address.droplet_id is None:
            words = f"{address.region}, points nowhere"
            yield (f"ip/{address.address}", address.address, "reserved ip", prices.reserved_ip, (), words)
    for snapshot in (bill.snapshots if bill else None) or ():
        taken_of = volumes.get(snapshot.resource_id)
        droplets: tuple[int, ...] = taken_of.droplet_ids if taken_of else ()
        if snapshot.kind == "droplet" and snapshot.resource_id.isdecimal():
            droplets = (int(snapshot.resource_id),)
        cost = snapshot.size_gb * prices.snapshot_per_gb
        yield (f"snapshot/{snapshot.id}", snapshot.name, "snapshot", cost, droplets, f"{snapshot.size_gb} GB")


def _tier(node: Node | None) -> Tier | None:
    return node.tier if node is not None else None


def _shared_tier(droplets: Sequence[int], tiers: dict[int, Tier]) -> Tier | None:
    """The tier of all of these droplets; None where they are of several, or of none."""
    found = {tiers[ident] for ident in droplets if ident in tiers}
    return found.pop() if len(found) == 1 else None


def _hardware(farm: Farm, costing: Costing, nodes: _Nodes, notes: list[str]) -> Iterator[Item]:
    """The hardware's cost, spread over the guests that run on it; where none is seen it is one item."""
    hardware = costing.hardware
    if hardware is None:
        if farm.pve or any(source.kind == "proxmox" for source in farm.sources):
            notes.append("Proxmox VE: the config says nothing of what its hardware costs (cost.hardware)")
        return
    old = (Freshness.STALE, Freshness.FORBIDDEN)
    notes += [
        f"{source.name} is {source.freshness.value}: its guests are those that it had"
        for source in farm.sources
        if source.kind == "proxmox" and source.freshness in old
    ]
    total = cents(hardware.per_month)
    guests = [guest for cluster in farm.pve for guest in cluster.guests if not guest.template]
    weights = [_weight(guest, costing.spread_hosts_by) for guest in guests]
    if not any(weights):
        yield Item("hardware", "Proxmox VE hardware", "hardware", PROXMOX, Tier.HYPERVISOR, total, _parts(hardware))
        return
    for guest, weight, amount in zip(guests, weights, spread(total, weights), strict=True):
        if weight:
            node = nodes.get(("proxmox", guest.ident))
            name = node.name if node else guest.name
            detail = f"{_share_words(guest, costing.spread_hosts_by)}, {guest.host}"
            yield Item(
                f"guest/{guest.ident}", name, "guest", PROXMOX, _tier(node), amount, detail, name if node else ""
            )


def _weight(guest: Guest, by: str) -> float:
    """A guest that is not running holds nothing of the hardware but its disk, which is the storage's."""
    if guest.status != "running":
        return 0.0
    if by == "guests":
        return 1.0
    return max(0.0, (guest.memory_max_bytes if by == "memory" else guest.cpus) or 0.0)


def _share_words(guest: Guest, by: str) -> str:
    if by == "cpus":
        return f"{guest.cpus:g} CPUs"
    return f"{(guest.memory_max_bytes or 0) / GIB:.0f} GiB" if by == "memory" else "one guest"


def _parts(hardware: HardwareInputs) -> str:
    return ", ".join(f"{name} {cents(amount)}" for name, amount in hardware.parts if amount)


def _groups(items: Sequence[Item]) -> tuple[Group, ...]:
    """By tier and provider, the most expensive first."""
    found: dict[tuple[Tier | None, str], list[Item]] = {}
    for item in items:
        found.setdefault((item.tier, item.provider), []).append(item)
    groups = [
        Group(
            tier, provider,
            machines=sum(item.kind in ("droplet", "guest") for item in members),
            per_month=sum((item.per_month for item in members if item.per_month is not None), ZERO),
            unpriced=sum(item.per_month is None for item in members),
        )
        for (tier, provider), members in found.items()
    ]  # fmt: skip
    return tuple(sorted(groups, key=lambda group: (-group.per_month, group.provider)))


def _pace(bill: CloudBill, farm: Farm, costing: Costing, items: Sequence[Item]) -> Pace | None:
    if bill.month_to_date_usd is None:
        return None
    at = bill.generated_at or farm.at
    begun = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    billed = costing.prices.billed_hours
    hours = min(billed, int((at - begun).total_seconds() // 3_600))
    listed = sum(
        (item.per_month for item in items if item.provider == DIGITALOCEAN and item.per_month is not None
         and not item.key.startswith("fixed/")), ZERO
    )  # fmt: skip
    whole = cents(bill.month_to_date_usd * billed / hours) if hours >= MIN_HOURS else None
    return Pace(bill.month_to_date_usd, whole, cents(listed / costing.per_usd))
