"""What can happen to several sites at once, or to one at its neighbours' cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory


@dataclass(frozen=True, slots=True)
class SitesBroken:
    """What several sites have in common is broken: of each a share of its answers is a 5xx."""

    shares: Mapping[int, float]

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, broken_sites={**now.broken_sites, **self.shares})


@dataclass(frozen=True, slots=True)
class SiteHungry:
    """A site works more than it is asked: `extra` as a share of what all others take of PHP; 0 ends it."""

    site: int
    extra: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        rest = {index: extra for index, extra in now.hungry.items() if index != self.site}
        return replace(now, hungry={**rest, self.site: self.extra} if self.extra else rest)
