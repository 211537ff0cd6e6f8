"""Who somebody is, as the operating system has it, and what they may do."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from farmtui.config import RolesConfig
from farmtui.journal.entry import Author
from farmtui.unix import unix_user


def author() -> Author:
    """The user of this process, and from where: the environment can say where an SSH client is, not who one is."""
    client = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    where = f" from {client}" if client and client.isprintable() else ""
    return Author(unix_user(), f"{socket.gethostname()}[{os.getpid()}]{where}"[:256])


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do; `why` each is refused."""

    operate: str = ""
    """Empty: may. Else why not."""
    approve: str = ""


def rights(roles: RolesConfig, user: str, groups_of: Iterable[str], *, read_only: str = "") -> Rights:
    """What a user with these groups may do. `read_only` is why nobody may do anything here, empty when they may."""
    if read_only:
        return Rights(read_only, read_only)
    names = {user, "*", *(f"@{group}" for group in groups_of)}
    return Rights(
        "" if names & set(roles.operators) else f"{user} is no operator (roles.operators in the config)",
        "" if names & set(roles.approvers) else f"{user} is no approver (roles.approvers in the config)",
    )
