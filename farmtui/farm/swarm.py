"""A Docker Swarm as its managers' API tells it: nodes, services, tasks and overlay networks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SwarmNode:
    """One engine of the Swarm."""

    id: str
    hostname: str
    role: str
    """`manager` or `worker`."""
    availability: str
    """`active`, `pause` or `drain`."""
    state: str
    """`ready`, `down`, `disconnected` or `unknown`."""
    reachability: str = ""
    """A manager's, as the leader sees it: `reachable`, `unreachable` or `unknown`; empty for a worker."""
    leader: bool = False
    address: str = ""
    """Without port; empty where Swarm does not know it (0.0.0.0)."""
    engine: str = ""
    """The engine's version."""
    cpus: float | None = None
    memory_bytes: float | None = None
    labels: tuple[tuple[str, str], ...] = ()
    message: str = ""
    """What Swarm says of its state, such as a missed heartbeat."""


@dataclass(frozen=True, slots=True)
class SwarmTask:
    """One task: what runs or should run of a service on a node."""

    id: str
    service_id: str
    service: str
    slot: int | None
    """None for the tasks of a global service."""
    node_id: str
    node: str
    """The node's host name; empty while it has no place."""
    desired_state: str
    """`running`, `shutdown`, `accepted`, ..."""
    state: str
    """`running`, `pending`, `preparing`, `failed`, `rejected`, ..."""
    message: str = ""
    error: str = ""
    """Swarm's own words for why it does not run: `no suitable node (...)`, `task: non-zero exit (1)`."""
    exit_code: int | None = None
    image: str = ""
    since: datetime | None = None
    """When it came into its state."""


@dataclass(frozen=True, slots=True)
class SwarmService:
    """One service. `desired` None: not known; `running` counts tasks that run now."""

    id: str
    name: str
    mode: str
    """`replicated`, `global`, `replicated-job` or `global-job`."""
    image: str
    desired: int | None
    running: int | None
    update_state: str = ""
    """`updating`, `paused`, `completed`, `rollback_started`, ...; empty where it was never updated."""
    update_message: str = ""
    constraints: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    """`80->8080/tcp ingress`."""
    routes: tuple[tuple[str, str], ...] = ()
    """Traefik's routers in its labels, each with the first host of its rule (empty where the rule names none)."""

    @property
    def short(self) -> bool:
        """Whether fewer of its tasks run than should; what is not known is not short."""
        return self.desired is not None and self.running is not None and self.running < self.desired


@dataclass(frozen=True, slots=True)
class SwarmNetwork:
    """An overlay network."""

    id: str
    name: str
    driver: str
    scope: str
    subnets: tuple[str, ...] = ()
    ingress: bool = False
    internal: bool = False
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class SwarmCluster:
    """The Swarm as one of its managers sees it."""

    name: str
    manager: str
    """The host that answered."""
    nodes: tuple[SwarmNode, ...] = ()
    services: tuple[SwarmService, ...] = ()
    tasks: tuple[SwarmTask, ...] = ()
    """Those that should run, and the newest that failed."""
    networks: tuple[SwarmNetwork, ...] = ()
    quorum: bool | None = None
    """False where the managers that are up say that the Swarm has no leader: the rest is as it was before."""
    read_at: datetime | None = None
    """When nodes, services and tasks were read; None: never."""
