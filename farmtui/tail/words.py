"""What journalctl and docker refuse, in words: what happened there, and what to do."""

from __future__ import annotations

from typing import Final

from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError, safe_words
from farmtui.tail.target import LogTarget, MachineLog

_NOT_FOUND: Final = 127
_PART_ONLY: Final = "not seeing messages from other users"


def partly(stderr: str) -> str:
    """What journalctl hints at where it shows only a part; empty where it hints at nothing."""
    if _PART_ONLY in stderr:
        return "only a part of the journal may be read: add the user to the group systemd-journal (or adm) there"
    return ""


def elsewhere(error: SourceError) -> bool:
    """Whether another manager may answer what this one does not."""
    return error.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.SERVER)


def refusal(target: LogTarget, status: int | None, stderr: str) -> SourceError:
    """Why a command has ended that should not have, or not so."""
    said = safe_words(stderr) or f"it ended with {'an unknown status' if status is None else status}"
    if isinstance(target, MachineLog):
        return _of_journal(status, stderr, said)
    return _of_service(target.title, status, stderr, said)


def _of_journal(status: int | None, stderr: str, said: str) -> SourceError:
    if "insufficient permissions" in stderr or "Permission denied" in stderr:
        return SourceError(
            FailureKind.FORBIDDEN,
            "the user who logs in may not read the journal",
            "there: usermod -aG systemd-journal USER, then log in anew",
        )
    if status == _NOT_FOUND or "not found" in stderr:
        return SourceError(
            FailureKind.CONFIG,
            "there is no journalctl: the machine does not run systemd, or it is not in the user's PATH",
            "read its logs another way: s opens a shell there",
        )
    if "No journal files were found" in stderr:
        return SourceError(
            FailureKind.BAD_ANSWER, "no journal is kept there", "see Storage= in its /etc/systemd/journald.conf"
        )
    if "Failed to seek to cursor" in stderr or "Failed to add match" in stderr or "Failed to parse" in stderr:
        return SourceError(
            FailureKind.BAD_ANSWER, f"journalctl: {said}", "see which systemd it is: 236 or newer is needed"
        )
    return SourceError(FailureKind.SERVER, f"journalctl: {said}", "run journalctl there by hand: s opens a shell")


def _of_service(title: str, status: int | None, stderr: str, said: str) -> SourceError:
    lower = stderr.lower()
    if "no such service" in lower or "no such task" in lower or ("not found" in lower and title.split()[-1] in stderr):
        return SourceError(
            FailureKind.BAD_ANSWER, f"{title} is gone", "it was removed or replaced: see compute for what runs now"
        )
    if "permission denied" in lower or "password is required" in lower:
        return SourceError(
            FailureKind.FORBIDDEN,
            "the user who logs in may not use docker there",
            "there: usermod -aG docker USER (as good as root), or sudo: true under swarm and a line in sudoers",
        )
    if status == _NOT_FOUND or "command not found" in lower:
        return SourceError(
            FailureKind.SERVER, "there is no docker command there", "install docker's CLI on the managers"
        )
    if "not a swarm manager" in lower or "does not have a leader" in lower or "cannot connect to the docker" in lower:
        return SourceError(FailureKind.SERVER, said, "another manager is asked, if there is one; see compute")
    if "does not support reading" in lower:
        return SourceError(
            FailureKind.BAD_ANSWER,
            f"its logging driver keeps nothing that could be read ({said})",
            "read it where the driver sends it, or set log-driver to local, json-file or journald",
        )
    return SourceError(FailureKind.SERVER, f"docker: {said}", "run docker service logs on a manager by hand")
