"""ceph and rados on the storage nodes: reading the cluster, and what operators tell it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from farmtui.demo.exporters.ceph import VERSION
from farmtui.demo.observed import Observed
from farmtui.demo.servers.proxmox_ceph import CephTold
from farmtui.demo.servers.proxmox_state import Json, PveState, RefusedError, Sampled
from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands import ceph_told
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.world.ceph_changes import (
    FlagSet,
    FullRatio,
    MdsFails,
    MgrFails,
    OsdIn,
    OsdOut,
    OsdReweight,
    RepairBegins,
    Written,
)
from farmtui.demo.world.changes import Change
from farmtui.demo.world.inventory import OSDS_PER_NODE

_ENOENT, _EBUSY, _EINVAL = 2, 16, 22
_VALUED = (
    "-c",
    "--conf",
    "-n",
    "--name",
    "--id",
    "-k",
    "--keyring",
    "--connect-timeout",
    "-f",
    "--format",
    "--cluster",
)
_VALUED_TOO = ("--admin-daemon", "-w", "--yes")
_FLAGS = (
    "noout",
    "noin",
    "noup",
    "nodown",
    "nobackfill",
    "norebalance",
    "norecover",
    "noscrub",
    "nodeep-scrub",
    "pause",
)
_STRAY = "old-exports"
"""The bucket that has filled the cluster."""
_FOR_EVER_S = 300.0

Shown = Callable[[CephTold], tuple[object, str]]
_SHOWN: dict[str, Shown] = {
    "status": ceph_told.status,
    "health": lambda told: ceph_told.health(told, detail=False),
    "health detail": lambda told: ceph_told.health(told, detail=True),
    "osd tree": ceph_told.tree,
    "osd dump": ceph_told.osd_dump,
    "osd ls": lambda told: (
        list(range(len(told.figures.osds))),
        "\n".join(map(str, range(len(told.figures.osds)))),
    ),
    "osd stat": lambda told: (
        _counts(told),
        "{num_osds} osds: {num_up_osds} up, {num_in_osds} in".format(**_counts(told)),
    ),
    "quorum_status": ceph_told.quorum,
    "mon stat": ceph_told.quorum,
    "node ls": ceph_told.places,
    "versions": ceph_told.versions,
    "fsid": lambda told: ({"fsid": ceph_told.status(told)[0]["fsid"]}, ceph_told.status(told)[0]["fsid"]),
    "mgr stat": lambda told: (
        {"epoch": 12, "available": bool(told.ceph.mgr), "active_name": told.ceph.mgr, "num_standby": 2},
        f"active mgr: {told.ceph.mgr}",
    ),
}
_SHOWN_BY_MGR: dict[str, Shown] = {
    "df": ceph_told.pools,
    "osd df": ceph_told.usage,
    "fs status": ceph_told.filesystems,
    "pg stat": lambda told: (
        ceph_told.status(told)[0]["pgmap"],
        "; ".join(f"{s['count']} {s['state_name']}" for s in ceph_told.status(told)[0]["pgmap"]["pgs_by_state"]),
    ),
}
"""What the mons pass on to the mgr."""


class CephError(Exception):
    """What Ceph refuses, with its number."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def _counts(told: CephTold) -> Json:
    counts: Json = ceph_told.status(told)[0]["osdmap"]
    return counts


async def _ceph(call: Call, words: Sequence[str]) -> int:
    options, rest = told_apart(words, (*_VALUED, *_VALUED_TOO))
    form = options.get("-f") or options.get("--format") or "plain"
    if "-v" in options or "--version" in options:
        call.out(f"{VERSION}\n")
        return 0
    if "-s" in options:
        rest = ["status"]
    if "--admin-daemon" in options:
        return call.fail(
            "admin_socket: exception getting command descriptions: [Errno 2] No such file or directory", 22
        )
    line = " ".join(rest)
    try:
        if line in _SHOWN or line in _SHOWN_BY_MGR:
            shown = _SHOWN.get(line) or _SHOWN_BY_MGR[line]
            data, text = await _ask(call, shown, mgr=line in _SHOWN_BY_MGR)
            _print(call, data, text, form)
            return 0
        if rest[:2] in (["pg", "ls"], ["pg", "dump_stuck"], ["pg", "ls-by-pool"], ["pg", "ls-by-osd"]):
            return await _groups(call, rest[1], rest[2:], form)
        return await _act(call, rest, form)
    except _SilentError:
        await call.wait(float(options.get("--connect-timeout") or _FOR_EVER_S))
        return call.fail("[errno 110] RADOS timed out (error connecting to the cluster)")
    except CephError as error:
        names = {_ENOENT: "ENOENT", _EBUSY: "EBUSY", _EINVAL: "EINVAL"}
        return call.fail(f"Error {names[error.status]}: {error}", error.status)


class _SilentError(Exception):
    """Nobody answers: the mons have no quorum, or there is no mgr."""


async def _ask(call: Call, question: Shown, *, mgr: bool = False) -> tuple[object, str]:
    def ask(observed: Observed) -> tuple[object, str]:
        told = CephTold(PveState.of(observed, Sampled()))
        try:
            told.must_answer(mgr=mgr)
        except RefusedError:
            raise _SilentError from None
        return question(told)

    return await call.place.keeper.ask(ask)


def _print(call: Call, data: object, text: str, form: str) -> None:
    if form.startswith("json"):
        call.out(f"\n{json.dumps(data, indent=4 if form == 'json-pretty' else None)}\n")
    elif text:
        call.out(f"{text}\n")


async def _groups(call: Call, verb: str, given: Sequence[str], form: str) -> int:
    state = next((word for word in given if not word[:1].isdigit()), "")

    def listed(told: CephTold) -> tuple[object, str]:
        pools = {pool.name: pool.id for pool in told.state.farm.pools}
        pool = pools.get(state, 0) if verb == "ls-by-pool" else 0
        found = ceph_told.placement_groups(told, "" if verb == "ls-by-pool" else state, pool)
        rows = ceph_told.groups_listed(found)
        return {"pg_ready": True, "pg_stats": rows}, ceph_told.group_lines(rows)

    _print(call, *await _ask(call, listed, mgr=True), form)
    return 0


async def _act(call: Call, words: Sequence[str], form: str) -> int:
    match list(words):
        case ["osd", "set" | "unset" as verb, flag]:
            if flag not in _FLAGS:
                raise CephError(_EINVAL, f"invalid command: {flag} not in {'|'.join(_FLAGS)}")
            await _happen(call, [FlagSet(flag, verb == "set")], f"{flag} is {verb}")
        case ["osd", "out" | "in" as verb, *ids] if ids:
            for number in await _osds(call, ids):
                osd = (await call.condition()).ceph.osds[number]
                if osd.is_in is (verb == "in"):
                    call.err(f"osd.{number} is already {verb}. \n")
                    continue
                await _happen(
                    call, [OsdIn(number) if verb == "in" else OsdOut(number)], f"marked {verb} osd.{number}. "
                )
        case ["osd", "reweight", ident, weight]:
            number = (await _osds(call, [ident]))[0]
            await _happen(call, [OsdReweight(number, _ratio(weight))], f"reweighted osd.{number} to {weight}")
        case ["osd", "set-full-ratio" | "set-nearfull-ratio" | "set-backfillfull-ratio" as verb, ratio]:
            kind = verb.removeprefix("set-").removesuffix("-ratio")
            await _happen(call, [FullRatio(kind, _ratio(ratio))], f"osd {verb} {ratio}")
        case ["osd", "ok-to-stop", *ids] if ids:
            data = await _may_stop(call, await _osds(call, ids))
            _print(call, data, json.dumps(data), form)
        case ["osd", "safe-to-destroy", *ids] if ids:
            numbers = await _osds(call, ids)
            await _may_destroy(call, numbers)
            data = {"safe_to_destroy": numbers, "active": [], "missing_stats": [], "stored_pgs": []}
            text = f"OSD(s) {','.join(map(str, numbers))} are safe to destroy without reducing data durability."
            _print(call, data, text, form)
        case ["osd", "find", ident]:
            number = (await _osds(call, [ident]))[0]
            host = call.farm.osd_hosts[number]
            data = {"osd": number, "host": host, "crush_location": {"host": host, "root": "default"}}
            _print(call, data, json.dumps(data, indent=4), form)
        case ["pg", "repair" | "scrub" | "deep-scrub" as verb, ident]:
            await _scrub(call, verb, ident)
        case ["mgr", "fail", *_]:
            await _happen(call, [MgrFails((await call.condition()).ceph.mgr)], "")
        case ["mds", "fail", *_]:
            await _happen(call, [MdsFails((await call.condition()).ceph.mds)], "")
        case ["tell", daemon, *command] if command:
            if re.fullmatch(r"osd\.(\d+|\*)", daemon) is None and not daemon.startswith(("mon.", "mds.", "mgr")):
                raise CephError(_EINVAL, f"invalid daemon {daemon}")
            if (found := re.fullmatch(r"osd\.(\d+)", daemon)) is not None:
                await _osds(call, [found[1]])
            _print(call, {"version": VERSION} if command == ["version"] else {}, "", form)
        case ["config", "set", _, _, _] | ["crash", "archive-all"] | ["osd", "unset-group" | "set-group", *_]:
            await _happen(call, [], "")
        case ["orch", *_]:
            raise CephError(_ENOENT, "No orchestrator configured (try `ceph orch set backend`)")
        case _:
            call.err(f"no valid command found; 10 closest matches:\n{' '.join(words[:2])}\n")
            raise CephError(_EINVAL, "invalid command")
    return 0


async def _happen(call: Call, changes: Sequence[Change], words: str) -> None:
    await _ask(call, lambda _told: (None, ""))
    await call.happen(*changes)
    if words:
        call.err(f"{words}\n")


async def _osds(call: Call, ids: Sequence[str]) -> list[int]:
    """OSDs by their numbers or names. Raises CephError."""
    await _ask(call, lambda _told: (None, ""))
    numbers = []
    for ident in ids:
        text = ident.removeprefix("osd.")
        if not (text.isascii() and text.isdigit()):
            raise CephError(_EINVAL, f"invalid osd id {ident}")
        if int(text) >= len(call.farm.osd_hosts):
            raise CephError(_ENOENT, f"osd.{text} does not exist")
        numbers.append(int(text))
    return numbers


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        raise CephError(_EINVAL, f"invalid command: {text} is no number") from None
    if not 0.0 <= ratio <= 1.0:
        raise CephError(_EINVAL, f"invalid command: {text} not in range [0.0..1.0]")
    return ratio


async def _may_stop(call: Call, numbers: Sequence[int]) -> Json:
    """`osd ok-to-stop`: with two copies of three on other hosts a group goes on. Raises CephError."""
    now = await call.condition()
    at = call.place.keeper.now
    hosts = {number // OSDS_PER_NODE for number in numbers}
    short = {
        number // OSDS_PER_NODE
        for number, osd in enumerate(now.ceph.osds)
        if not osd.up and osd.missing.value(at) >= 1 and number not in numbers
    }
    groups = call.farm.pgs * len(numbers) // len(now.ceph.osds)
    if len(hosts | short) > 1:
        raise CephError(
            _EBUSY, f"unsafe to stop osd(s) at this time ({max(1, groups // 3)} PGs are or would become offline)"
        )
    return {"ok_to_stop": True, "osds": list(numbers), "num_ok_pgs": groups, "num_not_ok_pgs": 0}


async def _may_destroy(call: Call, numbers: Sequence[int]) -> None:
    now = await call.condition()
    at = call.place.keeper.now
    for number in numbers:
        osd = now.ceph.osds[number]
        if osd.is_in or osd.missing.value(at) >= 1 or osd.misplaced.value(at) >= 1:
            groups = call.farm.pgs * 3 // len(now.ceph.osds)
            raise CephError(_EBUSY, f"OSD(s) {number} have {groups} pgs currently mapped to them.")


async def _scrub(call: Call, verb: str, ident: str) -> None:
    found = re.fullmatch(r"(\d+)\.([0-9a-f]+)", ident)
    if found is None:
        raise CephError(_EINVAL, f"invalid pgid '{ident}'")
    pool = next((pool for pool in call.farm.pools if pool.id == int(found[1])), None)
    if pool is None or int(found[2], 16) >= pool.pgs:
        raise CephError(_ENOENT, f"pg {ident} does not exist")

    def asked(told: CephTold) -> tuple[object, str]:
        rows = [each["pgid"] for each in ceph_told.placement_groups(told, "inconsistent")]
        return ident in rows, str(ceph_told.acting(told, int(found[1]), int(found[2], 16))[0])

    damaged, primary = await _ask(call, asked, mgr=True)
    if damaged and verb == "repair":
        await call.happen(RepairBegins())
    call.err(f"instructing pg {ident} on osd.{primary} to {verb}\n")


async def _rados(call: Call, words: Sequence[str]) -> int:
    _, rest = told_apart(words, ("-p", "--pool", "-f", "--format", "-n", "-c"))
    if rest[:1] not in (["list-inconsistent-pg"], ["list-inconsistent-obj"]) or len(rest) != 2:
        return call.fail(f"rados: unrecognized command {' '.join(rest)}")

    def asked(told: CephTold) -> tuple[object, str]:
        rows = [each["pgid"] for each in ceph_told.placement_groups(told, "inconsistent")]
        pools = {pool.name: pool.id for pool in told.state.farm.pools}
        if rest[0] == "list-inconsistent-pg":
            return [row for row in rows if row.startswith(f"{pools.get(rest[1], 0)}.")], ""
        damage = {"errors": ["read_error"], "object": {"name": "10000000a3c.00000000"}, "shards": []}
        return {"epoch": 812, "inconsistents": [damage] if rest[1] in rows else []}, ""

    data, _ = await _ask(call, asked, mgr=True)
    call.out(f"{json.dumps(data)}\n")
    return 0


async def _radosgw_admin(call: Call, words: Sequence[str]) -> int:
    """The buckets of the object store: those of the sites, and one that nobody had reckoned with."""
    options, rest = told_apart(words, ("--bucket",))
    stray = (await call.condition()).ceph.extra_bytes > 0
    match rest:
        case ["bucket", "list"]:
            _print(call, ["backups", "uploads", *([_STRAY] if stray else [])], "", "json")
            return 0
        case ["bucket", "rm"]:
            if options.get("--bucket") != _STRAY or not stray:
                return call.fail("ERROR: could not init bucket: (2) No such file or directory", _ENOENT)
            if "--purge-objects" not in options:
                return call.fail("ERROR: could not remove non-empty bucket " + _STRAY, 39)
            await call.happen(Written(0.0))
            return 0
    return call.fail(f"ERROR: Unknown command: {' '.join(rest)}", _EINVAL)


COMMANDS: Table = {"ceph": _ceph, "rados": _rados, "radosgw-admin": _radosgw_admin}
