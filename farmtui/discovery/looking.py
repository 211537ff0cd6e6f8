"""Asking the farm's systems once, each within its deadline, by the console's own sources."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from farmtui.config import (
    AlertmanagerConfig,
    Config,
    DigitalOceanConfig,
    PrometheusConfig,
    ProxmoxConfig,
    SshConfig,
)
from farmtui.discovery.found import Candidate, PrometheusFound, Trial
from farmtui.farm.alerts import AlertBook
from farmtui.farm.ceph_detail import CephDetail
from farmtui.farm.node import CloudAccount, PveCluster
from farmtui.farm.reading import Reading
from farmtui.farm.text import clean_text
from farmtui.polling import build_sources
from farmtui.sources import Source
from farmtui.sources.alertmanager import AlertmanagerSource
from farmtui.sources.digitalocean import DigitalOceanSource
from farmtui.sources.failures import failure_of
from farmtui.sources.http import HttpClient
from farmtui.sources.prometheus import PrometheusSource
from farmtui.sources.prometheus.explain import NOT_OFFERED
from farmtui.sources.proxmox import ProxmoxSource

PROBE_S: Final = 5.0
"""What the first answer of a server may take: one that hangs costs no more."""
DEADLINE_S: Final = 10.0
"""What each answer after it may take."""
LOGIN_S: Final = 5.0
TRIAL_S: Final = 15.0
"""What one way to ask on a machine may take, logins included."""

_ALERTMANAGER_PATH: Final = re.compile(r"/api/v\d+/alerts/?$")

T = TypeVar("T")


async def look_at_prometheus(config: PrometheusConfig) -> PrometheusFound:
    """Its version, its targets as machines, every figure, and whom it sends alerts to. Never raises."""
    patient = config.model_copy(update={"deadline_s": DEADLINE_S})
    http, source = HttpClient(patient, connections=2), PrometheusSource(patient)
    try:
        try:
            version = await _version(http, config.url)
        except Exception as error:  # noqa: BLE001 - whatever it is becomes words
            failure = failure_of(error, source="prometheus", where=config.url, deadline_s=PROBE_S)
            return PrometheusFound(config.url, failure=failure)
        reading = await source.poll()
        if reading.value is None:
            return PrometheusFound(config.url, version, reading.failure, warnings=reading.warnings)
        figures = await source.explain()
        told = await _alertmanagers(http, config.url)
        return PrometheusFound(config.url, version, reading.failure, reading.value, figures, told, reading.warnings)
    finally:
        await asyncio.gather(source.close(), http.close())


async def _version(http: HttpClient, url: str) -> str:
    """Its version; empty where it does not offer that. Raises what `failure_of` puts into words."""
    try:
        answer = await http.json(f"{url}/api/v1/status/buildinfo", deadline_s=PROBE_S)
    except Exception as error:
        if getattr(error, "status", 0) in NOT_OFFERED:
            return ""
        raise
    told = answer.get("data") if isinstance(answer, Mapping) else None
    version = told.get("version") if isinstance(told, Mapping) else None
    return clean_text(version, limit=40) if isinstance(version, str) else ""


async def _alertmanagers(http: HttpClient, url: str) -> tuple[str, ...]:
    """The base addresses that it sends alerts to; none where it does not tell (Thanos, Mimir)."""
    try:
        answer = await http.json(f"{url}/api/v1/alertmanagers", deadline_s=PROBE_S)
        active = answer["data"]["activeAlertmanagers"]
        told = [entry["url"] for entry in active if isinstance(entry, Mapping) and isinstance(entry.get("url"), str)]
    except Exception:  # noqa: BLE001 - it is a help, no more: the addresses can be given
        return ()
    found = dict.fromkeys(_ALERTMANAGER_PATH.sub("", address) for address in told)
    return tuple(address for address in found if _usable(address))


def _usable(address: str) -> bool:
    try:
        AlertmanagerConfig(urls=[address])
    except ValueError:
        return False
    return True


async def look_at_alertmanager(config: AlertmanagerConfig) -> Reading[AlertBook]:
    """All replicas; one that fails is a warning."""
    return await _once(AlertmanagerSource(config.model_copy(update={"deadline_s": PROBE_S})))


async def look_at_proxmox(config: ProxmoxConfig) -> Reading[PveCluster]:
    """The cluster's hosts and guests."""
    return await _once(ProxmoxSource(config.model_copy(update={"deadline_s": PROBE_S})))


async def look_at_digitalocean(config: DigitalOceanConfig) -> Reading[CloudAccount]:
    """The account's droplets, with their tags, its volumes and balancers."""
    return await _once(DigitalOceanSource(config.model_copy(update={"deadline_s": PROBE_S})))


async def _once(source: Source[T]) -> Reading[T]:
    try:
        return await source.poll()
    finally:
        await source.close()


async def tried(candidate: Candidate, ssh: SshConfig, proxmox: ProxmoxConfig | None) -> Trial:
    """Ask what a candidate's section asks, in one way after the other until one gives a value. Never raises."""
    words = ""
    for way in candidate.ways:
        reading = await _asked(way, ssh, proxmox)
        if isinstance(reading, str):
            words = reading
        elif reading.value is not None and not _silent(reading.value):
            return Trial(candidate, way, "; ".join(reading.warnings))
        elif reading.failure is not None:
            words = f"{reading.failure.what}; {reading.failure.remedy}"
        else:
            words = "; ".join(reading.value.problems) if isinstance(reading.value, CephDetail) else ""
    return Trial(candidate, None, words)


def _silent(value: object) -> bool:
    """Whether it is the answer of a Ceph that says nothing: without a keyring, or without quorum."""
    return isinstance(value, CephDetail) and value.health is None


async def _asked(way: Mapping[str, Any], ssh: SshConfig, proxmox: ProxmoxConfig | None) -> Reading[Any] | str:
    quick = ssh.model_copy(update={"connect_timeout_s": LOGIN_S})
    clusters = [proxmox] if proxmox is not None else []
    config = Config.model_validate({**way, "ssh": quick, "proxmox": clusters})
    sources = build_sources(config)
    try:
        [source] = [source for source in sources if source.kind in way]
        async with asyncio.timeout(TRIAL_S):
            reading: Reading[Any] = await source.poll()
            return reading
    except TimeoutError:
        return f"no answer in {TRIAL_S:g} s"
    finally:
        await asyncio.gather(*(source.close() for source in sources))
