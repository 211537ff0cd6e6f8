"""One Farm from what all sources have answered: a pure function, and what is unchanged stays the same object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeVar

from farmtui.config import Config
from farmtui.farm.alerts import AlertBook
from farmtui.farm.backups import PveBackups, StoreListing
from farmtui.farm.cache import cache_tier
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.ceph_picture import Told, one_ceph
from farmtui.farm.cluster import Ceph
from farmtui.farm.condition import Trust
from farmtui.farm.cost import CloudBill, Costing
from farmtui.farm.farm import Farm, PrometheusView
from farmtui.farm.gluster import GlusterPool
from farmtui.farm.identity import Declaration
from farmtui.farm.network_join import Surroundings, interconnects, networks
from farmtui.farm.networks import NetworkPlan
from farmtui.farm.node import CloudAccount, PveCluster
from farmtui.farm.nodes import Population, populate
from farmtui.farm.reading import SourceState, Trend
from farmtui.farm.site_names import with_services
from farmtui.farm.sites import SiteBook
from farmtui.farm.state import Freshness, freshness_of
from farmtui.farm.swarm import SwarmCluster
from farmtui.farm.tiers import TierRules, tier_rules
from farmtui.farm.varnish import VarnishBackends
from farmtui.polling.backing import Backing, backing
from farmtui.polling.costing import costing
from farmtui.polling.report import Report, shown, source_state

T = TypeVar("T")

MACHINES_IN_THREAD: Final = 500
"""Above so many machines assembling takes longer than a frame, and is done in a thread."""

_NO_VIEW: Final = PrometheusView()
_NO_TRENDS: Final[Mapping[str, Trend]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assembly:
    """A Farm and what the next one is built upon."""

    farm: Farm
    population: Population
    view: PrometheusView
    costing: Costing
    told: tuple[SiteBook | None, SwarmCluster | None] = (None, None)
    """What `farm.sites` was made of."""
    backing: Backing | None = None
    """What `farm.backups` was made of."""


def assemble(config: Config, reports: Sequence[Report], now: datetime) -> Farm:
    """The farm as the reports tell it at `now`. The order of the reports does not matter, but for `Farm.sources`."""
    return assembly(config, reports, now).farm


def assembly(config: Config, reports: Sequence[Report], now: datetime, before: Assembly | None = None) -> Assembly:
    """The same, built upon an earlier one under the same config: parts that are equal keep their identity."""
    view, book, account, trends = _NO_VIEW, None, None, _NO_TRENDS
    bill: CloudBill | None = None
    swarm: SwarmCluster | None = None
    book_of_sites: SiteBook | None = None
    detail: CephDetail | None = None
    backends: tuple[VarnishBackends, ...] = ()
    clusters: list[PveCluster] = []
    pools: list[GlusterPool] = []
    listings: list[StoreListing] = []
    kept: list[PveBackups] = []
    for report in reports:
        match report.value:
            case PrometheusView():
                view = report.value
            case AlertBook():
                book = report.value
            case CloudAccount():
                account = report.value
            case CloudBill():
                bill = report.value
            case PveCluster():
                clusters.append(report.value)
            case SwarmCluster():
                swarm = report.value
            case SiteBook():
                book_of_sites = report.value
            case CephDetail():
                detail = report.value
            case GlusterPool():
                pools.append(report.value)
            case StoreListing():
                listings.append(report.value)
            case PveBackups():
                kept.append(report.value)
            case tuple():
                # Only varnishadm's source gives several values: one for each cache node.
                backends = report.value
            case Mapping():
                trends = report.value
    old = before.farm if before else None
    if before is not None:
        view = shared(before.view, view)
    pve = tuple(sorted(clusters, key=lambda cluster: cluster.name))
    if old is not None:
        pve, account = shared(old.pve, pve), shared(old.cloud, account)
    population = populate(
        view.hosts,
        pve,
        account,
        declarations=declarations(config),
        rules=rules(config),
        trust=trust(reports, now),
        now=now,
        before=before.population if before else None,
    )
    money = before.costing if before else costing(config)
    if old is not None:
        swarm = shared(old.swarm_cluster, swarm)
    sites = _sites(book_of_sites, swarm, before)
    nets = networks(
        plans(config),
        view.wires,
        Surroundings(population.nodes, swarm, view.edge.backends if view.edge is not None else ()),
    )
    backed = backing(config, listings, kept, sites, pve, before.backing if before else None)
    states = tuple(source_state(report, now) for report in reports)
    farm = Farm(
        name=config.farm.name,
        at=now,
        nodes=population.nodes,
        tiers=population.tiers,
        sources=states,
        edge=view.edge,
        sites=sites,
        cache=cache_tier(view.cache, backends, population.nodes),
        galera=view.galera,
        swarm=view.swarm,
        swarm_cluster=swarm,
        ceph=_ceph(reports, view.ceph, now),
        ceph_detail=detail,
        gluster=tuple(sorted(pools, key=lambda pool: pool.name)),
        varnish=backends,
        networks=nets,
        backups=backed.book,
        interconnects=interconnects(nets),
        pve=pve,
        cloud=account,
        bill=bill,
        costing=money,
        book=book,
        rules=view.rules,
        targets=view.targets,
        trends=trends,
        figure_problems=view.figure_problems,
        clock_ahead_s=view.clock_ahead_s,
        identity_problems=population.problems,
        expected_sites=config.farm.sites,
    )
    if old is not None:
        farm = replace(farm, **{name: shared(getattr(old, name), getattr(farm, name)) for name in _SHARED})
    return Assembly(farm, population, view, money, (book_of_sites, swarm), backed)


def _sites(told: SiteBook | None, swarm: SwarmCluster | None, before: Assembly | None) -> SiteBook | None:
    """The sites with what the Swarm tells of them; what has been made of the same is not made again."""
    if told is None:
        return None
    services = swarm.services if swarm is not None else ()
    if before is not None and before.told[0] is told and before.farm.sites is not None:
        known = before.told[1].services if before.told[1] is not None else ()
        if known is services or known == services:
            return before.farm.sites
    return with_services(told, services)


def _ceph(reports: Sequence[Report], metrics: Ceph | None, now: datetime) -> Ceph | None:
    """The mgr's figures and Ceph's own word as one picture. The mgr may be silent while Prometheus goes on."""
    own = next((report for report in reports if isinstance(report.value, CephDetail)), None)
    told = None if own is None else Told(own.value, own.taken_at or now, trusted=own.trusted(now))
    seen_at = metrics.seen_at if metrics else None
    age_s = (now - seen_at).total_seconds() if seen_at else None
    trusted = (metrics is None or not metrics.stalled) and any(
        report.trusted(now) and freshness_of(age_s, report.interval_s) in (Freshness.LIVE, Freshness.AGEING)
        for report in reports
        if isinstance(report.value, PrometheusView)
    )
    return one_ceph(metrics, told, trusted=trusted)


_SHARED: Final = (
    "cache", "ceph", "nodes", "tiers", "book", "trends", "identity_problems",
    "swarm_cluster", "networks", "interconnects", "ceph_detail", "gluster", "varnish", "bill",
)  # fmt: skip
"""Parts of the Farm that are not shared already by way of the view, and are not bookkeeping."""

_PARTS: Final = tuple(field.name for field in fields(Farm) if field.name not in ("name", "at", "sources"))


def differs(old: Farm, new: Farm) -> bool:
    """Whether somebody could see a difference between two Farms, of which the newer was built upon the older."""
    if any(getattr(old, name) is not getattr(new, name) for name in _PARTS):
        return True
    return _shown(old.sources, old.at) != _shown(new.sources, new.at)


def _shown(states: Sequence[SourceState], at: datetime) -> list[tuple[object, ...]]:
    return [shown(state, at) for state in states]


def shared(old: T, new: T, depth: int = 2) -> T:
    """`new`, with every part down to `depth` that is equal to the old one's replaced by the old one."""
    if old is new or type(old) is not type(new):
        return new
    if old == new:
        return old
    if depth == 0:
        return new
    if is_dataclass(new) and not isinstance(new, type):
        parts: dict[str, Any] = {}
        for field in fields(new):
            mine, theirs = getattr(old, field.name), getattr(new, field.name)
            if mine is not theirs and (same := shared(mine, theirs, depth - 1)) is not theirs:
                parts[field.name] = same
        return replace(new, **parts) if parts else new
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return MappingProxyType(  # type: ignore[return-value]
            {key: shared(old[key], value, 0) if key in old else value for key, value in new.items()}
        )
    return new


def declarations(config: Config) -> tuple[Declaration, ...]:
    """The config's `nodes:` lines as the join reads them."""
    return tuple(
        Declaration(
            node.name, node.tier, tuple(node.prometheus), node.pve, node.droplet, addresses=tuple(node.addresses)
        )
        for node in config.nodes
    )


def plans(config: Config) -> tuple[NetworkPlan, ...]:
    """The config's `networks:` as they are joined with what the farm tells."""
    return tuple(
        NetworkPlan(
            name, net.kind, tuple(net.cidr), tuple(net.interface), tuple(net.jobs), tuple(net.members), net.slow_s
        )
        for name, net in config.networks.items()
    )


def rules(config: Config) -> TierRules:
    """The config's `tiers:`."""
    return tier_rules(
        {tier: section.match for tier, section in config.tiers.items()},
        {tier: section.expect for tier, section in config.tiers.items() if section.expect is not None},
    )


def trust(reports: Sequence[Report], now: datetime) -> Trust:
    """Which sources' values are young enough to judge machines by."""
    known = [report for report in reports if _knows_machines(report)]
    by_kind = {kind: [r for r in known if r.kind == kind] for kind in ("prometheus", "digitalocean")}
    return Trust(
        prometheus=all(report.trusted(now) for report in by_kind["prometheus"]),
        proxmox={r.value.name: r.trusted(now) for r in known if isinstance(r.value, PveCluster)},
        digitalocean=all(report.trusted(now) for report in by_kind["digitalocean"]),
        watched=bool(by_kind["prometheus"]),
        complete=all(report.trusted(now) for report in known),
    )


def _knows_machines(report: Report) -> bool:
    """Those whose machines become Nodes; the others know figures and states only."""
    known = report.kind in ("prometheus", "proxmox", "digitalocean")
    return known and report.name not in ("prometheus trends", "prometheus sites")


def is_big(reports: Sequence[Report]) -> bool:
    """Whether assembling these belongs in a thread."""
    machines = 0
    for report in reports:
        match report.value:
            case PrometheusView():
                machines += len(report.value.hosts)
            case PveCluster():
                machines += len(report.value.guests)
            case CloudAccount():
                machines += len(report.value.droplets)
            case SiteBook():
                machines += len(report.value.sites)
            case StoreListing():
                machines += len(report.value.stored)
    return machines > MACHINES_IN_THREAD
