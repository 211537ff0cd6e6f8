"""What an operator can do to the services of the farm, beside what can happen to it by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory


@dataclass(frozen=True, slots=True)
class UnitStop:
    """A service is stopped on a machine, of which the world knows nothing else."""

    node: str
    unit: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if (self.node, self.unit) in now.stopped_units:
            return now
        return replace(now, stopped_units={**now.stopped_units, (self.node, self.unit): at})


@dataclass(frozen=True, slots=True)
class UnitStart:
    """Such a service is started again."""

    node: str
    unit: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        key = (self.node, self.unit)
        if key not in now.stopped_units:
            return now
        return replace(now, stopped_units={k: since for k, since in now.stopped_units.items() if k != key})
