"""One module per upstream: each turns a remote system's answers into domain values."""

from __future__ import annotations

from typing import Protocol, TypeVar

from farmtui.farm.reading import Reading

T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """What the polling coordinators need of a source.

    `poll` never raises (other than CancelledError): whatever the upstream does becomes a Failure in words. It
    gives up by itself after its own deadline, and a value beside a failure or warnings is a partial answer.
    """

    name: str
    """Unique among the farm's sources."""
    kind: str
    """`prometheus`, `alertmanager`, `proxmox`, `digitalocean`, `bill`, `swarm`, `gluster`, `ceph`,
    `varnish` or `backups`."""
    endpoint: str
    """Where it is, for people; never holds credentials."""
    interval_s: float

    async def poll(self) -> Reading[T_co]:
        """Ask once."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads; may be called more than once."""
        ...
