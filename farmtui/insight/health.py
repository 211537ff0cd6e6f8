"""The farm's parts, each with how it is in a few words and one severity; and the farm as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from farmtui.farm.backups import BackupBook
from farmtui.farm.farm import Farm
from farmtui.farm.gluster import GlusterPool
from farmtui.farm.node import Tier, TierSummary
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import duration, percent, plural, rate
from farmtui.insight.backups import counted
from farmtui.insight.ceph_own import ceph_health_words
from farmtui.insight.finding import Finding
from farmtui.insight.machines import PARTS


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the farm. Parts that are not configured do not exist."""

    name: str
    severity: Severity
    summary: str
    screen: str
    """The screen that shows it."""


def components(farm: Farm, found: Sequence[Finding]) -> tuple[Component, ...]:
    """The parts in the order of the request path. `found` are the farm's findings."""
    worst: dict[str, Severity] = {}
    for finding in found:
        for part, severity in ((finding.part, finding.severity), *finding.hurts):
            worst[part] = max(severity, worst.get(part, Severity.OK))
    parts = [Component(name, worst.pop(name, Severity.OK), summary, screen) for name, screen, summary in _parts(farm)]
    # A fault of a part that is not seen at all: a load balancer's, where no Traefik is watched.
    parts += [
        Component(finding.part, worst.pop(finding.part), finding.title, finding.screen)
        for finding in found
        if finding.part in worst
    ]
    return tuple(parts)


def overall(farm: Farm, found: Sequence[Finding]) -> Severity:
    """The worst of all findings; UNKNOWN while one of the sources that see has given nothing at all."""
    seen = max((finding.severity for finding in found), default=Severity.OK)
    unseen = not farm.sources or any(
        source.freshness is Freshness.NEVER and source.name in ("prometheus", "alertmanager")
        for source in farm.sources
    )  # fmt: skip
    return max(seen, Severity.UNKNOWN) if unseen or _all_silent(farm) else seen


def _all_silent(farm: Farm) -> bool:
    return all(source.freshness in (Freshness.NEVER, Freshness.FORBIDDEN) for source in farm.sources)


def _parts(farm: Farm) -> Iterator[tuple[str, str, str]]:
    """Name, screen and summary of each part that exists."""
    machines = {PARTS[tier.tier]: _machines(tier) for tier in farm.tiers}
    edge, cache, ceph, galera, swarm = farm.edge, farm.cache, farm.ceph, farm.galera, farm.swarm
    if edge or "edge" in machines:
        said = (
            (f"{rate(edge.requests_per_s)}, {percent(edge.error_ratio)} errors, p95 {duration(edge.latency_p95_s)}",)
            if edge
            else ()
        )
        yield "edge", "overview", _joined(*said, machines.get("edge"))
    if cache or "cache" in machines:
        said = (f"hit ratio {percent(cache.hit_ratio)}",) if cache else ()
        yield "cache", "cache", _joined(*said, machines.get("cache"))
    sites = f"{plural(int(edge.sites_seen), 'site')} seen" if edge and edge.sites_seen is not None else None
    if sites or "wordpress" in machines:
        yield "wordpress", "sites", _joined(sites, machines.get("wordpress"))
    if swarm or farm.swarm_cluster:
        yield "swarm", "compute", _swarm(farm)
    if galera or "database" in machines:
        said = (f"{galera.size_min or 0} of {len(galera.nodes)} in the cluster",) if galera else ()
        yield "database", "database", _joined(*said, machines.get("database"))
    if ceph or farm.gluster or "storage" in machines:
        volumes = tuple(_gluster(pool) for pool in farm.gluster)
        said = ()
        if ceph:
            up = sum(osd.up for osd in ceph.osds)
            figures = f"{up} of {len(ceph.osds)} OSDs up, {percent(ceph.used_ratio)} used"
            before = "before that " if farm.ceph_detail and farm.ceph_detail.silent else ""
            said = (f"Ceph {ceph_health_words(farm)}, {before}{figures}",)
        yield "storage", "storage", _joined(*said, *volumes, machines.get("storage"))
    if farm.pve or farm.cloud:
        hosts = [host for cluster in farm.pve for host in cluster.hosts]
        online = sum(host.status == "online" for host in hosts)
        droplets = plural(len(farm.cloud.droplets), "droplet") if farm.cloud else None
        yield "compute", "compute", _joined(f"{online} of {len(hosts)} PVE hosts online" if hosts else None, droplets)
    if farm.backups is not None and any(source.kind == "backups" for source in farm.sources):
        yield "backups", "backups", _backups(farm, farm.backups)
    if farm.interconnects:
        up = sum(link.up for link in farm.interconnects)
        yield "network", "topology", f"{up} of {len(farm.interconnects)} interconnects up"
    if any(tier.tier is Tier.MONITORING for tier in farm.tiers):
        yield "monitoring", "topology", machines["monitoring"]
    if farm.book is not None:
        heard = farm.book.heard
        critical = sum(alert.severity is Severity.CRITICAL for alert in heard)
        yield (
            "alerts",
            "alerts",
            f"{len(heard)} fire, {critical} critical, {farm.book.quiet} suppressed",
        )
    if farm.sources:
        live = sum(source.freshness in (Freshness.LIVE, Freshness.EMPTY) for source in farm.sources)
        yield "sources", "sources", f"{live} of {len(farm.sources)} live"


def _machines(tier: TierSummary) -> str:
    whole = tier.expected or tier.seen
    if tier.state is Severity.UNKNOWN and not tier.seen:
        return f"none of {whole} machines seen"
    return f"{tier.serving} of {whole} machines"


def _swarm(farm: Farm) -> str:
    """The leader and what runs: by the managers' own word, else by what the metrics count."""
    cluster, counts = farm.swarm_cluster, farm.swarm
    if cluster is None or not cluster.nodes:
        tasks = dict(counts.tasks_by_state) if counts else {}
        leader = f"leader {counts.leader}" if counts and counts.leader else "no leader"
        return _joined(leader, plural(int(tasks.get("running", 0)), "task runs", "tasks run") if tasks else None)
    leads = next((node.hostname for node in cluster.nodes if node.leader), "")
    ready = sum(node.state == "ready" for node in cluster.nodes)
    running = sum(task.state == "running" for task in cluster.tasks)
    return _joined(
        f"leader {leads}" if leads and cluster.quorum else "no leader",
        f"{ready} of {len(cluster.nodes)} nodes ready",
        f"{plural(len(cluster.services), 'service')}, {plural(running, 'task runs', 'tasks run')}",
    )


def _backups(farm: Farm, book: BackupBook) -> str:
    found = counted(farm, book)
    return _joined(
        f"{found.fresh:,} of {found.whole:,} fresh" if found.whole else "none is known",
        *(
            f"{number:,} {words}"
            for number, words in (
                (len(found.overdue), "overdue"),
                (found.never, "have none"),
                (found.doubted, "doubtful"),
                (found.unknown, "unknown"),
            )
            if number
        ),
    )


def _gluster(pool: GlusterPool) -> str:
    bricks = [brick for volume in pool.volumes if volume.status == "Started" for brick in volume.bricks]
    return f"Gluster {sum(brick.online for brick in bricks)} of {len(bricks)} bricks online"


def _joined(*texts: str | None) -> str:
    return ", ".join(text for text in texts if text)
