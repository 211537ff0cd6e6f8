"""Nodes and tiers: machines with their tier, state and reasons, and how many of each tier serve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from farmtui.farm.condition import (
    SWITCHED_OFF,
    Condition,
    Trust,
    condition_of,
    exporters_of,
    metrics_of,
    provider_of,
)
from farmtui.farm.doubts import doubts
from farmtui.farm.farm import HostView
from farmtui.farm.identity import Declaration
from farmtui.farm.machines import Joined, Machine, join_machines
from farmtui.farm.node import CloudAccount, IdentityProblem, Node, PveCluster, Tier, TierSummary
from farmtui.farm.state import Severity
from farmtui.farm.tiers import TierRules, tier_of_exporters, tier_of_hint


@dataclass(frozen=True, slots=True)
class Population:
    """All machines of the farm. `nodes` are sorted by name, `tiers` in the order of the request path."""

    nodes: tuple[Node, ...]
    tiers: tuple[TierSummary, ...]
    problems: tuple[IdentityProblem, ...]
    joined: Joined
    trust: Trust
    offline: frozenset[tuple[str, str]]
    """(cluster, host) of the PVE hosts that are known to be offline."""


def populate(
    hosts: Sequence[HostView],
    pve: Sequence[PveCluster],
    account: CloudAccount | None,
    *,
    declarations: Sequence[Declaration] = (),
    rules: TierRules | None = None,
    trust: Trust | None = None,
    now: datetime,
    before: Population | None = None,
) -> Population:
    """The farm's machines from all sources' sightings. Pure; the order of the input does not matter.

    `before` is an earlier result under the same rules: nodes of which nothing has changed stay the same objects.
    """
    rules = rules or TierRules()
    trust = trust or Trust()
    joined = join_machines(hosts, pve, account, declarations, before.joined if before else None)
    offline = frozenset((c.name, host.name) for c in pve for host in c.hosts if host.status == "offline")
    same = before is not None and before.joined.clusters is joined.clusters
    known = (
        _unchanged(joined, before) if before and same and before.trust == trust and before.offline == offline else {}
    )
    nodes: list[Node] = []
    off: set[int] = set()
    for index, machine in enumerate(joined.machines):
        node = known.get(index)
        if node is None:
            condition = condition_of(machine, offline, trust, now)
            node = _node(machine, tier_of(machine, rules), condition)
            if condition.off:
                off.add(index)
        nodes.append(node)
    by_tier: defaultdict[Tier, list[int]] = defaultdict(list)
    for index, node in enumerate(nodes):
        by_tier[node.tier].append(index)
    tiers = []
    for tier in Tier:
        expected = rules.expected.get(tier)
        members = by_tier.get(tier, [])
        if members or expected:
            if trust.complete:
                _blame_the_switched_off(nodes, off, members, expected)
            tiers.append(_summary(tier, expected, [nodes[index] for index in members], trust))
    if before is not None and same:
        nodes = [then if node == then else node for node, then in zip(nodes, before.nodes, strict=True)]
    problems = _problems(joined, nodes, before)
    return Population(tuple(nodes), tuple(tiers), problems, joined, trust, offline)


def _unchanged(joined: Joined, before: Population) -> dict[int, Node]:
    """By position: nodes of machines that are the same objects as before. Only time can change one that is not OK."""
    triples = enumerate(zip(joined.machines, before.joined.machines, before.nodes, strict=True))
    return {index: node for index, (now, then, node) in triples if now is then and node.state is Severity.OK}


def tier_of(machine: Machine, rules: TierRules) -> Tier:
    """Config line, then label or tag, then the name's pattern, then what it exports; a PVE host carries the rest."""
    if machine.declaration is not None and machine.declaration.tier is not None:
        return machine.declaration.tier
    for sighting in machine.sightings:
        if sighting.source == "prometheus" and (tier := tier_of_hint(sighting.tier_hint)):
            return tier
    for sighting in machine.sightings:
        if sighting.tier_hint and (tier := tier_of_hint(sighting.tier_hint)):
            return tier
    names = {machine.name, *(sighting.name for sighting in machine.sightings)} - {""}
    found = rules.by_name(names) or tier_of_exporters(exporters_of(machine))
    return found or (Tier.HYPERVISOR if machine.host is not None else Tier.OTHER)


def _node(machine: Machine, tier: Tier, condition: Condition) -> Node:
    provider, place = provider_of(machine)
    addresses: dict[str, None] = {}
    for sighting in machine.sightings:
        addresses.update(dict.fromkeys(sighting.addresses))
    return Node(
        machine.name,
        tier,
        provider,
        place,
        tuple(addresses),
        machine.sightings,
        exporters_of(machine),
        metrics_of(machine),
        condition.power,
        condition.state,
        condition.reasons,
        condition.serving,
    )


def _blame_the_switched_off(
    nodes: list[Node], off: Container[int], members: Sequence[int], expected: int | None
) -> None:
    """A machine that is switched off is a fault as soon as its tier lacks it."""
    serving = sum(nodes[index].serving for index in members)
    if expected is None or serving >= expected:
        return
    for index in members:
        if index in off and not nodes[index].serving:
            # Who has switched it off comes first: that is the cause, and what to undo.
            off_by = [reason for reason in nodes[index].reasons if reason.startswith(SWITCHED_OFF)]
            rest = [reason for reason in nodes[index].reasons if reason not in off_by]
            reasons = (*off_by, f"its tier lacks it: {serving} of {expected} serve", *rest)
            nodes[index] = replace(nodes[index], state=Severity.CRITICAL, reasons=reasons)


def _summary(tier: Tier, expected: int | None, nodes: Sequence[Node], trust: Trust) -> TierSummary:
    serving = sum(node.serving for node in nodes)
    healthy = sum(node.serving and node.state <= Severity.INFO for node in nodes)
    wanted = expected if expected is not None else sum(node.state > Severity.INFO or node.serving for node in nodes)
    # A machine that no provider lists is missed by Prometheus only: without it nobody has looked.
    state = _tier_state(nodes, serving, wanted, complete=trust.complete and trust.watched)
    return TierSummary(tier, expected, len(nodes), healthy, state, serving)


def _tier_state(nodes: Sequence[Node], serving: int, wanted: int, *, complete: bool) -> Severity:
    """A tier bears the loss of one machine; it is critical when half is gone, unknown when it may be."""
    down = sum(not node.serving and node.state is Severity.CRITICAL for node in nodes)
    missing = wanted - serving
    if missing > 0:
        unknown = sum(not node.serving and node.state is Severity.UNKNOWN for node in nodes)
        if not complete:
            unknown += max(0, wanted - len(nodes))
        if serving * 2 <= wanted:
            return Severity.UNKNOWN if (serving + unknown) * 2 > wanted else Severity.CRITICAL
        return Severity.UNKNOWN if unknown else Severity.WARNING
    if down:
        return Severity.WARNING
    doubtful = sum(node.state is Severity.UNKNOWN for node in nodes)
    if doubtful * 2 >= max(1, len(nodes)):
        return Severity.UNKNOWN
    worst = max((node.state for node in nodes), default=Severity.OK)
    return Severity.WARNING if worst > Severity.INFO else Severity.OK


def _problems(joined: Joined, nodes: Sequence[Node], before: Population | None) -> tuple[IdentityProblem, ...]:
    if before is not None and joined.clusters is before.joined.clusters and joined.disputed == before.joined.disputed:
        pairs = zip(nodes, before.nodes, strict=True)
        if all(node is then or node.tier is then.tier for node, then in pairs):
            return before.problems
    return doubts(joined, {node.name: node.tier for node in nodes})
