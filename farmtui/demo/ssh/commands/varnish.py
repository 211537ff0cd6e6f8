"""varnishadm: bans, backends, and which VCL is used."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from farmtui.demo.ssh.call import Call, Table
from farmtui.demo.ssh.given import with_leading
from farmtui.demo.world.changes import VarnishStart, VarnishStop, reachable
from farmtui.demo.world.condition import Condition, Varnish
from farmtui.demo.world.inventory import APP
from farmtui.demo.world.service_changes import Ban, StripCookies

_USUAL, _STRIPPING = "boot", "strip-cookies"
_UNKNOWN, _TOO_FEW, _PARAMETER = 101, 104, 106
_FIELD = re.compile(r"(req\.url|obj\.(status|age|ttl|grace|keep)|(req|obj)\.http\.[\w-]+)")
_OPERATORS = ("==", "!=", "~", "!~", ">", "<", ">=", "<=")
_SHARE_OF_A_URL = 0.1
"""How much of a site's requests a ban of one path is about."""


class RefusedError(Exception):
    """What the daemon refuses, with its status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


async def _varnishadm(call: Call, words: Sequence[str]) -> int:
    _, rest = with_leading(words, ("-n", "-T", "-S", "-t"))
    if len(rest) == 1 and " " in rest[0]:
        # varnishadm hands its words on as one line; so it does with one that is a line already.
        rest = shlex.split(rest[0])
    if not rest:
        return call.fail("Usage: varnishadm [-h] [-n ident] [-t timeout] [-S secretfile] [-T [address]:port] command")
    now = await call.condition()
    varnish = now.varnish[call.machine]
    if not varnish.running and rest[0] not in ("start", "status"):
        return call.fail("Could not get hold of varnishd, is it running?")
    try:
        call.out(await _told(call, now, varnish, rest[0], rest[1:]))
    except RefusedError as error:
        call.err(f"Command failed with error code {error.status}\n")
        call.out(f"{error.words}\n\n")
        return 1
    return 0


async def _told(call: Call, now: Condition, varnish: Varnish, command: str, given: Sequence[str]) -> str:
    match command:
        case "ping":
            return f"PONG {call.place.keeper.now:.0f} 1.0\n\n"
        case "status":
            return f"Child in state {'running' if varnish.running else 'stopped'}\n\n"
        case "banner":
            return "-----------------------------\nVarnish Cache CLI 1.0\n-----------------------------\n\n"
        case "panic.show":
            raise RefusedError(300, "Child has not panicked or panic has been cleared")
        case "start" | "stop":
            change = VarnishStart(call.machine) if command == "start" else VarnishStop(call.machine)
            if varnish.running is (command == "start"):
                raise RefusedError(300, f"Child in state {'running' if varnish.running else 'stopped'}")
            await call.happen(change)
            return "\n"
        case "backend.list":
            return _backends(call, now, as_json="-j" in given)
        case "ban.list":
            return _bans(call, varnish, as_json="-j" in given)
        case "ban":
            terms = given[0].split() if len(given) == 1 else list(given)
            await call.happen(Ban(call.machine, _share(call, terms), " ".join(terms)))
            return "\n"
        case "vcl.list":
            used = _STRIPPING if call.machine in now.stripping else _USUAL
            rows = [
                f"{'active' if name == used else 'available':<12}auto  {'warm' if name == used else 'cold'}  0  {name}"
                for name in (_USUAL, _STRIPPING)
            ]
            return "\n".join(rows) + "\n\n"
        case "vcl.use":
            if not given:
                raise RefusedError(_TOO_FEW, "Too few parameters")
            if given[0] not in (_USUAL, _STRIPPING):
                raise RefusedError(_PARAMETER, f"No VCL named {given[0]} known.")
            await call.happen(StripCookies(call.machine, given[0] == _STRIPPING))
            return f"VCL '{given[0]}' now active\n"
    raise RefusedError(_UNKNOWN, "Unknown request.\nType 'help' for more info.")


def _share(call: Call, terms: Sequence[str]) -> float:
    """How much of a node's requests a ban is about, 0-1. Raises RefusedError."""
    if len(terms) < 3:
        raise RefusedError(_TOO_FEW, "Too few parameters")
    share, named = 1.0, False
    for place in range(0, len(terms), 4):
        part = terms[place : place + 4]
        if len(part) < 3 or (len(part) == 4 and part[3] != "&&"):
            raise RefusedError(_PARAMETER, f'Found "{part[-1]}" expected &&')
        field, operator, value = part[:3]
        if not _FIELD.fullmatch(field):
            raise RefusedError(_PARAMETER, f'Unknown or unsupported field "{field}"')
        if operator not in _OPERATORS:
            raise RefusedError(_PARAMETER, f'expected conditional (~, !~, == or !=) got "{operator}"')
        value = value.strip('"')
        if field.lower().endswith("host"):
            named = True
            share *= _of_sites(call, operator, value)
        elif value not in (".", ".*", "^/", "^/.*", "/"):
            share *= _SHARE_OF_A_URL
    return share if named or share == 1.0 else max(share, _SHARE_OF_A_URL)


def _of_sites(call: Call, operator: str, value: str) -> float:
    try:
        pattern = re.compile(value) if "~" in operator else None
    except re.error as error:
        raise RefusedError(_PARAMETER, f"Regexp compile error: {error}") from None
    shares = zip(call.farm.sites, call.farm.site_shares, strict=True)
    found = sum(share for site, share in shares if (pattern.search(site) if pattern else site == value))
    return 1.0 - found if operator.startswith("!") else found


def _backends(call: Call, now: Condition, *, as_json: bool) -> str:
    at = call.place.keeper.now
    workers = [(m.name.replace("-", "_"), m.name, reachable(now, call.farm, m.name)) for m in call.farm.tiers[APP]]
    since = {name: now.booted.get(machine, now.varnish[call.machine].started) for name, machine, _ in workers}
    if as_json:
        listed = {
            f"boot.{name}": {
                "type": "backend",
                "admin_health": "probe",
                "probe_message": [5 if healthy else 0, 5, "healthy" if healthy else "sick"],
                "last_change": round(since[name], 3),
            }
            for name, _, healthy in workers
        }
        return json.dumps([3, ["backend.list", "-j"], round(at, 3), listed], indent=2) + "\n\n"
    rows = [f"{'Backend name':<20} {'Admin':<8} {'Probe':<8} {'Health':<10} Last change"]
    rows += [
        f"{'boot.' + name:<20} {'probe':<8} {'5/5' if healthy else '0/5':<8} {'healthy' if healthy else 'sick':<10} "
        f"{datetime.fromtimestamp(since[name], UTC):%a, %d %b %Y %H:%M:%S GMT}"
        for name, _, healthy in workers
    ]
    return "\n".join(rows) + "\n\n"


def _bans(call: Call, varnish: Varnish, *, as_json: bool) -> str:
    bans = [*reversed(varnish.bans), (varnish.started, "")]
    if as_json:
        listed = [
            {"time": round(at, 6), "refs": 0 if spec else 122, "completed": not spec, "spec": spec} for at, spec in bans
        ]
        return json.dumps([2, ["ban.list", "-j"], round(call.place.keeper.now, 3), *listed], indent=2) + "\n\n"
    rows = [f"{at:.6f} {0 if spec else 122:>5} {'-' if spec else 'C'}  {spec}" for at, spec in bans]
    return "Present bans:\n" + "\n".join(rows) + "\n\n"


COMMANDS: Table = {"varnishadm": _varnishadm}
