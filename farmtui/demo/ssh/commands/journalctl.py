"""journalctl on the simulated machines, as logs are followed: entries as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice

from farmtui.demo.observed import Observed
from farmtui.demo.ssh.call import Call
from farmtui.demo.ssh.commands.units import unit_named
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.ssh.journal import Entry, Told

_VALUED = ("-u", "--unit", "-n", "--lines", "-p", "--priority", "-o", "--output", "--since", "-S", "--after-cursor")
_POLL_S = 0.5
_WORDS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_BACK = re.compile(r"-(\d+)\s*(s|sec|m|min|h|hour)?")
_SCALE = {None: 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "hour": 3_600}
_DAY_S = 86_400.0
_BOOT = "b0a7c0de5f1e4b0f9c3d2e1f0a9b8c7d"


def asks_json(words: Sequence[str]) -> bool:
    """Whether it is asked for what this module prints."""
    return "--output=json" in words or "json" in words


async def entries(call: Call, words: Sequence[str]) -> int:
    """Print entries, and go on with those that come where it is asked to follow."""
    options, matches = told_apart(words, _VALUED)
    unit = (options.get("--unit") or options.get("-u") or "").removesuffix(".service")
    if "_TRANSPORT=kernel" in matches:
        unit = "kernel"
    known = unit_named(call.farm, call.machine, unit) if unit else None
    name = known.name if known is not None else unit
    level = options.get("--priority", options.get("-p", "7"))
    highest = int(level) if level.isdigit() else _WORDS.index(level) if level in _WORDS else 7
    now = await call.ask(lambda observed: observed.world.now)
    start = _since(options.get("--since", options.get("-S", "")), now)
    cursor = options.get("--after-cursor", "").rpartition("t=")[2]
    if cursor.isdigit():
        # What befell it then may have more to say.
        start = int(cursor) / 1e6 - 1.0
    if start is None:
        return call.fail(f"Failed to parse timestamp: {options.get('--since', '')}")

    async def between(begin: float, end: float) -> list[Entry]:
        found = await call.ask(lambda observed: _told(observed, call.machine, begin).entries(begin, end))
        after = int(cursor) if cursor.isdigit() else 0
        return [e for e in found if name in ("", e.unit) and e.priority <= highest and e.usec > after]

    found = await between(start, now)
    count = options.get("--lines", options.get("-n", ""))
    if "--reverse" in options or "-r" in options:
        found = list(islice(reversed(found), int(count) if count.isdigit() else None))
    elif count.isdigit():
        found = found[-int(count) :] if int(count) else []
    _print(call, found)
    if "--follow" not in options and "-f" not in options:
        if not found:
            call.out("-- No entries --\n")
        return 0
    while True:
        await call.wait(_POLL_S)
        later = await call.ask(lambda observed: observed.world.now)
        _print(call, await between(now, later))
        now = later


def _told(observed: Observed, machine: str, begin: float) -> Told:
    world = observed.world
    # What began just then is a step from the epoch before.
    return Told(world.farm, machine, world.timeline.since(begin - 1.0))


def _since(text: str, now: float) -> float | None:
    if not text:
        return now - _DAY_S
    if text.startswith("@") and text[1:].replace(".", "", 1).isdigit():
        return float(text[1:])
    found = _BACK.fullmatch(text)
    return now - int(found[1]) * _SCALE[found[2]] if found is not None else None


def _print(call: Call, found: Sequence[Entry]) -> None:
    lines = []
    for entry in found:
        told = {
            "__CURSOR": f"s=5afe;i={entry.usec:x};b={_BOOT};t={entry.usec}",
            "__REALTIME_TIMESTAMP": str(entry.usec),
            "__MONOTONIC_TIMESTAMP": str(entry.usec % 10**12),
            "_BOOT_ID": _BOOT,
            "PRIORITY": str(entry.priority),
            "SYSLOG_IDENTIFIER": entry.speaker,
            "MESSAGE": entry.message,
        }
        if entry.pid:
            told["_PID"] = str(entry.pid)
        if entry.unit != "kernel":
            told["_SYSTEMD_UNIT"] = "init.scope" if entry.unit == "init" else f"{entry.unit}.service"
        lines.append(json.dumps(told))
    if lines:
        call.out("\n".join(lines) + "\n")
