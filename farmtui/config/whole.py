"""The whole config: all sections together, and what they must agree on."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import StringConstraints, field_validator, model_validator

from farmtui.config.backups import BackupsConfig
from farmtui.config.cost import CostConfig
from farmtui.config.fields import Section
from farmtui.config.networks import NetworkConfig
from farmtui.config.remote import CephConfig, GlusterConfig, LogsConfig, SshConfig, SwarmConfig, VarnishConfig
from farmtui.config.sections import (
    AlertmanagerConfig,
    DigitalOceanConfig,
    FarmConfig,
    JournalConfig,
    NodeConfig,
    PrometheusConfig,
    ProxmoxConfig,
    RolesConfig,
    RunbooksConfig,
    SloConfig,
    TierConfig,
    UiConfig,
)
from farmtui.farm.node import Tier

NetworkName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=40)]


class Config(Section):
    """The whole file."""

    farm: FarmConfig = FarmConfig()
    """The farm's name and size."""
    slo: SloConfig = SloConfig()
    """What each site promises."""
    tiers: dict[Tier, TierConfig] = {}
    """Expected machines per tier and the names that belong to it."""
    prometheus: PrometheusConfig | None = None
    """The metrics."""
    alertmanager: AlertmanagerConfig | None = None
    """The alerts."""
    proxmox: list[ProxmoxConfig] = []
    """Proxmox VE clusters."""
    digitalocean: DigitalOceanConfig | None = None
    """The DigitalOcean account."""
    ssh: SshConfig = SshConfig()
    """How to log in to machines."""
    logs: LogsConfig = LogsConfig()
    """Their logs."""
    swarm: SwarmConfig | None = None
    """The Docker Swarm."""
    gluster: list[GlusterConfig] = []
    """GlusterFS pools."""
    ceph: CephConfig | None = None
    """Ceph's own word on its health."""
    varnish: VarnishConfig | None = None
    """Varnish's backends."""
    networks: dict[NetworkName, NetworkConfig] = {}
    """Networks: the interconnect, Ceph's, cache-net."""
    backups: BackupsConfig | None = None
    """The backups of sites and guests."""
    nodes: list[NodeConfig] = []
    """Machines whose identity must be said explicitly."""
    cost: CostConfig = CostConfig()
    """What the farm costs."""
    journal: JournalConfig = JournalConfig()
    """The record of what was done."""
    runbooks: RunbooksConfig = RunbooksConfig()
    """Runbooks of your own."""
    roles: RolesConfig = RolesConfig()
    """Who may do what."""
    ui: UiConfig = UiConfig()
    """Looks and keys."""

    @field_validator("tiers", mode="before")
    @classmethod
    def _tiers_may_be_bare(cls, tiers: Any) -> Any:
        if isinstance(tiers, dict):
            return {tier: {} if section is None else section for tier, section in tiers.items()}
        return tiers

    @model_validator(mode="after")
    def _names_are_unique(self) -> Config:
        for what, names in (
            ("proxmox", [cluster.name for cluster in self.proxmox]),
            ("gluster", [pool.name for pool in self.gluster]),
            ("nodes", [node.name for node in self.nodes]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: the name {twice[0]!r} is given twice")
        return self

    @model_validator(mode="after")
    def _ceph_has_somebody_to_ask(self) -> Config:
        if self.ceph is None:
            return self
        if self.ceph.via == "ssh" and not self.ceph.hosts:
            raise ValueError("ceph: via: ssh needs hosts: those that have the ceph command and a keyring")
        if self.ceph.via == "pve":
            names = [cluster.name for cluster in self.proxmox]
            if self.ceph.pve is not None and self.ceph.pve not in names:
                raise ValueError(f"ceph.pve: there is no cluster {self.ceph.pve!r} under proxmox")
            if self.ceph.pve is None and len(names) != 1:
                raise ValueError("ceph: via: pve needs `pve`, the name of the cluster under proxmox that runs Ceph")
        return self

    def tier_by_name(self, name: str) -> Tier | None:
        """The tier whose patterns match a machine's name; the first in the order of the request path."""
        for tier in Tier:
            section = self.tiers.get(tier)
            if section and any(fnmatchcase(name, pattern) for pattern in section.match):
                return tier
        return None


def schema() -> dict[str, Any]:
    """The JSON schema of the config file, for editors (`farmtui config schema`)."""
    from farmtui.config.described import described

    found = described(Config).model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "farmtui config"
    return found
