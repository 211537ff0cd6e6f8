"""The few files of the simulated machines that commands read and write: what they hold is the world's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands.mariadb import UUID
from farmtui.demo.world.inventory import CACHE
from farmtui.demo.world.service_changes import Resting, SafeToBootstrap

MAINTENANCE = "/etc/varnish/maintenance"
"""While it is there a cache node's Varnish answers the edge's health check with 503."""
GRASTATE = "/var/lib/mysql/grastate.dat"
"""Where Galera stands on a database node. After a crash it knows no position."""
_SED = re.compile(r"s/\^safe_to_bootstrap: (?:0|1|\.\*)/safe_to_bootstrap: ([01])/")


async def content(call: Call, path: str) -> str | None:
    """What a file of the world holds; None where there is none."""
    now = await call.condition()
    if path == MAINTENANCE and call.machine in now.resting:
        return ""
    if path == GRASTATE and call.machine in now.databases:
        safe = int(call.machine in now.safe_to_bootstrap)
        return f"# GALERA saved state\nversion: 2.1\nuuid:    {UUID}\nseqno:   -1\nsafe_to_bootstrap: {safe}\n"
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


async def _sed(call: Call, words: Sequence[str]) -> int:
    """`sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' grastate.dat`, and no more."""
    match words:
        case ["-i", script, path] if await content(call, path) is not None:
            found = _SED.fullmatch(script)
            if found is None or path != GRASTATE:
                return call.fail("sed: beyond what is simulated")
            if call.user != "root":
                return call.fail(
                    f"sed: couldn't open temporary file {path.rpartition('/')[0]}/sedX: Permission denied", 4
                )
            await call.happen(SafeToBootstrap(call.machine, found[1] == "1"))
            return 0
        case ["-i", _, path]:
            return call.fail(f"sed: can't read {path}: No such file or directory", 2)
    return call.fail("sed: beyond what is simulated")


COMMANDS: Table = {"sed": _sed, "touch": _touch, "rm": _rm}
