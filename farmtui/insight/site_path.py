"""A site's own path through every layer, and where on it it hurts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from farmtui.farm.farm import Farm
from farmtui.farm.node import Node, Provider, Tier
from farmtui.farm.sites import Site
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.swarm import SwarmService, SwarmTask
from farmtui.farm.units import duration, percent
from farmtui.insight.cache import cache_faults
from farmtui.insight.ceph import ceph_faults
from farmtui.insight.ceph_own import ceph_health_words, ceph_silence
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.galera import galera_faults
from farmtui.insight.gluster import gluster_faults
from farmtui.insight.lookup import Machines
from farmtui.insight.swarm import why_short
from farmtui.insight.thresholds import CERTIFICATE_S, below

OWN = ("service", "worker", "host")
"""Layers of which a site has its own part; the others it shares with all."""

_NAMED = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of the path."""

    layer: str
    """`edge`, `cache`, `service`, ..."""
    words: str
    """What of it this site goes through, and how that is."""
    severity: Severity
    why: tuple[str, ...] = ()
    """What is wrong with it, the worst first."""
    things: tuple[tuple[Thing, str, Severity], ...] = ()
    """What it consists of, with its name and how it is."""


def steps(farm: Farm, site: Site) -> tuple[Step, ...]:
    """The layers in the order in which a request passes them. A layer that the farm does not have is not there."""
    machines = Machines(farm)
    service = service_of(farm, site)
    tasks = tasks_of(farm, service)
    workers = _workers(machines, tasks)
    found = (
        _edge(farm, site),
        _cache(farm, site, machines),
        _redis(farm, machines),
        _service(farm, service, tasks),
        _worker_machines(tasks, workers),
        _hosts(farm, workers),
        _database(farm, site, machines),
        _storage(farm, machines),
    )
    return tuple(step for step in found if step is not None)


def suspect(path: Sequence[Step]) -> Step | None:
    """The layer to look at first, None where all are well: of the worst the deepest, for what lies above hangs on it.

    Before a layer of which all sites feel alike comes one in which the site has a part of its own.
    """
    hurt = [(step.severity is Severity.CRITICAL, step.layer in OWN, at) for at, step in enumerate(path)
            if step.severity >= Severity.WARNING]  # fmt: skip
    return path[max(hurt)[2]] if hurt else None


def service_of(farm: Farm, site: Site) -> SwarmService | None:
    """The Swarm service that is the site's own."""
    services = farm.swarm_cluster.services if farm.swarm_cluster else ()
    return next((service for service in services if service.name == site.swarm), None) if site.swarm else None


def tasks_of(farm: Farm, service: SwarmService | None) -> tuple[SwarmTask, ...]:
    """Its tasks: those that should run, and the newest that failed."""
    if service is None or farm.swarm_cluster is None:
        return ()
    return tuple(task for task in farm.swarm_cluster.tasks if task.service_id == service.id)


# -- layers ---------------------------------------------------------------------------------------


def _edge(farm: Farm, site: Site) -> Step | None:
    nodes = farm.tier_nodes(Tier.EDGE)
    if farm.edge is None and not nodes:
        return None
    serving = sum(node.serving for node in nodes)
    words = [f"router {site.key}"] if site.key else []
    if nodes:
        words.append(f"{serving} of {len(nodes)} machines serve")
    severity, why = _worst_of(nodes)
    if nodes and not serving:
        severity = Severity.CRITICAL
    for certificate in farm.edge.certificates if farm.edge is not None else ():
        left_s = (certificate.not_after - farm.at).total_seconds()
        if certificate.cn == site.name and (ends := below(left_s, CERTIFICATE_S)):
            severity = max(severity, ends)
            why = (f"its certificate ends in {duration(left_s)}" if left_s > 0 else "its certificate has ended", *why)
    return Step("edge", ", ".join(words), severity, why, _nodes(nodes))


def _cache(farm: Farm, site: Site, machines: Machines) -> Step | None:
    nodes = farm.tier_nodes(Tier.CACHE)
    behind = [b for b in farm.edge.backends if b.service == site.service] if farm.edge and site.service else []
    if farm.cache is None and not nodes and not behind:
        return None
    words = []
    if behind:
        words.append(f"service {site.service}: {sum(b.up for b in behind)} of {len(behind)} backends up")
    elif nodes:
        words.append(f"{sum(node.serving for node in nodes)} of {len(nodes)} machines serve")
    if site.hit_ratio is not None:
        words.append(f"hit ratio of this site {percent(site.hit_ratio)}")
    elif farm.cache is not None and farm.cache.hit_ratio is not None:
        words.append(f"hit ratio of the tier {percent(farm.cache.hit_ratio)}")
    told = [f for f in cache_faults(farm, machines) if not f.key.startswith("redis/")]
    severity, why = _worst_of(nodes, told)
    if behind and not any(b.up for b in behind):
        severity, why = Severity.CRITICAL, (f"no backend of {site.service} is up", *why)
    return Step("cache", ", ".join(words), severity, why, _nodes(nodes))


def _redis(farm: Farm, machines: Machines) -> Step | None:
    if farm.cache is None or not farm.cache.redis:
        return None
    told = [f for f in cache_faults(farm, machines) if f.key.startswith("redis/")]
    up = sum(redis.up is not False for redis in farm.cache.redis)
    severity, why = _worst_of((), told)
    things = tuple(
        (
            ("redis", redis.instance),
            f"redis {machines.named(redis.instance)}",
            Severity.CRITICAL if redis.up is False else Severity.OK,
        )
        for redis in farm.cache.redis
    )
    return Step("object cache", f"{up} of {len(farm.cache.redis)} Redis up", severity, why, things)


def _service(farm: Farm, service: SwarmService | None, tasks: Sequence[SwarmTask]) -> Step | None:
    if farm.swarm_cluster is None:
        return None
    if service is None:
        words = "no Swarm service is known to be this site's: label it with the router's rule, or call it by its name"
        return Step("service", words, Severity.OK)
    running = "?" if service.running is None else service.running
    words = f"{service.name}, {running} of {'?' if service.desired is None else service.desired} tasks run"
    severity = Severity.OK
    why: tuple[str, ...] = ()
    if service.short:
        severity = Severity.CRITICAL if service.running == 0 else Severity.WARNING
        why = (why_short(service, tasks),)
    if farm.freshness("swarm") not in (Freshness.LIVE, Freshness.AGEING):
        words += ", as it was before the Swarm fell silent"
    things = [(("swarm-service", service.id), f"service {service.name}", severity)]
    for task in tasks:
        slot = task.slot if task.slot is not None else task.node
        bad = Severity.OK if task.state == "running" else Severity.WARNING
        on = f"task {slot} on {task.node or 'no node'}: {task.state}"
        things.append((("swarm-task", task.id), f"{on}, {task.error}" if task.error else on, bad))
    return Step("service", words, severity, why, tuple(things))


def _worker_machines(tasks: Sequence[SwarmTask], workers: Sequence[Node]) -> Step | None:
    if not workers:
        return None
    words = ", ".join(
        f"{node.name}{f' (CPU {percent(node.metrics.cpu_ratio)})' if node.metrics.cpu_ratio is not None else ''}"
        for node in workers[:_NAMED]
    )
    more = f" and {len(workers) - _NAMED} more" if len(workers) > _NAMED else ""
    severity, why = _worst_of(workers)
    lost = [node for node in workers if not node.serving]
    if lost and len(lost) < len(workers):
        severity = min(severity, Severity.WARNING)
    return Step("worker", words + more, severity, why, _nodes(workers))


def _hosts(farm: Farm, workers: Sequence[Node]) -> Step | None:
    places = sorted({node.place for node in workers if node.provider is Provider.PROXMOX and node.place})
    regions = sorted({node.place for node in workers if node.provider is Provider.DIGITALOCEAN and node.place})
    if not places and not regions:
        return None
    words, why, severity = [], [], Severity.OK
    things: list[tuple[Thing, str, Severity]] = []
    for cluster in farm.pve:
        for host in cluster.hosts:
            if host.name not in places:
                continue
            bad = Severity.OK if host.status == "online" else Severity.CRITICAL
            load = f" (CPU {percent(host.cpu_ratio)})" if host.cpu_ratio is not None else ""
            words.append(f"{host.name}{load}")
            things.append((("pve-host", f"{cluster.name}/{host.name}"), f"PVE host {host.name}, {host.status}", bad))
            if bad:
                why.append(f"PVE host {host.name} is {host.status}")
                severity = max(severity, bad)
    if regions:
        words.append(f"DigitalOcean {', '.join(regions)}")
    if severity is Severity.CRITICAL and len(why) < len(places) + len(regions):
        severity = Severity.WARNING
    return Step("host", ", ".join(words or places), severity, tuple(why), tuple(things))


def _database(farm: Farm, site: Site, machines: Machines) -> Step | None:
    nodes = farm.tier_nodes(Tier.DATABASE)
    if farm.galera is None and not nodes:
        return None
    words = []
    things: list[tuple[Thing, str, Severity]] = []
    if farm.galera is not None:
        members = farm.galera.nodes
        words.append(f"{sum(m.local_state == 4 for m in members)} of {len(members)} Galera nodes synced")
        things += [
            (("galera", m.instance), f"galera {machines.named(m.instance)}",
             Severity.OK if m.local_state == 4 else Severity.WARNING)
            for m in members
        ]  # fmt: skip
    if site.db_s is not None:
        words.append(f"{duration(site.db_s)} of this site's each request")
    severity, why = _worst_of(nodes, galera_faults(farm, machines))
    if not why and farm.galera is not None:
        severity = Severity.OK
    return Step("database", ", ".join(words), severity, why, tuple(things))


def _storage(farm: Farm, machines: Machines) -> Step | None:
    nodes = farm.tier_nodes(Tier.STORAGE)
    if farm.ceph is None and not farm.gluster and not nodes:
        return None
    words: list[str] = []
    things: list[tuple[Thing, str, Severity]] = []
    if farm.ceph is not None:
        up = sum(osd.up for osd in farm.ceph.osds)
        words.append(f"Ceph {ceph_health_words(farm)}, {up} of {len(farm.ceph.osds)} OSDs up")
        things += [
            (("osd", osd.id), f"{osd.id} on {osd.host} is down", Severity.WARNING)
            for osd in farm.ceph.osds
            if not osd.up
        ]
    for pool in farm.gluster:
        bricks = [brick for volume in pool.volumes if volume.status == "Started" for brick in volume.bricks]
        words.append(f"Gluster {sum(brick.online for brick in bricks)} of {len(bricks)} bricks online")
    told = (*ceph_silence(farm), *ceph_faults(farm, machines), *gluster_faults(farm, machines))
    severity, why = _worst_of(nodes, told)
    ailing = [node for node in nodes if node.state > Severity.INFO]
    return Step("files", ", ".join(words), severity, why, (*things, *_nodes(ailing)))


# -- parts ----------------------------------------------------------------------------------------


def _worst_of(nodes: Iterable[Node], told: Iterable[Finding] = ()) -> tuple[Severity, tuple[str, ...]]:
    """How bad the worst is, and in words what is wrong. A tier goes on without one of its machines: a warning."""
    all_of = tuple(nodes)
    bad = [node for node in all_of if node.state >= Severity.WARNING]
    severity = max((node.state for node in bad), default=Severity.OK)
    if severity is Severity.CRITICAL and any(node.serving for node in all_of):
        severity = Severity.WARNING
    why = [f"{node.name}: {'; '.join(node.reasons) or node.state.word}" for node in bad]
    for finding in sorted(told, key=lambda f: -f.severity):
        if finding.severity >= Severity.WARNING:
            severity = max(severity, finding.severity)
            why.insert(0, finding.title)
    return severity, tuple(dict.fromkeys(why))


def _workers(machines: Machines, tasks: Sequence[SwarmTask]) -> tuple[Node, ...]:
    """The machines that its tasks are on, each once."""
    found: dict[str, Node] = {}
    for task in tasks:
        node = machines.at(task.node) if task.node else None
        if node is not None and task.desired_state in ("running", "ready", ""):
            found[node.name] = node
    return tuple(found.values())


def _nodes(nodes: Iterable[Node]) -> tuple[tuple[Thing, str, Severity], ...]:
    return tuple(
        (("node", node.name), f"{node.name}: {'; '.join(node.reasons)}" if node.reasons else node.name, node.state)
        for node in nodes
    )
