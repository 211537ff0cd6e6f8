"""The Farm: the one immutable picture that every screen is a function of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from farmtui.farm.alerts import AlertBook, Rule, Target
from farmtui.farm.backups import BackupBook
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.cluster import Ceph, Galera, SwarmCounts
from farmtui.farm.cost import CloudBill, Costing
from farmtui.farm.gluster import GlusterPool
from farmtui.farm.networks import Hop, Network, Wires
from farmtui.farm.node import CloudAccount, Exporter, HostMetrics, IdentityProblem, Node, PveCluster, Tier, TierSummary
from farmtui.farm.reading import SourceState, Trend
from farmtui.farm.sites import SiteBook
from farmtui.farm.state import Freshness
from farmtui.farm.swarm import SwarmCluster
from farmtui.farm.traffic import CacheTier, Edge
from farmtui.farm.varnish import VarnishBackends


@dataclass(frozen=True, slots=True)
class HostView:
    """One machine as Prometheus sees it: all targets that share an address (or a `node`/`host` label)."""

    host: str
    """The instance's host part, or the `node`/`host`/`nodename` label where there is one."""
    addresses: tuple[str, ...]
    name: str
    tier_hint: str
    exporters: tuple[Exporter, ...]
    metrics: HostMetrics


@dataclass(frozen=True, slots=True)
class PrometheusView:
    """All that one poll of Prometheus tells, already in the farm's terms.

    A part is None while none of its figures has ever been answered: that part of the farm does not exist, and
    the console shows nothing of it. `figure_problems` maps a figure's name to why it could not be had.
    """

    edge: Edge | None = None
    cache: CacheTier | None = None
    galera: Galera | None = None
    swarm: SwarmCounts | None = None
    ceph: Ceph | None = None
    wires: Wires = field(default_factory=Wires)
    hosts: tuple[HostView, ...] = ()
    targets: tuple[Target, ...] = ()
    rules: tuple[Rule, ...] = ()
    figure_problems: tuple[tuple[str, str], ...] = ()
    clock_ahead_s: float | None = None
    """By how many seconds this machine's clock is ahead of Prometheus's (below 0: behind); 0 where it can be right."""


@dataclass(frozen=True, slots=True)
class Farm:
    """Everything that is known now. Parts that are not configured or never seen are None or empty."""

    name: str
    at: datetime
    """When this picture was assembled; ages on the screen are counted from here."""
    nodes: tuple[Node, ...] = ()
    tiers: tuple[TierSummary, ...] = ()
    sources: tuple[SourceState, ...] = ()
    edge: Edge | None = None
    sites: SiteBook | None = None
    """The sites one by one; None until they have been asked for."""
    cache: CacheTier | None = None
    galera: Galera | None = None
    swarm: SwarmCounts | None = None
    swarm_cluster: SwarmCluster | None = None
    """The Swarm by its managers' API; `swarm` is what its metrics count."""
    ceph: Ceph | None = None
    ceph_detail: CephDetail | None = None
    gluster: tuple[GlusterPool, ...] = ()
    varnish: tuple[VarnishBackends, ...] = ()
    """The cache nodes' backends by varnishadm."""
    networks: tuple[Network, ...] = ()
    backups: BackupBook | None = None
    """What is kept of the sites and guests; None where no backups are configured."""
    interconnects: tuple[Hop, ...] = ()
    """The paths between the farm's sites, as the best prober of each interconnect sees them."""
    pve: tuple[PveCluster, ...] = ()
    cloud: CloudAccount | None = None
    bill: CloudBill | None = None
    costing: Costing | None = None
    """What the config and the plan say of money."""
    book: AlertBook | None = None
    rules: tuple[Rule, ...] = ()
    targets: tuple[Target, ...] = ()
    trends: Mapping[str, Trend] = field(default_factory=lambda: MappingProxyType({}))
    figure_problems: tuple[tuple[str, str], ...] = ()
    clock_ahead_s: float | None = None
    """See `PrometheusView`."""
    identity_problems: tuple[IdentityProblem, ...] = ()
    expected_sites: int | None = None

    def source(self, kind: str) -> SourceState | None:
        """The first source of a kind, or None where it is not configured."""
        return next((s for s in self.sources if s.kind == kind), None)

    def source_named(self, name: str) -> SourceState | None:
        """The source of this name (`gluster main`), or None where it is not configured."""
        return next((s for s in self.sources if s.name == name), None)

    def freshness(self, kind: str) -> Freshness:
        """The freshness of the first source of a kind; ABSENT where it is not configured."""
        source = self.source(kind)
        return source.freshness if source else Freshness.ABSENT

    def tier_nodes(self, tier: Tier) -> tuple[Node, ...]:
        """The machines of one tier, by name."""
        return tuple(node for node in self.nodes if node.tier is tier)

    def node_of_instance(self, instance: str) -> Node | None:
        """The machine a Prometheus instance label belongs to."""
        return next((node for node in self.nodes if instance in node.instances), None)
