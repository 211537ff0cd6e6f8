"""Host keys: which known_hosts files count, and in plain words why a key was refused and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncssh

from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError, safe_words

SYSTEM_FILES: Final = (Path("/etc/ssh/ssh_known_hosts"),)
FILE_LIMIT_BYTES: Final = 32_000_000
"""A known_hosts file that is longer is refused: it would be read whole at every login."""


class Witness(asyncssh.SSHClient):
    """Takes down which key a host has shown that no known_hosts line allows. It never allows one itself."""

    def __init__(self) -> None:
        self.shown: asyncssh.SSHKey | None = None
        self.address = ""
        self.authority: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called for a key that is in no file: it stays refused."""
        self.shown, self.address = key, addr
        return False

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called for a certificate of an authority that is in no file: it stays refused."""
        self.authority, self.address = key, addr
        return False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a known_hosts file that can be read."""

    file: Path
    number: int
    hosts: asyncssh.SSHKnownHosts


def default_files() -> tuple[Path, ...]:
    """Where ssh itself looks."""
    try:
        return (Path("~/.ssh/known_hosts").expanduser(), *SYSTEM_FILES)
    except RuntimeError:
        # No home folder is known of this user.
        return SYSTEM_FILES


def known_hosts(files: Sequence[Path]) -> asyncssh.SSHKnownHosts:
    """All lines of these files together; files that are not there and lines that cannot be read count for nothing.

    Raises SourceError where a file is there and cannot be read.
    """
    return asyncssh.import_known_hosts("\n".join(text for file in files for _, text, _ in _readable(file)))


def _readable(file: Path) -> Iterator[tuple[int, str, asyncssh.SSHKnownHosts]]:
    """A file's lines that say something: number from 1, text, and what they say."""
    try:
        if file.stat().st_size > FILE_LIMIT_BYTES:
            raise SourceError(
                FailureKind.CONFIG, f"{file} is longer than {FILE_LIMIT_BYTES // 1_000_000} MB", "name another file"
            )
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(
            FailureKind.CONFIG, f"cannot read {file}: {error.strerror}", "check ssh.known_hosts in the config"
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield number, line, asyncssh.import_known_hosts(line)
        except (ValueError, asyncssh.KeyImportError):
            continue


def fingerprint(key: Any) -> str:
    """`SHA256:...`, as ssh-keygen -l prints it."""
    return str(key.get_fingerprint())


def key_kind(key: Any) -> str:
    """`ssh-ed25519`, `ssh-rsa`, ..."""
    return str(key.get_algorithm())


def refused(said: str, witness: Witness, host: str, port: int, files: Sequence[Path], reached: str) -> SourceError:
    """Why a host's key was refused, and the exact remedy.

    `host` is the name that known_hosts was asked for, `reached` the address or name that ssh-keyscan could ask;
    `said` is what asyncssh says.
    """
    place = f"[{host}]:{port}" if port != 22 else host
    if "revoked" in said.lower():
        return _error(
            f"its host key is marked @revoked in known_hosts ({safe_words(said)})",
            f"give {host} a new host key, and put that in {_first(files)}",
        )
    if witness.authority is not None:
        return _error(
            f"its host certificate is signed by {fingerprint(witness.authority)}, an authority that no"
            " @cert-authority line names",
            f"if that is your authority, add to {_first(files)}: @cert-authority {host} PUBLIC-KEY",
        )
    if witness.shown is None:
        return _error(
            f"its host certificate does not hold: {safe_words(said)}",
            "sign the host's key anew, with this name as a principal (ssh-keygen -s CA -h -n NAME)",
        )
    shown = f"{key_kind(witness.shown)} {fingerprint(witness.shown)}"
    before = list(_known(files, host, witness.address, port))
    if before:
        line, key = before[0]
        return _error(
            f"its host key has CHANGED: it shows {shown}, {line.file}:{line.number} has {fingerprint(key)}",
            f"if it was reinstalled, compare with `ssh-keygen -lf` on the host itself, then: ssh-keygen -R '{place}'"
            f" -f {line.file} and learn the new key; if not, somebody stands between",
        )
    return _error(
        f"its host key is not known: {shown}",
        f"compare with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on the host itself, then: ssh-keyscan -p {port}"
        f" {reached} >> {_first(files)}",
    )


def _known(files: Sequence[Path], host: str, address: str, port: int) -> Iterator[tuple[Line, Any]]:
    """Lines that name this host, each with a key that it allows."""
    for file in files:
        for number, _, hosts in _readable(file):
            for key in hosts.match(host, address, port if port != 22 else None)[0]:
                yield Line(file, number, hosts), key


def _first(files: Sequence[Path]) -> str:
    return str(files[0]) if files else "a file under ssh.known_hosts"


def _error(what: str, remedy: str) -> SourceError:
    return SourceError(FailureKind.HOST_KEY, what, remedy)
