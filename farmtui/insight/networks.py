"""Faults of networks: the interconnect down, lossy or slow; machines not in one; interfaces that do not fit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from farmtui.farm.farm import Farm
from farmtui.farm.networks import Hop, Member, Network, NetworkKind
from farmtui.farm.node import Node, Provider
from farmtui.farm.state import Severity
from farmtui.farm.units import ago, count, data_rate, duration, percent, plural, rate, round_trip
from farmtui.insight.finding import Finding, Thing
from farmtui.insight.machines import names_of, things_of
from farmtui.insight.thresholds import (
    HANDSHAKE_S,
    HOP_S,
    INTERCONNECT_S,
    INTERFACE_DROPS_PER_S,
    INTERFACE_ERRORS_PER_S,
    LOSS,
    SLOW_TO_CRITICAL,
    above,
)

_VPN = ("interconnect", "vpn", "wireguard")
_CEPH = (NetworkKind.CEPH_PUBLIC, NetworkKind.CEPH_CLUSTER)
_SLOW_PING = {NetworkKind.CEPH_PUBLIC: "OSD_SLOW_PING_TIME_FRONT", NetworkKind.CEPH_CLUSTER: "OSD_SLOW_PING_TIME_BACK"}
_WEAR = {
    "errors": "damaged packets: a cable, a transceiver, a port, or two ends that disagree on speed",
    "drops": "packets are thrown away: its queues are full, or it is told more than it can take",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a network."""

    kind: str
    """`down`, `loss`, `slow`, `handshake`, `unreachable`, `refused`, `missing`, `mtu`, `speed`, `errors`, `drops` or
    `heartbeat`."""
    severity: Severity
    text: str
    """Short: a cell of a table, the end of a title."""
    cause: str
    evidence: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()


def latency_limits(network: Network) -> tuple[float, float]:
    """From which round trip on this network is slow, and critically so; seconds."""
    if network.slow_s is not None:
        return network.slow_s, network.slow_s * SLOW_TO_CRITICAL
    return INTERCONNECT_S if network.kind is NetworkKind.INTERCONNECT else HOP_S


def flaws(farm: Farm, network: Network) -> tuple[Flaw, ...]:
    """Everything that is wrong with it, worst first."""
    found = [*_paths(network), *_handshakes(network), *_members(network), *_fit(network)]
    found += [*_wear(network), *_heartbeats(farm, network)]
    return tuple(sorted(found, key=lambda flaw: -flaw.severity))


def network_state(farm: Farm, network: Network) -> Severity:
    """How a network is; one of which nothing is measured is not known to be well."""
    worst = max((flaw.severity for flaw in flaws(farm, network)), default=Severity.OK)
    return worst if worst or is_measured(network) else Severity.UNKNOWN


def is_measured(network: Network) -> bool:
    """Whether anything at all watches it. An interconnect is watched by its probes or handshakes only: its interfaces
    are as well as ever while nothing gets through."""
    if network.hops or network.tunnels or any(member.answers is not None for member in network.members):
        return True
    return network.kind is not NetworkKind.INTERCONNECT and bool(network.interfaces)


# -- what is wrong with one ---------------------------------------------------------------------------


def _paths(network: Network) -> Iterator[Flaw]:
    hops = network.measured
    dead = [hop for hop in hops if not hop.up]
    if dead and (network.kind is NetworkKind.INTERCONNECT or len(dead) == len(hops) > 1):
        yield Flaw("down", Severity.CRITICAL, "no probe gets through", "the other side does not answer")
    limits = latency_limits(network)
    alive = [hop for hop in hops if hop.up]
    lossy = max(alive, key=lambda hop: (loss_severity(hop), hop.loss_ratio or 0.0), default=None)
    if lossy is not None and (severity := loss_severity(lossy)):
        lost, now = percent(lossy.loss_ratio), percent(lossy.loss_now_ratio)
        text, cause = f"loses {lost}", f"{lossy.instance}: {lost} of the probes are lost"
        if recovers(lossy):
            text = f"recovers: {now} lost now, {lost} in 5 min"
            cause = f"{lossy.instance}: {now} of the last minute's probes are lost, {lost} of those of five minutes"
        latency = () if lossy.latency_s is None else (f"latency {round_trip(lossy.latency_s)}",)
        yield Flaw("loss", severity, text, cause, latency)
    slow = max((hop for hop in alive if hop.latency_s is not None), key=lambda hop: hop.latency_s or 0.0, default=None)
    if slow is not None and (severity := above(slow.latency_s, limits)):
        took = round_trip(slow.latency_s)
        cause = f"{slow.instance}: the round trip takes {took}; {round_trip(limits[0])} is slow"
        worst = () if slow.worst_s is None else (f"the slow ones take {round_trip(slow.worst_s)}",)
        yield Flaw("slow", severity, f"takes {took}", cause, worst)


def recovers(hop: Hop) -> bool:
    """Whether what was lost was lost before: much in five minutes, and nothing to speak of in the last one.

    Of less than that it cannot be told: a minute's probes may come through a bad line by chance.
    """
    now = hop.loss_now_ratio
    return above(hop.loss_ratio, LOSS) is Severity.CRITICAL and now is not None and now < LOSS[0]


def loss_severity(hop: Hop) -> Severity:
    """How bad what a path loses is."""
    return Severity.WARNING if recovers(hop) else above(hop.loss_ratio, LOSS)


def _handshakes(network: Network) -> Iterator[Flaw]:
    old = []
    for tunnel in network.tunnels:
        age_s = tunnel.handshake_age_s
        if age_s is None:
            old.append((f"{tunnel.instance}: never with {tunnel.peer}", float("inf")))
        elif above(age_s, HANDSHAKE_S):
            old.append((f"{tunnel.instance}: the last with {tunnel.peer} was {ago(age_s)}", age_s))
    if old:
        old.sort(key=lambda pair: -pair[1])
        longest = old[0][1]
        yield Flaw(
            "handshake", Severity.WARNING,
            "no handshake ever" if longest == float("inf") else f"no handshake for {duration(longest)}",
            "WireGuard's two ends have not agreed on keys for longer than a session lasts: nothing goes through it, or "
            "nothing is sent", tuple(text for text, _ in old[:4]),
        )  # fmt: skip


def _members(network: Network) -> Iterator[Flaw]:
    refused = tuple(m for m in network.members if m.answers is False and m.serving)
    silent = tuple(m for m in refused if m.hop is not None and not m.hop.up)
    refused = tuple(m for m in refused if m not in silent)
    missing = tuple(m for m in network.members if m.fault and m.answers is not False and m.serving)
    if silent:
        said = [f"{m.machine}: {m.fault}" for m in silent]
        yield Flaw(
            "unreachable", _how_many(silent, network), f"{_named(silent)} not reached",
            f"{said[0]}; the machine itself runs" if len(silent) == 1 else "; ".join(said[:3]),
            tuple(said[1:5]), silent,
        )  # fmt: skip
    if refused:
        said = [f"{m.machine}: {m.fault}" for m in refused]
        yield Flaw(
            "refused", _how_many(refused, network), f"{_named(refused)} out", "; ".join(said[:3]),
            tuple(said[1:5]), refused,
        )  # fmt: skip
    if missing:
        said = [f"{m.machine}: {m.fault}" for m in missing]
        yield Flaw(
            "missing", _how_many(missing, network), f"{_named(missing)} missing",
            f"{said[0]}; the machine itself runs" if len(missing) == 1 else "; ".join(said[:3]),
            tuple(said[1:5]), missing,
        )  # fmt: skip


def _how_many(members: Sequence[Member], network: Network) -> Severity:
    return Severity.CRITICAL if len(members) == len(network.members) > 1 else Severity.WARNING


def _fit(network: Network) -> Iterator[Flaw]:
    """Interfaces of one network must take packets of one size; links that are slower than the others are suspicious."""
    mtus: defaultdict[int, list[Member]] = defaultdict(list)
    speeds: defaultdict[float, list[Member]] = defaultdict(list)
    for member in network.members:
        interface = member.interface
        if interface is None or not member.serving:
            continue
        if interface.mtu_bytes:
            mtus[int(interface.mtu_bytes)].append(member)
        if interface.speed_bytes_per_s:
            speeds[interface.speed_bytes_per_s].append(member)
    if len(mtus) > 1:
        odd = _odd(mtus)
        most = max(mtus, key=lambda mtu: (len(mtus[mtu]), mtu))
        hidden = "; OSDs lose heartbeats and mark each other down" if network.kind in _CEPH else ""
        yield Flaw(
            "mtu", Severity.WARNING, f"MTU {' and '.join(map(str, sorted(mtus)))}",
            f"{_named(odd)} {'has' if len(odd) == 1 else 'have'} not the MTU of the others ({most}): "
            f"small packets pass, and what sends large ones hangs{hidden}",
            tuple(f"MTU {mtu}: {_named(mtus[mtu])}" for mtu in sorted(mtus)[:4]), odd,
        )  # fmt: skip
    if len(speeds) > 1:
        fastest = max(speeds)
        slow = tuple(m for speed, members in speeds.items() if speed < fastest for m in members)
        yield Flaw(
            "speed", Severity.WARNING, f"{_named(slow)} slower",
            f"{_named(slow)}: the link has negotiated less than the others' {data_rate(fastest)}",
            tuple(f"{data_rate(speed)}: {_named(speeds[speed])}" for speed in sorted(speeds)[:4]), slow,
        )  # fmt: skip


def _odd(groups: defaultdict[int, list[Member]]) -> tuple[Member, ...]:
    """Those that are not as most are; of two equal halves those with the smaller number."""
    most = max(groups, key=lambda key: (len(groups[key]), key))
    return tuple(member for key in sorted(groups) if key != most for member in groups[key])


def _wear(network: Network) -> Iterator[Flaw]:
    for kind, limits in (("errors", INTERFACE_ERRORS_PER_S), ("drops", INTERFACE_DROPS_PER_S)):
        bad = []
        for member in network.members:
            if member.interface is None or not member.serving:
                continue
            value = member.interface.errors_per_s if kind == "errors" else member.interface.drops_per_s
            if severity := above(value, limits):
                bad.append((severity, value, member))
        if bad:
            severity, value, worst = max(bad, key=lambda each: each[1])
            said = tuple(f"{m.machine} {m.interface.device if m.interface else ''}: {rate(v)}" for _, v, m in bad[:4])
            yield Flaw(
                kind, severity, f"{kind} {rate(value)}", f"{worst.machine} has {_WEAR[kind]}", said,
                tuple(member for _, _, member in bad),
            )  # fmt: skip


def heartbeat_words(farm: Farm, network: Network) -> str:
    """What Ceph itself says of one of its networks; empty for any other."""
    name = _SLOW_PING.get(network.kind)
    if name is None:
        return ""
    if farm.ceph is None or farm.ceph.health is None:
        return "not known: Ceph does not say"
    return "slow" if any(check.name == name for check in farm.ceph.checks) else "none is slow, says Ceph"


def _heartbeats(farm: Farm, network: Network) -> Iterator[Flaw]:
    """Ceph's own word on this network. The check itself is told with Ceph's others: here it colours the network."""
    name = _SLOW_PING.get(network.kind)
    check = next((c for c in farm.ceph.checks if c.name == name), None) if farm.ceph and name else None
    if check is not None and not check.muted:
        own = farm.ceph_detail.check(check.name) if farm.ceph_detail else None
        lines = own.lines[:4] if own else ()
        yield Flaw("heartbeat", check.severity, "slow heartbeats", "heartbeats between OSDs are slow on it", lines)


def _named(members: Sequence[Member]) -> str:
    return names_of([member.machine for member in members])


# -- as findings --------------------------------------------------------------------------------------


def network_faults(farm: Farm) -> Iterator[Finding]:
    """Links that are down, with everything that is out of sight behind them; then all that is wrong with networks."""
    down = [hop for hop in farm.interconnects if not hop.up]
    if down:
        yield _down(farm, down)
    for network in farm.networks:
        between = network.kind is NetworkKind.INTERCONNECT
        for flaw in flaws(farm, network):
            # Of a link through which nothing gets no more is to be said; Ceph's check has a finding of its own, and
            # so have the backends that Traefik's health check has taken out.
            if flaw.kind in ("heartbeat", "refused") or (between and down):
                continue
            yield _finding(farm, network, flaw)


def _down(farm: Farm, down: Sequence[Hop]) -> Finding:
    behind = _out_of_sight(farm.nodes)
    names = ", ".join(hop.instance for hop in down[:3])
    are = plural(len(behind), "machine behind it is", "machines behind it are")
    seen = f"; {are} out of sight, and may be well" if behind else ""
    return Finding(
        "interconnect/down", Severity.CRITICAL,
        f"interconnect {names} is down" if len(down) == 1 else f"{len(down)} interconnects are down",
        f"{names}: no probe gets through, the sites do not see each other{seen}",
        _heard(down[0].seen_at, farm.at) + ((f"behind it: {names_of([n.name for n in behind])}",) if behind else ()),
        ("interconnect", down[0].instance), "topology", "network",
        covers=frozenset({thing for node in behind for thing in things_of(node)} | _hops(farm)), topics=_VPN,
    )  # fmt: skip


def _hops(farm: Farm) -> frozenset[Thing]:
    return frozenset(("interconnect", hop.instance) for hop in farm.interconnects)


def _heard(seen_at: datetime | None, now: datetime) -> tuple[str, ...]:
    """When a value was last measured, where that is not just now."""
    words = "now" if seen_at is None else ago((now - seen_at).total_seconds())
    return () if words == "now" else (f"last measured {words}",)


def _out_of_sight(nodes: Sequence[Node]) -> list[Node]:
    """The machines of providers of which not one is seen to serve: behind a link that is down they may be well."""
    sides: defaultdict[Provider, list[Node]] = defaultdict(list)
    for node in nodes:
        sides[node.provider].append(node)
    dark = [side for side in sides.values() if len(side) > 1 and not any(node.serving for node in side)]
    return [node for side in dark for node in side] if len(dark) < len(sides) else []


def _finding(farm: Farm, network: Network, flaw: Flaw) -> Finding:
    between = network.kind is NetworkKind.INTERCONNECT
    hurts = blast_of(farm, network, flaw)
    name = "the interconnect" if network.name == "interconnect" else network.name
    verb = "" if flaw.kind in ("loss", "slow") else ": "
    title = f"{name}{verb or ' '}{flaw.text}"
    machine = flaw.members[0].machine if len(flaw.members) == 1 else ""
    known = bool(machine) and any(node.name == machine for node in farm.nodes)
    topics = {
        "loss": ("lossy", "packetloss"), "slow": ("interconnectslow", "networklatency"), "mtu": ("mtu",),
        "errors": ("networkerror", "interfaceerror", "networkreceiveerr", "networktransmiterr"),
        "drops": ("networkdrop",), "handshake": ("wireguard", "handshake"), "speed": ("linkspeed", "networkspeed"),
        "missing": ("interfacedown", "linkdown"), "unreachable": ("cachenet",),
    }.get(flaw.kind, ())  # fmt: skip
    return Finding(
        f"network/{flaw.kind}/{network.name}", flaw.severity, title, flaw.cause,
        (*flaw.evidence, *((f"on it: {hurts}",) if hurts else ())),
        ("node", machine) if known and flaw.kind in ("missing", "unreachable") else ("network", network.name),
        "topology", "network",
        # What is wrong with a tunnel comes from one cause; interfaces have each their own.
        covers=_hops(farm) | {("network", network.name)} if between else frozenset(),
        topics=(*topics, *_VPN) if between else topics,
    )  # fmt: skip


def blast_of(farm: Farm, network: Network, flaw: Flaw | None = None) -> str:
    """What hangs on a network, or on the part of it that has a flaw, in words; empty where nothing is known to."""
    members = (flaw.members if flaw is not None else ()) or network.members
    machines = [member.machine for member in members]
    match network.kind:
        case NetworkKind.CEPH_PUBLIC | NetworkKind.CEPH_CLUSTER:
            roles = Counter(role.partition(".")[0] for member in members for role in member.roles)
            whole = sum(role.startswith("osd.") for member in network.members for role in member.roles)
            mons = f", {roles['mon']} mons" if roles["mon"] else ""
            return f"{roles['osd']} of {whole} OSDs{mons} ({names_of(machines)})" if roles else ""
        case NetworkKind.INTERCONNECT:
            sides = Counter(node.provider for node in farm.nodes if node.provider is not Provider.NONE)
            return " | ".join(f"{sides[side]} machines at {side.value.upper()}" for side in sides) if sides else ""
        case NetworkKind.CACHE:
            sites = farm.edge.sites_seen if farm.edge else None
            caches = [m for m in network.members if "cache" in m.roles]
            hit = [m for m in members if "cache" in m.roles]
            share = f"{len(hit)} of {len(caches)} cache nodes" if caches else ""
            return ", ".join(filter(None, (share, f"all {count(sites)} sites" if sites else "")))
        case _:
            return names_of(machines) if machines else ""
