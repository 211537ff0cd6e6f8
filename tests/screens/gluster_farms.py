"""Farms that are their GlusterFS: three peers, a volume of three bricks, well but for what a test changes."""

from __future__ import annotations

import dataclasses
from typing import Any

from farmtui.farm.farm import Farm
from farmtui.farm.gluster import Brick, GlusterPeer, GlusterPool, GlusterVolume
from farmtui.farm.state import Freshness
from tests.screens.farms import make_farm, make_source

GB = 1e9


def brick(number: int, **changes: Any) -> Brick:
    """A brick that is well but for the changes."""
    made = Brick(f"10.0.0.{number}", "/bricks/www", True, size_bytes=100 * GB, free_bytes=60 * GB, heal_pending=0)
    return dataclasses.replace(made, **changes)


def volume(*bricks: Brick, replica: int = 3, **changes: Any) -> GlusterVolume:
    """A started volume; three bricks unless others are given."""
    members = bricks or (brick(1), brick(2), brick(3))
    made = GlusterVolume("v1", "www", "Replicate", "Started", replica, 0, members)
    return dataclasses.replace(made, **changes)


def gluster(*volumes: GlusterVolume, away: tuple[int, ...] = (), freshness: Freshness = Freshness.LIVE) -> Farm:
    """A farm that is one pool of three peers."""
    peers = tuple(
        GlusterPeer(f"p{number}", f"10.0.0.{number}", number not in away, "Peer in Cluster") for number in (2, 3)
    )
    pool = GlusterPool("files", "gluster-1", peers, volumes)
    farm = make_farm(sources=[make_source("gluster", freshness, name="gluster files")])
    return dataclasses.replace(farm, gluster=(pool,))
