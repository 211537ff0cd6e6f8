"""The storage screen's GlusterFS: volumes, and below them bricks, peers or quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.containers import Horizontal, Vertical

from farmtui.farm.state import Freshness, Severity
from farmtui.farm.units import count, data_size, percent
from screens import limits
from screens.columns import limited
from screens.gluster_rows import (
    BrickRow,
    PeerRow,
    QuotaRow,
    VolumeRow,
    brick_rows,
    brick_severity,
    brick_words,
    heal_pending,
    peer_severity,
    quota_severity,
    quota_words,
    split_brain,
    volume_severity,
    volume_state,
)
from screens.places import Subject
from widgets.live_table import LiveTable
from widgets.meter import meter
from widgets.status_mark import status_mark
from widgets.table_columns import Column
from widgets.tile import Tile, TileState

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from farmtui.farm.farm import Farm
    from farmtui.farm.gluster import GlusterVolume

GLUSTER_VIEWS = ("bricks", "peers", "quotas")


class GlusterPane(Vertical):
    """Summary, volumes, then one of three tables (all of them where there is room)."""

    def compose(self) -> ComposeResult:
        """The widgets; what they show comes with each Farm."""
        with Horizontal(id="gluster-tiles", classes="tiles"):
            yield Tile("volumes", id="tile-volumes")
            yield Tile("bricks", id="tile-bricks")
            yield Tile("to heal", id="tile-heal")
            yield Tile("peers", id="tile-peers")
        yield LiveTable[VolumeRow](
            (
                Column("name", "volume", lambda r: r.volume.name, width=14, flex=1, priority=0,
                       sort=lambda r: r.volume.name),
                Column("state", "state", lambda r: status_mark(*volume_state(r)), width=13, priority=0,
                       sort=volume_severity, descending=True),
                Column("kind", "kind", lambda r: r.volume.kind, width=20, flex=1, priority=2),
                Column("copies", "copies", _copies, width=12, priority=1),
                Column("bricks", "bricks up", _bricks_up, width=9, align="right", priority=0),
                Column("heal", "to heal", lambda r: _count(heal_pending(r.volume), r.volume.heal_problem), width=8,
                       align="right", priority=0, sort=lambda r: heal_pending(r.volume), descending=True),
                Column("split", "split-brain", lambda r: _count(split_brain(r.volume), r.volume.heal_problem),
                       width=11, align="right", priority=0, sort=lambda r: split_brain(r.volume), descending=True),
                Column("pool", "pool", lambda r: r.pool, width=10, priority=5),
            ),
            key=lambda row: (row.pool, row.volume.name), severity=volume_severity, noun="volumes", sort="state",
            id="volumes",
        )  # fmt: skip
        with Horizontal(id="gluster-tables"):
            yield LiveTable[BrickRow](
                (
                    Column("host", "host", lambda r: r.brick.host, width=15, flex=1, priority=0,
                           sort=lambda r: r.brick.host),
                    Column("state", "state", lambda r: status_mark(brick_severity(r), brick_words(r)), width=13,
                           priority=0, sort=brick_severity, descending=True),
                    Column("volume", "volume", lambda r: r.volume, width=8, flex=1, priority=1),
                    Column("set", "set", lambda r: str(r.set_number), width=4, align="right", priority=4,
                           help="the replica set that it is of"),
                    Column("left", "bears", _left, width=11, priority=1,
                           help="how many more bricks of its replica set may go before writes fail"),
                    Column("heal", "to heal", lambda r: _count(r.brick.heal_pending, r.brick.healing), width=8,
                           align="right", priority=0, sort=lambda r: r.brick.heal_pending, descending=True),
                    Column("used", "used", lambda r: limited(percent(r.brick.used_ratio), r.brick.used_ratio,
                           limits.BRICK), width=9, align="right", priority=1, sort=lambda r: r.brick.used_ratio,
                           descending=True),
                    Column("bar", "", lambda r: meter(r.brick.used_ratio, 14, limits.BRICK, text=""), width=14,
                           priority=4),
                    Column("free", "free", lambda r: data_size(r.brick.free_bytes), width=8, align="right", priority=3),
                    Column("path", "path", lambda r: r.brick.path, width=18, flex=2, priority=2),
                    Column("why", "why", lambda r: r.brick.healing, width=16, flex=2, priority=5),
                ),
                key=lambda row: (row.pool, row.volume, row.brick.host, row.brick.path), severity=brick_severity,
                noun="bricks", sort="state", id="bricks",
            )  # fmt: skip
            yield LiveTable[PeerRow](
                (
                    Column("host", "peer", lambda r: r.peer.host, width=16, flex=1, priority=0,
                           sort=lambda r: r.peer.host),
                    Column("state", "state", lambda r: status_mark(peer_severity(r), "connected" if r.peer.connected
                           else "disconnected"), width=14, priority=0, sort=peer_severity, descending=True),
                    Column("words", "gluster says", lambda r: r.peer.state or "–", width=18, flex=1, priority=1),
                    Column("pool", "pool", lambda r: r.pool, width=10, priority=4),
                ),
                key=lambda row: (row.pool, row.peer.uuid), severity=peer_severity, noun="peers", sort="state",
                id="peers",
            )  # fmt: skip
            yield LiveTable[QuotaRow](
                (
                    Column("path", "folder", lambda r: r.quota.path, width=18, flex=1, priority=0,
                           sort=lambda r: r.quota.path),
                    Column("state", "state", lambda r: status_mark(quota_severity(r), quota_words(r.quota)), width=13,
                           priority=0, sort=quota_severity, descending=True),
                    Column("used", "used", lambda r: data_size(r.quota.used_bytes), width=9, align="right", priority=0),
                    Column("hard", "limit", lambda r: data_size(r.quota.hard_limit_bytes), width=9, align="right",
                           priority=1),
                    Column("soft", "warned at", lambda r: data_size(r.quota.soft_limit_bytes), width=9, align="right",
                           priority=3),
                    Column("volume", "volume", lambda r: r.volume, width=10, priority=2),
                ),
                key=lambda row: (row.pool, row.volume, row.quota.path), severity=quota_severity, noun="quotas",
                sort="state", id="quotas",
            )  # fmt: skip

    def show(self, farm: Farm, *, faults_only: bool) -> None:
        """Everything from the newest picture. The oldest pool's age is that of all."""
        pools = farm.gluster
        fresh = gluster_freshness(farm)
        volumes = tuple(VolumeRow(pool.name, volume) for pool in pools for volume in pool.volumes)
        bricks = tuple(row for pool in pools for row in brick_rows(pool))
        peers = tuple(PeerRow(pool.name, peer) for pool in pools for peer in pool.peers)
        quotas = tuple(QuotaRow(p.name, v.name, quota) for p in pools for v in p.volumes for quota in v.quotas)
        self._show_tiles(volumes, bricks, peers, fresh)
        if faults_only:
            volumes = tuple(row for row in volumes if volume_severity(row) >= Severity.WARNING)
            bricks = tuple(row for row in bricks if brick_severity(row) >= Severity.WARNING)
            peers = tuple(row for row in peers if peer_severity(row) >= Severity.WARNING)
            quotas = tuple(row for row in quotas if quota_severity(row) >= Severity.WARNING)
        self._table("volumes").set_rows(volumes, freshness=fresh)
        self._table("bricks").set_rows(bricks, freshness=fresh)
        self._table("peers").set_rows(peers, freshness=fresh)
        self._table("quotas").set_rows(quotas, freshness=fresh)

    def _show_tiles(
        self,
        volumes: tuple[VolumeRow, ...],
        bricks: tuple[BrickRow, ...],
        peers: tuple[PeerRow, ...],
        fresh: Freshness,
    ) -> None:
        started = sum(row.volume.status == "Started" for row in volumes)
        self._tile("volumes").show(TileState(
            f"{started} of {len(volumes)}", "started",
            severity=max(map(volume_severity, volumes), default=Severity.OK), freshness=fresh,
        ))  # fmt: skip
        online = sum(row.brick.online for row in bricks)
        margin = min((row.left for row in bricks), default=0)
        self._tile("bricks").show(TileState(
            f"{online} of {len(bricks)} up", "writes fail" if margin < 0 else f"bears {margin} more",
            severity=max(map(brick_severity, bricks), default=Severity.OK), freshness=fresh,
        ))  # fmt: skip
        pending, split = (max(map(f, (r.volume for r in volumes)), default=0) for f in (_pending, _split))
        unknown = any(row.volume.heal_problem for row in volumes)
        whole = "split-brain not known" if unknown else "no split-brain"
        self._tile("heal").show(TileState(
            "not known" if unknown else str(pending), f"{split} in split-brain" if split else whole,
            severity=Severity.CRITICAL if split else Severity.UNKNOWN if unknown else Severity.WARNING if pending
            else Severity.OK, freshness=fresh,
        ))  # fmt: skip
        connected = sum(row.peer.connected for row in peers)
        self._tile("peers").show(TileState(
            f"{connected} of {len(peers)}", "connected",
            severity=max(map(peer_severity, peers), default=Severity.OK), freshness=fresh,
        ))  # fmt: skip

    def _table(self, ident: str) -> LiveTable[Any]:
        return self.query_one(f"#{ident}", LiveTable)

    def _tile(self, name: str) -> Tile:
        return self.query_one(f"#tile-{name}", Tile)


def gluster_freshness(farm: Farm) -> Freshness:
    """The worst of the pools' sources: what is shown as one is as old as its oldest part."""
    order = (Freshness.LIVE, Freshness.EMPTY, Freshness.AGEING, Freshness.STALE, Freshness.FORBIDDEN, Freshness.NEVER)
    found = [source.freshness for source in farm.sources if source.kind == "gluster"]
    return max(found, key=order.index, default=Freshness.ABSENT)


def gluster_subject(row: object) -> Subject | None:
    """The subject of a row of any of the tables."""
    match row:
        case VolumeRow():
            return Subject("gluster-volume", f"{row.pool}/{row.volume.name}", f"volume {row.volume.name}")
        case BrickRow():
            key = f"{row.pool}/{row.volume}/{row.brick.host}{row.brick.path}"
            return Subject("gluster-brick", key, f"brick {row.brick.host}")
        case PeerRow():
            return Subject("gluster-peer", f"{row.pool}/{row.peer.host}", f"peer {row.peer.host}")
        case QuotaRow():
            return Subject("gluster-volume", f"{row.pool}/{row.volume}", f"volume {row.volume}")
    return None


def _pending(volume: GlusterVolume) -> int:
    return heal_pending(volume) or 0


def _split(volume: GlusterVolume) -> int:
    return split_brain(volume) or 0


def _copies(row: VolumeRow) -> str:
    volume = row.volume
    return f"{volume.replica - volume.arbiter} + arbiter" if volume.arbiter else str(volume.replica)


def _bricks_up(row: VolumeRow) -> str:
    bricks = row.volume.bricks
    return f"{sum(brick.online for brick in bricks)}/{len(bricks)}"


def _left(row: BrickRow) -> str:
    return "writes fail" if row.left < 0 else "no more" if row.left == 0 else f"{row.left} more"


def _count(number: int | None, problem: str) -> str:
    """A count; a `?` where it could not be had, which is no nought."""
    return count(number) if number is not None else "?" if problem else "–"
