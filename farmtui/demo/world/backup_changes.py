"""What can happen to the farm's backups, and to the store that holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import Inventory


@dataclass(frozen=True, slots=True)
class DumpStopped:
    """A site's database is dumped no more: its dump fails each night, or is mended."""

    site: int
    stopped: bool = True

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        rest = {site: since for site, since in now.dumps_stopped.items() if site != self.site}
        return replace(now, dumps_stopped={**rest, self.site: at} if self.stopped else rest)


@dataclass(frozen=True, slots=True)
class FilesMissing:
    """A site's file backup holds a part of its files only, from the next one on."""

    site: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, files_missing={**now.files_missing, self.site: at})


@dataclass(frozen=True, slots=True)
class SpacesDown:
    """The object store answers every request with an error, or serves again."""

    down: bool

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, spaces_down=self.down)
