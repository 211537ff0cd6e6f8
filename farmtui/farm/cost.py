"""What the farm's cost is worked out from: the account's bill, what the config says of the hardware, and the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from farmtui.farm.node import Tier
from farmtui.farm.plan import ZERO, Plan


@dataclass(frozen=True, slots=True)
class ReservedIp:
    """A reserved address. `droplet_id` None: it points nowhere, and only then it is paid for."""

    address: str
    region: str
    droplet_id: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of a droplet or of a volume (`kind`)."""

    id: str
    name: str
    kind: str
    resource_id: str
    """What it was taken of, which may be gone."""
    size_gb: Decimal
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CloudBill:
    """What changes rarely in a DigitalOcean account: the balance, and what is paid for beside machines. USD.

    A part is None where it could not be read; `problems` says why, in words.
    """

    month_to_date_usd: Decimal | None = None
    account_balance_usd: Decimal | None = None
    """Owed from before this month; negative is credit."""
    generated_at: datetime | None = None
    reserved_ips: tuple[ReservedIp, ...] | None = None
    snapshots: tuple[Snapshot, ...] | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CloudPrices:
    """DigitalOcean's list prices that its API does not tell, in USD a month."""

    volume_per_gb: Decimal
    balancer_node: Decimal
    snapshot_per_gb: Decimal
    reserved_ip: Decimal
    backups_ratio: Decimal
    billed_hours: int


@dataclass(frozen=True, slots=True)
class HardwareInputs:
    """What the config says of the Proxmox VE hardware. Money in the farm's currency."""

    once: Decimal = ZERO
    life_months: int = 60
    power_kw: Decimal = ZERO
    kwh_price: Decimal = ZERO
    hours_per_month: int = 730
    colocation_per_month: Decimal = ZERO
    bandwidth_per_month: Decimal = ZERO
    support_per_month: Decimal = ZERO

    @property
    def parts(self) -> tuple[tuple[str, Decimal], ...]:
        """What a month costs, by part."""
        return (
            ("hardware over its life", self.once / self.life_months),
            ("power", self.power_kw * self.hours_per_month * self.kwh_price),
            ("colocation", self.colocation_per_month),
            ("bandwidth", self.bandwidth_per_month),
            ("support", self.support_per_month),
        )

    @property
    def per_month(self) -> Decimal:
        """All of it."""
        return sum((amount for _, amount in self.parts), ZERO)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A sum that no API tells: alerting services, Spaces, domains."""

    name: str
    per_month: Decimal
    tier: Tier | None = None
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Costing:
    """Everything that the cost is worked out from beside what the sources see."""

    currency: str
    per_usd: Decimal
    """The farm's currency for one US dollar."""
    prices: CloudPrices
    hardware: HardwareInputs | None = None
    """None: the config says nothing of it."""
    fixed: tuple[Fixed, ...] = ()
    spread_hosts_by: str = "memory"
    """`memory`, `cpus` or `guests`: how the hardware's cost is spread over the machines on it."""
    spread_sites_by: str = "equal"
    """`equal` or `requests`."""
    idle_cpu_ratio: float = 0.02
    life_months: int = 60
    """Of the plan's hardware."""
    plan: Plan | None = None
    follows: str = ""
    cloud_tag: str = ""
    """Only droplets with this tag are the farm's, and what hangs on them; empty: all of the account."""
    problems: tuple[str, ...] = ()
    """Why the plan could not be read, in words."""
