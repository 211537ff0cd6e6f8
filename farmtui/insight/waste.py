"""What is paid for and does nothing: each with why it is thought so, and the command that would end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from farmtui.farm.farm import Farm
from farmtui.farm.node import CloudAccount, Tier
from farmtui.farm.units import percent
from farmtui.insight.spend import Item, Spend
from farmtui.insight.spread import ZERO

MIN_UPTIME_S = 3_600.0
"""A machine that has just been started is not idle yet."""


@dataclass(frozen=True, slots=True)
class Waste:
    """One thing."""

    key: str
    """The item's key in the spend."""
    name: str
    kind: str
    per_month: Decimal | None
    """What it costs; None: its price is not known."""
    saves: bool
    """Whether that money is no longer paid when it is gone. A guest's share of hardware that is bought is not."""
    why: str
    command: str
    """What ends it, to be copied into a shell. Nothing is run from here."""
    node: str = ""
    """The machine on the other screens, where its actions are; empty where it is none."""


class _Known:
    """The farm's things by what items are called by: looked up once for all of them."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        account = farm.cloud or CloudAccount()
        self.droplets = {droplet.ident: droplet for droplet in account.droplets}
        self.volumes = {volume.id: volume for volume in account.volumes}
        self.balancers = {balancer.id: balancer for balancer in account.load_balancers}
        self.snapshots = {snapshot.id: snapshot for snapshot in (farm.bill.snapshots if farm.bill else None) or ()}
        self.guests = {guest.ident: guest for cluster in farm.pve for guest in cluster.guests}
        self.nodes = {node.name: node for node in farm.nodes}
        self.spared = {tier.tier for tier in farm.tiers if tier.expected is not None and tier.serving < tier.expected}
        """Tiers that lack machines: they want back whatever is off."""


def waste(farm: Farm, spent: Spend) -> tuple[Waste, ...]:
    """Everything that is wasted as far as is known, what saves most first."""
    known = _Known(farm)
    found = [found for item in spent.items if (found := _of(known, item)) is not None]
    found += _stopped_guests(known)
    return tuple(sorted(found, key=lambda waste: (not waste.saves, -(waste.per_month or ZERO), waste.name)))


def wasted_per_month(found: tuple[Waste, ...]) -> Decimal:
    """What would be saved by the month if all of it went."""
    return sum((item.per_month for item in found if item.saves and item.per_month is not None), ZERO)


_Why = tuple[str, str]
"""Why something is wasted (empty: it is not), and the command that ends it."""
_USED: _Why = ("", "")


def _of(known: _Known, item: Item) -> Waste | None:
    kind, _, ident = item.key.partition("/")
    look = _WHY.get(kind)
    why, command = look(known, item, ident) if look is not None else _USED
    if not why:
        return None
    return Waste(item.key, item.name, item.kind, item.per_month, kind != "guest", why, command, item.node)


def _volume(known: _Known, _item: Item, ident: str) -> _Why:
    volume = known.volumes.get(ident)
    if volume is None or volume.droplet_ids:
        return _USED
    return "attached to no droplet", f"doctl compute volume delete {ident}"


def _balancer(known: _Known, _item: Item, ident: str) -> _Why:
    balancer = known.balancers.get(ident)
    if balancer is None:
        return _USED
    command = f"doctl compute load-balancer delete {ident}"
    if not balancer.droplet_ids:
        # With a tag it finds its droplets by itself, and there are none now.
        return f"no droplet has its tag {balancer.tag}" if balancer.tag else "no droplet behind it", command
    behind = [known.droplets.get(str(droplet)) for droplet in balancer.droplet_ids]
    off = all(droplet is not None and droplet.status == "off" for droplet in behind)
    return ("every droplet behind it is off", command) if off else _USED


def _reserved_ip(_known: _Known, _item: Item, ident: str) -> _Why:
    return "points to no droplet", f"doctl compute reserved-ip delete {ident}"


def _snapshot(known: _Known, _item: Item, ident: str) -> _Why:
    """Only one whose origin is gone: the others may be wanted. Of a part of the account nobody can tell."""
    snapshot = known.snapshots.get(ident)
    account, costing = known.farm.cloud, known.farm.costing
    if snapshot is None or account is None or account.problems or not snapshot.resource_id:
        return _USED
    if costing is not None and costing.cloud_tag:
        return _USED
    if snapshot.resource_id in known.volumes or snapshot.resource_id in known.droplets:
        return _USED
    taken = f", taken {snapshot.created_at:%Y-%m-%d}" if snapshot.created_at else ""
    return f"its {snapshot.kind} is not seen any more{taken}", f"doctl compute snapshot delete {ident}"


def _droplet(known: _Known, item: Item, ident: str) -> _Why:
    droplet = known.droplets.get(ident)
    command = f"doctl compute droplet delete {ident}"
    if droplet is not None and droplet.status == "off" and item.tier not in known.spared:
        return "switched off, and paid for all the same", command
    why = _idle(known, item)
    return (why, command) if why else _USED


def _guest(known: _Known, item: Item, ident: str) -> _Why:
    why, guest = _idle(known, item), known.guests.get(ident)
    if not why or guest is None:
        return _USED
    command = f"pvesh create /nodes/{guest.host}/{guest.kind}/{guest.vmid}/status/shutdown"
    return f"{why}; its share of the hardware stays", command


def _stopped_guests(known: _Known) -> Iterator[Waste]:
    """Those that are stopped keep their disks."""
    if not known.guests:
        return
    nodes = {s.ident: node for node in known.farm.nodes for s in node.sightings if s.source == "proxmox"}
    for guest in known.guests.values():
        node = nodes.get(guest.ident)
        if guest.template or guest.status != "stopped" or (node is not None and node.tier is not Tier.OTHER):
            continue
        command = f"pvesh delete /nodes/{guest.host}/{guest.kind}/{guest.vmid} --purge 1"
        why = "stopped, of no tier, and keeps its disks"
        yield Waste(f"guest/{guest.ident}", guest.name, "guest", None, False, why, command, node.name if node else "")


def _idle(known: _Known, item: Item) -> str:
    """Why a machine is thought to be idle: it is of no tier, and its CPU does next to nothing now."""
    costing = known.farm.costing
    node = known.nodes.get(item.node)
    if item.tier is not Tier.OTHER or node is None or costing is None:
        return ""
    cpu, uptime_s = node.metrics.cpu_ratio, node.metrics.uptime_s
    guest = known.guests.get(item.key.removeprefix("guest/"))
    if cpu is None and guest is not None:
        cpu, uptime_s = guest.cpu_ratio, guest.uptime_s
    if cpu is None or cpu >= costing.idle_cpu_ratio or (uptime_s is not None and uptime_s < MIN_UPTIME_S):
        return ""
    return f"of no tier, and its CPU is {percent(cpu)} busy now"


_WHY: Mapping[str, Callable[[_Known, Item, str], _Why]] = MappingProxyType(
    {
        "volume": _volume,
        "balancer": _balancer,
        "ip": _reserved_ip,
        "snapshot": _snapshot,
        "droplet": _droplet,
        "guest": _guest,
    }
)
