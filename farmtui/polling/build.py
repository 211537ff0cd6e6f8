"""The sources that a config asks for. Their modules are imported here and only for what is configured."""

from __future__ import annotations

from typing import Any

from farmtui.config import Config
from farmtui.sources import Source


def build_sources(config: Config) -> tuple[Source[Any], ...]:
    """All sources of a config; none of them connects before its first poll. Imports may take half a second.

    Raises ConfigError and SecretError as the sources do.
    """
    sources: list[Source[Any]] = []
    if config.prometheus is not None:
        from farmtui.sources.prometheus import PrometheusSource, PrometheusTrends

        sources += [PrometheusSource(config.prometheus), PrometheusTrends(config.prometheus)]
    if config.alertmanager is not None:
        from farmtui.sources.alertmanager import AlertmanagerSource

        sources.append(AlertmanagerSource(config.alertmanager))
    if config.proxmox:
        from farmtui.sources.proxmox import ProxmoxSource

        sources += [ProxmoxSource(cluster) for cluster in config.proxmox]
    if config.digitalocean is not None:
        from farmtui.sources.digitalocean import DigitalOceanSource

        sources.append(DigitalOceanSource(config.digitalocean))
    return tuple(sources)
