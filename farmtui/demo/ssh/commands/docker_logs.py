"""`docker service logs`: what the tasks of a service print, and go on to print."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from farmtui.demo.observed import Observed
from farmtui.demo.servers.moments import rfc3339
from farmtui.demo.ssh.call import Call
from farmtui.demo.ssh.commands.docker_errors import DockerError
from farmtui.demo.ssh.commands.swarm_told import SwarmTold, Task, ident
from farmtui.demo.ssh.given import told_apart

VALUED = ("--since", "--tail", "-n")
_POLL_S = 0.5
_EVERY_S = 4.0
_PATHS = ("/", "/shop/", "/wp-admin/admin-ajax.php", "/feed/", "/wp-login.php", "/2026/11/news/", "/wp-cron.php")
_SPAN = re.compile(r"(\d+)(s|m|h)")
_SCALE = {"s": 1, "m": 60, "h": 3_600}
_WINDOW_S = 3_600.0


async def service_logs(call: Call, given: Sequence[str]) -> int:
    """Print the lines of a service or of one task."""
    options, names = told_apart(given, VALUED)
    if len(names) != 1:
        raise DockerError('"docker service logs" requires exactly 1 argument.')
    follow = "--follow" in options or "-f" in options
    told = await call.ask(swarm)
    begin = _since(options.get("--since", ""), told.at)
    tail = options.get("--tail", options.get("-n", "all"))
    lines = _lines(told, names[0], begin, told.at)
    _print(call, options, lines[-int(tail) :] if tail.isdigit() and int(tail) else lines)
    while follow:
        await call.wait(_POLL_S)
        now = await call.ask(swarm)
        _print(call, options, _lines(now, names[0], told.at, now.at))
        told = now
    return 0


def swarm(observed: Observed) -> SwarmTold:
    """The Swarm now."""
    world = observed.world
    return SwarmTold(world.farm, world.timeline.last.condition, world.now, world.origin)


def _since(text: str, now: float) -> float:
    if not text:
        return now - _WINDOW_S
    if found := _SPAN.fullmatch(text):
        return now - int(found[1]) * _SCALE[found[2]]
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except ValueError:
        raise DockerError(f'invalid value for "since": failed to parse value as time or duration: "{text}"') from None


def _tasks(told: SwarmTold, name: str) -> list[Task]:
    found = [task for task in told.tasks if task.id == name or (len(name) >= 12 and task.id.startswith(name))]
    if found:
        return found
    service = name if name in told.names else next((s for s in told.names if ident("service", s) == name), None)
    if service is None:
        raise DockerError(f"no such task or service: {name}")
    return [task for task in told.tasks if task.service == service and task.node]


def _lines(told: SwarmTold, name: str, begin: float, end: float) -> list[tuple[float, Task, str]]:
    found = []
    for task in _tasks(told, name):
        born = max(begin, task.since)
        last = end if not task.error else min(end, task.since + 2.0)
        for slot in range(int(born // _EVERY_S), int(last // _EVERY_S) + 1):
            drawn = int.from_bytes(
                hashlib.sha1(f"{task.id} {slot}".encode(), usedforsecurity=False).digest()[:6], "big"
            )
            at = (slot + drawn % 991 / 991) * _EVERY_S
            if begin <= at < end:
                found.append((at, task, _says(task, drawn)))
    return sorted(found, key=lambda line: line[0])


def _drawn(text: str) -> int:
    return int.from_bytes(hashlib.sha1(text.encode(), usedforsecurity=False).digest()[:6], "big")


def _says(task: Task, drawn: int) -> str:
    if task.error:
        return "PHP Fatal error:  Uncaught Error: Call to undefined function wp_cache_get() in /srv/wp/wp-load.php:50"
    path = _PATHS[drawn % len(_PATHS)]
    if drawn % 61 == 0 and task.slot:
        return f'PHP Warning:  Undefined array key "lang" in /srv/wp/plugins/i18n/i18n.php on line {drawn % 300}'
    return (
        f'10.0.{drawn % 7}.{drawn % 251} - - "GET {path} HTTP/1.1" {200 if drawn % 23 else 404} {900 + drawn % 40_000}'
    )


def _print(call: Call, options: Mapping[str, str], lines: Sequence[tuple[float, Task, str]]) -> None:
    stamps = "--timestamps" in options or "-t" in options
    for at, task, text in lines:
        stamp = f"{rfc3339(at)} " if stamps else ""
        call.out(f"{stamp}{task.name}.{task.id[:12]}@{task.node}    | {text}\n")
