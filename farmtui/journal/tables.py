"""The journal's tables, and the steps by which an older journal becomes one of today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    update,
)

from farmtui.journal.entry import GENESIS

metadata = MetaData()

ENTRIES = Table(
    "farmtui_entry",
    metadata,
    # Given by us, under the lock on the head: a sequence of the database's own has gaps.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("run", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("who", String(64), nullable=False),
    Column("origin", String(256), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("nonce", String(64), nullable=False, unique=True),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("farmtui_entry_run", "run", "seq"),
    Index("farmtui_entry_kind", "kind", "seq"),
)

HEAD = Table(
    "farmtui_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("journal", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row: which journal this is, the version of its tables, and the last entry. Who appends locks it."""

LEASES = Table(
    "farmtui_lease",
    metadata,
    Column("run", String(64), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("holder", String(256), nullable=False),
    Column("ends_at", Double, nullable=False),
)
"""Who executes a run now, and until when if nothing is heard (Unix seconds by the database's clock).

Not part of the record: what is done under a lease is, with its epoch.
"""


def _first(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(insert(HEAD).values(id=1, journal=uuid4().hex, version=1, seq=0, hash=GENESIS))


STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_first,)
"""Step N makes version N of version N - 1. Entries are never rewritten: their hashes are of what they were."""


def version_of(connection: Connection) -> int:
    """The version of the tables that are there; 0 where there are none."""
    if not inspect(connection).has_table(HEAD.name):
        return 0
    return int(connection.execute(select(func.max(HEAD.c.version))).scalar() or 0)


def migrate(connection: Connection) -> None:
    """Bring the tables to today's version, in the transaction that the caller has begun and locked."""
    for number, step in enumerate(STEPS[version_of(connection) :], version_of(connection) + 1):
        step(connection)
        connection.execute(update(HEAD).values(version=number))
