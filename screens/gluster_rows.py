"""Rows of the Gluster tables: volumes, bricks, peers and quotas, how bad each looks, and the one word for why."""

from __future__ import annotations

from dataclasses import dataclass

from farmtui.farm.gluster import Brick, GlusterPeer, GlusterPool, GlusterVolume, Quota
from farmtui.farm.state import Severity
from farmtui.insight.gluster import bears, replica_sets
from screens import limits


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """A volume of a pool."""

    pool: str
    volume: GlusterVolume


@dataclass(frozen=True, slots=True)
class BrickRow:
    """A brick of a volume; `set_number` counts the volume's replica sets from 1, `left` what its set still bears."""

    pool: str
    volume: str
    brick: Brick
    set_number: int
    left: int


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer of a pool."""

    pool: str
    peer: GlusterPeer


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """A limit on a folder of a volume."""

    pool: str
    volume: str
    quota: Quota


def brick_rows(pool: GlusterPool) -> list[BrickRow]:
    """A pool's bricks, each with its replica set."""
    rows = []
    for volume in pool.volumes:
        for number, bricks in enumerate(replica_sets(volume), 1):
            # A volume that is stopped has no brick that could be up: that is no fault of its bricks.
            left = bears(bricks) if volume.status == "Started" else 0
            rows += [BrickRow(pool.name, volume.name, brick, number, left) for brick in bricks]
    return rows


def heal_pending(volume: GlusterVolume) -> int | None:
    """Entries that wait to be healed: the largest count of any brick; None where nobody could count."""
    return max((brick.heal_pending for brick in volume.bricks if brick.heal_pending is not None), default=None)


def split_brain(volume: GlusterVolume) -> int | None:
    """Entries in split-brain, likewise."""
    return max((brick.split_brain for brick in volume.bricks if brick.split_brain is not None), default=None)


def volume_severity(row: VolumeRow) -> Severity:
    """A volume's worst."""
    return volume_state(row)[0]


def volume_state(row: VolumeRow) -> tuple[Severity, str]:
    """A volume's worst, and the word for it, which is `started` where all is well."""
    volume = row.volume
    started = volume.status == "Started"
    fullest = max((limits.BRICK.severity(brick.used_ratio) for brick in volume.bricks), default=Severity.OK)
    states = (
        (volume.status == "Stopped", Severity.CRITICAL, "stopped"),
        (bool(split_brain(volume)), Severity.CRITICAL, "split-brain"),
        (not started, Severity.INFO, volume.status.lower() or "–"),
        (any(bears(bricks) < 0 for bricks in replica_sets(volume)), Severity.CRITICAL, "writes fail"),
        (any(quota.hard_exceeded for quota in volume.quotas), Severity.CRITICAL, "quota full"),
        (fullest is Severity.CRITICAL, fullest, "filling up"),
        (any(not brick.online for brick in volume.bricks), Severity.WARNING, "brick down"),
        (bool(heal_pending(volume)), Severity.WARNING, "heals wait"),
        (fullest is Severity.WARNING, fullest, "filling up"),
        (any(quota.soft_exceeded for quota in volume.quotas), Severity.WARNING, "quota near"),
        (bool(volume.heal_problem), Severity.UNKNOWN, "not counted"),
    )
    return next(((severity, word) for so, severity, word in states if so), (Severity.OK, "started"))


def brick_severity(row: BrickRow) -> Severity:
    """A brick that is down is as bad as what its replica set can still bear."""
    if not row.brick.online:
        return Severity.CRITICAL if row.left < 0 else Severity.WARNING
    if row.brick.split_brain:
        return Severity.CRITICAL
    return limits.BRICK.severity(row.brick.used_ratio) if row.brick.used_ratio is not None else Severity.OK


def brick_words(row: BrickRow) -> str:
    """`online`, `offline`; of one that is online with something wrong, what."""
    if not row.brick.online:
        return "offline"
    if row.brick.split_brain:
        return "split-brain"
    return "online" if brick_severity(row) < Severity.WARNING else "filling up"


def peer_severity(row: PeerRow) -> Severity:
    """A peer that is away."""
    return Severity.OK if row.peer.connected else Severity.WARNING


def quota_severity(row: QuotaRow) -> Severity:
    """At the hard limit writes are refused."""
    if row.quota.hard_exceeded:
        return Severity.CRITICAL
    return Severity.WARNING if row.quota.soft_exceeded else Severity.OK


def quota_words(quota: Quota) -> str:
    """Whether writes to the folder are refused, or will be."""
    return "full" if quota.hard_exceeded else "nearly full" if quota.soft_exceeded else "ok"
