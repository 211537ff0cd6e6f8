"""Varnish's backends as varnishadm tells them: which are sick, and of which nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class VarnishBackend:
    """One backend of the active VCL."""

    name: str
    """Without the VCL's name before it."""
    admin: str
    """`probe`, or what an operator has set: `healthy`, `sick`."""
    healthy: bool | None
    """None where it has no probe: Varnish takes it for healthy, and nobody knows."""
    good: int | None = None
    window: int | None = None
    """Of the last `window` probes `good` were well."""
    since: datetime | None = None
    """When it came into its state."""


@dataclass(frozen=True, slots=True)
class VarnishBackends:
    """One cache node's backends, or why they could not be had."""

    host: str
    """As the config names it."""
    instance: str
    """The Prometheus instance that the config says it is; empty where address and name have to tell."""
    backends: tuple[VarnishBackend, ...] = ()
    problem: str = ""
    taken_at: datetime | None = None
