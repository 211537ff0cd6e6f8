"""What keeps a machine going: looking for room, packages, its disks, and starting it anew."""

from __future__ import annotations

from collections.abc import Sequence

from farmtui.demo.observed import Observed
from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands.files import content
from farmtui.demo.ssh.commands.units import unit_named, units
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.world.changes import Change, HostOff, HostOn, MachineOff, MachineOn
from farmtui.demo.world.inventory import DATABASE, STORAGE

_BOOT_S = 25.0
_THERE = (
    "/",
    "/etc",
    "/etc/hostname",
    "/etc/os-release",
    "/proc/uptime",
    "/run",
    "/var/log",
    "/var/log/journal",
)
_GIB = 2**30


async def _reboot(call: Call, _words: Sequence[str]) -> int:
    name = call.machine
    off: Change = HostOff(name) if name in call.farm.host_names else MachineOff(name)
    on: Change = HostOn(name) if name in call.farm.host_names else MachineOn(name)

    def act(observed: Observed) -> None:
        observed.world.plan([(1.0 * call.place.pace, off), (_BOOT_S * call.place.pace + 0.1, on)])

    await call.place.keeper.ask(act)
    return 0


async def _test(call: Call, words: Sequence[str]) -> int:
    """`test -e PATH` and the like, and whether two texts are the same."""
    match [word for word in words if word != "]"]:
        case ["-e" | "-f" | "-d" | "-r" | "-s", path]:
            return int(path not in _THERE and await content(call, path) is None)
        case ["-n", text]:
            return int(not text)
        case ["-z", text]:
            return int(bool(text))
        case [left, "=", right]:
            return int(left != right)
        case [left, "!=", right]:
            return int(left == right)
    return call.fail("test: beyond what is simulated", 2)


async def _du(call: Call, words: Sequence[str]) -> int:
    """What lies on the root filesystem: what fills it is the journal, or a database's binary logs."""
    filled = (await call.condition()).filling.get(call.machine)
    machine = call.farm.by_name.get(call.machine)
    size = machine.size.disk_bytes if machine is not None else 0.0
    extra = filled.value(call.place.keeper.now) * size if filled is not None else 0.0
    of_logs = call.place.tier == DATABASE
    found = {
        "/usr": 2.1 * _GIB,
        "/var/cache/apt": 0.2 * _GIB,
        "/var/log/journal": 0.9 * _GIB + (0.0 if of_logs else extra),
        "/var/lib": 3.4 * _GIB,
        **({"/var/lib/mysql/binlog": 4.2 * _GIB + extra} if of_logs else {}),
    }
    human = any(word.startswith("-") and not word.startswith("--") and "h" in word for word in words)
    for path, held in found.items():
        call.out(f"{f'{held / _GIB:.1f}G' if human else f'{held / 1024:.0f}'}\t{path}\n")
    return 0


async def _free(call: Call, words: Sequence[str]) -> int:
    def ask(observed: Observed) -> tuple[float, float]:
        at = (observed.world.now,)
        found = []
        for name in ("MemTotal", "MemAvailable"):
            series = observed.scraped.series(f"node_memory_{name}_bytes")
            mine = (each.column(at)[0] for each in series if each.labels["node"] == call.machine)
            found.append(next(mine, None) or 0.0)
        return found[0], found[1]

    total, left = await call.ask(ask)
    unit = 2**20 if "-m" in words else 2**30 if "-g" in words else 1 if "-b" in words else 1024
    rows = [f"{amount / unit:>11.0f}" for amount in (total, total - left, left, 0.0, 0.0, left)]
    call.out(
        f"               total        used        free      shared  buff/cache   available\nMem:    {' '.join(rows)}\n"
    )
    return 0


async def _apt_get(call: Call, words: Sequence[str]) -> int:
    _, rest = told_apart(words, ("-o", "-t"))
    if call.user != "root":
        return call.fail("E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)", 100)
    match rest:
        case ["update"]:
            await call.takes(2.0)
            call.out("Reading package lists...\n")
        case ["upgrade" | "dist-upgrade" | "full-upgrade"] | ["install", *_]:
            await call.takes(6.0)
            call.out("Reading package lists...\nBuilding dependency tree...\n")
            call.out("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
        case ["clean" | "autoclean" | "autoremove"]:
            await call.takes(0.5)
        case _:
            return call.fail(f"E: Invalid operation {rest[0] if rest else ''}", 100)
    return 0


async def _smartctl(call: Call, words: Sequence[str]) -> int:
    _, rest = told_apart(words, ("-d",))
    if call.place.tier != STORAGE or not rest:
        return call.fail("smartctl: open device failed: No such device", 2)
    call.out("smartctl 7.4\n\n=== START OF READ SMART DATA SECTION ===\n")
    call.out("SMART overall-health self-assessment test result: PASSED\n")
    return 0


async def _ps(call: Call, _words: Sequence[str]) -> int:
    """The services of the machine, those that run."""
    now = await call.condition()
    call.out("    PID USER     %CPU %MEM     ELAPSED COMMAND\n")
    for place, unit in enumerate(unit for unit in units(call.farm, call.machine) if unit.runs(now)):
        call.out(f"{812 + 31 * place:>7} root     {3.0 / (place + 1):>4.1f} {5.0 / (place + 1):>4.1f}  3-04:12:09 ")
        call.out(f"{unit.name.partition('@')[0]}\n")
    return 0


async def _wg(call: Call, words: Sequence[str]) -> int:
    """`wg show wg0`, on the machines at the tunnel's ends."""
    if unit_named(call.farm, call.machine, "wg-quick@wg0") is None:
        return call.fail("Unable to access interface: No such device")
    if call.user != "root":
        return call.fail("Unable to access interface: Operation not permitted")
    if list(words) not in ([], ["show"], ["show", "wg0"]):
        return call.fail("Unable to access interface: No such device")
    cut = (await call.condition()).cut
    call.out("interface: wg0\n  listening port: 51820\n\npeer: 7Zl3kU0m2vF0cWc0b0yQm9mJrj4f2gC1Zq8mY0c5dXo=\n")
    call.out(f"  latest handshake: {'9 minutes' if cut else '41 seconds'} ago\n")
    return 0


COMMANDS: Table = {
    "ps": _ps,
    "wg": _wg,
    "reboot": _reboot,
    "test": _test,
    "[": _test,
    "du": _du,
    "free": _free,
    "apt-get": _apt_get,
    "apt": _apt_get,
    "smartctl": _smartctl,
}
