"""What a source asks of the machines: run a command, reach a socket. How that is done is the pool's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

OUTPUT_LIMIT_BYTES: Final = 16_000_000
"""A command that prints more is cut off, and its answer refused."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    exit_status: int | None
    """None where it is not known (ended by a signal, or the connection was lost): never a success."""
    stdout: bytes
    stderr: str
    """Cleaned, cut, for errors in words."""


class Remote(Protocol):
    """Hosts that can be reached by SSH, named as ssh_config names them."""

    async def run(
        self, host: str, argv: Sequence[str], *, deadline_s: float, limit_bytes: int = OUTPUT_LIMIT_BYTES
    ) -> Done:
        """Run a command; each word reaches it as it is. Gives up after `deadline_s`, logging in included.

        Raises SourceError (see `farmtui.sources.errors`) where it could not be run, did not end in time, or printed
        more than `limit_bytes`; an exit status other than 0 is no exception.
        """
        ...

    async def unix_socket(self, host: str, path: str, *, deadline_s: float) -> Path:
        """A local socket, in a folder of ours alone, that leads to a socket on the host. The same one each time.

        Raises SourceError where the host cannot be reached. Whether somebody listens at `path` is only seen when it
        is used.
        """
        ...

    async def close(self) -> None:
        """End all connections; may be called more than once."""
        ...
