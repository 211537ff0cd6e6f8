"""One entry of the journal, and the hash that chains it to the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

FORMAT = 1
"""How an entry is hashed; it is hashed too, so that a later form cannot be taken for this one."""
GENESIS = "0" * 64
"""What the first entry names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, and from where."""

    user: str
    """The Unix user, as the operating system has it."""
    origin: str
    """`bastion-1[4711] from 192.0.2.7`: the machine, the process, and the SSH client where there is one."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be written down."""

    kind: str
    author: Author
    run: str = ""
    """The run that it belongs to; empty for what belongs to none."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Whatever the kind has to say: JSON."""
    nonce: str = field(default_factory=lambda: uuid4().hex)
    """Written once, however often it is tried: the answer to a commit may be lost on its way."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written down, and its place in the chain."""

    seq: int
    """1, 2, 3 ... without a gap."""
    at: datetime
    """When, by the database's clock, UTC."""
    run: str
    kind: str
    author: Author
    epoch: int
    """The fencing epoch of the runner that wrote it; 0 where a person or the console did."""
    body: Mapping[str, Any]
    nonce: str
    previous: str
    """The hash of the entry before."""
    hash: str


def canonical(value: Any) -> str:
    """JSON with one form for equal values: sorted keys, no spaces, ASCII. Raises ValueError, TypeError."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def chained(
    previous: str, *, seq: int, at: str, run: str, kind: str, author: Author, epoch: int, body: str, nonce: str
) -> str:
    """The hash of an entry (hex): of everything in it and of the hash before. `at` and `body` as they are stored."""
    content = [FORMAT, previous, seq, at, run, kind, author.user, author.origin, epoch, body, nonce]
    return hashlib.sha256(canonical(content).encode()).hexdigest()
