"""The sources that a config asks for. Their modules are imported here and only for what is configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from farmtui.config import Config, GlusterConfig, ProxmoxConfig
from farmtui.config.backups import StoreConfig
from farmtui.sources import Source

if TYPE_CHECKING:
    from farmtui.sources.ssh.remote import Remote
    from farmtui.sources.ssh.shared import SharedPool


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source that a config asks for."""

    made_of: tuple[object, ...]
    """What kind it is, and the sections that it is made of: where these are equal, so is the source."""
    make: Callable[[], Source[Any]]
    """Imports its module, which may take half a second. Raises ConfigError and SecretError as the sources do."""


def build_sources(config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> tuple[Source[Any], ...]:
    """All sources of a config; none of them connects before its first poll. Raises what `Wanted.make` raises."""
    return tuple(wanted.make() for wanted in wanted_sources(config, clock))


def wanted_sources(config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Wanted]:
    """What the sources of a config are made of, in the order in which they are shown; nothing is made yet.

    `clock` gives the present, timezone-aware: when a reading was taken, and where the trends end.
    """
    found: list[Wanted] = []
    if (prometheus := config.prometheus) is not None:
        slo = config.slo
        probes = tuple(job for network in config.networks.values() for job in network.jobs)

        def metrics() -> Source[Any]:
            from farmtui.sources.prometheus import PrometheusSource

            return PrometheusSource(prometheus, slo, probes=probes, clock=clock)

        def trends() -> Source[Any]:
            from farmtui.sources.prometheus import PrometheusTrends

            return PrometheusTrends(prometheus, probes=probes, clock=clock)

        def sites() -> Source[Any]:
            from farmtui.sources.prometheus import PrometheusSites

            return PrometheusSites(prometheus, slo, clock=clock)

        found.append(Wanted(("prometheus", prometheus, slo, probes), metrics))
        found.append(Wanted(("trends", prometheus, probes), trends))
        found.append(Wanted(("sites", prometheus, slo), sites))
    if (alertmanager := config.alertmanager) is not None:

        def alerts() -> Source[Any]:
            from farmtui.sources.alertmanager import AlertmanagerSource

            return AlertmanagerSource(alertmanager, clock=clock)

        found.append(Wanted(("alertmanager", alertmanager), alerts))
    found += [Wanted(("proxmox", cluster), partial(_cluster, cluster, clock)) for cluster in config.proxmox]
    if (cloud := config.digitalocean) is not None:

        def droplets() -> Source[Any]:
            from farmtui.sources.digitalocean import DigitalOceanSource

            return DigitalOceanSource(cloud, clock=clock)

        def bill() -> Source[Any]:
            from farmtui.sources.digitalocean_costs import DigitalOceanBillSource

            return DigitalOceanBillSource(cloud, clock=clock)

        found += [Wanted(("droplets", cloud), droplets), Wanted(("bill", cloud), bill)]
    if (backups := config.backups) is not None:
        found += [Wanted(("store", store), partial(_store, store, clock)) for store in backups.stores]
        if backups.pve:
            every_s = backups.pve_interval_s
            found += [
                Wanted(("guests' backups", cluster, every_s), partial(_guests_backups, cluster, every_s, clock))
                for cluster in config.proxmox
            ]
    if (ceph := config.ceph) is not None and ceph.via == "pve":
        # The config has seen to it that there is one, and only one where none is named.
        [asked] = [cluster for cluster in config.proxmox if ceph.pve in (None, cluster.name)]

        def detail() -> Source[Any]:
            from farmtui.sources.ceph_detail_pve import CephPveSource

            return CephPveSource(ceph, asked, clock=clock)

        found.append(Wanted(("ceph", ceph, asked), detail))
    return [*found, *_over_ssh(config, clock)]


def _cluster(cluster: ProxmoxConfig, clock: Callable[[], datetime]) -> Source[Any]:
    from farmtui.sources.proxmox import ProxmoxSource

    return ProxmoxSource(cluster, clock=clock)


def _store(store: StoreConfig, clock: Callable[[], datetime]) -> Source[Any]:
    from farmtui.sources.backups_s3 import BackupsS3Source

    return BackupsS3Source(store, clock=clock)


def _guests_backups(cluster: ProxmoxConfig, every_s: float, clock: Callable[[], datetime]) -> Source[Any]:
    from farmtui.sources.proxmox_backups import ProxmoxBackupsSource

    return ProxmoxBackupsSource(cluster, interval_s=every_s, clock=clock)


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


def _over_ssh(config: Config, clock: Callable[[], datetime]) -> list[Wanted]:
    """The sources that log in to machines: they share their connections."""
    ssh = config.ssh

    @cache
    def made() -> SharedPool:
        from farmtui.sources.ssh.shared import SharedPool

        return SharedPool(ssh)

    def pool() -> Remote:
        return made().lent()

    found: list[Wanted] = []
    if (swarm := config.swarm) is not None:

        def managers() -> Source[Any]:
            from farmtui.sources.swarm import SwarmSource

            return SwarmSource(swarm, pool(), clock=clock)

        found.append(Wanted(("swarm", swarm, ssh), managers))
    found += [Wanted(("gluster", volumes, ssh), partial(_volumes, volumes, pool, clock)) for volumes in config.gluster]
    if (varnish := config.varnish) is not None:

        def backends() -> Source[Any]:
            from farmtui.sources.varnish import VarnishSource

            return VarnishSource(varnish, pool(), clock=clock)

        found.append(Wanted(("varnish", varnish, ssh), backends))
    if (ceph := config.ceph) is not None and ceph.via == "ssh":

        def detail() -> Source[Any]:
            from farmtui.sources.ceph_detail_ssh import CephSshSource

            return CephSshSource(ceph, pool(), clock=clock)

        found.append(Wanted(("ceph", ceph, ssh), detail))
    return found


def _volumes(volumes: GlusterConfig, pool: Callable[[], Remote], clock: Callable[[], datetime]) -> Source[Any]:
    from farmtui.sources.gluster import GlusterSource

    return GlusterSource(volumes, pool(), clock=clock)
