"""Describers of machines, their hosts and the links between the farm's sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.node import Droplet, Guest, Node, Provider, Tier
from farmtui.farm.state import Severity
from farmtui.farm.units import ago, count, data_rate, data_size, duration, money, percent, round_trip
from screens.backup_words import blocks as backups
from screens.describe import Block, Detail, Field, Link, describer
from screens.describe.measured import measured
from screens.describe.providers import balancer_subject, machine_link, task_links, volume_subject
from screens.places import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farmtui.farm.farm import Farm


def node_subject(node: Node) -> Subject:
    """The subject of a machine."""
    return Subject("node", node.name, node.name)


@describer("node")
def describe_node(farm: Farm, key: str) -> Detail | None:
    """One machine, with every source that has sighted it."""
    node = next((node for node in farm.nodes if node.name == key), None)
    if node is None:
        return None
    metrics = node.metrics
    seen = ago((farm.at - metrics.seen_at).total_seconds()) if metrics.seen_at else "never"
    blocks = [
        Block(
            "Machine",
            (
                Field("tier", node.tier.title),
                Field("provider", node.provider.value),
                Field("runs in", node.place or "–"),
                Field("power", node.power or "–"),
                Field("addresses", ", ".join(node.addresses) or "–"),
            ),
        ),
        Block(
            "Load",
            (
                Field("CPU", percent(metrics.cpu_ratio)),
                Field("memory", f"{percent(metrics.memory_ratio)} of {data_size(metrics.memory_bytes)}"),
                Field("fullest disk", percent(metrics.disk_ratio)),
                Field("load, 1 min", count(metrics.load1)),
                Field("network in", data_rate(metrics.receive_bytes_per_s)),
                Field("network out", data_rate(metrics.transmit_bytes_per_s)),
                Field("uptime", duration(metrics.uptime_s)),
                Field("clock offset", _offset(metrics.clock_offset_s)),
                Field("measured", seen),
            ),
        ),
        Block(
            "Exporters",
            tuple(
                Field(exporter.job, exporter.instance + ("" if exporter.up else "  does not answer"), _up(exporter.up))
                for exporter in node.exporters
            )
            or (Field("", "none: no Prometheus target is this machine"),),
        ),
        Block(
            "Known as",
            tuple(
                Field(sighting.source, "  ".join(filter(None, (sighting.ident, sighting.name, *sighting.addresses))))
                for sighting in node.sightings
            ),
        ),
    ]
    return Detail(
        title=node.name,
        severity=node.state,
        reasons=node.reasons,
        blocks=tuple(blocks),
        links=(*_provider_links(farm, node), *alert_links(farm, node)),
        raw=node,
        labels=(("tier", node.tier.value), ("provider", node.provider.value), ("name", node.name)),
    )


def alert_links(farm: Farm, node: Node) -> Iterator[Link]:
    """The alerts that are about a machine: by instance, or by its name in a common label."""
    for alert in farm.book.alerts if farm.book else ():
        about = {alert.label(name) for name in ("instance", "node", "host", "nodename", "name")}
        hosts = {value.rpartition(":")[0] or value for value in about}
        if about & node.instances or node.name in about | hosts:
            yield Link("alert", Subject("alert", alert.fingerprint, alert.name), alert.name, alert.severity)


def _provider_links(farm: Farm, node: Node) -> Iterator[Link]:
    idents = {(sighting.source, sighting.ident) for sighting in node.sightings}
    for cluster in farm.pve:
        for guest in cluster.guests:
            if ("proxmox", guest.ident) in idents:
                host = next((h for h in cluster.hosts if h.name == guest.host), None)
                bad = host is not None and host.status != "online"
                subject = Subject("pve-host", f"{cluster.name}/{guest.host}", guest.host)
                yield Link(
                    "runs on",
                    subject,
                    f"PVE host {guest.host} ({host.status if host else 'unknown'})",
                    Severity.CRITICAL if bad else Severity.OK,
                )
                subject = Subject("guest", guest.ident, guest.name)
                yield Link("guest", subject, f"{guest.ident} {guest.status}", _guest_severity(guest))
    for droplet in farm.cloud.droplets if farm.cloud else ():
        if ("digitalocean", droplet.ident) in idents:
            subject = Subject("droplet", droplet.ident, droplet.name)
            words = f"{droplet.size} in {droplet.region}, {droplet.status}"
            yield Link("droplet", subject, words, _droplet_severity(droplet))


@describer("guest")
def describe_guest(farm: Farm, key: str) -> Detail | None:
    """One PVE guest."""
    guest = next((g for cluster in farm.pve for g in cluster.guests if g.ident == key), None)
    if guest is None:
        return None
    host = Subject("pve-host", f"{guest.cluster}/{guest.host}", guest.host)
    links = (
        *machine_link(farm, "proxmox", guest.ident),
        Link("runs on", host, f"PVE host {guest.host}"),
        *task_links(farm, guest.cluster, ident=str(guest.vmid)),
    )
    blocks = (Block("Guest", tuple(_guest_fields(guest))), *backups(farm, "guest", key))
    return Detail(guest.name, _guest_severity(guest), (), blocks, links, raw=guest)


def _guest_fields(guest: Guest) -> Iterator[Field]:
    yield Field("id", guest.ident)
    yield Field("kind", guest.kind + (", template" if guest.template else ""))
    yield Field("status", guest.status, _guest_severity(guest))
    yield Field("host", guest.host)
    yield Field("lock", guest.lock or "–")
    yield Field("HA", guest.ha or "not looked after", Severity.CRITICAL if guest.ha in ("error", "fence") else None)
    yield Field("CPU", f"{percent(guest.cpu_ratio)} of {count(guest.cpus)}")
    yield Field("memory", f"{data_size(guest.memory_bytes)} of {data_size(guest.memory_max_bytes)}")
    yield Field("first disk", data_size(guest.disk_bytes))
    yield Field("uptime", duration(guest.uptime_s))
    yield Field("addresses", ", ".join(guest.addresses) or "–")
    yield Field("tags", ", ".join(guest.tags) or "–")


def _guest_severity(guest: Guest) -> Severity:
    if guest.status == "unknown":
        return Severity.UNKNOWN
    return Severity.OK if guest.status == "running" or guest.template else Severity.INFO


def _droplet_severity(droplet: Droplet) -> Severity:
    return Severity.OK if droplet.status == "active" else Severity.WARNING


@describer("pve-host")
def describe_pve_host(farm: Farm, key: str) -> Detail | None:
    """One PVE host, with its guests."""
    name, _, host_name = key.partition("/")
    cluster = next((cluster for cluster in farm.pve if cluster.name == name), None)
    host = next((host for host in cluster.hosts if host.name == host_name), None) if cluster else None
    if cluster is None or host is None:
        return None
    online = host.status == "online"
    quorum = {True: "yes", False: "NO", None: "not a cluster"}[cluster.quorate]
    block = Block(
        "Host",
        (
            Field("cluster", cluster.name),
            Field("status", host.status, Severity.OK if online else Severity.CRITICAL),
            Field("cluster quorate", quorum, Severity.CRITICAL if cluster.quorate is False else None),
            Field("address", host.address or "–"),
            Field("CPU", f"{percent(host.cpu_ratio)} of {count(host.cpus)}"),
            Field("memory", f"{data_size(host.memory_bytes)} of {data_size(host.memory_max_bytes)}"),
            Field("uptime", duration(host.uptime_s)),
        ),
    )
    links = tuple(
        Link(
            "guest", Subject("guest", guest.ident, guest.name), f"{guest.name}  {guest.status}", _guest_severity(guest)
        )
        for guest in cluster.guests
        if guest.host == host.name
    )
    links += tuple(task_links(farm, cluster.name, node=host.name))
    severity = Severity.OK if online else Severity.CRITICAL
    reasons = () if online else (f"PVE says {host.status}: its guests' states are unknown",)
    return Detail(host.name, severity, reasons, (block,), links, raw=host)


@describer("droplet")
def describe_droplet(farm: Farm, key: str) -> Detail | None:
    """One droplet."""
    droplet = next((d for d in farm.cloud.droplets if d.ident == key), None) if farm.cloud else None
    if droplet is None:
        return None
    return Detail(
        droplet.name,
        _droplet_severity(droplet),
        (),
        (Block("Droplet", tuple(_droplet_fields(farm, droplet))),),
        tuple(_droplet_links(farm, droplet)),
        raw=droplet,
    )


def _droplet_links(farm: Farm, droplet: Droplet) -> Iterator[Link]:
    yield from machine_link(farm, "digitalocean", droplet.ident)
    if farm.cloud is None:
        return
    for volume in farm.cloud.volumes:
        if droplet.id in volume.droplet_ids:
            yield Link("volume", volume_subject(volume), f"{volume.name}  {data_size(volume.size_bytes)}")
    for balancer in farm.cloud.load_balancers:
        if droplet.id in balancer.droplet_ids or (balancer.tag and balancer.tag in droplet.tags):
            yield Link("behind", balancer_subject(balancer), f"balancer {balancer.name}  {balancer.status}")


def _droplet_fields(farm: Farm, droplet: Droplet) -> Iterator[Field]:
    yield Field("id", droplet.ident)
    yield Field("status", droplet.status + (", locked: an action is in progress" if droplet.locked else ""))
    yield Field("region", droplet.region)
    yield Field("size", droplet.size)
    yield Field("price a month", money(droplet.price_monthly))
    yield Field("vCPUs", str(droplet.vcpus))
    yield Field("memory", data_size(droplet.memory_bytes))
    yield Field("disk", data_size(droplet.disk_bytes))
    yield Field("addresses", ", ".join(droplet.addresses) or "–")
    yield Field("tags", ", ".join(droplet.tags) or "–")
    yield Field("backups", "switched on" if droplet.backups else "off")
    taken = farm.bill.snapshots if farm.bill is not None else None
    if taken is not None:
        mine = [one for one in taken if one.kind == "droplet" and one.resource_id == droplet.ident]
        yield Field("snapshots", "\n".join(f"{one.name}  {one.size_gb} GB" for one in mine) or "none")
    if droplet.created_at:
        yield Field("created", ago((farm.at - droplet.created_at).total_seconds()))


@describer("tier")
def describe_tier(farm: Farm, key: str) -> Detail | None:
    """One tier with its machines."""
    summary = next((tier for tier in farm.tiers if tier.tier.value == key), None)
    if summary is None:
        return None
    expected = "not said in the config" if summary.expected is None else str(summary.expected)
    block = Block(
        "Tier",
        (Field("expected", expected), Field("seen", str(summary.seen)), Field("healthy", str(summary.healthy))),
    )
    links = tuple(
        Link("machine", node_subject(node), f"{node.name}  {node.place}", node.state)
        for node in farm.tier_nodes(summary.tier)
    )
    return Detail(summary.tier.title, summary.state, (), (block,), links, raw=summary)


@describer("interconnect")
def describe_interconnect(farm: Farm, key: str) -> Detail | None:
    """The link between the farm's sites, as one probe sees it."""
    found = ((hop, net) for net in farm.networks for hop in net.hops if hop.instance == key)
    link, network = next(found, (next((hop for hop in farm.interconnects if hop.instance == key), None), None))
    if link is None:
        return None
    severity = Severity.OK if link.up else Severity.CRITICAL
    reasons = () if link.up else ("the far side does not answer the probe",)
    fields = (
        Field("probe target", link.instance),
        Field("probed by", f"{link.by.value}{f', job {link.job}' if link.job else ''}"),
        Field("answers", "yes" if link.up else "no", severity),
        Field("round trip", round_trip(link.latency_s)),
        Field("the slow ones", "not measured" if link.worst_s is None else round_trip(link.worst_s)),
        Field("jitter", "not measured" if link.jitter_s is None else round_trip(link.jitter_s)),
        Field("lost in 5 min", percent(link.loss_ratio)),
        Field("between", "DigitalOcean and Proxmox VE" if _is_hybrid(farm) else "two networks"),
        measured(farm, link.seen_at),
    )
    links = () if network is None else (Link("network", Subject("network", network.name, network.name), network.name),)
    return Detail(f"interconnect {link.instance}", severity, reasons, (Block("Interconnect", fields),), links, raw=link)


def _is_hybrid(farm: Farm) -> bool:
    providers = {node.provider for node in farm.nodes if node.tier is not Tier.OTHER}
    return {Provider.PROXMOX, Provider.DIGITALOCEAN} <= providers


def _up(up: bool) -> Severity:
    return Severity.OK if up else Severity.CRITICAL


def _offset(seconds: float | None) -> str:
    """How far its clock is off: to either side of less than a millisecond it is the same."""
    return duration(abs(seconds) if seconds is not None and abs(seconds) < 0.0005 else seconds)
