"""Who runs this process, as the operating system has it: never what the environment says, which anybody may set."""

from __future__ import annotations

import grp
import os
import pwd


def unix_user() -> str:
    """The user that this process runs as."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def unix_groups() -> frozenset[str]:
    """The groups that this process is in, by name; those without a name are left out."""
    names = set()
    for gid in {*os.getgroups(), os.getgid()}:
        try:
            names.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return frozenset(names)
