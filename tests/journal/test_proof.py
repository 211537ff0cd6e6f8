"""Proving the chain: whatever is done to a stored journal is found, and where."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from farmtui.journal.entry import Author, chained
from farmtui.journal.proof import Witness, prove
from farmtui.journal.store import Journal
from tests.journal.conftest import note

COLUMNS = ("at", "run", "kind", "who", "origin", "epoch", "body", "nonce", "previous", "hash")


@pytest.fixture
def five(journal: Journal) -> Journal:
    for number in range(5):
        journal.append(note(f"kind{number}", number=number))
    return journal


def meddle(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_an_empty_journal_is_whole(journal: Journal) -> None:
    assert prove(journal).whole


@pytest.mark.parametrize("seq", [1, 3, 5])
@pytest.mark.parametrize("column", COLUMNS)
def test_any_change_is_found_where_it_is(five: Journal, url: str, column: str, seq: int) -> None:
    value = "7" if column == "epoch" else "'2026-01-01T00:00:00.000000+00:00'" if column == "at" else "'{}'"
    meddle(url, f"update farmtui_entry set {column} = {value} where seq = {seq}")
    proof = prove(five)
    assert proof.broken_at == seq
    assert proof.entries == seq - 1
    assert proof.why


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_a_missing_entry_is_found(five: Journal, url: str, seq: int) -> None:
    meddle(url, f"delete from farmtui_entry where seq = {seq}")
    assert prove(five).broken_at == seq


def test_a_lost_end_is_found(five: Journal, url: str) -> None:
    meddle(url, "delete from farmtui_entry where seq > 3")
    assert prove(five).broken_at == 4


def test_exchanged_entries_are_found(five: Journal, url: str) -> None:
    meddle(
        url,
        "update farmtui_entry set seq = 99 where seq = 2",
        "update farmtui_entry set seq = 2 where seq = 3",
        "update farmtui_entry set seq = 3 where seq = 99",
    )
    assert prove(five).broken_at == 2


def test_an_entry_put_in_is_found(five: Journal, url: str) -> None:
    meddle(
        url,
        "insert into farmtui_entry select 6, at, run, kind, who, origin, epoch, body, 'other', hash, hash"
        " from farmtui_entry where seq = 5",
        "update farmtui_head set seq = 6",
    )
    assert prove(five).broken_at == 6


def test_a_journal_cut_off_with_its_own_note_of_the_end_is_found_by_who_has_seen_it(
    five: Journal, url: str, tmp_path: Path
) -> None:
    witness = Witness(tmp_path / "seen.json")
    witness.saw(five.head())
    assert prove(five, witness).whole
    third = five.entries()[2]
    meddle(url, "delete from farmtui_entry where seq > 3", f"update farmtui_head set seq = 3, hash = '{third.hash}'")
    assert prove(five).whole, "by itself it is"
    proof = prove(five, witness)
    assert proof.broken_at == 4
    assert "has seen 5 entries" in proof.why


def test_a_journal_written_anew_from_an_entry_on_is_found_by_who_has_seen_it(
    five: Journal, url: str, tmp_path: Path
) -> None:
    witness = Witness(tmp_path / "seen.json")
    witness.saw(five.head())
    last = dict(list(five.walk())[-1])
    author = Author("mallory", last["origin"])
    kept = {key: last[key] for key in ("seq", "at", "run", "kind", "epoch", "body", "nonce")}
    forged = chained(last["previous"], author=author, **kept)
    meddle(
        url,
        f"update farmtui_entry set who = 'mallory', hash = '{forged}' where seq = 5",
        f"update farmtui_head set hash = '{forged}'",
    )
    assert prove(five).whole, "by itself it is"
    assert prove(five, witness).broken_at == 5


def test_what_a_witness_remembers_grows_only(five: Journal, tmp_path: Path) -> None:
    witness = Witness(tmp_path / "sub" / "seen.json")
    early = five.head()
    five.append(note())
    witness.saw(five.head())
    witness.saw(early)
    assert witness.seen(early.journal) == (6, five.head().hash)
    (tmp_path / "sub" / "seen.json").write_text("{nonsense")
    assert witness.seen(early.journal) is None
