"""gluster on the storage nodes: a volume that lies on each of them, its bricks and what of it differs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.world.changes import alive
from farmtui.demo.world.inventory import STORAGE, Machine
from farmtui.demo.world.service_changes import Healing, Unhealed

VOLUME = "shared"
_PATH = f"/bricks/{VOLUME}"
_SIZE, _FREE = 2_000_000_000_000, 1_240_000_000_000
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput>'


async def _gluster(call: Call, words: Sequence[str]) -> int:
    options, rest = told_apart(words, ())
    if call.user != "root":
        return call.fail("Connection failed. Please check if gluster daemon is operational.")
    as_xml = "--xml" in options
    match rest:
        case ["pool", "list"] | ["peer", "status"]:
            return _say(call, "peerStatus", "".join(map(_peer(call), call.farm.tiers[STORAGE])))
        case ["volume", "info", *_]:
            return _say(call, "volInfo", f"<volumes>{_info(call)}<count>1</count></volumes>")
        case ["volume", "status", *_]:
            nodes = "".join(_node(call, machine) for machine in call.farm.tiers[STORAGE])
            return _say(call, "volStatus", f"<volumes><volume><volName>{VOLUME}</volName>{nodes}</volume></volumes>")
        case ["volume", "heal", name, *what] if name == VOLUME:
            return await _heal(call, what, as_xml=as_xml)
        case ["volume", "heal", name, *_]:
            return call.fail(f"Volume {name} does not exist")
    return call.fail(f"unrecognized word: {' '.join(rest[:2])} (position 0)")


def _say(call: Call, kind: str, inner: str) -> int:
    call.out(f"{_HEAD}<opRet>0</opRet><opErrno>0</opErrno><opErrstr/><{kind}>{inner}</{kind}></cliOutput>\n")
    return 0


def _uuid(machine: Machine) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"gluster.{machine.name}"))


def _peer(call: Call) -> Callable[[Machine], str]:
    now = call.place.condition

    def shown(machine: Machine) -> str:
        name = "localhost" if machine.name == call.machine else machine.address
        connected = int(alive(now, call.farm, machine.name))
        return (
            f"<peer><uuid>{_uuid(machine)}</uuid><hostname>{name}</hostname><connected>{connected}</connected>"
            "<state>3</state><stateStr>Peer in Cluster</stateStr></peer>"
        )

    return shown


def _info(call: Call) -> str:
    bricks = "".join(
        f"<brick>{brick}<name>{brick}</name><hostUuid>{_uuid(machine)}</hostUuid><isArbiter>0</isArbiter></brick>"
        for machine in call.farm.tiers[STORAGE]
        for brick in (escape(f"{machine.address}:{_PATH}"),)
    )
    count = len(call.farm.tiers[STORAGE])
    return (
        f"<volume><name>{VOLUME}</name><id>{uuid.uuid5(uuid.NAMESPACE_DNS, VOLUME)}</id><statusStr>Started</statusStr>"
        f"<brickCount>{count}</brickCount><distCount>1</distCount><replicaCount>{count}</replicaCount>"
        f"<arbiterCount>0</arbiterCount><typeStr>Replicate</typeStr><bricks>{bricks}</bricks></volume>"
    )


def _node(call: Call, machine: Machine) -> str:
    up = alive(call.place.condition, call.farm, machine.name)
    return (
        f"<node><hostname>{machine.address}</hostname><path>{_PATH}</path><peerid>{_uuid(machine)}</peerid>"
        f"<status>{int(up)}</status><port>{49152 if up else 'N/A'}</port><pid>{2207 if up else -1}</pid>"
        f"<sizeTotal>{_SIZE}</sizeTotal><sizeFree>{_FREE}</sizeFree>"
        "<inodesTotal>195000000</inodesTotal><inodesFree>171000000</inodesFree></node>"
    )


async def _heal(call: Call, what: Sequence[str], *, as_xml: bool) -> int:
    now = await call.condition()
    pending, split = round(now.unhealed.value(call.place.keeper.now)), now.split
    match what:
        case [] | ["full"]:
            await call.happen(Healing())
            kind = "full" if what else "index"
            call.out(f"Launching heal operation to perform {kind} self heal on volume {VOLUME} has been successful\n")
            call.out("Use heal info commands to check status.\n")
        case ["info", "summary"] if as_xml:
            bricks = "".join(
                f"<brick><name>{machine.address}:{_PATH}</name><status>Connected</status>"
                f"<totalNumberOfEntries>{pending + split}</totalNumberOfEntries>"
                f"<numberOfEntriesInHealPending>{pending}</numberOfEntriesInHealPending>"
                f"<numberOfEntriesInSplitBrain>{split}</numberOfEntriesInSplitBrain>"
                "<numberOfEntriesPossiblyHealing>0</numberOfEntriesPossiblyHealing></brick>"
                for machine in call.farm.tiers[STORAGE]
            )
            return _say(call, "healInfo", f"<bricks>{bricks}</bricks>")
        case ["info", "summary"]:
            for machine in call.farm.tiers[STORAGE]:
                call.out(
                    f"Brick {machine.address}:{_PATH}\nStatus: Connected\nTotal Number of entries: {pending + split}\n"
                    f"Number of entries in heal pending: {pending}\nNumber of entries in split-brain: {split}\n"
                    "Number of entries possibly healing: 0\n\n"
                )
        case ["split-brain", "latest-mtime", path]:
            await call.happen(Unhealed(pending, max(0, split - 1)))
            call.out(f"Healed {path}.\n")
        case _:
            return call.fail(f"Usage: gluster volume heal {VOLUME} [full | info [summary] | split-brain ...]")
    return 0


COMMANDS: Table = {"gluster": _gluster}
