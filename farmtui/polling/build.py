"""The sources that a config asks for. Their modules are imported here and only for what is configured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from farmtui.config import CephConfig, Config
from farmtui.sources import Source

if TYPE_CHECKING:
    from farmtui.sources.ssh import Remote


def build_sources(config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> tuple[Source[Any], ...]:
    """All sources of a config; none of them connects before its first poll. Imports may take half a second.

    `clock` gives the present, timezone-aware: when a reading was taken, and where the trends end.

    Raises ConfigError and SecretError as the sources do.
    """
    sources: list[Source[Any]] = []

    @cache
    def remote() -> Remote:
        """The connections to the machines: one for each, whichever sources need it."""
        from farmtui.sources.ssh.pool import SshPool

        return SshPool(config.ssh)

    if config.prometheus is not None:
        from farmtui.sources.prometheus import PrometheusSource, PrometheusTrends

        sources += [PrometheusSource(config.prometheus, clock=clock), PrometheusTrends(config.prometheus, clock=clock)]
    if config.alertmanager is not None:
        from farmtui.sources.alertmanager import AlertmanagerSource

        sources.append(AlertmanagerSource(config.alertmanager, clock=clock))
    if config.proxmox:
        from farmtui.sources.proxmox import ProxmoxSource

        sources += [ProxmoxSource(cluster, clock=clock) for cluster in config.proxmox]
    if config.digitalocean is not None:
        from farmtui.sources.digitalocean import DigitalOceanSource

        sources.append(DigitalOceanSource(config.digitalocean, clock=clock))
    if config.ceph is not None:
        sources.append(_ceph(config, config.ceph, clock, remote))
    return tuple(sources)


def _ceph(
    config: Config, section: CephConfig, clock: Callable[[], datetime], remote: Callable[[], Remote]
) -> Source[Any]:
    """Ceph itself, by the way that the config chooses."""
    if section.via == "ssh":
        from farmtui.sources.ceph_detail_ssh import CephSshSource

        return CephSshSource(section, remote(), clock=clock)
    from farmtui.sources.ceph_detail_pve import CephPveSource

    # The config has seen to it that there is one, and only one where none is named.
    [cluster] = [cluster for cluster in config.proxmox if section.pve in (None, cluster.name)]
    return CephPveSource(section, cluster, clock=clock)
