"""Describers of GlusterFS: volumes, bricks and peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import count, data_size, percent
from farmtui.insight.gluster import bears, replica_sets
from screens.describe import Block, Detail, Field, Link, describer
from screens.describe.machines import node_subject
from screens.gluster_rows import (
    BrickRow,
    VolumeRow,
    brick_rows,
    brick_severity,
    brick_words,
    heal_pending,
    split_brain,
    volume_state,
)
from screens.places import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.farm import Farm
    from farmtui.farm.gluster import Brick, GlusterPool, GlusterVolume


def _volumes(farm: Farm) -> Iterator[tuple[GlusterPool, GlusterVolume]]:
    for pool in farm.gluster:
        for volume in pool.volumes:
            yield pool, volume


def _brick_link(pool: GlusterPool, volume: GlusterVolume, brick: Brick) -> Link:
    row = _row(pool, volume, brick)
    key = f"{pool.name}/{volume.name}/{brick.host}{brick.path}"
    waits = f", {brick.heal_pending} to heal" if brick.heal_pending else ""
    words = f"{brick.host} {brick_words(row)}{waits}"
    return Link("brick", Subject("gluster-brick", key, f"brick {brick.host}"), words, brick_severity(row))


def _row(pool: GlusterPool, volume: GlusterVolume, brick: Brick) -> BrickRow:
    return next(row for row in brick_rows(pool) if row.volume == volume.name and row.brick is brick)


@describer("gluster-volume")
def describe_volume(farm: Farm, key: str) -> Detail | None:
    """One volume, with its options, quotas and bricks."""
    found = next(((p, v) for p, v in _volumes(farm) if f"{p.name}/{v.name}" == key), None)
    if found is None:
        return None
    pool, volume = found
    split = split_brain(volume)
    left = min((bears(bricks) for bricks in replica_sets(volume)), default=0)
    fields = (
        Field("status", volume.status, None if volume.status == "Started" else Severity.CRITICAL),
        Field("kind", volume.kind),
        Field("copies", f"{volume.replica}{f', {volume.arbiter} of them an arbiter' if volume.arbiter else ''}"),
        Field("bears the loss of", *_bears(left)),
        Field("to heal", count(heal_pending(volume))),
        Field("in split-brain", count(split), Severity.CRITICAL if split else None),
        Field("heals", volume.heal_problem or "counted", Severity.UNKNOWN if volume.heal_problem else None),
        Field("asked", pool.asked),
    )
    quotas = tuple(
        Field(q.path, f"{data_size(q.used_bytes)} of {data_size(q.hard_limit_bytes)}",
              Severity.CRITICAL if q.hard_exceeded else Severity.WARNING if q.soft_exceeded else None)
        for q in volume.quotas
    )  # fmt: skip
    blocks = [Block("Volume", fields)]
    if quotas:
        blocks.append(Block("Quotas", quotas))
    if volume.options:
        blocks.append(Block("Options", tuple(Field(name, value) for name, value in volume.options)))
    bricks = tuple(_brick_link(pool, volume, brick) for brick in volume.bricks)
    severity, word = volume_state(VolumeRow(pool.name, volume))
    why = (word,) if severity >= Severity.WARNING else ()
    return Detail(f"volume {volume.name}", severity, why, tuple(blocks), bricks, raw=volume)


def _bears(left: int) -> tuple[str, Severity | None]:
    """How many more bricks may go, in words."""
    if left < 0:
        return "writes fail already", Severity.CRITICAL
    return ("no more brick of a set" if left == 0 else f"{left} more brick{'s' * (left != 1)} of a set"), None


@describer("gluster-brick")
def describe_brick(farm: Farm, key: str) -> Detail | None:
    """One brick."""
    for pool, volume in _volumes(farm):
        for brick in volume.bricks:
            if f"{pool.name}/{volume.name}/{brick.host}{brick.path}" == key:
                return _brick(farm, pool, volume, brick)
    return None


def _brick(farm: Farm, pool: GlusterPool, volume: GlusterVolume, brick: Brick) -> Detail:
    row = _row(pool, volume, brick)
    severity = brick_severity(row)
    fields = (
        Field("state", brick_words(row), severity if severity >= Severity.WARNING else None),
        Field("its set bears", *_bears(row.left)),
        Field("host", brick.host),
        Field("path", brick.path),
        Field("arbiter", "yes" if brick.arbiter else "no"),
        Field("to heal", count(brick.heal_pending)),
        Field("in split-brain", count(brick.split_brain), Severity.CRITICAL if brick.split_brain else None),
        Field("heal info says", brick.healing or "–"),
        Field("used", f"{percent(brick.used_ratio)} of {data_size(brick.size_bytes)}"),
        Field("free", data_size(brick.free_bytes)),
        Field("inodes free", f"{count(brick.inodes_free)} of {count(brick.inodes_total)}"),
        Field("port", str(brick.port) if brick.port else "–"),
        Field("pid", str(brick.pid) if brick.pid else "–"),
    )
    of_volume = Subject("gluster-volume", f"{pool.name}/{volume.name}", f"volume {volume.name}")
    links = [Link("volume", of_volume, volume.name)]
    links += _machine_links(farm, brick.host)
    return Detail(f"brick {brick.host}", severity, (), (Block("Brick", fields),), tuple(links), raw=brick)


@describer("gluster-peer")
def describe_peer(farm: Farm, key: str) -> Detail | None:
    """One peer, with its bricks."""
    found = next(((p, peer) for p in farm.gluster for peer in p.peers if f"{p.name}/{peer.host}" == key), None)
    if found is None:
        return None
    pool, peer = found
    severity = Severity.OK if peer.connected else Severity.WARNING
    fields = (
        Field("connected", "yes" if peer.connected else "no", None if peer.connected else severity),
        Field("state", peer.state or "–"),
        Field("uuid", peer.uuid),
        Field("as seen by", pool.asked),
    )
    bricks = [_brick_link(pool, volume, b) for volume in pool.volumes for b in volume.bricks if b.host == peer.host]
    links = (*bricks, *_machine_links(farm, peer.host))
    return Detail(f"peer {peer.host}", severity, (), (Block("Peer", fields),), links, raw=peer)


def _machine_links(farm: Farm, host: str) -> Iterator[Link]:
    for node in farm.nodes:
        if host in node.addresses or host in (node.name, node.name.partition(".")[0]):
            yield Link("machine", node_subject(node), node.name, node.state)
