"""What was answered: the farm's systems as `farmtui init` knows them, and what it makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from farmtui.config import AlertmanagerConfig, DigitalOceanConfig, PrometheusConfig, ProxmoxConfig, SshConfig
from farmtui.farm.alerts import AlertBook
from farmtui.farm.farm import PrometheusView
from farmtui.farm.node import CloudAccount, PveCluster
from farmtui.farm.reading import Failure, Reading
from farmtui.sources.prometheus.explain import FigureReport


@dataclass(frozen=True, slots=True)
class Answers:
    """What is to be asked, as sections of the config. A section that is None is not wanted, or not had."""

    name: str = "farm"
    sites: int | None = None
    """None: as many as are seen."""
    prometheus: PrometheusConfig | None = None
    alertmanager: AlertmanagerConfig | None = None
    proxmox: ProxmoxConfig | None = None
    digitalocean: DigitalOceanConfig | None = None
    ssh: SshConfig = field(default_factory=SshConfig)
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Why a source that was found and not asked for by name is left out, by its section."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """The file's name, beside the config, by the reference under which a secret is held that was typed."""


@dataclass(frozen=True, slots=True)
class PrometheusFound:
    """What a Prometheus answered."""

    url: str
    version: str = ""
    """Empty where it does not say."""
    failure: Failure | None = None
    view: PrometheusView | None = None
    figures: tuple[FigureReport, ...] = ()
    alertmanagers: tuple[str, ...] = ()
    """The base addresses that it sends alerts to."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A section for what is asked on the machines themselves, in the ways to try it, the plainest first."""

    section: str
    hosts: tuple[str, ...]
    """The hosts to log in to; none where only an API is asked."""
    ways: tuple[Mapping[str, Any], ...]
    """Parts of the config, each with the section in it."""
    unknown: tuple[str, ...] = ()
    """Machines that belong here and that ssh does not know: they are not tried."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a candidate did."""

    candidate: Candidate
    works: Mapping[str, Any] | None = None
    """The way that works."""
    words: str = ""
    """Why none does, and what to do; or what it said beside its answer."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that was answered. What is None was not asked."""

    prometheus: PrometheusFound | None = None
    alertmanager: Reading[AlertBook] | None = None
    proxmox: Reading[PveCluster] | None = None
    digitalocean: Reading[CloudAccount] | None = None
    trials: tuple[Trial, ...] = ()
