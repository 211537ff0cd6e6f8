"""Which tier a machine belongs to: said by the config, by a label or tag, by its name, or by what it exports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Final

from farmtui.farm.node import Exporter, Tier

HINTS: Final[Mapping[str, Tier]] = {
    **{tier.value: tier for tier in Tier if tier is not Tier.OTHER},
    "wordpress": Tier.APP,
    "worker": Tier.APP,
    "db": Tier.DATABASE,
    "galera": Tier.DATABASE,
    "ceph": Tier.STORAGE,
    "gluster": Tier.STORAGE,
    "traefik": Tier.EDGE,
    "varnish": Tier.CACHE,
    "monitor": Tier.MONITORING,
}
"""Words of labels and tags that name a tier."""

_TAG: Final = re.compile(r"(?:tier|role)[-_:=.](.+)")

_EXPORTERS: Final[tuple[tuple[Tier, tuple[str, ...]], ...]] = (
    # In this order: what is rarer on a machine of another tier says more. Docker runs nearly everywhere.
    (Tier.EDGE, ("traefik",)),
    (Tier.CACHE, ("varnish",)),
    (Tier.DATABASE, ("mysql", "mariadb", "galera")),
    (Tier.STORAGE, ("ceph", "gluster")),
    (Tier.CACHE, ("redis",)),
    (Tier.MONITORING, ("prometheus", "alertmanager", "grafana", "loki", "thanos", "mimir", "blackbox")),
    (Tier.APP, ("wordpress", "php", "nginx", "apache", "docker", "swarm", "cadvisor")),
)


@dataclass(frozen=True, slots=True)
class TierRules:
    """The config's tiers: patterns on names, and how many machines each should have."""

    patterns: tuple[tuple[Tier, re.Pattern[str]], ...] = ()
    expected: Mapping[Tier, int] = field(default_factory=dict)

    def by_name(self, names: Iterable[str]) -> Tier | None:
        """The first tier in the request path's order whose pattern matches any of the names."""
        known = tuple(names)
        return next((tier for tier, pattern in self.patterns for name in known if pattern.match(name)), None)


def tier_rules(match: Mapping[Tier, Sequence[str]], expected: Mapping[Tier, int]) -> TierRules:
    """Rules from shell patterns (`cache-*`), which match a whole name whatever its case, and expected counts."""
    patterns = [
        (tier, re.compile("|".join(translate(pattern) for pattern in match[tier]), re.IGNORECASE))
        for tier in Tier
        if match.get(tier)
    ]
    return TierRules(tuple(patterns), dict(expected))


def hint_of_tags(tags: Iterable[str]) -> str:
    """The tier's value that tags name: `tier-cache`, `tier:cache`, `role_db`, or a bare `cache`; else empty.

    A tag with the word tier or role before it wins over a bare one; of several, the first in the alphabet.
    """
    bare = ""
    for tag in sorted(tag.casefold() for tag in tags):
        if (found := _TAG.fullmatch(tag)) and found[1] in HINTS:
            return HINTS[found[1]].value
        if not bare and tag in HINTS:
            bare = HINTS[tag].value
    return bare


def tier_of_hint(hint: str) -> Tier | None:
    """The tier that a label's word names, or None."""
    return HINTS.get(hint.casefold()) if hint else None


def tier_of_exporters(exporters: Iterable[Exporter]) -> Tier | None:
    """The tier whose software a machine exports figures of, or None."""
    jobs = {exporter.job.casefold() for exporter in exporters}
    for tier, words in _EXPORTERS:
        if any(word in job for job in jobs for word in words):
            return tier
    return None
