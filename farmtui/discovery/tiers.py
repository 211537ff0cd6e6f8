"""Which machines make up each tier, and the patterns that their names share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from farmtui.farm.addresses import is_address
from farmtui.farm.node import Node, Tier
from farmtui.farm.tiers import HINTS, tier_of_exporters

MOST_EXACT: Final = 12
"""So many names are written one by one where no pattern holds them; of more, none is."""

_NUMBERED: Final = re.compile(r"^(.*[^0-9.])[0-9]+$")


@dataclass(frozen=True, slots=True)
class TierFound:
    """One tier's machines."""

    tier: Tier
    names: tuple[str, ...]
    how: str
    """What told that they belong to it, in words."""
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TiersFound:
    """All machines by tier, in the order of the request path; and those of none."""

    tiers: tuple[TierFound, ...] = ()
    strangers: tuple[str, ...] = ()


def tiers_of(nodes: Sequence[Node]) -> TiersFound:
    """The tiers of machines that no rule of a config has sorted: by label or tag, by name, by what they export, by the
    names of others."""
    members: dict[Tier, list[tuple[str, str]]] = {}
    strangers: list[str] = []
    for node in nodes:
        tier, how = _tier(node)
        if tier is Tier.OTHER:
            strangers.append(node.name)
        else:
            members.setdefault(tier, []).append((node.name, how))
    strangers = _adopted(strangers, members)
    named = {tier: [name for name, _ in members[tier]] for tier in Tier if tier in members}
    found = []
    for tier, names in named.items():
        others = [name for other, theirs in named.items() if other is not tier for name in theirs] + strangers
        how = ", ".join(dict.fromkeys(how for _, how in members[tier]))
        found.append(TierFound(tier, tuple(names), how, patterns(names, others)))
    return TiersFound(tuple(found), tuple(strangers))


def _adopted(strangers: Sequence[str], members: Mapping[Tier, list[tuple[str, str]]]) -> list[str]:
    """Put those into a tier whose names are numbered like its own and like no other's: stor-2 beside stor-1. Gives the
    rest."""
    tiers: dict[str, set[Tier]] = {}
    for tier, known in members.items():
        for name, _ in known:
            if stem := _stem(name).casefold():
                tiers.setdefault(stem, set()).add(tier)
    rest = []
    for name in strangers:
        among = tiers.get(_stem(name).casefold(), set())
        if len(among) == 1:
            members[next(iter(among))].append((name, "by the names of others"))
        else:
            rest.append(name)
    return rest


def _stem(name: str) -> str:
    """What stands before the number of a machine's name (`cache-`); empty where it has none."""
    numbered = None if is_address(name) else _NUMBERED.match(name.partition(".")[0])
    return numbered[1] if numbered is not None else ""


def _tier(node: Node) -> tuple[Tier, str]:
    if any(sighting.tier_hint for sighting in node.sightings) and node.tier is not Tier.OTHER:
        return node.tier, "by label or tag"
    by_name = tier_of_name(node.name)
    if node.tier is Tier.OTHER:
        return (by_name, "by name") if by_name is not None else (Tier.OTHER, "")
    if node.tier is Tier.HYPERVISOR:
        return node.tier, "Proxmox VE's hosts"
    # A name is chosen by a person; an exporter may run anywhere.
    if by_name is not None and tier_of_exporters(node.exporters) is node.tier:
        return by_name, "by name"
    return node.tier, "by what they export"


def tier_of_name(name: str) -> Tier | None:
    """The tier that a word of a machine's name tells (`worker-12`, `db3.example.net`); None for none or several."""
    if is_address(name):
        return None
    words = re.split(r"[^a-z]+", name.partition(".")[0].casefold())
    found = {HINTS[word] for word in words if word in HINTS}
    return found.pop() if len(found) == 1 else None


def patterns(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Shell patterns that match these names and none of the others: `cache-*` for cache-1 and cache-2.

    A name that shares no such pattern is written as it is; addresses say nothing and are left out.
    """
    stems: dict[str, list[str]] = {}
    exact: list[str] = []
    for name in names:
        if stem := _stem(name):
            stems.setdefault(f"{_literal(stem)}*", []).append(name)
        elif not is_address(name):
            exact.append(name)
    found: list[str] = []
    for pattern, members in stems.items():
        if any(fnmatchcase(other.casefold(), pattern.casefold()) for other in others):
            exact += members
        else:
            found.append(pattern)
    return (*found, *map(_literal, exact if len(exact) <= MOST_EXACT else ()))


def _literal(word: str) -> str:
    """A pattern that matches a word to the letter."""
    return re.sub(r"[\[*?]", lambda sign: f"[{sign[0]}]", word)
