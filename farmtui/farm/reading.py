"""What a poll returns, and what is known of each source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

from farmtui.farm.state import Freshness

T_co = TypeVar("T_co", covariant=True)


class FailureKind(Enum):
    """Why a poll failed; the remedy and the back-off depend on it."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    HOST_KEY = "host key"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate limited"
    SERVER = "server error"
    BAD_ANSWER = "bad answer"
    CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed poll in words: what happened, to which source or host, and what to do. Never holds a secret."""

    kind: FailureKind
    what: str
    remedy: str
    retry_after_s: float | None = None
    """What the server asked for (Retry-After, rate limit reset); None when it did not."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T_co]):
    """One poll's result: a value, or a failure, or both when the answer was partial."""

    value: T_co | None
    taken_at: datetime
    duration_s: float
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    """What the source said beside its answer (Thanos partial response), or parts of it that were not read."""
    requests: int = 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source as the `sources` screen shows it."""

    name: str
    """Unique: `prometheus`, `prometheus trends`, `alertmanager`, `proxmox main`, `digitalocean`,
    `digitalocean bill`, `swarm`, `gluster main`, `ceph`, `varnish`,
    `backups spaces`, `pve backups main`."""
    kind: str
    endpoint: str
    """Where it is, without credentials."""
    interval_s: float
    freshness: Freshness
    last_success_at: datetime | None = None
    last_attempt_at: datetime | None = None
    next_attempt_at: datetime | None = None
    duration_s: float | None = None
    failure: Failure | None = None
    failures_in_a_row: int = 0
    warnings: tuple[str, ...] = ()
    requests_per_cycle: int = 0
    polls: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One trend line. `times` are Unix seconds, evenly `step_s` apart; None is a gap, never a zero."""

    labels: tuple[tuple[str, str], ...]
    times: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """A range query's answer."""

    name: str
    title: str
    unit: str
    step_s: float
    series: tuple[Series, ...] = field(default=())
    failure: str = ""
    """Why there is none, in words; empty when it was answered."""
