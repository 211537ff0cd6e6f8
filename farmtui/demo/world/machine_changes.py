"""What is done to machines at their provider: their size, and the nightly backups of a host's guests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory, Size


@dataclass(frozen=True, slots=True)
class Resized:
    """A machine has another size. What its exporter measures of it is not of that size before it is built anew."""

    name: str
    size: Size

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, sizes={**now.sizes, self.name: self.size})


@dataclass(frozen=True, slots=True)
class GuestBackupsFailing:
    """From now on the nightly backup of a PVE host's guests fails."""

    host: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, vzdump_failing={**now.vzdump_failing, self.host: at})
