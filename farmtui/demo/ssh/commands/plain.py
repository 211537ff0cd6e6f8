"""What every Linux machine can tell of itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from farmtui.demo.observed import Observed
from farmtui.demo.promql.evaluate import Vector
from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.commands.files import content
from farmtui.demo.ssh.commands.journalctl import asks_json, entries
from farmtui.demo.ssh.commands.units import unit_named
from farmtui.demo.world.changes import ClockOff, DiskFilling

_ETC_OS = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n'
_UIDS = {"root": 0, "ops": 1000}
_LONGEST_S = 3_600.0


async def _true(_call: Call, _words: Sequence[str]) -> int:
    return 0


async def _false(_call: Call, _words: Sequence[str]) -> int:
    return 1


async def _echo(call: Call, words: Sequence[str]) -> int:
    call.out(" ".join(words) + "\n")
    return 0


async def _sleep(call: Call, words: Sequence[str]) -> int:
    try:
        seconds = sum(float(word) for word in words)
    except ValueError:
        return call.fail(f"sleep: invalid time interval ‘{words[0]}’\nTry 'sleep --help' for more information.")
    if not words:
        return call.fail("sleep: missing operand\nTry 'sleep --help' for more information.")
    await call.wait(min(seconds, _LONGEST_S))
    return 0


async def _hostname(call: Call, words: Sequence[str]) -> int:
    call.out(f"{call.machine}{'.farm.example' if '-f' in words else ''}\n")
    return 0


async def _uname(call: Call, words: Sequence[str]) -> int:
    call.out(f"Linux {call.machine} 6.12.48+deb13-amd64 x86_64 GNU/Linux\n" if "-a" in words else "Linux\n")
    return 0


async def _id(call: Call, words: Sequence[str]) -> int:
    uid = _UIDS.get(call.user, 1000)
    if "-un" in words or {"-u", "-n"} <= set(words):
        call.out(f"{call.user}\n")
    elif "-u" in words:
        call.out(f"{uid}\n")
    else:
        call.out(f"uid={uid}({call.user}) gid={uid}({call.user}) groups={uid}({call.user})\n")
    return 0


async def _whoami(call: Call, _words: Sequence[str]) -> int:
    call.out(f"{call.user}\n")
    return 0


async def _date(call: Call, words: Sequence[str]) -> int:
    offset = (await call.condition()).clocks.get(call.machine, 0.0)
    moment = datetime.fromtimestamp(call.place.keeper.now + offset, UTC)
    call.out(f"{moment.timestamp():.0f}\n" if "+%s" in words else f"{moment:%a %b %e %H:%M:%S UTC %Y}\n")
    return 0


async def _uptime(call: Call, words: Sequence[str]) -> int:
    booted, now = await call.ask(lambda observed: (call.place.booted(observed), observed.world.now))
    days, rest = divmod(int(now - booted), 86_400)
    hours, minutes = rest // 3_600, rest // 60 % 60
    if "-p" in words:
        call.out(f"up {days} days, {hours} hours, {minutes} minutes\n")
        return 0
    if "-s" in words:
        call.out(f"{datetime.fromtimestamp(booted, UTC):%Y-%m-%d %H:%M:%S}\n")
        return 0
    loads = ", ".join([f"{await _measured(call, f'node_load{span}'):.2f}" for span in (1, 5, 15)])
    clock = f"{datetime.fromtimestamp(now, UTC):%H:%M:%S}"
    call.out(f" {clock} up {days} days, {hours:2}:{minutes:02},  0 users,  load average: {loads}\n")
    return 0


async def _cat(call: Call, words: Sequence[str]) -> int:
    status = 0
    for path in words:
        match path:
            case "/proc/uptime":
                up = await call.ask(lambda observed: observed.world.now - call.place.booted(observed))
                call.out(f"{up:.2f} {up * 6.4:.2f}\n")
            case "/proc/sys/kernel/random/boot_id":
                call.out(f"{await call.place.boot_id()}\n")
            case "/etc/hostname":
                call.out(f"{call.machine}\n")
            case "/etc/os-release":
                call.out(_ETC_OS)
            case _ if (text := await content(call, path)) is not None:
                call.out(text)
            case _:
                status = call.fail(f"cat: {path}: No such file or directory")
    return status


async def _df(call: Call, words: Sequence[str]) -> int:
    size = await _measured(call, "node_filesystem_size_bytes", 'mountpoint="/"')
    avail = await _measured(call, "node_filesystem_avail_bytes", 'mountpoint="/"')
    if not size:
        return call.fail("df: cannot read table of mounted file systems")
    used, share = size - avail, round(100 * (size - avail) / size)
    if any(word.startswith("-") and "h" in word for word in words):
        shown, head = [f"{part / 2**30:.0f}G" for part in (size, used, avail)], "Size"
    else:
        shown, head = [f"{part / 1024:.0f}" for part in (size, used, avail)], "1024-blocks"
    call.out(f"Filesystem {head:>12} {'Used':>12} {'Available':>12} Capacity Mounted on\n")
    call.out(f"/dev/sda1  {shown[0]:>12} {shown[1]:>12} {shown[2]:>12} {share:>7}% /\n")
    return 0


async def _journalctl(call: Call, words: Sequence[str]) -> int:
    vacuum = next((word for word in words if word.startswith("--vacuum-")), None)
    if vacuum is not None:
        filled = (await call.condition()).filling.get(call.machine)
        freed = filled.value(call.place.keeper.now) if filled else 0.0
        await call.takes(1.0)
        if freed > 0:
            await call.happen(DiskFilling(call.machine, 0.0))
        size = call.farm.by_name[call.machine].size.disk_bytes if call.machine in call.farm.by_name else 0.0
        call.err(f"Vacuuming done, freed {freed * size / 2**30:.1f}G of archived journals from /var/log/journal.\n")
        return 0
    if asks_json(words):
        return await entries(call, words)
    given = dict(pairwise(words))
    name = given.get("-u") or given.get("--unit") or ""
    count = given.get("-n") or given.get("--lines") or "10"
    if not count.isdigit():
        return call.fail(f"Failed to parse lines '{count}'")
    unit = unit_named(call.farm, call.machine, name)
    if unit is None:
        call.out("-- No entries --\n")
        return 0
    now = await call.ask(lambda observed: observed.world.now)
    condition = call.place.condition
    runs, since = unit.runs(condition), unit.since(condition)
    said = [*unit.says, f"Started {unit.name}.service - {unit.about}." if runs else f"{unit.name}.service: {unit.died}"]
    last = now if since is None else since
    for place, line in enumerate(said[-int(count) :] if int(count) else []):
        moment = datetime.fromtimestamp(last - 3.0 * (len(said) - place), UTC)
        call.out(f"{moment:%b %d %H:%M:%S} {call.machine} {unit.speaker}: {line}\n")
    return 0


async def _chronyc(call: Call, words: Sequence[str]) -> int:
    offset = (await call.condition()).clocks.get(call.machine, 0.0)
    match [word for word in words if not word.startswith("-")]:
        case ["makestep"]:
            if offset:
                await call.happen(ClockOff(call.machine, 0.0))
            call.out("200 OK\n")
        case ["tracking"]:
            call.out(
                "Reference ID    : C0A80001 (ntp.farm.example)\nStratum         : 3\n"
                f"System time     : {abs(offset):.9f} seconds {'fast' if offset >= 0 else 'slow'} of NTP time\n"
                f"Last offset     : {offset:+.9f} seconds\nLeap status     : Normal\n"
            )
        case ["sources"]:
            call.out(
                "MS Name/IP address         Stratum Poll Reach LastRx Last sample\n"
                + "=" * 79
                + f"\n^* ntp.farm.example              2   6   377    21  {offset:+.6f}[{offset:+.6f}] +/- 0.002s\n"
            )
        case _:
            return call.fail("Unrecognized command")
    return 0


async def _measured(call: Call, metric: str, label: str = "") -> float:
    """A figure of the machine's own node exporter; 0 where there is none."""
    query = f'{metric}{{node="{call.machine}"{"," + label if label else ""}}}'

    def ask(observed: Observed) -> float:
        value = observed.instant(query, observed.world.now)
        rows = value.rows if isinstance(value, Vector) else []
        return next((column[0] for _, column in rows if column[0] is not None), 0.0)

    return await call.ask(ask)


COMMANDS: Table = {
    "true": _true,
    ":": _true,
    "false": _false,
    "echo": _echo,
    "sleep": _sleep,
    "hostname": _hostname,
    "uname": _uname,
    "id": _id,
    "whoami": _whoami,
    "date": _date,
    "uptime": _uptime,
    "cat": _cat,
    "df": _df,
    "sync": _true,
    "journalctl": _journalctl,
    "chronyc": _chronyc,
}
