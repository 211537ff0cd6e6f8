"""redis-cli: what a Redis holds, how much it may hold, and whom it follows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.given import with_leading
from farmtui.demo.world.changes import alive
from farmtui.demo.world.condition import Condition
from farmtui.demo.world.inventory import CACHE
from farmtui.demo.world.service_changes import REDIS_BYTES, REDIS_HELD, RedisFlush, RedisLimit, RedisMaster
from farmtui.demo.world.settling import REDIS

_SENTINEL_PORT = "26379"
_KEY_BYTES = 2_100.0
_KINDS = ("options:alloptions", "posts:last_changed", "terms:last_changed", "transient:feed", "users:1", "queries:home")
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
_WRITING = ("flushdb", "flushall", "unlink", "del")


class RefusedError(Exception):
    """Redis's own error."""


async def _redis_cli(call: Call, words: Sequence[str]) -> int:
    options, rest = with_leading(
        words, ("-h", "-p", "-a", "-n", "-s", "-u", "--user", "--pass", "--pattern", "--count")
    )
    now = await call.condition()
    port = options.get("-p", "6379")
    if (call.machine, REDIS) in now.stopped_units:
        return call.fail(f"Could not connect to Redis at 127.0.0.1:{port}: Connection refused")
    if "--scan" in options:
        call.out("".join(f"{key}\n" for key in _keys(call, options.get("--pattern", "*"))))
        return 0
    if not rest:
        return call.fail("redis-cli: no command, and no terminal to be asked for one")
    try:
        answer = await (_sentinel(call, now, rest) if port == _SENTINEL_PORT else _answer(call, now, rest))
    except RefusedError as error:
        if "-e" in options:
            return call.fail(str(error))
        # As redis-cli does it: an error is an answer like any other.
        call.out(f"{error}\n\n")
        return 0
    call.out(f"{answer}\n")
    return 0


async def _answer(call: Call, now: Condition, words: Sequence[str]) -> str:
    command, given = words[0].casefold(), list(words[1:])
    if command in _WRITING and now.redis_master != call.machine:
        raise RefusedError("READONLY You can't write against a read only replica.")
    match command:
        case "ping":
            return "PONG"
        case "dbsize":
            return f"{_held(call, now) / _KEY_BYTES:.0f}"
        case "info":
            return _info(call, now, given[0].casefold() if given else "")
        case "role":
            return "master" if now.redis_master == call.machine else "slave"
        case "flushdb" | "flushall":
            # Replicas drop what their master drops.
            await call.happen(*(RedisFlush(name) for name in now.varnish))
            return "OK"
        case "unlink" | "del" if given:
            known = set(_keys(call, "*"))
            found = len(known & set(given))
            if found:
                await call.happen(*(RedisFlush(name, found / len(known)) for name in now.varnish))
            return str(found)
        case "keys" if given:
            return "\n".join(_keys(call, given[0]))
        case "config":
            return await _config(call, now, given)
        case "memory" if [word.casefold() for word in given] == ["purge"]:
            return "OK"
        case "bgsave":
            return "Background saving started"
        case "lastsave":
            return f"{call.place.keeper.now - 214:.0f}"
    raise RefusedError(f"ERR unknown command '{words[0]}', with args beginning with: {' '.join(map(repr, given[:3]))}")


async def _config(call: Call, now: Condition, given: Sequence[str]) -> str:
    limit = now.redis_limits.get(call.machine, REDIS_BYTES)
    settings = {"maxmemory": f"{limit:.0f}", "maxmemory-policy": "allkeys-lru", "save": "3600 1 300 100 60 10000"}
    match [word.casefold() for word in given]:
        case ["get", pattern]:
            found = [f"{name}\n{value}" for name, value in settings.items() if fnmatchcase(name, pattern)]
            return "\n".join(found)
        case ["set", "maxmemory", value]:
            number = re.fullmatch(r"(\d+)([kmg]?b?)", value)
            if number is None:
                raise RefusedError(
                    f"ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory"
                    f" value: {value}"
                )
            await call.happen(RedisLimit(call.machine, float(number[1]) * _UNITS[number[2]]))
            return "OK"
        case ["set", name, _] if name in settings:
            return "OK"
        case ["set", name, _]:
            raise RefusedError(f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
        case ["rewrite"] | ["resetstat"]:
            return "OK"
    raise RefusedError("ERR unknown subcommand or wrong number of arguments for 'config'. Try CONFIG HELP.")


async def _sentinel(call: Call, now: Condition, words: Sequence[str]) -> str:
    match [word.casefold() for word in words]:
        case ["ping"]:
            return "PONG"
        case ["sentinel", "get-master-addr-by-name", _]:
            return f"{call.farm.by_name[now.redis_master].address}\n6379"
        case ["sentinel", "failover", _]:
            heirs = [name for name in now.varnish if name != now.redis_master and alive(now, call.farm, name)]
            if not heirs:
                raise RefusedError("NOGOODSLAVE No suitable replica to promote")
            await call.takes(2.0)
            await call.happen(RedisMaster(heirs[0]))
            return "OK"
        case ["sentinel", "ckquorum", _]:
            return f"OK {len(now.varnish)} usable Sentinels. Quorum and failover authorization can be reached"
    raise RefusedError(f"ERR unknown command '{words[0]}'")


def _keys(call: Call, pattern: str) -> Iterator[str]:
    """Keys that fit: of each site's object cache those that are always there."""
    every = (f"site:{site}:{kind}" for site in call.farm.sites for kind in _KINDS)
    return (key for key in every if fnmatchcase(key, pattern))


def _held(call: Call, now: Condition) -> float:
    """Bytes of data."""
    if call.machine in now.redis_full:
        return now.redis_limits.get(call.machine, REDIS_BYTES) * 0.996
    fill = now.redis_fill.get(call.machine)
    return REDIS_BYTES * REDIS_HELD * (fill.value(call.place.keeper.now) if fill else 1.0)


def _info(call: Call, now: Condition, section: str) -> str:
    held, limit = _held(call, now), now.redis_limits.get(call.machine, REDIS_BYTES)
    master = now.redis_master
    others = [m for m in call.farm.tiers[CACHE] if m.name != master and alive(now, call.farm, m.name)]
    if call.machine == master:
        replication = ["role:master", f"connected_slaves:{len(others)}"]
        replication += [
            f"slave{place}:ip={m.address},port=6379,state=online,offset=912340211,lag=0"
            for place, m in enumerate(others)
        ]
    else:
        replication = ["role:slave", f"master_host:{call.farm.by_name[master].address}", "master_port:6379"]
        replication += ["master_link_status:up", "master_last_io_seconds_ago:1", "master_sync_in_progress:0"]
    up = call.place.keeper.now - now.booted.get(call.machine, now.varnish[call.machine].started)
    sections = {
        "server": ["redis_version:7.0.15", "redis_mode:standalone", "tcp_port:6379", f"uptime_in_seconds:{up:.0f}"],
        "memory": [
            f"used_memory:{held:.0f}",
            f"used_memory_human:{held / 2**30:.2f}G",
            f"maxmemory:{limit:.0f}",
            f"maxmemory_human:{limit / 2**30:.2f}G",
            "maxmemory_policy:allkeys-lru",
            "mem_fragmentation_ratio:1.08",
        ],
        "stats": [f"evicted_keys:{48_211 if call.machine in now.redis_full else 0}"],
        "replication": [*replication, "master_repl_offset:912340211"],
        "keyspace": [f"db0:keys={held / _KEY_BYTES:.0f},expires={held / _KEY_BYTES * 0.8:.0f},avg_ttl=41200311"],
    }
    wanted = sections if section in ("", "all", "default", "everything") else {section: sections.get(section, [])}
    return "\r\n\r\n".join("\r\n".join([f"# {name.capitalize()}", *lines]) for name, lines in wanted.items()) + "\r"


COMMANDS: Table = {"redis-cli": _redis_cli}
