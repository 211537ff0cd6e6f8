"""What happens to interfaces."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory


@dataclass(frozen=True, slots=True)
class MtuSet:
    """A storage node's interface on the cluster network takes packets of this size from now on."""

    node: str
    mtu: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, mtus={**now.mtus, self.node: self.mtu})


@dataclass(frozen=True, slots=True)
class LinkWorn:
    """A storage node's interface there receives so many damaged packets a second; 0 mends it."""

    node: str
    per_s: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, worn_links={**now.worn_links, self.node: self.per_s})
