"""What can happen to the Ceph cluster, and how its OSDs degrade and recover."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farmtui.demo.world.condition import Ceph, Condition, Line, Osd, level
from farmtui.demo.world.inventory import OSDS_PER_NODE, Inventory

REPLICAS = 3
DOWN_OUT_S = 600.0
"""mon_osd_down_out_interval."""
RECOVERY_OBJECTS_PER_S = 1_150.0
SLOW_OSDS = (0, 1)
"""Where operations that are blocked wait; they are told anew elsewhere when one of these OSDs ends."""
_CATCH_UP_S = 45.0


def copies_per_osd(farm: Inventory) -> float:
    """Object copies that one OSD holds when all is well."""
    return farm.objects * REPLICAS / len(farm.osd_hosts)


@dataclass(frozen=True, slots=True)
class OsdStop:
    """An OSD's daemon ends."""

    osd: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, stopped=now.ceph.stopped | {self.osd}))


@dataclass(frozen=True, slots=True)
class OsdStart:
    """An OSD's daemon is started."""

    osd: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, stopped=now.ceph.stopped - {self.osd}))


@dataclass(frozen=True, slots=True)
class OsdOut:
    """An OSD is marked out. With `down_since` it is the mons' own doing, and only if it is still down since then."""

    osd: int
    down_since: float | None = None

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        osd = now.ceph.osds[self.osd]
        stale = self.down_since is not None and (osd.up or osd.since != self.down_since or "noout" in now.ceph.flags)
        if stale or not osd.is_in:
            return now
        if not osd.up:
            # Its copies are made anew on the other OSDs of its host, if there are any.
            missing = _recovering(now, farm, self.osd, osd.missing.value(at), at)
            out = replace(osd, is_in=False, since=at, missing=missing)
        else:
            misplaced = _recovering(now, farm, self.osd, copies_per_osd(farm), at)
            out = replace(osd, is_in=False, since=at, misplaced=misplaced)
        return with_osd(now, self.osd, out)


@dataclass(frozen=True, slots=True)
class OsdIn:
    """An OSD is marked in: data moves back to it."""

    osd: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        osd = now.ceph.osds[self.osd]
        if osd.is_in:
            return now
        back = (
            _recovering(now, farm, self.osd, copies_per_osd(farm) - osd.missing.value(at), at) if osd.up else level(0.0)
        )
        return with_osd(now, self.osd, replace(osd, is_in=True, since=at, misplaced=back))


@dataclass(frozen=True, slots=True)
class OsdReweight:
    """An OSD is to hold a share (0-1) of what its disk would have it hold; the rest moves to its neighbours."""

    osd: int
    weight: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        osd = now.ceph.osds[self.osd]
        if osd.weight == self.weight:
            return now
        moves = abs(osd.weight - self.weight) * copies_per_osd(farm) if osd.up and osd.is_in else 0.0
        misplaced = _recovering(now, farm, self.osd, osd.misplaced.value(at) + moves, at)
        return with_osd(now, self.osd, replace(osd, weight=self.weight, misplaced=misplaced))


@dataclass(frozen=True, slots=True)
class FullRatio:
    """From what share of its size on an OSD counts as `full`, `backfillfull` or `nearfull`."""

    kind: str
    ratio: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        match self.kind:
            case "full":
                ceph = replace(now.ceph, full_ratio=self.ratio)
            case "backfillfull":
                ceph = replace(now.ceph, backfillfull_ratio=self.ratio)
            case _:
                ceph = replace(now.ceph, nearfull_ratio=self.ratio)
        return replace(now, ceph=ceph)


@dataclass(frozen=True, slots=True)
class Written:
    """Somebody has so many bytes (counted once) in the cluster that nobody had reckoned with; 0 deletes them."""

    extra_bytes: float

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if now.ceph.extra_bytes == self.extra_bytes:
            return now
        return replace(now, ceph=replace(now.ceph, extra_bytes=self.extra_bytes))


@dataclass(frozen=True, slots=True)
class FlagSet:
    """A cluster flag (`noout`, `norebalance`, ...) is set or unset."""

    flag: str
    on: bool = True

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        flags = now.ceph.flags | {self.flag} if self.on else now.ceph.flags - {self.flag}
        return replace(now, ceph=replace(now.ceph, flags=flags))


@dataclass(frozen=True, slots=True)
class ScrubError:
    """A deep scrub finds placement groups whose copies differ."""

    count: int = 1

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, inconsistent=self.count, repairing=False))


@dataclass(frozen=True, slots=True)
class RepairBegins:
    """`ceph pg repair` has been told to the inconsistent placement groups."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, repairing=now.ceph.inconsistent > 0))


@dataclass(frozen=True, slots=True)
class RepairEnds:
    """The repair is done: the copies agree again."""

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if not now.ceph.repairing:
            return now
        return replace(now, ceph=replace(now.ceph, inconsistent=0, repairing=False))


@dataclass(frozen=True, slots=True)
class SlowOps:
    """So many operations are blocked for more than 30 seconds."""

    count: int

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, slow_ops=self.count))


@dataclass(frozen=True, slots=True)
class MgrActive:
    """A standby mgr has taken over."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if now.ceph.mgr or now.ceph.silent_since is not None:
            return now
        return replace(now, ceph=replace(now.ceph, mgr=self.node))


@dataclass(frozen=True, slots=True)
class MdsActive:
    """A standby MDS has taken over."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        if now.ceph.mds or now.ceph.silent_since is not None:
            return now
        return replace(now, ceph=replace(now.ceph, mds=self.node))


@dataclass(frozen=True, slots=True)
class MgrFails:
    """The mgr of a machine is restarted: if it was the active one, another takes over."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, mgr="")) if now.ceph.mgr == self.node else now


@dataclass(frozen=True, slots=True)
class MdsFails:
    """The MDS of a machine is restarted: if it was the active one, another takes over."""

    node: str

    def apply(self, now: Condition, farm: Inventory, at: float) -> Condition:
        """See Change."""
        return replace(now, ceph=replace(now.ceph, mds="")) if now.ceph.mds == self.node else now


def with_osd(now: Condition, index: int, osd: Osd) -> Condition:
    """The condition with one OSD replaced."""
    osds = (*now.ceph.osds[:index], osd, *now.ceph.osds[index + 1 :])
    return replace(now, ceph=replace(now.ceph, osds=osds))


def went_down(ceph: Ceph, farm: Inventory, index: int, at: float) -> Osd:
    """An OSD that has just gone down: all it holds is missing one copy."""
    osd = ceph.osds[index]
    if not osd.is_in:
        return replace(osd, up=False, since=at, misplaced=level(0.0))
    held = copies_per_osd(farm) - osd.misplaced.value(at)
    return replace(osd, up=False, since=at, missing=level(held), misplaced=level(0.0))


def came_up(now: Condition, farm: Inventory, index: int, at: float) -> Osd:
    """An OSD that has just come up: a short absence is caught up from the log, a long one is backfilled."""
    osd = now.ceph.osds[index]
    if osd.is_in:
        written = min(osd.missing.value(at), 220.0 * max(0.0, at - osd.since))
        return replace(osd, up=True, since=at, missing=Line(written, at, 0.0, at + _CATCH_UP_S))
    # The mons take an OSD in again that they had marked out themselves.
    back = _recovering(now, farm, index, copies_per_osd(farm) - osd.missing.value(at), at)
    return replace(osd, up=True, is_in=True, since=at, missing=level(0.0), misplaced=back)


def recovering_again(now: Condition, farm: Inventory, at: float) -> Condition:
    """The condition after a flag has changed: recovery goes on, or stops, where it was."""
    for index, osd in enumerate(now.ceph.osds):
        missing, misplaced = osd.missing.value(at), osd.misplaced.value(at)
        if missing and not osd.is_in:
            now = with_osd(now, index, replace(osd, missing=_recovering(now, farm, index, missing, at)))
        elif misplaced:
            now = with_osd(now, index, replace(osd, misplaced=_recovering(now, farm, index, misplaced, at)))
    return now


def _recovering(now: Condition, farm: Inventory, index: int, copies: float, at: float) -> Line:
    """A line down to 0 at the cluster's recovery rate; level where no other OSD of its host could take the data."""
    first = index - index % OSDS_PER_NODE
    others = [now.ceph.osds[i] for i in range(first, first + OSDS_PER_NODE) if i != index and i < len(now.ceph.osds)]
    blocked = now.ceph.flags & {"norecover", "nobackfill", "norebalance"}
    if blocked or not any(osd.up and osd.is_in for osd in others):
        return level(copies)
    return Line(copies, at, 0.0, at + max(1.0, copies / RECOVERY_OBJECTS_PER_S))
