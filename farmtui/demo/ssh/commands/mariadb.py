"""mariadb, mariadb-admin and Galera's own scripts: statements that operators use, and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.world.changes import (
    Bootstrap,
    DatabaseStart,
    DatabaseState,
    DatabaseStop,
    DiskFilling,
    FlowControl,
)
from farmtui.demo.world.condition import Condition, Database
from farmtui.demo.world.inventory import DATABASE
from farmtui.demo.world.service_changes import Desync, SafeToBootstrap

_VERSION = "10.11.14-MariaDB-0+deb13u1"
UUID = "f94dfd26-e71c-11f1-ada2-ebf0f64e9f23"
"""The cluster's."""
_COMMENTS = {0: "Initialized", 1: "Joining: receiving State Transfer", 2: "Donor/Desynced", 3: "Joined", 4: "Synced"}
_VALUED = ("-e", "--execute", "-u", "--user", "-h", "--host", "-P", "-S", "-D", "--socket", "--port", "--database")
_NO_SERVER = "Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)"
_SHOW = re.compile(r"show\s+(?:global\s+|session\s+)?(status|variables)(?:\s+like\s+'([^']*)')?", re.IGNORECASE)
_SHOW_IN = re.compile(
    r"show\s+(?:global\s+)?(status|variables)\s+where\s+variable_name\s+(?:in\s*\(([^)]*)\)|=\s*('[^']*'))",
    re.IGNORECASE,
)
_SET = re.compile(r"set\s+global\s+([\w.]+)\s*=\s*(.+)", re.IGNORECASE | re.DOTALL)
_SELECT = re.compile(r"select\s+@@(?:global\.)?(\w+)", re.IGNORECASE)
_SETTABLE = {"wsrep_desync", "wsrep_slave_threads", "wsrep_applier_threads", "max_connections", "read_only"}

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]
"""A result: the names of its columns, and its rows."""


def committed(at: float) -> int:
    """The number of the last transaction at a time (Unix seconds)."""
    return int(at * 40) % 10**9


class SqlError(Exception):
    """What the server refuses, in its own words."""


async def _mariadb(call: Call, words: Sequence[str]) -> int:
    options, _ = told_apart(words, _VALUED)
    text = options.get("-e") or options.get("--execute") or call.stdin
    now = await call.condition()
    database = now.databases[call.machine]
    if not database.running:
        return call.fail(f"ERROR 2002 (HY000): {_NO_SERVER}")
    flags = "".join(name[1:] for name in options if re.fullmatch(r"-[a-zA-Z]+", name))
    for statement in filter(None, (part.strip() for part in text.split(";"))):
        try:
            rows = await _result(call, statement.removesuffix("\\G").strip())
        except SqlError as error:
            return call.fail(f"ERROR {error}")
        if rows is not None:
            _print(call, rows, names="N" not in flags and "--skip-column-names" not in options, upright="E" in flags)
    return 0


def _print(call: Call, result: Rows, *, names: bool, upright: bool) -> None:
    columns, rows = result
    if upright:
        for number, row in enumerate(rows, 1):
            call.out(f"{'*' * 27} {number}. row {'*' * 27}\n")
            call.out("".join(f"{name}: {value}\n" for name, value in zip(columns, row, strict=True)))
        return
    call.out("".join("\t".join(row) + "\n" for row in ([columns, *rows] if names and rows else rows)))


async def _result(call: Call, statement: str) -> Rows | None:
    now = await call.condition()
    database = now.databases[call.machine]
    plain = re.sub(r"\s+", " ", statement).casefold()
    if (found := _SHOW.fullmatch(statement)) is not None:
        table = _status(call, now, database) if found[1].casefold() == "status" else _variables(now, database)
        pattern = (found[2] or "%").casefold().replace("%", "*").replace("_", "?")
        return _NAMED, [[name, value] for name, value in table.items() if fnmatchcase(name, pattern)]
    if (found := _SHOW_IN.fullmatch(statement)) is not None:
        table = _status(call, now, database) if found[1].casefold() == "status" else _variables(now, database)
        wanted = [name.strip().strip("'\"").casefold() for name in (found[2] or found[3]).split(",")]
        return _NAMED, [[name, value] for name, value in table.items() if name in wanted]
    if (found := _SET.fullmatch(statement)) is not None:
        await _set(call, now, found[1].casefold(), found[2].strip())
        return None
    if not (now.primary and database.state in (2, 4)):
        raise SqlError("1047 (08S01) at line 1: WSREP has not yet prepared node for application use")
    if (found := _SELECT.fullmatch(statement)) is not None:
        known = {**_variables(now, database), "hostname": call.machine, "version": _VERSION}
        if found[1].casefold() not in known:
            raise SqlError(f"1193 (HY000) at line 1: Unknown system variable '{found[1]}'")
        return [statement[7:].strip()], [[known[found[1].casefold()]]]
    if plain in ("select 1", "select version()"):
        value = "1" if plain.endswith("1") else _VERSION
        return [plain.removeprefix("select ")], [[value]]
    if plain.startswith(("purge binary logs ", "purge master logs ")):
        filled = now.filling.get(call.machine)
        if filled is not None and filled.value(call.place.keeper.now) > 0:
            await call.takes(2.0)
            await call.happen(DiskFilling(call.machine, 0.0))
        return None
    if plain in ("show processlist", "show full processlist"):
        columns = ["Id", "User", "Host", "db", "Command", "Time", "State", "Info", "Progress"]
        return columns, [["5", "system user", "", "NULL", "Sleep", "1", "wsrep applier committed", "NULL", "0.000"]]
    if plain.startswith(("flush ", "kill ", "optimize table ", "analyze table ")):
        return None
    raise SqlError(
        "1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your"
        f" MariaDB server version for the right syntax to use near '{statement[:40]}' at line 1"
    )


_NAMED = ("Variable_name", "Value")


async def _set(call: Call, now: Condition, name: str, value: str) -> None:
    plain = value.strip("'\" ").casefold()
    match name:
        case "wsrep_desync":
            if plain not in ("on", "off", "1", "0"):
                raise SqlError(
                    f"1231 (42000) at line 1: Variable 'wsrep_desync' can't be set to the value of '{value}'"
                )
            on = plain in ("on", "1")
            await call.happen(Desync(call.machine, on))
            if not on:
                started = now.databases[call.machine].started
                await call.change((), 3.0, [DatabaseState(call.machine, started, 4)])
        case "wsrep_slave_threads" | "wsrep_applier_threads":
            if not plain.isdigit():
                raise SqlError(f"1232 (42000) at line 1: Incorrect argument type to variable '{name}'")
            if now.databases[call.machine].paused:
                await call.happen(FlowControl(call.machine, 0.0))
        case "wsrep_provider_options":
            if plain.replace(" ", "") in ("pc.bootstrap=yes", "pc.bootstrap=true", "pc.bootstrap=1"):
                await call.happen(Bootstrap(call.machine))
        case _ if name not in _SETTABLE:
            raise SqlError(f"1193 (HY000) at line 1: Unknown system variable '{name}'")


def _status(call: Call, now: Condition, database: Database) -> dict[str, str]:
    """The part of SHOW STATUS that tells of Galera."""
    at = call.place.keeper.now
    members = [m for m in call.farm.tiers[DATABASE] if now.databases[m.name].state]
    joined = now.primary and database.state
    paused = max(each.paused for each in now.databases.values())
    return {
        "threads_connected": "88",
        "uptime": f"{max(0.0, at - database.started):.0f}",
        "wsrep_local_state_uuid": UUID,
        "wsrep_last_committed": str(committed(at)),
        "wsrep_local_recv_queue": str(round(400 * database.paused)),
        "wsrep_flow_control_paused": f"{paused:g}",
        "wsrep_flow_control_sent": str(round(6 * 3_600 * database.paused)),
        "wsrep_flow_control_active": str(paused > 0).casefold(),
        "wsrep_local_state": str(database.state if joined else 0),
        "wsrep_local_state_comment": _COMMENTS[database.state if joined else 0],
        "wsrep_incoming_addresses": ",".join(f"{m.address}:3306" for m in members),
        "wsrep_desync_count": str(int(database.state == 2)),
        "wsrep_cluster_size": str(now.members if joined else 0),
        "wsrep_cluster_state_uuid": UUID,
        "wsrep_cluster_status": "Primary" if joined else "non-Primary",
        "wsrep_connected": "ON",
        "wsrep_ready": "ON" if joined and database.state in (2, 4) else "OFF",
        "wsrep_provider_name": "Galera",
    }


def _variables(now: Condition, database: Database) -> dict[str, str]:
    return {
        "max_connections": "600",
        "read_only": "OFF",
        "wsrep_cluster_name": "farm",
        "wsrep_desync": "ON" if database.state == 2 else "OFF",
        "wsrep_on": "ON",
        "wsrep_slave_threads": "8",
    }


async def _admin(call: Call, words: Sequence[str]) -> int:
    _, rest = told_apart(words, _VALUED)
    database = (await call.condition()).databases[call.machine]
    if not database.running:
        return call.fail(f"mariadb-admin: connect to server at 'localhost' failed\nerror: '{_NO_SERVER}'")
    match rest:
        case ["ping"]:
            call.out("mysqld is alive\n")
        case ["status"]:
            up = call.place.keeper.now - database.started
            call.out(f"Uptime: {up:.0f}  Threads: 88  Questions: {up * 900:.0f}  Slow queries: 12  Opens: 5120\n")
        case ["shutdown"]:
            await call.takes(2.0)
            await call.happen(DatabaseStop(call.machine))
        case _:
            return call.fail(f"mariadb-admin: Unknown command: '{' '.join(rest)}'")
    return 0


async def _new_cluster(call: Call, _words: Sequence[str]) -> int:
    now = await call.condition()
    if now.databases[call.machine].running and now.primary:
        return 0
    if call.machine not in now.safe_to_bootstrap:
        await call.takes(2.0)
        return call.fail(
            "Job for mariadb.service failed because the control process exited with error code.\n"
            'See "systemctl status mariadb.service" and "journalctl -xeu mariadb.service" for details.'
        )
    await call.change(
        (), 5.0, [DatabaseStart(call.machine), Bootstrap(call.machine), SafeToBootstrap(call.machine, False)]
    )
    return 0


async def _recovery(call: Call, _words: Sequence[str]) -> int:
    """Galera's script that has InnoDB tell up to where it has all."""
    database = (await call.condition()).databases[call.machine]
    if database.running:
        return call.fail("WSREP: Failed to start mysqld for wsrep recovery: '[ERROR] InnoDB: Unable to lock ./ibdata1'")
    position = f"{UUID}:{committed(database.since)}"
    call.err(f"WSREP: Recovered position {position}\n")
    call.out(f"--wsrep_start_position={position}\n")
    return 0


COMMANDS: Table = {
    "mariadb": _mariadb,
    "mysql": _mariadb,
    "mariadb-admin": _admin,
    "mysqladmin": _admin,
    "galera_new_cluster": _new_cluster,
    "galera_recovery": _recovery,
}
