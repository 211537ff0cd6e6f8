"""The ceph command on a host, over SSH: with a time limit, since without quorum or mgr it never ends."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from farmtui.config import CephConfig
from farmtui.farm.reading import FailureKind
from farmtui.sources.ceph_detail_decode import unreadable
from farmtui.sources.errors import SourceError, safe_words
from farmtui.sources.json_slices import loads
from farmtui.sources.ssh import Done, Remote

AT_ONCE: Final = 2
"""Commands under way at once."""
KILL_AFTER_S: Final = 1
CONNECT_S: Final = 5.0
"""What connecting to the mons may take at most: it takes milliseconds, and without quorum it never ends."""
SLACK_S: Final = 5.0
"""What a command gets beyond its own limit: it is to end by that, and not to be given up."""
SOCKETS: Final = 3
SOCKET_S: Final = 3.0
SOCKETS_AT: Final = "/var/run/ceph"
SMALL_BYTES: Final = 100_000

_TIMED_OUT, _CANNOT_RUN, _NOT_FOUND, _KILLED = 124, 126, 127, 137
"""How `timeout` and the shell end."""
_LOG: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_CUT: Final = re.compile(r"[\d:T.-]*\u2026")
_LOOK: Final = "look at the mons and at the mgr: systemctl status 'ceph-mon@*' 'ceph-mgr@*' on their hosts"
_LET_IN: Final = (
    "make the user with `ceph auth get-or-create client.farmtui mon 'allow r' mgr 'allow r'`, put its keyring where the"
    " one who logs in may read it, and name it as ceph.client"
)


class SilentError(SourceError):
    """Ceph did not answer in time, on a host that can be reached."""


class CephCli:
    """One cluster's command line, on any host that has it."""

    def __init__(self, config: CephConfig, remote: Remote) -> None:
        self._remote = remote
        self._config = config
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.asked = 0
        """Commands that were run."""

    async def ask(self, host: str, words: str) -> Any:
        """The JSON of `ceph WORDS`.

        Raises SilentError where it does not end in time, and SourceError for all else.
        """
        limit_s = self._config.deadline_s
        connect_s = max(1, int(min(CONNECT_S, limit_s / 2)))
        client = ["--name", self._config.client] if self._config.client else []
        command = ["ceph", *self._conf, *client, "--connect-timeout", f"{connect_s}", *words.split(), "-f", "json"]
        done = await self._run(host, command, limit_s)
        if done.exit_status != 0:
            raise _failed(done, f"ceph {words}", limit_s, connect_s, self._config.client or "client.admin")
        return await _json(done.stdout, f"ceph {words}")

    async def mon_states(self, host: str) -> list[Any]:
        """`mon_status` of the mons that run on a host, by their admin sockets, which answer without quorum too.

        Raises SourceError where there are some, and none can be asked.
        """
        folder = await self._socket_folder(host)
        found = await self._run(host, ["find", folder, "-maxdepth", "2", "-name", "*mon.*.asok"], SOCKET_S)
        paths = sorted(path for path in found.stdout.decode("utf-8", "replace").split("\n") if path)[:SOCKETS]
        if not paths and "denied" in found.stderr.casefold():
            raise SourceError(FailureKind.FORBIDDEN, f"{folder} may not be read", "set ceph.sudo")
        answers = await asyncio.gather(*(self._mon_state(host, path) for path in paths), return_exceptions=True)
        states = [answer for answer in answers if not isinstance(answer, BaseException)]
        refused = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if refused is not None and not states:
            raise refused
        return states

    async def _mon_state(self, host: str, path: str) -> Any:
        done = await self._run(host, ["ceph", "--admin-daemon", path, "mon_status", "-f", "json"], SOCKET_S)
        if done.exit_status != 0:
            raise _failed(done, "mon_status", SOCKET_S, SOCKET_S, "")
        return await _json(done.stdout, "mon_status")

    async def _socket_folder(self, host: str) -> str:
        command = ["ceph-conf", *self._conf, "--name", "mon.any", "--show-config-value", "admin_socket"]
        done = await self._run(host, command, SOCKET_S)
        path = PurePosixPath(done.stdout.decode("utf-8", "replace").strip())
        return str(path.parent) if done.exit_status == 0 and path.is_absolute() else SOCKETS_AT

    @property
    def _conf(self) -> list[str]:
        return ["--conf", self._config.conf] if self._config.conf else []

    async def _run(self, host: str, command: Sequence[str], limit_s: float) -> Done:
        # The limit is on the host itself: what is given up from here would go on there, once more at every poll.
        sudo = ["sudo", "-n"] if self._config.sudo else []
        argv = [*sudo, "timeout", "-k", str(KILL_AFTER_S), f"{limit_s:g}", *command]
        async with self._slots:
            self.asked += 1
            return await self._remote.run(host, argv, deadline_s=limit_s + SLACK_S)


async def _json(printed: bytes, what: str) -> Any:
    try:
        if len(printed) > SMALL_BYTES:
            return await asyncio.to_thread(loads, printed)
        return loads(printed)
    except (ValueError, RecursionError):
        raise unreadable(f"{what} printed no JSON") from None


def _failed(done: Done, what: str, limit_s: float, connect_s: float, client: str) -> SourceError:
    """What has become of a command that has not ended well."""
    status, low = done.exit_status, done.stderr.casefold()
    said = _said(done.stderr)
    told = f": {said}" if said else ""
    if status is None:
        return SourceError(
            FailureKind.UNREACHABLE, f"{what} was ended from outside", "look at the host and at the network between"
        )
    if low.startswith("sudo:"):
        return SourceError(
            FailureKind.CONFIG,
            f"sudo refuses to run it: {said.partition(':')[2].strip()}",
            "allow it in sudoers without a password, or give the one who logs in a keyring, and set sudo: false",
        )
    if status in (_CANNOT_RUN, _NOT_FOUND):
        return SourceError(
            FailureKind.CONFIG,
            f"the command cannot be run there{told}",
            "install ceph-common there, or name hosts that have it under ceph.hosts",
        )
    if status in (_TIMED_OUT, _KILLED):
        return SilentError(FailureKind.TIMEOUT, f"{what} does not end within {limit_s:g} s", _LOOK)
    if status == errno.ETIMEDOUT or "timed out" in low:
        return SilentError(FailureKind.TIMEOUT, f"{what} reaches no mon within {connect_s:g} s", _LOOK)
    if status in (errno.EACCES, errno.EPERM) and ("permission" in low or "denied" in low or status == errno.EACCES):
        who = f"{client} is not let in" if client else "permission denied"
        return SourceError(FailureKind.FORBIDDEN, f"{what}: {who}{told}", _LET_IN)
    if "conf_read_file" in low or "keyring" in low:
        return SourceError(
            FailureKind.CONFIG,
            f"{what} does not find what it needs{told}",
            "check ceph.conf and ceph.client in the config: they name what that host has",
        )
    return SourceError(
        FailureKind.SERVER, f"{what} ended with {status}{told}", "run it on that host and see what it says"
    )


def _said(stderr: str) -> str:
    """What a command came to: the last of its lines that is no line of a log."""
    lines = [line.strip() for line in stderr.split("↵")]
    plain = [line for line in lines if line and not _LOG.match(line) and not _CUT.match(line)]
    return safe_words(plain[-1]) if plain else ""
