"""What hangs on a part of the farm: what is lost, and how much more may be lost, when it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from farmtui.farm.farm import Farm
from farmtui.farm.node import Node, Tier
from farmtui.farm.state import Severity


@dataclass(frozen=True, slots=True)
class Dependent:
    """One thing that hangs on the targets."""

    what: str
    """`cache tier`, `galera quorum`, `tasks`."""
    text: str
    """`2 of 3 go on serving`."""
    severity: Severity


def blast(farm: Farm, targets: Sequence[str]) -> tuple[Dependent, ...]:
    """What hangs on targets (`node:cache-2`, `osd:osd.3`, `service:wp`), the worst first."""
    names = set().union(*(_named(kind, targets) for kind in ("node", "guest", "droplet")))
    osds, services = _named("osd", targets), _named("service", targets)
    nodes = [node for node in farm.nodes if node.name in names]
    found = [*_tiers(farm, nodes), *_swarm(farm, nodes), *_galera(farm, nodes), *_osds(farm, nodes, osds)]
    found += _services(farm, services)
    return tuple(sorted(found, key=lambda one: -one.severity))


def galera_left(farm: Farm, names: Sequence[str]) -> tuple[int, int]:
    """Synced members that stay when machines go, and how many a majority of all members is."""
    members = farm.galera.nodes if farm.galera else ()
    going = {i for node in farm.nodes if node.name in names for i in node.instances} | set(names)
    synced = [member for member in members if member.instance not in going and member.local_state == 4]
    # Members may be there whose exporters are silent.
    of = max([len(members), *(member.cluster_size or 0 for member in members)])
    return len(synced), of // 2 + 1


def managers_left(farm: Farm, names: Sequence[str]) -> tuple[int, int]:
    """Reachable Swarm managers that stay when machines go, and how many a majority is."""
    nodes = farm.swarm_cluster.nodes if farm.swarm_cluster else ()
    managers = [node for node in nodes if node.role == "manager"]
    staying = [node for node in managers if node.reachability == "reachable" and node.hostname not in names]
    # Without a leader what is known of them is as it was before.
    lost = farm.swarm_cluster is not None and farm.swarm_cluster.quorum is False
    return 0 if lost else len(staying), len(managers) // 2 + 1


def mons_left(farm: Farm, names: Sequence[str]) -> tuple[int, int]:
    """Monitors in quorum that stay when machines go, and how many a majority is."""
    mons = farm.ceph.mons if farm.ceph else ()
    staying = [mon for mon in mons if mon.well and mon.host not in names]
    return len(staying), len(mons) // 2 + 1


def _named(kind: str, targets: Sequence[str]) -> set[str]:
    return {target.partition(":")[2] for target in targets if target.startswith(f"{kind}:")}


def _margin(what: str, left: int, majority: int) -> Dependent:
    if left < majority:
        return Dependent(what, f"lost: {left} stay, {majority} are needed", Severity.CRITICAL)
    spare = left - majority
    severity = Severity.WARNING if spare == 0 else Severity.OK
    return Dependent(what, f"holds: {left} stay, {majority} are needed; bears {spare} more", severity)


def _tiers(farm: Farm, nodes: Sequence[Node]) -> Iterator[Dependent]:
    for tier in dict.fromkeys(node.tier for node in nodes):
        if tier is Tier.OTHER:
            continue
        going = {node.name for node in nodes if node.tier is tier}
        all_of = farm.tier_nodes(tier)
        serving = [node for node in all_of if node.serving and node.name not in going]
        severity = Severity.CRITICAL if not serving else Severity.WARNING if len(serving) == 1 else Severity.OK
        yield Dependent(f"{tier.value} tier", f"{len(serving)} of {len(all_of)} go on serving", severity)


def _swarm(farm: Farm, nodes: Sequence[Node]) -> Iterator[Dependent]:
    cluster = farm.swarm_cluster
    if cluster is None:
        return
    going = {node.name for node in nodes}
    tasks = Counter(task.service for task in cluster.tasks if task.node in going and task.state == "running")
    if tasks:
        services = f"{len(tasks)} service{'s' * (len(tasks) != 1)}"
        yield Dependent("tasks", f"{sum(tasks.values())} of {services} move", Severity.OK)
    if any(node.role == "manager" and node.hostname in going for node in cluster.nodes):
        yield _margin("swarm quorum", *managers_left(farm, tuple(going)))


def _galera(farm: Farm, nodes: Sequence[Node]) -> Iterator[Dependent]:
    members = {member.instance for member in farm.galera.nodes} if farm.galera else set()
    going = [node.name for node in nodes if node.instances & members]
    if going:
        yield _margin("galera quorum", *galera_left(farm, going))


def _osds(farm: Farm, nodes: Sequence[Node], osds: set[str]) -> Iterator[Dependent]:
    if farm.ceph is None:
        return
    hosts = {node.name for node in nodes}
    going = [osd for osd in farm.ceph.osds if (osd.id in osds or osd.host in hosts) and osd.up]
    down = [osd for osd in farm.ceph.osds if not osd.up]
    if going:
        severity = Severity.WARNING if down else Severity.OK
        already = f"; {len(down)} are down already" if down else ""
        yield Dependent("OSDs", f"{len(going)} of {len(farm.ceph.osds)} go{already}", severity)
    if any(mon.host in hosts for mon in farm.ceph.mons):
        yield _margin("ceph mon quorum", *mons_left(farm, tuple(hosts)))


def _services(farm: Farm, names: set[str]) -> Iterator[Dependent]:
    for service in farm.swarm_cluster.services if farm.swarm_cluster else ():
        if service.name in names:
            running = "?" if service.running is None else service.running
            desired = "?" if service.desired is None else service.desired
            severity = Severity.WARNING if service.desired == 1 else Severity.OK
            yield Dependent(f"service {service.name}", f"{running} of {desired} tasks run", severity)
