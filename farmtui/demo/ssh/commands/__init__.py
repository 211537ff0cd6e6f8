"""The commands that the simulated machines know, by tier: one module for each daemon."""

from __future__ import annotations

from functools import cache

from farmtui.demo.ssh.call import Table
from farmtui.demo.ssh.commands import (
    ceph,
    docker,
    files,
    filters,
    gluster,
    interfaces,
    mariadb,
    plain,
    redis,
    systemd,
    upkeep,
    varnish,
)
from farmtui.demo.world.inventory import APP, CACHE, DATABASE, EDGE, STORAGE

_EVERYWHERE: Table = {
    **plain.COMMANDS,
    **filters.COMMANDS,
    **files.COMMANDS,
    **upkeep.COMMANDS,
    **interfaces.COMMANDS,
    **systemd.COMMANDS,
}
_OF_TIER: dict[str, Table] = {
    EDGE: docker.COMMANDS,
    APP: docker.COMMANDS,
    CACHE: {**varnish.COMMANDS, **redis.COMMANDS},
    DATABASE: mariadb.COMMANDS,
    STORAGE: {**ceph.COMMANDS, **gluster.COMMANDS},
}


@cache
def table(tier: str) -> Table:
    """The commands of a tier's machines; an empty tier has those of a PVE host."""
    return {**_EVERYWHERE, **_OF_TIER.get(tier, {})}
