"""Describers of networks: what they are made of, who is in them, and what each probe measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.networks import Hop, Interface, Member, Network, NetworkKind
from farmtui.farm.state import Severity
from farmtui.farm.units import ago, data_rate, percent, rate, round_trip
from farmtui.insight.networks import (
    Flaw,
    blast_of,
    flaws,
    heartbeat_words,
    is_measured,
    latency_limits,
    loss_severity,
    network_state,
)
from farmtui.insight.thresholds import INTERFACE_DROPS_PER_S, above
from screens.describe import Block, Detail, Field, Link, describer
from screens.describe.machines import node_subject
from screens.describe.measured import measured
from screens.places import Subject
from widgets.spark import spark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.farm import Farm

LINKS = 200
TREND_CELLS = 24
INSTALL = {
    NetworkKind.INTERCONNECT: (
        "install prometheus-smokeping-prober, or prometheus-blackbox-exporter with an icmp module, at one end, and "
        "have Prometheus probe the other end with it under the job name interconnect; a WireGuard exporter tells "
        "handshakes"
    ),
    NetworkKind.CACHE: (
        "probe the cache nodes from an edge node: prometheus-blackbox-exporter with an icmp module, job name "
        "cache-net; Traefik's health checks of the caches count too"
    ),
}
"""What to do where nothing measures a network of a kind."""
FROM_INTERFACES = (
    "prometheus-node-exporter with --collector.netdev.address-info on its machines tells their interfaces; "
    "`networks:` in the config can name them instead"
)


@describer("network")
def describe_network(farm: Farm, key: str) -> Detail | None:
    """One network."""
    network = next((net for net in farm.networks if net.name == key), None)
    if network is None:
        return None
    wrong = flaws(farm, network)
    state = network_state(farm, network)
    blocks = [
        Block("Network", tuple(_fields(farm, network))),
        Block("Measured", tuple(_measures(farm, network, wrong))),
    ]
    if network.tunnels:
        blocks.append(Block("WireGuard, last handshake", tuple(_handshakes(farm, network, wrong))))
    if network.kind is NetworkKind.CACHE and farm.cache is not None:
        blocks.append(Block("From the caches to what they fetch from", tuple(_fetching(farm))))
    reasons = tuple(flaw.cause for flaw in wrong)
    evidence = tuple(Field("", text, flaw.severity) for flaw in wrong for text in flaw.evidence)
    if evidence:
        blocks.insert(0, Block("What says so", evidence))
    links = [*_hop_links(network), *_member_links(farm, network, wrong)]
    return Detail(f"network {network.name}", state, reasons, tuple(blocks), tuple(links[:LINKS]), raw=network)


def _fields(farm: Farm, network: Network) -> Iterator[Field]:
    yield Field("kind", network.kind.value)
    yield Field("known by", "the config" if network.declared else network.why)
    yield Field("addresses", ", ".join(network.cidrs) or "not told")
    yield Field("machines", str(len(network.members)))
    hangs = blast_of(farm, network)
    if hangs:
        yield Field("hangs on it", hangs)
    if network.interfaces:
        yield Field("traffic", data_rate(network.bytes_per_s))
        mtus = network.mtus
        yield Field("MTU", " and ".join(map(str, mtus)) or "–", Severity.WARNING if len(mtus) > 1 else None)
    overlay = network.overlay
    if overlay is not None:
        yield Field("Swarm network", f"{overlay.name}, driver {overlay.driver}, scope {overlay.scope}")
        yield Field("encrypted", "yes" if overlay.encrypted else "no")
        services = (
            [s.name for s in farm.swarm_cluster.services if overlay.name in s.networks] if farm.swarm_cluster else []
        )
        more = f" and {len(services) - 3} more" if len(services) > 3 else ""
        yield Field("services on it", (", ".join(services[:3]) + more) or "none")


def _install(network: Network) -> str:
    job = "`networks:` in the config names" if network.kind is NetworkKind.OTHER else f"is called {network.kind.value}"
    return f"prometheus-blackbox-exporter with an icmp module, and a job that {job}, or prometheus-smokeping-prober"


def _measures(farm: Farm, network: Network, wrong: tuple[Flaw, ...]) -> Iterator[Field]:
    hops = network.measured
    if not hops:
        what = INSTALL.get(network.kind) or _install(network)
        missing = Severity.UNKNOWN if not is_measured(network) else None
        yield Field("latency, loss", "not measured", missing)
        if beats := heartbeat_words(farm, network):
            yield Field("OSD heartbeats", beats, Severity.WARNING if beats == "slow" else None)
        yield Field("to measure it", what)
        if not network.interfaces:
            yield Field("its interfaces", FROM_INTERFACES)
        return
    limits = latency_limits(network)
    yield Field("measured by", hops[0].by.value)
    yield Field("latency", round_trip(network.latency_s), above(network.latency_s, limits) or None)
    yield Field("slow from", round_trip(limits[0]))
    yield Field("the slow ones", "not measured" if network.worst_s is None else round_trip(network.worst_s))
    yield Field("jitter", "not measured" if network.jitter_s is None else round_trip(network.jitter_s))
    lossy = max(hops, key=lambda hop: hop.loss_ratio or 0.0)
    now = "" if lossy.loss_now_ratio is None else f", {percent(lossy.loss_now_ratio)} in the last minute"
    lost = max(map(loss_severity, hops)) or None
    yield Field("lost in 5 min", f"{percent(network.loss_ratio)}{now}", lost)
    for hop in hops[:3]:
        drawn = _trend(farm, hop)
        if drawn:
            yield Field(f"to {hop.instance}"[:26], drawn)
    yield measured(farm, min((hop.seen_at for hop in hops if hop.seen_at), default=None))


def _trend(farm: Farm, hop: Hop) -> str:
    """The course of a hop's round trip as far back as the trends reach."""
    for name in ("network.ping_median_s", "network.latency_s"):
        trend = farm.trends.get(name)
        for series in trend.series if trend else ():
            if any(value in (hop.instance, hop.target) for _, value in series.labels):
                known = [value for value in series.values if value is not None]
                if known:
                    return f"{spark(series.values, TREND_CELLS, high=None).plain} up to {round_trip(max(known))}"
    return ""


def _handshakes(farm: Farm, network: Network, wrong: tuple[Flaw, ...]) -> Iterator[Field]:
    stale = next((flaw.severity for flaw in wrong if flaw.kind == "handshake"), None)
    for tunnel in network.tunnels[:20]:
        node = farm.node_of_instance(tunnel.instance)
        text = "never" if tunnel.handshake_age_s is None else ago(tunnel.handshake_age_s)
        yield Field(f"{node.name if node else tunnel.instance} {tunnel.interface}", f"{text} with {tunnel.peer}", stale)


def _fetching(farm: Farm) -> Iterator[Field]:
    """The hop behind the caches, by Varnish's own counters and its probes of its backends."""
    for cache in farm.cache.nodes if farm.cache else ():
        node = farm.node_of_instance(cache.instance)
        name = node.name if node else cache.instance
        failing = cache.backend_failures_per_s
        sick = cache.backends_sick
        text = "failed connections not measured" if failing is None else f"{rate(failing)} connections fail"
        if sick:
            text += f"; sick: {', '.join(sick[:3])}" + (f" and {len(sick) - 3} more" if len(sick) > 3 else "")
        yield Field(name, text, Severity.WARNING if sick or (failing or 0.0) > 0 else None)


def _hop_links(network: Network) -> Iterator[Link]:
    for hop in network.hops if network.kind is NetworkKind.INTERCONNECT else ():
        state = Severity.OK if hop.up else Severity.CRITICAL
        subject = Subject("interconnect", hop.instance, hop.instance)
        yield Link("probe", subject, f"{hop.instance}  {hop_words(hop)}  by {hop.by.value}", state)


def hop_words(hop: Hop) -> str:
    """What a probe measures, in a few words."""
    if not hop.up:
        return "no answer"
    lost = "" if hop.loss_ratio is None else f", {percent(hop.loss_ratio)} lost"
    return f"{round_trip(hop.latency_s)}{lost}"


def _member_links(farm: Farm, network: Network, wrong: tuple[Flaw, ...]) -> Iterator[Link]:
    worst: dict[str, Severity] = {}
    for flaw in wrong:
        for member in flaw.members:
            worst[member.machine] = max(flaw.severity, worst.get(member.machine, Severity.OK))
    nodes = {node.name: node for node in farm.nodes}
    for member in network.members:
        node = nodes.get(member.machine)
        subject = node_subject(node) if node else Subject("node", member.machine, member.machine)
        state = worst.get(member.machine, Severity.OK) if member.serving else Severity.UNKNOWN
        yield Link("machine", subject, _member_words(member), state)


def _member_words(member: Member) -> str:
    parts = [member.machine, _roles(member.roles), " ".join(member.addresses)]
    if member.interface is not None:
        parts.append(interface_words(member.interface))
    if member.hop is not None:
        parts.append(hop_words(member.hop))
    elif member.answers is not None:
        parts.append("answers" if member.answers else "")
    parts.append(member.fault if member.serving else "the machine is down")
    return "  ".join(part for part in parts if part)


def _roles(roles: tuple[str, ...]) -> str:
    """`mon.a`, `4 OSDs`: of a host with forty the numbers help nobody."""
    osds = [role for role in roles if role.startswith("osd.")]
    others = [role for role in roles if role not in osds]
    return " ".join([*others, *(osds if len(osds) < 3 else [f"{len(osds)} OSDs"])])


def interface_words(interface: Interface) -> str:
    """An interface's figures in a line."""
    parts = [interface.device]
    if interface.mtu_bytes:
        parts.append(f"MTU {interface.mtu_bytes:.0f}")
    if interface.speed_bytes_per_s:
        parts.append(f"{interface.speed_bytes_per_s * 8 / 1e9:g} Gbit/s")
    if interface.receive_bytes_per_s is not None or interface.transmit_bytes_per_s is not None:
        parts.append(f"in {data_rate(interface.receive_bytes_per_s)} out {data_rate(interface.transmit_bytes_per_s)}")
    if interface.errors_per_s:
        parts.append(f"errors {rate(interface.errors_per_s)}")
    if above(interface.drops_per_s, INTERFACE_DROPS_PER_S):
        parts.append(f"drops {rate(interface.drops_per_s)}")
    if not interface.carrier:
        parts.append("no link")
    return " ".join(parts)
