"""The gluster command's XML as a pool: whatever it holds, what comes out is clean, bounded and typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from xml.etree import ElementTree as ET

from farmtui.farm.gluster import Brick, GlusterPeer, GlusterVolume, Quota
from farmtui.farm.reading import FailureKind
from farmtui.farm.text import clean_text
from farmtui.sources.errors import SourceError, bad_answer, safe_words

VOLUMES_MAX: Final = 200
BRICKS_MAX: Final = 2_000
PEERS_MAX: Final = 1_000
QUOTAS_MAX: Final = 2_000
_TEXT: Final = 300
_BUSY: Final = ("another transaction is in progress", "locking failed")


@dataclass(frozen=True, slots=True)
class Heal:
    """What heal info says of one brick. None: that brick could not tell."""

    pending: int | None
    split_brain: int | None
    words: str


Place = tuple[str, str]
"""A brick's host and path."""


def document(body: bytes) -> ET.Element:
    """The command's answer. Raises SourceError for what is no XML of gluster's, and for what it refuses in words."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        # gluster writes neither; what they could unfold to is not worth finding out.
        raise bad_answer("the XML declares entities, which gluster never does")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a DOCTYPE nothing can be unfolded or fetched
    except (ET.ParseError, ValueError, RecursionError):
        raise bad_answer("the answer is not XML") from None
    if root.tag != "cliOutput":
        raise bad_answer("the XML is not the gluster command's")
    code = _text(root, "opRet")
    if code not in ("0", ""):
        raise refused(_text(root, "opErrstr"))
    return root


def refused(said: str) -> SourceError:
    """gluster's own refusals in words."""
    text = said.casefold()
    if any(words in text for words in _BUSY):
        return SourceError(
            FailureKind.SERVER,
            f"gluster is busy with another command ({safe_words(said)})",
            "it is asked again; if it stays so, see which glusterd holds the lock (its log), and restart that one",
        )
    if "connection failed" in text or "is your gluster daemon operational" in text:
        return SourceError(
            FailureKind.UNREACHABLE, "glusterd does not answer there", "start it: systemctl start glusterd"
        )
    if "sudo:" in text or "permission denied" in text or "not permitted" in text:
        return SourceError(
            FailureKind.FORBIDDEN,
            f"gluster may not be run there: {safe_words(said)}",
            "set gluster.sudo in the config, and allow `gluster --mode=script --xml *` in sudoers",
        )
    return SourceError(
        FailureKind.SERVER, f"gluster fails: {safe_words(said) or 'it says nothing'}", "look at glusterd's log there"
    )


def peers(root: ET.Element) -> tuple[GlusterPeer, ...]:
    """`pool list` or `peer status`: every peer, the one that was asked among them in `pool list`."""
    found = [
        GlusterPeer(
            uuid=_text(peer, "uuid"),
            host=_text(peer, "hostname"),
            connected=_text(peer, "connected") == "1",
            state=_text(peer, "stateStr"),
        )
        for peer in list(root.iter("peer"))[:PEERS_MAX]
    ]
    return tuple(sorted(found, key=lambda peer: peer.host))


def volumes(info: ET.Element) -> tuple[GlusterVolume, ...]:
    """`volume info`: the volumes, by name, their bricks without any state yet."""
    found = []
    for volume in list(info.iter("volume"))[:VOLUMES_MAX]:
        bricks = []
        for brick in list(volume.iter("brick"))[:BRICKS_MAX]:
            host, _, path = (_text(brick, "name") or _clean(brick.text)).partition(":/")
            bricks.append(Brick(host, f"/{path}", online=False, arbiter=_text(brick, "isArbiter") == "1"))
        options = tuple(sorted((_text(option, "name"), _text(option, "value")) for option in volume.iter("option")))
        found.append(
            GlusterVolume(
                id=_text(volume, "id"),
                name=_text(volume, "name"),
                kind=_text(volume, "typeStr"),
                status=_text(volume, "statusStr"),
                replica=_int(_text(volume, "replicaCount")) or 1,
                arbiter=_int(_text(volume, "arbiterCount")) or 0,
                bricks=tuple(bricks),
                options=options[:200],
            )
        )
    return tuple(sorted(found, key=lambda volume: volume.name))


def with_status(known: Iterable[GlusterVolume], status: ET.Element) -> tuple[GlusterVolume, ...]:
    """The volumes with what `volume status all detail` says of each brick. A volume that is stopped is not in it."""
    nodes: dict[str, dict[Place, ET.Element]] = {}
    for volume in list(status.iter("volume"))[:VOLUMES_MAX]:
        bricks = {(_text(node, "hostname"), _text(node, "path")): node for node in volume.iter("node")}
        nodes[_text(volume, "volName")] = bricks
    return tuple(
        replace(volume, bricks=tuple(_brick(brick, nodes.get(volume.name, {})) for brick in volume.bricks))
        for volume in known
    )


def _brick(brick: Brick, nodes: Mapping[Place, ET.Element]) -> Brick:
    node = nodes.get((brick.host, brick.path))
    if node is None:
        return brick
    pid = _int(_text(node, "pid"))
    return replace(
        brick,
        online=_text(node, "status") == "1",
        port=_int(_text(node, "port")),
        pid=pid if pid is not None and pid > 0 else None,
        size_bytes=_number(_text(node, "sizeTotal")),
        free_bytes=_number(_text(node, "sizeFree")),
        inodes_total=_int(_text(node, "inodesTotal")),
        inodes_free=_int(_text(node, "inodesFree")),
    )


def heals(root: ET.Element) -> dict[Place, Heal]:
    """`volume heal VOL info summary`, by brick. A brick that is down has `-` for a number, or none at all."""
    found = {}
    for brick in list(root.iter("brick"))[:BRICKS_MAX]:
        host, _, path = _text(brick, "name").partition(":/")
        status = _text(brick, "status")
        # 10.3 writes the next element's name into this one when the brick is gone.
        words = status.partition("totalNumberOfEntries")[0]
        found[host, f"/{path}"] = Heal(
            pending=_int(_text(brick, "numberOfEntriesInHealPending")),
            split_brain=_int(_text(brick, "numberOfEntriesInSplitBrain")),
            words="" if words == "Connected" else words,
        )
    return found


def with_heals(volume: GlusterVolume, counted: Mapping[Place, Heal]) -> GlusterVolume:
    """The volume with its bricks' heal counts."""
    bricks = []
    for brick in volume.bricks:
        heal = counted.get((brick.host, brick.path))
        if heal is not None:
            brick = replace(brick, heal_pending=heal.pending, split_brain=heal.split_brain, healing=heal.words)
        bricks.append(brick)
    return replace(volume, bricks=tuple(bricks))


def quotas(root: ET.Element) -> tuple[Quota, ...]:
    """`volume quota VOL list`: every limit, by path."""
    return tuple(sorted(_quotas(root), key=lambda quota: quota.path))[:QUOTAS_MAX]


def _quotas(root: ET.Element) -> Iterator[Quota]:
    for limit in root.iter("limit"):
        hard = _number(_text(limit, "hard_limit"))
        soft = _number(_text(limit, "soft_limit_value"))
        if soft is None and hard is not None:
            percent = _number(_text(limit, "soft_limit_percent").rstrip("%"))
            soft = hard * percent / 100.0 if percent is not None else None
        yield Quota(
            path=_text(limit, "path"),
            hard_limit_bytes=hard,
            soft_limit_bytes=soft,
            used_bytes=_number(_text(limit, "used_space")),
            soft_exceeded=_text(limit, "sl_exceeded").casefold() == "yes",
            hard_exceeded=_text(limit, "hl_exceeded").casefold() == "yes",
        )


def _text(element: ET.Element, name: str) -> str:
    return _clean(element.findtext(name))


def _clean(text: str | None) -> str:
    return clean_text(text or "", limit=_TEXT)


def _int(text: str) -> int | None:
    """A whole number; `-`, `N/A` and nothing are none."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0.0 <= number < 1e21 else None
