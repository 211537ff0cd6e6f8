"""What Ceph's own word adds to the descriptions of its checks, OSDs and daemons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from farmtui.farm.state import Severity
from farmtui.farm.units import ago, count, plural
from screens.ceph_own import daemon_severity
from screens.describe import Block, Field, Link
from screens.describe.measured import measured
from screens.places import Subject

if TYPE_CHECKING:
    from farmtui.farm.ceph_detail import CephDetail
    from farmtui.farm.farm import Farm

LINKS: Final = 30
_OSD: Final = re.compile(r"\bosd\.\d+\b")
_MON: Final = re.compile(r"\b(?:mon|mds|mgr)\.[A-Za-z0-9._-]+\b")


def ceph_measured(farm: Farm) -> Field:
    """When Ceph was last heard of; that it does not answer now, if so."""
    if farm.ceph_detail is not None and farm.ceph_detail.silent:
        before = farm.ceph_detail.known_at
        since = f", {ago((farm.at - before).total_seconds())}" if before else ""
        return Field("measured", f"before Ceph fell silent{since}", Severity.UNKNOWN)
    return measured(farm, farm.ceph.heard_at if farm.ceph else None)


def check_fields(farm: Farm, name: str) -> tuple[Field, ...]:
    """A check's own summary, and that somebody has muted it."""
    own = farm.ceph_detail.check(name) if farm.ceph_detail else None
    if own is None:
        return ()
    muted = Field("muted", "yes: it does not count; `ceph health unmute` ends that")
    return (Field("Ceph says", own.summary or "–"), *((muted,) if own.muted else ()))


def check_blocks(farm: Farm, name: str) -> tuple[Block, ...]:
    """All lines of a check's detail, as they are kept."""
    own = farm.ceph_detail.check(name) if farm.ceph_detail else None
    if farm.ceph_detail is None or own is None or not own.lines:
        return ()
    lines = "\n".join(own.lines) + (f"\nand {plural(own.lines_left, 'line')} more" if own.lines_left else "")
    return (Block(f"Ceph's detail, told on {farm.ceph_detail.asked}", (Field("", lines),)),)


def check_links(farm: Farm, name: str) -> tuple[Link, ...]:
    """The OSDs and daemons that a check's lines name."""
    own = farm.ceph_detail.check(name) if farm.ceph_detail else None
    if own is None or farm.ceph is None:
        return ()
    text = " ".join((own.summary, *own.lines))
    osds = {osd.id: osd for osd in farm.ceph.osds}
    daemons = {d.name: d for d in (*farm.ceph.mons, *farm.ceph.mgrs, *farm.ceph.mdss)}
    found = []
    for ident in dict.fromkeys(_OSD.findall(text)):
        if osd := osds.get(ident):
            words = f"{ident}  {osd.host}  {'up' if osd.up else 'down'}"
            state = Severity.OK if osd.up else Severity.CRITICAL
            found.append(Link("OSD", Subject("osd", ident, ident), words, state))
    for ident in dict.fromkeys(_MON.findall(text)):
        if daemon := daemons.get(ident):
            words = f"{ident}  {daemon.host}  {daemon.state}"
            found.append(Link("daemon", Subject("ceph-daemon", ident, ident), words, daemon_severity(daemon)))
    return tuple(found[:LINKS])


def osd_blocks(farm: Farm, ident: str) -> tuple[Block, ...]:
    """An OSD's place in the tree."""
    tree = farm.ceph_detail.tree if farm.ceph_detail else ()
    index = next((i for i, place in enumerate(tree) if place.name == ident and place.kind == "osd"), None)
    if index is None:
        return ()
    place, above = tree[index], []
    depth = place.depth
    for other in reversed(tree[:index]):
        if other.depth < depth:
            above.append(other)
            depth = other.depth
    path = " > ".join(f"{other.kind} {other.name}" for other in reversed(above))
    fields = [
        Field("place", path or "nowhere: it is in no tree", None if above else Severity.WARNING),
        Field("CRUSH weight", count(place.crush_weight)),
        Field("placement groups", count(place.pgs)),
    ]
    if place.status not in ("up", "down"):
        fields.append(Field("state", place.status or "–", Severity.WARNING))
    return (Block("In the tree", tuple(fields)),)


def daemon_blocks(farm: Farm, name: str) -> tuple[Block, ...]:
    """What mons agree on, which mgrs stand by, an MDS's rank; and the versions that run."""
    detail = farm.ceph_detail
    if detail is None:
        return ()
    kind, _, ident = name.partition(".")
    fields: list[Field] = []
    if kind == "mon":
        fields = _quorum(farm, detail)
    elif kind == "mgr" and detail.mgr is not None:
        fields = [
            Field("active", detail.mgr or "none", None if detail.mgr else Severity.CRITICAL),
            Field("standby", ", ".join(detail.mgr_standbys) or "none"),
        ]
    elif kind == "mds":
        fields = [
            field
            for mds in detail.ranks
            if mds.name == ident
            for field in (
                Field("file system", mds.filesystem or "–"),
                Field("rank", count(mds.rank)),
                Field("clients of it", count(mds.clients)),
            )
        ]
    if detail.versions:
        several = Severity.WARNING if len(detail.versions) > 1 else None
        fields.append(Field("versions", ", ".join(f"{v} ×{n}" for v, n in detail.versions), several))
    return (Block(f"Ceph says, on {detail.asked}", tuple(fields)),) if fields else ()


def _quorum(farm: Farm, detail: CephDetail) -> list[Field]:
    quorum = detail.quorum
    if detail.silent:
        return [Field("quorum", quorum.why, Severity.CRITICAL if quorum.lost else Severity.UNKNOWN)]
    out = [name for name in quorum.mons if name not in quorum.members]
    fields = [Field("in quorum", ", ".join(quorum.members) or "none", None if quorum.members else Severity.CRITICAL)]
    if out:
        fields.append(Field("out of it", ", ".join(out), Severity.CRITICAL))
    if quorum.leader:
        fields.append(Field("leader", quorum.leader))
    if quorum.since is not None:
        fields.append(Field("since", ago((farm.at - quorum.since).total_seconds())))
    return fields
