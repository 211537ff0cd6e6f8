"""Ceph's health checks in plain words."""

from __future__ import annotations

import re

import pytest

from farmtui.insight.ceph_checks import book, explain

PER_LINE = 120
"""A meaning stands in one row of a table of 200 columns, and in two of one of 120."""


@pytest.mark.parametrize(
    "name",
    ["OSD_DOWN", "OSD_HOST_DOWN", "PG_DAMAGED", "PG_DEGRADED", "MON_CLOCK_SKEW", "OSDMAP_FLAGS", "SLOW_OPS",
     "POOL_NO_REDUNDANCY", "MDS_SLOW_METADATA_IO", "BLUEFS_SPILLOVER", "RECENT_CRASH", "CEPHADM_FAILED_DAEMON"],
)  # fmt: skip
def test_common_checks_are_explained(name: str) -> None:
    text = explain(name)
    assert text.known
    assert text.meaning.lower() != name.replace("_", " ").lower()


def test_a_check_of_a_ceph_to_come_is_shown_in_words_of_its_name() -> None:
    text = explain("FROBNICATOR_STUCK")
    assert not text.known
    assert text.meaning == "frobnicator stuck"
    assert "ceph health detail" in text.remedy
    assert explain("").meaning


def test_every_entry_is_short_and_says_what_to_do() -> None:
    assert len(book()) > 120
    for name, text in book().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", name)
        assert 8 < len(text.meaning) <= PER_LINE, name
        assert 3 < len(text.remedy) <= PER_LINE, name
        assert not text.meaning.endswith("."), name
