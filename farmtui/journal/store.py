"""The journal on a database: appending, reading, and leases. Blocking: call it from a worker thread."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Select,
    create_engine,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from farmtui.journal.entry import Author, Entry, Note, canonical, chained
from farmtui.journal.tables import ENTRIES, HEAD, LEASES, STEPS, migrate, version_of
from farmtui.secrets import redact, register

T = TypeVar("T")

BUSY_S: Final = 30.0
"""How long a writer waits for its turn; a turn takes milliseconds."""
_MIGRATION_LOCK: Final = 0x6661726D
"""PostgreSQL's advisory lock while the tables are made: `farm` in ASCII."""
PAGE: Final = 1_000


class JournalError(Exception):
    """The journal cannot be used; the text says what is wrong and what to do."""


class UnavailableError(JournalError):
    """The database does not answer now. Nothing may have been written, or all: try the same notes again."""


class FencedError(JournalError):
    """Another runner holds the run: what this one wanted to write was not written."""


class RefusedError(JournalError):
    """What a guard found under the lock forbids the entry; nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to execute a run, until it ends or somebody else has a later epoch."""

    run: str
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's identity and its last entry."""

    journal: str
    seq: int
    hash: str


Guard = Callable[["Reader"], None]


class Reader:
    """Reads entries, inside of a transaction or outside."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(
        self, *, run: str | None = None, after: int = 0, kinds: Sequence[str] = (), limit: int | None = None
    ) -> list[Entry]:
        """Entries in their order, after a number; of one run or of all, of some kinds or of all."""
        wanted = _matching(select(ENTRIES), run=run, after=after, kinds=kinds).order_by(ENTRIES.c.seq)
        return [_entry(row) for row in self._connection.execute(wanted.limit(limit)).mappings()]

    def latest(self, limit: int, *, before: int | None = None, kinds: Sequence[str] = ()) -> list[Entry]:
        """The last entries, before a number where one is given; in their order."""
        wanted = _matching(select(ENTRIES), kinds=kinds)
        if before is not None:
            wanted = wanted.where(ENTRIES.c.seq < before)
        rows = self._connection.execute(wanted.order_by(ENTRIES.c.seq.desc()).limit(limit)).mappings()
        return [_entry(row) for row in rows][::-1]

    def runs(self, begin: str, end: str | None = None) -> list[str]:
        """Runs that have an entry of kind `begin`, and none of kind `end`, in the order of the former."""
        wanted = select(ENTRIES.c.run).where(ENTRIES.c.kind == begin)
        if end is not None:
            wanted = wanted.where(ENTRIES.c.run.not_in(select(ENTRIES.c.run).where(ENTRIES.c.kind == end)))
        return list(self._connection.execute(wanted.order_by(ENTRIES.c.seq)).scalars())

    def head(self) -> Head:
        """The last entry's number and hash."""
        row = self._connection.execute(select(HEAD.c.journal, HEAD.c.seq, HEAD.c.hash)).one()
        return Head(row.journal, row.seq, row.hash)

    def holder(self, run: str) -> str:
        """Who holds a lease on a run that has not ended; empty when nobody does."""
        found = self._connection.execute(
            select(LEASES.c.holder).where(LEASES.c.run == run, LEASES.c.ends_at > now(self._connection))
        ).scalar()
        return found or ""


class Journal:
    """One journal. Thread-safe; each call has a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Journal:
        """Open a journal, making or migrating its tables where that is due.

        `url` is SQLAlchemy's: `sqlite:////var/lib/farmtui/journal.db`, `postgresql://farmtui@db/farmtui`.
        Raises JournalError.
        """
        engine = _engine(url)
        journal = cls(engine)
        try:
            with _said(engine.url), _turn(engine, making=True) as connection:
                found = version_of(connection)
                if found > len(STEPS):
                    raise JournalError(
                        f"the journal {_shown(engine.url)} was written by a newer farmtui (its tables are of version "
                        f"{found}, this one knows {len(STEPS)}); upgrade farmtui on this machine"
                    )
                if found < len(STEPS):
                    migrate(connection)
        except BaseException:
            engine.dispose()
            raise
        return journal

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return _shown(self._engine.url)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def append(self, *notes: Note, lease: Lease | None = None, guard: Guard | None = None) -> tuple[Entry, ...]:
        """Write notes, all or none, and give their entries. Secrets that this process knows are redacted.

        With `lease`, only as long as nobody has a later one (FencedError). `guard` reads what is there with the lock
        held, and raises RefusedError where the notes must not be written. A note that was written before, by its
        nonce, is not written again: its entry is given. Raises UnavailableError when the database does not answer.
        """
        with _said(self._engine.url), _turn(self._engine) as connection:
            known = _by_nonce(connection, notes)
            if len(known) == len(notes):
                return tuple(known[note.nonce] for note in notes)
            if lease is not None:
                _check(connection, lease)
            if guard is not None:
                guard(Reader(connection))
            head = Reader(connection).head()
            at, epoch = datetime.fromtimestamp(now(connection), UTC), lease.epoch if lease else 0
            written: list[Entry] = []
            for seq, note in enumerate(notes, head.seq + 1):
                previous = written[-1].hash if written else head.hash
                written.append(_write(connection, note, seq, previous, at, epoch))
            connection.execute(update(HEAD).values(seq=written[-1].seq, hash=written[-1].hash))
        return tuple(written)

    def read(self, work: Callable[[Reader], T]) -> T:
        """Read in one transaction: everything is of one moment."""
        with _said(self._engine.url), self._engine.connect() as connection:
            return work(Reader(connection))

    def entries(
        self, *, run: str | None = None, after: int = 0, kinds: Sequence[str] = (), limit: int | None = None
    ) -> list[Entry]:
        """See `Reader.entries`."""
        return self.read(lambda reader: reader.entries(run=run, after=after, kinds=kinds, limit=limit))

    def latest(self, limit: int, *, before: int | None = None, kinds: Sequence[str] = ()) -> list[Entry]:
        """The last entries, before a number where one is given; in their order."""

        def read(reader: Reader) -> list[Entry]:
            return reader.latest(limit, before=before, kinds=kinds)

        return self.read(read)

    def walk(self) -> Iterator[RowMapping]:
        """Every stored row in its order, as it is stored: for who proves the chain."""
        after = 0
        while True:
            page = self._page(after)
            yield from page
            if len(page) < PAGE:
                return
            after = int(page[-1]["seq"])

    def head(self) -> Head:
        """See `Reader.head`."""
        return self.read(lambda reader: reader.head())

    # -- leases ---------------------------------------------------------------------------------

    def take(self, run: str, holder: str, lasts_s: float) -> Lease | None:
        """Take the lease on a run, with a later epoch than any before; None while somebody else has it."""
        with _said(self._engine.url), _turn(self._engine) as connection:
            at = now(connection)
            row = connection.execute(select(LEASES).where(LEASES.c.run == run)).one_or_none()
            if row is not None and row.ends_at > at and row.holder != holder:
                return None
            epoch = row.epoch + 1 if row is not None else 1
            values: Mapping[str, Any] = {"epoch": epoch, "holder": holder, "ends_at": at + lasts_s}
            if row is None:
                connection.execute(insert(LEASES).values(run=run, **values))
            else:
                connection.execute(update(LEASES).where(LEASES.c.run == run).values(**values))
        return Lease(run, epoch, holder)

    def renew(self, lease: Lease, lasts_s: float) -> None:
        """Have a lease for longer, even where it has ended: as long as nobody took it. Raises FencedError."""
        with _said(self._engine.url), _turn(self._engine) as connection:
            _check(connection, lease)
            ends_at = now(connection) + lasts_s
            connection.execute(update(LEASES).where(LEASES.c.run == lease.run).values(ends_at=ends_at))

    def release(self, lease: Lease) -> None:
        """Give a lease back. Its epoch stays: the next one is later."""
        with _said(self._engine.url), _turn(self._engine) as connection:
            mine = (LEASES.c.run == lease.run) & (LEASES.c.epoch == lease.epoch)
            connection.execute(update(LEASES).where(mine).values(ends_at=0.0))

    # -- inside ---------------------------------------------------------------------------------

    def _page(self, after: int) -> Sequence[RowMapping]:
        with _said(self._engine.url), self._engine.connect() as connection:
            wanted = select(ENTRIES).where(ENTRIES.c.seq > after).order_by(ENTRIES.c.seq).limit(PAGE)
            return connection.execute(wanted).mappings().all()


def now(connection: Connection) -> float:
    """The database's own clock, Unix seconds: one clock for all who share it."""
    if connection.dialect.name == "sqlite":
        return float(connection.execute(text("select (julianday('now') - 2440587.5) * 86400.0")).scalar_one())
    return float(connection.execute(text("select extract(epoch from clock_timestamp())")).scalar_one())


def _write(connection: Connection, note: Note, seq: int, previous: str, at: datetime, epoch: int) -> Entry:
    stamp, body = at.isoformat(timespec="microseconds"), canonical(_without_secrets(note.body))
    digest = chained(
        previous, seq=seq, at=stamp, run=note.run, kind=note.kind, author=note.author, epoch=epoch, body=body,
        nonce=note.nonce,
    )  # fmt: skip
    row = {
        "seq": seq, "at": stamp, "run": note.run, "kind": note.kind, "who": note.author.user,
        "origin": note.author.origin, "epoch": epoch, "body": body, "nonce": note.nonce, "previous": previous,
        "hash": digest,
    }  # fmt: skip
    connection.execute(insert(ENTRIES).values(row))
    return _entry(row)


def _without_secrets(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {redact(str(key)): _without_secrets(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_secrets(inner) for inner in value]
    return value


def _entry(row: RowMapping | Mapping[str, Any]) -> Entry:
    return Entry(
        seq=row["seq"], at=datetime.fromisoformat(row["at"]), run=row["run"], kind=row["kind"],
        author=Author(row["who"], row["origin"]), epoch=row["epoch"], body=json.loads(row["body"]),
        nonce=row["nonce"], previous=row["previous"], hash=row["hash"],
    )  # fmt: skip


def _by_nonce(connection: Connection, notes: Sequence[Note]) -> dict[str, Entry]:
    wanted = select(ENTRIES).where(ENTRIES.c.nonce.in_([note.nonce for note in notes]))
    return {row["nonce"]: _entry(row) for row in connection.execute(wanted).mappings()}


def _check(connection: Connection, lease: Lease) -> None:
    epoch = connection.execute(select(LEASES.c.epoch).where(LEASES.c.run == lease.run)).scalar()
    if epoch != lease.epoch:
        raise FencedError(f"run {lease.run} is executed by another runner now (epoch {epoch}, not {lease.epoch})")


def _matching(wanted: Select[Any], *, run: str | None = None, after: int = 0, kinds: Iterable[str] = ()) -> Select[Any]:
    wanted = wanted.where(ENTRIES.c.seq > after)
    if run is not None:
        wanted = wanted.where(ENTRIES.c.run == run)
    kinds = list(kinds)
    return wanted.where(ENTRIES.c.kind.in_(kinds)) if kinds else wanted


@contextlib.contextmanager
def _turn(engine: Engine, *, making: bool = False) -> Iterator[Connection]:
    """A transaction that alone may write; with `making`, there may be no tables yet."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif making:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        else:
            connection.execute(select(HEAD.c.id).with_for_update())
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


@contextlib.contextmanager
def _said(url: URL) -> Iterator[None]:
    """The database's errors in words: its own name the whole address, with the password."""
    try:
        yield
    except IntegrityError as error:
        raise JournalError(
            f"the journal {_shown(url)} refuses an entry: {_reason(error)}; see `farmtui journal verify`"
        ) from None
    except SQLAlchemyError as error:
        raise UnavailableError(
            f"the journal {_shown(url)} does not answer: {_reason(error)}; "
            "look whether the database runs and may be reached"
        ) from None


def _reason(error: SQLAlchemyError) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else error
    return redact(" ".join(str(origin).split()))[:200]


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.password:
            register(str(parsed.password))
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif parsed.get_backend_name() != "sqlite":
            raise JournalError("journal.url must be sqlite:////PATH or postgresql://USER@HOST/DATABASE")
        return (
            _sqlite(parsed)
            if parsed.get_backend_name() == "sqlite"
            else create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 5}, hide_parameters=True)
        )
    except (ArgumentError, NoSuchModuleError):
        raise JournalError("journal.url must be sqlite:////PATH or postgresql://USER@HOST/DATABASE") from None
    except ModuleNotFoundError:
        raise JournalError("a journal on PostgreSQL needs psycopg: pipx install 'farmtui[postgresql]'") from None


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise JournalError("journal.url names no file: sqlite:////PATH")
    path = Path(url.database).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives the files beside it the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be written: {error.strerror}") from None
    engine = create_engine(url.set(database=str(path)), poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "do_connect")
    def _look(*_: object) -> None:
        # SQLite would begin a new one, and what was written would be missed by nobody.
        if not path.exists():
            raise JournalError(f"the journal {path} is gone: it was moved or removed; bring it back, or start anew")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        # Transactions are begun by us, and with the lock at once: a reader that turns writer half-way fails.
        connection.isolation_level = None
        for pragma in (f"busy_timeout={int(BUSY_S * 1000)}", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
