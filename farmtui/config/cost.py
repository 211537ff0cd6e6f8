"""The config's section on money: prices that no API tells, the hardware, how costs are spread, and the plan."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from farmtui.config.fields import ConfigPath, Section
from farmtui.farm.node import Tier

Money = Annotated[Decimal, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)]


class CloudPricesConfig(Section):
    """DigitalOcean's prices that its API does not tell, in US dollars a month; droplets' prices it does."""

    volume_per_gb: Money = Decimal("0.10")
    """Block storage, each GiB."""
    balancer_node: Money = Decimal(12)
    """A load balancer, each of its nodes."""
    snapshot_per_gb: Money = Decimal("0.06")
    """Snapshots, each GB."""
    reserved_ip: Money = Decimal(5)
    """A reserved address that points to no droplet; one that does is free."""
    backups_ratio: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.20")
    """What backups add to a droplet's price (0.20 weekly, 0.30 daily)."""
    billed_hours: Annotated[int, Field(ge=1, le=744)] = 672
    """Hours after which a month is billed in full; the pace of the bill is worked out by it."""


class HardwareConfig(Section):
    """The Proxmox VE hardware: what it was bought for, and what a month of it costs. In `cost.currency`."""

    hosts: Annotated[int, Field(ge=1)] | None = None
    """How many hosts the figures below that say `per host` are counted for. Needed where one of them is given."""
    once: Money = Decimal(0)
    """What all of it has cost to buy: switches, racks, and hosts unless `once_per_host` says those."""
    once_per_host: Money = Decimal(0)
    """What one host has cost to buy."""
    life_months: Annotated[int, Field(ge=1, le=240)] = 60
    """Over how many months that is spread."""
    watts_per_host: Annotated[Decimal, Field(ge=0, le=100_000)] = Decimal(0)
    """Power drawn by one host, on average."""
    power_kw: Annotated[Decimal, Field(ge=0, le=100_000)] = Decimal(0)
    """Power drawn beside that (switches), or by all of it."""
    kwh_price: Money = Decimal("0.20")
    """Price of a kilowatt hour."""
    hours_per_month: Annotated[int, Field(ge=1, le=744)] = 730
    """Hours in a month: 8,760 / 12."""
    colocation_per_month: Money = Decimal(0)
    """Space in a rack."""
    bandwidth_per_month: Money = Decimal(0)
    """Bandwidth and addresses."""
    support_per_month: Money = Decimal(0)
    """Subscriptions and hands."""

    @model_validator(mode="after")
    def _hosts_are_counted(self) -> HardwareConfig:
        if self.hosts is None and (self.once_per_host or self.watts_per_host):
            raise ValueError("once_per_host and watts_per_host need hosts: how many there are")
        return self


class FixedConfig(Section):
    """A sum a month that no source sees: alerting services, Spaces, domains."""

    name: str
    """What it is."""
    per_month: Money
    """In `cost.currency`."""
    tier: Tier | None = None
    """The tier that it is for; unset: of no tier alone."""
    provider: str = "other"
    """Who is paid."""


class SpreadConfig(Section):
    """The keys by which shared costs are spread."""

    hosts: Literal["memory", "cpus", "guests"] = "memory"
    """The hardware's cost over the machines that run on it: by their memory, their CPUs, or to each the same."""
    sites: Literal["equal", "requests"] = "equal"
    """The whole over the sites: to each the same, or by the requests that it serves now."""


class CostConfig(Section):
    """What the farm costs, beside what the sources see."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """Three letters. The hardware, fixed sums and the plan are in it."""
    per_usd: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    """How much of the currency a US dollar is: DigitalOcean bills in dollars. Needed for another currency than USD."""
    plan: ConfigPath | None = None
    """A plan file of your own; unset: the plan that farmtui brings (500 sites). docs/cost.md says what is in one."""
    follows: str | None = None
    """The scenario of the plan that the farm follows, by its key; unset: as the plan says."""
    life_months: Annotated[int, Field(ge=1, le=240)] = 60
    """Months that the plan's hardware is used for: a break-even after that is none."""
    digitalocean: CloudPricesConfig = CloudPricesConfig()
    """DigitalOcean's prices."""
    hardware: HardwareConfig | None = None
    """The Proxmox VE hardware."""
    fixed: list[FixedConfig] = []
    """Sums that no source sees."""
    spread: SpreadConfig = SpreadConfig()
    """How shared costs are spread."""
    idle_cpu_ratio: Annotated[float, Field(ge=0, le=1)] = 0.02
    """A machine of no tier whose CPU is busy for less than this is idle."""

    @model_validator(mode="after")
    def _dollars_are_converted(self) -> CostConfig:
        if self.currency != "USD" and self.per_usd is None:
            raise ValueError(f"per_usd is missing: how many {self.currency} is a US dollar")
        if self.currency == "USD" and self.per_usd not in (None, Decimal(1)):
            raise ValueError("per_usd can only be 1 where the currency is USD")
        return self
