"""Which mistakes in a config cost what: a key alone, its section, or everything that could be done to the farm.

What is left out must never open more than was meant. So a section goes as a whole unless the wrong key is known to say
only how often, how long or how it looks; and where a limit may have stood, nothing is allowed until it is mended.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

from farmtui.config.parsing import Problem

Keys = tuple[str | int, ...]

SOURCES: Final = frozenset(
    {"prometheus", "alertmanager", "proxmox", "digitalocean", "swarm", "gluster", "ceph", "varnish"}
)
"""Sections of which each (or each item) is something that is asked, and acted on."""
LIMITING: Final = frozenset({"farm", "roles", "ssh", "journal", "runbooks"})
"""Sections that say what is allowed, to whom, on which machines, and where it is written down."""
HARMLESS: Final = frozenset({"ui", "slo", "tiers", "cost", "nodes"})
_PLAIN: Final = re.compile(r".*interval_s|.*deadline_s|.*timeout_s|keepalive_s|trends_window_s|pool_size|concurrency")
"""Keys that say how often and how long: their default is as safe as what was meant."""
_LISTED: Final = frozenset({"hosts", "urls", "queries"})
"""Lists and mappings of a source that do with one item less."""
_TRUST: Final = frozenset(
    {"auth", "bearer", "username", "password", "headers", "ca_file", "token", "token_id", "token_secret", "tag", "user",
     "endpoint", "sudo", "client", "socket", "sockets"}
)  # fmt: skip
"""Keys of a source that say who we are, whom we trust, and how far it goes."""
_LIMITS: Final = ("read_only", "operators", "approvers", "known_hosts", "identity_files", "announce", "roles")
"""Keys that limit, wherever somebody may have put them by mistake."""


def cost_of(problem: Problem) -> tuple[Keys, bool]:
    """What has to go because of a problem, and whether a limit may go with it."""
    keys = problem.keys or _agreed_on(problem.what)
    if problem.kind == "missing":
        keys = keys[:-1]
    if not keys:
        return (), True
    top = str(keys[0])
    unknown = problem.kind == "extra_forbidden"
    meant = problem.meant if unknown else str(keys[-1])
    limit = unknown and bool(get_close_matches(str(keys[-1]), _LIMITS, n=1, cutoff=0.7))
    if top in SOURCES:
        section, inside = _section(keys)
        trust = bool({str(part) for part in inside} & _TRUST) or (unknown and meant in _TRUST)
        stays = not trust and inside and (_is_plain(inside, meant) or (unknown and not meant))
        return (keys if stays else section), limit or trust
    if top in LIMITING:
        harmless = (top == "farm" and keys[1:2] in (("name",), ("sites",), ("colour",))) or (
            top == "ssh" and _is_plain(keys, meant)
        )
        return keys, limit or not harmless or unknown
    # A section that nobody knows may have been a limit, unless it reads very much like one that is none.
    close = get_close_matches(top, SOURCES | HARMLESS | LIMITING, n=1, cutoff=0.8)
    return keys, limit or (top not in HARMLESS and (not close or close[0] in LIMITING))


def may_be_shown(keys: Keys) -> bool:
    """Whether a value may stand on a screen: what else is in the file may be a secret that was pasted there."""
    told = str(keys[0]) in ("ui", "slo", "farm", "tiers") if len(keys) > 1 else False
    return told or (len(keys) > 1 and _PLAIN.fullmatch(str(keys[-1])) is not None)


def sections_over_ssh(config: dict[object, object]) -> list[str]:
    """Sections that log in to machines: without what the config says of SSH they would trust other keys."""
    ceph = config.get("ceph")
    found = ["swarm", "gluster", "varnish", *(["ceph"] if isinstance(ceph, dict) and ceph.get("via") == "ssh" else [])]
    return [name for name in found if name in config]


def _is_plain(inside: Keys, meant: str) -> bool:
    in_list = len(inside) > 1 and str(inside[0]) in _LISTED
    return in_list or _PLAIN.fullmatch(meant) is not None


def _section(keys: Keys) -> tuple[Keys, Keys]:
    """A source's section (or its item in a list of them), and where in it."""
    depth = 2 if len(keys) > 1 and isinstance(keys[1], int) else 1
    return keys[:depth], keys[depth:]


def _agreed_on(what: str) -> Keys:
    """The section that a model of the whole file complains of: its words begin with it."""
    name = re.match(r"[a-z]+", what)
    return (name[0],) if name and name[0] in SOURCES | LIMITING | HARMLESS else ()
