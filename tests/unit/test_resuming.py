"""Where somebody was: written as a whole, read with care."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from farmtui.resuming import LIMIT_BYTES, PLACES, Session, SessionError, keep, kept
from screens.places import Place, Subject

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
THERE = Session(
    (Place("overview"), Place("topology", (Subject("node", "cache-2", "cache-2"),))),
    {"topology": "cache"},
    {"topology": {"nodes": ("cpu", True)}},
    True,
)


def test_what_is_kept_is_what_was(tmp_path: Path) -> None:
    path = tmp_path / "sessions" / "a.json"
    keep(path, THERE, NOW)
    assert kept(path, NOW + timedelta(minutes=5)) == (THERE, NOW)
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["a.json"], "nothing half written is left"
    # Two consoles: the last one's is kept.
    keep(path, Session((Place("cost"),)), NOW)
    found = kept(path, NOW)
    assert found is not None
    assert found[0].places == (Place("cost"),)


@pytest.mark.parametrize("later", [timedelta(hours=12), timedelta(days=9), timedelta(minutes=-1)])
def test_another_days_is_not_come_back_to(later: timedelta, tmp_path: Path) -> None:
    keep(tmp_path / "a", THERE, NOW)
    assert kept(tmp_path / "a", NOW + later) is None
    assert kept(tmp_path / "none", NOW) is None


GOOD = {"version": 1, "at": NOW.isoformat(), "places": [], "filters": {}, "sorts": {}, "faults_only": False}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 9_000, "no JSON"),
        ("[]", "does not say"),
        ("{}", "does not say"),
        (json.dumps({**GOOD, "version": 2}), "another version"),
        (json.dumps({**GOOD, "at": "yesterday"}), "does not say"),
        (json.dumps({**GOOD, "places": [{"screen": "overview"}]}), "does not say"),
        (json.dumps({**GOOD, "places": [{"screen": "overview", "trail": [{"kind": 1, "key": 2, "title": 3}]}]}), "say"),
        (json.dumps({**GOOD, "filters": {"overview": "x" * 501}}), "does not say"),
        (json.dumps({**GOOD, "sorts": {"overview": {"findings": "x"}}}), "does not say"),
        (" " * (LIMIT_BYTES + 1), "too large"),
    ],
)
def test_what_is_none_of_ours_is_told_and_left_alone(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(SessionError, match=words):
        kept(tmp_path / "a", NOW)


def test_of_what_is_ours_only_what_is_valid_is_taken(tmp_path: Path) -> None:
    places = [{"screen": "gone", "trail": []}, *({"screen": "cost", "trail": []} for _ in range(PLACES + 5))]
    hostile = {"screen": "alerts", "trail": [{"kind": "alert", "key": "a\x1b]52;c;x\x07", "title": "\u202e"}]}
    (tmp_path / "a").write_text(json.dumps({**GOOD, "places": [*places, hostile], "filters": {"gone": "x"}}))
    found = kept(tmp_path / "a", NOW)
    assert found is not None
    assert len(found[0].places) == PLACES
    assert found[0].filters == {}
    [subject] = found[0].places[-1].trail
    assert subject.key.isprintable()
    assert "\u202e" not in subject.title
