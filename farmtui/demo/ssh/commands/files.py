"""The few files of the simulated machines that commands read and write: what they hold is the world's."""

from __future__ import annotations

from collections.abc import Sequence

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.world.inventory import CACHE
from farmtui.demo.world.service_changes import Resting

MAINTENANCE = "/etc/varnish/maintenance"
"""While it is there a cache node's Varnish answers the edge's health check with 503."""


async def content(call: Call, path: str) -> str | None:
    """What a file of the world holds; None where there is none."""
    now = await call.condition()
    if path == MAINTENANCE and call.machine in now.resting:
        return ""
    return None


async def _touch(call: Call, words: Sequence[str]) -> int:
    return await _maintenance(call, "touch", words, on=True)


async def _rm(call: Call, words: Sequence[str]) -> int:
    return await _maintenance(call, "rm", words, on=False)


async def _maintenance(call: Call, name: str, words: Sequence[str], *, on: bool) -> int:
    for path in (word for word in words if not word.startswith("-")):
        if path != MAINTENANCE or call.place.tier != CACHE:
            return call.fail(f"{name}: cannot {'touch' if on else 'remove'} '{path}': Read-only file system")
        if call.user != "root":
            return call.fail(f"{name}: cannot {'touch' if on else 'remove'} '{path}': Permission denied")
        await call.happen(Resting(call.machine, on))
    return 0


COMMANDS: Table = {"touch": _touch, "rm": _rm}
