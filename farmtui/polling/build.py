"""The sources that a config asks for. Their modules are imported here and only for what is configured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from farmtui.config import Config
from farmtui.sources import Source


def build_sources(config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> tuple[Source[Any], ...]:
    """All sources of a config; none of them connects before its first poll. Imports may take half a second.

    `clock` gives the present, timezone-aware: when a reading was taken, and where the trends end.

    Raises ConfigError and SecretError as the sources do.
    """
    sources: list[Source[Any]] = []

    if config.prometheus is not None:
        from farmtui.sources.prometheus import PrometheusSites, PrometheusSource, PrometheusTrends

        probes = [job for network in config.networks.values() for job in network.jobs]
        sources += [
            PrometheusSource(config.prometheus, config.slo, probes=probes, clock=clock),
            PrometheusTrends(config.prometheus, probes=probes, clock=clock),
            PrometheusSites(config.prometheus, config.slo, clock=clock),
        ]
    if config.alertmanager is not None:
        from farmtui.sources.alertmanager import AlertmanagerSource

        sources.append(AlertmanagerSource(config.alertmanager, clock=clock))
    if config.proxmox:
        from farmtui.sources.proxmox import ProxmoxSource

        sources += [ProxmoxSource(cluster, clock=clock) for cluster in config.proxmox]
    if config.digitalocean is not None:
        from farmtui.sources.digitalocean import DigitalOceanSource
        from farmtui.sources.digitalocean_costs import DigitalOceanBillSource

        sources.append(DigitalOceanSource(config.digitalocean, clock=clock))
        sources.append(DigitalOceanBillSource(config.digitalocean, clock=clock))
    if config.backups is not None:
        from farmtui.sources.backups_s3 import BackupsS3Source
        from farmtui.sources.proxmox_backups import ProxmoxBackupsSource

        sources += [BackupsS3Source(store, clock=clock) for store in config.backups.stores]
        if config.backups.pve:
            every_s = config.backups.pve_interval_s
            sources += [ProxmoxBackupsSource(cluster, interval_s=every_s, clock=clock) for cluster in config.proxmox]
    if config.ceph is not None and config.ceph.via == "pve":
        from farmtui.sources.ceph_detail_pve import CephPveSource

        # The config has seen to it that there is one, and only one where none is named.
        [cluster] = [cluster for cluster in config.proxmox if config.ceph.pve in (None, cluster.name)]
        sources.append(CephPveSource(config.ceph, cluster, clock=clock))
    if ssh_hosts(config):
        sources += _over_ssh(config, clock)
    return tuple(sources)


def ssh_hosts(config: Config) -> dict[str, tuple[str, ...]]:
    """The sections of the config that log in to each host, by host as ssh_config names it, in order."""
    sections = [("swarm", config.swarm.hosts)] if config.swarm is not None else []
    sections += [("gluster", volumes.hosts) for volumes in config.gluster]
    if config.varnish is not None:
        sections.append(("varnish", [node.host for node in config.varnish.hosts]))
    if config.ceph is not None and config.ceph.via == "ssh":
        sections.append(("ceph", config.ceph.hosts))
    found: dict[str, list[str]] = {}
    for section, hosts in sections:
        for host in hosts:
            names = found.setdefault(host, [])
            if section not in names:
                names.append(section)
    return {host: tuple(names) for host, names in found.items()}


def _over_ssh(config: Config, clock: Callable[[], datetime]) -> list[Source[Any]]:
    """The sources that log in to machines: they share their connections."""
    from farmtui.sources.ssh.pool import SshPool

    pool = SshPool(config.ssh)
    sources: list[Source[Any]] = []
    if config.swarm is not None:
        from farmtui.sources.swarm import SwarmSource

        sources.append(SwarmSource(config.swarm, pool, clock=clock))
    if config.gluster:
        from farmtui.sources.gluster import GlusterSource

        sources += [GlusterSource(volumes, pool, clock=clock) for volumes in config.gluster]
    if config.varnish is not None:
        from farmtui.sources.varnish import VarnishSource

        sources.append(VarnishSource(config.varnish, pool, clock=clock))
    if config.ceph is not None and config.ceph.via == "ssh":
        from farmtui.sources.ceph_detail_ssh import CephSshSource

        sources.append(CephSshSource(config.ceph, pool, clock=clock))
    return sources
