"""What DigitalOcean knows of the world: droplets, volumes, the load balancer, and what the month has cost so far."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from farmtui.demo.exporters.targets import boot_time
from farmtui.demo.observed import Observed
from farmtui.demo.servers.moments import rfc3339
from farmtui.demo.world.inventory import CACHE, EDGE, GB, MONITORING, Inventory, Machine, Size

VOLUME_MONTHLY_PER_GB = Decimal("0.10")
BALANCER_MONTHLY = Decimal(12)
SNAPSHOT_MONTHLY_PER_GB = Decimal("0.06")
IDLE_ADDRESS_MONTHLY = Decimal(5)
MORE = (
    Size(8, 16 * 2.0**30, 320 * GB, "s-8vcpu-16gb-amd", "112.00"),
    Size(16, 64 * 2.0**30, 200 * GB, "m-8vcpu-64gb", "336.00"),
)
"""Sizes that the farm has none of."""
_HOURS_A_MONTH = 672
"""DigitalOcean bills 28 days at most: a month's price by the hour."""
_REGIONS = {"fra1": "Frankfurt 1", "ams3": "Amsterdam 3"}
_BACKUP_GB, _METRICS_GB, _LEFTOVER_GB = 2_000, 250, 500

Json = dict[str, Any]


def droplets(observed: Observed) -> list[Json]:
    """The farm's machines that run at DigitalOcean."""
    attached: dict[int, list[str]] = {}
    for volume in volumes(observed):
        for ident in volume["droplet_ids"]:
            attached.setdefault(ident, []).append(volume["id"])
    return [
        _droplet(observed, machine, attached.get(machine.droplet_id, [])) for machine in _machines(observed.world.farm)
    ]


def volumes(observed: Observed) -> list[Json]:
    """Block storage: the metrics' and the backups', and one that nobody has deleted with its droplet."""
    farm, born = observed.world.farm, observed.world.origin
    found = [_volume(f"{m.name}-metrics", m.region, _METRICS_GB, [m.droplet_id], born) for m in farm.tiers[MONITORING]]
    keeper = farm.tiers[MONITORING][-1]
    found.append(_volume("farm-backups", keeper.region, _BACKUP_GB, [keeper.droplet_id], born))
    found.append(_volume("uploads-before-ceph", farm.tiers[EDGE][0].region, _LEFTOVER_GB, [], born))
    return found


def load_balancers(observed: Observed) -> list[Json]:
    """The one in front of the edge."""
    edge = observed.world.farm.tiers[EDGE]
    return [
        {
            "id": _uuid("farm-edge"),
            "name": "farm-edge",
            "ip": "198.51.100.10",
            "size_unit": 1,
            "algorithm": "round_robin",
            "status": "active",
            "created_at": rfc3339(observed.world.origin, 0),
            "forwarding_rules": [
                {
                    "entry_protocol": "tcp",
                    "entry_port": port,
                    "target_protocol": "tcp",
                    "target_port": port,
                    "certificate_id": "",
                    "tls_passthrough": False,
                }
                for port in (80, 443)
            ],
            "health_check": {"protocol": "tcp", "port": 443, "check_interval_seconds": 10},
            "region": _region(edge[0].region),
            "tag": "",
            "droplet_ids": [machine.droplet_id for machine in edge],
            "redirect_http_to_https": False,
            "enable_proxy_protocol": True,
            "vpc_uuid": _uuid("vpc"),
        }
    ]


def reserved_ips(observed: Observed) -> list[Json]:
    """One for the edge, and one that was kept when its droplet went."""
    edge = observed.world.farm.tiers[EDGE][0]
    used = next(droplet for droplet in droplets(observed) if droplet["id"] == edge.droplet_id)
    return [
        {"ip": "198.51.100.20", "droplet": used, "region": _region(edge.region), "locked": False, "project_id": ""},
        {"ip": "198.51.100.21", "droplet": None, "region": _region(edge.region), "locked": False, "project_id": ""},
    ]


def snapshots(observed: Observed) -> list[Json]:
    """One of the backups' volume, and one of a droplet that is gone."""
    born = observed.world.origin
    backups = next(volume for volume in volumes(observed) if volume["name"] == "farm-backups")
    return [
        _snapshot("farm-backups-weekly", "volume", backups["id"], 1_240.5, born),
        _snapshot("mgr-0-before-rebuild", "droplet", "411000007", 61.2, born),
    ]


def account(_observed: Observed) -> Json:
    """`/v2/account`."""
    return {
        "droplet_limit": 100,
        "floating_ip_limit": 5,
        "volume_limit": 100,
        "email": "ops@farm.example",
        "uuid": _uuid("account").replace("-", ""),
        "email_verified": True,
        "status": "active",
        "status_message": "",
        "team": {"uuid": _uuid("team").replace("-", ""), "name": "farm"},
    }


def balance(observed: Observed) -> Json:
    """`/v2/customers/my/balance`: every month is paid when it ends."""
    at = observed.world.advance()
    used = _monthly(observed) * Decimal(_hours_of_month(at)) / _HOURS_A_MONTH
    return {
        "month_to_date_balance": f"{used:.2f}",
        "account_balance": "0.00",
        "month_to_date_usage": f"{used:.2f}",
        "generated_at": rfc3339(at, 0),
    }


def sizes(observed: Observed) -> list[Json]:
    """The sizes that the farm uses, and those that it might."""
    known = {machine.size.slug: machine for machine in _machines(observed.world.farm)}
    plain = next(iter(known.values()))
    listed = [*((machine, machine.size) for _, machine in sorted(known.items())), *((plain, size) for size in MORE)]
    return [{**_size(machine, size), "available": True} for machine, size in listed]


def size_named(observed: Observed, slug: str) -> Size | None:
    """A size by its name; None where there is no such."""
    bought = (machine.size for machine in _machines(observed.world.farm))
    return next((size for size in (*bought, *MORE) if size.slug == slug), None)


def regions(_observed: Observed) -> list[Json]:
    """The regions that the farm is in."""
    return [_region(slug) for slug in _REGIONS]


def region_of(machine: Machine) -> Json:
    """The region that a droplet is in."""
    return _region(machine.region)


def _machines(farm: Inventory) -> list[Machine]:
    return [machine for machine in farm.machines if machine.droplet]


def _droplet(observed: Observed, machine: Machine, attached: list[str]) -> Json:
    off = observed.world.timeline.last.condition.off
    size = observed.world.timeline.last.condition.sizes.get(machine.name, machine.size)
    addresses = [{"ip_address": machine.address, "netmask": "255.255.0.0", "gateway": "10.20.0.1", "type": "private"}]
    if machine.public_address:
        gateway = machine.public_address.rpartition(".")[0] + ".1"
        addresses.append(
            {"ip_address": machine.public_address, "netmask": "255.255.255.0", "gateway": gateway, "type": "public"}
        )
    return {
        "id": machine.droplet_id,
        "name": machine.name,
        "memory": round(size.memory_bytes / 2**20),
        "vcpus": size.cpus,
        "disk": round(size.disk_bytes / GB),
        "disk_info": [{"type": "local", "size": {"amount": round(size.disk_bytes / GB), "unit": "gib"}}],
        "locked": False,
        "status": "off" if machine.name in off else "active",
        "kernel": None,
        "created_at": rfc3339(boot_time(observed.world, machine.name), 0),
        "features": ["monitoring", "droplet_agent", "private_networking"],
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "image": {
            "id": 195_000_013,
            "name": "13 x64",
            "distribution": "Debian",
            "slug": "debian-13-x64",
            "public": True,
        },
        "volume_ids": attached,
        "size": _size(machine, size),
        "size_slug": size.slug,
        "networks": {"v4": addresses, "v6": []},
        "region": _region(machine.region),
        "tags": ["farm", f"tier-{machine.tier}"],
        "vpc_uuid": _uuid("vpc"),
    }


def _size(machine: Machine, size: Size) -> Json:
    monthly = Decimal(size.price_monthly or 0)
    return {
        "slug": size.slug,
        "memory": round(size.memory_bytes / 2**20),
        "vcpus": size.cpus,
        "disk": round(size.disk_bytes / GB),
        "transfer": 5.0,
        "price_monthly": float(monthly),
        "price_hourly": round(float(monthly / _HOURS_A_MONTH), 5),
        "regions": list(_REGIONS),
        "available": True,
        "description": "Memory-Optimized" if machine.tier == CACHE else "Basic",
    }


def _volume(name: str, region: str, gigabytes: int, droplet_ids: list[int], born: float) -> Json:
    return {
        "id": _uuid(name),
        "region": _region(region),
        "droplet_ids": droplet_ids,
        "name": name,
        "description": "",
        "size_gigabytes": gigabytes,
        "created_at": rfc3339(born, 0),
        "filesystem_type": "ext4",
        "filesystem_label": name[:16],
        "tags": ["farm"],
    }


def _snapshot(name: str, kind: str, resource: str, gigabytes: float, taken: float) -> Json:
    return {
        "id": _uuid(f"snapshot {name}"),
        "name": name,
        "created_at": rfc3339(taken, 0),
        "regions": ["fra1"],
        "resource_id": resource,
        "resource_type": kind,
        "min_disk_size": 160,
        "size_gigabytes": gigabytes,
        "tags": [],
    }


def _region(slug: str) -> Json:
    return {"name": _REGIONS[slug], "slug": slug, "features": ["storage", "metadata"], "available": True, "sizes": []}


def _monthly(observed: Observed) -> Decimal:
    """US dollars a month of everything that is there."""
    machines = sum((Decimal(m.size.price_monthly) for m in _machines(observed.world.farm)), Decimal(0))
    gigabytes = sum(int(volume["size_gigabytes"]) for volume in volumes(observed))
    kept = sum((Decimal(str(snapshot["size_gigabytes"])) for snapshot in snapshots(observed)), Decimal(0))
    idle = sum(address["droplet"] is None for address in reserved_ips(observed))
    return (
        machines
        + gigabytes * VOLUME_MONTHLY_PER_GB
        + BALANCER_MONTHLY * len(load_balancers(observed))
        + kept * SNAPSHOT_MONTHLY_PER_GB
        + idle * IDLE_ADDRESS_MONTHLY
    )


def _hours_of_month(at: float) -> int:
    """Whole hours since the month began, as many as are billed at most."""
    first = datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return min(_HOURS_A_MONTH, int((at - first.timestamp()) // 3_600))


@cache
def _uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.farm.example"))
