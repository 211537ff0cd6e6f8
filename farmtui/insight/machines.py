"""Faults of machines, and of what carries them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from farmtui.farm.farm import Farm
from farmtui.farm.node import CloudAccount, Node, PveCluster, PveHost, Tier, TierSummary
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import plural
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.thresholds import RATE_LEFT, below

ALONE = 4
"""So many machines of a tier with the same trouble are told one by one; more are one finding with a count."""
NAMED = 6
CEPH_HOST = "ceph-host"
"""Ceph's daemons of one machine, by its short host name: what no screen selects, yet a machine takes down with it."""

PARTS = {
    Tier.EDGE: "edge",
    Tier.CACHE: "cache",
    Tier.APP: "wordpress",
    Tier.DATABASE: "database",
    Tier.STORAGE: "storage",
    Tier.MONITORING: "monitoring",
    Tier.HYPERVISOR: "compute",
    Tier.OTHER: "compute",
}
"""The part of the farm that a tier's machines belong to."""


def compute_faults(farm: Farm) -> Iterator[Finding]:
    """Proxmox VE clusters and the DigitalOcean account."""
    for cluster in farm.pve:
        yield from _cluster(farm, cluster)
    if farm.cloud is not None:
        yield from _cloud(farm.cloud)


def _cluster(farm: Farm, cluster: PveCluster) -> Iterator[Finding]:
    if cluster.quorate is False:
        yield Finding(
            f"pve-quorum/{cluster.name}",
            Severity.CRITICAL,
            f"PVE cluster {cluster.name} has no quorum",
            "fewer than half of its hosts see each other: nothing in it can be started or changed",
            screen="topology",
            part="compute",
            topics=("pvequorum", "proxmoxquorum"),
        )
    for host in cluster.hosts:
        if host.status != "online":
            yield _host(farm, cluster, host)
    for problem in cluster.problems:
        yield Finding(
            f"pve-problem/{cluster.name}/{problem}",
            Severity.WARNING,
            f"PVE {cluster.name} is seen in part",
            problem,
            screen="sources",
            part="sources",
        )


def _host(farm: Farm, cluster: PveCluster, host: PveHost) -> Finding:
    idents = {guest.ident for guest in cluster.guests if guest.host == host.name}
    idents.add(host.ident)
    hit = [node for node in farm.nodes if any(s.source == "proxmox" and s.ident in idents for s in node.sightings)]
    carried = sorted(node.name for node in hit if node.name != host.name and not node.serving)
    evidence = [f"PVE says {host.status}"]
    if carried:
        evidence.append(f"with it: {names_of(carried)}")
    return Finding(
        f"pve-host/{cluster.name}/{host.name}",
        Severity.CRITICAL if host.status == "offline" else Severity.UNKNOWN,
        f"PVE host {host.name} is {host.status}",
        "its cluster does not hear it: every guest on it is gone until it is back or they are started elsewhere",
        tuple(evidence),
        ("pve-host", f"{cluster.name}/{host.name}"),
        "topology",
        "compute",
        covers=frozenset(thing for node in hit if not node.serving for thing in things_of(node)),
        topics=("pvehost", "proxmoxhost", "hypervisor"),
    )


def _cloud(cloud: CloudAccount) -> Iterator[Finding]:
    if cloud.rate_limit and cloud.rate_remaining is not None:
        left = cloud.rate_remaining / cloud.rate_limit
        if below(left, RATE_LEFT):
            yield Finding(
                "do-rate-limit",
                Severity.WARNING,
                "DigitalOcean's API limit is nearly used up",
                "something asks it very often; the console waits rather than use the rest",
                (f"{cloud.rate_remaining} of {cloud.rate_limit} requests are left this hour",),
                screen="sources",
                part="sources",
            )
    for problem in cloud.problems:
        yield Finding(
            f"do-problem/{problem}",
            Severity.WARNING,
            "DigitalOcean is seen in part",
            problem,
            screen="sources",
            part="sources",
        )


def machine_faults(farm: Farm) -> Iterator[Finding]:
    """Tiers that lack machines, and machines that are not well; many of one tier with one trouble are one finding."""
    bad: defaultdict[tuple[Tier, Severity, bool], list[Node]] = defaultdict(list)
    for node in farm.nodes:
        if node.state > Severity.INFO:
            bad[node.tier, node.state, node.serving].append(node)
    asked = _first_asked(farm)
    if asked and any(source.polls for source in farm.sources):
        yield _waiting(farm, asked)
    for summary in farm.tiers:
        if asked and summary.state is Severity.UNKNOWN:
            continue
        down = [
            node for (tier, _, serving), nodes in bad.items() if tier is summary.tier and not serving for node in nodes
        ]
        if finding := _tier(farm, summary, down):
            yield finding
    for (tier, severity, serving), nodes in bad.items():
        if len(nodes) > ALONE:
            yield _many(tier, severity, nodes, serving=serving)
        else:
            yield from (_machine(farm, node) for node in nodes)


def _first_asked(farm: Farm) -> list[str]:
    """The sources of machines that are being asked for the first time."""
    return [
        source.name
        for source in farm.sources
        if (source.kind == "proxmox" or source.name in ("prometheus", "digitalocean"))
        and (source.freshness, source.polls, source.failure) == (Freshness.NEVER, 0, None)
    ]


def _waiting(farm: Farm, asked: Sequence[str]) -> Finding:
    """A console that has just begun: what nobody has had the time to tell is not told as missing."""
    unseen = sum(max(0, (tier.expected or 0) - tier.seen) for tier in farm.tiers)
    return Finding(
        "starting",
        Severity.UNKNOWN,
        f"no answer yet: {names_of(asked)}",
        "asked for the first time just now: what is wrong is known when they have answered",
        (f"{plural(unseen, 'machine')} that the config expects not seen yet",) if unseen else (),
        screen="sources",
        part="sources",
    )


def _tier(farm: Farm, summary: TierSummary, down: Sequence[Node]) -> Finding | None:
    """A tier as a whole: where more than one of its machines is gone, or one that nobody has seen."""
    expected = summary.expected
    unseen = max(0, (expected or 0) - summary.seen)
    if summary.state <= Severity.INFO or (len(down) < 2 and not unseen):
        return None
    if summary.state is Severity.UNKNOWN and not unseen:
        return None
    wanted = expected if expected is not None else summary.seen
    title = f"{summary.tier.title}: {summary.serving} of {wanted} serve"
    cause = []
    if down:
        cause.append(f"down: {names_of([node.name for node in down])}")
    if unseen:
        cause.append(f"{unseen} that the config expects {'has' if unseen == 1 else 'have'} been seen by no source")
        if summary.state is Severity.UNKNOWN:
            # What was not looked at is not told as what does not serve.
            title = f"{summary.tier.title}: {unseen} of {wanted} not seen"
    return Finding(
        f"tier/{summary.tier.value}",
        summary.state,
        title,
        "; ".join(cause),
        tuple(f"{node.name}: {node.reasons[0]}" for node in down[:3] if node.reasons),
        ("tier", summary.tier.value),
        screen="topology",
        part=PARTS[summary.tier],
        since=_first(_gone_since(farm, node) for node in down),
        covers=frozenset(thing for node in down for thing in things_of(node)),
    )


def _many(tier: Tier, severity: Severity, nodes: Sequence[Node], *, serving: bool) -> Finding:
    reasons: defaultdict[str, int] = defaultdict(int)
    for node in nodes:
        for reason in node.reasons[:1]:
            reasons[reason] += 1
    common, times = max(reasons.items(), key=lambda item: item[1], default=("no reason known", 0))
    word = "are down" if not serving else "are not well" if severity is not Severity.UNKNOWN else "are in doubt"
    return Finding(
        f"machines/{tier.value}/{severity.name.lower()}/{'up' if serving else 'down'}",
        severity,
        f"{len(nodes)} {tier.title if tier is Tier.HYPERVISOR else f'{tier.title} machines'} {word}",
        f"{names_of([node.name for node in nodes])}",
        (f"{times} of them: {common}",) if times > 1 else (f"first: {common}",),
        screen="topology",
        part=PARTS[tier],
        covers=frozenset(thing for node in nodes for thing in things_of(node)),
    )


def _machine(farm: Farm, node: Node) -> Finding:
    if not node.serving and node.state is Severity.CRITICAL:
        title = f"{node.name} is down"
    elif node.state is Severity.UNKNOWN:
        title = f"{node.name} is in doubt"
    else:
        title = f"{node.name} is not well"
    evidence = list(node.reasons[1:3])
    if node.place and not node.serving:
        evidence.append(f"it runs on {node.place}")
    return Finding(
        f"node/{node.name}",
        node.state,
        title,
        node.reasons[0] if node.reasons else "no reason known",
        tuple(evidence),
        ("node", node.name),
        "topology",
        PARTS[node.tier],
        since=None if node.serving else _gone_since(farm, node),
        covers=things_of(node),
    )


def _gone_since(farm: Farm, node: Node) -> datetime | None:
    """When its exporter was last heard, where that is before the last poll."""
    seen_at = node.metrics.seen_at
    return seen_at if seen_at is not None and seen_at < farm.at else None


def _first(moments: Iterator[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def names_of(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def things_of(node: Node) -> frozenset[Thing]:
    """The machine and what runs on it; of a machine that is down, also what Ceph has on it."""
    things = {("node", node.name)}
    if not node.serving:
        things |= {(kind, instance) for kind in ("varnish", "redis", "galera") for instance in node.instances}
        things.add((CEPH_HOST, node.name.partition(".")[0]))
    return frozenset(things)
