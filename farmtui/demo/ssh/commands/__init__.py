"""The commands that the simulated machines know, by tier: one module for each daemon."""

from __future__ import annotations

from functools import cache

from farmtui.demo.ssh.call import Table
from farmtui.demo.ssh.commands import plain, systemd
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, EDGE, MONITORING, STORAGE

_EVERYWHERE: Table = {**plain.COMMANDS, **systemd.COMMANDS}
_OF_TIER: dict[str, Table] = {tier: {} for tier in (EDGE, APP, CACHE, DATABASE, MONITORING, STORAGE)}


@cache
def table(tier: str) -> Table:
    """The commands of a tier's machines; an empty tier has those of a PVE host."""
    return {**_EVERYWHERE, **_OF_TIER.get(tier, {})}
