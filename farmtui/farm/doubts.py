"""What the identity join would not guess: conflicts, duplicates and strangers, each with the line that settles it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from farmtui.farm.addresses import short_name, telling_address
from farmtui.farm.identity import DIGITALOCEAN, PROMETHEUS, PROXMOX, Cluster
from farmtui.farm.machines import Joined, Machine
from farmtui.farm.node import IdentityProblem, Sighting, Tier
from farmtui.farm.tiers import tier_of_hint

_SHOWN = 3
"""How many machines a text names before it counts the rest."""
_KINDS = {"conflict": 0, "duplicate": 1, "stranger": 2}
_WHO = {PROMETHEUS: "Prometheus", PROXMOX: "PVE", DIGITALOCEAN: "DigitalOcean", "config": "the config"}


@dataclass(frozen=True, slots=True)
class _Member:
    machine: Machine
    cluster: Cluster


def doubts(joined: Joined, tiers: Mapping[str, Tier]) -> tuple[IdentityProblem, ...]:
    """Everything doubtful about the joined machines, conflicts first. `tiers` are by machine name."""
    members = [_Member(m, c) for m, c in zip(joined.machines, joined.clusters, strict=True)]
    found = [
        *_disputed(joined),
        *_shared_addresses(members),
        *_shared_names(members),
        *_ambiguous_short_names(members),
        *_tier_hints(members),
        *_strangers(members, tiers),
    ]
    return tuple(sorted(found, key=lambda p: (_KINDS[p.kind], p.subject, p.detail)))


def config_line(name: str, sightings: Sequence[Sighting] = (), **more: str) -> str:
    """A line for `nodes:` in the config, in YAML, that claims these sightings."""
    parts = [f"name: {json.dumps(name)}"]
    instances = [s.ident for s in sightings if s.source == PROMETHEUS]
    for sighting in sightings:
        if sighting.source == PROXMOX:
            parts.append(f"pve: {json.dumps(sighting.ident)}")
        elif sighting.source == DIGITALOCEAN:
            parts.append(f"droplet: {sighting.ident}")
    if instances:
        parts.append(f"prometheus: {json.dumps(instances)}")
    parts += [f"{key}: {value}" for key, value in more.items()]
    return f"- {{{', '.join(parts)}}}"


def _listed(members: Sequence[_Member]) -> str:
    texts = [_described(member) for member in members[:_SHOWN]]
    more = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
    return ", ".join(texts) + more


def _described(member: _Member) -> str:
    first = member.machine.sightings[0]
    if first.source == "config":
        return f"{member.machine.name} (a config line)"
    ident = "" if first.ident in member.machine.name else f" {first.ident}"
    return f"{member.machine.name} ({_WHO.get(first.source, first.source)}{ident})"


def _disputed(joined: Joined) -> Iterator[IdentityProblem]:
    for claim in joined.disputed:
        yield IdentityProblem(
            "conflict",
            claim.loser,
            f"the config lines {claim.owner} and {claim.loser} both claim {claim.text}; {claim.owner} has it",
            f"take {claim.text} out of one of the two lines under nodes:",
        )
    lines: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for cluster in joined.clusters:
        line = cluster.declaration
        if line is not None:
            if line.pve:
                lines[PROXMOX, line.pve].add(line.name)
            if line.droplet is not None:
                lines[DIGITALOCEAN, str(line.droplet)].add(line.name)
    for (_, ident), names in lines.items():
        if len(names) > 1:
            first, *others = sorted(names)
            for name in others:
                detail = f"the config lines {first} and {name} both claim {ident}; {first} has it"
                yield IdentityProblem("conflict", name, detail, f"take {ident} out of one of the two lines")


def _shared_addresses(members: Sequence[_Member]) -> Iterator[IdentityProblem]:
    holders: defaultdict[str, list[_Member]] = defaultdict(list)
    for member in members:
        for address in member.cluster.addresses:
            holders[address].append(member)
    for address, having in holders.items():
        if len(having) < 2:
            continue
        line = next((m for m in having if address in _declared(m)), None)
        if line is not None:
            others = [m for m in having if m is not line]
            yield IdentityProblem(
                "conflict",
                line.machine.name,
                f"the config gives {address} to {line.machine.name}; it is also an address of {_listed(others)}",
                f"if the config is right nothing needs doing; else take {address} out of its line",
            )
            continue
        first = having[0]
        example = config_line(_plain(first), first.machine.sightings, addresses=json.dumps([address]))
        yield IdentityProblem(
            "duplicate",
            address,
            f"is an address of {_listed(having)}: it joins nothing",
            f"if it is {_plain(first)}'s, put under nodes: {example}",
        )


def _declared(member: _Member) -> set[str]:
    line = member.machine.declaration
    return {found for text in line.addresses if (found := telling_address(text))} if line else set()


def _plain(member: _Member) -> str:
    """The machine's name without what made it unique."""
    sightings = member.machine.sightings
    return next((s.name for s in sightings if s.name), sightings[0].ident)


def _shared_names(members: Sequence[_Member]) -> Iterator[IdentityProblem]:
    holders: defaultdict[str, list[_Member]] = defaultdict(list)
    for member in members:
        for name in member.cluster.names:
            holders[name].append(member)
    for name, having in holders.items():
        unsettled = [m for m in having if m.machine.declaration is None]
        loose = [m for m in unsettled if not m.cluster.computes]
        if len(having) < 2 or (len(unsettled) < 2 and not loose):
            continue
        owners = [m for m in having if m.cluster.computes]
        by_provider = sum(name in m.cluster.own_names for m in having) >= 2 or not owners
        if loose:
            example = loose[0]
            claimed = (*example.machine.sightings, *(owners[0].machine.sightings[:1] if owners else ()))
            line = config_line(name, [s for s in claimed if s.source != "config"])
            remedy = f"if they are one machine, put under nodes: {line}"
        else:
            example = unsettled[-1]
            line = config_line(f"{name}-{_tail(example)}", example.machine.sightings)
            remedy = f"rename one, or put under nodes: {line}"
        yield IdentityProblem(
            "duplicate" if by_provider else "conflict", name, f"is the name of {_listed(having)}", remedy
        )


def _tail(member: _Member) -> str:
    return member.machine.sightings[0].ident.rpartition("/")[2]


def _ambiguous_short_names(members: Sequence[_Member]) -> Iterator[IdentityProblem]:
    full: defaultdict[str, set[str]] = defaultdict(set)
    bare: defaultdict[str, list[_Member]] = defaultdict(list)
    for member in members:
        for name in member.cluster.names:
            if "." in name:
                full[short_name(name)].add(name)
            else:
                bare[name].append(member)
    for short, names in full.items():
        if len(names) > 1:
            for member in bare.get(short, ()):
                if member.machine.declaration is None and names.isdisjoint(member.cluster.names):
                    line = config_line(min(names), member.machine.sightings)
                    yield IdentityProblem(
                        "conflict",
                        member.machine.name,
                        f"{short} may be {' or '.join(sorted(names)[:_SHOWN])}",
                        f"if it is the first, put under nodes: {line}",
                    )


def _tier_hints(members: Sequence[_Member]) -> Iterator[IdentityProblem]:
    for member in members:
        line = member.machine.declaration
        if line is not None and line.tier is not None:
            continue
        hints = {(s.source, tier) for s in member.machine.sightings if (tier := tier_of_hint(s.tier_hint))}
        if len({tier for _, tier in hints}) > 1:
            said = ", ".join(f"{_WHO.get(source, source)} {tier.value}" for source, tier in sorted(hints, key=str))
            example = config_line(_plain(member), member.machine.sightings, tier=min(t.value for _, t in hints))
            yield IdentityProblem(
                "conflict",
                member.machine.name,
                f"sources disagree about its tier: {said}",
                f"correct the label or tag, or put under nodes: {example}",
            )


def _strangers(members: Sequence[_Member], tiers: Mapping[str, Tier]) -> Iterator[IdentityProblem]:
    for member in members:
        machine, cluster = member.machine, member.cluster
        nowhere = not cluster.addresses and not cluster.names and not cluster.computes
        if nowhere and machine.declaration is None:
            ident = machine.sightings[0].ident
            instances = sorted(exporter.instance for view in machine.views for exporter in view.exporters)
            claimed = json.dumps(instances[:1] or [ident])
            yield IdentityProblem(
                "stranger",
                machine.name,
                f"{ident} is an address that every machine has: it cannot tell which one this is",
                f'put under nodes: - {{name: "its-name", prometheus: {claimed}}}',
            )
        elif tiers.get(machine.name) is Tier.OTHER:
            line = config_line(_plain(member), machine.sightings, tier="app")
            yield IdentityProblem(
                "stranger",
                machine.name,
                "no tier claims it: no label, no tag, no name pattern, no exporter that says what it does",
                f"give its tier a name pattern (tiers: ... match:), or put under nodes: {line}",
            )
