"""`farmtui status --json` of a Ceph that was asked itself, and that its schema describes what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from farmtui.farm.farm import Farm
from farmtui.insight.findings import findings
from farmtui.insight.health import components, overall
from farmtui.status import text
from farmtui.status_document import document
from tests.screens.ceph_farms import CEPH_FARMS, DEGRADED, LINES, WHY, lost, told
from tests.screens.whole import whole_farm

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "status-schema.json").read_text(encoding="utf-8"))


def printed(farm: Farm) -> dict[str, Any]:
    """The document, as it comes out of JSON."""
    found = findings(farm)
    told_of = document(farm, found, overall(farm, found), components(farm, found), version="1")
    back: dict[str, Any] = json.loads(json.dumps(told_of, allow_nan=False))
    return back


@pytest.mark.parametrize("name", CEPH_FARMS)
def test_the_schema_describes_it(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(printed(CEPH_FARMS[name]()))


def test_a_check_is_told_in_ceph_s_own_words() -> None:
    ceph = printed(told())["ceph"]
    down, degraded, flags = ceph["checks"]
    assert down == {
        "name": "OSD_DOWN", "state": "warning", "muted": False, "summary": "1 osds down",
        "detail": ["osd.3 (root=default,host=stor-2) is down"],
    }  # fmt: skip
    assert (degraded["summary"], degraded["detail"]) == (DEGRADED, list(LINES))
    assert flags["muted"] is True
    assert ceph["quorum"] == {
        "asked": "stor-1", "mons": ["a", "b", "c"], "in_quorum": ["a", "b", "c"], "lost": False, "why": None,
    }  # fmt: skip


def test_without_the_detail_there_is_no_quorum_and_no_summary() -> None:
    ceph = printed(whole_farm())["ceph"]
    assert ceph["quorum"] is None
    assert {check["summary"] for check in ceph["checks"]} == {None}


def test_without_quorum_the_health_is_unknown_and_no_check_of_before_is_told() -> None:
    farm = lost()
    told_of = printed(farm)
    assert (told_of["ceph"]["health"], told_of["ceph"]["checks"]) == ("unknown", [])
    assert (told_of["ceph"]["quorum"]["lost"], told_of["ceph"]["quorum"]["why"]) == (True, WHY)
    assert told_of["overall"]["exit_code"] == 2
    page = " ".join(text(farm, findings(farm), overall(farm, findings(farm)), components(farm, findings(farm))).split())
    assert "CRIT Ceph has no quorum" in page
    assert "quorum lost: mon.a sees state probing" in page
    assert "Ceph has no quorum, before that 5 of 6 OSDs up" in page


def test_differences_are_told() -> None:
    assert printed(told())["ceph"]["differences"] == ["OSDs up: Ceph says 4 of 6, its metrics 5"]
