"""Faults of GlusterFS: peers, bricks and what is left of each replica set, heals, split-brain, quotas, room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from farmtui.farm.farm import Farm
from farmtui.farm.gluster import Brick, GlusterPool, GlusterVolume
from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import data_size, percent
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.lookup import Machines
from farmtui.insight.thresholds import BRICK_FULL, above

_NAMED = 3


def gluster_faults(farm: Farm, machines: Machines) -> Iterator[Finding]:
    """Causes first: a peer that is away takes its bricks with it, and a brick that is down leaves heals behind."""
    for pool in farm.gluster:
        source = farm.source_named(f"gluster {pool.name}")
        if source is not None and source.freshness not in (Freshness.LIVE, Freshness.AGEING):
            # What it said then is no fault of now; that it does not answer is told by itself.
            continue
        yield from _peers(pool, machines)
        for volume in pool.volumes:
            yield from _volume(pool, volume, machines)


def replica_sets(volume: GlusterVolume) -> tuple[tuple[Brick, ...], ...]:
    """A volume's bricks in their replica sets, in gluster's order; each brick by itself where there is one copy."""
    size = max(1, volume.replica)
    return tuple(volume.bricks[at : at + size] for at in range(0, len(volume.bricks), size))


def bears(bricks: Sequence[Brick]) -> int:
    """How many more bricks of a replica set may go before writes to it fail; -1: they fail now.

    Gluster's own rule (cluster.quorum-type auto): more than half must be up; of an even number half is enough if the
    first brick is among them.
    """
    up = sum(brick.online for brick in bricks)
    whole = len(bricks)
    if whole == 1:
        return up - 1
    need = whole // 2 + 1
    if whole % 2 == 0 and bricks[0].online:
        need = whole // 2
    return up - need


def _peers(pool: GlusterPool, machines: Machines) -> Iterator[Finding]:
    away = [peer for peer in pool.peers if not peer.connected]
    if not away:
        return
    names = ", ".join(_host(peer.host, machines) for peer in away[:_NAMED])
    gone = machines.gone_behind(peer.host for peer in away)
    yield Finding(
        f"gluster/{pool.name}/peers", Severity.WARNING,
        f"Gluster has lost peer {names}" if len(away) == 1
        else f"Gluster has lost {len(away)} of {len(pool.peers)} peers",
        f"{pool.asked} does not reach {names}: the machine is off, its glusterd is down, or the network between is cut",
        tuple(f"{peer.host}: {peer.state}" for peer in away[:_NAMED] if peer.state),
        ("node", gone.name) if gone else ("gluster-peer", f"{pool.name}/{away[0].host}"), "storage", "storage",
        covers=frozenset(("gluster-bricks", f"{pool.name}/{peer.host}") for peer in away), topics=("gluster",),
    )  # fmt: skip


def _volume(pool: GlusterPool, volume: GlusterVolume, machines: Machines) -> Iterator[Finding]:
    key, subject = f"gluster/{pool.name}/{volume.name}", ("gluster-volume", f"{pool.name}/{volume.name}")
    if volume.status == "Stopped":
        yield Finding(
            f"{key}/stopped", Severity.CRITICAL, f"Gluster volume {volume.name} is stopped",
            "nobody can reach its files until it is started", (f"first: gluster volume start {volume.name}",), subject,
            "storage", "storage", topics=("gluster",),
        )  # fmt: skip
    if volume.status != "Started":
        return
    yield from _bricks(pool, volume, machines, key, subject)
    yield from _heals(pool, volume, key, subject)
    for quota in volume.quotas:
        if quota.hard_exceeded or quota.soft_exceeded:
            yield Finding(
                f"{key}/quota{quota.path}", Severity.CRITICAL if quota.hard_exceeded else Severity.WARNING,
                f"{quota.path} of {volume.name} is {'at' if quota.hard_exceeded else 'near'} its quota",
                "every write to it is refused" if quota.hard_exceeded else "at the limit every write to it is refused",
                (f"{data_size(quota.used_bytes)} of {data_size(quota.hard_limit_bytes)} used",), subject,
                "storage", "storage", topics=("glusterquota",),
            )  # fmt: skip
    fullest = max(volume.bricks, key=lambda brick: brick.used_ratio or 0.0, default=None)
    if fullest is not None and (severity := above(fullest.used_ratio, BRICK_FULL)):
        yield Finding(
            f"{key}/full", severity, f"a brick of {volume.name} is {percent(fullest.used_ratio)} full",
            "writes to it fail when it is full, though others may have room",
            (f"{_named(fullest, machines)}: {data_size(fullest.free_bytes)} left",), subject,
            "storage", "storage", topics=("gluster",),
        )  # fmt: skip


def _bricks(
    pool: GlusterPool, volume: GlusterVolume, machines: Machines, key: str, subject: Thing
) -> Iterator[Finding]:
    down = [brick for brick in volume.bricks if not brick.online]
    if not down:
        return
    left = min(bears(bricks) for bricks in replica_sets(volume) if any(not brick.online for brick in bricks))
    empty = any(not any(brick.online for brick in bricks) for bricks in replica_sets(volume))
    if empty:
        severity, stakes = Severity.CRITICAL, "no copy of some of its files can be reached"
        what = stakes
    elif left < 0:
        severity, stakes = Severity.CRITICAL, "writes to some of its files fail"
        what = f"too few copies are left: {stakes}"
    else:
        stakes = f"it bears the loss of {left} more" if left else "the loss of one more stops writes"
        severity, what = Severity.WARNING, f"its files have fewer copies: {stakes}"
    hosts = {brick.host for brick in down}
    gone = machines.gone_behind(hosts)
    names = ", ".join(_named(brick, machines) for brick in down[:_NAMED])
    yield Finding(
        f"{key}/bricks", severity,
        f"a brick of {volume.name} is down" if len(down) == 1
        else f"{len(down)} of {len(volume.bricks)} bricks of {volume.name} are down",
        what, (names, f"first: gluster volume start {volume.name} force"),
        ("node", gone.name) if gone
        else ("gluster-bricks", f"{pool.name}/{next(iter(hosts))}") if len(hosts) == 1 else subject,
        "storage", "storage", covers=frozenset({("gluster-heal", f"{pool.name}/{volume.name}")}),
        stakes=stakes, topics=("glusterbrick", "gluster"),
    )  # fmt: skip


def _heals(pool: GlusterPool, volume: GlusterVolume, key: str, subject: Thing) -> Iterator[Finding]:
    # Each brick counts what it owes the others: the largest count is the number of entries, not their sum.
    split = max((brick.split_brain or 0 for brick in volume.bricks), default=0)
    if split:
        yield Finding(
            f"{key}/split", Severity.CRITICAL, f"{split} entries of {volume.name} are in split-brain",
            "their copies differ and none is right by itself: reading them fails with an I/O error",
            (
                f"first: gluster volume heal {volume.name} info split-brain",
                f"then for each: gluster volume heal {volume.name} split-brain latest-mtime FILE",
            ),
            subject, "storage", "storage", topics=("glustersplit",),
        )  # fmt: skip
    pending = max((brick.heal_pending or 0 for brick in volume.bricks), default=0)
    if pending > split:
        yield Finding(
            f"{key}/heal", Severity.WARNING, f"{pending} entries of {volume.name} wait to be healed",
            "a brick has missed writes: these files have fewer good copies until they are healed",
            (f"if the count does not fall: gluster volume heal {volume.name}",),
            ("gluster-heal", f"{pool.name}/{volume.name}"), "storage", "storage", topics=("glusterheal",),
        )  # fmt: skip


def _host(host: str, machines: Machines) -> str:
    node = machines.at(host)
    return node.name if node else host


def _named(brick: Brick, machines: Machines) -> str:
    return f"{_host(brick.host, machines)}:{brick.path}"
