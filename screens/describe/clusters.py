"""Describers of Galera and Ceph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farmtui.farm.state import Severity
from farmtui.farm.units import count, data_rate, data_size, duration, percent, rate
from farmtui.insight.ceph_checks import explain
from screens.ceph_own import daemon_severity
from screens.describe import Block, Detail, Field, Link, describer
from screens.describe.ceph_own import ceph_measured, check_blocks, check_fields, check_links, daemon_blocks, osd_blocks
from screens.describe.galera import galera_blocks, node_severity
from screens.describe.machines import node_subject
from screens.places import Subject

if TYPE_CHECKING:
    from farmtui.farm.cluster import CephDaemon
    from farmtui.farm.farm import Farm


def _host_links(farm: Farm, host: str) -> tuple[Link, ...]:
    return tuple(
        Link("machine", node_subject(node), f"{node.name}  {node.place}", node.state)
        for node in farm.nodes
        if host and node.name.partition(".")[0].casefold() == host.partition(".")[0].casefold()
    )


@describer("galera")
def describe_galera(farm: Farm, key: str) -> Detail | None:
    """One database node's own view."""
    node = next((n for n in farm.galera.nodes if n.instance == key), None) if farm.galera else None
    if node is None:
        return None
    machine = farm.node_of_instance(key)
    title = f"galera {machine.name if machine else key}"
    links = (Link("machine", node_subject(machine), machine.name, machine.state),) if machine else ()
    blocks = tuple(galera_blocks(farm, node))
    return Detail(title, node_severity(node), (), blocks, links, raw=node)


@describer("osd")
def describe_osd(farm: Farm, key: str) -> Detail | None:
    """One OSD."""
    osd = next((o for o in farm.ceph.osds if o.id == key), None) if farm.ceph else None
    if farm.ceph is None or osd is None:
        return None
    severity = (
        Severity.OK if osd.up and osd.is_in else Severity.WARNING if osd.up or not osd.is_in else Severity.CRITICAL
    )
    fields = (
        Field("host", osd.host or "–"),
        Field("class", osd.device_class or "–"),
        Field("up", "yes" if osd.up else "no", None if osd.up else Severity.CRITICAL),
        Field("in", "yes" if osd.is_in else "no", None if osd.is_in else Severity.WARNING),
        Field("reweight", count(osd.weight)),
        Field("size", data_size(osd.size_bytes)),
        Field("used", f"{percent(osd.used_ratio)}  {data_size(osd.used_bytes)}"),
        Field("apply latency", duration(osd.apply_latency_s)),
        ceph_measured(farm),
    )
    blocks = (Block("OSD", fields), *osd_blocks(farm, osd.id))
    return Detail(osd.id, severity, (), blocks, _host_links(farm, osd.host), raw=osd)


@describer("pool")
def describe_pool(farm: Farm, key: str) -> Detail | None:
    """One pool."""
    pool = next((p for p in farm.ceph.pools if p.id == key), None) if farm.ceph else None
    if farm.ceph is None or pool is None:
        return None
    fields = (
        Field("kind", pool.kind),
        Field("placement groups", f"{count(pool.pgs)}, {count(pool.pgs_clean)} clean"),
        Field("stored", data_size(pool.stored_bytes)),
        Field("objects", count(pool.objects)),
        Field("used", percent(pool.used_ratio)),
        Field("room left", data_size(pool.max_avail_bytes)),
        Field("quota", data_size(pool.quota_bytes)),
        Field("reads", f"{rate(pool.read_per_s)}  {data_rate(pool.read_bytes_per_s)}"),
        Field("writes", f"{rate(pool.write_per_s)}  {data_rate(pool.write_bytes_per_s)}"),
        ceph_measured(farm),
    )
    severity = Severity.WARNING if pool.unclean else Severity.OK
    return Detail(f"pool {pool.name}", severity, (), (Block("Pool", fields),), raw=pool)


@describer("ceph-daemon")
def describe_daemon(farm: Farm, key: str) -> Detail | None:
    """One mon, mgr, MDS or RGW."""
    ceph = farm.ceph
    daemons: tuple[CephDaemon, ...] = (*ceph.mons, *ceph.mgrs, *ceph.mdss, *ceph.rgws) if ceph else ()
    daemon = next((d for d in daemons if d.name == key), None)
    if ceph is None or daemon is None:
        return None
    severity = daemon_severity(daemon)
    fields = (Field("state", daemon.state, severity), Field("host", daemon.host or "–"), ceph_measured(farm))
    blocks = (Block("Daemon", fields), *daemon_blocks(farm, daemon.name))
    return Detail(daemon.name, severity, (), blocks, _host_links(farm, daemon.host), raw=daemon)


def osd_subject(ident: str) -> Subject:
    """The subject of an OSD."""
    return Subject("osd", ident, ident)


@describer("ceph-check")
def describe_check(farm: Farm, key: str) -> Detail | None:
    """One health check: what Ceph says of it, what it means and what to do."""
    check = next((c for c in farm.ceph.checks if c.name == key), None) if farm.ceph else None
    if check is None:
        return None
    text = explain(key)
    fields = (*check_fields(farm, key), Field("meaning", text.meaning), Field("what to do", text.remedy))
    blocks = (Block("Health check", fields), *check_blocks(farm, key))
    own = farm.ceph_detail.check(key) if farm.ceph_detail else None
    return Detail(key, check.severity, (), blocks, check_links(farm, key), raw=own or check)
