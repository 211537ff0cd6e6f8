"""PostgreSQL serves, and what was written survives its stop."""

from __future__ import annotations

from tests.lab.services.postgresql import PostgreSQL


def test_what_was_written_survives_a_stop(postgresql: PostgreSQL) -> None:
    postgresql.sql("CREATE TABLE kept (word TEXT)")
    postgresql.sql("INSERT INTO kept VALUES ('it''s kept')")
    postgresql.daemon.stop()
    postgresql.daemon.start()
    assert postgresql.sql("SELECT word FROM kept") == "it's kept"
    postgresql.sql("DROP TABLE kept")
