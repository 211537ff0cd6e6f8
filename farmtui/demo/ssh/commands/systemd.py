"""systemctl: what the units of a machine are at, and what starting and stopping them does to the world."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands import upkeep
from farmtui.demo.ssh.commands.units import Unit, unit_named, units
from farmtui.demo.world.condition import Condition

_VERBS = ("start", "stop", "restart", "try-restart", "reload", "reload-or-restart")
_INACTIVE, _UNKNOWN_STATE, _NOT_FOUND = 3, 4, 5


async def _systemctl(call: Call, words: Sequence[str]) -> int:
    given = [word for word in words if not word.startswith("-")]
    if not given:
        return call.fail("Too few arguments.")
    verb, names = given[0], given[1:]
    match verb:
        case "is-active" | "is-failed" | "is-enabled" | "status" | "show":
            if not names:
                return call.fail("Too few arguments.")
            return await _tell(call, verb, names, words)
        case "daemon-reload" | "reset-failed":
            return 0
        case "reboot":
            return await upkeep.COMMANDS["reboot"](call, ())
        case "list-units":
            now = await call.condition()
            shown = (unit for unit in units(call.farm, call.machine) if "--failed" not in words or _failed(unit, now))
            for unit in shown:
                call.out(f"  {unit.name}.service loaded {_state(unit, now):<8} {unit.about}\n")
            return 0
        case _ if verb in _VERBS:
            if not names:
                return call.fail("Too few arguments.")
            statuses = [await _act(call, verb, name) for name in names]
            return next((status for status in statuses if status), 0)
    return call.fail(f"Unknown command verb '{verb}'.")


def _state(unit: Unit, now: Condition) -> str:
    return "active" if unit.runs(now) else "failed" if unit.crashes else "inactive"


def _failed(unit: Unit, now: Condition) -> bool:
    return _state(unit, now) == "failed"


async def _tell(call: Call, verb: str, names: Sequence[str], words: Sequence[str]) -> int:
    quiet = "-q" in words or "--quiet" in words
    now = await call.condition()
    found = [(name, unit_named(call.farm, call.machine, name)) for name in names]
    if verb == "status":
        return max(_status(call, name, unit, now) for name, unit in found)
    states = [_state(unit, now) if unit is not None else "inactive" for _, unit in found]
    if verb == "show" and "--property=LoadState" in words:
        call.out("".join(f"{'loaded' if unit is not None else 'not-found'}\n" for _, unit in found))
        return 0
    if verb == "show":
        call.out("\n".join(f"Id={unit.name}.service\nActiveState={_state(unit, now)}" for _, unit in found if unit))
        call.out("\n")
        return 0
    if verb == "is-enabled":
        if unknown := [name for name, unit in found if unit is None]:
            return call.fail(f"Failed to get unit file state for {unknown[0]}.service: No such file or directory")
        call.out("enabled\n" * len(found))
        return 0
    if not quiet:
        call.out("".join(f"{state}\n" for state in states))
    wanted = "active" if verb == "is-active" else "failed"
    if wanted in states:
        return 0
    return _UNKNOWN_STATE if all(unit is None for _, unit in found) else _INACTIVE if wanted == "active" else 1


def _status(call: Call, name: str, unit: Unit | None, now: Condition) -> int:
    if unit is None:
        return call.fail(f"Unit {name.removesuffix('.service')}.service could not be found.", _UNKNOWN_STATE)
    runs, since = unit.runs(now), unit.since(now)
    state = "active (running)" if runs else "failed (Result: signal)" if unit.crashes else "inactive (dead)"
    when = f" since {datetime.fromtimestamp(since, UTC):%a %Y-%m-%d %H:%M:%S UTC}" if since is not None else ""
    call.out(
        f"{'●' if runs else '×'} {unit.name}.service - {unit.about}\n"
        f"     Loaded: loaded (/usr/lib/systemd/system/{unit.name}.service; enabled; preset: enabled)\n"
        f"     Active: {state}{when}\n"
    )
    return 0 if runs else _INACTIVE


async def _act(call: Call, verb: str, name: str) -> int:
    unit = unit_named(call.farm, call.machine, name)
    short = name.removesuffix(".service")
    stops, starts = verb != "start", verb not in ("stop", "reload")
    if unit is None:
        what = "restart" if "restart" in verb else verb
        return call.fail(f"Failed to {what} {short}.service: Unit {short}.service not found.", _NOT_FOUND)
    if unit.kept and verb == "stop":
        return call.fail(f"Failed to stop {unit.name}.service: Access denied")
    now = await call.condition()
    runs = unit.runs(now)
    if verb == "reload" or (verb == "start" and runs and not unit.once) or (verb == "try-restart" and not runs):
        await call.takes(unit.stop_s)
        return 0
    if starts and not unit.needs(now):
        await call.takes(unit.start_s)
        return call.fail(
            f"Job for {unit.name}.service failed because a timeout was exceeded.\n"
            f'See "systemctl status {unit.name}.service" and "journalctl -xeu {unit.name}.service" for details.'
        )
    if stops and runs:
        await call.takes(unit.stop_s)
    stop = unit.stop if stops and runs and not unit.kept else ()
    # The job is systemd's own: it is done whatever becomes of systemctl.
    await call.change(stop, unit.start_s if starts else 0.0, unit.start if starts else ())
    return 0


COMMANDS: Table = {"systemctl": _systemctl}
