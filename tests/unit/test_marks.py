"""Marks are kept, by two consoles too, and what is none of ours is kept aside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from farmtui.marks import MARKS, Mark, MarksError, change_marks, checked_name, read_marks
from screens.places import Place, Subject

HERE = Mark(Place("topology", (Subject("node", "a", "a"),)), "cache", {"t": ("cpu", True)}, "places", faults_only=True)


def add(path: Path, name: str) -> None:
    change_marks(path, lambda marks: marks.update({name: HERE}))


def test_a_mark_is_read_as_it_was_kept(tmp_path: Path) -> None:
    add(tmp_path / "m.json", "a")
    assert read_marks(tmp_path / "m.json") == ({"a": HERE}, "")
    assert HERE.words == "topology / a · view places · /cache · by cpu, descending · faults only"


def test_an_order_that_several_tables_have_is_told_once() -> None:
    sorts = {"osds": ("state", True), "pools": ("state", True), "daemons": ("name", False)}
    assert Mark(Place("storage"), sorts=sorts).words == "storage · by state, descending · by name"


def test_to_look_for_marks_leaves_nothing_behind(tmp_path: Path) -> None:
    assert read_marks(tmp_path / "marks" / "m.json") == ({}, "")
    assert list(tmp_path.iterdir()) == []


def test_consoles_lose_nothing_of_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add(tmp_path / "m.json", f"n{number}"), range(40)))
    assert len(read_marks(tmp_path / "m.json")[0]) == 40


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}', "[" * 100_000, "x" * 300_000, "\ud800"])
def test_a_foreign_file_is_kept_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    marks, notice = read_marks(path)
    assert marks == {}
    assert "kept as" in notice
    assert (tmp_path / "m.aside-1").stat().st_size == len(text.encode(errors="surrogatepass"))


@pytest.mark.parametrize("name", ["", "a b", "\x1b[31m", "a'b", "x" * 1_000_000])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(MarksError, match="1 to 40"):
        checked_name(name)


def test_they_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(MarksError, match="unmark"):
        change_marks(tmp_path / "m.json", lambda marks: marks.update({str(n): HERE for n in range(MARKS + 1)}))
    assert not (tmp_path / "m.json").exists()
