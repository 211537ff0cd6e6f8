"""A journal on SQLite in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farmtui.journal.entry import Author, Note
from farmtui.journal.store import Journal

ANNA = Author("anna", "bastion-1[4711] from 127.0.0.7")


def note(kind: str = "said", run: str = "r1", **body: object) -> Note:
    """Something to write down."""
    return Note(kind, ANNA, run, body)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the journal is."""
    return f"sqlite:///{tmp_path / 'state' / 'journal.db'}"


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    """An empty journal."""
    made = Journal.open(url)
    yield made
    made.close()
